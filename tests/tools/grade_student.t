#!/usr/bin/env python3
"""
A student's tree of lab 3 as it is worked in: make grade from the untouched starter to the solution, as root and as a plain
user; what make hand-in packs has the same points on the lecturer's side; and the workflow for GitHub does its steps here.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

from grading import FAULT, FULL, LOST, ROOT, Folder, need_unifdef, solution, readable_guard_pages
from tap import BUILD, check, check_contains, check_equal, done, skip

PLAIN_USER = 65533
WORKFLOW = os.path.join(ROOT, "docs", "labs", "github", "grade.yml")
# Perl comes with a parser, and without it there would be no prove.
READ_YAML = ["perl", "-MCPAN::Meta::YAML", "-MJSON::PP", "-e", "local $/; print encode_json(CPAN::Meta::YAML->read_string(<STDIN>)->[0])"]
# What was built in the tree of the last run, for it builds slowly and changes seldom.
SHELF = os.path.join(BUILD, "grade-student")


class Tree:
    def __init__(self, folder):
        self.folder, self.top = folder, folder.path("lab3")
        written = subprocess.run([os.path.join(ROOT, "tools", "lab"), "3", self.top], capture_output=True, text=True, check=False)
        check_equal(written.returncode, 0, "make lab writes the tree", written.stderr)
        if os.path.isdir(SHELF):
            os.mkdir(os.path.join(self.top, "build"))
            shutil.move(SHELF, os.path.join(self.top, "build", "grade"))

    def close(self):
        built = os.path.join(self.top, "build", "grade")
        if os.path.isdir(built):
            shutil.rmtree(SHELF, ignore_errors=True)
            shutil.move(built, SHELF)

    def write(self, code):
        """What the student writes: CODE without the guards that only we have."""
        run = subprocess.run(["unifdef", "-DLAB=99"], input=code, capture_output=True, text=True, check=False)
        with open(os.path.join(self.top, FAULT), "w", encoding="utf-8") as file:
            file.write(re.sub(r"^.*NOT_YET_WRITTEN.*\n", "", run.stdout, flags=re.MULTILINE))

    def call(self, *words, prefix=(), environment=None):
        return subprocess.run([*prefix, *words], cwd=self.top, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                              timeout=900, env=dict(self.folder.environment, SETUP="no", **(environment or {})))

    def make(self, target, **options):
        return self.call("make", "-s", target, "SETUP=no", **options)


def points(report):
    """[(check, its points)] and the sum, as a report shows them."""
    return re.findall(r"^ +(\d+)/\d+ +(\S+)$", report, re.MULTILINE), re.findall(r"^Score: (\d+) of 100$", report, re.MULTILINE)


def grade_starter(tree):
    run = tree.make("grade")
    check(run.returncode == 0 and points(run.stdout)[1] == ["0"], "the untouched starter has no points, which is no error of make", run.stdout, run.stderr)
    check_contains(run.stdout, "not yet written: lab 3, do_anonymous_page in mm/fault.c", "and the report says what is to be written")
    check("Traceback" not in run.stdout + run.stderr and "it runs" not in run.stdout, "and nothing else", run.stderr)


def grade_both(tree, code, what):
    """At home and on the lecturer's side; the points, and the report at home."""
    tree.write(code)
    home = tree.make("grade")
    packed = tree.make("hand-in")
    check(home.returncode == 0 and packed.returncode == 0, f"{what}: make grade and make hand-in", home.stderr, packed.stderr)
    _, there, errors = tree.folder.grade("--lab", "3", os.path.join(tree.top, "hand-in-lab3.tar.gz"))
    check_equal(points(there), points(home.stdout), f"{what}: the lecturer's side gives the same points", errors)
    return points(home.stdout)[1], home.stdout


