#!/usr/bin/env python3
"""mmcheck: each thing that it can find is broken on purpose, and found; and a sound machine passes."""
import ast
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from tap import ROOT, check, check_contains, check_equal  # noqa: E402

# What is broken on purpose (several places by semicolons), and what mmcheck has to say to it: each of its findings comes once.
DAMAGES = (
    ("set var current->mm->map_count = 99", "map_count is 99, and the VMAs add up to 5"),
    ("set var current->mm->mmap->vm_end = 0x400800", "has impossible bounds"),
    ("set var current->mm->mmap->rb_subtree_gap = 1", "knows a wrong largest gap"),
    ("set var current->mm->rss[1] = 7", "counts 7 resident pages of kind anon"),
    ("set var frame_counts[7] = 99", "frame_counts[anon] is 99"),
    ("set var mem_map[$own]._refcount = 3", "counts 3 users and has 1, 1 of them entries"),
    ("set var mem_map[$own].type = 5", "maps frame"),
    ("set var empty_zero_page[8] = 1", "the zero frame is not zero"),
    ("set var *(unsigned long *)$entry |= 2", "maps the zero frame writable"),
    ("set var *(unsigned long *)$entry |= 128", "do not follow from its VMA"),
    ("set var *(unsigned long *)$entry |= 0xfffff000000", "which does not exist"),
    ("set var free_areas[10].count = 1", "the free list of order 10 counts 1 blocks"),
    ("set var ((struct page *)((char *)free_areas[10].blocks.next - 8))->order = 3", "is not marked so"),
    ("set var free_areas[10].blocks.next->prev = 0", "the list of struct page is broken"),
    ("set var current->mm->pgtables_bytes = 0", "counts 0 bytes of page tables"),
    ("set var current->mm->mmap->vm_mm = 0", "belongs to another address space"),
    ("set var current->mm->mmap->vm_next->vm_prev = 0", "does not lead back to the one before it"),
    ("set var current->mm->mmap->vm_next->vm_start = 0x400000", "overlaps the one before it"),
    ("set var current->mm->mmap->vm_mapping = 0", "is not in its object's list of mappings"),
    ("set var current->mm->mmap->vm_flags |= 8", "is shared and may not be"),
    ("set var current->mm->total_vm = 1", "total_vm is 1, and the VMAs add up to"),
    ("set var current->mm->data_vm = 99", "data_vm is 99, and the VMAs add up to"),
    ("set var current->mm->exec_vm = 99", "exec_vm is 99, and the VMAs add up to"),
    ("set var current->mm->stack_vm = 99", "stack_vm is 99, and the VMAs add up to"),
    ("set var current->mm->locked_vm = 1", "locked_vm is 1, and the VMAs add up to 0"),
    ("set var current->mm->committed = 1", "committed is 1, and the VMAs add up to"),
    ("set var current->mm->mmap_cache = (void *)current->mm", "mmap_cache points to a VMA that is gone"),
    ("set var current->mm->hole_below = (void *)current->mm", "hole_below points to a VMA that is gone"),
    ("set var current->mm->unindexed = (void *)current->mm", "unindexed points to a VMA that is gone"),
    ("set var current->mm->gap_unrecorded = (void *)current->mm", "gap_unrecorded points to a VMA that is gone"),
    ("set var current->mm->mm_rb.node->parent_colour = 8", "the index has a node with a wrong parent"),
    ("set var mem_map[$own].type = 5", "is a page table that no address space has"),
    ("set var mem_map[zero_pfn].type = 7", "the zero frame has the type"),
    ("set var mem_map[$own].type = 200", "has a type that does not exist: 200"),
    ("set var mem_map[$own].flags = 0", "is writable, but its VMA does not allow it or others share frame"),
    ("set var mem_map[$table].type = 7", "is used as a PT and is anon"),
    ("set var mem_map[$table]._refcount = 2", "is used as a PT and is table"),
    ("set var *(unsigned long *)$pd = *(unsigned long *)$other", "is used twice"),
    ("set var *(unsigned long *)$lonely = *(unsigned long *)$entry", "has an entry and lies in no VMA"),
    ("set var current->mm->mmap->vm_next->vm_next->vm_next->vm_ops = current->mm->mmap->vm_ops",
     "maps the zero frame in a VMA that is not anonymous"),
    ("set var mem_map[$file].index = 77", "maps page 77 of its object instead of page"),
    ("set var mem_map[$file].mapping = current->mm->mmap->vm_mapping + 1", "maps a page of another object"),
    ("set var frame_cache.top = frame_cache.top + 1", "lies in the list of single frames and is"),
    ("set var quarantine.frames[quarantine.oldest] = mem_map + $own", "lies in quarantine and is anon, not marked so"),
    ("set var *(char *)(0xffff888000000077 + (quarantine.frames[quarantine.oldest] - mem_map) * 4096) = 1",
     "was written to after it was freed"),
    ("set var $cache->slabs = 99", "counts 99 slabs"),
    ("set var $cache->empty_slabs = 9", "9 of them empty, and has"),
    ("set var $cache->objects = 1", "objects, and"),
    ("set var $slab->slab = 0", "does not belong to it"),
    ("set var $slab->slab_free = 60000", "the chain of free objects in frame"),
    ("set var $slab->slab_objects = 1", "objects in use, and"),
    ("set var $cache->magazine[0] = $cache->magazine[1]", "an object is twice in its magazine"),
    ("set var $cache->magazine[0] = (char *)$cache->magazine[1] + 1", "which lies inside an object"),
    ("set var $cache->magazine[0] = (void *)0xffff888000001000", "which is no object of it"),
    ("set var current->mm->mmap->vm_mapping = 0; current->mm->mmap->shared.next = &current->mm->mmap->shared",
     "maps an object that is missing"),
    ("set var current->mm->mm_rb.node->left = 0", "the VMA list and the VMA index do not hold the same VMAs"),
    ("set var current->mm->mm_rb.node->left = 0", "the index is out of balance"),
    ("set var current->mm->mm_rb.node->parent_colour = 0; "
     "current->mm->mm_rb.node->left->parent_colour = (unsigned long)current->mm->mm_rb.node", "the index has two red nodes in a row"),
    ("set var current->mm->hole_below = current->mm->mmap; current->mm->hole_above = 1",
     "hole_below lies below a hole that is large enough"),
    ("set var $mapped->vm_start = 0x10000000; $mapped->vm_end = 0x10001000", "serves no VMA"),
    ("set var $anon->vm_anon = 0", "maps an anonymous frame in a VMA that has none"),
    ("set var mem_map[$file].index = 77", "names a page cache that does not hold it"),
    ("set var mem_map[$file].mapping = (void *)0x1234", "names a page cache that is none"),
    ("set var mem_map[$own]._refcount = 3", "is marked exclusive and has 3 users"),
    ("set var mem_map[$own].type = 1", "frames are marked free, and"),
    ("set var mem_map[$own].type = 2", "frames are marked as single ones, and"),
    ("set var mem_map[1].lru.next = $first; mem_map[1].lru.prev = &free_areas[10].blocks; $first->prev = &mem_map[1].lru; "
     "free_areas[10].blocks.next = &mem_map[1].lru", "the free block of order 10 at frame 0x1 is not aligned, or not memory"),
    ("set var ((struct page *)((char *)free_areas[10].blocks.next - 8) + 1)->order = 3", "is marked as the first of one"),
    ("set var frame_counts[4] = 99", "a slab frame belongs to no cache"),
    ("set var $slab->slab_free = 0xffff", "is in the wrong list"),
    ("set var current->mm = 0", "there is an address space that belongs to no process"),
    ("set var kernel_pgd = 0", "the kernel has not built its page tables yet"),
)

