#!/usr/bin/env python3
"""Unmodified static programs of others do real work here, with the output that they have on Linux 6.1."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import real  # noqa: E402
import transcripts  # noqa: E402
from tap import check, done, skip  # noqa: E402


def main():
    ready = []
    for program in real.PROGRAMS:
        path, why_not = program.prepare()
        version, _ = transcripts.read_golden(program)
        rule = f"{program.name}: its output equals the one on Linux 6.1"
        if path is None:
            skip(rule, why_not.replace("\n", " "))
        elif version is None:
            skip(rule, "no golden file yet: make linux-golden makes it")
        else:
            ready.append((program, path))
    found, errors = real.run("run", ready) if ready else ({}, "")
    for program, _ in ready:
        version, theirs = transcripts.read_golden(program)
        ours = found.get(program.command)
        check(ours == theirs, f"{program.name}: its output equals the one on {version}",
              *(transcripts.difference(ours, theirs) if ours else ("there is none", errors)))
    done()


main()
