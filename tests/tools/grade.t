#!/usr/bin/env python3
"""tools/grade itself: what it is given, what it says and writes, and what is left when it or its emulator is ended."""
import gzip
import io
import json
import os
import re
import signal
import sys
import tarfile
import time
import xml.etree.ElementTree as xml
import zipfile

from grading import FAULT, FIRST, FULL, LOST, WRONG, Folder, need_unifdef, writable_zero_frame
from tap import ROOT, check, check_contains, check_equal, done, is_running

sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.dont_write_bytecode = True
from grader.lab import read_lab  # noqa: E402
from grader import submission  # noqa: E402
from grader.words import Problem  # noqa: E402


def wrong_use(folder):
    nothing, fifo, junk, empty = (folder.path(name) for name in ("nothing", "fifo", "junk", "empty"))
    os.mkfifo(fifo)
    with open(junk, "wb") as file:
        file.write(b"no archive" * 100)
    os.mkdir(empty)
    for arguments, sentence in (
            (["--lab", "99", ROOT], "there is no lab 99"), (["--lab", "3", nothing], "there is no submission"),
            (["--lab", "3", "--only", "nonsense", ROOT], "has no check nonsense"),
            (["--lab", "3", fifo], "neither a folder nor a file"), (["--lab", "3", junk], "neither a tar nor a zip"),
            (["--lab", "3", empty], "has none of the files"), (["--lab", "3", "--all", nothing], "is no folder"),
            (["--lab", "3", "--all", empty], "there is no submission in"), (["--lab", "3"], "give one SUBMISSION"),
            (["--lab", "3", "--all", folder.top, "--results", folder.top], "need a folder of their own"),
            (["--lab", "3", "--jobs", "0", "--all", empty], "above 0"), (["--lab", "3", "--json", "/nowhere/x", ROOT], "no such folder"),
            (["--lab", "3", "--wall", "china", ROOT], "invalid choice"), (["--lab", "3", "--", "--upload-pack=x"], "is no submission")):
        status, _, errors = folder.grade(*arguments)
        check(status == WRONG and sentence in errors and "Traceback" not in errors, f"wrong use: {' '.join(arguments)[:50]}",
              status, errors)


# --- What is read ------------------------------------------------------------------------------------------------------

def read(path):
    return submission.read_submission(path, read_lab(ROOT, 3), lambda name: None, ROOT)


def refusal(path):
    try:
        return f"it was read: {read(path)}"
    except Problem as problem:
        return str(problem)


def write_tar(path, entries):
    with tarfile.open(path, "w:gz") as file:
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            linked = kind in (tarfile.SYMTYPE, tarfile.LNKTYPE)
            entry.type, entry.size, entry.linkname = kind, 0 if linked else len(content), content.decode() if linked else ""
            file.addfile(entry, io.BytesIO(content))


