#!/usr/bin/env python3
"""
The system-call fuzzer (tests/attacks/calls.c) under timer interrupts at random instructions: CALLS calls (100,000) from
SEED (1) on. The same seed gives the same run, instruction by instruction: what it finds can be found again.
"""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap  # noqa: E402
from guest_checks import check, program, report, run  # noqa: E402
from tap import ROOT, check_equal, done, note  # noqa: E402

CALLS, SEED = int(os.environ.get("CALLS", "100000")), int(os.environ.get("SEED", "1"))
# One machine with room, and one on which everything fails now and then.
MACHINES = (("64M", 4, 0.8), ("16M", 8, 0.2))
HASH = re.compile(r"hash ([0-9a-f]{16})")
CLOCK = "-rtc base=2026-01-01T00:00:00,clock=vm"


def options(memory, seed, calls, processes):
    return ("--icount", "--memory", memory, "--append", f"jitter={seed} audit=exit" if calls < 10000 else f"jitter={seed}",
            "--timeout", str(60 + calls // 2000), "--qemu", CLOCK, program("calls"), str(seed), str(calls), str(processes))


def same_again():
    hashes = [HASH.search(run("run", *options("64M", SEED, 3000, 3))[0]) for _ in range(2)]
    check(all(hashes) and hashes[0][1] == hashes[1][1], "the same seed gives the same results twice", *map(str, hashes))
    other = HASH.search(run("run", *options("64M", SEED + 1, 3000, 3))[0])
    check(other and hashes[0] and other[1] != hashes[0][1], "another seed gives others")


def main():
    same_again()
    for memory, processes, share in MACHINES:
        calls = int(CALLS * share)
        note_of_rerun = f"tools/run {' '.join(options(memory, SEED, calls, processes))}"
        count, _ = report(f"{calls} calls by {processes} processes with {memory}, seed {SEED}", "run",
                          *options(memory, SEED, calls, processes))
        if not check_equal(count, 7, f"{memory}: all was checked"):
            note(note_of_rerun)
    if os.environ.get("RECORD_RESULT") and not tap.failed:
        subprocess.run([os.path.join(ROOT, "tools", "reliability"), "record", "calls", "--title", "System calls at random",
                        "--rerun", f"make fuzz-calls CALLS={CALLS} SEED={SEED}",
                        "--tried", "every system call with random arguments: pointers into the kernel, non-canonical, at the "
                        "ends of pages, read-only, unmapped in mid-buffer; lengths near 2^63; random flags and descriptors",
                        "--tried", "by four processes with 64 MiB and by eight with 16 MiB, root's and others', interrupted at "
                        "random instructions",
                        "--tried", "afterwards: no panic, no hang, no leak, nothing from the audit, every register preserved, "
                        "no address of the kernel in any result or buffer, not a frame and not an object of the kernel more than before",
                        f"system calls={CALLS}", f"seed={SEED}"], check=True)
    done()


main()
