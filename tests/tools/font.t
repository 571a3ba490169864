#!/usr/bin/env python3
"""The font's drawing and what is made of it; and the tools of the screen when they are called wrongly."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check, check_equal, done  # noqa: E402
import screen  # noqa: E402

FONT_TOOL = os.path.join(ROOT, "tools", "font")
GLYPH = "41\n" + "........\n" * 2 + "#.......\n" + "......#.\n" + ".......#\n" + "........\n" * 11


def run(*words, **environment):
    result = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                            env={**{name: value for name, value in os.environ.items() if "DISPLAY" not in name}, **environment})
    return result.returncode, result.stdout, result.stderr


def glyphs_of(source):
    return [[int(value) for value in row.split(",")] for row in re.findall(r"^ +db (.*)$", source, re.MULTILINE)]


def font_of(folder, text):
    path = os.path.join(folder, "font.txt")
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return run(FONT_TOOL, path)


def test_font(folder):
    status, source, errors = font_of(folder, "# a comment\n\n" + GLYPH)
    glyphs = glyphs_of(source)
    check_equal((status, len(glyphs), errors), (0, 256, ""), "a font has 256 glyphs")
    check_equal(glyphs[0x41][:6], [0, 0, 0xc0, 0x03, 0x01, 0], "the pen is two pixels wide, to the right")
    check(not any(any(rows) for number, rows in enumerate(glyphs) if number != 0x41), "glyphs that are not drawn are empty")
    _, source, _ = font_of(folder, GLYPH.replace("41", "41=", 1))
    check_equal(glyphs_of(source)[0x41][:6], [0, 0, 0x80, 0x02, 0x01, 0], "`=` takes the drawing as it is")
    for text, sentence in ((GLYPH.replace("#.......", "#......", 1), r"line 4: .* 8 pixels"),
                           (GLYPH.replace("#.......", "#.....x.", 1), r"line 4: .* 8 pixels"),
                           (GLYPH.replace("41", "4g", 1), r"line 1: .* hexadecimal"),
                           (GLYPH.replace("41", "41 42", 1), r"line 2: here are 1 glyphs, and above them 2"),
                           (GLYPH[:-9], r"lack 1 rows")):
        status, _, errors = font_of(folder, text)
        check(status == 1 and re.search(sentence, errors) and errors.count("\n") == 1, f"a mistake is told: {sentence}", errors)
    check_equal(run(FONT_TOOL)[0], 2, "tools/font without a file is told its usage")
    check_equal(run(FONT_TOOL, "/nothing")[::2], (1, "tools/font: can't read /nothing\n"), "a file that isn't there is a sentence")


def test_drawing():
    font = screen.load_font()
    drawn = set(font.values())
    check(all(chr(code) in drawn for code in range(0x20, 0x7f)), "each character of ASCII is drawn",
          [chr(code) for code in range(0x20, 0x7f) if chr(code) not in drawn])
    check(all(character in drawn for character in "äöüÄÖÜßéèà─│┌┐└┘├┤┬┴┼█▀▄░▒▓■·•↑↓→←°"), "so are the others that the screen knows")
    check_equal(len(font), len(drawn), "no two characters look the same")
    with open(os.path.join(ROOT, "kernel", "dev", "vt_glyph.c"), encoding="utf-8") as file:
        numbers = {int(number, 16) for number in re.findall(r"\{ 0x[0-9a-f]{4}, 0x([0-9a-f]{2}) \}", file.read())}
    missing = [hex(number) for number in numbers if screen.characters([number]) not in drawn]
    check_equal(missing, [], "each glyph that characters are mapped to is drawn")


def test_tools(folder):
    boot, screenshots = os.path.join(ROOT, "tools", "boot"), os.path.join(ROOT, "tools", "screenshots")
    status, _, errors = run(boot, "--window")
    check((status, errors.count("\n")) == (1, 1) and "no display" in errors, "run-window without a display is a sentence", errors)
    check_equal(run(screenshots)[0::2], (2, "usage: tools/screenshots FOLDER [screen-tour | screen-memview]\n"), "tools/screenshots wants a folder")
    check_equal(run(screenshots, os.path.join(folder, "none"))[0], 2, "and one that is there")
    status, _, errors = run(screenshots, folder, BUILD="nothing-here")
    check(status == 1 and errors.startswith("tools/screenshots: QEMU has ended"), "without an ISO it says so", errors)
    check_equal([name for name in os.listdir(folder) if name.endswith(".png")], [], "and leaves no picture")


with tempfile.TemporaryDirectory(prefix="zeropage-font-") as scratch:
    test_font(scratch)
    test_drawing()
    test_tools(scratch)
done()
