#!/usr/bin/env python3
"""The screen and the keyboard: what a person sees in a window, under BIOS, UEFI and in VGA text mode, and can type."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, check, check_equal, done  # noqa: E402
import screen  # noqa: E402
import vt  # noqa: E402

PROMPT = r"^zeropage\$ *\Z"
DARK, BRIGHT = 60, 160
TEXT_MODE_ENTRY = 3     # of GRUB's menu, counted from 0
NUM, CAPS = 2, 4        # lamps
LOOKS, BEYOND = 4, 60   # half screens to go back: within the tour, and further than there is anything


def command(machine, line, seconds=120):
    """Types LINE and Enter; what the screen shows behind it when the prompt has come again."""
    machine.type(line + "\n")
    name = re.escape(line)
    text = machine.wait_for(rf"(?s){name}\n.*" + PROMPT[1:], seconds)
    return text.rpartition(f"$ {line}\n")[2] if text else "\n".join(machine.text())


def check_readable(machine, what):
    """Light letters on a dark ground, in colours, and each one a glyph of the font."""
    picture, text = machine.picture(), "\n".join(machine.text())
    brightness = sorted(sum(colour) // 3 for colour in picture.colours())
    check(brightness[0] < DARK and brightness[-1] > BRIGHT, f"{what}: light letters stand on a dark ground", brightness)
    check("\ufffd" not in text, f"{what}: each character is a glyph of the font", text)


def shell(machine, what):
    """The shell, by keyboard and screen alone."""
    banner = machine.wait_for(PROMPT, 40)
    if not check(banner and "a small x86_64 kernel" in banner, f"{what}: banner and prompt are on the screen",
                 "\n".join(machine.text())):
        return False
    check_readable(machine, f"{what}, the banner")
    check_equal(command(machine, "echo A-z 0.9 'x;y' \"$HOME\" | cat && echo yes"),
                "A-z 0.9 x;y /\nyes\nzeropage$", f"{what}: keys with and without shift arrive")
    check_equal(len(machine.picture().colours()) > 2, True, f"{what}: the prompt is in colour")
    machine.key("up")
    check(machine.wait_for(r"^zeropage\$ echo A-z.*yes *\Z"), f"{what}: the arrow up brings the last command back",
          "\n".join(machine.text()))
    machine.key("ctrl-u")
    machine.type("cat\n")
    time.sleep(0.5)
    machine.key("ctrl-c")
    check(machine.wait_for(r"cat\n\^C\n+" + PROMPT[1:]), f"{what}: Ctrl-C ends the program in front", "\n".join(machine.text()))
    return True


def locks_and_lamps(machine, what):
    """Caps Lock and Num Lock, and the lamps that the keyboard was told to light."""
    machine.type("echo ")
    machine.key("caps_lock", "a", "1", "shift-b", "caps_lock", "c", "spc", "kp_7", "kp_multiply", "pause", "kp_8", "ret")
    check(machine.wait_for(r"^A1bc 7\*8$"), f"{what}: Caps Lock is for letters, and the keypad has digits", "\n".join(machine.text()))
    machine.key("num_lock", "kp_8")
    check(machine.wait_for(r"^zeropage\$ echo A1bc 7\*8 *\Z"), f"{what}: without Num Lock, the keypad has arrows",
          "\n".join(machine.text()))
    machine.key("num_lock", "ctrl-u")
    check_equal(machine.lamps()[-5:], [NUM, NUM | CAPS, NUM, 0, NUM], f"{what}: the lamps show which locks are on")


def other_keys(machine, what):
    """Home, End and Delete edit the line; F keys and Alt Gr put nothing into it."""
    machine.type("cho X1")
    machine.key("home", "e", "f1", "f5", "f6", "f12", "insert", "end", "alt_r-2", "left", "left", "left", "delete", "ret")
    check(machine.wait_for(r"^12$"), f"{what}: Home, End and Delete edit the line, F keys and Alt Gr leave it", "\n".join(machine.text()))


def looking_back(machine, what):
    """Shift and the page keys; TOUR's output is on the serial line, too."""
    told, end = whole_output(machine), [line for line in machine.text() if line]
    seen, places = [], []
    for _ in range(LOOKS):
        machine.key("shift-pgup")
        time.sleep(0.1)
        lines = [line for line in machine.text() if line]
        seen.append(lines)
        places.append(find_lines(told, lines[1:-1]))
    check(None not in places and places == sorted(set(places), reverse=True), f"{what}: Shift and Page Up show what stood above",
          places, *seen[-1])
    machine.key("shift-pgdn")
    time.sleep(0.1)
    check_equal([line for line in machine.text() if line], seen[-2], f"{what}: Shift and Page Down lead forth again")
    machine.key("x")
    time.sleep(0.3)
    check_equal([line for line in machine.text() if line], end[:-1] + [end[-1] + " x"], f"{what}: a key leads back to the end")
    machine.key("backspace", *["shift-pgup"] * BEYOND)
    time.sleep(0.3)
    lines = machine.text()
    check("zeropage: a small x86_64 kernel" in lines[0], f"{what}: the first line is the end of it", lines[0])
    machine.key("shift-pgdn", "ret")


