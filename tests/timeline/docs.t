#!/usr/bin/env python3
"""docs/tour.html, which the README links to, is what `make docs` would make now; but for the numbers of the boot."""
import array
import base64
import filecmp
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from helper import Folder  # noqa: E402
from tap import BUILD, ROOT, check, check_equal, done, skip  # noqa: E402

PAGE = os.path.join("docs", "tour.html")
LIMIT = 300 * 1024
RENEW = "`make docs` makes it anew"
DATA = re.compile(r'(id="about">)([^<]*)(</script>\s*<script type="text/plain" id="columns">)([^<]*)')
OF_THE_BOOT = ("frame_alloc", "frame_free")     # the kernel's own needs vary with its size


def make(folder, name):
    path = folder.path(name)
    run = subprocess.run([os.path.join(ROOT, "tools", "viewer", "record"), "-o", path, "tour"], stdin=subprocess.DEVNULL,
                         env=dict(os.environ, BUILD=os.path.relpath(BUILD, ROOT)), capture_output=True, text=True, check=False)
    check_equal((run.returncode, run.stderr), (0, ""), "the tour's timeline is made without a word of trouble")
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def columns(text, form, at, count):
    """(COUNT numbers of the page's packed columns, where the next begin)"""
    numbers = array.array(form)
    numbers.frombytes(text[at:at + count * numbers.itemsize])
    return numbers, (at + count * numbers.itemsize + 7) & ~7


def story(page):
    """The events of a page in their order, each with what does not vary from build to build."""
    _, about, _, data = DATA.search(page).groups()
    about, block = json.loads(about), zlib.decompress(base64.b64decode(data))
    kinds, at = columns(block, "B", 0, about["events"])
    pids, at = columns(block, "I", at, about["events"])
    _, at = columns(block, "I", at, about["events"])
    arguments = []
    for (_, names), count in zip(about["kinds"], about["counts"]):
        arguments.append({})
        for name in names:
            arguments[-1][name], at = columns(block, "Q", at, count)
    told, ranks = [], [0] * len(arguments)
    for kind, pid in zip(kinds, pids):
        name, rank = about["kinds"][kind][0], ranks[kind]
        ranks[kind] += 1
        if name not in OF_THE_BOOT:
            told.append((name, pid) + constant(about, name, {key: column[rank] for key, column in arguments[kind].items()}))
    return about["title"], told


def constant(about, kind, arguments):
    if kind == "fault":
        function, file, line, excerpt = about["sources"].get(f"{arguments['ip']:#x}", ["", "", 0, []])
        text = excerpt[1 + line - excerpt[0]] if excerpt else ""
        return (about["outcomes"][arguments["outcome"]], function, file, text)
    if kind == "syscall":
        return (about["calls"].get(str(arguments["number"])),)
    if kind == "process":
        return (about["steps"][arguments["what"]], arguments["process"])
    return ()


def first_difference(one, other):
    place = next((place for place, (left, right) in enumerate(zip(one, other)) if left != right), min(len(one), len(other)))
    return f"event {place} of {len(one)} and {len(other)}: {one[place:place + 1]} and {other[place:place + 1]}"


def test_picture(folder):
    """The one beside the link."""
    kept = os.path.join(ROOT, "docs", "timeline-tour.png")
    if not shutil.which("chromium"):
        skip("a picture of the page can be taken", "no Chromium (make setup-viewer installs it)")
        return
    path = folder.path("picture.png")
    run = subprocess.run([os.path.join(ROOT, "tools", "viewer", "picture"), folder.path("once.html"), folder.path("once.jsonl"), path],
                         capture_output=True, text=True, check=False)
    sizes = []
    for name in (kept, path):
        if check(os.path.exists(name), f"{os.path.basename(name)} is there", run.stderr, RENEW):
            with open(name, "rb") as file:
                sizes.append(struct.unpack(">8s4x4s2I", file.read(24)))
    check(len(sizes) == 2 and sizes[0] == sizes[1], "a picture of the page is as large as the one in docs/", sizes)


def main():
    folder = Folder()
    once, again = make(folder, "once.html"), make(folder, "again.html")
    check(filecmp.cmp(once, again, shallow=False), "two runs of a build make the same page, byte for byte")
    path = os.path.join(ROOT, PAGE)
    if check(os.path.exists(path), f"{PAGE} is there", RENEW):
        kept, made = read(path), read(once)
        check(len(kept) < LIMIT, f"{PAGE} is smaller than 300 KB", f"{len(kept)} bytes")
        check(DATA.sub(r"\1\3", kept) == DATA.sub(r"\1\3", made), f"{PAGE} is the viewer's present page", RENEW)
        (title, told), (new_title, tells) = story(kept), story(made)
        check_equal(title, new_title, f"{PAGE} has the same title")
        check(told == tells, f"{PAGE} tells what the tour does now", first_difference(told, tells), RENEW)
        check(sum(event[0] == "fault" for event in told) > 30, "with all of its page faults", len(told))
    links = re.findall(r"\]\(([^)#]+)", read(os.path.join(ROOT, "README.md")))
    check(PAGE in links, f"the README links to {PAGE}", links)
    test_picture(folder)
    folder.cleanup()
    done()


main()
