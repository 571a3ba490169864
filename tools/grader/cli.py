"""The command line of tools/grade."""
import argparse
import os
import random
import shlex
import signal
import sys

from . import answers, lab as labs
from .grade import Grader
from .pristine import Pristine
from .report import VISIBILITIES, Report, Style, nothing_to_grade, possible, total, write_whole
from .sandbox import WALLS, Sandbox
from .starter import choose_build
from .submission import Submission, git, read_submission
from .words import Problem
from .workspace import Workspace

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FULL_SCORE, POINTS_LOST, WRONG_USE = 0, 1, 2
DESCRIPTION = """
Grades a submission of a lab: SUBMISSION is a folder, an archive (tar or zip) or a commit of this repository. Only the files
that the lab lets a student change are taken from it; all else comes from this tree. Its status is 0 for the full score, 1 when
points are lost, 2 when there is nothing to grade.
"""


class Ending(BaseException):
    """A signal asked us to end."""


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tools/grade", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--lab", metavar="N", type=int, required=True, help="the lab's number")
    parser.add_argument("--only", metavar="CHECK", action="append", default=[], help="run this check only (repeatable)")
    parser.add_argument("--seed", metavar="N", type=int, help="lay the checks out as that run did")
    parser.add_argument("--trace", action="store_true", help="show each step of the checks and what the processor did")
    parser.add_argument("--json", metavar="FILE", help="write Gradescope's results.json; complete after each check")
    parser.add_argument("--visibility", choices=VISIBILITIES, default=VISIBILITIES[0], help="when Gradescope shows the checks to students")
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML")
    parser.add_argument("--all", metavar="DIR", help="grade each submission in a folder; results go to --results")
    parser.add_argument("--results", metavar="DIR", help="where --all writes scores.csv and a file for each submission")
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="that many submissions at a time (1)")
    parser.add_argument("--pristine", metavar="COMMIT", help="grade in the tree of that commit, not in this one")
    parser.add_argument("--seeds", metavar="LIST", help="lab 0: whose seed is whose, a file of lines NAME SEED (or just the seed)")
    parser.add_argument("--wall", choices=sorted({wall.name for wall in WALLS}), help="insist on this wall around what is graded")
    parser.add_argument("--list", action="store_true", help="list the lab's checks and what they are worth")
    parser.add_argument("--prepare", action="store_true", help="only build what submissions are graded in, so that none waits for it")
    parser.add_argument("submission", metavar="SUBMISSION", nargs="?", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs needs a number above 0")
    if sum((options.submission is not None, options.all is not None, options.list, options.prepare)) != 1:
        parser.error("give one SUBMISSION, or --all DIR, or --list, or --prepare")
    return options


def main(arguments):
    os.umask(0o022)         # the sandbox's user has to read what we write
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, end)
    try:
        return act(parse(arguments))
    except Problem as problem:
        print(f"tools/grade: {problem}", file=sys.stderr)
        return WRONG_USE
    except Ending as ending:
        print("tools/grade: interrupted", file=sys.stderr)
        return 128 + ending.args[0]


def end(number, _frame):
    raise Ending(number)


def act(options):
    lab = labs.read_lab(ROOT, options.lab)
    for name in options.only:
        lab.check(name)
    if options.list:
        for check in lab.checks:
            print(f"{check.points:4}  {check.name:24} {check.rule}")
        return 0
    pristine = Pristine(ROOT, options.pristine or first_commit_of_students_tree(ROOT))
    if options.prepare:
        with pristine.built(choose_build(lab, pristine, Submission()), lab.host_tests):
            return 0
    if options.all is not None:
        from .everyone import grade_everyone
        return grade_everyone(lab, pristine, options)
    return grade_one(lab, pristine, options)


def first_commit_of_students_tree(root):
    """In a student's tree (it has the file LAB) the first commit is what was handed out."""
    if not os.path.exists(os.path.join(root, "LAB")):
        return None
    found = git(root, "rev-list", "--max-parents=0", "HEAD")
    commits = found.stdout.decode().split()
    if found.returncode != 0 or not commits:
        raise Problem(f"{root} has lost the history that make lab gave it: its first commit is what you are graded against")
    return commits[-1]


def rerun_command(options, seed):
    """The command that runs one check again. What make grade says of the pristine tree goes without saying."""
    words = ["tools/grade", "--lab", str(options.lab), "--seed", str(seed)]
    words += ["--pristine", options.pristine] if options.pristine not in (None, first_commit_of_students_tree(ROOT)) else []
    words += ["--seeds", options.seeds] if options.seeds else []
    return lambda check: shlex.join([*words, "--only", check.name, options.submission])


def with_witnesses(lab, names):
    """NAMES and the checks that they depend on; None for all."""
    if not names:
        return None
    return set(names) | {witness for name in names for witness in lab.check(name).witnesses}


def grade_one(lab, pristine, options):
    writable(options.json, options.junit)
    try:
        submission = read_submission(options.submission, lab, pristine.files.get, ROOT)
        if not submission.files and not submission.refused:
            raise Problem(f"{options.submission} has none of the files of lab {lab.number}: {', '.join(lab.files)}")
    except Problem as problem:
        if options.json:
            write_whole(options.json, nothing_to_grade(str(problem)))
        raise
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    sandbox, given = Sandbox(hidden=[ROOT], only=options.wall), None
    if lab.asks_questions:
        given = answers.open_answers(lab, pristine, submission, answers.seed_of(options.seeds, options.submission))
    needs_wall = "LAB" not in pristine.files and not lab.asks_questions     # what one has written oneself needs none
    report = Report(lab, rerun_command(options, seed), seed, submission, sandbox.wall if needs_wall else None, given and given.note(),
                    options.visibility, Style(sys.stdout))
    print(report.head(), flush=True)
    wanted = with_witnesses(lab, options.only)
    checks = [check for check in lab.checks if wanted is None or check.name in wanted]

    def keep(results):
        pending = checks[len(results):]
        if options.json:
            write_whole(options.json, report.gradescope(results, pending))
        if options.junit:
            write_whole(options.junit, report.junit(results, pending))
        if results:
            print(report.line(results[-1]), flush=True)

    keep([])
    trace = (lambda line: print("    " + line)) if options.trace else None
    workspace = Workspace(lab, pristine, submission, sandbox) if given is None or given.needs_boot else None
    try:
        if workspace and given:
            given.boot_in(workspace.tree)
        results = Grader(lab, workspace, sandbox, seed=seed, answers=given, trace=trace, on_result=keep).run(wanted)
    finally:
        if workspace:
            workspace.close()
    print(report.foot(results))
    return FULL_SCORE if total(results) == possible(results) else POINTS_LOST


def writable(*paths):
    for path in filter(None, paths):
        if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            raise Problem(f"{path} can't be written: there is no such folder")
