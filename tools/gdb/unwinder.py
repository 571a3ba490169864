"""
Lets `bt` go on through the kernel's assembly, which has no unwind tables: from a fault, an interrupt or a system call
to the program that made it.

A table is made here (DWARF 4, section 6.4) and given to GDB as one more symbol file. An unwinder in Python can't do
this: GDB refuses to go from a kernel stack to a program's lower one, except over what the table marks as a signal
frame; hence also the words "<signal handler called>" at the border, which `bt` replaces.
"""
import os
import re
import struct
import tempfile

import gdb

import machine
from machine import Command

# DWARF's numbers of the registers (System V ABI for x86-64, figure 3.36).
DWARF = {name: number for number, name in enumerate(
    "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split())}
# struct pt_regs (kernel/cpu/regs.h): the place of each register, in words.
PLACES = {name: place for place, name in enumerate(
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig rip cs eflags rsp ss".split())}
WORD = 8
DEF_CFA, DEF_CFA_SF, SAME_VALUE, OFFSET, REGISTER, EXPRESSION, VALUE_OFFSET, ADVANCE_LOC4 = (
    0x0c, 0x12, 0x08, 0x80, 0x09, 0x10, 0x14, 0x04)
OP_ADDRESS = 0x03
REGS_SIZE = len(PLACES) * WORD
LEAVES = ("arch_copy_user", "arch_clear_user")


def uleb(value):
    out = bytearray()
    while True:
        out.append(value & 0x7f | (0x80 if value >> 7 else 0))
        value >>= 7
        if not value:
            return bytes(out)


def sleb(value):
    out = bytearray()
    while True:
        byte, value = value & 0x7f, value >> 7
        if value in (0, -1) and bool(byte & 0x40) == (value == -1):
            return bytes(out + bytes([byte]))
        out.append(byte | 0x80)


# --- Rules ------------------------------------------------------------------------------------------------------

def all_saved(stack_to_regs):
    """The frame's base is the struct pt_regs, STACK_TO_REGS bytes above the stack pointer; all registers are in it."""
    rules = bytes([DEF_CFA_SF]) + uleb(DWARF["rsp"]) + sleb(stack_to_regs // WORD)
    for name, number in DWARF.items():
        rules += bytes([OFFSET | number]) + uleb(PLACES[name])
    return rules


def partly_saved(stack_to_regs):
    """
    As above while registers are being pushed or popped: those below the stack pointer are still in place. After SYSCALL
    that holds for two that the processor pushes otherwise: RIP is in RCX, and the program's stack pointer in this_cpu.
    """
    rules = all_saved(stack_to_regs)
    for name, number in DWARF.items():
        if PLACES[name] * WORD >= -stack_to_regs:
            continue
        if name == "rip":
            rules += RIP_IN_RCX
        elif name == "rsp":
            rules += bytes([EXPRESSION]) + uleb(number) + uleb(1 + WORD) + bytes([OP_ADDRESS]) + struct.pack("<Q", user_sp())
        else:
            rules += bytes([SAME_VALUE]) + uleb(number)
    return rules


def user_sp():
    """The address at which SYSCALL's stub keeps the program's stack pointer."""
    return machine.address_of("this_cpu") + machine.field_offset(machine.type_named("struct cpu_info"), "user_sp")


# SYSCALL has changed RIP, RCX and R11 only.
RIP_IN_RCX = bytes([REGISTER]) + uleb(DWARF["rip"]) + uleb(DWARF["rcx"])
AT_SYSCALL = (bytes([DEF_CFA]) + uleb(DWARF["rsp"]) + uleb(0) + bytes([VALUE_OFFSET]) + uleb(DWARF["rsp"]) + uleb(0) + RIP_IN_RCX +
              b"".join(bytes([SAME_VALUE]) + uleb(number) for name, number in DWARF.items() if name not in ("rsp", "rip")))
IN_C = WORD             # each stub calls C with the structure 8 bytes above the stack pointer
ON_PROGRAMS_STACK = None


def rows_of_stub(start, end, to_regs):
    """(address, rules) for each instruction of a stub. TO_REGS: how far above the stack pointer the structure is, or would be."""
    rows = []
    for instruction in gdb.selected_inferior().architecture().disassemble(start, end - 1):
        rows.append((instruction["addr"], AT_SYSCALL if to_regs is ON_PROGRAMS_STACK else partly_saved(to_regs)))
        text = instruction["asm"]
        change = re.match(r"(add|sub) +\$(0x[0-9a-f]+),%rsp", text)
        if text.startswith("push"):
            to_regs += WORD
        elif text.startswith("pop"):
            to_regs -= WORD
        elif change:
            to_regs += int(change[2], 16) * (1 if change[1] == "sub" else -1)
        elif re.match(r"mov .*\(%rip\),%rsp", text):
            to_regs = -REGS_SIZE                # the top of the kernel's stack
        elif re.match(r"mov .*\(%rsp\),%rsp", text):
            to_regs = ON_PROGRAMS_STACK
        elif text.startswith(("iret", "sysret", "jmp")):
            to_regs = IN_C                      # what follows is reached from after the call
    return rows


# --- The table ----------------------------------------------------------------------------------------------------

def entry(body):
    body += b"\0" * (-len(body) % 8 + 4)     # padded by DW_CFA_nop; with the length, a multiple of 8
    return struct.pack("<I", len(body)) + body


def common(augmentation, rules, alignment):
    return entry(struct.pack("<IB", 0xffffffff, 1) + augmentation + b"\0" + uleb(1) + sleb(alignment) +
                 bytes([DWARF["rip"]]) + rules)


def description(common_at, rows, end):
    start = rows[0][0]
    body, at = struct.pack("<IQQ", common_at, start, end - start), start
    for address, rules in rows:
        if address != at:
            body += bytes([ADVANCE_LOC4]) + struct.pack("<I", address - at)
            at = address
        body += rules
    return entry(body)


def frame_table():
    stub = machine.address_of("asm_exc_page_fault")
    common_in = machine.address_of("exception_common")
    signal_frame = common(b"S", all_saved(IN_C), WORD)
    leaf = common(b"", bytes([DEF_CFA]) + uleb(DWARF["rsp"]) + uleb(WORD) + bytes([OFFSET | DWARF["rip"]]) + uleb(1),
                  -WORD)
    table = signal_frame + leaf
    table += description(0, rows_of_stub(stub, common_in, -PLACES["orig"] * WORD), stub_end(stub))
    call = machine.address_of("asm_syscall_entry")
    table += description(0, rows_of_stub(call, machine.address_of("asm_rt_sigreturn"), ON_PROGRAMS_STACK), stub_end(call))
    for name in LEAVES:
        start = machine.address_of(name)
        table += description(len(signal_frame), [(start, b"")], start + 64)
    return table


def stub_end(address):
    """The end of the assembly file that holds ADDRESS, by its lines."""
    table = gdb.find_pc_line(address).symtab
    return max(line.pc for line in table.linetable()) + 1


def symbol_file(table):
    """An ELF file that holds nothing but TABLE."""
    names = b"\0.shstrtab\0.debug_frame\0.text\0"
    header = 64
    at_names, at_table = header, header + len(names)
    at_sections = (at_table + len(table) + 7) & ~7

    def section(name, kind, flags, address, place, size):
        return struct.pack("<IIQQQQIIQQ", names.index(name + b"\0") if name else 0, kind, flags, address, place, size,
                           0, 0, 1, 0)
    sections = (section(b"", 0, 0, 0, 0, 0) + section(b".shstrtab", 3, 0, 0, at_names, len(names)) +
                section(b".debug_frame", 1, 0, 0, at_table, len(table)) + section(b".text", 8, 6, 0, at_sections, 0))
    ident = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    start = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, at_sections, 0, header, 0, 0, 64, 4, 1)
    return (start + names + table).ljust(at_sections, b"\0") + sections


# --- bt ---------------------------------------------------------------------------------------------------------

class Backtrace(Command):
    """The way here, from the innermost function outwards: bt [as for `backtrace`]

Goes through the kernel's assembly to the program that made the fault or the system call."""

    name = "bt"
    most_words = 20

    def run(self, words):
        text = gdb.execute("backtrace " + " ".join(words), to_string=True)
        print(text.replace("<signal handler called>", "<the kernel was entered here>"), end="")


COMMANDS = (Backtrace,)


def show_place(_event):
    """Where the machine stops inside a stub, GDB's own words are only "<signal handler called>"."""
    try:
        frame = gdb.newest_frame()
        if frame.type() == gdb.SIGTRAMP_FRAME:
            place = gdb.find_pc_line(frame.pc())
            text = gdb.execute(f"info symbol {frame.pc():#x}", to_string=True).split(" in section")[0]
            code = gdb.selected_inferior().architecture().disassemble(frame.pc())[0]["asm"]
            print(f"{text} at {place.symtab.filename}:{place.line}: {' '.join(code.split())}")
    except (gdb.error, AttributeError):
        pass


def install():
    """Needs the kernel's file, not the machine: the instructions are read from the file."""
    gdb.execute("set trust-readonly-sections on")
    path = file_of(symbol_file(frame_table()))
    gdb.execute(f"add-symbol-file {path}", to_string=True)
    gdb.events.stop.connect(show_place)


def file_of(contents):
    """A file for GDB to read, which is gone when GDB is: on Linux it has no name in any folder."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("zeropage-frames")
        os.write(descriptor, contents)
        return f"/proc/self/fd/{descriptor}"
    with tempfile.NamedTemporaryFile(prefix="zeropage-frames-", suffix=".elf", delete=False) as file:
        file.write(contents)
    gdb.events.gdb_exiting.connect(lambda _event: os.path.exists(file.name) and os.unlink(file.name))
    return file.name
