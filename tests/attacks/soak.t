#!/usr/bin/env python3
"""
Out of memory as a normal state: a machine of 16 MiB on which a bomb goes off each minute, for MINUTES (10) of its time. It
counts instructions, so its clock jumps over whatever time nobody computes in.
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap  # noqa: E402
from guest_checks import program, report  # noqa: E402
from tap import ROOT, check, done  # noqa: E402

MINUTES = int(os.environ.get("MINUTES", "10"))

count, messages = report(f"{MINUTES} minutes with 16 MiB", "run", "--icount", "--memory", "16M", "--timeout", str(120 + 20 * MINUTES),
                         "--verbose", program("bombs"), "--soak", str(MINUTES))
killed = messages.count("killed because memory is full")
check(killed >= MINUTES // 4, "memory was full again and again", f"{killed} times in {MINUTES} minutes")
if os.environ.get("RECORD_RESULT") and not tap.failed:
    subprocess.run([os.path.join(ROOT, "tools", "reliability"), "record", "soak", "--title", "Memory full, for hours",
                    "--rerun", f"make soak MINUTES={MINUTES}", "--tried",
                    "a machine of 16 MiB on which each minute another bomb goes off: memory, mappings, page tables, processes, "
                    "threads, pipes, files, signals; in the end every frame is back, and the audit never found anything",
                    f"minutes of the guest's time={MINUTES}", f"times that memory was full={killed}"], check=True)
done()