# The zero-mapped page's entry and one frame of the program's own.
FIND = """
break load
continue
set $page = $rdi
tbreak *($pc + 3)
continue
python
import spaces, machine
pgd = spaces.pgd_of(spaces.mm_of(spaces.current()))
gdb.set_convenience_variable("entry", machine.PAGE_OFFSET + spaces.walk(pgd, int(gdb.parse_and_eval("$page")))[-1].place)
gdb.set_convenience_variable("own", next((value & spaces.FRAME_MASK) >> 12 for _, value in spaces.leaf_entries(pgd)
                                         if spaces.describe_frame(spaces.frame((value & spaces.FRAME_MASK) >> 12)).startswith("anon")))
steps = spaces.walk(pgd, int(gdb.parse_and_eval("$page")))
def remember(name, value):
    gdb.set_convenience_variable(name, value)
remember("table", steps[-1].place >> 12)
remember("pd", machine.PAGE_OFFSET + steps[-2].place)
remember("other", machine.PAGE_OFFSET + spaces.walk(pgd, 0x7fffffffe000)[-2].place)
remember("first", machine.variable("free_areas")[10]["blocks"]["next"])
vmas = spaces.vmas(spaces.mm_of(spaces.current()))
own = int(gdb.parse_and_eval("$own"))
at_own = next(address for address, value in spaces.leaf_entries(pgd) if (value & spaces.FRAME_MASK) >> 12 == own)
remember("anon", spaces.find_vma(vmas, at_own)[0].value.address)
remember("mapped", spaces.find_vma(vmas, int(gdb.parse_and_eval("$page")))[0].value.address)
remember("lonely", machine.PAGE_OFFSET + (steps[-1].place & ~4095))
remember("file", next((value & spaces.FRAME_MASK) >> 12 for _, value in spaces.leaf_entries(pgd)
                      if spaces.describe_frame(spaces.frame((value & spaces.FRAME_MASK) >> 12)).startswith("file")))
for cache in machine.list_entries(machine.variable("all_slab_caches"), "struct slab_cache", "caches"):
    slabs = list(machine.list_entries(cache["partial"], "struct page", "lru"))
    if int(cache["loaded"]) > 1 and any(int(slab["slab_objects"]) > 1 for slab in slabs):
        remember("cache", cache.address)
        remember("slab", next(slab.address for slab in slabs if int(slab["slab_objects"]) > 1))
        break
end
mmcheck
"""


