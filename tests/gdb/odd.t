#!/usr/bin/env python3
"""
The debugger's commands with odd words, at odd moments: each answers with a sentence, never with a traceback, and none ends
the session. SEED=1 in the environment chooses other words.
"""
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from tap import BUILD, ROOT, check, done, skip  # noqa: E402
import qemu  # noqa: E402

SEED = int(os.environ.get("SEED", "1"))
MEMORY = "24M"
ROUNDS = 90
ENDED = """python
import gdb
try:
    gdb.execute("continue")
except gdb.error as end:
    print(end)
end
"""
BOOT_SECTOR = 0x7c00        # where the firmware puts GRUB's first instructions

COMMANDS = ("pf", "pfbreak", "walk", "vmas", "ps", "frames", "frame pfn", "heap", "regs", "journal", "mmcheck", "moment",
            "who-wrote", "who-wrote pte", "zeropage", "print *current->mm->mmap", "print mem_map[{}]", "bt")
WORDS = ("-1", "0", "1", "2", "3", "99999", "-5", "0x7fffffffffff", "0x800000000000", "0xffff800000000000", "0xffffffffffffffff",
         "0x10000000000000000", "99999999999999999999999", "1.5", "$pc", "$cr2", "$cr3", "$nothing", "$rsp", "$xmm0", "$_siginfo",
         "main", "&main", "current", "current->mm", "*current", "mem_map", "nonsense", "\"two words\"", "'", "()", "1/0", "()(",
         "pte", "off", "next", "outcomes", "zero_page", "ZERO_PAGE", "0-", "-", "5-1", "0-0xffffffffffffffff", "a-b", "0x", "08",
         "+1", "~0", "!", "\\n", "ä", "x" * 300, "0xffff888000000000", "0xffffc90000000000", "0xdead000000000000", "pfn", "pfn 1")


def sessions_words(seed):
    """The commands of one round: each alone, and then with random words."""
    chance = random.Random(seed)
    lines = [command.format("0") for command in COMMANDS if command != "mmcheck"]
    for _ in range(ROUNDS):
        words = " ".join(chance.choice(WORDS) for _ in range(chance.choice((1, 1, 1, 2, 3))))
        command = chance.choice(COMMANDS[:-3] + ("bt",))
        lines.append(f"{command} {words}")
    return lines + ["mmcheck", "pfbreak off"]


def script(seed):
    """Each command between marks, its errors caught: GDB's own commands (print, bt) may refuse in GDB's words."""
    lines = ["python import gdb"]
    for line in sessions_words(seed):
        lines += [f"python print('ASK', {line!r})",
                  f"python\ntry:\n    gdb.execute({line!r})\nexcept gdb.error as error:\n    print('REFUSED', error)\nend"]
    return "\n".join(lines + ["echo DONE\\n\n"])


def judge(state, text, errors):
    """What each command said."""
    asked = re.split(r"^ASK ", text, flags=re.MULTILINE)[1:]
    whole = text + errors
    check(text.rstrip().endswith("DONE"), f"{state}: the session goes on to its end", whole[-1500:])
    place = max(whole.find("Traceback"), whole.find("Python Exception"))
    check(place < 0, f"{state}: no command answers with a traceback", whole[max(0, place - 600):place + 1500])
    silent = [one.strip() for one in asked if "\n" not in one.strip() and not one.startswith("bt ")]
    check(not silent, f"{state}: each command says something", *silent[:10])
    # Those that are ours never fail: their refusal is a sentence.
    refused = [one for one in asked if "\nREFUSED" in one and not one.startswith(("print", "bt"))]
    check(not refused, f"{state}: no command of zeropage's fails", *refused[:5])


def raw_session(state, commands, seed, **machine):
    """GDB over a machine that stands wherever COMMANDS have led it."""
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-odd-") as folder:
        command = qemu.command_line(memory=MEMORY, cpu="max", debugger="stdio", console=("null",), **machine)
        path = os.path.join(folder, "commands")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"target remote | exec {shlex.join(command)}\n{commands}\n{script(seed)}")
        run = subprocess.run(["gdb", "-nx", "-nh", "-q", "-batch", "-iex", "set auto-load off", "-iex", "set width 0", "-iex",
                              "set confirm off", os.path.join(ROOT, batch.BUILD, "zeropage.elf"),
                              "-ex", f"source {ROOT}/tools/gdb/zeropage.py", "-x", path], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, errors="replace", timeout=batch.TIME_LIMIT, check=False)
    judge(state, run.stdout, run.stderr.replace("Terminated via GDBstub", ""))


def session(state, commands, seed, *program):
    one = batch.Session(commands + script(seed), *program, options=("--memory", MEMORY))
    judge(state, one.text, one.errors)
    check(not one.left_behind and not one.files_left_behind, f"{state}: nothing is left behind")


def main():
    if reason := batch.tools_are_missing():
        skip("the debugger", reason)
        done()
    problem = batch.build()
    if not check(problem is None, "the debug build can be made", problem or ""):
        done()
    debug = {"kernel": os.path.join(ROOT, batch.BUILD, "zeropage.elf"), "archive": os.path.join(ROOT, batch.BUILD, "archive.tar")}
    if shutil.which("gdb"):
        raw_session("before the machine has begun", "", SEED, **debug)
        raw_session("in GRUB", f"tbreak *{BOOT_SECTOR:#x}\ncontinue", SEED + 1, iso=os.path.join(BUILD, "zeropage.iso"), firmware="bios")
        raw_session("before the kernel has its memory", "tbreak page_alloc_init\ncontinue", SEED + 2, **debug)
    session("in the program", "break load\ncontinue\n", SEED + 3, "session", "read_page")
    session("in a system call", "break sys_brk\ncontinue\n", SEED + 4, "session", "grow_heap")
    session("when the machine has ended", ENDED, SEED + 5, "session", "read_page")
    done()


main()
