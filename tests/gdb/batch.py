"""Runs batch sessions of the debugger, and takes out of a transcript what may differ from machine to machine."""
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check, done, skip  # noqa: E402

BUILD = "build-debug"
TIME_LIMIT = 300    # a session takes seconds; a busy machine may be many times slower
WORK_LIMIT = 30     # seconds of processor time, which do not depend on what else the machine does
GOLDEN = os.path.join(ROOT, "tests", "gdb", "golden")
DEBUG = os.path.join(ROOT, "tools", "debug")
STATE_LIMIT = 60    # seconds until a state that is waited for has to be there

VARIABLE = (
    (r"0xffff[0-9a-f]{12}\b", "KERNEL"),            # addresses of the kernel
    (r"\b(frame|PML4 in frame) 0x[0-9a-f]+", r"\1 PFN"),
    (r"0x0*4[0-9a-f]{5}\b", "CODE"),                # addresses inside the program's file
    (r"(\.(?:c|h|asm|inc)):\d+", r"\1:LINE"),
    (r"<(\w+)\+\d+>", r"<\1+N>"),
    (r"^(  at +CODE <\w+(?:\+N)?>)  .*", r"\1  INSTRUCTION"),
    (r"page \d+ of /bin/", r"page N of /bin/"),
    (r"^\d+\t", "LINE\t"),
    (r"KERNEL \"(?:[^\"\\]|\\.)*\"(?:\.\.\.)?", "KERNEL"),   # what a kernel buffer holds at the moment
    (r"\bline \d+\.", "line LINE."),
    (r"\(\d+ locations\)", "(N locations)"),
    (r"([Bb]reakpoint \d+)\.\d+", r"\1.N"),
    (r"^ +\d+  pid", "  NUMBER  pid"),              # the journal
    (r"\bframe=\d+", "frame=PFN"),
    (r"=0x[0-9a-f]+\(", "=PFN("),
    (r"^  [\w-]+( +\d+){4}$", "  CACHE"),           # the kernel's objects
    (r"\bmoment \d+", "moment NUMBER"),             # of a recording
    (r"\bof \d{6,}$", "of NUMBER"),
    (r"\b\d+ instructions ago", "N instructions ago"),
    (r"\bphysical (address )?0x[0-9a-f]+", r"physical \1PFN"),
)


def tools_are_missing():
    """A sentence when no GDB is here, else None."""
    probe = subprocess.run([os.path.join(ROOT, "tools", "debug"), "--help"], capture_output=True, check=False)
    if probe.returncode != 0:
        return "tools/debug does not start"
    if not any(os.access(os.path.join(folder, name), os.X_OK) for folder in os.environ["PATH"].split(os.pathsep)
               for name in ("gdb", "gdb-multiarch", "x86_64-elf-gdb")):
        return "there is no GDB on this machine; tools/setup debug installs it"
    return None


def build():
    """The debug build; what it says when it fails."""
    jobs = f"-j{os.cpu_count() or 1}"
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "BUILD")}
    made = subprocess.run(["make", "-s", jobs, "DEBUG=1", "debug-programs"], cwd=ROOT, env=environment,
                          capture_output=True, check=False)
    return None if made.returncode == 0 else made.stdout.decode() + made.stderr.decode()


class Session:
    """What a batch session printed, and what it left behind."""

    def __init__(self, script, *program, append="journal=on", options=()):
        mark = f"mark={os.urandom(8).hex()}"
        before = processor_time()
        with tempfile.TemporaryDirectory(prefix="zeropage-gdb-test-") as folder:
            commands, console = os.path.join(folder, "commands"), os.path.join(folder, "console")
            with open(commands, "w", encoding="utf-8") as file:
                file.write(script)
            try:
                run = subprocess.run([os.path.join(ROOT, "tools", "debug"), "--build", BUILD, "--append", f"{append} {mark}",
                                      "--console", console, "--batch", commands, *options, *program],
                                     stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_LIMIT, check=False,
                                     env=dict(os.environ, TMPDIR=folder))
                self.status, self.text, self.errors = run.returncode, run.stdout.decode(), run.stderr.decode()
            except subprocess.TimeoutExpired as late:
                self.status, self.text, self.errors = None, (late.stdout or b"").decode(), "the time was over"
            self.files_left_behind = sorted(set(os.listdir(folder)) - {"commands", "console"})
            self.console = ""
            if os.path.exists(console):
                with open(console, encoding="utf-8", errors="replace") as file:
                    self.console = file.read()
        self.left_behind = processes_with(mark)
        self.work = processor_time() - before


def wait_for(condition):
    end = time.monotonic() + STATE_LIMIT
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def processor_time():
    """What our children, and theirs, have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def processes_with(mark):
    """The process ids of those whose command line has MARK in it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if mark.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def normal(text):
    """TEXT without the numbers that depend on the compiler, the memory and the kernel's size."""
    lines = []
    for line in text.splitlines():
        for pattern, replacement in VARIABLE:
            line = re.sub(pattern, replacement, line)
        if line != "  CACHE" or lines[-1:] != [line]:
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def play(what, *tests):
    """A whole test file: TESTS one after the other, when there is what they need."""
    if reason := tools_are_missing():
        skip(what, reason)
        done()
    problem = build()
    if check(problem is None, "the debug build can be made", problem or ""):
        for test in tests:
            test()
    done()
