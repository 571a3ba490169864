"""What the kernel is going to do about a fault: the rules of mm/fault.c, read off the machine before it acts."""
import machine
import spaces
from machine import PAGE_SIZE, TASK_SIZE, integer, pointer, variable

PF_PRESENT, PF_WRITE, PF_INSTRUCTION = 1, 2, 16
GUARD_GAP = 256 * PAGE_SIZE         # STACK_GUARD_GAP, mm/mm.h


def outcome_names():
    """{value: name} of enum fault_outcome."""
    return {value: name for value, name in machine.enum_names("fault_outcome", "FAULT_").items() if name != "outcomes"}


def judge(fault):
    """(outcome, sentence)"""
    if fault.from_kernel and fault.address >= TASK_SIZE:
        return "kernel_address", "the kernel itself touched a wrong address: this ends in a panic"
    outcome, sentence = judge_access(fault)
    if fault.from_kernel and outcome in REFUSED:
        sentence += "; the kernel's copy stops here, and the system call returns EFAULT or what it has so far"
    elif outcome in REFUSED:
        sentence += f"; the program gets {'SIGBUS' if outcome == 'beyond_file' else 'SIGSEGV'}"
    return outcome, sentence


REFUSED = ("no_mapping", "below_stack", "not_readable", "not_writable", "not_executable", "kernel_address",
           "beyond_file")


def judge_access(fault):
    address = fault.address
    if address >= TASK_SIZE:
        return "kernel_address", "the address belongs to the kernel's half, which no program may touch"
    vma, previous = spaces.find_vma(spaces.vmas(fault.mm), address)
    growth = ""
    if vma is None or vma.start > address:
        if vma is None or not vma.flags & spaces.VM_GROWSDOWN:
            return "no_mapping", "nothing is promised at this address"
        refusal = growth_refusal(fault.mm, vma, previous, address & ~(PAGE_SIZE - 1))
        if refusal:
            return "below_stack", f"the stack above may not grow down to here: {refusal}"
        growth = "the stack grows down to this page first; then "
    return refused_by(fault, vma) or served(fault, vma, growth)


def growth_refusal(mm, vma, previous, page):
    """Why the mapping can't grow (mm/expand_stack.c), or None."""
    limit = pointer(mm["limits"]["stack"])
    if page < pointer(variable("mmap_min_addr")):
        return "it lies below mmap_min_addr"
    if vma.end - page > limit:
        return f"it would be {(vma.end - page) // 1024} KiB large, and its limit is {limit // 1024} KiB"
    if (previous and not previous.flags & spaces.VM_GROWSDOWN and previous.flags & 7 and
            page - previous.end < GUARD_GAP):
        return "less than 1 MiB would be left above the mapping below"
    if integer(mm["total_vm"]) * PAGE_SIZE + (vma.start - page) > pointer(mm["limits"]["as"]):
        return "the limit of the whole address space is reached"
    return None


def refused_by(fault, vma):
    where = f"the VMA is {spaces.rights(vma.flags)}"
    if fault.error & PF_WRITE:
        return None if vma.flags & spaces.VM_WRITE else ("not_writable", f"{where}: not writable")
    if fault.error & PF_PRESENT or not vma.flags & 7:
        name = "not_executable" if fault.error & PF_INSTRUCTION else "not_readable"
        return name, f"{where}: {name.replace('_', ' ')}"
    return None


def served(fault, vma, growth):
    entry = spaces.leaf(spaces.walk(spaces.pgd_of(fault.mm), fault.address))
    is_write = bool(fault.error & PF_WRITE)
    if entry == 0:
        outcome, sentence = (untouched(vma, is_write) if vma.anonymous else
                             untouched_file(vma, fault.address, is_write))
    elif is_write and not entry & spaces.WRITE:
        outcome, sentence = protected(entry)
    else:
        return "spurious", ("the entry allows the access already: the kernel has just set it, or the processor's "
                            "copy of it was behind")
    if outcome in NEEDS_FRAME and out_of_frames():
        return "out_of_memory", "a frame is needed, and there is none left: some process has to go"
    return outcome, growth + sentence


NEEDS_FRAME = ("new_page", "zero_replaced", "cow_copied", "file_copied")


def out_of_frames():
    counts, anonymous_free = variable("frame_counts"), 1
    return (integer(counts[anonymous_free]) <= integer(variable("reserve_frames")) or
            integer(variable("fail_allocation_countdown")) == 1)


def untouched(vma, is_write):
    if is_write:
        return "new_page", ("write to untouched anonymous memory: a fresh zeroed frame will be mapped, "
                            "writable")
    return "zero_page", "read of untouched anonymous memory: the zero frame will be mapped, read-only"


def untouched_file(vma, address, is_write):
    mapping = vma.value["vm_mapping"]
    name = spaces.mapping_name(mapping)
    size = pointer(mapping["size"])
    if vma.index(address) * PAGE_SIZE >= size:
        return "beyond_file", f"the page lies past the end of {name}, which has {machine.plural(size, 'byte')}"
    page = f"page {vma.index(address)} of {name}"
    if is_write and not vma.flags & spaces.VM_SHARED:
        return "file_copied", f"write to a private mapping: a frame with a copy of {page} will be mapped"
    if spaces.type_names()[integer(mapping["page_type"])] == "shmem":
        return "shared_mapped", f"{page} will be mapped; everybody who maps it sees the same frame"
    return "file_mapped", f"{page} will be mapped, straight from the page cache"


def protected(entry):
    """A write to a present, read-only page of a writable VMA: copy-on-write."""
    pfn = (entry & spaces.FRAME_MASK) >> 12
    if pfn == spaces.zero_pfn():
        return "zero_replaced", ("write to a present, read-only page that maps the zero frame; the VMA is writable: "
                                 "a fresh zeroed frame will replace it")
    one = spaces.frame(pfn)
    kind = spaces.type_names()[one.type]
    if kind == "anon" and one.count == 1:
        return "cow_reused", (f"write to a read-only page whose frame {pfn:#x} has no other user any more: it will be "
                              "made writable, nothing is copied")
    if kind == "anon":
        return "cow_copied", (f"write to a read-only page whose frame {pfn:#x} has {spaces.users(one.count)}: a copy of "
                              "the frame will take its place here")
    return "file_copied", f"write to a private page of a file: a copy of frame {pfn:#x} will take its place here"
