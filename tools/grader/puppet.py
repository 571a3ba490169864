"""The puppet as a program: its pieces, its ELF file at a place drawn for this run, and the archive that it boots from."""
import io
import struct
import subprocess
import tarfile

from collections import namedtuple

from .page_tables import PAGE
from .words import Problem

SLOT = 32
PIECES = ("start", "checkpoint", "caught", "restorer", "call", "fork", "load", "store", "store_long", "load_long", "fill",
          "compare", "read_pages", "write_pages", "jump", "invoke")
# Where it may be linked; the heap begins behind it.
LOWEST, HIGHEST = 0x400000, 0x40000000
MAILBOX_OFFSET, IMAGE_PAGES = 2 * PAGE, 3
ET_EXEC, EM_X86_64, PT_LOAD = 2, 62, 1
HEADER, PROGRAM_HEADER = 64, 56
READ_EXECUTE, READ_WRITE = 5, 6
NAME = "bin/puppet"

# Where a program has the pieces (a page behind BASE) and its mailbox, and which addresses are its image: START to END.
Home = namedtuple("Home", "base mailbox start end")


def assemble(source, output):
    run = subprocess.run(["nasm", "-f", "bin", "-o", output, source], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise Problem(f"{source} can't be assembled: {run.stderr.strip()}")
    with open(output, "rb") as file:
        code = file.read()
    if len(code) != SLOT * len(PIECES):
        raise Problem(f"{source} has {len(code) / SLOT} slots, and tools/grader/puppet.py knows {len(PIECES)}")
    return code


def draw_base(random):
    return random.randrange(LOWEST, HIGHEST, PAGE)


def home_at(base):
    return Home(base, base + MAILBOX_OFFSET, base, base + IMAGE_PAGES * PAGE)


def address(base, piece):
    return base + PAGE + PIECES.index(piece) * SLOT


def make_elf(code, base):
    """A static program: headers, the page of code, and one page of data that the grader uses as a mailbox."""
    header = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", ET_EXEC, EM_X86_64, 1, address(base, "start"), HEADER, 0, 0, HEADER, PROGRAM_HEADER, 2, 64, 0, 0)
    size = PAGE + len(code)
    text = struct.pack("<IIQQQQQQ", PT_LOAD, READ_EXECUTE, 0, base, base, size, size, PAGE)
    mailbox = base + MAILBOX_OFFSET
    data = struct.pack("<IIQQQQQQ", PT_LOAD, READ_WRITE, MAILBOX_OFFSET, mailbox, mailbox, PAGE, PAGE, PAGE)
    return ((header + text + data).ljust(PAGE, b"\0") + code).ljust(MAILBOX_OFFSET, b"\0") + bytes(PAGE)


def make_archive(output, built_archive, elf, programs=(), files=None):
    """The kernel's initial archive as it was built, the puppet as its only process, PROGRAMS that it may play, and FILES {path: bytes}."""
    ours = {program.path: (program.stripped(), 0o755) for program in programs} | {
        path: (content, 0o755) for path, content in (files or {}).items()} | {
        NAME: (elf, 0o755), "run/argv": (f"/{NAME}\0".encode(), 0o644), "run/env": (b"PATH=/bin\0", 0o644)}
    with tarfile.open(built_archive) as base, tarfile.open(output, "w", format=tarfile.USTAR_FORMAT) as archive:
        for member in base:
            archive.addfile(member, base.extractfile(member) if member.isreg() else None)
        folder = tarfile.TarInfo("run")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(folder)
        for name, (data, mode) in ours.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