def hostile_archives(folder):
    """What is taken from an archive is a regular file with a permitted name, or nothing."""
    path = folder.path("a.tar.gz")
    write_tar(path, [("../" + FAULT, tarfile.REGTYPE, b"x"), ("/" + FAULT, tarfile.REGTYPE, b"x"), ("a/../../" + FAULT, tarfile.REGTYPE, b"x")])
    check_equal((read(path).files, read(path).refused), ({}, []), "names that lead out of an archive are not taken")
    for kind, content, name in ((tarfile.SYMTYPE, b"/etc/passwd", "a link"), (tarfile.SYMTYPE, b"fault.c", "a link to itself"),
                                (tarfile.LNKTYPE, b"mm/fault.c", "a hard link to itself"), (tarfile.LNKTYPE, b"linker.ld", "a hard link"),
                                (tarfile.CHRTYPE, b"", "a device"), (tarfile.FIFOTYPE, b"", "a FIFO")):
        write_tar(path, [("mm", tarfile.DIRTYPE, b""), ("linker.ld", tarfile.REGTYPE, b"x"), (FAULT, kind, content)])
        check_equal((read(path).files, read(path).refused), ({}, [f"{FAULT} is not a regular file"]), f"{name} in an archive is not taken")
    write_tar(path, [("mm", tarfile.SYMTYPE, b"."), (FAULT, tarfile.REGTYPE, b"good")])
    check_equal(read(path).files, {FAULT: b"good"}, "a folder that is a link leads nowhere: nothing is unpacked")
    write_tar(path, [("hand-in/" + FAULT, tarfile.REGTYPE, b"good"), ("hand-in/linker.ld", tarfile.REGTYPE, b"bad")])
    check_equal(read(path).files, {FAULT: b"good"}, "a folder at the top of the archive is looked through")
    write_tar(path, [(FAULT, tarfile.REGTYPE, bytes(2 << 20))])
    check(not read(path).files and "too large" in read(path).refused[0], "a huge file is not taken", read(path))
    submission.MOST_NAMES, submission.LARGEST_ARCHIVE = 200, 4 << 20      # that these tests are fast
    write_tar(path, [(f"f{number}", tarfile.REGTYPE, b"") for number in range(202)])
    check_contains(refusal(path), "unpacks to more than", "an archive of very many files is refused")
    write_tar(path, [(f"f{number}", tarfile.REGTYPE, bytes(1 << 20)) for number in range(5)])
    check_contains(refusal(path), "unpacks to more than", "an archive that unpacks to very much is refused")
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 3 << 30
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT) + bytes(128 << 20))
    submission.READING_MEMORY = 128 << 20
    check_contains(refusal(path), "takes more than 128 megabytes of memory", "an archive whose headers are longer than memory is refused")
    submission.READING_MEMORY = 1 << 30
    with open(path, "rb") as file:
        half = file.read()[:300]
    with open(path, "wb") as file:
        file.write(half)
    check_contains(refusal(path), "neither a tar nor a zip archive that can be read", "half an archive is refused")
    packed = folder.path("a.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        link = zipfile.ZipInfo(FAULT)
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("../../mm/fault.c", "x")
    check_equal((read(packed).files, read(packed).refused), ({}, [f"{FAULT} is not a regular file"]), "a zip's links and ways out, too")


def hostile_folders(folder):
    place = folder.path("links")
    os.makedirs(os.path.join(place, "mm"))
    fault = os.path.join(place, FAULT)
    os.mkfifo(fault)
    check_equal(read(place).refused, [f"{FAULT} is not a regular file"], "a FIFO in a folder is not opened for ever")
    os.unlink(fault)
    for target in ("/etc/passwd", "fault.c"):
        os.symlink(target, fault)
        check_equal(read(place).refused, [f"{FAULT} is a link"], f"a link to {target} in a folder is not followed")
        os.unlink(fault)
    os.symlink("..", os.path.join(place, "mm", "round"))
    os.symlink(".", os.path.join(place, "here"))
    with open(fault, "w", encoding="ascii") as file:
        file.write("good")
    check_equal(read(place).files, {FAULT: b"good"}, "links that go round in a circle are left alone")
    os.rename(os.path.join(place, "mm"), os.path.join(place, "elsewhere"))
    os.symlink("elsewhere", os.path.join(place, "mm"))
    check_equal(read(place).files, {}, "a folder that is a link is not gone into")


# --- What it says --------------------------------------------------------------------------------------------------------

def reports(folder):
    wrong = folder.submission("wrong", writable_zero_frame())
    json_path, junit_path = folder.path("r.json"), folder.path("r.xml")
    status, output, errors = folder.grade("--lab", "3", "--seed", "7", "--only", FIRST, "--only", "nothing-mapped", "--json", json_path,
                                          "--visibility", "after_due_date", "--junit", junit_path, wrong)
    check_equal(status, LOST, "points are lost: status 1", output, errors)
    for words in ("The first read of an untouched page maps the zero frame, read-only", "expected: the zero frame at",
                  "got:      frame", "the journal's last events:", f"--seed 7 --only {FIRST}", "Score: 7 of 17"):
        check_contains(output, words, f"the report has \"{words[:40]}\"")
    with open(json_path, encoding="utf-8") as file:
        result = json.load(file)
    check_equal([(test["score"], test["max_score"], test["status"], test["visibility"]) for test in result["tests"]],
                [(0, 10, "failed", "after_due_date"), (7, 7, "passed", "after_due_date")],
                "results.json has Gradescope's fields, visible when the lecturer says")
    check_equal((result["score"], result["extra_data"]["reason"]), (7, f"1 check not kept: {FIRST}"), "and the sum, and what was lost")
    suite = xml.parse(junit_path).getroot()
    check_equal((suite.get("tests"), suite.get("failures")), ("2", "1"), "JUnit counts tests and failures")
    again = re.search(r"again: +tools/grade (.*)", output)[1].split()
    status, output, _ = folder.grade(*again, "--trace")
    check(status == LOST and "puppet 1: load" in output, "the command that it names runs the check again, with its steps", output)
    status, output, errors = folder.grade("--lab", "3", "--only", "nothing-mapped", "HEAD")
    check(status == FULL and "7/7" in output, "a commit can be graded", output, errors)


# --- How it ends -----------------------------------------------------------------------------------------------------------

def emulators_of(folder):
    found = []
    for pid in folder.processes():
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                found += [pid] if file.read().startswith("qemu-system") else []
        except OSError:
            pass
    return found


def wait_for(process, condition):
    end = time.monotonic() + 200
    while time.monotonic() < end and process.poll() is None and not condition():
        time.sleep(0.01)
    return condition()


def passed(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [test for test in json.load(file)["tests"] if test["status"] == "passed"]
    except (OSError, ValueError):
        return []


def interrupted(folder):
    """A grader that is told to end leaves no process and no folder; one whose emulator is killed tries again."""
    result = folder.path("partial.json")
    process = folder.start("--lab", "3", "--json", result, ROOT)
    wait_for(process, lambda: len(passed(result)) >= 2)
    with open(result, encoding="utf-8") as file:
        partial = json.load(file)
    process.terminate()
    process.communicate(timeout=60)
    check_equal(process.returncode, 128 + signal.SIGTERM, "SIGTERM ends a grader")
    check(partial["score"] > 0 and not partial["extra_data"]["complete"] and sum(test["max_score"] for test in partial["tests"]) == 100,
          "after each check the result is on disk, the missing ones with 0 points", partial["score"])
    folder.check_nothing_left("a grader that is told to end")

    process = folder.start("--lab", "3", ROOT)
    emulator = wait_for(process, lambda: emulators_of(folder))
    process.kill()
    process.communicate(timeout=60)
    check(emulator and not folder.wait_for_end() and not is_running(emulator[0]), "kill -9 takes the emulator along", folder.processes())
    left = os.listdir(folder.temporary)

    process = folder.start("--lab", "3", "--only", FIRST, ROOT)
    if emulator := wait_for(process, lambda: emulators_of(folder)):
        os.kill(emulator[0], signal.SIGKILL)
    output, _ = process.communicate(timeout=200)
    check(emulator and process.returncode == FULL, "an emulator that somebody kills is started again", output)
    check(left, "kill -9 leaves a folder")
    folder.check_nothing_left("the next grader")


def proof_killed(folder):
    """The workers of labs-check hear of its end, however that came."""
    labs_check = os.path.join(ROOT, "tests", "labs", "labs-check")
    process = folder.start("--jobs", "1", "--case", "lab 3: starter", "3", program=labs_check)
    wait_for(process, lambda: [name for name in os.listdir(folder.temporary) if name.startswith("zeropage-grading-")])
    process.kill()
    process.communicate(timeout=60)
    folder.check_nothing_left("labs-check, killed by kill -9,")


def main():
    need_unifdef("tools/grade")
    folder = Folder()
    try:
        wrong_use(folder)
        hostile_archives(folder)
        hostile_folders(folder)
        reports(folder)
        interrupted(folder)
        proof_killed(folder)
    finally:
        folder.close()
    done()


main()
