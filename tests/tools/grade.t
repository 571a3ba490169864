#!/usr/bin/env python3
"""tools/grade itself: whatever a submission is or does, there is a score, a reason, and nothing left behind."""
import glob
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check, check_contains, check_equal, done, is_running, skip  # noqa: E402

GRADE = os.path.join(ROOT, "tools", "grade")
FAULT = "mm/fault.c"
FIRST = "read-maps-the-zero-frame"
BEFORE = "static inline enum fault_outcome do_anonymous_page(struct vm_fault *vmf)\n{\n"
FULL, LOST, WRONG = 0, 1, 2


def grade(*arguments, timeout=280):
    run = subprocess.run([GRADE, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
    return run.returncode, run.stdout, run.stderr


def solution():
    with open(os.path.join(ROOT, FAULT), encoding="utf-8") as file:
        return file.read()


class Folder:
    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="zeropage-test-grade-")

    def path(self, name):
        return os.path.join(self.top, name)

    def submission(self, name, text):
        place = self.path(name)
        os.makedirs(os.path.join(place, "mm"))
        with open(os.path.join(place, FAULT), "w", encoding="utf-8") as file:
            file.write(text)
        return place

    def kernel_that(self, name, statement, code=solution()):
        """A solution whose first fault executes STATEMENT."""
        assert BEFORE in code
        return self.submission(name, code.replace(BEFORE, BEFORE + "    " + statement + "\n"))


def wrong_use(folder):
    nothing = folder.path("nothing")
    fifo = folder.path("fifo")
    os.mkfifo(fifo)
    with open(folder.path("junk"), "wb") as file:
        file.write(b"no archive" * 100)
    empty = folder.path("empty")
    os.mkdir(empty)
    for arguments, sentence in (
            (["--lab", "99", ROOT], "there is no lab 99"), (["--lab", "3", nothing], "there is no submission"),
            (["--lab", "3", "--only", "nonsense", ROOT], "has no check nonsense"),
            (["--lab", "3", fifo], "neither a folder nor a file"), (["--lab", "3", folder.path("junk")], "neither a tar nor a zip"),
            (["--lab", "3", empty], "has none of the files"), (["--lab", "3", "--all", nothing], "is no folder"),
            (["--lab", "3", "--all", empty], "there is no submission in"), (["--lab", "3"], "give one SUBMISSION"),
            (["--lab", "3", "--jobs", "0", "--all", empty], "above 0"), (["--lab", "3", "--json", "/nowhere/x", ROOT], "no such folder"),
            (["--lab", "3", "--", "--upload-pack=x"], "is no submission")):
        status, _, errors = grade(*arguments)
        check(status == WRONG and sentence in errors and "Traceback" not in errors, f"wrong use: {' '.join(arguments)[:50]}",
              status, errors)


def archive(path, entries):
    with tarfile.open(path, "w:gz") as file:
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = kind, len(content), "/etc/passwd" if kind == tarfile.SYMTYPE else ""
            file.addfile(entry, io.BytesIO(content))


def hostile_archives(folder):
    """What is taken from an archive is a regular file with a permitted name, or nothing."""
    sys.path.insert(0, os.path.join(ROOT, "tools"))
    sys.dont_write_bytecode = True
    from grader.lab import read_lab
    from grader.submission import read_submission
    from grader.words import Problem
    lab = read_lab(ROOT, 3)

    def read(path):
        return read_submission(path, lab, lambda name: None, ROOT)

    path = folder.path("a.tar.gz")
    archive(path, [("../" + FAULT, tarfile.REGTYPE, b"x"), ("/" + FAULT, tarfile.REGTYPE, b"x"), (FAULT, tarfile.SYMTYPE, b"")])
    got = read(path)
    check_equal((got.files, got.refused), ({}, [f"{FAULT} is not a regular file"]), "names that lead out, and links, are not taken")
    archive(path, [("hand-in/" + FAULT, tarfile.REGTYPE, b"good"), ("hand-in/linker.ld", tarfile.REGTYPE, b"bad")])
    check_equal(read(path).files, {FAULT: b"good"}, "a folder at the top of the archive is looked through")
    archive(path, [(FAULT, tarfile.REGTYPE, bytes(2 << 20))])
    check(not read(path).files and "too large" in read(path).refused[0], "a huge file is not taken", read(path))
    archive(path, [(f"f{number}", tarfile.REGTYPE, b"") for number in range(20002)])
    try:
        read(path)
        check(False, "an archive that unpacks to very much is refused")
    except Problem as problem:
        check_contains(str(problem), "unpacks to more than", "an archive that unpacks to very much is refused")
    place = folder.path("links")
    os.makedirs(os.path.join(place, "mm"))
    os.mkfifo(os.path.join(place, FAULT))
    check_equal(read(place).refused, [f"{FAULT} is not a regular file"], "a FIFO in a folder is not opened for ever")
    os.unlink(os.path.join(place, FAULT))
    os.symlink("/etc/passwd", os.path.join(place, FAULT))
    check_equal(read(place).refused, [f"{FAULT} is a link"], "a link in a folder is not followed")


def ends_of_machines(folder):
    """Each of these kernels comes to an end of its own kind, and each has a score and a reason."""
    for name, statement, reason in (
            ("hangs", "for (;;)\n        asm volatile(\"\");", "it hangs"),
            ("halts", "asm volatile(\"cli; hlt\");", "halted with interrupts off"),
            ("resets", "static const char none[10];\n    asm volatile(\"lidt %0; int3\" : : \"m\"(none));", "the machine was reset")):
        status, output, errors = grade("--lab", "3", "--only", FIRST, folder.kernel_that(name, statement))
        check(status == LOST and reason in output and "Score: 0 of" in output, f"a kernel that {name}: a score and the reason",
              output[-1500:], errors)
    status, output, errors = grade("--lab", "3", "--only", FIRST, folder.submission("broken", "int x = ;\n"))
    check(status == LOST and "it does not build" in output and "error: expected" in output, "a build that fails shows its error",
          output, errors)


def our_emulators(pid):
    """The emulators below the process PID."""
    children = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            children.setdefault(int(text.rsplit(")", 1)[1].split()[1]), []).append((int(text.split()[0]), text))
        except OSError:
            pass
    found, below = [], [pid]
    while below:
        for child, text in children.get(below.pop(), ()):
            below.append(child)
            if "(qemu-system" in text:
                found.append(child)
    return found


def wait_for_emulator(process):
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        if found := our_emulators(process.pid):
            return found[0]
        time.sleep(0.005)
    return None


def interrupted(folder):
    """A grader that is told to end leaves no process and no folder; one whose emulator is killed tries again."""
    before = set(glob.glob(os.path.join(tempfile.gettempdir(), "zeropage-grade-*")))
    result = folder.path("partial.json")
    process = subprocess.Popen([GRADE, "--lab", "3", "--json", result, ROOT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    emulator = wait_for_emulator(process)
    while process.poll() is None and len(read_tests(result)) < 2:
        time.sleep(0.01)
    with open(result, encoding="utf-8") as file:
        partial = json.load(file)
    process.terminate()
    process.communicate(timeout=60)
    check_equal(process.returncode, 128 + signal.SIGTERM, "SIGTERM ends a grader")
    check(partial["score"] > 0 and not partial["extra_data"]["complete"] and sum(test["max_score"] for test in partial["tests"]) == 100,
          "after each check the result is on disk, the missing ones with 0 points", partial["score"])
    time.sleep(0.3)
    check(not is_running(emulator), "its emulator is gone")
    check_equal(set(glob.glob(os.path.join(tempfile.gettempdir(), "zeropage-grade-*"))) - before - {folder.top}, set(),
                "its temporary folder is gone")

    process = subprocess.Popen([GRADE, "--lab", "3", "--only", FIRST, ROOT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    emulator = wait_for_emulator(process)
    os.kill(emulator, signal.SIGKILL)
    output, _ = process.communicate(timeout=200)
    check(process.returncode == FULL, "an emulator that somebody kills is started again", output.decode())


def read_tests(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [test for test in json.load(file)["tests"] if test["status"] == "passed"]
    except (OSError, ValueError):
        return []


def reports(folder):
    wrong = folder.submission("wrong", solution().replace("zero_pfn, vm_get_page_prot", "zero_pfn, vm_get_own_page_prot"))
    json_path, junit_path = folder.path("r.json"), folder.path("r.xml")
    status, output, errors = grade("--lab", "3", "--seed", "7", "--only", FIRST, "--only", "nothing-mapped",
                                   "--json", json_path, "--junit", junit_path, wrong)
    check_equal(status, LOST, "points are lost: status 1", output, errors)
    for words in ("The first read of an untouched page maps the zero frame, read-only", "expected: the zero frame at",
                  "got:      frame", "the journal's last events:", f"--seed 7 --only {FIRST}", "Score: 7 of 17"):
        check_contains(output, words, f"the report has \"{words[:40]}\"")
    with open(json_path, encoding="utf-8") as file:
        result = json.load(file)
    check_equal([(test["score"], test["max_score"], test["visibility"]) for test in result["tests"]],
                [(0, 10, "visible"), (7, 7, "visible")], "results.json has Gradescope's fields")
    check_equal(result["score"], 7, "and the sum")
    suite = xml.parse(junit_path).getroot()
    check_equal((suite.get("tests"), suite.get("failures")), ("2", "1"), "JUnit counts tests and failures")
    again = re.search(r"again: +tools/grade (.*)", output)[1].split()
    status, output, _ = grade(*again, "--trace")
    check(status == LOST and "puppet 1: load" in output, "the command that it names runs the check again, with its steps", output)


def main():
    if shutil.which("unifdef") is None:
        skip("tools/grade", "unifdef is not installed (tools/setup labs)")
        done()
    folder = Folder()
    try:
        wrong_use(folder)
        hostile_archives(folder)
        ends_of_machines(folder)
        reports(folder)
        interrupted(folder)
    finally:
        shutil.rmtree(folder.top)
    done()


main()