def grade_as_plain_user(tree):
    if os.geteuid() != 0 or not os.path.exists("/usr/bin/python3"):
        skip("make grade as a plain user", "only root can become one")
        return
    subprocess.run(["chown", "-R", f"{PLAIN_USER}:{PLAIN_USER}", tree.top], check=True)
    user = ["setpriv", f"--reuid={PLAIN_USER}", f"--regid={PLAIN_USER}", "--clear-groups"]
    run = tree.make("grade", prefix=user, environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": tree.top})
    check_equal(points(run.stdout)[1], ["100"], "a plain user has the full score too", run.stdout, run.stderr)
    subprocess.run(["chown", "-R", "0:0", tree.top], check=True)


def workflow(tree):
    """The workflow's steps that are commands, in the tree as a student has pushed it."""
    with open(WORKFLOW, encoding="utf-8") as file:
        text = file.read()
    parsed = subprocess.run(READ_YAML, input=text, capture_output=True, text=True, check=False)
    if "you may need to install" in parsed.stderr:
        skip("the workflow for GitHub", "this Perl comes without CPAN::Meta::YAML")
        return
    if not check_equal(parsed.returncode, 0, "the workflow for GitHub is YAML", parsed.stderr):
        return
    job = json.loads(parsed.stdout)["jobs"]["grade"]
    steps = job["steps"]
    check(job["runs-on"] and all(("run" in step) != ("uses" in step) for step in steps), "each of its steps is a command or an action", steps)
    checkout = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    check(checkout and checkout[0]["with"]["fetch-depth"] == "0", "it fetches the first commit, which grading needs", checkout)
    kept = [step["with"]["path"] for step in steps if step.get("uses", "").startswith("actions/upload-artifact@") and step.get("if") == "always()"]
    for step in steps:
        if "run" in step:
            run = tree.call("bash", "-e", "-c", step["run"])
            check_equal(run.returncode, FULL, f"it can do: {step['run'][:60]}", run.stdout[-1500:], run.stderr[-1500:])
    check_equal(kept, ["results.*"], "it keeps the results, whatever they are")
    with open(os.path.join(tree.top, "results.json"), encoding="utf-8") as file:
        check_equal(json.load(file)["score"], 100, "results.json has the score")
    suite = xml.parse(os.path.join(tree.top, "results.xml")).getroot()
    cases = suite.findall("testcase")
    check_equal((suite.tag, int(suite.get("tests")), suite.get("failures")), ("testsuite", len(cases), "0"), "results.xml is JUnit's")
    check(all(case.get("name") and case.get("classname") and float(case.get("time")) >= 0 for case in cases), "and names each check and its time")


def lost_history(tree):
    os.rename(os.path.join(tree.top, ".git"), os.path.join(tree.top, "git"))
    run = tree.make("grade", environment={"GIT_CEILING_DIRECTORIES": tree.folder.top})
    check(run.returncode != 0 and "has lost the history" in run.stderr, "a tree without its history is told so", run.stdout, run.stderr)
    os.rename(os.path.join(tree.top, "git"), os.path.join(tree.top, ".git"))


def main():
    need_unifdef("make grade")
    folder = Folder()
    tree = Tree(folder)
    try:
        grade_starter(tree)
        score, report = grade_both(tree, readable_guard_pages(), "one mistake")
        check(0 < int(score[0]) < 100 and "again:    tools/grade --lab 3" in report, "and it costs some of the points", report)
        again = re.search(r"again: +(tools/grade .*--only no-access .*)", report)[1]
        run = tree.call("sh", "-c", again)
        check(run.returncode == LOST and "0/5" in run.stdout, "the command that it names works in the student's tree", run.stdout, run.stderr)
        score, report = grade_both(tree, solution(), "the solution")
        check_equal(score, ["100"], "the solution has the full score at home", report)
        workflow(tree)
        lost_history(tree)
        grade_as_plain_user(tree)
        folder.check_nothing_left("all that")
    finally:
        tree.close()
        folder.close()
    done()


main()
