"""mmcheck: every invariant that the kernel's own audit checks (mm/audit.c), looked at from outside."""
import gdb

import machine
import spaces
from machine import PAGE_SIZE, TASK_SIZE, Command, Problem, integer, pointer, variable
from check_objects import check_caches
from memory import MAX_ORDER, address_spaces

PAGE_TAIL = 0xff
POISON_FREE = 0x6b              # mm/frame_poison.h, each byte
GAP_RECORDED_MAX = 1 << 40      # mm/vma_index.h
NEVER_SET = 1 << 3 | 1 << 4 | spaces.LARGE
VMA_DECIDES = spaces.PRESENT | spaces.PROTNONE | spaces.USER | spaces.NX
EXCLUSIVE = 4
VM_LOCKED, VM_ACCOUNT = 0x2000, 0x100000
COUNTERS = {"file": 0, "anon": 1, "shmem": 2}
FINDINGS_SHOWN = 20


class Check:
    """One round of mmcheck: what was read at its beginning, what was counted, and the findings."""

    def __init__(self):
        self.frames = spaces.all_frames()
        self.names = spaces.type_names()
        self.zero = spaces.zero_pfn()
        self.protection = [pointer(variable("protection_map")[i]) for i in range(16)]
        self.entries, self.tables = {}, {}
        self.findings = []

    def find(self, sentence):
        self.findings.append(sentence)

    def type_of(self, pfn):
        return self.names.get(self.frames[pfn].type, "unknown") if pfn < len(self.frames) else "outside of memory"


# --- VMAs ---------------------------------------------------------------------------------------------------------

def check_vmas(check, who, mm):
    previous = None
    vmas = spaces.vmas(mm)
    for vma in vmas:
        if problem := problem_of(vma, previous, mm):
            check.find(f"{who}: VMA {vma.range()} {problem}")
        previous = vma
    for field, sum_of_vmas in sums_of(vmas).items():
        if integer(mm[field]) != sum_of_vmas:
            check.find(f"{who}: {field} is {integer(mm[field])}, and the VMAs add up to {sum_of_vmas}")
    listed = {pointer(vma.value.address) for vma in vmas} | {0}
    for field in ("mmap_cache", "hole_below", "unindexed", "gap_unrecorded"):
        if pointer(mm[field]) not in listed:
            check.find(f"{who}: {field} points to a VMA that is gone")
    check_hole(check, who, mm, vmas)
    check_tree(check, who, mm, vmas)
    return vmas


def sums_of(vmas):
    """What the counters of an address space have to be (mm/limits.h)."""
    sums = dict.fromkeys(("map_count", "total_vm", "data_vm", "exec_vm", "stack_vm", "locked_vm", "committed"), 0)
    for vma in vmas:
        names = ["total_vm"] + (["locked_vm"] if vma.flags & VM_LOCKED else []) + (["committed"] if vma.flags & VM_ACCOUNT else [])
        if vma.flags & (spaces.VM_WRITE | spaces.VM_SHARED | spaces.VM_GROWSDOWN) == spaces.VM_WRITE:
            names.append("data_vm")
        elif vma.flags & (spaces.VM_EXEC | spaces.VM_WRITE | spaces.VM_GROWSDOWN) == spaces.VM_EXEC:
            names.append("exec_vm")
        elif vma.flags & spaces.VM_GROWSDOWN:
            names.append("stack_vm")
        sums["map_count"] += 1
        for name in names:
            sums[name] += vma.pages
    return sums


def check_hole(check, who, mm, vmas):
    """Between hole_below and mmap_base no free range may be as large as hole_above says that none is."""
    below, top = pointer(mm["hole_below"]), pointer(mm["mmap_base"])
    addresses = [pointer(vma.value.address) for vma in vmas]
    if below not in addresses:
        return
    for place in range(addresses.index(below), len(vmas)):
        ceiling = min(vmas[place + 1].start if place + 1 < len(vmas) else top, top)
        if ceiling - vmas[place].end >= max(pointer(mm["hole_above"]), 1):
            check.find(f"{who}: hole_below lies below a hole that is large enough")
            return


def problem_of(vma, previous, mm):
    if pointer(vma.value["vm_mm"]) != pointer(mm.address):
        return "belongs to another address space"
    if vma.start >= vma.end or (vma.start | vma.end) % PAGE_SIZE or vma.end > TASK_SIZE:
        return "has impossible bounds"
    if previous and previous.end > vma.start:
        return "overlaps the one before it"
    if pointer(vma.value["vm_prev"]) != (pointer(previous.value.address) if previous else 0):
        return "does not lead back to the one before it"
    shared = vma.value["shared"]
    if bool(pointer(vma.value["vm_mapping"])) == (pointer(shared["next"]) == pointer(shared.address)):
        return "is not in its object's list of mappings"
    if not vma.anonymous and not pointer(vma.value["vm_mapping"]):
        return "maps an object that is missing"
    if vma.flags & spaces.VM_SHARED and not vma.flags & spaces.VM_MAYSHARE:
        return "is shared and may not be"
    return None


