"""Runs a program while two witnesses write down what happens: the kernel's journal, and QEMU's log of exceptions."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT  # noqa: E402

PAGE_FAULT_VECTOR = "0e"
EXCEPTION = re.compile(r"^\s*\d+: v=([0-9a-f]{2}) e=([0-9a-f]{4}) i=\d cpl=(\d) "
                       r"IP=[0-9a-f]{4}:([0-9a-f]{16}) pc=[0-9a-f]+ SP=[0-9a-f]{4}:[0-9a-f]+ CR2=([0-9a-f]{16})")


class Run:
    """What came out: the program's output, its status, the journal's records, and (address, error, ip) of QEMU's faults."""

    def __init__(self, *program, options=(), log_exceptions=True):
        with tempfile.TemporaryDirectory(prefix="zeropage-outside-") as folder:
            journal, log = os.path.join(folder, "journal"), os.path.join(folder, "exceptions")
            words = f"-d int -D {log}" if log_exceptions else ""
            run = subprocess.run([os.path.join(ROOT, "tools", "run"), "--events", journal, "--qemu", words,
                                  "--timeout", "300", *options, *program],
                                 stdin=subprocess.DEVNULL, capture_output=True, check=False)
            self.status, self.output, self.errors = run.returncode, run.stdout.decode(errors="replace"), run.stderr
            self.first_line, self.events = read_journal(journal)
            self.faults = read_exceptions(log) if log_exceptions else None

    def journal_faults(self):
        return [(int(event["address"], 16), event["error"]["code"], int(event["ip"], 16))
                for event in self.of_kind("fault")]

    def of_kind(self, kind):
        return [event for event in self.events if event["event"] == kind]


def read_journal(path):
    """(the first line's object, [the other lines' objects]); none where there is no journal."""
    if not os.path.exists(path):
        return None, []
    with open(path, encoding="ascii") as file:
        lines = [json.loads(line) for line in file]
    return lines[0], lines[1:]


def read_exceptions(path):
    """The page faults that the processor took, in order."""
    faults = []
    if os.path.exists(path):
        with open(path, encoding="ascii", errors="replace") as file:
            for line in file:
                match = EXCEPTION.match(line)
                if match and match[1] == PAGE_FAULT_VECTOR:
                    faults.append((int(match[5], 16), int(match[2], 16), int(match[4], 16)))
    return faults
