"""A machine with a screen and a keyboard but no window: types keys, reads the screen, makes pictures of it."""
import os
import re
import socket
import struct
import subprocess
import time
import zlib

import qemu

FONT = os.path.join(qemu.ROOT, "kernel", "dev", "font.txt")
GLYPH_WIDTH, GLYPH_HEIGHT = 8, 16
PROMPT = b"(qemu) "
LAMP_EVENT = "ps2_set_ledstate"     # of QEMU's own trace
TEXT_MEMORY, TEXT_ROWS, TEXT_COLUMNS = 0xb8000, 25, 80

# The keys that sendkey knows by a name of their own.
KEY_NAMES = {" ": "spc", "\n": "ret", "-": "minus", "/": "slash", ".": "dot", ",": "comma", ";": "semicolon", "'": "apostrophe",
             "=": "equal", "\\": "backslash", "[": "bracket_left", "]": "bracket_right", "`": "grave_accent", "\t": "tab",
             "\x1b": "esc", "\x7f": "backspace"}
SHIFTED = {"&": "7", "|": "backslash", "<": "comma", ">": "dot", "\"": "apostrophe", "$": "4", "*": "8", "_": "minus", "!": "1",
           ":": "semicolon", "?": "slash", "#": "3", "%": "5", "(": "9", ")": "0", "+": "equal", "@": "2", "^": "6",
           "~": "grave_accent", "{": "bracket_left", "}": "bracket_right"}


# What the PC shows for these numbers; for Python they are control characters.
PICTURED = {0x07: "•", 0x18: "↑", 0x19: "↓", 0x1a: "→", 0x1b: "←"}


def characters(numbers):
    """The text that stands for these numbers of code page 437."""
    return "".join(PICTURED.get(number) or bytes([number]).decode("cp437") for number in numbers)


def key_of(character):
    if character in SHIFTED:
        return "shift-" + SHIFTED[character]
    if character.isupper():
        return "shift-" + character.lower()
    return KEY_NAMES.get(character, character)


# --- Pictures ------------------------------------------------------------------------------------------------