def check_tree(check, who, mm, vmas):
    """
    The index holds the list's VMAs in their order, obeys the red-black rules, and knows the largest gaps; but for
    the one VMA and the one gap by which it lags behind (mm/vma_index.c).
    """
    kind = machine.type_named("struct vm_area_struct")
    offset = machine.field_offset(kind, "vm_rb")
    ends = {vma.start: (vmas[i - 1].end if i else 0) for i, vma in enumerate(vmas)}
    order = []
    unindexed, lagging = pointer(mm["unindexed"]), {pointer(mm["gap_unrecorded"])}
    if unindexed:
        lagging.add(pointer(gdb.Value(unindexed).cast(kind.pointer())["vm_next"]))

    def visit(node, parent, is_red_above):
        if not node:
            return 1, 0, True
        value = gdb.Value(node - offset).cast(kind.pointer()).dereference()
        colour = pointer(value["vm_rb"]["parent_colour"])
        red = not colour & 1
        if colour & ~1 != parent:
            check.find(f"{who}: the index has a node with a wrong parent")
        if red and is_red_above:
            check.find(f"{who}: the index has two red nodes in a row")
        left, left_gap, left_settled = visit(pointer(value["vm_rb"]["left"]), node, red)
        order.append(pointer(value["vm_start"]))
        right, right_gap, right_settled = visit(pointer(value["vm_rb"]["right"]), node, red)
        if left != right:
            check.find(f"{who}: the index is out of balance")
        start = pointer(value["vm_start"])
        gap = max(min(start - ends.get(start, start), GAP_RECORDED_MAX), left_gap, right_gap, 0)
        settled = left_settled and right_settled and node - offset not in lagging
        if settled and pointer(value["rb_subtree_gap"]) != gap:
            check.find(f"{who}: VMA {spaces.Vma(value).range()} knows a wrong largest gap")
        return left + (not red), gap, settled
    visit(pointer(mm["mm_rb"]["node"]), 0, False)
    if order != [vma.start for vma in vmas if pointer(vma.value.address) != unindexed]:
        check.find(f"{who}: the VMA list and the VMA index do not hold the same VMAs")


# --- Page tables ----------------------------------------------------------------------------------------------------

def check_tables(check, who, mm, vmas):
    root = spaces.pgd_of(mm)
    check.tables[root >> 12] = check.tables.get(root >> 12, 0) + 1
    count = mark_tables(check, who, root, 0, 256)
    if count * PAGE_SIZE != integer(mm["pgtables_bytes"]):
        check.find(f"{who}: counts {integer(mm['pgtables_bytes'])} bytes of page tables and has {count * PAGE_SIZE}")
    for pfn, level, address in spaces.tables(root):
        size = 1 << spaces.level_shift(level + 1)
        vma, _ = spaces.find_vma(vmas, address)
        if vma is None or vma.start >= address + size:
            check.find(f"{who}: the {spaces.LEVEL_NAMES[level]} in frame {pfn:#x} at {address:#x} serves no VMA")


def mark_tables(check, who, root, first, end):
    count = 0
    for pfn, level, _ in spaces.tables(root, first, end):
        count += 1
        check.tables[pfn] = check.tables.get(pfn, 0) + 1
        if check.type_of(pfn) != "table" or check.frames[pfn].count != 1:
            check.find(f"{who}: frame {pfn:#x} is used as a {spaces.LEVEL_NAMES[level]} and is {check.type_of(pfn)}")
        if check.tables[pfn] > 1:
            check.find(f"{who}: the page table in frame {pfn:#x} is used twice")
    return count


def check_entries(check, who, mm, vmas):
    resident = [0, 0, 0]
    for address, value in spaces.leaf_entries(spaces.pgd_of(mm)):
        pfn = (value & spaces.FRAME_MASK) >> 12
        if pfn >= len(check.frames):
            check.find(f"{who}: {address:#x} maps frame {pfn:#x}, which does not exist")
            continue
        vma, _ = spaces.find_vma(vmas, address)
        if vma is None or vma.start > address:
            check.find(f"{who}: {address:#x} has an entry and lies in no VMA")
        else:
            check_entry(check, f"{who}: {address:#x}", vma, address, value, pfn)
        if pfn != check.zero:
            check.entries[pfn] = check.entries.get(pfn, 0) + 1
            if check.type_of(pfn) in COUNTERS:
                resident[COUNTERS[check.type_of(pfn)]] += 1
    for name, place in COUNTERS.items():
        if integer(mm["rss"][place]) != resident[place]:
            check.find(f"{who}: counts {integer(mm['rss'][place])} resident pages of kind {name} and has "
                       f"{resident[place]}")


