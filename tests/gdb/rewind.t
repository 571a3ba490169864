#!/usr/bin/env python3
"""
make rewind: a recorded run in which GDB goes back: over a fault, from an entry to the instruction that wrote it, to
any moment, and always to the same state.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from batch import wait_for  # noqa: E402
from tap import ROOT, check, check_contains, check_equal, done, skip  # noqa: E402

DEBUG = batch.DEBUG
RECORDED = ("--rewind",)

# The state of the machine in a line: registers, the page's entry, and physical memory's users.
STATE = """
python
import gdb, hashlib, rewind, spaces, machine, os
def state():
    registers = gdb.execute("info registers rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags cr2 cr3", to_string=True)
    frames = "".join(map(str, spaces.all_frames()))
    return hashlib.sha256((registers + frames).encode()).hexdigest()[:16]
def say(*words):
    print("SAY", *words)
def entry_place(address):
    return machine.PAGE_OFFSET + spaces.walk(spaces.pgd_of(spaces.mm_of(spaces.current())), address)[-1].place
def value(expression):
    return int(gdb.parse_and_eval(expression)) % (1 << 64)
end
"""

OVER_A_FAULT = STATE + """
tbreak load
continue
python say("before", rewind.now(), state(), hex(value("$pc")))
set $load = $pc
set $page = $rdi
stepi
python say("handler", gdb.newest_frame().pc() == machine.address_of("asm_exc_page_fault"))
stepi
reverse-stepi
python say("one-back", rewind.now(), state(), hex(value("$pc")))
tbreak do_anonymous_page
continue
reverse-finish
tbreak load
reverse-continue
python say("back", rewind.now(), state(), hex(value("$pc")))
walk $page
tbreak *($load + 3)
continue
python say("loaded", rewind.now(), value("$al"))
walk $page
reverse-stepi
python say("reversed", rewind.now(), hex(value("$pc")))
tbreak load
reverse-continue
python say("again", rewind.now(), state(), hex(value("$pc")))
reverse-stepi
python say("caller", gdb.newest_frame().name())
reverse-next
python say("line", gdb.newest_frame().name(), rewind.now() < rewind.recording.end)
"""

# Forward, a watchpoint notes each write of the entry; backward, who-wrote and a plain watchpoint have to find the last.
WRITERS = STATE + """
tbreak fork
continue
tbreak store
continue
python
page, here, before = value("$rdi"), rewind.now(), state()
place = machine.PAGE_OFFSET + spaces.walk(spaces.pgd_of(spaces.mm_of(spaces.process(2)["leader"].dereference())), page)[-1].place
say("here", here, before)
rewind.go_to(rewind.recording.first_fault)
gdb.Breakpoint(f"*(unsigned long *){place:#x}", gdb.BP_WATCHPOINT, gdb.WP_WRITE)
while True:
    gdb.execute("continue")
    if rewind.now() >= here:
        break
    last, after = rewind.now(), machine.read_word(place)
say("forward", last, hex(after))
rewind.go_to(here)
say("same", rewind.now(), state())
gdb.execute("reverse-continue")
say("backward", rewind.now(), hex(machine.read_word(place)))
gdb.execute("delete")
rewind.go_to(here)
gdb.execute(f"who-wrote pte {page:#x} 2")
say("writer", rewind.now() + 1)
gdb.execute("python say('written', hex(machine.read_word(place)), gdb.newest_frame().name())")
gdb.execute("stepi")
say("then", hex(machine.read_word(place)))
gdb.execute("reverse-stepi")
gdb.execute(f"who-wrote {place:#x}")
say("one-before", rewind.now() < last - 1)
rewind.go_to(here)
gdb.execute("pfbreak new_page")
gdb.execute("reverse-continue")
say("fault", hex(machine.control("cr2")) == hex(page))
gdb.execute("pf")
gdb.execute("pfbreak off")
gdb.execute(f"moment {here}")
say("at-last", rewind.now(), state())
end
"""

SENTENCES = (
    ("moment 0x7fffffffffff", "moment: the recording ends at moment"),
    ("who-wrote", "who-wrote: it needs an address"),
    ("who-wrote 0x1000 0x2000", "who-wrote: it needs an address"),
    ("who-wrote pte 0x1000 77", "who-wrote: there is no process 77"),
    ("who-wrote 0xffffc80000000000", "who-wrote: this can't be read now"),
    ("who-wrote &empty_zero_page", "nobody has written to"),
)
ENDS = "".join(f"{command}\n" for command, _ in SENTENCES) + """
moment
continue
moment
python
try:
    gdb.execute("continue")
