#!/usr/bin/env python3
"""What the open lab's judges make of a report and of figures, without a machine: tests/labs/labs-check has the machines."""
import os
import sys
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
sys.dont_write_bytecode = True
from tap import ROOT, check, check_contains, check_equal, done  # noqa: E402
from grader import beside, proof  # noqa: E402
from grader.lab import numbers, read_lab  # noqa: E402
from grader.pristine import Pristine  # noqa: E402
from grader.grade import Grader, Result  # noqa: E402
from grader.words import Broken  # noqa: E402

FIGURES = {"one": None, "two": None}


def named(report):
    files = {} if report is None else {"report.md": report}
    try:
        return beside.named_figure(SimpleNamespace(files=files), FIGURES)
    except Broken as broken:
        return str(broken)


def check_reports():
    for report in (b"figure: one\n", b"# Title\n\nfigure:one", b"x\r\nfigure: one\r\ny", b"\xff\xfe\nfigure: \t one \n"):
        check_equal(named(report), "one", f"the report names a figure: {report!r}")
    for report, sentence in ((None, "no report.md"), (b"", "0 such lines"), (b"figure: one\nfigure: two\n", "2 such lines"),
                             (b"the figure: one\n", "0 such lines"), (b"figure:\none\n", "0 such lines"),
                             (b"figure: three\n", "got figure: three"), (b"figure: " + b"x" * 9999, "expected one of the figures one, two")):
        said = named(report)
        check(sentence in said and len(said) < 500, f"a report that names none is told so: {sentence}", said)


def verdict(run, now, before, at_most=None):
    """What compare_figures says when the student's kernel has NOW and the handed-out one BEFORE, and AT_MOST is the lab's."""
    kernels = {"own": now, "other": before}
    figures = SimpleNamespace(FIGURES={"one": lambda stage: kernels[stage.name]}, GUARDS={"one": lambda stage: kernels[stage.name]},
                              AT_MOST=at_most or {})
    lab = SimpleNamespace(module=lambda name: figures)

    def stage(name):
        return SimpleNamespace(name=name, trace=None, begin=lambda check, trace: None)

    try:
        beside.compare_figures(lab, SimpleNamespace(run=run), SimpleNamespace(files={"report.md": b"figure: one\n"}), stage("own"),
                               lambda: stage("other"), [])
    except Broken as broken:
        return str(broken)
    return None


def check_limits():
    for run, now, before, holds in (("better", 90, 100, True), ("better", 91, 100, False), ("better", 0, 0, True), ("half", 50, 100, True),
                                    ("half", 50.1, 100, False), ("guards", 1120, 1000, True), ("guards", 1120.5, 1000, False),
                                    ("guards", 20, 0, True)):
        said = verdict(run, now, before)
        check((said is None) == holds, f"{run}: {now} instead of {before} is {'enough' if holds else 'not enough'}", said)
    check_contains(verdict("guards", 2000, 1000), "one: 2,000 instead of 1,000", "what is worse is named with both figures")
    check_equal(verdict("guards", 2020, 1000, {"one": 2}), None, "a guard may have a limit of its own")
    check_contains(verdict("guards", 2021, 1000, {"one": 2}), "one, at most 2 times what it was", "which is named where it is passed")


def check_sequences():
    ours, theirs = "seed 1 aa\nseed 2 bb\nnoise\n", "seed 1 aa\nseed 2 cc\n"
    check_equal(beside.results(ours), {"1": "aa", "2": "bb"}, "what a kernel prints between the results is left out")
    long = "store(0x1); " + "x" * 5000
    shown = beside.around(long + "A", long + "B")
    check(shown.endswith("A") and shown.startswith("store(0x1)") and len(shown) < 300, "of two long lines the difference is shown", shown)
    check(beside.results(ours) != beside.results(theirs), "and they differ")


def check_beliefs():
    """What is said where a check holds, and those that it rests on do not."""
    def reason(kind, *witnesses):
        results = [Result(SimpleNamespace(name=name, points=1, witnesses=(), kind="scene"), 0) for name in witnesses]
        results.append(Result(SimpleNamespace(name="it", points=1, witnesses=witnesses, kind=kind), 1))
        grader = Grader.__new__(Grader)
        grader.results = results
        grader.believe()
        return results[-1].reason
    check_equal(reason("scene", "a"), "it holds, and counts only where a holds, too", "one witness is named")
    check_equal(reason("scene", "a", "b", "c"), "it holds, and counts only where a, b and c hold, too", "several are listed")
    check_equal(reason("guest", "a", "b"), "it says so itself, and that is not believed while a and b do not hold", "for a program's own word, too")


def check_scheme():
    lab = read_lab(ROOT, 7)
    free = [entry.name for entry in lab.checks if entry.name != "better" and "better" not in entry.witnesses]
    check(not free, "every other check counts only where the figure is better", *free)
    module = lab.module("figures")
    with open(os.path.join(ROOT, "docs", "labs", "7-open.md"), encoding="utf-8") as file:
        text = file.read()
    check(set(module.AT_MOST) <= set(module.GUARDS), "limits of their own are those of guards", *module.AT_MOST)
    for name in module.FIGURES:
        check(f"`{name}`" in text, f"the handout has the figure {name}")


def check_cases():
    """What make labs-check, grade-times and grade-under-load grade can be made of every lab that hands in code."""
    pristine = Pristine(ROOT)
    for lab in (lab for lab in map(lambda number: read_lab(ROOT, number), numbers(ROOT)) if not lab.asks_questions):
        for kind in ("solution", "starter", "mutant"):
            case = proof.first_case(lab, kind)
            files = proof.submission_of(case, lab, pristine).files
            check(files and all(map(lab.permits, files)), f"{case}: is a submission", *files)
        check("report.md" in files or lab.number != 7, "lab 7's has a report")


check_reports()
check_limits()
check_cases()
check_sequences()
check_beliefs()
check_scheme()
done()
