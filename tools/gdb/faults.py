"""pf and pfbreak: explain the page fault at hand, and stop at those that one cares for."""
import gdb

import machine
import spaces
from machine import TASK_SIZE, Command, Problem, integer, pointer
from verdict import judge, outcome_names

PF_PRESENT, PF_WRITE, PF_USER, PF_RESERVED, PF_INSTRUCTION = 1, 2, 4, 8, 16
ERROR_BITS = ((PF_PRESENT, "present"), (PF_WRITE, "write"), (PF_USER, "user"), (PF_RESERVED, "reserved"),
              (PF_INSTRUCTION, "instruction"))
HANDLER, STUB = "exc_page_fault", "asm_exc_page_fault"
REGS_SIZE = 168


class Fault:
    """A page fault that the processor has taken and the kernel has not left yet."""

    def __init__(self, regs, error):
        self.address = machine.control("cr2")
        self.error = error
        self.ip = pointer(regs["ip"])
        self.regs = regs
        self.from_kernel = pointer(regs["cs"]) & 3 == 0
        self.task = spaces.current()
        self.mm = spaces.mm_of(self.task)

    def access(self):
        if self.error & PF_INSTRUCTION:
            return "execution"
        return "write" if self.error & PF_WRITE else "read"

    def bits(self):
        names = [name for bit, name in ERROR_BITS if self.error & bit]
        if not self.error & PF_PRESENT:
            names.insert(0, "not present")
        if not self.error & PF_USER:
            names.append("kernel")
        return ", ".join(names)


def regs_at(address):
    return gdb.Value(address).cast(machine.type_named("struct pt_regs").pointer()).dereference()


def handler_start():
    return machine.address_of(HANDLER)


def fault_at_hand():
    """The fault that the kernel works on, wherever below its entry the machine has stopped."""
    machine.need_machine()
    frame = gdb.newest_frame()
    while frame is not None:
        if frame.name() == HANDLER:
            if frame.level() == 0 and frame.pc() == handler_start():
                address = pointer(frame.read_register("rdi"))
            else:       # the stub calls it 8 bytes below the structure
                address = pointer(frame.older().read_register("rsp")) + 8
            regs = regs_at(address)
            return Fault(regs, pointer(regs["orig_ax"]) & 0xffffffff if pointer(regs["orig_ax"]) >> 32 == 0 else
                         pointer(spaces.current()["error_code"]))
        if frame.level() == 0 and in_stub(frame.pc()):
            return fault_in_stub(frame)
        frame = frame.older()
    if spaces.in_user_mode():
        raise Problem("no fault at hand: the processor is in the program, at "
                      f"{pointer(gdb.newest_frame().read_register('rip')):#x}. `pfbreak next`, then `continue`")
    raise Problem("no fault at hand: the kernel is not serving one. `pfbreak next`, then `continue`")


def in_stub(pc):
    return machine.address_of(STUB) <= pc < machine.address_of("exception_common")


def fault_in_stub(frame):
    """The processor has pushed what belongs at the end of the structure, the error code in the place of orig_ax."""
    if frame.older().pc() >= TASK_SIZE and frame.pc() != machine.address_of(STUB):
        raise Problem("the kernel's own fault can be explained at the first instruction of the stub, or in "
                      f"{HANDLER}, but not between the two")
    if frame.older().pc() < TASK_SIZE:
        regs = spaces.saved_regs(spaces.current())
    else:
        regs = regs_at(pointer(frame.read_register("rsp")) - 15 * 8)
    return Fault(regs, pointer(regs["orig_ax"]))


# --- pf ---------------------------------------------------------------------------------------------------------

def instruction_lines(ip):
    """The faulting instruction, and its line in the source."""
    lines = []
    try:
        text = gdb.selected_inferior().architecture().disassemble(ip)[0]["asm"]
    except gdb.MemoryError:
        text = "(the page with the instruction itself is not there yet)"
    lines.append(f"{ip:#x} {function_at(ip)}  {' '.join(text.split())}".replace("   ", "  "))
    place = gdb.find_pc_line(ip)
    if place.symtab:
        lines.append(f"{place.symtab.filename}:{place.line}{source_line(place)}")
    return lines


