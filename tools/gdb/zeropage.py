"""Loads zeropage's commands into GDB: `source tools/gdb/zeropage.py`. `help zeropage` lists them."""
import os
import shlex
import sys

import gdb

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine  # noqa: E402
import check  # noqa: E402
import faults  # noqa: E402
import memory  # noqa: E402
import printers  # noqa: E402
import rewind  # noqa: E402
import tasks  # noqa: E402
import unwinder  # noqa: E402


FAILED = 1


class Zeropage(machine.Command):
    """What zeropage adds to GDB.

  pf                     explain the page fault at hand
  pfbreak WHAT           stop at the faults you care for
  walk ADDRESS [PID]     the four levels of page tables for one address
  vmas [PID]             the promises of an address space
  ps                     the processes
  regs [PID]             the registers of the program, as the kernel saved them
  frames                 who owns the frames of physical memory
  frame pfn PFN          one frame, and every entry that maps it
  heap [PID]             a program's heap, and the kernel's own objects
  journal [N]            the last events
  mmcheck                check every invariant of memory from outside
  moment [NUMBER]        in a recorded run (make rewind): where the machine is; go to another moment
  who-wrote ADDRESS      in a recorded run: go back to the instruction that wrote there last

Each has its own help: `help pf`."""

    name = "zeropage"

    def run(self, words):
        print(Zeropage.__doc__)


class Start(machine.Command):
    """Start the machine and stop at the program's first page fault: zeropage-start SYMBOLS COMMAND...

SYMBOLS is the program's file on this machine. tools/debug calls this."""

    name = "zeropage-start"
    most_words = 1000

    def run(self, words):
        symbols, *command = words
        begin(symbols, command, "the machine has ended")
        faults.introduce()


class Rewind(machine.Command):
    """The same with a recorded run: zeropage-rewind INSTRUCTIONS SYMBOLS COMMAND...

INSTRUCTIONS is how many the recording has; "all" when it goes on until the kernel switches the machine off."""

    name = "zeropage-rewind"
    most_words = 1000

    def run(self, words):
        instructions, symbols, *command = words
        begin(symbols, command, "the recording ends")
        rewind.start(None if instructions == "all" else int(instructions))
        faults.introduce()


def attach(symbols, command):
    gdb.execute(f"add-symbol-file {shlex.quote(symbols)}", to_string=True)
    with machine.silence():     # the place at reset tells nobody anything
        gdb.execute("target remote | exec " + shlex.join(command), to_string=True)


def begin(symbols, command, end):
    """To the program's first fault. Where there is none, there is nothing to debug: END says why."""
    try:
        attach(symbols, command)
    except gdb.error:
        give_up("QEMU has not started")
    # QEMU says so on one day, and is simply gone on another.
    try:
        faults.run_to_first_fault()
        is_there = bool(gdb.selected_inferior().pid)
    except gdb.error:
        is_there = False
    if not is_there:
        give_up(f"{end} before the program made a page fault")


def give_up(why):
    gdb.write(f"zeropage: {why}\n", gdb.STDERR)
    gdb.execute(f"quit {FAILED}")


def end_machine(_event):
    """Leaving GDB ends the machine: it is not to run on by itself."""
    if gdb.selected_inferior().pid:
        try:
            gdb.execute("kill", to_string=True)
        except gdb.error:
            pass        # it was gone before it could say so


def main():
    try:
        machine.kernel()
    except machine.Problem as problem:
        gdb.write(f"zeropage: {problem}\n", gdb.STDERR)
        return
    Zeropage()
    Start()
    Rewind()
    for module in (faults, memory, tasks, check, rewind, unwinder):
        for command in module.COMMANDS:
            command()
    printers.install()
    unwinder.install()
    gdb.events.stop.connect(faults.tell)
    gdb.events.stop.connect(rewind.tell)
    gdb.events.gdb_exiting.connect(end_machine)


main()
