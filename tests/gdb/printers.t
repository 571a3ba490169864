#!/usr/bin/env python3
"""`print` of the kernel's own types says what is there, and bt comes to the program from each instruction of the ways in and out."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from tap import check, check_contains, check_equal  # noqa: E402

# In the handler of the first read of a page, beside the plain values behind each.
PRINT = """
break load
continue
stepi
python
import machine
def show(what):
    try:
        print("PRINT", what, "|", gdb.parse_and_eval(what).format_string())
    except gdb.error as error:
        print("PRINT", what, "|", error)
for what in WHAT:
    show(what)
plain = gdb.parse_and_eval
blocks = plain("free_areas[10]")["count"]
print("PLAIN", "count", int(blocks), "vmas", int(plain("current->mm->map_count")) - bool(plain("current->mm->unindexed")), "zero", hex(int(plain("zero_pfn"))))
end
set var free_areas[10].blocks.next = (void *)0x1000
python show("free_areas[10].blocks")
"""
WHAT = ("*current->mm->mmap", "current->mm->mm_rb", "*current->mm->mm_rb.node", "free_areas[10].blocks", "current->mm->mmap->shared",
        "mem_map[zero_pfn]", "*(pte_t *)empty_zero_page", "*(struct page *)0xffff888000000001", "*(struct list_head *)empty_zero_page",
        "*(struct vm_area_struct *)0x1000", "*(struct rb_root *)empty_zero_page")

# Instruction by instruction from the faulting load to its second try, and from a system call into the kernel and out again.
UNWIND = """
python
import gdb
def names():
    frame, found = gdb.newest_frame(), []
    while frame is not None and len(found) < 40:
        found.append(frame.name())
        frame = frame.older()
    return found
def follow(what, stop):
    places = wrong = 0
    while True:
        gdb.execute("stepi", to_string=True)
        pc = int(gdb.newest_frame().pc())
        if pc < 1 << 47 and pc == stop:
            break
        if pc >= 1 << 63 and gdb.newest_frame().type() != gdb.SIGTRAMP_FRAME:
            gdb.execute("finish", to_string=True)
        places += 1
        if names()[-2:] != ["main", "main"] and names()[-1] != "main":
            wrong += 1
            print("WRONG", what, hex(int(gdb.newest_frame().pc())), names())
    print("FOLLOWED", what, places, wrong)
end
tbreak load
continue
python follow("fault", int(gdb.newest_frame().pc()))
tbreak kernel_brk
continue
python
while "syscall" not in gdb.selected_inferior().architecture().disassemble(gdb.newest_frame().pc())[0]["asm"]:
    gdb.execute("stepi", to_string=True)
follow("call", int(gdb.newest_frame().pc()) + 2)
end
"""


def test_printers():
    session = batch.Session(PRINT.replace("WHAT:", f"{WHAT}:"), "session", "read_page")
    shown = dict(re.findall(r"^PRINT (.*?) \| (.*)$", session.text, re.MULTILINE))
    plain = re.search(r"^PLAIN count (\d+) vmas (\d+) zero (0x[0-9a-f]+)$", session.text, re.MULTILINE)
    if not check(plain, "the session comes to its end", session.text[-2000:], session.errors):
        return
    count, vmas, zero = plain.groups()      # the tree may be one VMA behind the list
    sound = re.search(r"^PRINT free_areas\[10\]\.blocks \| (list.*)$", session.text, re.MULTILINE)
    for what, said, rule in (
            ("*current->mm->mmap", "0x400000-0x401000 r--p, /bin/session; flags 0x71: read mayread maywrite mayexec",
             "a VMA has its range, its rights, its file, and its flags by name"),
            ("current->mm->mm_rb", f"tree of {int(vmas)} nodes, 3 deep", "a tree has as many nodes as there are VMAs"),
            ("*current->mm->mm_rb.node", f"black node, {int(vmas)} nodes from here down", "a node has its colour and what hangs below it"),
            ("mem_map[zero_pfn]", f"frame {zero}: the zero frame", "a struct page is the frame that it describes"),
            ("*(pte_t *)empty_zero_page", "empty", "an entry of zeros is empty"),
            ("*(struct page *)0xffff888000000001", "not in mem_map: no frame", "a struct page elsewhere is no frame"),
            ("*(struct list_head *)empty_zero_page", "a list that was never made", "a list of zeros was never made"),
            ("*(struct rb_root *)empty_zero_page", "empty tree", "a tree of zeros is empty")):
        check_equal(shown.get(what), said, rule)
    check(sound and sound[1].startswith(f"list of {count} "), "a list has as many members as its counter says", session.text)
    for what in ("*(struct vm_area_struct *)0x1000", "free_areas[10].blocks"):
        check_contains(shown.get(what, "").lower(), "cannot access memory", f"{what}: what can't be read is a sentence")
    check("Traceback" not in session.text + session.errors, "and no traceback", session.errors)


def test_unwinding():
    session = batch.Session(UNWIND, "session", "read_page", "grow_heap")
    for what, least, rule in (("fault", 35, "from each instruction of the page fault's stub bt comes to the program"),
                              ("call", 30, "from each instruction of the system call's stub, too")):
        found = re.search(rf"^FOLLOWED {what} (\d+) (\d+)$", session.text, re.MULTILINE)
        check(found and int(found[1]) >= least and found[2] == "0", rule, *re.findall("^WRONG.*$", session.text, re.MULTILINE)[:8],
              session.text[-300:], session.errors)


batch.play("print and bt", test_printers, test_unwinding)
