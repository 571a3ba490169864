"""Makes docs/linux.md: what each call, flag and advice answers on Linux 6.1 and here, and which test proves it."""
import glob
import os
import re

import transcripts
from tap import ROOT

SAME, OUTSIDE, REFUSED, DIFFERS = "same", "outside", "refused", "differs"
ERROR = re.compile(r"^E[A-Z0-9]+$")

MEMORY_CALLS = ("mmap", "munmap", "mprotect", "mremap", "madvise", "mincore", "msync", "brk", "mlock", "mlock2",
                "munlock", "mlockall", "munlockall", "memfd_create")

# Where a wrapper of the C library has another name than the call.
WRAPPERS = {"wait4": "waitpid", "rt_sigaction": "sigaction", "rt_sigprocmask": "sigprocmask", "exit_group": "_exit",
            "clone": "__clone|clone_thread|start_thread", "pread64": "pread", "pwrite64": "pwrite",
            "rt_sigsuspend": "sigsuspend", "rt_sigpending": "sigpending", "getdents64": "readdir|getdents",
            "newfstatat": "fstatat", "prlimit64": "prlimit"}


class Row:
    """One thing that was tried: the group, what, and the answers of both systems as lists of words."""

    def __init__(self, group, what, theirs, ours):
        self.group, self.what, self.theirs, self.ours = group, what, theirs.split(), ours.split()
        self.verdict, self.error = self.judge()

    def judge(self):
        if self.theirs == self.ours:
            errors = set(self.ours)
            return SAME, errors.pop() if len(errors) == 1 and ERROR.match(self.ours[0]) else None
        refusals = {word for word in self.ours if ERROR.match(word)} - {word for word in self.theirs if ERROR.match(word)}
        refusals = refusals or {word for word in self.ours if ERROR.match(word)}
        if len(refusals) != 1:
            return DIFFERS, None
        error = refusals.pop()
        is_outside = error == "ENOSYS" or (error == "ENOENT" and self.group == "/proc/self")
        return (OUTSIDE if is_outside else REFUSED), error

    def text(self):
        if self.verdict == SAME:
            return f"same: {self.error}" if self.error and self.group != "call" else "same"
        if self.verdict == DIFFERS:
            return "differs"
        return f"{self.verdict}: {'absent' if self.error == 'ENOENT' else self.error}"


def read_calls(theirs, ours):
    """{number: Row} of the system calls."""
    rows = {}
    for one, other in zip(theirs.splitlines(), ours.splitlines()):
        (head, _, answers), (head_here, _, answers_here) = one.partition(":"), other.partition(":")
        if head != head_here:
            raise ValueError(f"the two lists of calls differ at {head}")
        number, name = head.split()
        rows[int(number)] = Row("call", name, answers, answers_here)
    return rows


def read_rows(theirs, ours):
    rows, here = [], {}
    for line in ours.splitlines():
        group, what, answers = line.split(" | ", 1)[0], *line.split(" | ", 1)[1].split(" |", 1)
        here[group, what] = answers
    for line in theirs.splitlines():
        group, what, answers = line.split(" | ", 1)[0], *line.split(" | ", 1)[1].split(" |", 1)
        rows.append(Row(group, what, answers, here.get((group, what), "(nothing)")))
    return rows


# --- Which test proves it ------------------------------------------------------------------------------------

def sources():
    """{name of a test: its text}."""
    texts = {}
    for room in ("guest", "linux"):
        for path in glob.glob(os.path.join(ROOT, "tests", room, "*.c")):
            name = os.path.splitext(os.path.basename(path))[0]
            if (room, name) not in (("linux", "init"), ("linux", "each")):
                with open(path, encoding="utf-8") as file:
                    texts[f"{room}/{name}"] = file.read()
    for path in glob.glob(os.path.join(ROOT, "tests", "linux", "fuzz", "*.c")):
        with open(path, encoding="utf-8") as file:
            texts["fuzz"] = texts.get("fuzz", "") + file.read()
    return texts


def proofs(pattern, texts, table, likely=""):
    """The program that tried it and the tests whose source has PATTERN: at most four, first those named alike."""
    found = sorted((name for name, text in texts.items() if re.search(pattern, text)),
                   key=lambda name: (likely not in name or not likely, name != "fuzz", name))
    return ", ".join([f"table/{table}", *found[:4]])


def proofs_of_call(name, texts):
    names = f"{name}|{WRAPPERS[name]}" if name in WRAPPERS else name
    return proofs(rf"\b(?:SYS_|raw_)?(?:{names})\b\s*[(,)]", texts, "calls", name.split("_")[0])


# --- The document --------------------------------------------------------------------------------------------

def table(head, lines):
    return [f"| {' | '.join(head)} |", f"|{'|'.join('---' for _ in head)}|", *(f"| {' | '.join(line)} |" for line in lines), ""]


def flag_lines(rows, texts, program):
    """Named flags have a row each; the nameless bits with one answer share one."""
    lines, nameless = [], {}
    for row in rows:
        if re.match(r"^(0x)?[0-9a-f]+$", row.what):
            nameless.setdefault(row.text(), []).append(row.what)
        else:
            word = re.split(r"[ ,]", row.what)[0]
            lines.append((f"`{row.what}`", row.text(), proofs(rf"\b{re.escape(word)}\b", texts, program)))
    for text, values in nameless.items():
        lines.append((", ".join(f"`{value}`" for value in values), text, f"table/{program}"))
    return lines


