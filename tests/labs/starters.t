#!/usr/bin/env python3
"""
Each lab's tree as a student gets it: it builds without a warning, and starts a shell or stops with a message that names a
function of the lab; all that make test runs can be built, and make grade gives a score. For make nightly, since it builds
sixteen kernels.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check, done  # noqa: E402

LABS = range(8)
GREETING = "the shell is here"
SCORE = re.compile(r"^Score: \d+ of 100$", re.MULTILINE)
MESSAGE = re.compile(r"not yet written: lab (\d), (\w+) in (\S+)")


def call(*words, cwd):
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def check_starter(number, tree):
    made = call("make", "-j2", "SETUP=no", "WERROR=1", "build/zeropage.elf", "build/archive.tar", cwd=tree)
    if not check(made.returncode == 0, f"lab {number}: the tree builds without a warning", made.stdout[-1000:], made.stderr):
        return
    run = call("tools/run", "--verbose", "--timeout", "60", "sh", "-c", f"echo {GREETING}", cwd=tree)
    message = MESSAGE.search(run.stderr)
    if run.returncode == 0:
        check(GREETING in run.stdout, f"lab {number}: the shell starts", run.stdout, run.stderr)
        return
    if check(message and int(message[1]) == number, f"lab {number}: it stops with a message that names what is missing", run.stderr):
        with open(os.path.join(tree, message[3]), encoding="utf-8") as file:
            text = file.read()
        check(re.search(rf"\b{message[2]}\([^;]*\)\n\{{\n[^}}]*NOT_YET_WRITTEN", text),
              f"lab {number}: {message[2]} in {message[3]} is what is to be written")


def check_tools(number, tree):
    """What a student types before the first line is written."""
    made = call("make", "-j2", "SETUP=no", "WERROR=1", "test-programs", cwd=tree)
    check(made.returncode == 0, f"lab {number}: what make test runs can be built", made.stdout[-1000:], made.stderr)
    graded = call("make", "SETUP=no", "grade", cwd=tree)
    check(graded.returncode == 0 and SCORE.search(graded.stdout), f"lab {number}: make grade gives a score",
          graded.stdout[-1000:], graded.stderr)


for lab in LABS:
    with tempfile.TemporaryDirectory(prefix="zeropage-starter-") as folder:
        student = os.path.join(folder, "tree")
        written = call(os.path.join(ROOT, "tools", "lab"), str(lab), student, cwd=ROOT)
        if check(written.returncode == 0, f"lab {lab}: the tree is written", written.stderr):
            check_starter(lab, student)
            check_tools(lab, student)
done()
