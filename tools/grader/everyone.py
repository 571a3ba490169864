"""
Grades a whole class: each submission in a folder, several at a time, each by a grader process of its own. What is done stays
done: a run that was ended goes on where it stopped, and only what has changed since is graded again.
"""
import csv
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import qemu

from .lab import TOTAL
from .report import write_whole
from .words import Problem, plural

GRADE_SECONDS = 1800
# Files of the tree that no grade depends on.
OF_NO_MATTER = re.compile(r"docs/|[^/]*\.md$|tests/(?!labs/|host/|guest/)|tests/labs/\d/(mutants|forgers)/")
COLUMNS = ("submission", "score", "possible", "seconds", "reason")


def grade_everyone(lab, pristine, options):
    """Writes RESULTS/scores.csv and RESULTS/NAME.json; 0 when every submission has a score."""
    names = submissions(options.all)
    results = options.results or os.path.join(os.path.abspath(options.all) + f"-lab{lab.number}-results")
    if os.path.realpath(results) == os.path.realpath(options.all):
        raise Problem("the results need a folder of their own: among the submissions they would be taken for some")
    try:
        os.makedirs(results, exist_ok=True)
    except OSError as error:
        raise Problem(f"{results} can't be made: {error.strerror}") from None
    version = grading_version(lab, pristine)
    waiting, running, done = list(names), {}, {}
    try:
        while waiting or running:
            while waiting and len(running) < options.jobs:
                name = waiting.pop(0)
                job = Job(lab, options, results, name, version)
                if (row := job.earlier()) is not None:
                    done[name] = row
                else:
                    running[name] = job.start()
            for name in [name for name, job in running.items() if job.over()]:
                done[name] = running.pop(name).row()
                write_scores(results, names, done)
                print(f"{name}: {done[name]['score']} of {done[name]['possible']} {done[name]['reason']}".rstrip(), flush=True)
            time.sleep(0.05)
    finally:
        for job in running.values():
            job.end()
    write_scores(results, names, done)
    unscored = [name for name in names if done[name]["score"] == ""]
    print(f"{plural(len(names), 'submission')}, {len(names) - len(unscored)} with a score; {results}/scores.csv")
    return 1 if unscored else 0


def submissions(folder):
    if not os.path.isdir(folder):
        raise Problem(f"{folder} is no folder of submissions")
    names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    if not names:
        raise Problem(f"there is no submission in {folder}")
    return names


def grading_version(lab, pristine):
    """Changes whenever the tree that submissions are graded in changes."""
    digest = hashlib.sha256(str(lab.number).encode())
    for name in sorted(pristine.files):
        if not OF_NO_MATTER.match(name):
            digest.update(name.encode(errors="surrogateescape") + hashlib.sha256(pristine.files[name]).digest())
    return digest.hexdigest()


def fingerprint(path, version):
    """Of a submission: names, sizes and times, without following links."""
    digest = hashlib.sha256(version.encode())
    for base, folders, files in os.walk(path) if os.path.isdir(path) and not os.path.islink(path) else [("", [], [path])]:
        folders.sort()
        for name in sorted(files):
            status = os.lstat(os.path.join(base, name))
            digest.update(f"{base}/{name} {status.st_size} {status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


class Job:
    """The grading of one submission."""

    def __init__(self, lab, options, results, name, version):
        self.lab, self.name, self.process = lab, name, None
        self.path = os.path.join(options.all, name)
        self.json, self.log = (os.path.join(results, name + end) for end in (".json", ".txt"))
        self.key, self.stamp = fingerprint(self.path, version), os.path.join(results, f".{name}.done")
        self.options = options

    def earlier(self):
        """The row of an earlier, finished run on the same files; None if there is none."""
        try:
            with open(self.stamp, encoding="utf-8") as file:
                row = json.load(file)
            return row["row"] if row["key"] == self.key and os.path.exists(self.json) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def start(self):
        for path in (self.json, self.stamp):
            if os.path.exists(path):
                os.unlink(path)
        options = self.options
        command = [sys.executable, sys.argv[0], "--lab", str(self.lab.number), "--json", self.json]
        command += ["--seed", str(options.seed)] if options.seed is not None else []
        command += ["--pristine", options.pristine] if options.pristine else []
        command += ["--seeds", options.seeds] if options.seeds else []
        command += ["--visibility", options.visibility]
        command += ["--wall", options.wall] if options.wall else []
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*command, "--", self.path], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=end_with_us)
        self.began = time.monotonic()
        return self

    def over(self):
        if self.process.poll() is None and time.monotonic() - self.began > GRADE_SECONDS:
            self.end()
        return self.process.poll() is not None

    def end(self):
        """Asks the grader to end, which takes its emulator and its folder with it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def row(self):
        seconds = round(time.monotonic() - self.began)
        try:
            with open(self.json, encoding="utf-8") as file:
                result = json.load(file)
            complete = result["extra_data"]["complete"]
            row = {"submission": self.name, "score": result["score"], "seconds": seconds,
                   "possible": sum(test["max_score"] for test in result["tests"]) or TOTAL,
                   "reason": result["extra_data"]["reason"] if complete else "the grading was ended before it was complete"}
        except (OSError, ValueError, KeyError):
            complete = False
            row = {"submission": self.name, "score": "", "possible": TOTAL, "seconds": seconds, "reason": self.last_line()}
        if complete:
            write_whole(self.stamp, json.dumps({"key": self.key, "row": row}))
        return row

    def last_line(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = file.read().strip().split("\n")
        return lines[-1].removeprefix("tools/grade: ") or "the grader said nothing"


def end_with_us():
    """In a grader, before it begins: when we are killed it ends as if it were told to."""
    qemu.die_with_parent(signal.SIGTERM)


def write_scores(results, names, done):
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for name in names:
        if name in done:
            table.writerow({column: harmless(done[name][column]) for column in COLUMNS})
    write_whole(os.path.join(results, "scores.csv"), text.getvalue())


def harmless(value):
    """A spreadsheet takes what begins like this for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t")) else value
