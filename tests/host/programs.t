#!/usr/bin/env python3
"""Our programs, run on this machine's own Linux: the shell and its line editing, tour, fault, ktap."""
import os
import platform
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, check, check_contains, check_equal, done, skip  # noqa: E402

BIN = os.path.join(BUILD, "user", "bin")
ENVIRONMENT = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": "/", "TERM": "dumb", "NO_COLOR": "1"}
UP, LEFT, BACKSPACE, TAB = b"\x1b[A", b"\x1b[D", b"\x7f", b"\t"
CTRL_A, CTRL_C, CTRL_D, CTRL_E, CTRL_K, CTRL_U, CTRL_W = (bytes([ord(c) & 0x1f]) for c in "ACDEKUW")
ESCAPES = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]|\r")


def run(program, *arguments, stdin=b"", cwd="/"):
    """(status, output, errors) of one of our programs."""
    result = subprocess.run([os.path.join(BIN, program), *arguments], input=stdin, capture_output=True, cwd=cwd,
                            env=ENVIRONMENT, timeout=60, check=False)
    return result.returncode, result.stdout, result.stderr


def shell_says(script, output, rule, status=0, cwd="/"):
    got = run("sh", "-c", script, cwd=cwd)
    check_equal((got[0], got[1]), (status, output), rule, got[2])


def test_shell_language(folder):
    shell_says("echo a  'b  c' \"d e\" f\\ g", b"a b  c d e f g\n", "quotes and backslashes keep words together")
    shell_says("echo '$HOME' \"$HOME\" ${HOME}x $NOTHING end", b"$HOME / /x end\n",
               "variables are replaced outside single quotes, and empty ones vanish")
    shell_says("cat /nothing; echo $?", b"1\n", "$? is the status of the last program")
    shell_says("echo a && echo b; cat /nothing && echo c; cat /nothing || echo d", b"a\nb\nd\n",
               "&& and || look at the status")
    shell_says("echo one; echo two # three", b"one\ntwo\n", "; separates, # begins a comment")
    shell_says("echo x | cat | cat", b"x\n", "a pipe joins three programs")
    shell_says("cat /dev/zero | echo done", b"done\n", "a pipe ends when its reader has gone")
    shell_says("echo one > f; echo two >> f; cat < f", b"one\ntwo\n", "> and >> write, < reads", cwd=folder)
    shell_says("cat /nothing > f 2>&1; cat f", b"cat: cannot open /nothing: No such file or directory\n",
               "2>&1 follows the output", cwd=folder)
    shell_says("cd /proc; cd self; cat comm", b"sh\n", "cd changes the folder")
    shell_says("echo a\necho b\n", b"a\nb\n", "a line ends a command")
    shell_says("exit 7", b"", "exit gives its status", 7)
    shell_says("sh -c 'exit 3'; echo $?", b"3\n", "a program's status arrives")
    shell_says("fault null > f; echo $?", b"139\n", "a signal gives 128 and its number", cwd=folder)
    shell_says("sleep 0.05 & wait; echo ok", b"ok\n", "& leaves a program in the background, wait waits for it")
    check_equal(run("sh", stdin=b"echo one\nexit 5\necho two\n")[:2], (5, b"one\n"), "commands come from standard input")
    script = os.path.join(folder, "script")
    with open(script, "w", encoding="ascii") as file:
        file.write("echo from a script\nexit 4\n")
    os.chmod(script, 0o755)
    check_equal(run("sh", script)[:2], (4, b"from a script\n"), "commands come from a file")
    shell_says(script, b"from a script\n", "an executable file of commands is a program", 4)

    for mistake, sentence in (("echo 'a", b"sh: the quote ' is not closed"), ("| cat", b"sh: there is no command before |"),
                              ("echo |", b"sh: there is no command behind |"), ("echo >", b"sh: a file name is missing"),
                              ("echo " + "a " * 200, b"sh: this command is too long"),
                              ("echo " + "a" * 9000, b"sh: this command is too long")):
        status, output, errors = run("sh", "-c", mistake)
        check((status, output) == (2, b"") and errors.startswith(sentence), f"a mistake is a sentence: {mistake[:10]}",
              status, output, errors)
    check_equal(run("sh", "-c", "nonsense"), (127, b"", b'sh: there is no program "nonsense" (help lists what there is)\n'),
                "a missing program is a sentence and status 127")
    check_equal(run("sh", "-c", "/etc/passwd")[0], 126, "a file that can't be run is status 126")