class Picture:
    """Pixels as (width, height, rows), each row a bytes object of red, green, blue."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        self.width, self.height = int(header[1]), int(header[2])
        start, size = header.end(), 3 * self.width
        self.rows = [data[start + y * size:start + (y + 1) * size] for y in range(self.height)]

    def colour(self, x, y):
        return self.rows[y][3 * x:3 * x + 3]

    def colours(self):
        return sorted({row[i:i + 3] for row in self.rows for i in range(0, len(row), 3)})

    def write_png(self, path):
        """A PNG with a palette: the screen has few colours."""
        palette = self.colours()
        index = {colour: bytes([number]) for number, colour in enumerate(palette[:256])}
        lines = b"".join(b"\0" + b"".join(index[row[i:i + 3]] for i in range(0, len(row), 3)) for row in self.rows)
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n")
            for kind, body in ((b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 3, 0, 0, 0)),
                               (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")):
                file.write(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))


def load_font():
    """{the 16 rows of a glyph: its character in code page 437}, as the screen shows them."""
    font, numbers, rows = {}, [], []
    with open(FONT, encoding="ascii") as file:
        lines = [line.split() for line in file if line.strip() and line.split()[0] != "#"]
    for words in lines:
        if not numbers:
            numbers, rows = words, []
            continue
        rows.append(words)
        if len(rows) == GLYPH_HEIGHT:
            for column, number in enumerate(numbers):
                pixels = [int(row[column].replace(".", "0").replace("#", "1"), 2) for row in rows]
                if not number.endswith("="):
                    pixels = [bits | bits >> 1 for bits in pixels]
                font.setdefault(bytes(pixels), characters([int(number.rstrip("="), 16)]))
            numbers = []
    return font


def read_text(picture, font, known):
    """
    The lines of text that PICTURE of a framebuffer shows; what is no glyph becomes U+FFFD. KNOWN is a dictionary
    in which it remembers lines, for most of them are as they were.
    """
    height = picture.height + picture.height % 2    # QEMU's picture of a Cirrus adapter lacks the last line
    columns, rows = picture.width // GLYPH_WIDTH, height // GLYPH_HEIGHT
    left, top = (picture.width - columns * GLYPH_WIDTH) // 2, (height - rows * GLYPH_HEIGHT) // 2
    left -= left % 2
    lines = []
    for first in range(top, top + rows * GLYPH_HEIGHT, GLYPH_HEIGHT):
        pixels = b"".join(picture.rows[first:first + GLYPH_HEIGHT])
        if pixels not in known:
            known[pixels] = read_line(picture, font, left, first, columns).rstrip()
        lines.append(known[pixels])
    return lines


def read_line(picture, font, left, top, columns):
    line = ""
    for column in range(columns):
        first = 3 * (left + column * GLYPH_WIDTH)
        cell = [picture.rows[top + y][first:first + 3 * GLYPH_WIDTH] for y in range(GLYPH_HEIGHT)]
        colours = sorted({row[i:i + 3] for row in cell for i in range(0, len(row), 3)})
        if len(colours) == 1:
            line += " "
            continue
        found = None
        for foreground in colours:
            glyph = bytes(sum((row[3 * x:3 * x + 3] == foreground) << 7 - x for x in range(GLYPH_WIDTH)) for row in cell)
            found = found or font.get(glyph)
        line += found or "\ufffd"
    return line


# --- The machine ---------------------------------------------------------------------------------------------

class Screen:
    """QEMU with a VGA and a PS/2 keyboard, as a context manager. Its display is none: nobody needs a window."""

    def __init__(self, build, firmware="bios", memory="256M", adapter="VGA", extra=()):
        self.scratch = qemu.scratch_folder("zeropage-screen-")
        self.folder = self.scratch.__enter__()
        self.font, self.known_lines = load_font(), {}
        self.monitor = None
        path = os.path.join(self.folder, "monitor")
        command = qemu.command_line(
            kernel=os.path.join(build, "zeropage.elf"), archive=os.path.join(build, "archive.tar"),
            iso=os.path.join(build, "zeropage.iso"), append="init=/bin/sh", firmware=firmware, memory=memory,
            exit_device=False, console=("file", f"path={os.path.join(self.folder, 'console')}"),
            extra=("-device", adapter, "-monitor", f"unix:{path},server=on,wait=on",
                   "-trace", LAMP_EVENT, "-D", os.path.join(self.folder, "lamps"), *extra))
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, preexec_fn=qemu.die_with_parent)
        self.monitor = self.connect(path)

    def connect(self, path):
        monitor = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 10
        while True:
            try:
                monitor.connect(path)
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.give_up()
                time.sleep(0.02)
        monitor.settimeout(30)
        self.monitor = monitor
        self.answer()
        return monitor

    def give_up(self):
        self.process.kill()
        errors = self.process.stderr.read().decode(errors="replace").strip()
        self.close()
        raise qemu.Unavailable(f"QEMU has ended, or does not listen: {errors or 'it says nothing'}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        if self.monitor:
            self.monitor.close()
            self.monitor = None
        if self.scratch:
            self.scratch.__exit__(None, None, None)
            self.scratch = None

    def answer(self):
        said = b""
        while not said.endswith(PROMPT):
            part = self.monitor.recv(65536)
            if not part:
                break
            said += part
        return said.decode(errors="replace")

    def ask(self, command):
        try:
            self.monitor.sendall(command.encode() + b"\n")
            return self.answer()
        except OSError:
            self.give_up()

    def console(self):
        """What came on the serial line."""
        with open(os.path.join(self.folder, "console"), "rb") as file:
            return file.read().decode(errors="replace")

    def lamps(self):
        """What the keyboard has been told to light (by the firmware, too), as the PC's bits: 2 Num Lock, 4 Caps Lock."""
        with open(os.path.join(self.folder, "lamps"), encoding="utf-8", errors="replace") as file:
            states = [int(state) for state in re.findall(rf"{LAMP_EVENT} .*ledstate (\d+)", file.read())]
        return states

    def key(self, *names):
        for name in names:
            self.ask(f"sendkey {name} 20")
            time.sleep(0.03)

    def type(self, text):
        self.key(*(key_of(character) for character in text))

    def picture(self):
        path = os.path.join(self.folder, "screen.ppm")
        if os.path.exists(path):
            os.unlink(path)
        self.ask(f"screendump {path}")
        return Picture(path)

    def is_text(self, picture):
        return picture.width == 9 * TEXT_COLUMNS

    def text(self):
        """The lines on the screen, in text mode or as the pixels show them."""
        picture = self.picture()
        if not self.is_text(picture):
            return read_text(picture, self.font, self.known_lines)
        dump = self.ask(f"xp /{2 * TEXT_ROWS * TEXT_COLUMNS}xb {TEXT_MEMORY:#x}")
        lines = re.findall(r"^[0-9a-f]+: (.*)$", dump, re.MULTILINE)
        values = bytes(int(value, 16) for value in " ".join(lines).split())
        text = characters(values[0::2])
        return [text[i:i + TEXT_COLUMNS].rstrip() for i in range(0, TEXT_ROWS * TEXT_COLUMNS, TEXT_COLUMNS)]

    def wait_for(self, pattern, seconds=60):
        """The screen's text when PATTERN appears on it, else None."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            text = "\n".join(self.text()).rstrip("\n")
            if re.search(pattern, text, re.MULTILINE):
                return text
            time.sleep(0.2)
        return None

    def end(self, seconds=10):
        """QEMU's exit status when it ends by itself, else None."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
