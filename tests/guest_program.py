"""Builds small static programs for the tests of the tools: C without any library, raw system calls."""
import os
import shutil
import subprocess

PRELUDE = """
typedef unsigned long size_t;
static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
static size_t length(const char *text) { size_t n = 0; while (text[n]) n++; return n; }
static void say(const char *text) { call(1, 1, (long)text, (long)length(text)); }
static void leave(int status) { call(231, status, 0, 0); for (;;) ; }
__attribute__((force_align_arg_pointer)) void program(long argc, char **argv);
__asm__(".globl _start\\n_start: mov (%rsp), %rdi\\nlea 8(%rsp), %rsi\\nand $-16, %rsp\\ncall program\\n");
"""


def compiler():
    for name in ("x86_64-elf-gcc", "x86_64-linux-gnu-gcc", "gcc"):
        if shutil.which(name):
            return name
    raise FileNotFoundError("no C compiler")


def build(path, body, *flags, start=PRELUDE):
    """Compiles BODY, which defines `void program(long argc, char **argv)`, to the static program PATH."""
    with open(f"{path}.c", "w", encoding="utf-8") as file:
        file.write(start + body)
    subprocess.run([compiler(), "-O1", "-ffreestanding", "-fno-stack-protector", "-nostdlib", "-static", "-o", path,
                    f"{path}.c", *flags], check=True)
    os.unlink(f"{path}.c")
    return path
