#!/usr/bin/env python3
"""The boot matrix: each way to boot, with little and much memory, reaches a program in ring 3 and its exit status."""
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, check_equal, done, skip  # noqa: E402
import guest_program  # noqa: E402
import qemu  # noqa: E402

KERNEL, ARCHIVE = os.path.join(BUILD, "zeropage.elf"), os.path.join(BUILD, "archive.tar")
MATRIX = [("direct", "16M"), ("direct", "256M"), ("direct", "4G"), ("direct", "16G"),
          ("bios", "16M"), ("bios", "256M"), ("bios", "4G"),
          ("uefi", "16M"), ("uefi", "256M"), ("uefi", "4G")]
IMPOSSIBLE = {("uefi", "16M"): "OVMF itself needs more memory"}
STATUS = 42

# Tells in which ring it runs, and how much memory the kernel has found.
PROGRAM = """
void program(long argc, char **argv)
{
    static char text[512];
    unsigned short cs;
    __asm__("mov %%cs, %0" : "=r"(cs));
    say((cs & 3) == 3 ? "ring 3\\n" : "not ring 3\\n");
    long file = call(2, (long)"/proc/meminfo", 0, 0);
    call(1, 1, (long)text, call(0, file, (long)text, sizeof text));
    leave(argc == 2 && argv[1][0] == 'x' ? 42 : 1);
}
"""


# Is started by its second name, and looks at both: the number of the inode and of its names.
TWO_NAMES = """
void program(long argc, char **argv)
{
    static unsigned long one[18], two[18];
    long missing = call(4, (long)"/one", (long)one, 0) | call(4, (long)"/two", (long)two, 0);
    say(!missing && one[1] == two[1] && one[2] == 2 ? "one file with two names\\n" : "not one file\\n");
    leave(argc + !argv);
}
"""


def linked_archive(folder):
    """The archive with a program that has two names."""
    path = os.path.join(folder, "linked.tar")
    shutil.copy(ARCHIVE, path)
    with tarfile.open(path, "a", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(guest_program.build(os.path.join(folder, "linked"), TWO_NAMES), "one")
        link = tarfile.TarInfo("two")
        link.type, link.linkname, link.mode = tarfile.LNKTYPE, "one", 0o755
        tar.addfile(link)
    return path


def kibibytes(size):
    return int(size[:-1]) << {"M": 10, "G": 20}[size[-1]]


def boots(firmware, memory, program):
    what = f"{firmware} with {memory}"
    run = subprocess.run([os.path.join(ROOT, "tools", "run"), "--firmware", firmware, "--memory", memory,
                          "--timeout", "60", program, "x"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if not check_equal((run.returncode, run.stdout[:7]), (STATUS, b"ring 3\n"),
                       f"{what}: a program runs in ring 3, and its exit status arrives", run.stderr):
        return
    found = re.search(rb"^MemTotal: +(\d+) kB$", run.stdout, re.MULTILINE)
    total, wanted = int(found[1]) if found else 0, kibibytes(memory)
    # Firmware, the kernel's image, the archive and 32 bytes for each frame are not in MemTotal.
    check(wanted * 0.95 - 8192 <= total <= wanted, f"{what}: the kernel finds all of the memory",
          f"{total} kB of {wanted} kB", run.stdout)


def console_of(archive=ARCHIVE, seconds=120, **options):
    """Boots directly; returns what comes on COM1 (without carriage returns) and QEMU's status, None if it hangs."""
    said = bytearray()
    with qemu.Machine(said.extend, lambda data: None, kernel=KERNEL, archive=archive, **options) as machine:
        status, _ = machine.run(seconds)
    return said.decode(errors="replace").replace("\r", ""), status


def big_archive(folder, memory, left_over):
    """An archive so big that it leaves LEFT_OVER bytes of MEMORY bytes above the kernel."""
    symbols = subprocess.run(["nm", KERNEL], stdout=subprocess.PIPE, text=True, check=True).stdout
    kernel_end = int(re.search(r"^([0-9a-f]+) \w kernel_end$", symbols, re.MULTILINE)[1], 16) & 0x7fffffff
    path = os.path.join(folder, "big.tar")
    shutil.copy(ARCHIVE, path)
    os.truncate(path, memory - kernel_end - left_over)
    return path


with tempfile.TemporaryDirectory(prefix="zeropage-matrix-") as folder:
    program = guest_program.build(os.path.join(folder, "ring3"), PROGRAM)
    for firmware, memory in MATRIX:
        if (firmware, memory) in IMPOSSIBLE:
            skip(f"{firmware} with {memory}", IMPOSSIBLE[firmware, memory])
        else:
            boots(firmware, memory, program)

with tempfile.TemporaryDirectory(prefix="zeropage-matrix-") as folder:
    said, status = console_of(big_archive(folder, 4 << 20, 384 << 10), memory="4M")
check(re.search(r"^zeropage: too little memory: the machine has \d+ KiB, and \d+ KiB are needed$", said, re.MULTILINE),
      "too little memory for the kernel and its archive is a sentence on the console", f"status {status}", said)
check_equal(status, qemu.PANICKED, "too little memory ends the machine with a failure")

with tempfile.TemporaryDirectory(prefix="zeropage-matrix-") as folder:
    said, status = console_of(linked_archive(folder), append="init=/two")
check("one file with two names\n" in said, "a hard link in the archive is a second name of its file", f"status {status}", said)

said, status = console_of(archive=None)
check("no initial archive" in said and status == qemu.PANICKED,
      "a boot without an archive is a sentence on the console and a failure", f"status {status}", said)

said, status = console_of(cpu="qemu32")
check("long mode" in said, "a processor without long mode gets a readable message", f"status {status}, console:", said)
check(status is not None, "a processor without long mode doesn't hang the machine", f"status {status}")
done()
