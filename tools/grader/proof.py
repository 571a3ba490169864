"""
Proves that the labs' checks work: the solution gets everything, the starter its stated floor, each seeded bug
(tests/labs/N/mutants) loses points on the check that it names, and a forger (tests/labs/N/forgers) gets nothing.
"""
import multiprocessing
import os
import queue
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import qemu

from . import answers, lab as labs
from .cli import ROOT, with_witnesses
from .grade import Grader
from .pristine import Pristine
from .report import Report, possible, total
from .sandbox import Sandbox
from .scratch import Scratch
from .starter import starter_side
from .submission import Submission, read_submission
from .words import Problem, plural
from .workspace import Workspace

FIRST_LINE = re.compile(r"([\w-]+): (.+)")
MUTANTS_AT_LEAST = 10
SEED = 2027
STUDENT = 4711          # whose answers lab 0's cases give, or should


@dataclass(frozen=True)
class Case:
    """One submission to be graded, and what has to come of it. KIND: solution, starter, mutant or forger."""
    lab: int
    kind: str
    name: str = ""
    check: str = ""
    sentence: str = ""

    def __str__(self):
        return f"lab {self.lab}: {self.kind} {self.name}".rstrip()


def cases_of(lab):
    found = [Case(lab.number, "starter")]
    if not os.path.isdir(os.path.join(lab.folder, "solutions")):
        found.insert(0, Case(lab.number, "solution"))
    for kind in ("solution", "mutant", "forger"):
        folder = os.path.join(lab.folder, kind + "s")
        for name in sorted(os.listdir(folder) if os.path.isdir(folder) else ()):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                head = FIRST_LINE.match(file.readline())
            if not name.endswith(".patch") or not head:
                raise Problem(f"{folder}/{name} does not begin with a line \"CHECK: what is wrong\"")
            if kind == "mutant":
                lab.check(head[1])
            found.append(Case(lab.number, kind, name.removesuffix(".patch"), head[1], head[2]))
    return found


def first_case(lab, kind):
    return next(case for case in cases_of(lab) if case.kind == kind)


# --- The submissions ------------------------------------------------------------------------------------------------

def submission_of(case, lab, pristine):
    if lab.asks_questions:
        return answers_of(case, lab, pristine)
    own = {path: content for path, content in pristine.files.items() if lab.permits(path)}
    if case.kind in ("solution", "mutant") and (solution := solution_of(case, lab)):
        own = patched(Case(lab.number, "solution", solution), lab, own)
    if case.kind == "solution":
        return Submission(files=own)
    if case.kind == "mutant":
        return Submission(files=patched(case, lab, own))
    starter = {path: starter_side(content, lab.number) for path, content in own.items()}
    if case.kind == "starter":
        return Submission(files=starter)
    return forged(case, lab, pristine, {**pristine.files, **starter})


def solution_of(case, lab):
    """Where the repository is not itself the solution, patches make it one: the name of that which CASE is, or begins with."""
    folder = os.path.join(lab.folder, "solutions")
    names = [name.removesuffix(".patch") for name in os.listdir(folder)] if os.path.isdir(folder) else []
    found = [name for name in names if case.name == name or case.name.startswith(name + "-")]
    if names and not found:
        raise Problem(f"the name of {case} does not begin with that of a solution: {', '.join(names)}")
    return found[0] if found else None


def answers_of(case, lab, pristine):
    """The form that students get, filled in truly (for a mutant: then spoilt by its patch), or left empty."""
    form = pristine.files[f"tests/labs/{lab.number}/{answers.FILE}"].decode().replace("seed = SEED", f"seed = {STUDENT}")
    empty = {answers.FILE: form.encode()}
    if case.kind == "starter":
        return Submission(files=empty)
    if case.kind == "forger":
        return forged(case, lab, pristine, {**pristine.files, **empty})
    for question, number in answers.boot_for(lab.folder, STUDENT, ROOT).truth.items():
        form = form.replace(f"\n{question} =\n", f"\n{question} = {number}\n")
    filled = {answers.FILE: form.encode()}
    return Submission(files=patched(case, lab, filled) if case.kind == "mutant" else filled)


def forged(case, lab, pristine, files):
    """A forger may patch any file; it is read as a lecturer would read it."""
    with Scratch() as folder:
        for path, content in patched(case, lab, files).items():
            if lab.permits(path) or content != pristine.files.get(path):
                place = os.path.join(folder, path)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "wb") as file:
                    file.write(content)
        return read_submission(folder, lab, pristine.files.get, ROOT)


def patched(case, lab, files):
    patch = os.path.join(lab.folder, case.kind + "s", case.name + ".patch")
    with Scratch() as folder:
        with open(patch, encoding="utf-8") as file:
            touched = re.findall(r"^\+\+\+ b/(\S+)", file.read(), re.MULTILINE)
        for path in touched:
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "wb") as file:
                file.write(files.get(path, b""))
        environment = dict(os.environ, GIT_CEILING_DIRECTORIES=os.path.dirname(folder))
        run = subprocess.run(["git", "apply", "-C1", patch], cwd=folder, capture_output=True, text=True, check=False, env=environment)
        if run.returncode != 0:
            raise Problem(f"{patch} does not apply any more: {run.stderr.strip()}")
        result = dict(files)
        for path in touched:
            with open(os.path.join(folder, path), "rb") as file:
                result[path] = file.read()
        return result


