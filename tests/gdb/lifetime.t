#!/usr/bin/env python3
"""How a session of the debugger begins, how it ends, and that it then leaves nothing behind, whoever is killed."""
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from batch import wait_for  # noqa: E402
from tap import ROOT, check, check_contains, check_equal, skip  # noqa: E402

DEBUG = batch.DEBUG
CTRL_C = "\3"
INTERRUPTIONS = 3

def test_slow_start():
    """On a busy machine QEMU needs longer than the two seconds that GDB gives it by itself."""
    paths = os.environ["PATH"]
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-path-") as folder:
        path = os.path.join(folder, "qemu-system-x86_64")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nsleep 6\nexec {shutil.which("qemu-system-x86_64")} "$@"\n')
        os.chmod(path, 0o755)
        os.environ["PATH"] = f"{folder}:{paths}"
        try:
            session = batch.Session("ps\n", "session", "read_page")
        finally:
            os.environ["PATH"] = paths
    check_contains(session.text + session.errors, "session: runs or is ready", "a QEMU that is slow to start is waited for")


def test_no_complaints():
    """QEMU's own words come through, but for what it says when all is well."""
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
        commands = os.path.join(scratch, "commands")
        with open(commands, "w", encoding="ascii") as file:
            file.write("break main\ncontinue\nnext\n")
        words = [DEBUG, "--build", batch.BUILD, "--console", os.path.join(scratch, "console"), "--batch", commands]
        run = subprocess.run([*words, "namesake"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        check_equal(run.stderr, "", "a session in which all is well shows no word of QEMU's", run.stdout)
        run = subprocess.run([*words, "--qemu", "-device nonsense", "namesake"], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False)
        check_contains(run.stderr, "'nonsense' is not a valid device model name", "a mistake in QEMU's options is told in its words")
        check(run.returncode == 1 and "zeropage: QEMU has not started\n" in run.stderr, "and nobody is left in an empty GDB", run.stderr)


def start(*arguments, home, scratch="/tmp"):
    return subprocess.Popen([DEBUG, "--build", batch.BUILD, "--console", "/dev/null", *arguments], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env=dict(os.environ, HOME=home, TMPDIR=scratch))


def child_of(pid, name):
    """The process NAME somewhere below PID."""
    for child in children(pid):
        with open(f"/proc/{child}/comm", encoding="ascii", errors="replace") as file:
            if file.read().strip().startswith(name):
                return child
        found = child_of(child, name)
        if found:
            return found
    return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def test_leaving():
    ways = (("its input ends", lambda process, gdb: process.stdin.close()),
            ("GDB is killed", lambda process, gdb: os.kill(gdb, signal.SIGKILL)),
            ("tools/debug is killed", lambda process, gdb: os.kill(process.pid, signal.SIGKILL)),
            ("tools/debug is ended", lambda process, gdb: os.kill(process.pid, signal.SIGTERM)))
    for way, end in ways:
        mark = f"mark={os.urandom(8).hex()}"
        with tempfile.TemporaryDirectory(prefix="zeropage-gdb-home-") as home, \
                tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
            process = start("--append", mark, "session", "read_page", home=home, scratch=scratch)
            started = wait_for(lambda: batch.processes_with(mark) and child_of(process.pid, "qemu"))
            gdb = child_of(process.pid, "gdb")
            if check(started and gdb, f"a session starts ({way})"):
                end(process, gdb)
                # tools/debug names the mark itself, too.
                check(wait_for(lambda: not batch.processes_with(mark)), f"no process is left when {way}",
                      f"{batch.processes_with(mark)}")
                check(wait_for(lambda: not os.listdir(scratch)), f"no file is left when {way}", f"{os.listdir(scratch)}")
            process.kill()
            process.wait()
            check_equal(os.listdir(home), [], f"nothing is written to the home folder ({way})")


# A tool with a folder of its own; its word says what happens to it.
TOOL = """
import os, signal, subprocess, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import qemu
with qemu.scratch_folder("zeropage-debug-") as folder:
    if sys.argv[2] == "watcher":
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            os.kill(int(file.read().split()[0]), signal.SIGKILL)
    else:
        # An orphan that goes on writing for a while.
        subprocess.Popen(["sh", "-c", 'i=0; while [ $i -lt 30000 ]; do : > "$0/$i"; i=$((i + 1)); done', folder], stderr=subprocess.DEVNULL)
        while len(os.listdir(folder)) < 300:
            pass
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_folders():
    """Whatever dies first, and whoever still writes: the folder in /tmp goes."""
    for what, rule in (("watcher", "the one that waits for its end is killed"), ("writer", "something still writes into it")):
        with tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
            subprocess.run([sys.executable, "-c", TOOL, os.path.join(ROOT, "tools"), what], env=dict(os.environ, TMPDIR=scratch), check=False)
            check(wait_for(lambda: not [name for name in os.listdir(scratch) if name.startswith("zeropage-debug-")]),
                  f"the tool's folder is removed when {rule}", *os.listdir(scratch))


def test_terminal():
    """As a person has it: GDB on a terminal, and the program's words between GDB's."""
    controller, terminal = pty.openpty()
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
        process = subprocess.Popen([DEBUG, "--build", batch.BUILD, "fault", "both"], stdin=terminal, stdout=terminal, stderr=terminal,
                                   env=dict(os.environ, TMPDIR=scratch, TERM="dumb"), start_new_session=True)
        os.close(terminal)
        seen = converse(controller, (("(gdb) ", "pfbreak new_page\n"), ("(gdb) ", "continue\n"), ("(gdb) ", "pf\n"),
                                     ("(gdb) ", "pfbreak off\n"), ("(gdb) ", "continue\n"), ("(gdb) ", "quit\n"), (None, "")))
        check_equal(process.wait(), 0, "a session on a terminal ends well", seen)
        check_contains(seen, "zeropage: fault (pid 2) has made its first page fault", "it stops at the program's first fault")
        check("Reading symbols" not in seen and "Output radix" not in seen, "GDB's own settings are set silently", seen[:500])
        check_contains(seen, "verdict  new_page", "the commands work on a terminal")
        check_contains(seen, "zeropage: init exited with status", "what the machine says comes out there, too")
        check_equal(os.listdir(scratch), [], "and nothing is left behind")
    os.close(controller)


def test_interrupting():
    """`next` over a loop without end goes step by step; a Ctrl-C between two steps is one that QEMU forgets."""
    pid, controller = pty.fork()        # it has to be GDB's controlling terminal, from which Ctrl-C comes
    if pid == 0:
        os.environ["TERM"] = "dumb"
        os.execv(DEBUG, [DEBUG, "--build", batch.BUILD, "--console", "/dev/null", "session", "count_forever"])
    turns = [("(gdb) ", "tbreak count_forever\n"), ("(gdb) ", "continue\n"), ("(gdb) ", "next\n"), ("(gdb) ", "next\n")]
    for _ in range(INTERRUPTIONS):
        turns += [("(gdb) ", "next\n"), ("next\n", CTRL_C)]
    seen = converse(controller, (*turns, ("(gdb) ", "quit\n"), (None, "")))
    os.close(controller)
    os.waitpid(pid, 0)
    check_equal(seen.count("Program received signal SIGINT"), INTERRUPTIONS, "Ctrl-C stops each `next` over a loop without end", seen[-2000:])


def converse(controller, turns):
    """Says each word of TURNS when what it waits for has come. Returns all that was seen."""
    seen = start = ""
    for wanted, word in turns:
        end, start = time.monotonic() + 120, len(seen)
        while wanted is None or wanted not in seen[start:]:
            ready, _, _ = select.select([controller], [], [], max(0, end - time.monotonic()))
            try:
                data = os.read(controller, 65536) if ready else b""
            except OSError:     # the other end is closed
                data = b""
            if not data:
                return seen
            seen += data.decode(errors="replace").replace("\r", "")
        if word == CTRL_C:
            time.sleep(1)       # in the midst of it
        os.write(controller, word.encode())
    return seen


def free_port():
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", 1234)) != 0


def test_server():
    if not free_port():
        skip("debug-server", "port 1234 is in use")
        return
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-home-") as home:
        process = start("--server", "session", "read_page", home=home)
        if check(wait_for(lambda: not free_port()), "tools/debug --server waits at localhost:1234"):
            run = subprocess.run(["gdb", "-nx", "-nh", "-q", "-batch", os.path.join(ROOT, batch.BUILD, "zeropage.elf"),
                                  "-ex", "target remote localhost:1234", "-ex", "break exc_page_fault", "-ex", "continue",
                                  "-ex", f"source {ROOT}/tools/gdb/zeropage.py", "-ex", "pf"],
                                 capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=120)
            # The kernel's own: exec clears the end of the program's data.
            check_contains(run.stdout, "verdict  file_copied", "a GDB of one's own connects and explains the first fault")
            check(wait_for(lambda: process.poll() is not None and free_port()), "the machine ends when that GDB leaves")
        process.kill()
        process.wait()
        process = start("--server", "session", "read_page", home=home)
        wait_for(lambda: not free_port())
        process.terminate()
        check_equal(process.wait(), 128 + signal.SIGTERM, "tools/debug --server ends by a signal and says so")
        check(wait_for(free_port), "and its machine with it")


batch.play("sessions of the debugger", test_slow_start, test_no_complaints, test_leaving, test_folders, test_terminal, test_interrupting,
           test_server)
