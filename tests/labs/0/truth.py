"""
Lab 0's answers for a seed, from the event journal of a boot: the grader's side, which no student's tree holds. And the numbers
that one finds instead by a misunderstanding, each with what it is.

    python3 tests/labs/0/truth.py SEED        prints the answers like answers.txt
"""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PAGE = 4096
FAR_START, FAR_SPAN = 0x100000000000, 1 << 39
LEAF = 1
MPROTECT, MUNMAP = 10, 11
PRESENT, USER = 1, 4
PAGE_FAULT_VECTOR = 14


def record(seed, root):
    """What look prints, and the journal's events, from a boot of the kernel that is built in ROOT."""
    with tempfile.TemporaryDirectory(prefix="zeropage-look-") as folder:
        journal = os.path.join(folder, "journal")
        environment = {name: value for name, value in os.environ.items() if name != "BUILD" or root == ROOT}
        run = subprocess.run([os.path.join(root, "tools", "run"), "--timeout", "300", "--events", journal, "look", str(seed)],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment)
        if run.returncode:
            raise RuntimeError(f"look ended with status {run.returncode}: {run.stderr.strip()}")
        with open(journal, encoding="ascii") as lines:
            return run.stdout, [json.loads(line) for line in lines]


def number(text):
    return int(text, 16)


class Boot:
    """What happened in one boot of look, area by area."""

    def __init__(self, seed, root):
        printed, self.events = record(seed, root)
        starts = map(number, re.search(r"A (\w+), B (\w+), C (\w+), D (\w+)", printed).groups())
        self.a, self.b, self.c, self.d = [(start, self.end_of(start)) for start in starts]

    def of_kind(self, kind):
        return [event for event in self.events if event.get("event") == kind]

    def end_of(self, start):
        """Where the mapping ends that begins at START."""
        return next(number(event["end"]) for event in self.of_kind("vma_add") if number(event["start"]) == start)

    def faults(self, area=None, *outcomes):
        return [event for event in self.of_kind("fault")
                if (area is None or area[0] <= number(event["address"]) < area[1])
                and (not outcomes or event["outcome"] in outcomes)]

    def count(self, area, *outcomes):
        return len(self.faults(area, *outcomes))

    def calls(self, call, area):
        return [event for event in self.of_kind("syscall") if event["number"] == call and area[0] <= number(event["a0"]) < area[1]]

    def middle_of_a(self):
        """What munmap gave back of A."""
        call = self.calls(MUNMAP, self.a)[0]
        return number(call["a0"]), number(call["a0"]) + number(call["a1"])

    def cuts_of_d(self):
        return [event for event in self.of_kind("vma_split") if self.d[0] <= number(event["start"]) < self.d[1]]

    def far_tables(self):
        return [event for event in self.of_kind("table_alloc")
                if FAR_START - FAR_SPAN < number(event["address"]) < FAR_START + FAR_SPAN]


def pages(area):
    return (area[1] - area[0]) // PAGE


def truth_of(boot):
    refusal = boot.faults(boot.c, "not_writable")[0]
    return {
        "pages_of_a": pages(boot.a),
        "zero_page": boot.count(boot.a, "zero_page"),
        "zero_replaced": boot.count(boot.a, "zero_replaced"),
        "frames_of_a": boot.count(boot.a, "new_page", "zero_replaced"),
        "frames_back": boot.count(boot.middle_of_a(), "new_page", "zero_replaced"),
        "copied": boot.count(boot.b, "cow_copied"),
        "taken_over": boot.count(boot.b, "cow_reused"),
        "refused_at": number(refusal["address"]),
        "refused_error": refusal["error"]["code"],
        "vmas_of_d": len(boot.cuts_of_d()) + 1,
        "page_tables": len(boot.far_tables()),
    }


