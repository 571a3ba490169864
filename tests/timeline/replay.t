#!/usr/bin/env python3
"""The page's replay finds, from the events alone, the state that a pretended kernel has ended in."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from helper import Folder, page_state, pretended, timeline  # noqa: E402
from tap import check, check_equal, done, skip  # noqa: E402

EVENTS, SEEDS = 12000, (1, 2, 3)


def first_difference(found, expected):
    for pid in expected["processes"]:
        if pid not in found["processes"]:
            return f"process {pid} has no address space"
        for what, wanted in expected["processes"][pid].items():
            got = found["processes"][pid][what]
            if got != wanted:
                if what == "top":
                    return f"process {pid}: the top-level table is in frame {got}, not {wanted}"
                return (f"process {pid}, {what}: {[x for x in got if x not in wanted][:3]} too much, "
                        f"{[x for x in wanted if x not in got][:3]} missing")
    return "they are equal by process"


def only(state, *names):
    return {pid: {name: process[name] for name in names} for pid, process in state["processes"].items()}


def main():
    if not shutil.which("node"):
        skip("the page's replay finds the kernel's state", "there is no node (tools/setup viewer installs it)")
        done()
    folder = Folder()
    for seed in SEEDS:
        lines, expected = pretended(EVENTS, seed)
        folder.write("events", "".join(lines))
        timeline(folder.path("events"), "-o", folder.path("page.html"))
        found = page_state(folder.path("page.html"))
        check_equal(found["processes"] == expected["processes"], True,
                    f"seed {seed}: VMAs, entries and tables of each process are the kernel's", first_difference(found, expected))
        check(found["frames"] == expected["frames"], f"seed {seed}: the frames taken, and their types, are the kernel's")
        check_equal(found["resident"], sum(len(process["entries"]) for process in expected["processes"].values()),
                    f"seed {seed}: the plots' resident size counts the entries")
        check_equal(found["mapped"], sum((end - start) // 4096 for process in expected["processes"].values()
                                         for start, end, _ in process["vmas"]), f"seed {seed}: and the mapped size the VMAs")
    check_equal(page_state(folder.path("page.html"), "all"), {"differences": 0},
                "going back and forth finds the same states as going forward only")

    folder.write("events", "".join(line for line in lines if '"event":"pte"' not in line))
    timeline(folder.path("events"), "-o", folder.path("page.html"))
    found = page_state(folder.path("page.html"))
    check_equal(only(found, "vmas", "tables") == only(expected, "vmas", "tables"), True,
                "without events of entries, VMAs and tables are still right", first_difference(found, expected))
    check(found["resident"] > 0, "and pages are shown as the faults left them")
    folder.cleanup()
    done()


main()
