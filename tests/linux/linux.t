#!/usr/bin/env python3
"""
Every test program's transcript here equals the one on Linux 6.1 (the golden files; with ORACLE=guest a 6.1 that
is booted for the purpose), and, where nothing in it depends on version or layout, the one on this host's Linux.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import transcripts  # noqa: E402
from tap import check, done, note, skip  # noqa: E402

def compare(program, ours, theirs, name):
    check(ours == theirs, f"{program.name}: the transcript here equals the one on {name}",
          *transcripts.difference(ours, theirs, name))


def against_golden(here):
    for program in transcripts.programs():
        version, theirs = transcripts.read_golden(program)
        if theirs is None:
            skip(f"{program.name}: equals Linux 6.1", "no golden file yet: make linux-golden makes it")
        elif program.name in here:
            compare(program, here[program.name], theirs, version)


def against_guest(here):
    rule = "every program's transcript equals the one on a Linux 6.1 that is booted now"
    try:
        version = transcripts.linux_version()
        there, _, _ = transcripts.run_all("linux-run")
    except transcripts.NoOracle as reason:
        skip(rule, str(reason).replace("\n", " "))
        return
    for program in transcripts.programs():
        if program.name in here and program.name in there:
            compare(program, here[program.name], there[program.name], f"{version}, booted now")


def against_host(here):
    why_not = transcripts.host_can_run()
    if why_not:
        skip("the transcripts equal those on this host's Linux", why_not)
        return
    differences = transcripts.host_differences()
    for program in transcripts.programs():
        if program.name in differences:
            skip(f"{program.name}: equals this host's Linux", differences[program.name])
        elif program.name in here:
            compare(program, here[program.name], transcripts.run_on_host(program), "this host's Linux")


def main():
    here, status, errors = transcripts.run_all("run")
    for program in transcripts.programs():
        check(program.name in here, f"{program.name}: runs to its end on zeropage")
    if not check(status in (0, 1), "the machine ends well after all of them", errors):
        note(f"status {status}")
    if os.environ.get("ORACLE") == "guest":
        against_guest(here)
    else:
        against_golden(here)
    against_host(here)
    done()


main()