except gdb.error as refusal:
    print("REFUSED", refusal)
end
reverse-continue
moment
pf
"""


def said(session):
    """{the first word of what was said: the others}"""
    lines = [line.split() for line in re.findall(r"^SAY (.*)$", session.text, re.MULTILINE)]
    return {line[0]: line[1:] for line in lines}


def clean(session, what):
    check_equal((session.status, session.errors), (0, ""), f"{what} ends well", session.text[-2000:])
    check("Traceback" not in session.text, f"{what} shows no traceback", session.text[-2000:])
    check_equal((session.left_behind, session.files_left_behind), ([], []), f"{what} leaves no process and no file behind")


def test_over_a_fault():
    session = batch.Session(OVER_A_FAULT, "session", "read_page", options=RECORDED)
    clean(session, "a session over a fault")
    seen = said(session)
    check_equal(seen.get("handler"), ["True"], "stepi on the load enters the handler", session.text)
    before = seen.get("before")
    check_equal(seen.get("one-back"), before, "one reverse-stepi from the handler's second instruction is at the load")
    check_equal(seen.get("back"), before,
                "from do_anonymous_page, reverse-finish and reverse-continue lead to the load, and each frame is as it was")
    check_equal(seen.get("loaded", [])[1:], ["0"], "then the load reads the zero")
    check_equal(seen.get("reversed", [])[1:], before[2:], "reverse-stepi takes a load back")
    check_equal(int(seen["reversed"][0]) + 1, int(seen["loaded"][0]), "and is one moment earlier")
    check_equal(seen.get("again"), before, "reverse-continue passes over the whole fault, to the load's first try")
    walks = [text.split("\n(")[0] for text in session.text.split(" in the page tables of CR3")[1:]]
    check(len(walks) == 2 and "empty" in walks[0] and "; the zero frame" in walks[1],
          "walk shows no entry before the fault, and the zero frame after it", session.text)
    check_equal(seen.get("caller"), ["read_page"], "reverse-stepi leads out of a function to its call")
    check_equal(seen.get("line"), ["read_page", "True"], "reverse-next leads to the line before")


def test_writers():
    session = batch.Session(WRITERS, "session", "copy_on_write", options=RECORDED)
    clean(session, "a session from entry to writer")
    seen = said(session)
    check_equal(seen.get("backward"), seen.get("forward"), "a watchpoint stops at the same write backwards as forwards",
                session.text[-3000:])
    check_contains(session.text, "rewind: the instruction before this one has written to *(unsigned long *)0xffff",
                   "and the stop is explained")
    check_equal(seen.get("writer"), seen.get("forward", [])[:1], "who-wrote finds that write as well")
    written = seen.get("written", ["", ""])
    check(written[0] != seen.get("then", [""])[0] and seen.get("then", [""])[0] == seen.get("forward", ["", ""])[1],
          "it stands before the instruction: stepi makes the entry what it was", str(seen))
    check_equal(written[1:], ["set_pte_unrecorded"], "the parent's entry was made read-only by fork")
    check_contains(session.text, "  before   frame", "who-wrote shows the entry before")
    check_equal(seen.get("one-before"), ["True"], "asked again, it finds the write before that one")
    check_equal(seen.get("fault"), ["True"], "pfbreak and reverse-continue find the fault that made the page")
    check_contains(session.text, "verdict  new_page", "pf explains it there")
    check(seen.get("here") == seen.get("same") == seen.get("at-last"),
          "a moment is the same state whenever and however one comes to it", str(seen))


def test_ends():
    session = batch.Session(ENDS, "session", "read_page", options=RECORDED)
    clean(session, "a session from end to end")
    for command, sentence in SENTENCES:
        check_contains(session.text, sentence, f"`{command}` says what is wrong")
    moments = [tuple(map(int, pair)) for pair in re.findall(r"^moment (\d+) of (\d+)$", session.text, re.MULTILINE)]
    check(len(moments) == 3 and 0 < moments[0][0] < moments[1][0] == moments[1][1] and moments[2][0] == 0,
          "moment says where the run is: at the first fault, at the end, at the beginning", str(moments))
    check_contains(session.text, "rewind: the end of the recording", "the end is told")
    check_contains(session.text, "REFUSED The recording ends here", "and GDB does not go beyond it")
    check_contains(session.text, "rewind: the beginning of the recording", "and so is the beginning")
    session = batch.Session("moment\nwho-wrote 0\n", "session", "read_page")
    for command in ("moment", "who-wrote"):
        check_contains(session.text + session.errors, f"{command}: this run was not recorded; `make rewind` records one",
                       f"{command} in a run that was not recorded says so")


def test_limit():
    session = batch.Session("moment\ncontinue\nmoment\nreverse-stepi\nmoment\ninfo symbol $pc\n", "session", "count_forever",
                            options=(*RECORDED, "--limit", "3"))
    clean(session, "a recording with a limit")
    check_contains(session.text, "recorded: session was still running after 3 seconds", "a program without end is recorded up to the limit")
    moments = [tuple(map(int, pair)) for pair in re.findall(r"^moment (\d+) of (\d+)$", session.text, re.MULTILINE)]
    check(len(moments) == 3 and moments[1][0] == moments[1][1] == moments[2][0] + 1, "its end is reached, and left backwards",
          str(moments), session.text)
    check_contains(session.text, "count_forever", "there the program is where it was")
    session = batch.Session("moment\n", "session", "count_forever", options=(*RECORDED, "--limit", "0.001"))
    check_equal((session.status, session.errors), (1, "zeropage: the recording ends before the program made a page fault\n"),
                "a recording that ends before its program begins is none to debug", session.text)
    session = batch.Session("continue\n", "session", "read_hole", options=RECORDED)
    check_contains(session.text, "session exited with status 0", "a recording says how the program ended")


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def contents(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def test_killed():
    """In the midst of recording, and in the midst of replaying."""
    for when, sign in (("recording", b"rr=record"), ("replaying", b"rr=replay")):
        mark = f"mark={os.urandom(8).hex()}"
        with tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
            program = "count_forever" if when == "recording" else "read_page"
            process = subprocess.Popen([DEBUG, "--build", batch.BUILD, "--append", mark, "--console", "/dev/null", *RECORDED,
                                        "session", program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env=dict(os.environ, TMPDIR=scratch))
            check(wait_for(lambda: any(sign in command_line(pid) for pid in batch.processes_with(mark))), f"it is {when}")
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            check(wait_for(lambda: not batch.processes_with(mark) and not os.listdir(scratch)),
                  f"killed while {when}, it leaves no process and no file behind",
                  f"{batch.processes_with(mark)} {os.listdir(scratch)}")
            process.stdin.close()


def test_interrupted():
    """Ctrl-C ends the recording, and what there is can be replayed."""
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
        commands = os.path.join(scratch, "commands")
        with open(commands, "w", encoding="ascii") as file:
            file.write("moment\n")
        mark = f"mark={os.urandom(8).hex()}"
        process = subprocess.Popen([DEBUG, "--build", batch.BUILD, "--append", mark, "--console", os.path.join(scratch, "console"),
                                    "--batch", commands, "--limit", "300", *RECORDED, "session", "count_forever"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        wait_for(lambda: "counting" in contents(os.path.join(scratch, "console")))
        process.send_signal(signal.SIGINT)
        try:
            text, _ = process.communicate(timeout=batch.TIME_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            text, _ = process.communicate()
        check_contains(text, "recorded: session was interrupted.", "Ctrl-C ends the recording")
        check(process.returncode == 0 and re.search(r"^moment \d+ of \d+$", text, re.MULTILINE), "which can be replayed", text)


def test_without_qemu_img():
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-path-") as folder:
        for name in ("qemu-system-x86_64", "python3", "gdb"):
            os.symlink(shutil.which(name), os.path.join(folder, name))
        run = subprocess.run([sys.executable, DEBUG, "--build", batch.BUILD, *RECORDED, "session", "read_page"],
                             env=dict(os.environ, PATH=folder), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        check_equal((run.returncode, run.stderr), (1, "tools/debug: qemu-img is not installed; tools/setup debug installs it\n"),
                    "without qemu-img there is a sentence")


def main():
    reason = batch.tools_are_missing() or (None if shutil.which("qemu-img") else "there is no qemu-img; tools/setup debug installs it")
    if reason:
        skip("make rewind", reason)
        done()
    problem = batch.build()
    if not check(problem is None, "the debug build can be made", problem or ""):
        done()
    for test in (test_over_a_fault, test_writers, test_ends, test_limit, test_killed, test_interrupted, test_without_qemu_img):
        test()
    done()


main()
