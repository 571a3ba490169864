#!/usr/bin/env python3
"""
pf: one golden transcript for each outcome of a page fault, and each verdict is what the kernel then does. RECORD=1
writes the golden files anew.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from tap import ROOT, check, check_equal, done, skip  # noqa: E402

# In the order in which `session all` comes by.
OUTCOMES = ("file_mapped", "zero_page", "new_page", "zero_replaced", "cow_copied", "cow_reused", "no_mapping",
            "shared_mapped", "file_copied", "below_stack", "not_readable", "not_writable", "not_executable",
            "kernel_address", "beyond_file")

RECORDER = """
python
import sys
import faults, spaces, machine
from verdict import judge
seen = []
recorder = faults.FaultBreakpoint("all", lambda fault: seen.append((fault.address, judge(fault)[0])) and False)
end
break power_off
continue
python
names = machine.enum_names("fault_outcome", "FAULT_")
count, ring = int(machine.variable("journal_count")), machine.variable("journal_ring")
real = []
for number in range(max(0, count - 1024), count):
    record = ring[number % 1024]
    if int(record["kind"]) == 0:
        real.append((int(record["args"][0]), names[int(record["args"][5])]))
for one, other in zip(seen, real[-len(seen):]):
    print("VERDICT", hex(one[0]), one[1], hex(other[0]), other[1])
print("COUNTS", len(seen), len(real))
end
"""

# The two that no program brings about by itself: an entry that is there already, and no frame left.
SPURIOUS = """
pfbreak zero_page
continue
python
import spaces, machine
mm = spaces.mm_of(spaces.current())
steps = spaces.walk(spaces.pgd_of(mm), machine.control("cr2"))
end
tbreak set_pte_at
continue
finish
pf
"""
OUT_OF_MEMORY = """
pfbreak new_page
continue
set var fail_allocation_countdown = 1
pf
"""
STAGED = (("spurious", SPURIOUS), ("out_of_memory", OUT_OF_MEMORY))


def explanations(text):
    """{outcome: the whole explanation} of a transcript with several."""
    found = {}
    for part in re.split(r"^(?=page fault of )", text, flags=re.MULTILINE)[1:]:
        verdict = re.search(r"^  verdict  (\w+):.*$", part, re.MULTILINE)
        if verdict:
            found.setdefault(verdict[1], part[:verdict.end()] + "\n")
    return found


def compare(outcome, text):
    path = os.path.join(batch.GOLDEN, f"pf-{outcome}.txt")
    text = batch.normal(text)
    if os.environ.get("RECORD"):
        os.makedirs(batch.GOLDEN, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    expected = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            expected = file.read()
    check_equal(text.splitlines(), expected.splitlines(), f"pf explains {outcome} as its golden transcript says")


def outcomes_of_the_kernel():
    """The names in enum fault_outcome, in the verdict's spelling."""
    with open(os.path.join(ROOT, "mm", "fault.h"), encoding="utf-8") as file:
        body = re.search(r"enum fault_outcome \{(.*?)\};", file.read(), re.DOTALL)[1]
    return {name.lower() for name in re.findall(r"^    FAULT_(\w+)", body, re.MULTILINE)} - {"outcomes"}


def test_that_each_has_one(played):
    """An outcome that is new in the kernel, or gone, has to be so here."""
    outcomes = outcomes_of_the_kernel()
    check_equal(sorted(outcomes - set(played)), [], "each outcome of enum fault_outcome is played")
    goldens = {re.fullmatch(r"pf-(\w+)\.txt", name)[1] for name in os.listdir(batch.GOLDEN) if name.startswith("pf-")}
    check_equal(sorted(outcomes ^ goldens), [], "each outcome of enum fault_outcome has a golden transcript, and no other has")
    for outcome in sorted(outcomes & goldens):
        with open(os.path.join(batch.GOLDEN, f"pf-{outcome}.txt"), encoding="utf-8") as file:
            check(f"\n  verdict  {outcome}: " in file.read(), f"the golden transcript of {outcome} has its verdict")


def main():
    if reason := batch.tools_are_missing():
        skip("pf", reason)
        done()
    problem = batch.build()
    if not check(problem is None, "the debug build can be made", problem or ""):
        done()

    script = "".join(f"pfbreak {outcome}\ncontinue\npf\n" for outcome in OUTCOMES)
    session = batch.Session(script, "session", "all")
    check_equal(session.status, 0, "a session over all outcomes ends well", session.text[-3000:], session.errors)
    found = explanations(session.text)
    for outcome in OUTCOMES:
        compare(outcome, found.get(outcome, ""))
    check("Traceback" not in session.errors, "no command ends in a traceback", session.errors)
    check_equal(session.left_behind, [], "the session leaves no process behind")
    check(session.work < batch.WORK_LIMIT, "and takes seconds of processor time", f"{session.work:.1f} s")

    for outcome, script in STAGED:
        session = batch.Session(script, "session", "read_page", "write_page")
        found = explanations(session.text)
        if outcome not in found:
            check(False, f"pf explains {outcome}", session.text, session.errors)
        else:
            compare(outcome, found[outcome])
        check_equal(session.left_behind, [], f"the session about {outcome} leaves no process behind")

    session = batch.Session(RECORDER, "session", "all")
    pairs = [line.split()[1:] for line in session.text.splitlines() if line.startswith("VERDICT")]
    check(len(pairs) > 30 and len({pair[1] for pair in pairs}) >= len(OUTCOMES),
          "the recorder saw a fault of each outcome", f"{len(pairs)} faults", session.text[-2000:], session.errors)
    wrong = [pair for pair in pairs if pair[:2] != pair[2:]]
    check_equal(wrong, [], "each verdict is what the kernel then does, by its own journal")
    test_that_each_has_one([*OUTCOMES, *(outcome for outcome, _ in STAGED)])
    done()


main()