# From then on each finding says where it was made.
NOTE = """
python
import check, os, sys
def find(self, sentence, plain=check.Check.find):
    place = sys._getframe(1)
    print("FINDING", f"{os.path.basename(place.f_code.co_filename)}:{place.f_lineno}")
    plain(self, sentence)
def problem_of(*words, plain=check.problem_of):
    problem = plain(*words)
    if problem:
        print("FINDING", problem)
    return problem
check.Check.find, check.problem_of = find, problem_of
end
"""


def test_mmcheck():
    script = FIND + NOTE
    for damage, _ in DAMAGES:
        changes = damage.removeprefix("set var ").split("; ")
        places = [re.split(r" \|?= ", change)[0] for change in changes]
        # Undone afterwards: each finding stands alone.
        script += "".join(f"set $before{number} = {place}\n" for number, place in enumerate(places))
        script += "".join(f"set var {change}\n" for change in changes) + "echo DAMAGE\\n\nmmcheck\n"
        script += "".join(f"set var {place} = $before{number}\n" for number, place in reversed(list(enumerate(places))))
    # Little memory: each mmcheck reads what the kernel knows of every frame.
    session = batch.Session(script + "echo END\\n\nmmcheck\n", "session", "read_page", options=("--memory", "24M"))
    parts = session.text.split("DAMAGE\n")
    check_contains(parts[0], "mmcheck: ok: 1 address space", "a sound machine passes mmcheck")
    for (damage, finding), part in zip(DAMAGES, parts[1:]):
        check_contains(part, finding, f"mmcheck finds: {finding}")
    check_equal(len(parts), len(DAMAGES) + 1, "each damage was done", session.text[-1500:], session.errors)
    check_contains(parts[-1].split("END")[-1], "mmcheck: ok", "with all damages undone it passes again")
    made = set(re.findall(r"^FINDING (.*)$", session.text, re.MULTILINE))
    check_equal(sorted(findings_of_mmcheck() - made), [], "each finding that mmcheck can make was made (else DAMAGES lacks one)")


def findings_of_mmcheck():
    """Where tools/gdb/check*.py finds something: file:line, and the sentences about a VMA."""
    found = set()
    for name in ("check.py", "check_objects.py"):
        with open(os.path.join(ROOT, "tools", "gdb", name), encoding="utf-8") as file:
            tree = ast.parse(file.read())
        found |= {f"{name}:{node.lineno}" for node in ast.walk(tree) if isinstance(node, ast.Call) and
                  ast.unparse(node.func) == "check.find"}
        found |= {node.value.value for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) and
                  function.name == "problem_of" for node in ast.walk(function) if isinstance(node, ast.Return) and node.value.value}
    return found


batch.play("mmcheck", test_mmcheck)
