"""moment and who-wrote: going back in a recorded run (`make rewind`), beside GDB's own reverse-stepi and its kin."""
import re
from contextlib import contextmanager

import gdb

import machine
import spaces
from faults import function_at, source_line
from machine import Command, Problem, integer, pointer

# Going back loads the last snapshot before the goal and runs on from there; nearer ones are taken along the way.
SNAPSHOTS_MOST = 32
SNAPSHOT_DISTANCE = 500_000         # instructions, at the least
SNAPSHOT_BYTES_MOST = 1 << 30       # on the disc, all together
HOOKED = ("continue", "step", "stepi", "next", "nexti", "finish", "until", "advance", "jump")
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Recording:
    """The recorded run that is replayed. A moment is the number of instructions since the machine was switched on."""

    def __init__(self, first_fault):
        self.first_fault = self.end = first_fault
        self.snapshots = {0: "start"}
        self.goes_back = False      # by reverse-continue


recording = None
is_travelling = False       # between two stops that a person sees


def need_recording():
    machine.need_machine()
    if recording is None:
        raise Problem("this run was not recorded; `make rewind` records one")
    return recording


def monitor(command):
    """A word to QEMU itself, and its answer."""
    return gdb.execute(f"monitor {command}", to_string=True).strip()


def now():
    """The moment at which the machine is."""
    answer = monitor("info replay")
    found = re.search(r"instruction count = (\d+)", answer)
    if not found:
        raise Problem(f"QEMU does not say where it is in the recording: {answer}")
    return int(found.group(1))


@contextmanager
def travelling():
    """Nothing on the way is to stop the machine, or to be told."""
    global is_travelling
    was_travelling, is_travelling = is_travelling, True
    try:
        with machine.no_stops(), machine.silence():
            yield
    finally:
        is_travelling = was_travelling


def run_until(moment):
    """Runs on to MOMENT, which lies ahead."""
    monitor(f"replay_break {moment}")
    gdb.execute("continue", to_string=True)


def load(name):
    monitor(f"loadvm {name}")
    gdb.execute("maintenance flush register-cache", to_string=True)
    gdb.execute("maintenance flush dcache", to_string=True)


def go_to(moment):
    """Forward or back to MOMENT; to the place before an instruction that faults, as tools/replay_line.py does."""
    with travelling():
        if moment <= now():
            load(recording.snapshots[max(at for at in recording.snapshots if at < max(moment, 1))])
        if moment > now() + 1:
            run_until(moment - 1)
        while now() < moment:
            gdb.execute("stepi", to_string=True)
    stay_inside()


def take_snapshot():
    """Takes a snapshot here, when QEMU can; returns its size in bytes."""
    at = now()
    if not monitor(f"savevm at-{at}"):
        recording.snapshots[at] = f"at-{at}"
    found = re.search(rf"at-{at}\s+([\d.]+) (\w+)", monitor("info snapshots"))
    return float(found.group(1)) * UNITS.get(found.group(2), 1) if found else 0


