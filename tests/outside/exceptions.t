#!/usr/bin/env python3
"""The kernel's journal agrees with QEMU's own log: the same page faults, at the same addresses, with the same errors."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from witness import Run  # noqa: E402
from tap import check, check_equal, done  # noqa: E402

# Programs that between them take every kind of fault: from ring 3 and from the kernel, served and refused.
PROGRAMS = ("tour", "demand_zero", "fork_cow", "stack", "user_pointers")


def first_difference(ours, theirs):
    for index, (one, other) in enumerate(zip(ours, theirs)):
        if one != other:
            return (f"fault {index} (address, error, ip): the journal has {tuple(map(hex, one))}, "
                    f"QEMU {tuple(map(hex, other))}")
    return f"the journal has {len(ours)} faults, QEMU {len(theirs)}"


def main():
    for program in PROGRAMS:
        run = Run(program)
        check_equal(run.status, 0, f"{program}: runs under both witnesses", run.errors)
        check(run.faults, f"{program}: QEMU saw page faults", "its log is empty")
        ours = run.journal_faults()
        check(ours and ours == run.faults, f"{program}: the journal has QEMU's faults: same addresses, error codes, instructions",
              first_difference(ours, run.faults))
        numbers = [event["seq"] for event in run.events]
        check(numbers and numbers == list(range(len(numbers))), f"{program}: the journal's sequence numbers have no gap")
    one, other = Run("demand_zero", log_exceptions=False), Run("demand_zero", log_exceptions=False)
    check(one.events == other.events and one.events, "two runs of one program give equal journals",
          f"{len(one.events)} and {len(other.events)} events")
    done()


main()
