#!/usr/bin/env python3
"""
Each lab's tree as a student gets it: it builds without a warning, and starts a shell or stops with a message that names a
function of the lab. For make nightly, since it builds eight kernels.
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
MESSAGE = re.compile(r"not yet written: lab (\d), (\w+) in (\S+)")


def call(*words, cwd):
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def check_starter(number, tree):
    made = call("make", "-j2", "SETUP=no", "WERROR=1", "build/zeropage.elf", "build/archive.tar", cwd=tree)
    if not check(made.returncode == 0, f"lab {number}: the tree builds without a warning", made.stdout[-1000:], made.stderr):
        return
    run = call("tools/run", "--timeout", "60", "sh", "-c", f"echo {GREETING}", cwd=tree)
    message = MESSAGE.search(run.stderr)
    if run.returncode == 0:
        check(GREETING in run.stdout, f"lab {number}: the shell starts", run.stdout, run.stderr)
        return
    if check(message and int(message[1]) == number, f"lab {number}: it stops with a message that names what is missing", run.stderr):
        with open(os.path.join(tree, message[3]), encoding="utf-8") as file:
            text = file.read()
        check(re.search(rf"\b{message[2]}\([^;]*\)\n\{{\n[^}}]*NOT_YET_WRITTEN", text),
              f"lab {number}: {message[2]} in {message[3]} is what is to be written")


for lab in LABS:
    with tempfile.TemporaryDirectory(prefix="zeropage-starter-") as folder:
        student = os.path.join(folder, "tree")
        written = call(os.path.join(ROOT, "tools", "lab"), str(lab), student, cwd=ROOT)
        if check(written.returncode == 0, f"lab {lab}: the tree is written", written.stderr):
            check_starter(lab, student)
done()
