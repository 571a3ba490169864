"""The debug build, for tests that need it: what only it has (failing allocations, the quarantine)."""
import os

from tap import ROOT

FOLDER = "build-debug"
MISSING = "the debug build is not there or old: make DEBUG=1 debug-programs"


def is_current(*programs):
    """True when there is a debug build, and neither the kernel nor PROGRAMS (their sources) are newer."""
    sources = [os.path.join(folder, name) for room in ("mm", "kernel", "syscall", "boot") for folder, _, names in
               os.walk(os.path.join(ROOT, room)) for name in names] + [os.path.join(ROOT, program) for program in programs]
    built = [os.path.join(ROOT, FOLDER, name) for name in ("archive.tar", "zeropage.elf")]
    return all(map(os.path.exists, built)) and max(map(os.path.getmtime, sources)) <= max(map(os.path.getmtime, built))
