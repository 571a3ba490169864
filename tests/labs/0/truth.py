"""
Lab 0's answers for a seed, from the event journal of a boot: the grader's side, which no student's tree holds.

    python3 tests/labs/0/truth.py SEED        prints them like answers.txt
"""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PAGE = 4096
FAR_START = 0x100000000000


def record(seed, root=ROOT):
    """What look prints, and the journal's events, from a boot of the kernel that is built in ROOT."""
    with tempfile.TemporaryDirectory(prefix="zeropage-look-") as folder:
        journal = os.path.join(folder, "journal")
        run = subprocess.run([os.path.join(root, "tools", "run"), "--events", journal, "look", str(seed)],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(f"look ended with status {run.returncode}: {run.stderr}")
        with open(journal, encoding="ascii") as lines:
            return run.stdout, [json.loads(line) for line in lines]


def number(text):
    return int(text, 16)


def faults(events, start, end, outcome=None):
    return [event for event in events if event.get("event") == "fault" and start <= number(event["address"]) < end
            and outcome in (None, event["outcome"])]


def mapping_of(events, start):
    """(index in EVENTS, end) of the mapping that begins at START."""
    for index, event in enumerate(events):
        if event.get("event") == "vma_add" and number(event["start"]) == start:
            return index, number(event["end"])
    raise RuntimeError(f"no mapping begins at {start:#x}")


def truth(seed, root=ROOT):
    printed, events = record(seed, root)
    a, b, c, d = map(number, re.search(r"A (\w+), B (\w+), C (\w+), D (\w+)", printed).groups())
    a_end, b_end, c_end, d_end = (mapping_of(events, start)[1] for start in (a, b, c, d))
    own = len(faults(events, a, a_end, "new_page")) + len(faults(events, a, a_end, "zero_replaced"))
    refusal = faults(events, c, c_end, "not_writable")[0]
    cuts = [event for event in events if event.get("event") == "vma_split" and d <= number(event["start"]) < d_end]
    return {
        "pages_of_a": (a_end - a) // PAGE,
        "zero_page": len(faults(events, a, a_end, "zero_page")),
        "zero_replaced": len(faults(events, a, a_end, "zero_replaced")),
        "frames_of_a": own,
        "frames_back": frames_back(events, a, a_end),
        "copied": len(faults(events, b, b_end, "cow_copied")),
        "taken_over": len(faults(events, b, b_end, "cow_reused")),
        "refused_at": number(refusal["address"]),
        "refused_error": refusal["error"]["code"],
        "vmas_of_d": len(cuts) + 1,
        "page_tables": sum(event.get("event") == "table_alloc" and number(event["address"]) + (1 << 39) > FAR_START
                           and number(event["address"]) < FAR_START + (1 << 39) for event in events),
    }


def frames_back(events, a, a_end):
    """The entries within A that munmap cleared and that were no zero frame's: writable ones, since A is."""
    calls = [index for index, event in enumerate(events) if event.get("event") == "syscall" and event["number"] == 11
             and a <= number(event["a0"]) < a_end]
    start = number(events[calls[0]]["a0"])
    end = start + number(events[calls[0]]["a1"])
    return len({event["address"] for event in events[:calls[0]] if event.get("event") == "fault"
                and start <= number(event["address"]) & -PAGE < end
                and event["outcome"] in ("new_page", "zero_replaced")})


if __name__ == "__main__":
    for name, value in truth(int(sys.argv[1])).items():
        print(f"{name} = {value:#x}" if name == "refused_at" else f"{name} = {value}")
