"""walk, vmas, frames, frame pfn, heap: what an address space promises, and where its frames are."""
import machine
import spaces
from faults import walk_lines
from machine import PAGE_SIZE, Command, Problem, integer, plural, pointer, variable

MAX_ORDER = 10
ENTRIES_SHOWN = 32


def who(task):
    return f"{machine.string(task['comm'])}, pid {integer(task['pid'])}"


class Walk(Command):
    """The way of one address through the page tables: walk ADDRESS [PID]

Each of the four levels with the entry's index, its bits by name, and what its frame is. Without PID in the tables
that the processor uses now (CR3). Physical memory is read; nothing is executed, and no accessed bit is set."""

    name = "walk"
    most_words = 2

    def run(self, words):
        if not words:
            raise Problem("walk needs an address: walk ADDRESS [PID]")
        machine.need_machine()
        address = machine.number(words[0])
        if not (address < 1 << 47 or address >= machine.WORD - (1 << 47)):
            raise Problem(f"{address:#x} is not canonical: bits 48 to 63 have to equal bit 47")
        if len(words) > 1:
            task = spaces.task_of(words, 1)
            pgd, whose = spaces.pgd_of(spaces.mm_of(task)), who(task)
        else:
            pgd, whose = machine.control("cr3") & spaces.FRAME_MASK, "CR3"
        print(f"{address:#x} in the page tables of {whose}, PML4 in frame {pgd >> 12:#x}")
        for line in walk_lines(pgd, address):
            print(f"  {line}")
        steps = spaces.walk(pgd, address)
        last = steps[-1]
        if last.value & spaces.PRESENT:
            page = 1 << spaces.level_shift(last.level)
            physical = (last.value & spaces.FRAME_MASK & ~(page - 1)) | (address & (page - 1))
            print(f"  physical address {physical:#x}")
        else:
            print("  the processor faults here")


class Vmas(Command):
    """The promises of an address space, and how far they are kept: vmas [PID]

One line for each VMA: its range and rights, what it maps, its pages, and how many of them are mapped to the zero
frame, to an anonymous frame of its own, to one that others use too, or to a frame of the file. The rest is only
promised."""

    name = "vmas"
    most_words = 1

    def run(self, words):
        machine.need_machine()
        task = spaces.task_of(words, 0)
        mm = spaces.mm_of(task)
        entries = list(spaces.leaf_entries(spaces.pgd_of(mm)))
        frames = spaces.all_frames()
        zero = spaces.zero_pfn()
        print(f"{who(task)}: {plural(integer(mm['map_count']), 'VMA')}, {plural(integer(mm['total_vm']), 'page')} promised, "
              f"{spaces.resident(mm)} resident, {pointer(mm['pgtables_bytes']) // PAGE_SIZE} page tables")
        for vma in spaces.vmas(mm):
            counts = dict.fromkeys(("zero", "own", "shared", "of the file", "no frame"), 0)
            for address, value in entries:
                if vma.contains(address):
                    counts[kind_of(frames, (value & spaces.FRAME_MASK) >> 12, zero)] += 1
            kept = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing mapped"
            print(f"  {vma.range()}  {plural(vma.pages, 'page'):>10}: {kept}; {vma.kind()}")


def kind_of(frames, pfn, zero):
    if pfn == zero:
        return "zero"
    if pfn >= len(frames):      # mmcheck has more to say about it
        return "no frame"
    if spaces.type_names()[frames[pfn].type] != "anon":
        return "of the file"
    return "own" if frames[pfn].count == 1 else "shared"


# --- Frames -----------------------------------------------------------------------------------------------------

class Frames(Command):
    """Who owns the frames of physical memory: frames

The number of frames of each kind, the blocks in the buddy allocator's free lists by their size, and how many of the
single frames in front of it wait before they are given out again (so that writes to what was freed are found)."""

    name = "frames"

    def run(self, words):
        machine.need_machine()
        frames = spaces.all_frames()
        names = spaces.type_names()
        counts = {}
        for one in frames:
            counts[one.type] = counts.get(one.type, 0) + 1
        print(f"{plural(len(frames), 'frame')} of 4 KiB, {plural(integer(variable('reserve_frames')), 'frame')} of the "
              "free ones kept for the kernel:")
        for kind in sorted(counts):
            print(f"  {names.get(kind, kind):10} {counts[kind]:8}")
        areas = variable("free_areas")
        blocks = " ".join(f"{order}:{integer(areas[order]['count'])}" for order in range(MAX_ORDER + 1))
        print(f"free blocks of 2^order frames, order:blocks  {blocks}")
        print(f"of the cached ones {len(spaces.frames_in_quarantine())} wait in quarantine")


