"""How `print` shows the kernel's own types: entries by their bits, flags by name, lists and trees by their length."""
import gdb
import gdb.printing

import machine
import spaces
from machine import Problem, integer, pointer


class Entry:
    def __init__(self, value):
        self.value = integer(value["value"])

    def to_string(self):
        if not self.value & (spaces.PRESENT | spaces.PROTNONE):
            return "empty" if self.value == 0 else f"{self.value:#x}: not present"
        return f"frame {(self.value & spaces.FRAME_MASK) >> 12:#x}: {spaces.entry_bits(self.value)}"


class Area:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        vma = spaces.Vma(self.value)
        names = " ".join(name for bit, name in spaces.VM_FLAGS.items() if vma.flags & bit)
        return f"{vma}; flags {vma.flags:#x}: {names}"


class Page:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        if self.value.address is None:
            return "a copy of a struct page"
        start = pointer(machine.variable("mem_map"))
        pfn, rest = divmod(pointer(self.value.address) - start, spaces.STRUCT_PAGE.size)
        if rest or not 0 <= pfn < integer(machine.variable("max_pfn")):
            return "not in mem_map: no frame"
        return f"frame {pfn:#x}: {spaces.describe_frame(spaces.frame(pfn))}"


class ListHead:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        head, at, count = pointer(self.value.address), pointer(self.value["next"]), 0
        if at == 0:
            return "a list that was never made"
        while at != head and count < 10000:
            at, count = machine.read_word(at), count + 1
        return "empty list" if count == 0 else f"list of {count} (or a member of one of {count + 1})"


class Tree:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        nodes, depth = measure(self.value["node"])
        return "empty tree" if nodes == 0 else f"tree of {machine.plural(nodes, 'node')}, {depth} deep"


class Node:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        parent = pointer(self.value["parent_colour"])
        colour = "black" if parent & 1 else "red"
        nodes = 1 + measure(self.value["left"])[0] + measure(self.value["right"])[0]
        return f"{colour} node, {machine.plural(nodes, 'node')} from here down"


def measure(node, limit=1000):
    """(nodes, depth) of the tree below a pointer to a node."""
    if not pointer(node) or limit == 0:
        return 0, 0
    left, right = measure(node["left"], limit - 1), measure(node["right"], limit - 1)
    return 1 + left[0] + right[0], 1 + max(left[1], right[1])


PRINTERS = {"pte_t": Entry, "vm_area_struct": Area, "page": Page, "list_head": ListHead, "rb_root": Tree,
            "rb_node": Node}


class Guarded:
    """A printer whose failure is a sentence in the place of the value."""

    def __init__(self, printer, value):
        self.printer, self.value = printer, value

    def to_string(self):
        try:
            return self.printer(self.value).to_string()
        except (gdb.error, Problem) as error:
            return f"can't be read: {error}"


def look_up(value):
    kind = value.type.unqualified()
    name = kind.name if kind.name == "pte_t" else kind.strip_typedefs().tag
    if name in PRINTERS and value.type.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_TYPEDEF) and is_the_kernels(kind, name):
        return Guarded(PRINTERS[name], value)
    return None


def is_the_kernels(kind, name):
    """A program may have a type of the same name."""
    try:
        return name == "pte_t" or kind.strip_typedefs().keys() == machine.type_named(f"struct {name}").keys()
    except Problem:
        return False


look_up.name, look_up.enabled = "zeropage", True


def install():
    gdb.printing.register_pretty_printer(None, look_up, replace=True)
