"""Reads address spaces: processes, VMAs, page tables, frames. Never changes anything."""
import struct
from collections import namedtuple

import gdb

import machine
from machine import PAGE_SIZE, Problem, integer, pointer, variable

PRESENT, WRITE, USER, ACCESSED, DIRTY, LARGE = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6, 1 << 7
PROTNONE, NX = 1 << 8, 1 << 63
FRAME_MASK = 0x000ffffffffff000
PTE_BITS = ((PRESENT, "present"), (WRITE, "write"), (USER, "user"), (1 << 3, "write-through"),
            (1 << 4, "cache-disable"), (ACCESSED, "accessed"), (DIRTY, "dirty"))
LEVEL_NAMES = {4: "PML4", 3: "PDPT", 2: "PD", 1: "PT"}

VM_FLAGS = {0x1: "read", 0x2: "write", 0x4: "exec", 0x8: "shared", 0x10: "mayread", 0x20: "maywrite",
            0x40: "mayexec", 0x80: "mayshare", 0x100: "growsdown", 0x2000: "locked", 0x8000: "seq_read",
            0x10000: "rand_read", 0x20000: "dontcopy", 0x40000: "dontexpand", 0x80000: "lockonfault",
            0x100000: "account", 0x200000: "noreserve", 0x2000000: "wipeonfork", 0x4000000: "dontdump",
            0x20000000: "hugepage", 0x40000000: "nohugepage", 0x80000000: "mergeable"}
VM_READ, VM_WRITE, VM_EXEC, VM_SHARED, VM_MAYSHARE, VM_GROWSDOWN = 1, 2, 4, 8, 0x80, 0x100


# --- Entries ----------------------------------------------------------------------------------------------------

def entry_bits(value, level=1):
    """The bits of an entry by name."""
    if value == 0:
        return "empty"
    if not value & PRESENT:
        names = ["not present"] + (["prot-none"] if value & PROTNONE else [])
    else:
        names = [name for bit, name in PTE_BITS if value & bit]
        names += [f"large ({LARGE_NAMES[level]})"] if level in LARGE_NAMES and value & LARGE else []
        names += ["global"] if value & PROTNONE else []
    return " ".join(names + (["no-execute"] if value & NX else []))


LARGE_NAMES = {2: "2 MiB", 3: "1 GiB"}
Step = namedtuple("Step", "level index place value")


def level_shift(level):
    return 12 + 9 * (level - 1)


def walk(pgd, address):
    """The entries on the way to ADDRESS below the PML4 at physical PGD, as far as they lead."""
    steps, table = [], pgd
    for level in (4, 3, 2, 1):
        index = address >> level_shift(level) & 511
        place = table + 8 * index
        value = struct.unpack("<Q", machine.read_physical(place, 8))[0]
        steps.append(Step(level, index, place, value))
        if not value & PRESENT or (level in LARGE_NAMES and value & LARGE):
            break
        table = value & FRAME_MASK
    return steps


def leaf(steps):
    """The PT entry at the end of a walk; 0 when a table is missing."""
    return steps[-1].value if steps[-1].level == 1 else 0


def table_entries(table):
    return struct.unpack("<512Q", machine.read_physical(table, PAGE_SIZE))


def leaf_entries(pgd):
    """(address, value) of every non-empty leaf entry of the user half, in ascending order."""
    def below(table, level, base):
        for index, value in enumerate(table_entries(table)[:256 if level == 4 else 512]):
            address = base + (index << level_shift(level))
            if level == 1:
                if value:
                    yield address, value
            elif value & PRESENT:
                yield from below(value & FRAME_MASK, level - 1, address)
    yield from below(pgd, 4, 0)


def tables(pgd, first=0, end=256):
    """(frame number, level, first address) of every table below the PML4's entries FIRST to END - 1."""
    def below(table, level, base, entries):
        for index, value in entries:
            if not value & PRESENT or (level in LARGE_NAMES and value & LARGE):
                continue
            address = base + (index << level_shift(level))
            yield (value & FRAME_MASK) >> 12, level - 1, address
            if level > 2:
                table = value & FRAME_MASK
                yield from below(table, level - 1, address, enumerate(table_entries(table)))
    yield from below(pgd, 4, 0, list(enumerate(table_entries(pgd)))[first:end])


