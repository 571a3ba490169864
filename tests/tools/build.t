#!/usr/bin/env python3
"""The tools of the build: the archive, the ISO, the symbol table, the check of the kernel, and make help."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, check_contains, check_equal, done  # noqa: E402
import guest_program  # noqa: E402

KERNEL = os.path.join(BUILD, "zeropage.elf")
ARCHIVE = os.path.join(BUILD, "archive.tar")
CONFIG = os.path.join(ROOT, "iso", "grub.cfg")


def tool(name, *arguments, **options):
    return subprocess.run([os.path.join(ROOT, "tools", name), *arguments], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, **options)


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def fails(got, sentence, rule):
    check(got.returncode != 0 and sentence in got.stderr, rule, f"status {got.returncode}, expected: {sentence}",
          got.stderr)


def test_archive():
    rootfs = os.path.join(folder, "rootfs")
    os.makedirs(os.path.join(rootfs, "etc"))
    with open(os.path.join(rootfs, "etc", "motd"), "w", encoding="utf-8") as file:
        file.write("hello\n")
    program = guest_program.build(os.path.join(folder, "program"), "void program(long c, char **v) { leave(0); }", "-g")
    first, second = os.path.join(folder, "1.tar"), os.path.join(folder, "2.tar")
    tool("archive", first, rootfs, "bin", program)
    os.utime(os.path.join(rootfs, "etc", "motd"), (1, 1))
    os.chmod(os.path.join(rootfs, "etc", "motd"), 0o600)
    temporary = os.path.join(folder, "temporary")
    os.mkdir(temporary)
    tool("archive", second, rootfs, "bin", program, umask=0o077, env=dict(os.environ, TMPDIR=temporary))
    check_equal(os.listdir(temporary), [], "tools/archive leaves nothing in the temporary folder")
    check(contents(first) == contents(second), "the archive depends neither on dates nor on modes nor on the umask")
    with tarfile.open(first) as archive:
        members = {member.name: member for member in archive}
        text = archive.extractfile("etc/motd").read()
        image = archive.extractfile("bin/program").read()
    check_equal(sorted(members), ["bin", "bin/program", "dev", "etc", "etc/motd", "proc", "tmp"],
                "the archive holds the root folder, the programs, and the places for /dev, /proc and /tmp")
    check_equal(text, b"hello\n", "files go into the archive as they are")
    check(b".debug_info" not in image and image[:4] == b"\x7fELF",
          "programs go into the archive without debug information")
    check_equal({member.mtime for member in members.values()}, {0}, "dates in the archive are 0")
    check_equal({member.mode for member in members.values() if member.isreg()}, {0o644, 0o755}, "modes are 644 and 755")
    check(contents(first)[257:263] == b"ustar\0", "the archive is plain ustar")

    fails(tool("archive", first), "usage", "tools/archive called wrongly")
    fails(tool("archive", first, "/no/such/folder"), "there is no folder", "an archive of a folder that is not there")
    lost = os.path.join(folder, "lost.tar")
    fails(tool("archive", lost, rootfs, "bin", "/no/such/program"), "/no/such/program",
          "an archive with a missing program")
    check(not os.path.exists(lost) and not os.path.exists(f"{lost}.new"), "a failed archive leaves no file behind")


def test_iso():
    first, second = os.path.join(folder, "1.iso"), os.path.join(folder, "2.iso")
    other = os.path.join(folder, "elsewhere")
    os.mkdir(other)
    copies = [shutil.copy(path, other) for path in (KERNEL, ARCHIVE, CONFIG)]
    os.utime(copies[0], (1, 1))
    made = tool("iso", first, KERNEL, ARCHIVE, CONFIG)
    check_equal(made.returncode, 0, "the ISO is made", made.stderr)
    tool("iso", second, *copies, umask=0o077, env=dict(os.environ, TZ="Asia/Tokyo", TMPDIR=other))
    check(contents(first) == contents(second),
          "the ISO is the same bytes from another folder, another day, another zone")
    size = os.path.getsize(first)
    check(size < 2_000_000, "the ISO is smaller than 2 MB", f"{size} bytes")

    lost = os.path.join(folder, "lost.iso")
    fails(tool("iso"), "usage", "tools/iso called wrongly")
    fails(tool("iso", lost, "/no/kernel", ARCHIVE, CONFIG), "can't read /no/kernel",
          "an ISO of a kernel that is not there")
    fails(tool("iso", lost, CONFIG, ARCHIVE, CONFIG), "failed", "an ISO of a kernel that is no ELF file")
    fails(tool("iso", os.path.join(folder, "no", "x.iso"), KERNEL, ARCHIVE, CONFIG), "xorriso failed",
          "an ISO where none can be written")
    check(not os.path.exists(lost) and not os.path.exists(f"{lost}.new"), "a failed ISO leaves no file behind")
    left = [name for name in os.listdir(other) if name.startswith("tmp.")]
    check_equal(left, [], "tools/iso leaves nothing in the temporary folder")


def test_symbols():
    symbols = {}
    listed = subprocess.run(["nm", "-n", KERNEL], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in listed.splitlines():
        address, kind, name = line.split()[-3:] if len(line.split()) == 3 else ("0", "-", "")
        symbols.setdefault(name, (int(address, 16), kind))
    check("kernel_main" in symbols, "the kernel has its symbols")

    # kernel/lib/ksyms.c itself, on the host, with a table of ours.
    source = os.path.join(folder, "lookup.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write("""
            #include <stdio.h>
            #include "kernel/lib/ksyms.h"
            const struct ksym ksyms_begin[] = { { 0x100, "first" }, { 0x140, "second" }, { 0x200, NULL } };
            const unsigned long ksyms_count = 3;
            int main(void)
            {
                static const unsigned long asked[] = { 0, 0xff, 0x100, 0x13f, 0x140, 0x1ff, 0x200, ~0ul };
                for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
                    unsigned long offset = 0;
                    const char *name = ksym_lookup(asked[i], &offset);
                    printf("%s+%lx ", name ? name : "none", offset);
                }
            }""")
    lookup = os.path.join(folder, "lookup")
    subprocess.run(["gcc", "-I", ROOT, "-o", lookup, source, os.path.join(ROOT, "kernel", "lib", "ksyms.c")],
                   check=True)
    said = subprocess.run([lookup], stdout=subprocess.PIPE, text=True, check=True).stdout
    check_equal(said, "none+0 none+0 first+0 first+3f second+0 second+bf none+0 none+0 ",
                "a symbol is found from its first byte to the next one's, and nothing outside the text")

    table = tool("ksyms", "nm", KERNEL).stdout
    rows = re.findall(r"^    dq 0x([0-9a-f]+), (\S+)$", table, re.MULTILINE)
    addresses = [int(address, 16) for address, _ in rows]
    check(len(rows) > 100 and addresses == sorted(set(addresses)), "the table is sorted, each address once", len(rows))
    check(all(address >> 31 == 0x1ffffffff for address in addresses),
          "the table holds addresses of the higher half only")
    check_equal(rows[-1][1] if rows else None, "0", "the table's last entry is the end of the text")
    lister = os.path.join(folder, "pretended-nm")
    with open(lister, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\ncat <<END\n0000000000100000 t low\nffffffff80100000 T first\n"
                   "ffffffff80100000 t same_place\nffffffff80100010 D data\nffffffff80100020 t second\n"
                   "ffffffff80101000 R text_end\nffffffff80102000 T behind\nEND\n")
    os.chmod(lister, 0o755)
    check_equal(re.findall(r"d[bq] .*", tool("ksyms", lister, KERNEL).stdout),
                ["dq 0xffffffff80100000, name_0", "dq 0xffffffff80100020, name_1", "dq 0xffffffff80101000, 0", "dq 3",
                 'db "first", 0', 'db "second", 0'],
                "the table has the text symbols between the start of the higher half and the end of the text")
    check_contains(tool("ksyms").stdout, "ksyms_count: dq 0", "without a kernel the table is empty")
    check_contains(tool("ksyms", "nm").stderr, "usage", "tools/ksyms called wrongly")


def link(name, source):
    """A freestanding ELF file from assembly, at a fixed address."""
    path = os.path.join(folder, name)
    with open(f"{path}.asm", "w", encoding="utf-8") as file:
        file.write(source)
    subprocess.run(["nasm", "-f", "elf64", "-o", f"{path}.o", f"{path}.asm"], check=True)
    subprocess.run(["ld", "-Ttext=0x100000", "-e", "0", "-o", path, f"{path}.o"], check=True, stderr=subprocess.DEVNULL)
    return path


def test_kernel_check():
    grub_file = shutil.which("grub-file") or shutil.which("grub2-file")
    one = link("one", "global a, b\nsection .text\na: nop\nb: nop\n")
    moved = link("moved", "global a, b\nsection .text\na: nop\nnop\nb: nop\n")
    check_equal(tool("check-kernel", "nm", KERNEL, KERNEL, grub_file).returncode, 0,
                "the kernel that was built passes")
    fails(tool("check-kernel", "nm", moved, one), "functions moved",
          "a function that moves between the links is noticed")
    fails(tool("check-kernel", "nm", one, one, grub_file), "no multiboot2 header",
          "a kernel without the header is noticed")


def test_help():
    described = []
    fragments = glob.glob(os.path.join(ROOT, "*", "**", "*.mk"), recursive=True)
    ours = [path for path in fragments if not os.path.relpath(path, ROOT).startswith("build")]
    for makefile in [os.path.join(ROOT, "Makefile"), *ours]:
        with open(makefile, encoding="utf-8") as file:
            described += re.findall(r"^([a-z-]+):.*?## ", file.read(), re.MULTILINE)
    help_text = subprocess.run(["make", "-s", "-C", ROOT, "help"], stdout=subprocess.PIPE, text=True,
                               check=True).stdout
    for target in "run iso test doctor setup help check clean run-direct".split():
        check(re.search(rf"^  make {target} +\S", help_text, re.MULTILINE), f"make help has a line on {target}", help_text)
    check_equal(len(described), len(re.findall("^  make ", help_text, re.MULTILINE)), "make help lists each target once")


with tempfile.TemporaryDirectory(prefix="zeropage-build-test-") as folder:
    test_archive()
    test_iso()
    test_symbols()
    test_kernel_check()
    test_help()
done()
