#!/usr/bin/env python3
"""Lab 0 is graded by answers: what a file may look like, what a student is told, and that class and home give the same score."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
sys.dont_write_bytecode = True
from tap import ROOT, check, check_contains, check_equal, done, skip  # noqa: E402
from grader import answers  # noqa: E402
from grader.words import Problem  # noqa: E402

SEED = 4711
LAB = os.path.join(ROOT, "tests", "labs", "0")
NAMES = ["seed", "pages_of_a", "zero_page"]
FULL, LOST, WRONG = 0, 1, 2


def run(*words, cwd=ROOT):
    got = subprocess.run(words, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
    return got.returncode, got.stdout, got.stderr


def grade(submission, *options, tree=ROOT):
    return run(os.path.join(tree, "tools", "grade"), "--lab", "0", *options, submission, cwd=tree)


# --- The file ---------------------------------------------------------------------------------------------------------

def numbers_in(line):
    return answers.Sheet(f"{line}\n".encode(), NAMES).numbers.get("zero_page", (None,))[0]


def check_lines():
    for line, number in (("zero_page = 12", 12), ("zero_page=12", 12), ("  zero_page =\t12  # by counting", 12), ("zero_page = 0x1F", 31),
                         ("zero_page = 0X1f", 31), ("zero_page = 007", 7), ("zero_page = 0", 0)):
        check_equal(numbers_in(line), number, f"read as a number: {line!r}")
    for line in ("zero_page = ", "zero_page = twelve", "zero_page = -1", "zero_page = +1", "zero_page = 1.0", "zero_page = 1e3",
                 "zero_page = 1_000", "zero_page = 1,000", "zero_page = 0x", "zero_page = 1f", "zero_page = 0b1", "zero_page = 12 pages",
                 "zero_page = \u0661\u0662", "zero_page = " + "9" * 21, "zero_page = 0x" + "f" * 17, "zero_page == 12", "zero_page: 12",
                 "zero_page = 3\nzero_page = 3", "zero page = 3", "ZERO_PAGE = 3"):
        check_equal(numbers_in(line), None, f"no number: {line[:40]!r}")


def check_files():
    for content, name in ((b"\xef\xbb\xbfseed = 1\r\nzero_page = 2\r\n", "Windows' ends of lines, and its mark at the beginning"),
                          (b"seed = 1\rzero_page = 2", "an old Macintosh's ends of lines, and none at the end")):
        check_equal(answers.Sheet(content, NAMES).numbers, {"seed": (1, "1"), "zero_page": (2, "2")}, f"read: {name}")
    sheet = answers.Sheet("zero_page = 2".encode("utf-16"), NAMES)
    check(not sheet.numbers and "UTF-16" in sheet.stray[0], "another encoding is named", sheet.stray)
    for content in (b"", b"\0" * 5000, b"\xff" * 5000, os.urandom(5000), b"=\n" * 5000, b"zero_page" * 1000, b"\x1b[2Jzero_page = \x1b[2J"):
        sheet = answers.Sheet(content, NAMES)
        said = " ".join([*sheet.trouble.values(), *sheet.stray])
        check(not sheet.numbers and len(sheet.trouble) == len(NAMES) and "\x1b" not in said, f"junk is told of, not shown: {content[:12]!r}")


# --- Seals and seeds ----------------------------------------------------------------------------------------------------

def check_seals():
    key = answers.OpenKey(SEED, {"zero_page": 40}, {"zero_page": {30: "too few", 40: "never said, for it is right"}})
    sealed = answers.SealedKey(json.loads(json.dumps(key.sealed())))
    for number in (40, 30, 31):
        check_equal(sealed.verdict("zero_page", number), key.verdict("zero_page", number), f"the seals say of {number} what the truth says")
    check(not re.search(r'"(40|30)"', json.dumps(key.sealed())), "and have no number in them")
    check(sealed.verdict("pages_of_a", 40) is None, "a question without seals has no right answer")
    other = answers.OpenKey(SEED + 1, {"zero_page": 40}, {}).sealed()["questions"]["zero_page"]
    check(not set(other) & set(key.sealed()["questions"]["zero_page"]), "the same number has other seals for another seed")


def refusal(given, submission):
    try:
        return answers.seed_of(given, submission)
    except Problem as problem:
        return str(problem)


def check_seeds(folder):
    listing = os.path.join(folder, "seeds")
    with open(listing, "w", encoding="utf-8") as file:
        file.write("# who has which\nada 17\nbob,4711\ncarl 1\ncarl 2\ndora 10000\n")
    check_equal([answers.seed_of(listing, name) for name in ("x/ada", "x/ada.tar.gz", "ada.zip", "bob/", "bob.txt")],
                [17, 17, 17, 4711, 4711], "a list knows a submission by its name, with or without an ending")
    check_equal((answers.seed_of(None, "x"), answers.seed_of("12", "x")), (None, 12), "a seed alone is one, and none is none")
    for given, submission, sentence in ((listing, "eve", "has no seed for eve"), (listing, "carl", "has two seeds for carl"),
                                        (listing, "dora", "from 0 to 9999"), ("10000", "x", "from 0 to 9999"),
                                        (os.path.join(folder, "none"), "x", "can't be read"), (__file__, "x", "is no list of seeds")):
        check_contains(str(refusal(given, submission)), sentence, f"refused: {sentence}")
    status, _, errors = grade(listing, "--seeds", listing)
    check(status == WRONG and "no seed for seeds" in errors and "Traceback" not in errors, "and the grader says so", errors)


# --- The score at home and in class ---------------------------------------------------------------------------------------

def points(output):
    return re.findall(r"^ +(\d+)/\d+ +(\w+)", output, re.MULTILINE)


def check_scores(folder):
    tree = os.path.join(folder, "tree")
    status, _, errors = run(os.path.join(ROOT, "tools", "lab"), "0", tree, "--seed", str(SEED))
    if not check(status == 0, "a tree of lab 0 is written", errors):
        return
    key = answers.boot_for(LAB, SEED, ROOT)
    home = os.path.join(tree, "answers.txt")
    with open(home, encoding="utf-8") as file:
        form = file.read()

    def hand_in(numbers):
        text = form
        for question, number in numbers.items():
            text = text.replace(f"\n{question} =\n", f"\n{question} = {number}\n")
        with open(home, "w", encoding="utf-8") as file:
            file.write(text)
        own = grade(".", tree=tree)
        lecturers = grade(home, "--seeds", str(SEED))
        check_equal(points(own[1]), points(lecturers[1]), "class and home give the same points", own, lecturers)
        return own

    status, output, errors = hand_in({})
    check(status == LOST and "Score: 0 of 100" in output and "nothing stands behind \"zero_page =\"" in output, "an empty form: 0, and why",
          output, errors)
    status, output, errors = hand_in(key.truth)
    check(status == FULL and "Score: 100 of 100" in output, "the truth: 100", output, errors)
    wrong = {question: min(mistakes) for question, mistakes in key.mistakes.items()}
    wrong["refused_error"] = key.truth["refused_error"] + 1000
    wrong["page_tables"] = hex(key.truth["page_tables"])[2:]
    status, output, errors = hand_in(wrong)
    check(status == LOST and "Score: 1 of 100" in output, "wrong numbers: only the form is as it should be", output, errors)
    told = [f"{wrong['zero_page']} is {key.mistakes['zero_page'][wrong['zero_page']]}", "is not what happens in a boot with your seed",
            "is right in hexadecimal", "pfbreak not_writable"]
    for words in told:
        check_contains(output, words, f"a wrong number is explained: {words[:50]}")
    shown = [question for question in ("zero_page", "frames_of_a", "refused_at") if re.search(rf"\b({key.truth[question]}|{key.truth[question]:#x})\b", output)]
    check(not shown, "and the right number is nowhere", *shown)
    status, output, errors = grade(".", "--only", "zero_page", "--trace", tree=tree)
    check("in truth" not in output and "Score: 0 of 9" in output, "not even in the steps", output)
    os.unlink(home)
    status, output, errors = grade(".", tree=tree)
    check(status == WRONG and "has none of the files of lab 0: answers.txt" in errors, "no file: a sentence", output, errors)
    with open(home, "wb") as file:
        file.write(b"\0" * (2 << 20))
    status, output, errors = grade(".", tree=tree)
    check(status == LOST and "answers.txt is too large" in output and "Traceback" not in errors, "a huge one: nothing is read", output, errors)


def main():
    if not shutil.which("unifdef") or not shutil.which("git"):
        skip("lab 0's grades", "unifdef or git is missing")
        done()
    check_lines()
    check_files()
    check_seals()
    with tempfile.TemporaryDirectory(prefix="zeropage-answers-") as folder:
        check_seeds(folder)
        check_scores(folder)
    done()


main()
