#!/usr/bin/env python3
"""
Bombs, on a machine of 16 MiB and (NIGHTLY=1) on larger ones and on Linux; and the shell, which outlives them.
"""
import os
import re
import select
import subprocess
import sys
import tarfile
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap  # noqa: E402
from guest_checks import program, report  # noqa: E402
from tap import BUILD, ROOT, check, check_equal, done, skip  # noqa: E402
import qemu  # noqa: E402

BOMBS = program("bombs")
SHELL_LINE = "/bombs memory shared_memory page_tables threads zombies >/dev/null; echo the shell lives"
# Linux ends with these, when root lights them: nobody is charged for what a pipe or a memfd holds. An ordinary user's pipes are limited, and
# so is all memory with overcommit_memory 2.
FATAL_TO_LINUX = ("pipes", "nameless_files")
CTRL_C = b"\x03"


def names():
    with open(os.path.join(ROOT, "tests", "attacks", "bombs.c"), encoding="utf-8") as source:
        return re.findall(r'^    \{"([a-z_]+)", "', source.read(), re.MULTILINE)


def rules():
    with open(os.path.join(ROOT, "tests", "attacks", "bombs.c"), encoding="utf-8") as source:
        return re.findall(r'^    \{"[a-z_]+", "([^"]+)"', source.read(), re.MULTILINE)


def from_a_shell():
    run = subprocess.run([os.path.join(ROOT, "tools", "run"), "--memory", "16M", "--file", f"{BOMBS}=/bombs", "--append",
                          "audit=exit", "sh", "-c", SHELL_LINE], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    check_equal((run.returncode, run.stdout), (0, b"the shell lives\n"), "16 MiB: a shell outlives the bombs that it started",
                run.stderr)


def archive_with_bombs(folder):
    path = os.path.join(folder, "archive.tar")
    with tarfile.open(os.path.join(BUILD, "archive.tar")) as base, \
            tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for member in base:
            archive.addfile(member, base.extractfile(member) if member.isreg() else None)
        archive.add(BOMBS, "bin/bombs")
    return path


class Console:
    """A machine of 16 MiB with a shell, at which a person types."""

    def __init__(self, folder):
        command = qemu.command_line(kernel=os.path.join(BUILD, "zeropage.elf"), archive=archive_with_bombs(folder),
                                    memory="16M", console=("stdio", "signal=off"))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.said = b""

    def wait_for(self, pattern, seconds):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.said) and time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                self.said += os.read(self.process.stdout.fileno(), 65536)
        return re.search(pattern, self.said)

    def type(self, keys):
        self.said = b""
        self.process.stdin.write(keys)
        self.process.stdin.flush()


def fork_bomb_and_a_person():
    with tempfile.TemporaryDirectory(prefix="zeropage-bombs-") as folder:
        console = Console(folder)
        try:
            console.wait_for(rb"[$#] $", 240)
            console.type(b"bombs --forest\r")
            check(console.wait_for(rb"process group \d+: killed because memory is full: its \d+ processes hold", 60),
                  "16 MiB: a fork bomb is killed as a whole, and the kernel says so", console.said[-500:])
            time.sleep(1)   # the shell tells of each
            console.type(CTRL_C)
            console.type(b"echo still here\r")
            check(console.wait_for(rb"\nstill here\r?\n", 240), "16 MiB: the shell outlives it and runs the next command", console.said[-500:])
            console.type(b"cat /proc/audit\r")
            check(console.wait_for(rb"\nok\r?\n", 240), "16 MiB: the audit finds nothing", console.said[-500:])
        finally:
            console.process.kill()
            console.process.wait()


LARGER = ("64M", "256M", "2G")
ONLY = os.environ.get("ONLY", "")       # words of the only rule that matters (tests/attacks/defences)
chosen = [name for name, rule in zip(names(), rules()) if ONLY and ONLY in rule]
report("16 MiB", "run", "--memory", "16M", "--timeout", "200", BOMBS, *chosen)
if not chosen:
    report("16 MiB, strictly", "run", "--memory", "16M", BOMBS, "--strictly", *FATAL_TO_LINUX)
    from_a_shell()
    fork_bomb_and_a_person()
if os.environ.get("NIGHTLY"):
    for memory in LARGER:
        report(memory, "run", "--memory", memory, "--timeout", "1800", BOMBS)
    fair = [name for name in names() if name not in FATAL_TO_LINUX]
    if subprocess.run([os.path.join(ROOT, "tools", "linux-run"), "--version"], capture_output=True, check=False).returncode:
        skip("Linux 6.1 survives the same bombs", "there is no Linux kernel here")
    else:
        report("Linux 6.1", "linux-run", "--timeout", "600", BOMBS, *fair)
        report("Linux 6.1, strictly", "linux-run", "--timeout", "600", BOMBS, "--strictly", *FATAL_TO_LINUX)
if os.environ.get("RECORD_RESULT") and not tap.failed:
    subprocess.run([os.path.join(ROOT, "tools", "reliability"), "record", "bombs", "--title", "Bombs", "--rerun", "make bombs",
                    *(word for rule in rules() for word in ("--tried", rule)), f"bombs={len(names())}",
                    f"sizes of memory=16M, {', '.join(LARGER)}"], check=True)
done()