def take_snapshots():
    """From here to the end of the recording."""
    begin, size = now(), 0
    distance = max(SNAPSHOT_DISTANCE, (recording.end - begin) // SNAPSHOTS_MOST)
    with travelling():
        for moment in range(begin + distance, recording.end, distance):
            if size > SNAPSHOT_BYTES_MOST:
                break
            run_until(moment)
            size += take_snapshot()
    go_to(begin)


def tell_handlers():
    """Where the processor goes at exceptions and interrupts: tools/replay_line.py, which QEMU is behind, wants to know."""
    stubs = machine.variable("entry_stubs")
    addresses = {pointer(stubs[vector]) for vector in range(stubs.type.range()[1] + 1)}
    gdb.execute("maintenance packet qzeropage.handlers:" + ",".join(f"{address:x}" for address in sorted(addresses)),
                to_string=True)


def stay_inside():
    """The machine stops at the end of the recording. QEMU forgets this whenever it goes back, so it is told again."""
    if now() < recording.end:
        monitor(f"replay_break {recording.end}")


def tell(event):
    """At a stop that a person sees: the ends of the recording, and what a signal without a word was."""
    if recording is None or is_travelling:
        return
    try:
        at = now()
        stay_inside()
    except (Problem, gdb.error):
        return      # the machine is gone
    if at == 0:
        print("rewind: the beginning of the recording: the machine is being switched on. "
              f"`moment {recording.first_fault}` is at the program's first fault.")
    elif at >= recording.end:
        print("rewind: the end of the recording. From here only reverse-continue and its kin lead on.")
    elif recording.goes_back and type(event) is gdb.StopEvent and watched():
        print("rewind: the instruction before this one has written to " + " or ".join(watched()))
    recording.goes_back = False


def watched():
    return [stop.expression for stop in gdb.breakpoints() if stop.is_valid() and stop.enabled and stop.expression and
            stop.type == gdb.BP_HARDWARE_WATCHPOINT]


def start(instructions):
    """Called where the program makes its first fault. INSTRUCTIONS is None when the kernel ends the recording itself."""
    global recording
    recording = Recording(first_fault=now())
    tell_handlers()
    with travelling():
        take_snapshot()
        if instructions is None:
            switched_off = gdb.Breakpoint("power_off", internal=True)
            gdb.execute("continue", to_string=True)
            switched_off.delete()
        recording.end = instructions or now()
    go_to(recording.first_fault)
    take_snapshots()
    for command in HOOKED:
        gdb.execute(f"define hook-{command}\nrewind-hook {command}\nend")


# --- Commands ---------------------------------------------------------------------------------------------------

class Hook(gdb.Command):
    """Called before GDB's commands that let the machine run."""

    def __init__(self):
        super().__init__("rewind-hook", gdb.COMMAND_NONE)

    def invoke(self, argument, from_tty):
        if recording is None or is_travelling:
            return
        if "Reverse" in gdb.execute("show exec-direction", to_string=True):
            recording.goes_back = argument == "continue"
        elif now() >= recording.end:    # behind it there is no machine any more
            raise gdb.GdbError("The recording ends here; reverse-continue and its kin go back.")


class Moment(Command):
    """Where in the recorded run the machine is: moment [NUMBER]

A moment is the number of instructions that the processor has executed since it was switched on. With NUMBER the
machine goes to that one, forward or back, and passes by all breakpoints. A load or store that faults does not count:
it and the first instruction of the handler are the same moment, and going there leads to the load or store."""

    name = "moment"
    most_words = 1

    def run(self, words):
        need_recording()
        if words:
            moment = machine.number(words[0])
            if moment > recording.end:
                raise Problem(f"the recording ends at moment {recording.end}")
            go_to(moment)
            gdb.execute("frame")
        else:
            print(f"moment {now()} of {recording.end}")


class WhoWrote(Command):
    """Go back to the last write: who-wrote ADDRESS, or who-wrote pte ADDRESS [PID]

The machine goes back to the instruction that last wrote to the 8 bytes at ADDRESS and stands before it: `bt` shows how
it came there, `stepi` executes it. With `pte` these 8 bytes are the page-table entry for ADDRESS. An expression will do
for ADDRESS. Once more, and it goes to the write before that one.

What the processor itself does to an entry, setting its accessed and dirty bits, is no write in this sense. A user
address is watched in whatever process runs; without a write since the machine was switched on, nothing changes."""

    name = "who-wrote"
    most_words = 3

    def run(self, words):
        if not words or words[0] == "pte" and len(words) < 2 or words[0] != "pte" and len(words) > 1:
            raise Problem("it needs an address: who-wrote ADDRESS, or who-wrote pte ADDRESS [PID]")
        need_recording()
        place, what = entry_place(words[1:]) if words[0] == "pte" else (machine.number(words[0]), "")
        machine.read_word(place)        # or it can't be watched either
        left = now()
        if not back_over_write(place):
            go_to(left)
            raise Problem(f"nobody has written to {place:#x} since the machine was switched on")
        describe_write(place, what, left)
        gdb.execute("frame")


def entry_place(words):
    """The address of the page-table entry for words[0], in the process that words[1] names, and what it is."""
    address = machine.number(words[0])
    task = spaces.task_of(words, 1)
    steps = spaces.walk(spaces.pgd_of(spaces.mm_of(task)), address)
    last = steps[-1]
    return (machine.PAGE_OFFSET + last.place,
            f"{spaces.LEVEL_NAMES[last.level]}[{last.index}] for {address:#x} of "
            f"{machine.string(task['comm'])}, pid {integer(task['pid'])}")


def back_over_write(place):
    """Goes back to the last instruction that writes there and stands before it. False when there is none."""
    with travelling():
        watch = gdb.Breakpoint(f"*(unsigned long *){place:#x}", gdb.BP_WATCHPOINT, gdb.WP_WRITE, internal=True)
        try:
            gdb.execute("reverse-continue", to_string=True)
            found = now() > 0
        finally:
            watch.delete()
        if found:
            gdb.execute("reverse-stepi", to_string=True)
    stay_inside()
    return found


def describe_write(place, what, left):
    at = now()
    before = machine.read_word(place)
    ip = int(gdb.newest_frame().pc())
    code = gdb.selected_inferior().architecture().disassemble(ip)[0]["asm"]
    with travelling():
        gdb.execute("stepi", to_string=True)
        after = machine.read_word(place)
    go_to(at)
    shown = entry if what else "{:#x}".format
    print(f"who-wrote: {what + ', at ' if what else ''}{place:#x}: {machine.plural(left - at, 'instruction')} ago")
    print(f"  before   {shown(before)}")
    print(f"  after    {shown(after)}")
    print(f"  in       {who()}")
    print(f"  by       {ip:#x} {function_at(ip)}  {' '.join(code.split())}")
    line = gdb.find_pc_line(ip)
    if line.symtab:
        print(f"           {line.symtab.filename}:{line.line}{source_line(line)}")


def who():
    try:
        task = spaces.current()
    except Problem:
        return "the kernel, before its first process"
    return f"{machine.string(task['comm'])}, pid {integer(task['pid'])}" if pointer(task["mm"]) else "the kernel itself"


def entry(value):
    if not value:
        return "empty"
    pfn = (value & spaces.FRAME_MASK) >> 12
    if pfn >= integer(machine.variable("max_pfn")):
        return f"{value:#x}: no entry yet, what the frame held before"
    return f"frame {pfn:#x}: {spaces.entry_bits(value)}"


COMMANDS = (Hook, Moment, WhoWrote)