class FramePrefix(Command):
    """One frame of physical memory, and every entry that maps it: frame pfn PFN

Not to be mistaken for GDB's own `frame`, which is about the frames of the stack. PFN is the frame's number: its
physical address divided by 4096."""

    name = "frame pfn"
    most_words = 1

    def run(self, words):
        if not words:
            raise Problem("it needs a number: frame pfn PFN")
        machine.need_machine()
        pfn = machine.number(words[0])
        one = spaces.frame(pfn)
        print(f"frame {pfn:#x}, physical {pfn * PAGE_SIZE:#x}: {spaces.describe_frame(one)}")
        flags = [name for bit, name in spaces.PG_NAMES if one.flags & bit]
        if spaces.type_names()[one.type] in ("anon", "file", "shmem") and flags:
            print(f"  flags {' '.join(flags)}")
        found = list(entries_that_map(pfn))
        for task, address, value in found[:ENTRIES_SHOWN]:
            print(f"  mapped at {address:#x} of {who(task)}: {spaces.entry_bits(value)}")
        if len(found) > ENTRIES_SHOWN:
            print(f"  and by {len(found) - ENTRIES_SHOWN} entries more")
        for task, level, address in tables_in(pfn):
            print(f"  the {spaces.LEVEL_NAMES[level]} of {who(task)} from {address:#x}")
        if not found:
            print("  no program maps it")


def address_spaces():
    """A task for each address space that exists, in order of pid."""
    seen = set()
    for process in spaces.processes():
        if not pointer(process["leader"]):
            continue
        task = process["leader"].dereference()
        if pointer(task["mm"]) and pointer(task["mm"]) not in seen:
            seen.add(pointer(task["mm"]))
            yield task, task["mm"].dereference()


def entries_that_map(pfn):
    for task, mm in address_spaces():
        for address, value in spaces.leaf_entries(spaces.pgd_of(mm)):
            if (value & spaces.FRAME_MASK) >> 12 == pfn:
                yield task, address, value


def tables_in(pfn):
    for task, mm in address_spaces():
        if spaces.pgd_of(mm) >> 12 == pfn:
            yield task, 4, 0
        for table, level, address in spaces.tables(spaces.pgd_of(mm)):
            if table == pfn:
                yield task, level, address


# --- The heap ---------------------------------------------------------------------------------------------------

class Heap(Command):
    """A program's heap, and the kernel's own objects: heap [PID]

The program's heap lies between start_brk and brk. The kernel's objects come from caches: for each the size of an
object, how many are in use, and in how many slabs of frames they lie."""

    name = "heap"
    most_words = 1

    def run(self, words):
        machine.need_machine()
        task = spaces.task_of(words, 0)
        mm = spaces.mm_of(task)
        start, end = pointer(mm["start_brk"]), pointer(mm["brk"])
        present = [value for address, value in spaces.leaf_entries(spaces.pgd_of(mm))
                   if start & ~(PAGE_SIZE - 1) <= address < end]
        pages = (end - (start & ~(PAGE_SIZE - 1)) + PAGE_SIZE - 1) // PAGE_SIZE if end > start else 0
        print(f"heap of {who(task)}: {start:#x}-{end:#x}, {plural(pages, 'page')}, {len(present)} of them mapped")
        print("objects of the kernel:")
        print(f"  {'cache':24}{'size':>6}{'in use':>8}{'slabs':>7}{'at hand':>9}")
        for cache in machine.list_entries(variable("all_slab_caches"), "struct slab_cache", "caches"):
            print(f"  {machine.string(cache['name']):24}{integer(cache['object_size']):6}{integer(cache['objects']):8}"
                  f"{integer(cache['slabs']):7}{integer(cache['loaded']):9}")


COMMANDS = (Walk, Vmas, Frames, FramePrefix, Heap)