class Terminal:
    """The shell on a terminal of its own."""

    def __init__(self, columns=80):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.clear()
            os.environ.update(ENVIRONMENT)
            os.chdir("/")
            os.execv(os.path.join(BIN, "sh"), ["sh"])
        self.said = b""
        import fcntl  # noqa: E402
        import struct
        import termios
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.wait_for(rb"\$ $")

    def plain(self):
        return ESCAPES.sub(b"", self.said)

    def wait_for(self, pattern, seconds=60, start=0):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.plain()[start:]):
            if time.monotonic() > deadline:
                return False
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.said += os.read(self.master, 65536)
                except OSError:
                    return bool(re.search(pattern, self.plain()[start:]))
        return True

    def command(self, keys):
        """Types keys and Enter; what comes until the next prompt, without the row that was typed."""
        start = len(self.plain())
        os.write(self.master, keys + b"\r")
        self.wait_for(rb"\n(?s:.*)\$ $", start=start)
        return self.plain()[start:].partition(b"\n")[2].rpartition(b"zeropage$ ")[0]

    def status(self):
        """The exit status when the shell ends by itself; None if it does not."""
        for _ in range(100):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.master)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        os.kill(self.pid, signal.SIGKILL)
        return None


def test_line_editing():
    terminal = Terminal()
    for keys, output, rule in (
            (b"echo hello", b"hello\n", "a line is typed and run"),
            (b"echo onX" + BACKSPACE + b"e", b"one\n", "Backspace takes the character before the cursor"),
            (b"echo wrld" + LEFT * 3 + b"o", b"world\n", "the left arrow moves the cursor, typing inserts"),
            (b"nonsense" + CTRL_U + b"echo clean", b"clean\n", "Ctrl-U takes what is before the cursor"),
            (b"echo a bcd" + CTRL_W + b"e", b"a e\n", "Ctrl-W takes the word before the cursor"),
            (b"b" + CTRL_A + b"echo a" + CTRL_E + b"c", b"abc\n", "Ctrl-A and Ctrl-E go to the ends"),
            (b"echo abXX" + LEFT * 2 + CTRL_K, b"ab\n", "Ctrl-K takes what is behind the cursor"),
            (b"echo aXb" + LEFT * 2 + CTRL_D, b"ab\n", "Ctrl-D takes the character under the cursor"),
            (UP, b"ab\n", "the arrow up brings the last line back"),
            (UP * 3, b"a e\n", "and earlier ones, the same line only once"),
            ("echo ä".encode() + BACKSPACE + "ö".encode(), "ö\n".encode(), "a character of two bytes is one to Backspace"),
            (b"hel" + TAB + CTRL_U + b"echo " + b"/proc/self/com" + TAB, b"/proc/self/comm \n"[:-2] + b"\n",
             "Tab completes a file name"),
            (b"echo " + b"x" * 200 + CTRL_A + b"echo ", b"echo " + b"x" * 200 + b"\n", "a line may be longer than the row"),
            (b"cho keys" + b"\033[1~e\033[4~\033[[A\033[[E\033[17~\033[24~\033[2~!", b"keys!\n",
             "Home and End of Linux's console go to the ends, its F keys put nothing into the line"),
            (b"cd /proc; cd /", b"", "commands of the shell itself run")):
        check_equal(terminal.command(keys), output, rule)

    start = len(terminal.plain())
    os.write(terminal.master, b"garbage" + CTRL_C)
    check(terminal.wait_for(rb"\^C\n(?s:.*)\$ $", start=start), "Ctrl-C gives a new line", terminal.plain()[start:])
    check_equal(terminal.command(b"echo $?"), b"130\n", "and status 130")
    start = len(terminal.plain())
    os.write(terminal.master, b"sleep 100\r")
    time.sleep(0.3)
    os.write(terminal.master, CTRL_C)
    check(terminal.wait_for(rb"sleep 100\n(?s:.*)\$ $", start=start), "Ctrl-C ends the program in front",
          terminal.plain()[start:])
    check_equal(terminal.command(b"echo $?"), b"130\n", "which had status 130")
    start = len(terminal.plain())
    os.write(terminal.master, b"cat\r")
    time.sleep(0.3)
    os.write(terminal.master, b"echoed\r")
    check(terminal.wait_for(rb"echoed\nechoed\n", start=start), "a program in front has the terminal, line by line",
          terminal.plain()[start:])
    os.write(terminal.master, CTRL_D)
    check(terminal.wait_for(rb"echoed\nechoed\n(?s:.*)\$ $", start=start), "Ctrl-D ends its input",
          terminal.plain()[start:])
    os.write(terminal.master, CTRL_D)
    check_equal(terminal.status(), 0, "Ctrl-D on an empty line ends the shell")


