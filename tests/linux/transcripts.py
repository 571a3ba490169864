"""What the comparison with Linux consists of: the programs, how each system runs them, the golden files."""
import ctypes
import difflib
import os
import platform
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT  # noqa: E402

HERE = os.path.join(ROOT, "tests", "linux")
GOLDEN = os.path.join(HERE, "golden")
HOST_DIFFERS = os.path.join(HERE, "host-differs")
ENVIRONMENT = {"PATH": "/bin", "HOME": "/", "TERM": "dumb"}
NO_RANDOM_ADDRESSES = 0x0040000     # ADDR_NO_RANDOMIZE of personality(2)
NO_SUCH_KERNEL = 77
LONGEST_DIFFERENCE = 40
FUZZER = os.path.join(BUILD, "tests", "linux", "fuzz", "fuzz")
FUZZ_GOLDEN = os.path.join(GOLDEN, "fuzz.txt")
FUZZ_SEEDS = (1, 400, 40)           # the first seed, how many, steps of each
SECTION = re.compile(r"^=== (/[^\n]*)\n(.*?^=== (?:exited with status|killed by signal) \d+$)", re.MULTILINE | re.DOTALL)


TABLES = ("calls", "memory", "others")  # the programs that docs/linux.md is made of


class NoOracle(Exception):
    """A system to compare with can't be had; the text says why."""


class Program:
    """A test program: NAME (with its room: guest/brk, linux/startup), its file, its path in a guest."""

    def __init__(self, room, name):
        self.name = f"{room}/{name}"
        self.file = os.path.join(BUILD, "tests", room, name)
        self.guest_path = f"/tests/{name}" if room == "guest" else f"/tests/linux/{name}"
        self.golden = os.path.join(GOLDEN, room, f"{name}.txt")


def programs():
    """All programs that have a source in tests/guest or tests/linux, sorted."""
    found = []
    for room in ("guest", "linux"):
        for source in sorted(os.listdir(os.path.join(ROOT, "tests", room))):
            name, suffix = os.path.splitext(source)
            if suffix == ".c" and (room, name) not in (("linux", "init"), ("linux", "each")):
                found.append(Program(room, name))
    return found


def host_differences():
    """{program's name: why the host's transcript may differ}."""
    with open(HOST_DIFFERS, encoding="utf-8") as lines:
        pairs = (line.split(":", 1) for line in lines if line.strip() and not line.startswith("#"))
        return {name.strip(): reason.strip() for name, reason in pairs}


def sections(text):
    """{path of a program: its transcript with the line that says how it ended}, from what `each` wrote."""
    return {path: body for path, body in SECTION.findall(text)}


def run_all(tool, *options):
    """
    Runs every program by TOOL (tools/run, tools/linux-run) in one boot, each as a fresh process with the same
    environment. Returns ({name: transcript}, the tool's exit status, what it said on stderr).
    """
    command = [os.path.join(ROOT, "tools", tool), "--timeout", "300", *options]
    for program in programs():
        command += ["--file", f"{program.file}={program.guest_path}"]
    command += [os.path.join(BUILD, "tests", "linux", "each")]
    command += [program.guest_path for program in programs()]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    errors = done.stderr.decode(errors="replace")
    if tool == "linux-run" and done.returncode == NO_SUCH_KERNEL:
        raise NoOracle(errors.strip())
    found = sections(done.stdout.decode(errors="replace"))
    return ({program.name: found[program.guest_path] for program in programs() if program.guest_path in found},
            done.returncode, errors)


def table_golden(name):
    return os.path.join(GOLDEN, "table", f"{name}.txt")


def run_table(tool, name):
    """
    One of TABLES on a system. Linux there needs a processor with random numbers, or getrandom waits for some; here time
    is counted in instructions, so that no call seems to wait because the host had other things to do.
    """
    options = ["--cpu", "qemu64,+rdrand"] if tool == "linux-run" else ["--icount"]
    return subprocess.run([os.path.join(ROOT, "tools", tool), "--timeout", "200", *options,
                           os.path.join(BUILD, "tests", "linux", "table", name)], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)


def difference(ours, theirs, name="Linux 6.1"):
    """The first lines in which two transcripts differ."""
    lines = list(difflib.unified_diff(theirs.splitlines(), ours.splitlines(), name, "zeropage", lineterm="", n=1))
    more = [f"... and {len(lines) - LONGEST_DIFFERENCE} lines more"] if len(lines) > LONGEST_DIFFERENCE else []
    return lines[:LONGEST_DIFFERENCE] + more


def linux_version():
    done = subprocess.run([os.path.join(ROOT, "tools", "linux-run"), "--version"], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise NoOracle(done.stderr.strip())
    return done.stdout.strip()


def read_golden(program):
    """(the version that made the golden file, the transcript); (None, None) when there is none."""
    try:
        with open(program.golden, encoding="utf-8", errors="replace") as file:
            first, _, rest = file.read().partition("\n")
    except FileNotFoundError:
        return None, None
    return first.lstrip("# "), rest.rstrip("\n")


def read_fuzz_golden():
    """The fuzzer's lines on Linux 6.1, or None."""
    if not os.path.exists(FUZZ_GOLDEN):
        return None
    with open(FUZZ_GOLDEN, encoding="ascii") as file:
        return [line.rstrip("\n") for line in file if not line.startswith("#")]


def host_can_run():
    """Why this host cannot run the programs, or None."""
    if not sys.platform.startswith("linux"):
        return f"this host runs {sys.platform}, not Linux"
    if platform.machine() != "x86_64":
        return f"this host is {platform.machine()}, not x86-64"
    return None


def run_on_host(program):
    """The program's transcript on the host's own kernel, with addresses that are not random."""
    def prepare():
        ctypes.CDLL(None).personality(NO_RANDOM_ADDRESSES)

    try:
        done = subprocess.run([program.file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=ENVIRONMENT, preexec_fn=prepare, timeout=120, check=False)
    except subprocess.TimeoutExpired as late:
        return late.stdout.decode(errors="replace") + "=== no end within 120 seconds"
    how = (f"=== killed by signal {-done.returncode}" if done.returncode < 0
           else f"=== exited with status {done.returncode}")
    return done.stdout.decode(errors="replace") + how
