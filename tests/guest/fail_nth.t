#!/usr/bin/env python3
"""tests/guest/fail_nth.c on the debug build, the one whose allocations can be made to fail."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import debug_build  # noqa: E402
from tap import ROOT, check, done, skip  # noqa: E402

if not debug_build.is_current("tests/guest/fail_nth.c"):
    skip("each call and fault with its Nth allocation failing", debug_build.MISSING)
    done()
run = subprocess.run([os.path.join(ROOT, "tools/run"), "--timeout", "200", "--append", "audit=exit fault-injection", "fail_nth"],
                     env=dict(os.environ, BUILD=debug_build.FOLDER), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
lines = run.stdout.splitlines()
for number, line in enumerate(lines):
    result = re.fullmatch(r"(not )?ok \d+ - ([^#]*)(#.*)?", line)
    if result:
        check(not result[1] and not result[3], result[2].strip(), line, *lines[number + 1:number + 3])
check(run.returncode == 0 and f"1..{len(lines) - 2}" in lines, "the program ends well, and the audit after each process finds nothing",
      run.returncode, run.stderr[-2000:])
done()
