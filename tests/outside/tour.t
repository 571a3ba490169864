#!/usr/bin/env python3
"""What `tour` tells is what happened: every number in its summary, checked against the kernel's journal."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from witness import Run  # noqa: E402
from tap import check, check_contains, check_equal, done  # noqa: E402

PAGE = 4096
PAGES = 16
SYS_MMAP, SYS_BRK, SYS_FORK, SYS_CLONE = 9, 12, 57, 56
READS = re.compile(r"(\d+) read faults -> (\d+) zero-frame mappings")
WRITES = re.compile(r"(\d+) write faults -> (\d+) new frames, (\d+) of them in place of the zero frame")


def number(event, name):
    return int(event[name], 16)


def find_regions(events):
    """The 16 pages that the tour maps and the heap that it grows: [(start, end)], from its system calls."""
    regions = []
    for event in events:
        if event["event"] != "syscall":
            continue
        if event["number"] == SYS_MMAP and number(event, "a1") == PAGES * PAGE and not regions:
            regions.append((event["result"], event["result"] + PAGES * PAGE))
    breaks = [event["result"] for event in events if event["event"] == "syscall" and event["number"] == SYS_BRK]
    regions.append((min(breaks) + PAGE - 1 & -PAGE, max(breaks)))
    return regions


def before_first_fork(events):
    for index, event in enumerate(events):
        if event["event"] == "process" and event["what"] == "fork":
            return events[:index]
    return events


def main():
    run = Run("tour", "--plain", log_exceptions=False)
    check_equal(run.status, 0, "tour finds that every number is as its story says", run.output, run.errors)
    reads, writes = READS.search(run.output), WRITES.search(run.output)
    if not check(reads and writes, "tour ends with a summary of its faults", run.output[-800:]):
        done()
    read_faults, zero_mappings = map(int, reads.groups())
    write_faults, new_frames, replaced = map(int, writes.groups())

    events = before_first_fork(run.events)
    regions = find_regions(events)
    faults = [event for event in events if event["event"] == "fault"
              and any(start <= number(event, "address") < end for start, end in regions)]
    by_outcome = {}
    for fault in faults:
        by_outcome.setdefault(fault["outcome"], []).append(fault)
    zero = by_outcome.get("zero_page", [])
    fresh = by_outcome.get("new_page", []) + by_outcome.get("zero_replaced", [])

    check_equal(set(by_outcome), {"zero_page", "new_page", "zero_replaced"}, "tour's own pages see no other kind of fault")
    check_equal(len(zero), read_faults, "the journal has as many read faults as tour tells")
    check_equal(len(zero), zero_mappings, "each of them mapped the zero frame")
    check_equal(len({fault["frame"] for fault in zero}), 1, "there is one zero frame")
    check(all("write" not in fault["pte_after"]["bits"] for fault in zero), "the zero frame is mapped read-only")
    check_equal(len(fresh), write_faults, "the journal has as many write faults as tour tells")
    check_equal(len(fresh), new_frames, "each of them took a frame")
    check_equal(len(by_outcome.get("zero_replaced", [])), replaced, "as many replaced the zero frame as tour tells")
    check_equal(len({fault["frame"] for fault in fresh}), new_frames, "each fresh frame is another one")
    check(all("write" in fault["pte_after"]["bits"] for fault in fresh), "a fresh frame is mapped writable")

    # Between the first and the last of these faults, each new data frame has its fault, and each page table is told apart.
    first, last = faults[0]["seq"], faults[-1]["seq"]
    between = [event for event in events if first - PAGES <= event["seq"] <= last]
    allocated = [event["frame"] for event in between if event["event"] == "frame_alloc" and event["type"] == "anon"]
    check(set(fault["frame"] for fault in fresh) <= set(allocated), "each fresh frame was allocated as a data frame",
          f"faults {sorted(fault['frame'] for fault in fresh)}", f"allocated {sorted(allocated)}")
    tables = {event["frame"] for event in run.events if event["event"] == "table_alloc"}
    table_frames = {event["frame"] for event in run.events
                    if event["event"] == "frame_alloc" and event["type"] == "table"}
    check(tables and tables <= table_frames, "every page table stands in a frame of its own type",
          f"{sorted(tables - table_frames)}")
    check_contains(run.output, "page table", "tour tells page-table frames from data frames")
    done()


main()
