#!/usr/bin/env python3
"""What a grade looks like to a student: at a terminal of 80 and of 100 columns, coloured and not, and in a file."""
import io
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
sys.dont_write_bytecode = True
from tap import ROOT, check, check_contains, check_equal, done  # noqa: E402
from grader.grade import Result  # noqa: E402
from grader.lab import read_lab  # noqa: E402
from grader.report import AS_SAID, Report, Style  # noqa: E402
from grader.submission import Submission  # noqa: E402

AGAIN = "tools/grade --lab 3 --seed 3471201941 --only"
LONG = "the read of 0x4a54128b5000 to map the zero frame, read-only, as all the others do, and to take one fault and no other"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def report_of(results, *, stream=None, number=3):
    lab = read_lab(ROOT, number)
    report = Report(lab, lambda entry: f"{AGAIN} {entry.name} .", 3471201941, Submission(), style=Style(stream))
    return "\n".join([report.head(), *map(report.line, results), report.foot(results)])


lab3 = read_lab(ROOT, 3)
first, second, third = lab3.checks[0], lab3.checks[1], lab3.check("audit")
held, lost = Result(first, first.points), Result(second, 0, expected=LONG, got="frame 0x1f2, writable, after two faults")
counts_for_nothing = Result(third, 0, reason="it says so itself, and that is not believed", discounted=True)

os.environ.pop("NO_COLOR", None)
os.environ["TERM"] = "xterm"
for columns in (80, 100):
    os.environ["COLUMNS"] = str(columns)
    shown = report_of([held, lost, counts_for_nothing], stream=Terminal())
    plain = re.sub("\033\\[\\d*m", "", shown)
    check(plain != shown, f"at {columns} columns a terminal gets colours")
    wide = [line for line in plain.split("\n") if len(line) > columns and "again:" not in line]
    check(not wide, f"and lines that fit into {columns} columns", *wide)
    check_contains(re.sub(r"\s+", " ", plain), LONG, "and nothing is lost by that")
    check(f"again:    {AGAIN} {second.name} ." in plain, "what is to be copied is one line")
os.environ["NO_COLOR"] = "1"
check("\033" not in report_of([held, lost], stream=Terminal()), "who sets NO_COLOR gets none")
in_a_file = report_of([held, lost, counts_for_nothing])
check("\033" not in in_a_file and f"expected: {LONG}\n" in in_a_file, "in a file there are no colours, and no line is folded")
check_equal(in_a_file.count("again:  "), 1, "a check that only another one costs has no command of its own")
check(AGAIN not in report_of([held, Result(second, 0, reason=AS_SAID)]), "nor has what does not build, once that is said")
check("--trace" in in_a_file and "--trace" not in report_of([held]), "how to see the steps is said once, where something is lost")
check("3471201941" not in report_of([], number=0), "where the student's own seed counts, no other is shown")
done()
