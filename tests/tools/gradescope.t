#!/usr/bin/env python3
"""
The two scripts for Gradescope (docs/labs/gradescope), in a folder laid out as its containers are: results.json is of the
format that Gradescope documents, whatever was handed in.
"""
import json
import os
import shutil
import stat
import subprocess
import sys

from grading import FULL, LOST, ROOT, Folder, need_unifdef, readable_guard_pages
from tap import check, check_contains, check_equal, done

SCRIPTS = os.path.join(ROOT, "docs", "labs", "gradescope")
VISIBILITIES = ("hidden", "after_due_date", "after_published", "visible")
FORMATS = ("text", "html", "simple_format", "md", "ansi")
NUMBER = (int, float)
# What https://gradescope-autograders.readthedocs.io/en/latest/specs/ names: {field: its type, or the words that it may be}.
RESULT = {"score": NUMBER, "execution_time": NUMBER, "output": str, "output_format": FORMATS, "visibility": VISIBILITIES,
          "stdout_visibility": VISIBILITIES, "extra_data": dict, "tests": list, "leaderboard": list}
TEST = {"score": NUMBER, "max_score": NUMBER, "status": ("passed", "failed"), "name": str, "name_format": FORMATS, "number": str,
        "output": str, "output_format": FORMATS, "tags": list, "visibility": VISIBILITIES, "extra_data": dict}


def strange(entry, known):
    """The fields of ENTRY that are not as the format has them."""
    wrong = []
    for name, value in entry.items():
        kind = known.get(name)
        if kind is None or isinstance(kind[0] if isinstance(kind, tuple) else kind, str) and value not in kind:
            wrong.append(name)
        elif not (isinstance(kind, tuple) and isinstance(kind[0], str)) and not isinstance(value, kind):
            wrong.append(name)
    return wrong


class Autograder:
    """/autograder of a container, elsewhere."""

    def __init__(self, folder):
        self.folder, self.top = folder, folder.path("autograder")
        for name in ("source", "submission", "results"):
            os.makedirs(os.path.join(self.top, name))
        for name in os.listdir(SCRIPTS):
            shutil.copy(os.path.join(SCRIPTS, name), os.path.join(self.top, "source", name))
        os.symlink(ROOT, os.path.join(self.top, "source", "zeropage"))
        shutil.copy(os.path.join(SCRIPTS, "run_autograder"), self.top)

    def run(self, script):
        return subprocess.run([os.path.join(self.top, script)], cwd=self.top, capture_output=True, text=True, check=False, timeout=900,
                              stdin=subprocess.DEVNULL, env=dict(self.folder.environment, AUTOGRADER=self.top, SETUP="no"))

    def grade(self, what):
        place = os.path.join(self.top, "results", "results.json")
        if os.path.exists(place):
            os.unlink(place)
        run = self.run("run_autograder")
        if not check(os.path.exists(place), f"{what}: there is a results.json", run.stdout, run.stderr):
            return {"tests": [], "output": ""}, run
        with open(place, encoding="utf-8") as file:
            result = json.load(file)
        check_equal((strange(result, RESULT), [name for test in result.get("tests", []) for name in strange(test, TEST)]), ([], []),
                    f"{what}: it has the fields that Gradescope documents")
        check(result["score"] == sum(test["score"] for test in result.get("tests", [])), f"{what}: the score is the sum", result["score"])
        return result, run

    def submit(self, text):
        os.makedirs(os.path.join(self.top, "submission", "mm"), exist_ok=True)
        with open(os.path.join(self.top, "submission", "mm", "fault.c"), "w", encoding="utf-8") as file:
            file.write(text)

    def configure(self, old, new):
        place = os.path.join(self.top, "source", "course.sh")
        with open(place, encoding="utf-8") as file:
            text = file.read()
        assert old in text
        with open(place, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))


def main():
    need_unifdef("the scripts for Gradescope")
    folder = Folder()
    try:
        autograder = Autograder(folder)
        run = autograder.run("source/setup.sh")
        check_equal(run.returncode, 0, "setup.sh comes to its end", run.stdout[-1000:], run.stderr[-1000:])
        result, _ = autograder.grade("an empty submission")
        check_contains(result["output"], "has none of the files of lab 3: mm/fault.c", "and the student reads what is missing")
        check_equal(result["score"], 0, "and it has no points")
        autograder.submit("int x = ;\n")
        result, _ = autograder.grade("a submission that does not build")
        check_equal({test["status"] for test in result["tests"]}, {"failed"}, "all its checks have failed")
        check_contains(result["tests"][0]["output"], "error: expected", "and the first says why")
        check_equal(sum(test["max_score"] for test in result["tests"]), 100, "they make 100 points together")
        autograder.configure("VISIBILITY=visible", "VISIBILITY=after_published")
        autograder.submit(readable_guard_pages())
        result, run = autograder.grade("a submission with a mistake")
        check(0 < result["score"] < 100 and "Score: " in run.stdout, "a mistake costs some of the points", result["score"], run.stderr)
        check_equal({test["visibility"] for test in result["tests"]}, {"after_published"}, "the checks are shown when course.sh says")
        check_equal(result["stdout_visibility"], "hidden", "and the grader's own output to instructors only")
        closed = [name for name in ("source", "submission", "results")
                  if os.stat(os.path.join(autograder.top, name)).st_mode & stat.S_IRWXO == 0]
        check_equal(len(closed), 3, "other users may not look into source, submission and results", closed)
        autograder.configure("LAB=3", "LAB=88")
        result, run = autograder.grade("a grader that can't work")
        check_contains(result["output"], "The grader itself has failed", "it is not the student's fault")
        check_contains(run.stderr, "there is no lab 88", "and instructors read why")
        folder.check_nothing_left("all that")
    finally:
        folder.close()
    done()


main()