def whole_output(machine):
    """All that came on the serial line, as lines of a terminal that is very tall."""
    terminal = vt.Screen(2000, machine.picture().width // screen.GLYPH_WIDTH)
    terminal.feed("zeropage: a small" + machine.console().partition("zeropage: a small")[2])
    return [line for line in terminal.lines() if line]


def find_lines(lines, part):
    """Where PART stands in LINES, last; None when it doesn't."""
    return next((at for at in range(len(lines) - len(part), -1, -1) if lines[at:at + len(part)] == part), None)


def memview(machine, what):
    picture = machine.picture()
    drawing = command(machine, "memview")
    check(re.search(r"\d+ frames free", drawing) and re.search(r"\[stack\]", drawing), f"{what}: memview draws", drawing)
    check(len(machine.picture().colours()) >= len(picture.colours()) + 4, f"{what}: in colours",
          len(machine.picture().colours()))
    check_readable(machine, f"{what}, memview")


def lines_of_console(machine):
    """What a terminal of the screen's size shows after all that the kernel has sent on the serial line."""
    terminal = vt.Screen(len(machine.text()), machine.picture().width // screen.GLYPH_WIDTH)
    terminal.feed("zeropage: a small" + machine.console().partition("zeropage: a small")[2])
    return [line for line in terminal.lines() if line]


def test_framebuffer(firmware):
    with screen.Screen(BUILD, firmware) as machine:
        if not shell(machine, firmware):
            return
        picture = machine.picture()
        check_equal((picture.width, picture.height), (800, 600), f"{firmware}: the screen has the size that the kernel asks for")
        memview(machine, firmware)
        ending = command(machine, "tour")
        check("Every number was as the story says." in ending, f"{firmware}: the tour scrolls to its end", ending)
        check_equal([line for line in machine.text() if line], lines_of_console(machine),
                    f"{firmware}: screen and serial line show the same")
        check_readable(machine, f"{firmware}, the tour")
        looking_back(machine, firmware)
        locks_and_lamps(machine, firmware)
        other_keys(machine, firmware)
        machine.type("memview -w & tour -s\n")
        check(machine.wait_for(r"^Process \d+, tour(?s:.*)^-----(?s:.*)Enter goes on"), f"{firmware}: the map stands above the tour",
              "\n".join(machine.text()))
        lines = machine.text()
        rule = next(number for number, line in enumerate(lines) if line.startswith("-----"))
        check_equal((len(lines), rule), (37, 18), f"{firmware}: keys make the terminal as large as the screen: the map has 19 of 37 lines")
        machine.key("ret", "ret")
        check(machine.wait_for(r"rw-p zzzz\.{12} "), f"{firmware}: and follows it", "\n".join(machine.text()))
        machine.key("ctrl-c")
        machine.wait_for(PROMPT)
        time.sleep(0.5)
        check_equal(command(machine, "echo still here").splitlines()[0], "still here", f"{firmware}: afterwards the shell goes on")
        machine.type("poweroff\n")
        check_equal(machine.end(), 0, f"{firmware}: poweroff ends the machine")


def test_text_mode():
    with screen.Screen(BUILD, "bios") as machine:
        machine.wait_for("executed automatically", 240)
        machine.key(*["down"] * TEXT_MODE_ENTRY, "ret")
        if not shell(machine, "text mode"):
            return
        check(machine.is_text(machine.picture()), "text mode: it is VGA text, as chosen in GRUB's menu")
        memview(machine, "text mode")
        drawing = command(machine, "cat /proc/self/maps")
        check(drawing.splitlines()[0].startswith("00400000-"), "text mode: a long output scrolls", drawing)


def test_bochs_display():
    """Its BIOS says that it shows 800 * 600, and shows more: the screen has to be what the kernel draws."""
    with screen.Screen(BUILD, "bios", adapter="bochs-display") as machine:
        shown = machine.wait_for(PROMPT, 240)
        picture = machine.picture()
        check_equal((picture.width, picture.height), (800, 600), "bochs-display: the screen has the size that the kernel asks for")
        check(shown and "a small x86_64 kernel" in shown, "bochs-display: banner and prompt fill it", "\n".join(machine.text()))


def test_bad_ends():
    """Who has no serial line reads on the screen why the kernel can't start; GRUB is told by hand to start it wrongly."""
    for commands, sentence in ((["multiboot2 /boot/zeropage.elf"], "there is no initial archive"),
                               (["start init=/nothing"], "/nothing")):
        with screen.Screen(BUILD, "bios") as machine:
            machine.wait_for("executed automatically", 240)
            machine.type("c")
            machine.wait_for("^grub>", 120)
            machine.type("".join(line + "\n" for line in (*commands, "boot")))
            check(machine.wait_for(rf"^zeropage: .*{sentence}(?s:.*)any key switches it off", 20),
                  f"{commands[0]}: the screen says what is wrong", "\n".join(machine.text()))
            machine.key("spc")
            check_equal(machine.end(), 0, f"{commands[0]}: then a key switches the machine off")


test_framebuffer("bios")
test_framebuffer("uefi")
test_text_mode()
test_bochs_display()
test_bad_ends()
done()
