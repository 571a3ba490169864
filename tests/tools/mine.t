#!/usr/bin/env python3
"""As a new user would: gcc -static -O2 mine.c && tools/run ./a.out simply works, from a folder of one's own."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check, done, skip  # noqa: E402

RUN = os.path.join(ROOT, "tools", "run")

MINE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char line[100], *memory = malloc(50 << 20);

    for (int i = 1; i < argc; i++)
        printf("[%s]", argv[i]);
    printf(" X is %s\n", getenv("X") ? getenv("X") : "not set");
    while (fgets(line, sizeof(line), stdin))
        printf("read %s", line);
    memset(memory, 1, 50 << 20);
    fflush(stdout);
    fprintf(stderr, "done\n");
    if (argc > 1 && strcmp(argv[1], "crash") == 0)
        *(volatile int *)8 = 1;
    return 7;
}
"""
LARGE = "#include <stdio.h>\nchar data[40 << 20] = {1};\nint main(void) { long sum = 0; " \
        "for (long i = 0; i < sizeof(data); i += 4096) sum += data[i]++; printf(\"%ld\\n\", sum); }\n"


def compile_here(folder, name, text, *flags, compiler="gcc"):
    with open(os.path.join(folder, f"{name}.c"), "w", encoding="ascii") as file:
        file.write(text)
    return subprocess.run([compiler, *flags, "-O2", "-w", f"{name}.c", "-o", name], cwd=folder, capture_output=True,
                          check=False).returncode == 0


def run(folder, *words, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    got = subprocess.run([RUN, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=120, **options)
    return got.returncode, got.stdout, got.stderr


def with_compiler(folder, compiler):
    if not compile_here(folder, "a.out", MINE, "-static", compiler=compiler):
        skip(f"programs linked by {compiler} -static run", f"{compiler} is not installed or links nothing statically")
        return False
    status, out, _ = run(folder, "./a.out")
    check((status, out) == (7, " X is not set\ndone\n"), f"{compiler} -static -O2 mine.c && tools/run ./a.out", status, out)
    status, out, _ = run(folder, "--env", "X=a b", "./a.out", "one", "two words", "")
    check((status, out) == (7, "[one][two words][] X is a b\ndone\n"), "arguments and environment arrive as they are", out)
    with open(os.path.join(folder, "input"), "w", encoding="ascii") as file:
        file.write("first\nsecond\n")
    with open(os.path.join(folder, "input"), encoding="ascii") as file:
        status, out, _ = run(folder, "./a.out", stdin=file)
    check(out == " X is not set\nread first\nread second\ndone\n", "tools/run ./a.out <file reads the file", out)
    got = subprocess.run([RUN, "--stdin", "-", "./a.out"], cwd=folder, input="piped\n", capture_output=True, text=True,
                         check=False, timeout=120)
    check("read piped\n" in got.stdout, "and --stdin - whatever comes by a pipe", got.stdout)
    status, out, errors = run(folder, "./a.out", "crash")
    check(status == 128 + 11 and out.endswith("done\n"), "a crash is 128 and the signal's number", status, out, errors)
    return True


def refusals(folder):
    compile_here(folder, "dynamic", MINE)
    with open(os.path.join(folder, "small"), "wb") as file:
        file.write(b"\x7fELF\x01\x01\x01" + b"\0" * 100)
    for name, word in (("./dynamic", "not static"), ("./small", "32-bit"), ("./a.out.c", "not an ELF file"),
                       ("./missing", "no program ./missing"), (".", "not a file")):
        status, out, errors = run(folder, name)
        check(status == 2 and not out and word in errors and errors.count("\n") == 1,
              f"{name} is refused with a sentence", status, out, errors)


def main():
    with tempfile.TemporaryDirectory(prefix="zeropage-mine-") as folder:
        if with_compiler(folder, "gcc"):
            check(compile_here(folder, "large", LARGE, "-static") and run(folder, "./large")[:2] == (0, "1\n"),
                  "a program of 40 MiB runs", run(folder, "./large"))
        refusals(folder)
        if shutil.which("musl-gcc"):
            with_compiler(folder, "musl-gcc")
    done()


main()
