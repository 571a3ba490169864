#!/usr/bin/env python3
"""The debugger's commands: their help, their sentences where something can't be read, and the way through a fault by hand."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from tap import ROOT, check, check_contains, check_equal  # noqa: E402

COMMANDS = ("pf", "pfbreak", "walk", "vmas", "ps", "frames", "frame pfn", "regs", "journal", "mmcheck", "heap", "moment", "who-wrote",
            "run", "bt")
NEED_NONE = ("pfbreak", "run", "bt")

# Each command, and the sentence that it has for it. In the program, at its function load.
SENTENCES = (
    ("pf", "pf: no fault at hand: the processor is in the program"),
    ("regs", "regs: the processor is in the program: nothing is saved"),
    ("walk", "walk: walk needs an address"),
    ("walk 0x8000000000000000", "walk: 0x8000000000000000 is not canonical"),
    ("walk 0x10000000000000000", "walk: 0x10000000000000000 has more than 64 bits"),
    ("walk 0 77", "walk: there is no process 77; `ps` lists them"),
    ("vmas -1", "vmas: there is no process -1; `ps` lists them"),
    ("journal -5", "journal: -5 is no number of events"),
    ("journal 0", "journal: 0 is no number of events"),
    ("walk $nothing", "walk: $nothing has no value; `set $nothing = ...` would give it one"),
    ("walk no_such_name", 'walk: No symbol "no_such_name" in current context.'),
    ("vmas 1", "vmas: init (pid 1) has no address space"),
    ("frame pfn", "frame pfn: it needs a number"),
    ("frame pfn 0xfffffff", "frame pfn: there is no frame 0xfffffff; the last one is"),
    ("pfbreak nonsense", "pfbreak: nonsense is no outcome, address or process"),
    ("pfbreak 9-5", "pfbreak: 9-5 is no range: the end comes first"),
    ("ps one two", "ps: too many words; `help ps` says what it takes"),
)


def test_sentences():
    script = "break load\ncontinue\n" + "".join(f"{command}\n" for command, _ in SENTENCES)
    session = batch.Session(script + "".join(f"help {command}\n" for command in COMMANDS), "session", "read_page")
    for command, sentence in SENTENCES:
        check_contains(session.text, sentence, f"`{command}` says what is wrong")
    for command in COMMANDS:
        check(f"{command}:" in session.text or f": {command}" in session.text or f"{command} [" in session.text,
              f"`help {command}` says how it is called", session.text[-4000:])
    check("Traceback" not in session.text + session.errors, "no command answers with a traceback", session.errors)


def test_without_machine():
    """In a GDB of one's own, which has loaded the commands and is connected to nothing."""
    said = {}
    for command in COMMANDS:
        words = command + (" 1" if command in ("walk", "frame pfn", "who-wrote") else "")
        run = subprocess.run(["gdb", "-nx", "-nh", "-q", "-batch", "-iex", "set auto-load off", os.path.join(
            ROOT, batch.BUILD, "zeropage.elf"), "-ex", f"source {ROOT}/tools/gdb/zeropage.py", "-ex", words],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        said[command] = run.stdout + run.stderr
    needing = [command for command in COMMANDS if command not in NEED_NONE]
    check_equal([command for command in needing if f"{command}: no machine is running" not in said[command]], [],
                "without a machine each command that needs one says so", said)
    check_equal(said["pfbreak"], "pfbreak: off\n", "pfbreak without a machine says what is set")
    check_equal(said["run"], "run: this machine was not started by this GDB, so it can't be started anew from here\n",
                "run does not start the kernel as a program of this computer")
    check("Traceback" not in "".join(said.values()), "and none with a traceback", said)


def test_stepping():
    functions = ("exc_page_fault", "do_user_addr_fault", "handle_mm_fault", "handle_pte_fault", "do_anonymous_page",
                 "set_pte_at")
    script = "break load\ncontinue\nset $at = $pc\nset $page = $rdi\nstepi\nprintf \"IN %p\\n\", $pc\n"
    script += "".join(f"tbreak {function}\ncontinue\npython print('AT', gdb.newest_frame().name())\n" for function in functions)
    script += "tbreak *$at\ncontinue\nprintf \"BACK %d\\n\", $pc == $at\nstepi\nprintf \"LOADED %d\\n\", $al\n"
    session = batch.Session(script, "session", "read_page", append="")
    seen = [line.split()[1] for line in session.text.splitlines() if line.startswith("AT ")]
    check_equal(tuple(seen), functions, "each function of the fault path can be stopped in, one after the other",
                session.text, session.errors)
    check_contains(session.text, "asm_exc_page_fault at kernel/cpu/", "stepi on the load lands in the handler")
    check_contains(session.text, "BACK 1", "the kernel goes back to the same instruction")
    check_contains(session.text, "LOADED 0", "which then loads a zero")


# At the child's write to a page that it shares with its parent: what the commands say, beside what the machine holds.
VALUES = """
tbreak fork
continue
tbreak store
continue
python
before = {name: int(gdb.parse_and_eval("$" + name)) % (1 << 64) for name in ("rdi", "rsi", "rsp", "rbp", "rip", "rbx", "r12")}
print("BEFORE", " ".join(f"{name} {value:#018x}" for name, value in before.items()))
end
stepi
regs
python
import machine, spaces
frame = (spaces.walk(spaces.pgd_of(spaces.mm_of(spaces.current())), machine.control("cr2"))[-1].value & spaces.FRAME_MASK) >> 12
print("FRAME", hex(frame))
gdb.execute(f"frame pfn {frame}")
print("COUNTS", *(f"{name}={int(machine.variable('frame_counts')[kind])}" for kind, name in spaces.type_names().items()))
print("EVENTS", int(machine.variable("journal_count")))
end
frames
journal 4
journal 5000
"""


def test_values():
    session = batch.Session(VALUES, "session", "copy_on_write")
    text = session.text
    before = re.findall(r"(\w+) (0x[0-9a-f]{16})", text.partition("BEFORE ")[2].partition("\n")[0])
    saved = dict(re.findall(r"(\w+) (0x[0-9a-f]{16})", text.partition("registers on entry to the kernel")[2].partition("ring 3")[0]))
    check(len(before) == 7 and all(saved.get(name) == value for name, value in before),
          "regs says what the program's registers were", text[-3000:], session.errors)
    check_contains(text, "orig_ax 0x7 (7): ", "and the error code of a write to a page that is there")
    frame = (re.search(r"^FRAME (0x[0-9a-f]+)$", text, re.MULTILINE) or ("", "none"))[1]
    mapped = re.findall(rf"^  mapped at 0x7ffff7ffe000 of session, pid (\d): present user", text.partition(f"frame {frame}, physical")[2], re.MULTILINE)
    check_equal(mapped, ["2", "3"], "frame pfn lists both entries that map a shared frame", text[-3000:])
    counts = dict(pair.split("=") for pair in text.partition("COUNTS ")[2].partition("\n")[0].split())
    shown = dict(re.findall(r"^  (\S.*?) +(\d+)$", text.partition("of 4 KiB, ")[2].partition("free blocks")[0], re.MULTILINE))
    shown["free"] = str(int(shown.get("free", 0)) + int(shown.pop("cached", 0)))      # those at hand are free ones
    check(len(shown) > 5 and all(counts.get(kind) == count for kind, count in shown.items()),
          "frames counts each kind as the kernel does", str(shown), str(counts))
    events = int((re.search(r"^EVENTS (\d+)$", text, re.MULTILINE) or ("", "0"))[1])
    numbers = [int(number) for number in re.findall(r"^ +(\d+)  pid ", text.partition("EVENTS")[2], re.MULTILINE)]
    check_equal(numbers[:4], list(range(events - 4, events)), "journal 4 shows the last four events", text[-1500:])
    check_equal(numbers[4:], list(range(max(0, events - 1024), events)), "and journal 5000 all that are kept")


def test_registers_at_a_call():
    """At SYSCALL's first instruction, when nothing is saved yet, and at its last one, when all has been taken back."""
    script = """tbreak sys_brk
continue
regs
tbreak *asm_syscall_entry
continue
regs
python
while "sysret" not in gdb.selected_inferior().architecture().disassemble(gdb.newest_frame().pc())[0]["asm"]:
    gdb.execute("stepi" if gdb.newest_frame().type() == gdb.SIGTRAMP_FRAME else "finish", to_string=True)
end
regs
"""
    session = batch.Session(script, "session", "grow_heap")
    parts = session.text.split("registers on entry to the kernel")[1:]
    numbers = [re.search(r"rip (0x\w+)[^\n]*\n  ring (\d), orig_ax (\w+)", part) for part in parts]
    seen = [number.groups() if number else None for number in numbers]
    check(len(seen) == 3 and all(seen) and seen[0][1:] == seen[1][1:] == seen[2][1:] == ("3", "0xc") and seen[1][0] == seen[2][0],
          "regs knows the system call's number and place at its first and at its last instruction", str(seen), session.text[-1500:], session.errors)


def test_outermost():
    """A backtrace ends at the program's first instruction, also where NASM wrote it."""
    session = batch.Session("bt\ntbreak __start_c\ncontinue\nbt\n", "session", "read_page")
    ends = [line for line in session.text.splitlines() if line.startswith("#")]
    check(len(ends) == 6 and ends[3].startswith("#2  _start () at user/lib/crt0.asm:") and "_start () at" in ends[5],
          "bt ends at _start, where the program began", session.text, session.errors)


def test_disassembly():
    """The handler is one function for GDB, from its entry to its iretq."""
    session = batch.Session("disassemble asm_exc_page_fault\ntbreak *(asm_exc_page_fault + 53)\ncontinue\n", "session", "read_page")
    check(re.search(r"<\+0>:\tpush +%rdi\n(?:.*\n)+.*<\+\d+>:\tiretq", session.text), "disassemble shows the handler to its end",
          session.text, session.errors)
    check_contains(session.text, "asm_exc_page_fault + 53 at kernel/cpu/entry.asm:", "and a stop behind its call is named by it")


def test_again():
    script = """break load\ncontinue\npython print("FIRST", hex(gdb.parse_and_eval("$rdi")), gdb.parse_and_eval("$rsp"))
run
bt
continue
python print("SECOND", hex(gdb.parse_and_eval("$rdi")), gdb.parse_and_eval("$rsp"))
delete
python
for command in ("continue", "pf", "start", "pf"):
    try:
        gdb.execute(command)
    except gdb.error as error:
        print(error)
end
"""
    session = batch.Session(script, "session", "read_page")
    check_equal(session.text.count("has made its first page fault"), 3, "run and start begin again, at the first fault", session.text, session.errors)
    places = re.findall(r"^(?:FIRST|SECOND) (.*)$", session.text, re.MULTILINE)
    check(len(places) == 2 and places[0] == places[1], "breakpoints stay, and the second time goes like the first", session.text)
    check_contains(session.text, "zeropage: the machine is off. `run` begins again, `quit` leaves.\n", "the end of the machine is told")
    check_contains(session.text, "pf: no machine is running; `run` starts it again", "and what may be done then")
    check_equal((session.errors, session.left_behind, session.files_left_behind), ("", [], []), "each machine is ended before the next begins")


def test_namesakes():
    """A program may have types and variables of the kernel's names; and the order in which GDB reads the two must not matter."""
    kernel = os.path.join(ROOT, batch.BUILD, "zeropage.elf")
    script = f"break main\ncontinue\nfile {kernel}\nprint page\nprint list\nvmas\nps\nframes\nmmcheck\nframe pfn 5\nheap\n"
    session = batch.Session(script + "pfbreak new_page\ncontinue\npf\n", "namesake")
    for words in ("$1 = {number = 0x7}", "$2 = {letter = 0x7a}", "namesake, pid 2: ", "namesake: runs or is ready", "  anon ",
                  "mmcheck: ok", "page table", "vm_area_struct", "verdict  new_page"):
        check_contains(session.text, words, f"in a program with the kernel's names for its own things: {words.strip()}")
    check_equal(session.errors, "", "and nothing goes wrong")


def test_without_kernel():
    run = subprocess.run(["gdb", "-nx", "-nh", "-q", "-batch", "-ex", f"source {ROOT}/tools/gdb/zeropage.py"],
                         capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    check_equal(run.stderr, "zeropage: the kernel's symbols are not loaded (file build-debug/zeropage.elf)\n",
                "loaded without the kernel, the commands say what has to come first")


def test_wrong_use():
    for words, sentence in ((("no_such_program",), "there is no program no_such_program"),
                            ((os.path.join(ROOT, "README.md"),), "README.md")):
        run = subprocess.run([batch.DEBUG, "--build", batch.BUILD, *words], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False)
        check(run.returncode == 2 and sentence in run.stderr and "Traceback" not in run.stderr,
              f"tools/debug {os.path.basename(words[0])} is refused by a sentence", run.stdout, run.stderr)


batch.play("the debugger's commands", test_sentences, test_without_machine, test_stepping,
           test_values, test_registers_at_a_call, test_outermost, test_disassembly, test_again, test_namesakes, test_without_kernel, test_wrong_use)