def groups_of(rows):
    groups = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups


def counts(rows):
    return [str(sum(row.verdict == verdict for row in rows)) for verdict in (SAME, REFUSED, OUTSIDE, DIFFERS)]


INTRODUCTION = """# What is as on Linux, and what is not

The oracle is {version}. This page is made by `make linux-table` of two transcripts: what the programs of
`tests/linux/table` saw on that Linux (`tests/linux/golden/table`) and what they see here. `tests/linux/document.t` makes
it again and fails when it is out of date. They try every number of a system call with four sets of arguments (zeroes,
ones, a closed descriptor, kernel addresses), and every flag, protection, advice and option alone on mappings of each kind:

- **same**: every answer is Linux's, with the flags in `/proc/self/smaps`, the resident pages and the signal of an access
  where there are some; *same: E…* when Linux refuses it, too;
- **refused: E…**: Linux can, this kernel answers with that error;
- **outside: ENOSYS**: beyond what a static program needs to live on anonymous memory in one machine with a console.

What a call does with good arguments is proved by the tests named in each row: `guest/…` and `linux/…` are programs whose
whole transcripts equal Linux's byte for byte (`make linux-check`), `fuzz` is the differential fuzzer: random sequences of
all memory calls with accesses, forks, limits and files, of which 400 are compared in `make test` and 100,000 in
`make nightly`. It compares results, errors, faults with code, address and error bits, mappings, `mincore`, contents, `smaps`,
and how many minor faults (`ru_minflt`) each step took. Programs of others (busybox, bash, Lua, SQLite, zstd, jemalloc,
mimalloc, C++, and where their compilers are installed Go and Rust) are compared on real work.

What no table shows: sleeps and timers end on the tick of 10 ms after their time, never before it; processor time is split
into the program's and the kernel's by those ticks, as on a Linux that samples; without the kernel's option `random` (`make run`
gives it) every boot draws the same random numbers, so that tests and lessons repeat; without the option `map-low=on`
(`tools/run` gives it) root, too, is refused what Linux refuses others below `mmap_min_addr`, so that nothing ever lies at
address 0. Of a file with several names `/proc` shows the oldest that is left, not the one that it was opened by.
There are no huge pages: their pool is empty, and `MADV_COLLAPSE` of 2 MiB or more of memory, of which Linux makes a huge page
even where `transparent_hugepage` is `never`, is EINVAL, as on a Linux that is built without them.
"""


def document(version, calls, memory, others):
    texts = sources()
    memory_rows = [row for row in calls.values() if row.what in MEMORY_CALLS]
    inside = {number: row for number, row in calls.items() if row.what not in MEMORY_CALLS and row.verdict == SAME
              and row.error != "ENOSYS"}
    refused = {number: row for number, row in calls.items() if row.verdict == REFUSED}
    outside = [row.what for row in calls.values() if row.verdict == OUTSIDE]
    absent = [row.what for row in calls.values() if row.verdict == SAME and row.error == "ENOSYS"]
    lines = INTRODUCTION.format(version=version).splitlines() + [""]
    sums = [("memory calls", *counts(memory_rows)), ("their flags, protections and advice", *counts(memory)),
            ("all other calls", *counts([row for row in calls.values() if row.what not in MEMORY_CALLS])),
            ("their flags, commands and options", *counts(others))]
    lines += table(("", "same", "refused", "outside", "differ"), sums)
    differing = [row for row in [*calls.values(), *memory, *others] if row.verdict == DIFFERS]
    if differing:
        lines += ["These answers differ:", ""]
        lines += table(("", "Linux", "here"), [
            (row.what, " ".join(row.theirs), " ".join(row.ours)) for row in differing])
    lines += ["## The memory calls", ""]
    lines += table(("call", "", "proved by"), [(f"`{row.what}`", row.text(), proofs_of_call(row.what, texts))
                                               for row in memory_rows])
    for group, rows in groups_of(memory).items():
        lines += [f"### {group[0].upper()}{group[1:]}", ""] + table(("", "", "proved by"), flag_lines(rows, texts, "memory"))
    lines += ["## The other calls", ""]
    lines += table(("number", "call", "", "proved by"), [
        (str(number), f"`{row.what}`", row.text(), proofs_of_call(row.what, texts))
        for number, row in sorted({**inside, **refused}.items())])
    lines += ["**Outside: ENOSYS** (table/calls proves it; the kernel option `debug-unknown-syscalls` names each one that a "
              "program asks for): " + ", ".join(f"`{name}`" for name in outside) + ".", ""]
    lines += ["ENOSYS on Linux 6.1 as well: " + ", ".join(f"`{name}`" for name in absent) + ".", ""]
    for group, rows in groups_of(others).items():
        lines += [f"### {group if group.startswith('/') else group[0].upper() + group[1:]}", ""]
        lines += table(("", "", "proved by"), flag_lines(rows, texts, "others"))
    return "\n".join(lines).rstrip("\n") + "\n"


def load(ours):
    """(version, calls, memory rows, other rows); OURS: {name of a table: our transcript}."""
    theirs = {}
    for name in transcripts.TABLES:
        with open(transcripts.table_golden(name), encoding="utf-8") as file:
            first, _, theirs[name] = file.read().partition("\n")
    return (first.lstrip("# "), read_calls(theirs["calls"], ours["calls"]), read_rows(theirs["memory"], ours["memory"]),
            read_rows(theirs["others"], ours["others"]))
