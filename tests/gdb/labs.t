#!/usr/bin/env python3
"""docs/labs: each handout's walk with the debugger can be typed as it is printed, on the complete kernel."""
import glob
import os
import re
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from tap import ROOT, check, check_equal, done, skip  # noqa: E402

LABS = 8
BLOCK = re.compile(r'^```console\n\$ make debug PROG=(?:"([^"]*)"|(\S+))\n(.*?)^```$', re.MULTILINE | re.DOTALL)
PROMPT = "(gdb) "
SHOWN = 5   # lines of the session before the one that went wrong


def walk_goes(name, program, commands):
    session = batch.Session("".join(f"{command}\n" for command in commands), *shlex.split(program))
    check_equal(session.errors, "", f'{name}: each command of the walk with "{program}" does something',
                *session.text.splitlines()[-SHOWN:])
    stops = len(re.findall(r"^(?:Temporary b|B)reakpoint \d+(?:\.\d+)?, |^pfbreak: page fault", session.text, re.MULTILINE))
    check_equal(stops, commands.count("continue"), f'{name}: and the machine of "{program}" stops each time')


def main():
    if reason := batch.tools_are_missing():
        skip("docs/labs", reason)
        done()
    problem = batch.build()
    if not check(problem is None, "the debug build can be made", problem or ""):
        done()
    handouts = sorted(glob.glob(os.path.join(ROOT, "docs", "labs", "[0-9]-*.md")))
    check_equal(len(handouts), LABS, "there is a handout for each lab")
    for path in handouts:
        with open(path, encoding="utf-8") as file:
            blocks = BLOCK.findall(file.read())
        name = os.path.basename(path)
        check(blocks, f"{name}: has a walk with the debugger")
        for quoted, plain, transcript in blocks:
            walk_goes(name, quoted or plain, [line[len(PROMPT):] for line in transcript.splitlines()
                                              if line.startswith(PROMPT)])
    done()


main()
