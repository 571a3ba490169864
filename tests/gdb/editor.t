#!/usr/bin/env python3
"""
.vscode/launch.json: each of its settings, played as the editor's C/C++ extension plays them, in GDB's machine interface
against the machine of `make debug-server`. And a machine whose own GDB knows no x86-64 uses gdb-multiarch.
"""
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from tap import ROOT, check, check_contains, check_equal, done, skip  # noqa: E402

SETTINGS = os.path.join(ROOT, ".vscode", "launch.json")
ADDRESS = ("localhost", 1234)
ANSWER_LIMIT = 60
# What the extension knows of (type cppdbg) and we use; a misspelt one it would leave out without a word.
KNOWN = {"name", "type", "request", "MIMode", "miDebuggerServerAddress", "program", "cwd", "stopAtConnect", "setupCommands", "osx"}
FOREIGN_GDB = """#!/bin/sh
echo 'Undefined item: "i386:x86-64".' >&2
"""


class Interface:
    """GDB's machine interface, over pipes."""

    def __init__(self, home, folder):
        self.said = ""
        self.process = subprocess.Popen(["gdb", "--interpreter=mi"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env=dict(os.environ, HOME=home, DEBUGINFOD_URLS=""))
        self.wait_for(r"^\(gdb\) $")

    def wait_for(self, pattern):
        """What was said up to a line with PATTERN; None when that does not come."""
        end = time.monotonic() + ANSWER_LIMIT
        while not (found := re.search(pattern, self.said, re.MULTILINE)):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                return None
            self.said += data.decode(errors="replace")
        said, self.said = self.said[:found.end()], self.said[found.end():]
        return said

    def ask(self, command):
        """(the class of the answer: done, connected, running, error; all that was said with it)"""
        self.process.stdin.write(f"7{command}\n".encode())
        self.process.stdin.flush()
        said = self.wait_for(r"^7\^.*\n") or self.said
        answer = re.search(r"^7\^(\w+)", said, re.MULTILINE)
        return (answer[1] if answer else None), said

    def type(self, command):
        """As a person does in the debug console, with -exec before it."""
        quoted = command.replace("\\", "\\\\").replace('"', '\\"')
        return self.ask(f'-interpreter-exec console "{quoted}"')

    def close(self):
        self.process.kill()
        self.process.wait()


def settings():
    """The one configuration, with its folder filled in."""
    with open(SETTINGS, encoding="utf-8") as file:
        text = file.read()
    check(ROOT not in text and not re.search(r'"(?:/|~|[A-Z]:)', text), "launch.json names no place of one machine", text)
    configurations = json.loads(text.replace("${workspaceFolder}", ROOT))["configurations"]
    check_equal(len(configurations), 1, "launch.json has one configuration")
    return configurations[0]


def listens():
    with socket.socket() as probe:
        return probe.connect_ex(ADDRESS) == 0


def is_listened_to():
    """Without connecting: QEMU would take that for the debugger."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", ADDRESS[1]))
        except OSError:
            return True
    return False


def wait_until(condition):
    end = time.monotonic() + ANSWER_LIMIT
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def play(wanted, gdb):
    """In the extension's order: what is to be set up, folder, program, a stop at main, the machine."""
    check_equal((wanted["type"], wanted["request"], wanted["MIMode"]), ("cppdbg", "launch", "gdb"), "the extension is to use GDB")
    for command in wanted["setupCommands"]:
        answer, said = gdb.type(command["text"])
        check(answer == "done" and not re.search("Error|not defined|No symbol|pending", said), f"GDB takes: {command['text'].replace(ROOT, '…')}", said)
    check_equal(gdb.ask(f"-environment-cd {wanted['cwd']}")[0], "done", "the folder is there")
    check_equal(gdb.ask(f"-file-exec-and-symbols {wanted['program']}")[0], "done", "the kernel's symbols are there")
    gdb.ask("-break-insert main")
    check_equal(wanted["miDebuggerServerAddress"], ":".join(map(str, ADDRESS)), "it connects to where make debug-server waits")
    answer, said = gdb.ask(f"-target-select remote {wanted['miDebuggerServerAddress']}")
    check_equal(answer, "connected", "it connects", said)
    check(wanted["stopAtConnect"], "and the machine waits")


def stops(gdb):
    gdb.ask("-exec-continue")
    return gdb.wait_for(r"^\*stopped,.*\n") or ""


def look_around(gdb):
    said = stops(gdb)
    check('func="exc_page_fault"' in said, "the machine stops in exc_page_fault", said)
    check(re.search(rf'fullname="{re.escape(ROOT)}/kernel/proc/page_fault.c",line="\d+"', said), "and the editor finds the line", said)
    check_contains(gdb.type("pf")[1], "verdict  file_copied", "-exec pf explains the fault (the kernel clears the program's data)")
    gdb.type("pfbreak zero_page")
    gdb.type("delete 1")
    gdb.type("tbreak do_anonymous_page")
    answer, said = gdb.ask("-stack-list-frames")
    check(answer == "done" and "exc_page_fault" in said, "the editor's list of frames works", said)
    check_contains(gdb.type("help zeropage")[1], "explain the page fault at hand", "-exec help zeropage lists the commands")
    check_contains(gdb.type("walk nonsense")[1], "walk: No symbol", "a mistake is answered by a sentence")
    for _ in range(3):
        said = stops(gdb)
        if 'func="main"' in said:
            break
    check('func="main"' in said and "user/tour.c" in said, "the program's symbols are there: it stops in tour's main", said)
    check_contains(gdb.type("vmas")[1], "tour, pid 2", "-exec vmas shows its memory")


def test_editor():
    wanted = settings()
    check_equal(set(wanted) - KNOWN, set(), "each setting is one that the extension knows")
    if is_listened_to():
        skip("the editor's session", "port 1234 is in use")
        return
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-home-") as home:
        server = subprocess.Popen([os.path.join(ROOT, "tools", "debug"), "--build", batch.BUILD, "--console", "/dev/null", "--server"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        gdb = None
        try:
            if check(wait_until(is_listened_to), "the machine of make debug-server waits"):
                gdb = Interface(home, home)
                play(wanted, gdb)
                look_around(gdb)
                gdb.ask("-gdb-exit")
                gdb.process.wait(ANSWER_LIMIT)
                check(wait_until(lambda: server.poll() is not None and not is_listened_to()), "the machine ends with the editor's session")
        finally:
            if gdb:
                gdb.close()
            server.kill()
            server.wait()
        check_equal(os.listdir(home), [], "nothing is written to the home folder")


def test_multiarch():
    """As on an ARM machine: `gdb` is there, and knows no x86-64."""
    if not shutil.which("gdb-multiarch"):
        skip("gdb-multiarch serves where gdb knows no x86-64", "there is no gdb-multiarch on this machine")
        return
    paths = os.environ["PATH"]
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-path-") as folder:
        with open(os.path.join(folder, "gdb"), "w", encoding="ascii") as file:
            file.write(FOREIGN_GDB)
        os.chmod(os.path.join(folder, "gdb"), 0o755)
        os.environ["PATH"] = f"{folder}:{paths}"
        try:
            session = batch.Session("python import os; print('GDB', os.readlink('/proc/self/exe'))\n"
                                    "pfbreak zero_page\ncontinue\npf\nbt\nwalk $cr2\nmmcheck\n", "session", "read_page")
        finally:
            os.environ["PATH"] = paths
    check_contains(session.text, "GDB " + os.path.realpath(shutil.which("gdb-multiarch")), "gdb-multiarch serves where gdb knows no x86-64")
    check_equal((session.status, session.errors), (0, ""), "a session with it goes without a complaint", session.text[-2000:])
    for words in ("verdict  zero_page", "<the kernel was entered here>", "in read_page () at tests/gdb/session.c", "PD  [447]  empty",
                  "mmcheck: ok"):
        check_contains(session.text, words, f"gdb-multiarch: {words}")
    check_equal((session.left_behind, session.files_left_behind), ([], []), "it leaves no process and no file behind")


def test_no_debugger():
    """One that knows no x86-64, and no other."""
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-path-") as folder:
        for name in ("qemu-system-x86_64", "python3", "sh"):
            os.symlink(shutil.which(name), os.path.join(folder, name))
        with open(os.path.join(folder, "gdb"), "w", encoding="ascii") as file:
            file.write(FOREIGN_GDB)
        os.chmod(os.path.join(folder, "gdb"), 0o755)
        run = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "debug"), "--build", batch.BUILD, "session", "read_page"],
                             env=dict(os.environ, PATH=folder), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    check_equal((run.returncode, run.stderr), (1, "tools/debug: gdb is here, but knows no x86-64 or no Python; gdb-multiarch knows both\n"),
                "with a GDB that knows no x86-64 alone there is a sentence")


def main():
    if reason := batch.tools_are_missing():
        skip("the editor's session", reason)
        done()
    problem = batch.build()
    if not check(problem is None, "the debug build can be made", problem or ""):
        done()
    for test in (test_editor, test_multiarch, test_no_debugger):
        test()
    done()


main()