def test_tour():
    status, output, errors = run("tour", "--plain")
    check_equal(status, 0, "tour finds its story true on Linux", output, errors)
    check_contains(output, b"4 read faults -> 4 zero-frame mappings", "it counts the reads")
    check_contains(output, b"9 write faults -> 9 new frames, 2 of them in place of the zero frame", "and the writes")
    check(all(len(line) <= 80 for line in output.splitlines()), "it fits into 80 columns",
          *[line for line in output.splitlines() if len(line) > 80])
    check(b"\x1b" not in output, "and has no colours where there is no terminal")
    check_equal(run("tour", "-x")[0], 2, "wrong use is status 2")


def test_fault():
    for kind, pages, faults in (("read", 7, 7), ("write", 7, 7), ("both", 5, 10), ("heap", 3, 3), ("stack", 6, 6)):
        status, output, errors = run("fault", kind, str(pages))
        check(status == 0 and f"page faults: {faults}\n".encode() in output, f"fault {kind} {pages}: {faults} faults",
              status, output, errors)
    for kind in ("null", "hole", "readonly", "rodata", "exec", "kernel", "noncanonical", "overflow"):
        check_equal(run("fault", kind)[0], -signal.SIGSEGV, f"fault {kind} is killed by SIGSEGV")
    check_equal(run("fault", "nonsense")[0], 2, "an unknown kind is status 2")


def test_ktap(folder):
    def script(name, text):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)
        return path

    good = script("good", "echo 'ok 1 - a'; echo 'ok 2 - b # SKIP c'")
    for name, text, reason in (
            ("says_so", "echo 'not ok 1 - a'", b"  not ok 1 - a"),
            ("ends_badly", "echo 'ok 1 - a'; exit 3", b"# ends_badly ended with status 3"),
            ("killed", "echo 'ok 1 - a'; kill -SEGV $$", b"# killed was killed by SIGSEGV"),
            ("leaves", "echo 'ok 1 - a'; sleep 100 &", b"# leaves has left processes behind"),
            ("gives_up", "echo 'Bail out! no'", b"  Bail out! no")):
        status, output, errors = run("ktap", good, script(name, text))
        lines = output.splitlines()
        check(status == 1 and b"ok 1 - good" in lines and b"not ok 2 - " + name.encode() in lines and reason in lines,
              f"ktap: a test fails when it {name.replace('_', ' ')}", status, output, errors)
    status, output, _ = run("ktap", good)
    check(status == 0 and output.startswith(b"KTAP version 1\n1..1\n"), "ktap: its own result is a KTAP document", output)
    check_contains(output, b"# 1 programs: 1 ok, 0 not ok; 2 checks: 1 ok, 0 not ok, 1 skipped\n", "ktap: it counts")
    check_equal(run("ktap", "/nonsense")[:2], (2, b""), "ktap: a test that is not there is status 2")


def test_others(folder):
    check_equal(run("echo", "-n", "a", "b")[:2], (0, b"a b"), "echo -n leaves the newline away")
    check_equal(run("cat", "-", stdin=b"through")[:2], (0, b"through"), "cat copies its input")
    empty = os.path.join(folder, "empty")
    os.mkdir(empty)
    check_equal(run("ls", empty)[:2], (0, b""), "ls of an empty folder says nothing")
    check_equal(run("ls", "/nothing")[:2], (1, b""), "ls of what is not there is status 1")
    check_contains(run("ls", "-l", "/proc/self")[1], b"lrwxrwxrwx", "ls -l shows links")
    check_equal(run("maps")[0], 0, "maps shows its own memory")
    check_contains(run("maps")[1], b"[stack]", "maps knows the stack")
    check_equal(run("maps", "0")[0], 1, "maps of a process that is not there is status 1")
    check_contains(run("ps")[1], b"ps\n", "ps shows itself")
    check_equal(run("poweroff")[0], 1, "poweroff leaves other machines alone")
    check_equal(run("kill", "-NONSENSE", "1")[0], 2, "kill knows its signals")


if platform.system() != "Linux" or platform.machine() != "x86_64":
    skip("our programs run on Linux", "this machine is another one")
    done()
with tempfile.TemporaryDirectory() as temporary:
    test_shell_language(temporary)
    test_line_editing()
    test_tour()
    test_fault()
    test_ktap(temporary)
    test_others(temporary)
done()
