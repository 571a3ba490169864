#!/usr/bin/env python3
"""All guest tests in one boot: each check of each test program in tests/guest becomes one check here."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, check_equal, done, note, skip  # noqa: E402

RESULT = re.compile(r"( *)(not )?ok (\d+)(?: -)? ?([^#]*)(?:# *(SKIP|TODO)\b ?(.*))?$", re.IGNORECASE)
PLAN = re.compile(r"( *)1\.\.(\d+)")
NESTED = 2


def parse(transcript):
    """
    Turns nested KTAP into a list of (program, its checks, whether it passed, what it planned). A check is
    (holds, rule, reason for skipping it or None, diagnostic lines).
    """
    programs, checks, planned = [], [], None
    for line in transcript.splitlines():
        result, plan = RESULT.match(line), PLAN.match(line)
        if result and len(result[1]) >= NESTED:
            checks.append((not result[2], result[4].strip(), result[6] if result[5] else None, []))
        elif result:
            programs.append((result[4].strip(), checks, not result[2], planned))
            checks, planned = [], None
        elif plan and len(plan[1]) >= NESTED:
            planned = int(plan[2])
        elif checks and line.strip():
            checks[-1][3].append(line.strip())
    return programs, checks


def report(program, checks, passed, planned):
    for holds, rule, skipped, details in checks:
        if skipped is not None and holds:
            skip(f"{program}: {rule}", skipped)
        else:
            check(holds, f"{program}: {rule}", *details)
    check(passed, f"{program}: the program ends well, and the audit after it finds nothing",
          *(checks[-1][3] if checks else ()))
    check_equal(len(checks), planned, f"{program}: as many checks ran as were planned")


def main():
    run = subprocess.run([os.path.join(ROOT, "tools", "run"), "--timeout", "120", "--append", "audit=exit", "ktap"],
                         stdin=subprocess.DEVNULL, capture_output=True, check=False)
    programs, left_over = parse(run.stdout.decode(errors="replace"))
    for program in programs:
        report(*program)
    built = sorted(os.listdir(os.path.join(BUILD, "tests", "guest")))
    wanted = [name for name in built if "." not in name and os.path.isfile(os.path.join(BUILD, "tests", "guest", name))]
    check_equal(sorted(program[0] for program in programs), wanted, "every program of tests/guest ran",
                *(f"unfinished: {rule}" for _, rule, _, _ in left_over[-3:]))
    if not check(run.returncode == 0, "the machine ends with status 0 after the guest tests", run.stderr):
        note(f"status {run.returncode}")
    done()


main()
