"""A booted machine with puppets on it: what the functions of tests/labs/N/scenes.py are given."""
import os
import random
import struct

from . import calls, player, puppet
from .actor import Actor, Signal, Step
from .emulator import INSTRUCTIONS, Emulator
from .exceptions import describe_fault
from .page_tables import PAGE, PageTables
from .words import Broken, Ended

MAIN = 1
# How often another puppet may come first before we say that the wanted one is gone.
PATIENCE = 200
# Between the heap and the mmap area: nothing is there unless a check puts it there.
FREE_SPACE = range(1 << 40, 0x600000000000)
SIGINFO = struct.Struct("<iii4xQ")
CR3_FRAME = ~(PAGE - 1)


class Stage:
    """
    One boot. RANDOM is drawn from SEED anew for each check (begin), so a check alone is laid out as among all.
    MAIN is the first puppet; more come by its fork().
    """

    def __init__(self, folder, sandbox, *, kernel, archive, code, seed, memory="64M", cpu="max", option="", disc=0,
                 journal=False, programs=(), files=None):
        self.seed, self.random = seed, random.Random(f"{seed} stage")
        self.base = puppet.draw_base(self.random)
        self.home, self.programs = puppet.home_at(self.base), {program.name: program for program in programs}
        self.watched = set()    # the programs' homes where breakpoints are
        own_archive = os.path.join(folder, "archive.tar")
        puppet.make_archive(own_archive, archive, puppet.make_elf(code, self.base), programs, files)
        self.option, self.memory = option, int(memory[:-1]) << 20
        options = " ".join(["run", "audit=exit", *option.split(), *(["journal=fault,syscall,vma,process,signal"] if journal else [])])
        self.machine = Emulator(folder, sandbox, kernel=kernel, archive=own_archive, append=options, memory=memory, cpu=cpu, disc=disc,
                                journal=journal)
        self.actors, self.current, self.registers = {}, None, {}
        self.trace = None
        self.shared = []        # (start, end) of what the checks have mapped MAP_SHARED
        try:
            self.open()
        except BaseException:
            self.machine.close()
            raise

    def open(self):
        self.watch(self.home)
        self.main = self.actors[MAIN] = Actor(self, MAIN, self.home)
        self.proceed(self.main)
        self.machine.exceptions.take()
        for number in (calls.SIGSEGV, calls.SIGBUS):
            self.main.catch(number)

    def watch(self, home):
        """Whoever comes to HOME's checkpoint, or is caught there, stops the machine."""
        if home not in self.watched:
            self.watched.add(home)
            for address in stops(home):
                self.machine.gdb.set_breakpoint(address)

    def begin(self, check, trace=None):
        """What CHECK draws is its own. TRACE(line) is told each step."""
        self.random, self.trace = random.Random(f"{self.seed} {check}"), trace

    def close(self):
        self.machine.close()

    @property
    def mailbox(self):
        return self.home.mailbox

    def read_physical(self, address, length):
        return self.machine.gdb.read_physical(address, length)

    # --- Draws --------------------------------------------------------------------------------------------------

    def draw(self, least, most):
        """A number from LEAST to MOST."""
        return self.random.randint(least, most)

    def draw_byte(self):
        """Any byte but 0."""
        return self.random.randint(1, 255)

    def draw_place(self, pages):
        """An address that nothing lies near: room for PAGES and a gap on both sides."""
        return self.random.randrange(FREE_SPACE.start, FREE_SPACE.stop - pages * PAGE, PAGE)

    def draw_pages(self, start, count, some):
        """SOME different pages of the COUNT at START, in any order."""
        return [start + index * PAGE for index in self.random.sample(range(count), some)]

    def within(self):
        """An offset within a page."""
        return self.random.randrange(PAGE)

    # --- Steps --------------------------------------------------------------------------------------------------

    def set_registers(self, piece, registers):
        for name, value in registers.items():
            self.machine.gdb.set_register(name, value)
        self.machine.gdb.set_register("rip", self.current.place(piece))

    def proceed(self, wanted, instructions=INSTRUCTIONS):
        """Lets the machine run until WANTED stops; the others only give way."""
        for _ in range(PATIENCE):
            self.machine.proceed(instructions)
            self.arrived()
            if self.current is wanted:
                return
            self.set_registers("call", {"rax": calls.SCHED_YIELD})
        wanted.alive = False
        raise Broken("the process to go on", "it never came back: it was killed, or it waits for ever")

    def arrived(self):
        self.registers = self.machine.gdb.registers()
        if not any(self.registers["rip"] in stops(home) for home in self.watched):
            raise Ended(f"the processor stopped at {self.registers['rip']:#x}, where no puppet has its breakpoint")
        self.current = self.actors.get(self.registers["r15"])
        if self.current is None:
            raise Broken("the registers of the process to be kept", f"r15 is {self.registers['r15']:#x}")
        if self.registers["rip"] not in stops(self.current.home):
            raise Broken("the process to execute its own program", "another one")
        self.current.cr3 = self.registers["cr3"] & CR3_FRAME
        if self.current.stack is None:
            self.current.stack = self.registers["rsp"]

    def bring(self, actor):
        if not actor.alive:
            raise Broken("the process to go on", "it is gone")
        if self.current is not actor:
            self.set_registers("call", {"rax": calls.SCHED_YIELD})
            self.proceed(actor)

    def step(self, actor, piece, registers, instructions=INSTRUCTIONS):
        self.bring(actor)
        self.machine.exceptions.take()
        self.set_registers(piece, registers | {"rsp": actor.stack})
        before = self.machine.instructions()
        self.proceed(actor, instructions)
        outcome = self.outcome(actor, before)
        if self.trace:
            self.trace(describe_step(actor, piece, registers, outcome))
        return outcome

    def outcome(self, actor, before):
        spent, caught = self.machine.instructions() - before, None
        if self.registers["rip"] == actor.place("caught"):
            raw = actor.peek(self.registers["rsi"], SIGINFO.size)
            number, _, code, address = SIGINFO.unpack(raw) if len(raw) == SIGINFO.size else (0, 0, 0, 0)
            caught = Signal(self.registers["rdi"], code, address) if number == self.registers["rdi"] else Signal(0, 0, 0)
        return Step(self.registers["rax"], [fault for fault in self.machine.exceptions.take() if self.counts(actor, fault)],
                    caught, spent)

    def counts(self, actor, fault):
        """Faults on the puppet's own program, and the kernel's on its stack (a signal's frame), are none of the check's."""
        if fault.cr3 & CR3_FRAME != actor.cr3 or actor.home.start <= fault.address < actor.home.end:
            return False
        return not (fault.cpl == 0 and calls.STACK_TOP - calls.STACK_SPAN <= fault.address < calls.STACK_TOP)

    # --- Processes ------------------------------------------------------------------------------------------------

    def fork(self, parent, number=calls.FORK, switch=True):
        """The child. Without SWITCH the parent goes on first."""
        child = Actor(self, max(self.actors) + 1, parent.home)
        self.actors[child.identity] = child
        child.stack = parent.stack
        step = self.step(parent, "fork", {"rax": number, "rdi": 0, "rsi": 0, "rdx": 0, "r14": child.identity})
        child.pid = step.value
        if step.signal or step.value >> 31 or step.value == 0:
            raise Broken("fork to return the child's number", calls.describe_result(step.value - (1 << 64) if step.value >> 63 else step.value))
        if switch:
            self.bring(child)
        return child

    def play(self, name):
        """A process of the program NAME, which has the submission's C library; the main puppet is its parent."""
        return player.play(self, self.programs[name])

    def end(self, actor, status):
        """ACTOR exits and the main puppet, its parent, waits for it."""
        self.bring(actor)
        actor.alive = False
        self.set_registers("call", {"rax": calls.EXIT_GROUP, "rdi": status})
        self.proceed(self.main)
        self.bury(actor, status << 8)

    def leave(self, actor, parent):
        """ACTOR exits and PARENT, another puppet, waits for it."""
        self.bring(actor)
        actor.alive = False
        self.set_registers("call", {"rax": calls.EXIT_GROUP, "rdi": 0})
        self.proceed(parent)
        if parent.result(calls.WAIT4, actor.pid, 0, 0, 0) != actor.pid:
            raise Broken(f"wait4 to return the process {actor.pid}", "something else")
        self.actors.pop(actor.identity)

    def bury(self, actor, status):
        """The main puppet waits for its child ACTOR, which has to have ended with STATUS (as wait4 has it)."""
        actor.alive = False
        at = self.mailbox + 64
        got = self.main.result(calls.WAIT4, actor.pid, at, 0, 0)
        if got != actor.pid:
            raise Broken(f"wait4 to return the process {actor.pid}", calls.describe_result(got))
        if (seen := int.from_bytes(self.main.peek(at, 4), "little")) != status:
            raise Broken(f"the child to end with the wait status {status:#x}", f"{seen:#x}")
        self.actors.pop(actor.identity)

    # --- What must be so whatever has been done --------------------------------------------------------------------

    def check_sound(self):
        """No page table is anybody's memory, and none belongs to two; no frame is writable for two that do not share it."""
        tables, writable = {}, {}
        for actor in [actor for actor in self.actors.values() if actor.alive and actor.cr3]:
            walk = PageTables(self.read_physical, actor.cr3)
            for frame, (level, address) in walk.user_tables().items():
                if frame in tables:
                    raise Broken("each page table to belong to one place", f"frame {frame:#x} is a table of two")
                tables[frame] = (level, address)
            for address, entry in walk.user_pages().items():
                if entry.writable and not actor_shares(actor, address):
                    if entry.frame in writable:
                        raise Broken("a private frame to be writable for one page only",
                                     f"frame {entry.frame:#x} at {address:#x} and at {writable[entry.frame]:#x}")
                    writable[entry.frame] = address
        for frame, address in writable.items():
            if frame in tables:
                raise Broken("no page table to be a program's memory", f"frame {frame:#x}, writable at {address:#x}, is one")


def stops(home):
    """Where the grader takes a process of HOME's program over."""
    return puppet.address(home.base, "checkpoint"), puppet.address(home.base, "caught")


def describe_step(actor, piece, registers, step):
    words = [f"puppet {actor.identity}: {actor.describe(piece, registers)} -> {calls.describe_result(step.value - (step.value >> 63 << 64))}"]
    words += [describe_fault(fault) for fault in step.faults]
    words += [f"signal {step.signal.number}, code {step.signal.code}, at {step.signal.address:#x}"] if step.signal else []
    return "; ".join(words)


def actor_shares(actor, address):
    return any(start <= address < end for start, end in actor.stage.shared)