def mistakes_of(boot):
    """{question: {number: what it is}}: what one finds instead. Some are by chance the right number, for some seeds."""
    a, middle = boot.a, boot.middle_of_a()
    zero, replaced, new = (boot.count(a, outcome) for outcome in ("zero_page", "zero_replaced", "new_page"))
    back = boot.count(middle, "new_page", "zero_replaced")
    copied, reused = boot.count(boot.b, "cow_copied"), boot.count(boot.b, "cow_reused")
    refusal, tables, far = boot.faults(boot.c, "not_writable")[0], boot.far_tables(), boot.count((FAR_START, FAR_START + FAR_SPAN))
    address, code = number(refusal["address"]), refusal["error"]["code"]
    return {
        "pages_of_a": {
            a[1] - a[0]: "the size of A in bytes",
            zero + new: "how many pages of A were touched; a promise is made before anything is touched",
            pages(a) - pages(middle): "what is left of A when its middle is gone",
        },
        "zero_page": {
            zero - replaced: "how many pages still map the zero frame in the end; those written later had this fault, too",
            boot.count(None, "zero_page"): "such faults in all areas; only those with an address in A are asked for",
            boot.count(a): "all faults in A, whatever came of them",
        },
        "zero_replaced": {
            replaced + new: "how many pages of A were written; some of them had not been read before",
            new: "how many pages were written that had not been read before",
        },
        "frames_of_a": {
            zero + new: "how many pages of A have an entry; those that map the zero frame hold no frame of A's own",
            replaced: "the frames that replaced the zero frame; a page that was never read gets its frame, too, when it is written",
            new: "the frames of pages that were never read; those that replaced the zero frame are A's own, too",
            pages(a): "what A promises; a promise takes no frame",
        },
        "frames_back": {
            pages(middle): "how many pages were unmapped; not each of them had a frame",
            boot.count(middle, "new_page", "zero_page"): "how many of these pages had an entry; the zero frame is not given back",
            replaced + new - back: "how many frames A keeps",
        },
        "copied": {
            copied + reused: "how many writes took a fault after the fork; a page whose only user is left is not copied",
            boot.count(None, "cow_copied"): "such faults in all areas (the stack is shared, too); only those in B are asked for",
        },
        "taken_over": {
            copied + reused: "how many writes took a fault after the fork; some of these pages were copied",
            boot.count(None, "cow_reused"): "such faults in all areas (the stack is shared, too); only those in B are asked for",
            pages(boot.b): "how many pages B has; only those count that were written after the fork",
        },
        "refused_at": {
            address & -PAGE: "where the page begins; the exact byte is asked for (CR2 has it)",
            boot.c[0]: "where C begins",
            number(refusal["ip"]): "where the instruction is; the address that it wanted to write is asked for",
        },
        "refused_error": {
            code ^ PRESENT: "an error code with a wrong bit 0 (was the page present?)",
            code & ~USER: "an error code without the bit for ring 3",
            PAGE_FAULT_VECTOR: "the number of the exception; the processor pushes an error code beside it",
        },
        "vmas_of_d": {
            len(boot.cuts_of_d()): "how often D was cut; one cut makes two of one",
            len(boot.calls(MPROTECT, boot.d)): "how many pages were protected; what lies between them is a VMA, too",
        },
        "page_tables": {
            sum(table["level"] == LEAF for table in tables): "the tables of the lowest level; those above it are frames, too",
            far: "how many pages were written",
            3 * far: "three tables for each page; neighbours share the upper ones",
            len(tables) + far: "these tables and the pages themselves",
            len(boot.of_kind("table_alloc")): "all tables of the whole boot",
        },
    }


def key(seed, root=ROOT):
    """(truth, mistakes) for SEED."""
    boot = Boot(seed, root)
    return truth_of(boot), mistakes_of(boot)


def truth(seed, root=ROOT):
    return truth_of(Boot(seed, root))


if __name__ == "__main__":
    for name, value in truth(int(sys.argv[1])).items():
        print(f"{name} = {value:#x}" if name == "refused_at" else f"{name} = {value}")
