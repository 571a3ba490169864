#!/usr/bin/env python3
"""tests/guest/fail_nth.c on the debug build, the one whose allocations can be made to fail."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check, done, skip  # noqa: E402

DEBUG = "build-debug"
BUILT = os.path.join(ROOT, DEBUG, "archive.tar")


def is_current():
    """True when there is a debug build, and nothing that matters here is newer."""
    sources = [os.path.join(folder, name) for room in ("mm", "kernel", "syscall", "boot") for folder, _, names in
               os.walk(os.path.join(ROOT, room)) for name in names] + [os.path.join(ROOT, "tests/guest/fail_nth.c")]
    built = [BUILT, os.path.join(ROOT, DEBUG, "zeropage.elf")]
    return all(map(os.path.exists, built)) and max(map(os.path.getmtime, sources)) <= max(map(os.path.getmtime, built))


if not is_current():
    skip("each call and fault with its Nth allocation failing", "the debug build is not there or old: make DEBUG=1 debug-programs")
    done()
run = subprocess.run([os.path.join(ROOT, "tools/run"), "--timeout", "200", "--append", "audit=exit fault-injection", "fail_nth"],
                     env=dict(os.environ, BUILD=DEBUG), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
lines = run.stdout.splitlines()
for number, line in enumerate(lines):
    result = re.fullmatch(r"(not )?ok \d+ - ([^#]*)(#.*)?", line)
    if result:
        check(not result[1] and not result[3], result[2].strip(), line, *lines[number + 1:number + 3])
check(run.returncode == 0 and f"1..{len(lines) - 2}" in lines, "the program ends well, and the audit after each process finds nothing",
      run.returncode, run.stderr[-2000:])
done()