def function_at(ip):
    text = gdb.execute(f"info symbol {ip:#x}", to_string=True).split(" in section")[0].strip()
    return f"<{text.replace(' ', '')}>" if "No symbol" not in text else ""


def source_line(place):
    try:
        with open(place.symtab.fullname(), encoding="utf-8", errors="replace") as file:
            return "  " + " ".join(file.read().splitlines()[place.line - 1].split())
    except (OSError, IndexError):
        return ""


def vma_lines(fault):
    vmas = spaces.vmas(fault.mm)
    if fault.address >= TASK_SIZE:
        return ["none: the address belongs to the kernel's half"]
    vma, previous = spaces.find_vma(vmas, fault.address)
    if vma and vma.contains(fault.address):
        page = (fault.address - vma.start) // machine.PAGE_SIZE
        return [str(vma), f"page {page} of {vma.pages}"]
    lines = ["none holds this address"]
    if previous:
        distance = fault.address - previous.end
        lines.append(f"below: {previous}, ends " + (f"{size(distance)} lower" if distance else "right here"))
    if vma:
        grows = ", grows down" if vma.flags & spaces.VM_GROWSDOWN else ""
        lines.append(f"above: {vma}{grows}, begins {size(vma.start - fault.address)} higher")
    return lines


def size(distance):
    for shift, name in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if distance >> shift:
            return f"{distance >> shift} {name}"
    return machine.plural(distance, "byte")


def walk_lines(pgd, address):
    lines = []
    for step in spaces.walk(pgd, address):
        text = f"{spaces.LEVEL_NAMES[step.level]:4}[{step.index:3}]  "
        if step.value & (spaces.PRESENT | spaces.PROTNONE):
            pfn = (step.value & spaces.FRAME_MASK) >> 12
            text += f"frame {pfn:#x}: {spaces.entry_bits(step.value, step.level)}"
            if step.level == 1 or step.value & spaces.LARGE and step.level in spaces.LARGE_NAMES:
                text += f"; {spaces.frame_of(step.value)}"
        else:
            text += "empty" if step.value == 0 else f"not present, {step.value:#x}"
        lines.append(text)
    return lines


def section(title, lines):
    for number, line in enumerate(lines):
        print(f"  {title if number == 0 else '':8} {line}".rstrip())


def headline(fault):
    who = f"{machine.string(fault.task['comm'])}, pid {integer(fault.task['pid'])}"
    where = ", in the kernel on the program's behalf" if fault.from_kernel and fault.address < TASK_SIZE else ""
    return f"page fault of {who}{where}: {fault.access()} at {fault.address:#x}"


class ExplainFault(Command):
    """Explain the page fault at hand: pf

Says which access faulted and why: the address (CR2), the processor's error code by name, the instruction and its
line in the source, the VMA (or the nearest ones), the entries of the page tables on the way, and the verdict: what
the kernel is going to do about it. Works from the first instruction of the handler until the kernel goes back."""

    name = "pf"

    def run(self, words):
        fault = fault_at_hand()
        print(headline(fault))
        section("error", [f"{fault.error:#x}: {fault.bits()}"])
        section("at", instruction_lines(fault.ip))
        section("vma", vma_lines(fault))
        section("walk", walk_lines(spaces.pgd_of(fault.mm), fault.address))
        outcome, sentence = judge(fault)
        section("verdict", [f"{outcome}: {sentence}"])


# --- pfbreak ----------------------------------------------------------------------------------------------------

