"""Loads zeropage's commands into GDB: `source tools/gdb/zeropage.py`. `help zeropage` lists them."""
import os
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
import start  # noqa: E402
import tasks  # noqa: E402
import unwinder  # noqa: E402


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
  run                    begin again, at the program's first page fault
  moment [NUMBER]        in a recorded run (make rewind): where the machine is; go to another moment
  who-wrote ADDRESS      in a recorded run: go back to the instruction that wrote there last

Each has its own help: `help pf`."""

    name = "zeropage"

    def run(self, words):
        print(Zeropage.__doc__)


def main():
    try:
        machine.kernel()
    except machine.Problem as problem:
        gdb.write(f"zeropage: {problem}\n", gdb.STDERR)
        return
    Zeropage()
    for module in (start, faults, memory, tasks, check, rewind, unwinder):
        for command in module.COMMANDS:
            command()
    # An argument is shown once, not also as it was on entry (vmf=vmf@entry=...).
    gdb.execute("set print entry-values no")
    printers.install()
    unwinder.install()
    gdb.events.stop.connect(faults.tell)
    gdb.events.stop.connect(rewind.tell)
    start.install()


main()