# --- Running them ---------------------------------------------------------------------------------------------------

class Worker:
    """Grades case after case in one warm copy of the tree for each way of building it."""

    def __init__(self):
        self.pristine, self.sandbox, self.workspace, self.key = None, None, None, None

    def tree(self, case, lab, submission):
        key = (case.lab, case.kind in ("solution", "mutant"))
        if self.key == key:
            self.workspace.lay_over(submission)
        else:
            self.close()
            self.workspace, self.key = Workspace(lab, self.pristine, submission, self.sandbox), key
        return self.workspace

    def grade(self, case):
        """(case, score, what is wrong with it or None, seconds)."""
        began = time.monotonic()
        try:
            self.pristine = self.pristine or Pristine(ROOT)
            self.sandbox = self.sandbox or Sandbox(hidden=[ROOT])
            lab = labs.read_lab(ROOT, case.lab)
            submission = submission_of(case, lab, self.pristine)
            wanted = with_witnesses(lab, [case.check]) if case.kind == "mutant" else None
            workspace, given = self.tree(case, lab, submission), None
            if lab.asks_questions:
                given = answers.open_answers(lab, self.pristine, submission, STUDENT)
                given.boot_in(workspace.tree)
            grader = Grader(lab, workspace, self.sandbox, seed=SEED, answers=given, journal=False,
                            patient=case.kind in ("solution", "mutant"))
            results = grader.run(wanted)
            problem = judge(case, lab, results, submission)
            return case, total(results), problem, time.monotonic() - began
        except Problem as problem:
            return case, 0, str(problem), time.monotonic() - began

    def close(self):
        if self.workspace:
            self.workspace.close()
        self.workspace = self.key = None


def judge(case, lab, results, submission):
    """None when what had to come of CASE has come of it."""
    score = total(results)
    lost = [result for result in results if not result.holds]
    report = Report(lab, lambda check: "", SEED, submission)
    if case.kind == "solution":
        return None if score == possible(results) else f"it gets {score}:\n" + "\n".join(map(report.line, lost))
    if case.kind == "starter":
        wrong = [report.line(result) for result in results if result.holds]
        return None if score == lab.floor else f"it gets {score} and not {lab.floor}, for:\n" + "\n".join(wrong)
    if case.kind == "forger":
        wrong = [report.line(result) for result in results if result.holds]
        return None if score == 0 else f"it gets {score}, for:\n" + "\n".join(wrong)
    named = [result for result in lost if result.check.name == case.check]
    if not named:
        return f"\"{case.sentence}\" loses nothing on {case.check}" + (
            f", but on {', '.join(result.check.name for result in lost)}" if lost else "")
    if "does not build" in named[0].reason:
        return named[0].reason
    if named[0].discounted and lab.is_compared:
        return f"it loses {case.check} only because of another check: {named[0].reason}"
    return None if named[0].check.rule in report.line(named[0]) else "the message does not name the rule"


WORKER = Worker()


def work(incoming, outgoing):
    """A process of its own: takes cases until there is none, or until those are gone who wanted to know."""
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)        # Ctrl-C is for our parent, who tells us
    qemu.die_with_parent(signal.SIGTERM)
    try:
        for case in iter(incoming.get, None):
            outgoing.put(WORKER.grade(case))
    finally:
        WORKER.close()


def leave(number, _frame):
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def run_cases(cases, jobs, told):
    """Grades CASES with JOBS processes; TOLD(outcome) is called as they come in."""
    context = multiprocessing.get_context("fork")
    incoming, outgoing = context.Queue(), context.Queue()
    workers = [context.Process(target=work, args=(incoming, outgoing)) for _ in range(jobs)]
    for case in [*cases, *[None] * jobs]:
        incoming.put(case)
    for worker in workers:
        worker.start()
    outcomes = []
    try:
        while len(outcomes) < len(cases):
            try:
                outcomes.append(outgoing.get(timeout=1))
                told(outcomes[-1])
            except queue.Empty:
                if ended := [worker.exitcode for worker in workers if worker.exitcode]:
                    raise Problem(f"a worker has ended with status {ended[0]}, so its case has no outcome") from None
        return outcomes
    finally:
        for worker in workers:
            if len(outcomes) < len(cases):
                worker.terminate()
            worker.join()


# --- The table --------------------------------------------------------------------------------------------------------

def table(outcomes):
    """Markdown: a row for each lab."""
    rows = ["| lab | solution | starter | mutants caught | forgers |", "|---|---|---|---|---|"]
    for number in sorted({case.lab for case, *_ in outcomes}):
        lab = labs.read_lab(ROOT, number)
        of = {kind: [outcome for outcome in outcomes if outcome[0].lab == number and outcome[0].kind == kind]
              for kind in ("solution", "starter", "mutant", "forger")}
        solution, starter = (", ".join(f"{score} ({case.name})" if case.name else str(score) for case, score, _, _ in of[kind])
                             for kind in ("solution", "starter"))
        caught = sum(problem is None for _, _, problem, _ in of["mutant"])
        scores = sorted({score for _, score, _, _ in of["forger"]})
        rows.append(f"| {number} {lab.title} | {solution} | {starter} | {caught} of {len(of['mutant'])} | "
                    f"{plural(len(of['forger']), 'forger')}: {', '.join(map(str, scores)) or '-'} |")
    return "\n".join(rows)