class FaultBreakpoint(gdb.Breakpoint):
    """Stops at the handler's first instruction when WANTED(fault) says so."""

    def __init__(self, what, wanted, once=False):
        super().__init__(f"*{handler_start():#x}", internal=True)
        self.silent = True
        self.what, self.wanted, self.once = what, wanted, once

    def stop(self):
        try:
            frame = gdb.newest_frame()
            fault = Fault(regs_at(pointer(frame.read_register("rdi"))), pointer(frame.read_register("rsi")))
            return bool(self.wanted(fault))
        except (Problem, gdb.error):
            return False


def program_fault(fault):
    return not fault.from_kernel


def parse_range(word):
    first, _, last = word.partition("-")
    start, end = machine.number(first), machine.number(last)
    if start >= end:
        raise Problem(f"{word} is no range: the end comes first")
    return start, end


class BreakAtFault(Command):
    """Stop at the page faults you care for: pfbreak [next | ADDRESS | FIRST-END | PID | OUTCOME | off]

  pfbreak                what is set
  pfbreak next           at the next fault of any kind
  pfbreak 0x7ffff7ffd000 at faults in that page
  pfbreak 0x400000-0x500000   at faults from FIRST to END - 1
  pfbreak 3              at faults of process 3 (numbers below 4096 are process numbers)
  pfbreak zero_page      at faults that will end so; `pfbreak outcomes` lists the names
  pfbreak off            no more

Only one is in force at a time. Then `continue`, and `pf` where it stops."""

    name = "pfbreak"
    most_words = 1
    in_force = None

    def run(self, words):
        if not words:
            print(f"pfbreak: {BreakAtFault.in_force.what}" if BreakAtFault.in_force and
                  BreakAtFault.in_force.is_valid() else "pfbreak: off")
            return
        if words[0] == "outcomes":
            print("\n".join(outcome_names().values()))
            return
        what, wanted = self.choose(words[0])
        self.off()
        if wanted:
            BreakAtFault.in_force = FaultBreakpoint(what, wanted)
        print(f"pfbreak: {what}")

    @staticmethod
    def off():
        if BreakAtFault.in_force and BreakAtFault.in_force.is_valid():
            BreakAtFault.in_force.delete()
        BreakAtFault.in_force = None

    @staticmethod
    def choose(word):
        if word == "off":
            return "off", None
        if word == "next":
            return "the next fault of any kind", lambda fault: True
        if word in outcome_names().values():
            return f"faults that end in {word}", lambda fault: judge(fault)[0] == word
        if "-" in word:
            start, end = parse_range(word)
            return f"faults from {start:#x} to {end - 1:#x}", lambda fault: start <= fault.address < end
        try:
            value = machine.number(word)
        except gdb.error:
            raise Problem(f"{word} is no outcome, address or process; `help pfbreak`") from None
        if value < machine.PAGE_SIZE:
            return f"faults of process {value}", lambda fault: integer(fault.task["pid"]) == value
        page = value & ~(machine.PAGE_SIZE - 1)
        return f"faults in the page at {page:#x}", lambda fault: fault.address & ~(machine.PAGE_SIZE - 1) == page


def tell(event):
    """A stop of pfbreak's own says in one line where it is."""
    if BreakAtFault.in_force in getattr(event, "breakpoints", ()):
        try:
            print(f"pfbreak: {headline(fault_at_hand())}")
        except (Problem, gdb.error):
            pass


def run_to_first_fault():
    stop = FaultBreakpoint("the first fault", program_fault)
    gdb.execute("continue", to_string=True)
    if stop.is_valid():
        stop.delete()


def introduce():
    """What a person sees first, at the program's first fault."""
    fault = fault_at_hand()
    print(f"zeropage: {machine.string(fault.task['comm'])} (pid {integer(fault.task['pid'])}) has made its first "
          f"page fault: {fault.access()} at {fault.address:#x}.\n"
          "zeropage: `pf` explains it, `bt` shows the way here, `help zeropage` lists the commands.")
    gdb.execute("frame")


COMMANDS = (ExplainFault, BreakAtFault)