def check_entry(check, what, vma, address, value, pfn):
    if value & VMA_DECIDES != check.protection[vma.flags & 15] & VMA_DECIDES or value & NEVER_SET:
        check.find(f"{what}: the entry's bits ({spaces.entry_bits(value)}) do not follow from its VMA, which is "
                   f"{spaces.rights(vma.flags)}")
    one, kind = check.frames[pfn], check.type_of(pfn)
    if pfn == check.zero:
        if value & spaces.WRITE:
            check.find(f"{what} maps the zero frame writable")
        if not vma.anonymous:
            check.find(f"{what} maps the zero frame in a VMA that is not anonymous")
        return
    if kind not in COUNTERS:
        check.find(f"{what} maps frame {pfn:#x}, which is {kind}")
        return
    shared = vma.flags & spaces.VM_SHARED
    own = kind == "anon" and one.flags & EXCLUSIVE
    if value & spaces.WRITE and not (vma.flags & spaces.VM_WRITE and (shared or own)):
        check.find(f"{what} is writable, but its VMA does not allow it or others share frame {pfn:#x}")
    if kind == "anon" and (shared or not pointer(vma.value["vm_anon"])):
        check.find(f"{what} maps an anonymous frame in a VMA that has none")
    if kind != "anon" and one.first and one.first != pointer(vma.value["vm_mapping"]):
        check.find(f"{what} maps a page of another object")
    elif kind != "anon" and one.first and one.second != vma.index(address):
        check.find(f"{what} maps page {one.second} of its object instead of page {vma.index(address)}")


# --- Frames -----------------------------------------------------------------------------------------------------------

def check_users(check):
    for one in check.frames:
        kind = check.names.get(one.type)
        if kind is None:
            check.find(f"frame {one.pfn:#x} has a type that does not exist: {one.type}")
        elif kind in COUNTERS:
            entries = check.entries.get(one.pfn, 0)
            held = 1 if kind != "anon" and one.first and is_cached(check, one) else 0
            if one.count != entries + held:
                check.find(f"frame {one.pfn:#x} ({kind}) counts {spaces.users(one.count)} and has {entries + held}, "
                           f"{entries} of them entries")
            if one.flags & EXCLUSIVE and (kind != "anon" or one.count != 1):
                check.find(f"frame {one.pfn:#x} is marked exclusive and has {spaces.users(one.count)}")
        elif kind == "table" and one.pfn not in check.tables:
            check.find(f"frame {one.pfn:#x} is a page table that no address space has")


def is_cached(check, one):
    try:
        return cached_page(check, one)
    except gdb.MemoryError:
        check.find(f"frame {one.pfn:#x} names a page cache that is none")
        return False


def cached_page(check, one):
    """Whether the page cache that ONE names really holds it (mm/page_tree.c: 64 slots on each level)."""
    mapping = gdb.Value(one.first).cast(machine.type_named("struct address_space").pointer())
    at, height = pointer(mapping["pages"]["root"]), integer(mapping["pages"]["height"])
    if one.second >> (6 * height):
        at = 0
    for level in range(height, 0, -1):
        at = machine.read_word(at + 8 * (one.second >> (6 * (level - 1)) & 63)) if at else 0
    wanted = pointer(variable("mem_map")) + one.pfn * spaces.STRUCT_PAGE.size
    if at != wanted:
        check.find(f"frame {one.pfn:#x} names a page cache that does not hold it")
    return at == wanted


def check_zero_frame(check):
    if any(machine.read(machine.address_of("empty_zero_page"), PAGE_SIZE)):
        check.find("the zero frame is not zero")
    if check.type_of(check.zero) != "zero":
        check.find(f"the zero frame has the type {check.type_of(check.zero)}")