# --- Frames -----------------------------------------------------------------------------------------------------

QUARANTINED = 0xfe      # in the order of a cached frame, mm/quarantine.h
STRUCT_PAGE = struct.Struct("<BBHiQQQ")     # struct page, mm/page.h
Frame = namedtuple("Frame", "pfn type order flags count first second private")
PG_NAMES = ((1, "mlocked"), (2, "dirty"), (4, "exclusive"))


def type_names():
    return machine.enum_names("page_type", "PAGE_")


def check_layout():
    if machine.type_named("struct page").sizeof != STRUCT_PAGE.size:
        raise Problem("struct page is not laid out as tools/gdb/spaces.py knows it")


def all_frames():
    """Every frame that the kernel has a struct page for, in one reading."""
    check_layout()
    start, count = pointer(variable("mem_map")), integer(variable("max_pfn"))
    if not start:
        raise Problem("the kernel has not made its memory map yet")
    data = machine.read(start, count * STRUCT_PAGE.size)
    return [Frame(pfn, *fields) for pfn, fields in enumerate(STRUCT_PAGE.iter_unpack(data))]


def frame(pfn):
    check_layout()
    start, count = pointer(variable("mem_map")), integer(variable("max_pfn"))
    if not start:
        raise Problem("the kernel has not made its memory map yet")
    if not 0 <= pfn < count:
        raise Problem(f"there is no frame {pfn:#x}; the last one is {count - 1:#x}")
    return Frame(pfn, *STRUCT_PAGE.unpack(machine.read(start + pfn * STRUCT_PAGE.size, STRUCT_PAGE.size)))


def frames_in_quarantine():
    """The numbers of the frames that wait there, the oldest first (mm/quarantine.c; only the debug build has one)."""
    try:
        queue = variable("quarantine")
    except Problem:
        return []
    places, base = queue["frames"].type.range()[1] + 1, pointer(variable("mem_map"))
    start, oldest = pointer(queue["frames"].address), integer(queue["oldest"])
    return [(machine.read_word(start + 8 * ((oldest + place) % places)) - base) // STRUCT_PAGE.size
            for place in range(integer(queue["count"]))]


def zero_pfn():
    return integer(variable("zero_pfn"))


def users(count):
    return machine.plural(count, "user")


def describe_frame(one):
    """What a frame is, in a few words."""
    name = type_names().get(one.type, f"of the unknown type {one.type}")
    if one.pfn == zero_pfn():
        return "the zero frame"
    if name == "anon":
        return f"anonymous, {users(one.count)}" + (", exclusive" if one.flags & 4 else "")
    if name in ("file", "shmem"):
        mapping = gdb.Value(one.first).cast(machine.type_named("struct address_space").pointer())
        what = "shared memory" if name == "shmem" else "file"
        owner = mapping_name(mapping) if one.first else "a file that is gone"
        return f"{what}: page {one.second} of {owner}, {users(one.count)}"
    if name == "cached" and one.order == QUARANTINED:
        return "free (in quarantine)"
    return {"table": "page table", "kernel": "kernel", "slab": "kernel objects", "free": "free",
            "cached": "free (list of single frames)", "archive": "the initial archive",
            "reserved": "reserved or no memory"}.get(name, name)


def frame_of(value):
    """What an entry's frame is; frames beyond the memory map have no owner."""
    pfn = (value & FRAME_MASK) >> 12
    try:
        return describe_frame(frame(pfn))
    except Problem:
        return "outside of memory"


# --- Files ------------------------------------------------------------------------------------------------------

