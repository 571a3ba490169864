#!/usr/bin/env python3
"""tools/reliability: results of runs come into the document, in their places, and bad ones are refused with a sentence."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check, check_contains, check_equal, done  # noqa: E402


def run(folder, *arguments):
    environment = dict(os.environ, BUILD=folder, RELIABILITY_DOCUMENT=os.path.join(folder, "page.md"))
    result = subprocess.run([os.path.join(ROOT, "tools/reliability"), *arguments], env=environment, capture_output=True,
                            text=True, timeout=60, check=False)
    return result.returncode, result.stdout, result.stderr


def read(folder, name="page.md"):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def write(folder, name, text):
    os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


with tempfile.TemporaryDirectory() as temporary:
    write(temporary, "page.md", "# Page\n\nabove\n<!-- result old -->\nkept\n<!-- /result -->\n"
          "<!-- result one -->\nstale\n<!-- /result -->\nbelow\n")
    check_equal(run(temporary, "record", "one", "--title", "One", "--rerun", "make one", "--tried", "a rule", "calls=1234567")[0],
                0, "a run leaves its result")
    check_equal(run(temporary, "record", "two", "--title", "Two", "--rerun", "make two")[0], 0, "also one without figures")
    check_equal(run(temporary)[0], 0, "the results are put in")
    page = read(temporary)
    check("stale" not in page and "| calls | 1,234,567 |" in page and "- a rule" in page and "`make one`, last on" in page,
          "a result takes its place, with its figures and how to run it again", page)
    check_contains(page, "<!-- result old -->\nkept\n<!-- /result -->", "what was not run again stays")
    check(page.index("below") < page.index("## Two") < page.index("<!-- result two -->"),
          "a result without a place becomes a section at the end", page)
    run(temporary)
    check_equal(read(temporary), page, "putting them in twice changes nothing")

    for arguments, sentence in ((("record", "One", "--title", "x", "--rerun", "x"), "small letters"),
                                (("record", "one", "--title", "x", "--rerun", "x", "calls"), "FIGURE=VALUE")):
        status, _, errors = run(temporary, *arguments)
        check(status == 1 and sentence in errors and errors.count("\n") == 1, f"refused: {' '.join(arguments)}", errors)
    for text in ("{", "[]", json.dumps({"title": 1})):
        write(temporary, "reliability/bad.json", text)
        status, _, errors = run(temporary)
        check(status == 1 and "is no result" in errors and read(temporary) == page, f"no result: {text}", errors)
    os.unlink(os.path.join(temporary, "reliability/bad.json"))
    os.unlink(os.path.join(temporary, "page.md"))
    status, _, errors = run(temporary)
    check(status == 1 and "cannot read" in errors, "a missing document is a sentence", errors)
done()