def check_free_lists(check):
    base, seen = pointer(variable("mem_map")), 0
    areas = variable("free_areas")
    for order in range(MAX_ORDER + 1):
        count = 0
        for page in machine.list_entries(areas[order]["blocks"], "struct page", "lru"):
            pfn = (pointer(page.address) - base) // spaces.STRUCT_PAGE.size
            count += 1
            seen += 1 << order
            check_block(check, pfn, order)
        if count != integer(areas[order]["count"]):
            check.find(f"the free list of order {order} counts {integer(areas[order]['count'])} blocks and has {count}")
    counts = {}
    for one in check.frames:
        counts[check.names.get(one.type)] = counts.get(check.names.get(one.type), 0) + 1
    if counts.get("free", 0) != seen:
        check.find(f"{counts.get('free', 0)} frames are marked free, and {seen} are in free blocks")
    counts["free"] = counts.get("free", 0) + counts.pop("cached", 0)
    for value, name in check.names.items():
        if name not in ("types", "cached") and integer(variable("frame_counts")[value]) != counts.get(name, 0):
            check.find(f"frame_counts[{name}] is {integer(variable('frame_counts')[value])}, and there are "
                       f"{counts.get(name, 0)}")


def check_frame_cache(check):
    """The list of single frames in front of the free blocks, and those that wait to come into it."""
    cache = variable("frame_cache")
    first = pointer(cache["frames"].address)
    count, base = (pointer(cache["top"]) - first) // 8, pointer(variable("mem_map"))
    numbers = [(machine.read_word(first + 8 * place) - base) // spaces.STRUCT_PAGE.size for place in range(count)]
    for pfn in numbers:
        if check.type_of(pfn) != "cached":
            check.find(f"frame {pfn:#x} lies in the list of single frames and is {check.type_of(pfn)}")
    waiting = spaces.frames_in_quarantine()
    for pfn in waiting:
        check_waiting_frame(check, pfn)
    marked = sum(check.names.get(one.type) == "cached" for one in check.frames)
    together = len(numbers) + len(waiting)
    if marked != len(set(numbers + waiting)) or len(set(numbers + waiting)) != together:
        check.find(f"{marked} frames are marked as single ones, and {together} lie in their list or in quarantine, "
                   f"{len(set(numbers + waiting))} different")


def check_waiting_frame(check, pfn):
    """A frame in quarantine is free, marked so, and nobody has written to it (mm/quarantine.c)."""
    if check.type_of(pfn) != "cached" or check.frames[pfn].order != spaces.QUARANTINED:
        check.find(f"frame {pfn:#x} lies in quarantine and is {check.type_of(pfn)}, not marked so")
    elif set(machine.read_physical(pfn * PAGE_SIZE, PAGE_SIZE)) != {POISON_FREE}:
        check.find(f"frame {pfn:#x} was written to after it was freed")


def check_block(check, pfn, order):
    frames = check.frames[pfn:pfn + (1 << order)]
    if len(frames) < 1 << order or pfn % (1 << order):
        check.find(f"the free block of order {order} at frame {pfn:#x} is not aligned, or not memory")
    elif frames[0].order != order or any(check.names.get(one.type) != "free" for one in frames):
        check.find(f"a frame of the free block of order {order} at {pfn:#x} is not marked so")
    elif any(one.order != PAGE_TAIL for one in frames[1:]):
        check.find(f"a frame inside the free block at {pfn:#x} is marked as the first of one")


class MemoryCheck(Command):
    """Check every invariant of memory from outside: mmcheck

The same rules as the kernel's own audit: VMAs in order and indexed, each entry as its VMA wants it, each frame with
exactly the users that it counts, the zero frame zero and writable nowhere, every page table in use once, free lists
and object caches complete. In the middle of a change (inside set_pte_at, for one) some of them do not hold."""

    name = "mmcheck"

    def run(self, words):
        machine.need_machine()
        check = Check()
        if not pointer(variable("kernel_pgd")):
            raise Problem("the kernel has not built its page tables yet")
        kernel_root = machine.direct_map_offset(pointer(variable("kernel_pgd")))
        check.tables[kernel_root >> 12] = 1
        mark_tables(check, "the kernel", kernel_root, 256, 512)
        spaces_seen = 0
        for task, mm in address_spaces():
            who = f"{machine.string(task['comm'])}[{integer(task['pid'])}]"
            vmas = check_vmas(check, who, mm)
            check_tables(check, who, mm, vmas)
            check_entries(check, who, mm, vmas)
            spaces_seen += 1
        if spaces_seen != len(list(machine.list_entries(variable("all_mms"), "struct mm_struct", "mm_list"))):
            check.find("there is an address space that belongs to no process")
        for part in (check_users, check_zero_frame, check_free_lists, check_frame_cache, check_caches):
            part(check)
        for sentence in check.findings[:FINDINGS_SHOWN]:
            print(f"mmcheck: {sentence}")
        if len(check.findings) > FINDINGS_SHOWN:
            print(f"mmcheck: and {len(check.findings) - FINDINGS_SHOWN} findings more")
        if not check.findings:
            print(f"mmcheck: ok: {machine.plural(spaces_seen, 'address space')}, {len(check.frames)} frames")


COMMANDS = (MemoryCheck,)
