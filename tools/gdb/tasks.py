"""ps, regs, journal: who there is, with which registers, and what happened last."""
import gdb

import machine
import spaces
from machine import Command, Problem, integer, plural, pointer, variable

STATES = {"running": "runs or is ready", "interruptible": "waits", "uninterruptible": "waits for the kernel",
          "stopped": "stopped", "zombie": "dead, its parent has not asked", "dead": "dead"}
JOURNAL_DEFAULT = 20
USER_RING = 3
FLAGS = ((0, "CF"), (2, "PF"), (4, "AF"), (6, "ZF"), (7, "SF"), (8, "TF"), (9, "IF"), (10, "DF"), (11, "OF"),
         (14, "NT"), (16, "RF"), (18, "AC"), (21, "ID"))


class Processes(Command):
    """The processes: ps

One line for each, in the order of their numbers: number, parent, threads, resident pages, faults, state and name.
The running one has a star."""

    name = "ps"

    def run(self, words):
        machine.need_machine()
        running = integer(spaces.current()["process"]["pid"]) if pointer(spaces.current()["process"]) else 0
        states = machine.enum_names("task_state", "TASK_")
        print(f"  {'pid':>5}{'parent':>8}{'threads':>9}{'resident':>10}{'faults':>8}  state")
        for process in spaces.processes():
            print(self.line(process, running, states))

    @staticmethod
    def line(process, running, states):
        pid = integer(process["pid"])
        parent = integer(process["parent"]["pid"]) if pointer(process["parent"]) else 0
        name, state, resident, faults = "?", "?", 0, integer(process["min_flt"])
        if pointer(process["leader"]):
            task = process["leader"].dereference()
            name = machine.string(task["comm"])
            state = STATES.get(states.get(integer(task["state"])), "?")
            faults += integer(task["min_flt"])
            if pointer(task["mm"]):
                resident = spaces.resident(task["mm"].dereference())
        return (f"{'*' if pid == running else ' '} {pid:5}{parent:8}{integer(process['thread_count']):9}{resident:10}"
                f"{faults:8}  {name}: {state}")


class Registers(Command):
    """The program's registers, as the kernel saved them on its way in: regs [PID]

For the running process, or for PID. Those of the processor itself are GDB's `info registers`; in the program the
two are the same."""

    name = "regs"
    most_words = 1

    def run(self, words):
        machine.need_machine()
        task = spaces.task_of(words, 0)
        if not words and spaces.in_user_mode():
            raise Problem("the processor is in the program: nothing is saved, `info registers` has them all")
        values = registers_of(task)
        print(f"{machine.string(task['comm'])}, pid {integer(task['pid'])}: registers on entry to the kernel")
        names = ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
        for first in range(0, len(names), 4):
            print("  " + "  ".join(f"{('r' + name if name.isalpha() else name):>3} {values[name]:#018x}"
                                   for name in names[first:first + 4]))
        set_flags = " ".join(name for bit, name in FLAGS if values["flags"] >> bit & 1)
        print(f"  rip {values['ip']:#018x}  flags {values['flags']:#x}: {set_flags}")
        print(f"  ring {values['cs'] & 3}, orig_ax {describe_origin(values['orig_ax'])}")


def registers_of(task):
    """{a field of struct pt_regs: its value}. In the stubs, some of the running task's are still where the program had them."""
    regs = spaces.saved_regs(task)
    values = {field.name: pointer(regs[field.name]) for field in regs.type.fields()}
    frame = gdb.newest_frame()
    if pointer(task.address) != pointer(spaces.current().address) or frame.type() != gdb.SIGTRAMP_FRAME:
        return values
    program = frame.older()
    if program is None or program.pc() >= machine.TASK_SIZE:
        return values
    if is_entering(frame.pc()):
        values.update(flags=pointer(program.read_register("r11")), cs=USER_RING, orig_ax=pointer(program.read_register("rax")))
    values.update({name: pointer(program.read_register(name if name[1:].isdigit() else f"r{name}"))
                   for name in values if name not in ("flags", "cs", "ss", "orig_ax")})
    return values


def is_entering(pc):
    """Is PC in the system call's stub, before it calls anybody?"""
    start = machine.address_of("asm_syscall_entry")
    if not start <= pc < machine.address_of("asm_rt_sigreturn"):
        return False
    code = gdb.selected_inferior().architecture().disassemble(start, pc)
    return not any(instruction["asm"].startswith("call") for instruction in code[:-1])


def describe_origin(value):
    if value >> 63:
        return f"{value - machine.WORD}: no system call"
    return f"{value:#x} ({value}): the number of the system call, or an exception's error code"


# --- The journal ------------------------------------------------------------------------------------------------

class Journal(Command):
    """The last events: journal [N]

The last N events (20 unless told; up to 1024 are kept) from the kernel's own ring: faults, system calls, changes of
VMAs, page tables and frames. The kernel's option journal=on, which `make debug` gives, fills it."""

    name = "journal"
    most_words = 1

    def run(self, words):
        machine.need_machine()
        wanted = machine.number(words[0]) if words else JOURNAL_DEFAULT
        if not 0 < wanted < machine.WORD // 2:
            raise Problem(f"{words[0]} is no number of events")
        count = integer(variable("journal_count"))
        ring = variable("journal_ring")
        size = ring.type.range()[1] + 1
        if count == 0:
            mask = integer(variable("journal_mask"))
            raise Problem("nothing has happened yet" if mask else
                          "the journal is off: the kernel was started without journal=on")
        for number in range(max(0, count - min(wanted, size)), count):
            print(event_line(ring[number % size]))


def event_line(record):
    schema = variable("journal_schema")[integer(record["kind"])]
    parts = []
    for place in range(8):
        if not pointer(schema["args"][place]):
            break
        name = machine.string(schema["args"][place])
        parts.append(f"{name}={shown(integer(schema['formats'][place]), integer(record['args'][place]))}")
    return (f"{integer(record['sequence']):6}  pid {integer(record['pid']):<3} {machine.string(schema['name']):12} "
            + " ".join(parts))


def shown(form, value):
    """One argument, in the form that the kernel's table gives it (enum journal_format)."""
    form = machine.enum_names("journal_format", "JOURNAL_").get(form)
    if form == "decimal":
        return str(value)
    if form == "signed":
        return str(value - machine.WORD if value >> 63 else value)
    if form == "page_type":
        return spaces.type_names().get(value, str(value))
    if form == "outcome":
        return machine.enum_names("fault_outcome", "FAULT_").get(value, str(value))
    if form == "vm_flags":
        return spaces.rights(value)
    if form == "pte_bits" and value:
        return f"{(value & spaces.FRAME_MASK) >> 12:#x}({spaces.entry_bits(value).replace(' ', ',')})"
    return f"{value:#x}"


COMMANDS = (Processes, Registers, Journal)