def mapping_name(mapping):
    host = pointer(mapping["host"])
    if not host:
        return "nameless shared memory"
    inode = gdb.Value(host).cast(machine.type_named("struct inode").pointer())
    names = []
    while len(names) < 32 and pointer(inode["name"]):
        name = machine.string(inode["name"], 255)
        if not pointer(inode["parent"]) or pointer(inode["parent"]) == pointer(inode):
            break
        names.append(name)
        inode = inode["parent"]
    return "/" + "/".join(reversed(names)) if names else "a nameless file"


# --- Address spaces ---------------------------------------------------------------------------------------------

def rights(flags):
    return (("r" if flags & VM_READ else "-") + ("w" if flags & VM_WRITE else "-") +
            ("x" if flags & VM_EXEC else "-") + ("s" if flags & VM_MAYSHARE else "p"))


class Vma:
    def __init__(self, value):
        self.value = value
        self.start, self.end = pointer(value["vm_start"]), pointer(value["vm_end"])
        self.flags = pointer(value["vm_flags"])
        self.anonymous = not pointer(value["vm_ops"])
        self.pages = (self.end - self.start) // PAGE_SIZE

    def contains(self, address):
        return self.start <= address < self.end

    def index(self, address):
        return pointer(self.value["vm_pgoff"]) + (address - self.start) // PAGE_SIZE

    def range(self):
        return f"{self.start:#x}-{self.end:#x} {rights(self.flags)}"

    def kind(self):
        mm = self.value["vm_mm"]
        mapping = self.value["vm_mapping"]
        if pointer(mapping):
            return mapping_name(mapping)
        if self.start <= pointer(mm["brk"]) and self.end >= pointer(mm["start_brk"]):
            return "anonymous, [heap]"
        if self.start <= pointer(mm["start_stack"]) <= self.end:
            return "anonymous, [stack]"
        return "anonymous"

    def __str__(self):
        return f"{self.range()}, {self.kind()}"


def vmas(mm):
    """The VMAs of an address space in the order of the list."""
    found, at = [], mm["mmap"]
    while pointer(at):
        found.append(Vma(at.dereference()))
        if len(found) > 70000:
            raise Problem("the list of VMAs has no end")
        at = at["vm_next"]
    return found


def find_vma(all_vmas, address):
    """The first VMA that ends above ADDRESS, and the one before it."""
    previous = None
    for vma in all_vmas:
        if vma.end > address:
            return vma, previous
        previous = vma
    return None, previous


def pgd_of(mm):
    return pointer(mm["pgd_phys"])


# --- Processes and tasks ----------------------------------------------------------------------------------------

def current():
    value = variable("current")
    if not pointer(value):
        raise Problem("the kernel has not started its scheduler yet")
    return value.dereference()


def processes():
    return list(machine.list_entries(variable("all_processes"), "struct process", "all"))


def process(pid, name=None):
    """The one with this PID. NAME is what a person called it."""
    for one in processes():
        if integer(one["pid"]) == pid:
            return one
    raise Problem(f"there is no process {name or pid}; `ps` lists them")


def task_of(words, place):
    """The task that word PLACE names by its pid; the running one when there is no such word."""
    if len(words) <= place:
        return current()
    leader = process(machine.number(words[place]), words[place])["leader"]
    if not pointer(leader):
        raise Problem(f"process {words[place]} has no thread any more")
    return leader.dereference()


def mm_of(task):
    if not pointer(task["mm"]):
        name = machine.string(task["comm"]) or "the idle task"
        raise Problem(f"{name} (pid {integer(task['pid'])}) has no address space: it is the kernel's own, or dead")
    return task["mm"].dereference()


def saved_regs(task):
    """The struct pt_regs of the program at the top of the task's kernel stack."""
    top = pointer(task["kernel_stack_top"])
    if not top:
        raise Problem("this task has no kernel stack any more")
    kind = machine.type_named("struct pt_regs")
    return gdb.Value(top - kind.sizeof).cast(kind.pointer()).dereference()


def resident(mm):
    return sum(integer(mm["rss"][kind]) for kind in range(3))


def in_user_mode():
    return pointer(gdb.newest_frame().read_register("cs")) & 3 == 3
