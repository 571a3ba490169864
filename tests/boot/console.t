#!/usr/bin/env python3
"""What a person sees who types make run: GRUB's menu, the banner, a shell that takes keys, and the way out."""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, check_equal, children_of, done, is_running  # noqa: E402

BOOT = os.path.join(ROOT, "tools", "boot")
PROMPT = re.compile(rb"[$#] $")
CTRL_A, CTRL_C, CTRL_U, BACKSPACE, UP, DOWN = b"\x01", b"\x03", b"\x15", b"\x7f", b"\x1b[A", b"\x1b[B"
ESCAPES = re.compile(rb"\x1b\[[0-9;?=]*[A-Za-z]|\r")


class Terminal:
    """tools/boot in a terminal of its own."""

    def __init__(self, *arguments):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen([BOOT, "--build", BUILD, *arguments], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True)
        self.said = b""

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.said += os.read(self.master, 65536)
            except OSError:
                pass

    def wait_for(self, pattern, seconds=120, start=0):
        """True when PATTERN comes (without escape sequences) behind START within SECONDS."""
        pattern = re.compile(pattern) if isinstance(pattern, bytes) else pattern
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if pattern.search(self.plain()[start:]):
                return True
            self.read(0.1)
        return False

    def plain(self):
        return ESCAPES.sub(b"", self.said)

    def type(self, keys):
        os.write(self.master, keys)

    def command(self, line, seconds=120):
        """Types LINE and Enter; returns what comes until the next prompt, without the echo."""
        start = len(self.plain())
        self.type(line + b"\r")
        self.wait_for(rb"\n(?s:.*)[$#] $", seconds, start)
        output = self.plain()[start:].partition(b"\n")[2]
        return output.rpartition(b"\n")[0] + b"\n" if b"\n" in output else b""

    def end(self, seconds=120):
        """The exit status when the emulator ends by itself, else None."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        status = self.process.poll()
        self.close()
        return status

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def test_shell():
    terminal = Terminal("--firmware", "bios")
    check(terminal.wait_for(rb"Ctrl-A X leaves"), "the first line tells how to leave", terminal.plain())
    check(terminal.wait_for(rb"a shell(?s:.*)tour(?s:.*)tests"), "GRUB's menu offers shell, tour and tests",
          terminal.plain())
    check(terminal.wait_for(PROMPT), "the shell's prompt comes by itself", terminal.plain()[-2000:])
    countdown = set(re.findall(rb"executed automatically in (\d+)s", terminal.plain()))
    check_equal(countdown, {b"1", b"0"}, "the menu waits one second")
    check(re.search(rb"Ctrl-A X(?s:.*)started by", terminal.plain()),
          "after the menu, which clears the screen, there is a line again that tells how to leave", terminal.plain())
    check(re.search(rb"(?i)memory", terminal.plain()) and re.search(rb"(?i)free", terminal.plain()),
          "the banner tells the memory found and the frames free", terminal.plain()[-2000:])
    check_equal(terminal.command(b"echo one two"), b"one two\n", "a command runs")
    check_equal(terminal.command(b"echo onX" + BACKSPACE + b"e"), b"one\n", "backspace takes a character back")
    check_equal(terminal.command(b"nonsense" + CTRL_U + b"echo clean"), b"clean\n", "Ctrl-U takes the line back")
    check_equal(terminal.command(UP), b"clean\n", "the arrow up brings the last command back")
    check_equal(terminal.command(UP + UP + UP + DOWN), b"one\n", "the arrows go to and fro in the history")

    start = len(terminal.plain())
    terminal.type(b"cat\r")
    terminal.wait_for(rb"cat\n", 60, start)
    terminal.type(b"echoed by cat\r")
    check(terminal.wait_for(rb"echoed by cat\nechoed by cat\n", 60, start), "cat reads the terminal line by line",
          terminal.plain()[start:])
    terminal.type(CTRL_C)
    check(terminal.wait_for(PROMPT, 60, start + 10), "Ctrl-C ends the program in front, not the emulator",
          terminal.plain()[start:])
    check_equal(terminal.command(b"echo still here"), b"still here\n", "the shell goes on after Ctrl-C")
    terminal.type(b"poweroff\r")
    check_equal(terminal.end(), 0, "poweroff ends the emulator with status 0", terminal.plain()[-500:])


def test_menu():
    terminal = Terminal("--firmware", "bios")
    terminal.wait_for(rb"executed automatically")
    terminal.type(b"v")     # GRUB's other key for down: not an escape sequence that a slow line may break
    time.sleep(0.3)
    terminal.type(b"\r")
    check(terminal.wait_for(rb"zero frame", 240), "the second entry of the menu runs the tour", terminal.plain()[-2000:])
    check(terminal.wait_for(PROMPT, 240), "after the tour there is a shell", terminal.plain()[-2000:])
    terminal.type(CTRL_A + b"x")
    check_equal(terminal.end(), 0, "Ctrl-A X leaves the emulator")


def test_uefi():
    terminal = Terminal("--firmware", "uefi")
    check(terminal.wait_for(PROMPT, 300), "under UEFI the prompt comes too", terminal.plain()[-2000:])
    check_equal(terminal.command(b"echo hello"), b"hello\n", "under UEFI a command runs")
    terminal.type(CTRL_A + b"x")
    check_equal(terminal.end(), 0, "Ctrl-A X leaves the emulator under UEFI")


def test_killed():
    terminal = Terminal("--firmware", "direct")
    check(terminal.wait_for(PROMPT), "a direct boot comes to the prompt", terminal.plain()[-2000:])
    emulators = children_of(terminal.process.pid)
    terminal.process.kill()
    terminal.process.wait()
    time.sleep(0.3)
    check(emulators and not any(map(is_running, emulators)), "when make run is killed, no emulator is left", emulators)
    terminal.close()


test_shell()
test_menu()
test_uefi()
test_killed()
done()
