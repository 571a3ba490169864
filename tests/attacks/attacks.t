#!/usr/bin/env python3
"""The attacks that need a machine of their own; those that need none are guest tests (tests/guest/attacks.c, entry.c)."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guest_checks import check, program, report  # noqa: E402
from tap import done  # noqa: E402

report("without SMAP", "run", "--icount", program("returns"))
_, messages = report("16 MiB", "run", "--memory", "16M", "--verbose", program("oom"))
said = re.findall(r"^oom\[\d+\]: killed because memory is full: it holds (\d+) KiB$", messages, re.MULTILINE)
check(len(said) == 10 and all(int(size) > 2000 for size in said),
      "each death for memory is one line that tells who and how much it held", messages)
report("16 MiB", "run", "--memory", "16M", program("reserve"))
for seed in ("1", "2"):
    report(f"16 MiB, storm {seed}", "run", "--memory", "16M", "--append", f"jitter={seed} audit=exit", program("futexes"), seed)
report("16 MiB", "run", "--memory", "16M", "--append", "jitter=1 audit=exit", program("sequences"), "1")
done()
