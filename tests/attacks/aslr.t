#!/usr/bin/env python3
"""Programs lie at the same addresses each time; with the kernel option aslr=on, at others in each run and each process."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guest_checks import check, program, run  # noqa: E402
from tap import check_equal, done  # noqa: E402

PLACES = re.compile(r"^stack ([0-9a-f]+) mapping ([0-9a-f]+) heap ([0-9a-f]+) status 0$", re.MULTILINE)
TWICE = "/layout; /layout"


def places(*options):
    output, messages, status = run("run", *options, "--file", f"{program('layout')}=/layout", "sh", "-c", TWICE)
    found = PLACES.findall(output)
    check(status == 0 and len(found) == 2, f"programs run {'with ' + options[-1] if options else 'as always'}", output, messages)
    return found


first, second = places(), places()
check_equal(first, second, "without the option two runs have the same addresses")
check_equal(first[0], first[1], "and so have two processes of one")
check(first[0][0].startswith("7fffffff"), "which are Linux's without randomisation", first)
first, second = places("--append", "aslr=on"), places("--append", "aslr=on")
for index, piece in enumerate(("stack", "mappings", "heap")):
    seen = {layout[index] for layout in first + second}
    check_equal(len(seen), 4, f"with aslr=on the {piece} of four processes in two runs lie at four places", seen)
output, messages, status = run("run", "--append", "aslr=on audit=exit", "--timeout", "110", "ktap", "demand_zero", "brk", "stack",
                               "mremap", "fork_cow", "exec", "threads")
check(status == 0 and "\nnot ok" not in output, "the tests of memory pass with aslr=on, and the audit finds nothing",
      *[line for line in output.splitlines() if "not ok" in line][:10], messages[-500:])
done()
