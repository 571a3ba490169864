#!/usr/bin/env python3
"""README.md shows what tour says: its first chapters, word for word. `tests/outside/readme.t --write` renews them."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from witness import Run  # noqa: E402
from tap import ROOT, check, check_equal, done  # noqa: E402

README = os.path.join(ROOT, "README.md")
BLOCK = re.compile(r"(<!-- tour -->\n```\n)(.*?)(```\n<!-- /tour -->)", re.DOTALL)
FIRST, BEHIND = "2  Reading", "5  The heap"


def chapters(output):
    return output[output.index(FIRST):output.index(BEHIND)].rstrip() + "\n"


def without_numbers_of_the_boot(text):
    """Which frames are free, and how many, differs from build to build; addresses of mappings do not."""
    return re.sub(r"(frame )0x[0-9a-f]+( -> 0x[0-9a-f]+)?|(frames: )\d+ -> \d+", r"\1\3N", text)


def main():
    run = Run("tour", "--plain", log_exceptions=False)
    check_equal(run.status, 0, "tour ends well", run.output, run.errors)
    with open(README, encoding="utf-8") as file:
        text = file.read()
    block = BLOCK.search(text)
    told = chapters(run.output)
    if sys.argv[1:] == ["--write"]:
        with open(README + ".part", "w", encoding="utf-8") as file:
            file.write(BLOCK.sub(lambda match: match[1] + told + match[3], text))
        os.replace(README + ".part", README)
        return
    if check(block, "README.md has tour's chapters between its marks"):
        check_equal(without_numbers_of_the_boot(block[2]), without_numbers_of_the_boot(told),
                    "README.md shows what tour says")
    done()


main()
