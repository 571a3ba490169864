#!/usr/bin/env python3
"""Every sequence that the fuzzer of mm/ kept goes well: on mm/ and on the model of it, under the host tests' sanitizers."""
import glob
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, done  # noqa: E402

REPLAY = os.path.join(BUILD, "fuzz/replay")
AT_ONCE = 50  # sequences in one process: if one goes wrong, they are tried one by one


def run(*paths):
    result = subprocess.run([REPLAY, *paths], capture_output=True, timeout=200, check=False)
    return result.returncode == 0 and not result.stderr, result.stderr


corpus = sorted(glob.glob(os.path.join(ROOT, "tests/fuzz/corpus/*")))
check(len(corpus) >= 50, "there is a corpus")
for first in range(0, len(corpus), AT_ONCE):
    part = corpus[first:first + AT_ONCE]
    names = f"sequences {first + 1} to {first + len(part)} of {len(corpus)} go as the model says"
    good, said = run(*part)
    if check(good, names):
        continue
    for path in part:
        good, said = run(path)
        check(good, f"sequence {os.path.basename(path)} goes as the model says", said[-3000:])
check(not run("/nonsense")[0], "a sequence that is not there is a failure")
done()
