"""zeropage-start, zeropage-rewind and run: how a session begins, how it begins again, and how it ends."""
import shlex

import gdb

import faults
import machine
import rewind
from machine import Command, Problem

FAILED = 1
LIVE_END, RECORDED_END = "the machine has ended", "the recording ends"

started = None      # the command that starts the machine, once it has come to the program's first fault
is_switching_off = False


class Start(Command):
    """Start the machine and stop at the program's first page fault: zeropage-start SYMBOLS COMMAND...

SYMBOLS is the program's file on this machine. tools/debug calls this."""

    name = "zeropage-start"
    most_words = 1000

    def run(self, words):
        symbols, *command = words
        begin(symbols, command, LIVE_END)
        faults.introduce()


class Rewind(Command):
    """The same with a recorded run: zeropage-rewind INSTRUCTIONS SYMBOLS COMMAND...

INSTRUCTIONS is how many the recording has; "all" when it goes on until the kernel switches the machine off."""

    name = "zeropage-rewind"
    most_words = 1000

    def run(self, words):
        instructions, symbols, *command = words
        begin(symbols, command, RECORDED_END)
        rewind.start(None if instructions == "all" else int(instructions))
        faults.introduce()


class Again(Command):
    """Begin again, at the program's first page fault: run

Switches the machine off, when it is on, and starts it anew; in a recorded run (`make rewind`) goes back there.
Breakpoints stay, and two equal sessions go alike."""

    name = "run"

    def run(self, words):
        if started is None:
            raise Problem("this machine was not started by this GDB, so it can't be started anew from here")
        if rewind.recording:
            machine.need_machine()
            rewind.go_to(rewind.recording.first_fault)
        else:
            switch_off()
            start_machine(started)
            with machine.no_stops():
                faults.run_to_first_fault()
        faults.introduce()


class AgainAsStart(Again):
    """The same as run: start"""

    name = "start"


class AgainAsStarti(Again):
    """The same as run: starti"""

    name = "starti"     # GDB's own would start the kernel's file on this very machine


def begin(symbols, command, end):
    """To the program's first fault. Where there is none, there is nothing to debug: END says why."""
    global started
    try:
        gdb.execute(f"add-symbol-file {shlex.quote(symbols)}", to_string=True)
        start_machine(command)
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
    started = command


def start_machine(command):
    with machine.silence():     # the place at reset tells nobody anything
        gdb.execute("target remote | exec " + shlex.join(command), to_string=True)


def give_up(why):
    gdb.write(f"zeropage: {why}\n", gdb.STDERR)
    gdb.execute(f"quit {FAILED}")


def tell_end(_event):
    """GDB itself says no more than that the connection is closed."""
    if started and not is_switching_off:
        gdb.write("zeropage: the machine is off. `run` begins again, `quit` leaves.\n")


def switch_off(_event=None):
    global is_switching_off
    if gdb.selected_inferior().pid:
        is_switching_off = True
        try:
            gdb.execute("kill", to_string=True)
        except gdb.error:
            pass        # it was gone before it could say so
        is_switching_off = False


def install():
    """Leaving GDB ends the machine: it is not to run on by itself."""
    gdb.events.exited.connect(tell_end)
    gdb.events.gdb_exiting.connect(switch_off)


COMMANDS = (Start, Rewind, Again, AgainAsStart, AgainAsStarti)
