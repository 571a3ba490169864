#!/usr/bin/env python3
"""The pictures of the screen in docs/ can be read, letter by letter; and tools/screenshots takes such ones today."""
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, check_equal, done  # noqa: E402
import screen  # noqa: E402

# What each has to show, in this order.
CONTENTS = {
    "screen-tour": (r"zeropage: a small x86_64 kernel", r"zeropage\$ free", r"in all +\d+ +\d+ KiB", r"zeropage\$ tour -s",
                    r"A tour of anonymous memory", r"z  reads as zero: shows the one zero frame", r"\(Enter goes on\)"),
    "screen-memview": (r"The frames of this machine: \d+", r"frames free, \d+ MiB", r". free, promised  K kernel",
                       r"Process \d+, tour: \d+ pages promised", r"7ffff7fef000 rw-p ##zz\.{4}####\.{4}", r"^-{70}",
                       r"4  First read, then written", r"\[##zz\.{4}####\.{4}\]  2 of the 4 pages read are written now"),
}
COLOURS = {"screen-tour": 6, "screen-memview": 8}
SIZE = (800, 600)


class Drawing:
    """A PNG as screen.write_png makes them, with the attributes of a screen.Picture."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        parts, at = {}, 8
        while at < len(data):
            size, kind = struct.unpack_from(">I4s", data, at)
            parts[kind] = data[at + 8:at + 8 + size]
            if zlib.crc32(data[at + 4:at + 8 + size]) != struct.unpack_from(">I", data, at + 8 + size)[0]:
                raise ValueError(f"the sum of {kind} is wrong")
            at += 12 + size
        self.width, self.height = struct.unpack_from(">II", parts[b"IHDR"])
        palette = [parts[b"PLTE"][i:i + 3] for i in range(0, len(parts[b"PLTE"]), 3)]
        self.used, lines = len(palette), zlib.decompress(parts[b"IDAT"])
        step = self.width + 1
        self.rows = [b"".join(palette[index] for index in lines[y * step + 1:(y + 1) * step]) for y in range(self.height)]


def judge(path, name, where):
    try:
        picture = Drawing(path)
    except (OSError, KeyError, ValueError, struct.error, zlib.error) as problem:
        check(False, f"{where} {name}.png is a picture", problem)
        return
    check_equal((picture.width, picture.height), SIZE, f"{where} {name}.png is as large as the screen")
    text = "\n".join(screen.read_text(picture, screen.load_font(), {}))
    check("\ufffd" not in text, f"{where} {name}.png: each character is a glyph of the font", text)
    at = 0
    for words in CONTENTS[name]:
        found = re.compile(words, re.MULTILINE).search(text, at)
        if not check(found, f"{where} {name}.png shows {words}", text):
            break
        at = found.end()
    check(picture.used >= COLOURS[name], f"{where} {name}.png is in colours", picture.used)


def main():
    for name in CONTENTS:
        judge(os.path.join(ROOT, "docs", f"{name}.png"), name, "docs:")
    with tempfile.TemporaryDirectory(prefix="zeropage-pictures-") as folder:
        name = "screen-memview"     # the longer way; tests/boot/screen.t has the other one's
        run = subprocess.run([os.path.join(ROOT, "tools", "screenshots"), folder, name], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, env=dict(os.environ, BUILD=os.path.relpath(BUILD, ROOT)), check=False)
        check_equal((run.returncode, run.stdout, run.stderr), (0, f"{folder}/{name}.png\n", ""), "tools/screenshots says what it has taken")
        check_equal(os.listdir(folder), [f"{name}.png"], "and takes no other")
        judge(os.path.join(folder, f"{name}.png"), name, "today:")
    done()


main()
