#!/usr/bin/env python3
"""docs/linux.md says what the two transcripts say, and every memory call, flag and advice is as on Linux."""
import difflib
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import document  # noqa: E402
import transcripts  # noqa: E402
from tap import ROOT, check, done  # noqa: E402

PAGE = os.path.join(ROOT, "docs", "linux.md")


PROOFS = re.compile(r"[^|]*table/[^|]*")


def without_proofs(text):
    """The lines without the last column: a new test of the same thing makes nothing untrue."""
    return PROOFS.sub("", text).splitlines()


def our_tables():
    """{name: transcript}; ends the program when one of them does not run."""
    tables = {}
    for name in transcripts.TABLES:
        run = transcripts.run_table("run", name)
        if run.returncode != 0:
            check(False, f"table/{name} runs to its end", run.stderr.decode(errors="replace"))
            done()
        tables[name] = run.stdout.decode().rstrip("\n")
    return tables


def names(rows):
    return [f"{row.group} {row.what}: Linux {' '.join(row.theirs)}; here {' '.join(row.ours)}" for row in rows]


def main():
    version, calls, memory, others = document.load(our_tables())
    text = document.document(version, calls, memory, others)
    if sys.argv[1:] == ["--write"]:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text)
        return
    with open(PAGE, encoding="utf-8") as file:
        written = file.read()
    old, new = without_proofs(written), without_proofs(text)
    changes = list(difflib.unified_diff(old, new, "docs/linux.md", "now", lineterm="", n=0))
    check(old == new, "docs/linux.md is what the transcripts say (make linux-table writes it)", *changes[:20])
    gone = [name for name in re.findall(r"\b(?:guest|linux)/[a-z0-9_]+", "\n".join(PROOFS.findall(written)))
            if not os.path.exists(os.path.join(ROOT, "tests", f"{name}.c"))]
    check(not gone, "every test that it names exists", *gone)
    different = [row for row in calls.values() if row.what in document.MEMORY_CALLS and row.verdict != document.SAME]
    check(not different, "every memory call answers as on Linux 6.1", *names(different))
    different = [row for row in memory if row.verdict != document.SAME]
    check(not different, "so does every flag, protection and advice of theirs", *names(different))
    unknown = [row for row in [*calls.values(), *memory, *others] if row.verdict == document.DIFFERS
               and (row.group, row.what) not in document.KNOWN]
    check(not unknown, "nothing differs without being refused or explained", *names(unknown))
    done()


main()
