#!/usr/bin/env python3
"""The guest tests, built with musl and with glibc instead of our own C library, give the same transcripts here."""
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import transcripts  # noqa: E402
from tap import BUILD, ROOT, check, done, skip  # noqa: E402

# A C library's start moves the break and maps memory; these look at exactly that.
DEPENDS_ON_LIBRARY = {"gcc": {"guest/layout", "linux/brk_matrix"}, "musl-gcc": set()}
FLAGS = ["-static", "-O2", "-g", "-w", "-D_GNU_SOURCE", "-I", ROOT]


def build(compiler, program):
    """Compiles the program; (its path, None) or (None, what the compiler said)."""
    target = os.path.join(BUILD, "tests", compiler, program.name)
    source = os.path.join(ROOT, "tests", f"{program.name}.c")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    command = [compiler, *FLAGS, source, "-o", target]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    return (target, None) if compiled.returncode == 0 else (None, compiled.stderr)


def run(built):
    command = [os.path.join(ROOT, "tools", "run"), "--timeout", "300"]
    for program, path in built:
        command += ["--file", f"{path}={program.guest_path}"]
    command += [os.path.join(BUILD, "tests", "linux", "each"), *(program.guest_path for program, _ in built)]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return transcripts.sections(ended.stdout.decode(errors="replace")), ended.stderr.decode(errors="replace")


def compare(compiler):
    wanted = [program for program in transcripts.programs()
              if program.name not in DEPENDS_ON_LIBRARY[compiler] and transcripts.read_golden(program)[1] is not None]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda program: build(compiler, program), wanted))
    built = []
    for program, (path, said) in zip(wanted, results):
        if path:
            built.append((program, path))
        else:
            check(False, f"{program.name}: compiles with {compiler}", said)
    found, errors = run(built)
    for program, _ in built:
        ours, theirs = found.get(program.guest_path), transcripts.read_golden(program)[1]
        check(ours == theirs, f"{program.name}: built with {compiler} it gives the transcript of Linux 6.1",
              *(transcripts.difference(ours, theirs) if ours else ("there is no transcript", errors)))


def main():
    for compiler in DEPENDS_ON_LIBRARY:
        if shutil.which(compiler):
            compare(compiler)
        else:
            skip(f"the guest tests built with {compiler}", f"{compiler} is not installed")
    done()


main()
