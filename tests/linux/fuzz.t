#!/usr/bin/env python3
"""Random sequences of memory calls give what Linux 6.1 gives: the hash of each, kept in golden/fuzz.txt."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import transcripts  # noqa: E402
from tap import ROOT, check, done, skip  # noqa: E402

FIRST, COUNT, STEPS = transcripts.FUZZ_SEEDS


def main():
    rule = f"{COUNT} random sequences of {STEPS} memory calls give what Linux 6.1 gives"
    golden = transcripts.read_fuzz_golden()
    if golden is None:
        skip(rule, "no golden file yet: make linux-golden makes it")
        done()
    run = subprocess.run([os.path.join(ROOT, "tools", "run"), "--timeout", "200", transcripts.FUZZER, str(FIRST),
                          str(COUNT), str(STEPS)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    ours = run.stdout.decode(errors="replace").splitlines()
    check(run.returncode == 0 and len(ours) == COUNT, "the fuzzer runs to its end", run.stderr)
    differing = [theirs.split()[1] for theirs, mine in zip(golden, ours) if theirs != mine]
    check(not differing, rule, f"these seeds differ: {' '.join(differing[:30])}",
          f"tools/fuzz --first {differing[0] if differing else 0} --count 1 --steps {STEPS} shortens one of them")
    done()


main()
