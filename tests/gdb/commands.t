#!/usr/bin/env python3
"""The debugger's other commands, its sentences where something can't be read, and what it leaves behind."""
import ast
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from tap import ROOT, check, check_contains, check_equal, done, skip  # noqa: E402

DEBUG = os.path.join(ROOT, "tools", "debug")
COMMANDS = ("pf", "pfbreak", "walk", "vmas", "ps", "frames", "frame pfn", "regs", "journal", "mmcheck", "heap", "bt")

# Each command, and the sentence that it has for it. In the program, at its function load.
SENTENCES = (
    ("pf", "pf: no fault at hand: the processor is in the program"),
    ("regs", "regs: the processor is in the program: nothing is saved"),
    ("walk", "walk: walk needs an address"),
    ("walk 0x8000000000000000", "walk: 0x8000000000000000 is not canonical"),
    ("walk 0x10000000000000000", "walk: 0x10000000000000000 has more than 64 bits"),
    ("walk 0 77", "walk: there is no process 77; `ps` lists them"),
    ("vmas -1", "vmas: there is no process -1; `ps` lists them"),
    ("journal -5", "journal: -5 is no number of events"),
    ("journal 0", "journal: 0 is no number of events"),
    ("walk no_such_name", 'walk: No symbol "no_such_name" in current context.'),
    ("vmas 1", "vmas: init (pid 1) has no address space"),
    ("frame pfn", "frame pfn: it needs a number"),
    ("frame pfn 0xfffffff", "frame pfn: there is no frame 0xfffffff; the last one is"),
    ("pfbreak nonsense", "pfbreak: nonsense is no outcome, address or process"),
    ("pfbreak 9-5", "pfbreak: 9-5 is no range: the end comes first"),
    ("ps one two", "ps: too many words; `help ps` says what it takes"),
)

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


def test_sentences():
    script = "break load\ncontinue\n" + "".join(f"{command}\n" for command, _ in SENTENCES)
    session = batch.Session(script + "".join(f"help {command}\n" for command in COMMANDS), "session", "read_page")
    for command, sentence in SENTENCES:
        check_contains(session.text, sentence, f"`{command}` says what is wrong")
    for command in COMMANDS:
        check(f"{command}:" in session.text or f": {command}" in session.text or f"{command} [" in session.text,
              f"`help {command}` says how it is called", session.text[-4000:])
    check("Traceback" not in session.text + session.errors, "no command answers with a traceback", session.errors)


def test_without_machine():
    words = [word for command in COMMANDS if command != "bt" for word in
             ("-ex", command + (" 1" if command in ("walk", "frame pfn") else ""))]
    run = subprocess.run(["gdb", "-nx", "-nh", "-q", "-batch", "-iex", "set auto-load off", os.path.join(
        ROOT, batch.BUILD, "zeropage.elf"), "-ex", f"source {ROOT}/tools/gdb/zeropage.py", *words],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    check_equal(run.stdout.count("no machine is running"), len(COMMANDS) - 2,
                "without a machine each command that needs one says so", run.stdout, run.stderr)
    check("Traceback" not in run.stdout + run.stderr, "and none with a traceback", run.stderr)


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


def test_stepping():
    functions = ("exc_page_fault", "do_user_addr_fault", "handle_mm_fault", "handle_pte_fault", "do_anonymous_page",
                 "set_pte_at")
    script = "break load\ncontinue\nset $at = $pc\nset $page = $rdi\nstepi\nprintf \"IN %p\\n\", $pc\n"
    script += "".join(f"tbreak {function}\ncontinue\npython print('AT', gdb.newest_frame().name())\n" for function in functions)
    script += "tbreak *$at\ncontinue\nprintf \"BACK %d\\n\", $pc == $at\nstepi\nprintf \"LOADED %d\\n\", $al\n"
    session = batch.Session(script, "session", "read_page", append="")
    seen = [line.split()[1] for line in session.text.splitlines() if line.startswith("AT ")]
    check_equal(tuple(seen), functions, "each function of the fault path can be stopped in, one after the other",
                session.text, session.errors)
    check_contains(session.text, "asm_exc_page_fault at kernel/cpu/", "stepi on the load lands in the handler")
    check_contains(session.text, "BACK 1", "the kernel goes back to the same instruction")
    check_contains(session.text, "LOADED 0", "which then loads a zero")


def test_slow_start():
    """On a busy machine QEMU needs longer than the two seconds that GDB gives it by itself."""
    paths = os.environ["PATH"]
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-path-") as folder:
        path = os.path.join(folder, "qemu-system-x86_64")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nsleep 6\nexec {shutil.which("qemu-system-x86_64")} "$@"\n')
        os.chmod(path, 0o755)
        os.environ["PATH"] = f"{folder}:{paths}"
        try:
            session = batch.Session("ps\n", "session", "read_page")
        finally:
            os.environ["PATH"] = paths
    check_contains(session.text + session.errors, "session: runs or is ready", "a QEMU that is slow to start is waited for")


def test_namesakes():
    """A program may have types and variables of the kernel's names; and the order in which GDB reads the two must not matter."""
    kernel = os.path.join(ROOT, batch.BUILD, "zeropage.elf")
    script = f"break main\ncontinue\nfile {kernel}\nprint page\nprint list\nvmas\nps\nframes\nmmcheck\nframe pfn 5\nheap\n"
    session = batch.Session(script + "pfbreak new_page\ncontinue\npf\n", "namesake")
    for words in ("$1 = {number = 0x7}", "$2 = {letter = 0x7a}", "namesake, pid 2: ", "namesake: runs or is ready", "  anon ",
                  "mmcheck: ok", "page table", "vm_area_struct", "verdict  new_page"):
        check_contains(session.text, words, f"in a program with the kernel's names for its own things: {words.strip()}")
    check_equal(session.errors, "", "and nothing goes wrong")


def test_without_kernel():
    run = subprocess.run(["gdb", "-nx", "-nh", "-q", "-batch", "-ex", f"source {ROOT}/tools/gdb/zeropage.py"],
                         capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    check_equal(run.stderr, "zeropage: the kernel's symbols are not loaded (file build-debug/zeropage.elf)\n",
                "loaded without the kernel, the commands say what has to come first")


def test_no_complaints():
    """QEMU's own words come through, but for what it says when all is well."""
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
        commands = os.path.join(scratch, "commands")
        with open(commands, "w", encoding="ascii") as file:
            file.write("break main\ncontinue\nnext\n")
        words = [DEBUG, "--build", batch.BUILD, "--console", os.path.join(scratch, "console"), "--batch", commands]
        run = subprocess.run([*words, "namesake"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        check_equal(run.stderr, "", "a session in which all is well shows no word of QEMU's", run.stdout)
        run = subprocess.run([*words, "--qemu", "-device nonsense", "namesake"], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False)
        check_contains(run.stderr, "'nonsense' is not a valid device model name", "a mistake in QEMU's options is told in its words")
        check(run.returncode == 1 and "zeropage: QEMU has not started\n" in run.stderr, "and nobody is left in an empty GDB", run.stderr)


def start(*arguments, home, scratch="/tmp"):
    return subprocess.Popen([DEBUG, "--build", batch.BUILD, "--console", "/dev/null", *arguments], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env=dict(os.environ, HOME=home, TMPDIR=scratch))


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def child_of(pid, name):
    """The process NAME somewhere below PID."""
    for child in children(pid):
        with open(f"/proc/{child}/comm", encoding="ascii", errors="replace") as file:
            if file.read().strip().startswith(name):
                return child
        found = child_of(child, name)
        if found:
            return found
    return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def test_leaving():
    ways = (("its input ends", lambda process, gdb: process.stdin.close()),
            ("GDB is killed", lambda process, gdb: os.kill(gdb, signal.SIGKILL)),
            ("tools/debug is killed", lambda process, gdb: os.kill(process.pid, signal.SIGKILL)),
            ("tools/debug is ended", lambda process, gdb: os.kill(process.pid, signal.SIGTERM)))
    for way, end in ways:
        mark = f"mark={os.urandom(8).hex()}"
        with tempfile.TemporaryDirectory(prefix="zeropage-gdb-home-") as home, \
                tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
            process = start("--append", mark, "session", "read_page", home=home, scratch=scratch)
            started = wait_for(lambda: batch.processes_with(mark) and child_of(process.pid, "qemu"))
            gdb = child_of(process.pid, "gdb")
            if check(started and gdb, f"a session starts ({way})"):
                end(process, gdb)
                # tools/debug names the mark itself, too.
                check(wait_for(lambda: not batch.processes_with(mark)), f"no process is left when {way}",
                      f"{batch.processes_with(mark)}")
                check(wait_for(lambda: not os.listdir(scratch)), f"no file is left when {way}", f"{os.listdir(scratch)}")
            process.kill()
            process.wait()
            check_equal(os.listdir(home), [], f"nothing is written to the home folder ({way})")


# A tool with a folder of its own; its word says what happens to it.
TOOL = """
import os, signal, subprocess, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import qemu
with qemu.scratch_folder("zeropage-debug-") as folder:
    if sys.argv[2] == "watcher":
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            os.kill(int(file.read().split()[0]), signal.SIGKILL)
    else:
        # An orphan that goes on writing for a while.
        subprocess.Popen(["sh", "-c", 'i=0; while [ $i -lt 30000 ]; do : > "$0/$i"; i=$((i + 1)); done', folder], stderr=subprocess.DEVNULL)
        while len(os.listdir(folder)) < 300:
            pass
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_folders():
    """Whatever dies first, and whoever still writes: the folder in /tmp goes."""
    for what, rule in (("watcher", "the one that waits for its end is killed"), ("writer", "something still writes into it")):
        with tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
            subprocess.run([sys.executable, "-c", TOOL, os.path.join(ROOT, "tools"), what], env=dict(os.environ, TMPDIR=scratch), check=False)
            check(wait_for(lambda: not [name for name in os.listdir(scratch) if name.startswith("zeropage-debug-")]),
                  f"the tool's folder is removed when {rule}", *os.listdir(scratch))


def test_terminal():
    """As a person has it: GDB on a terminal, and the program's words between GDB's."""
    controller, terminal = pty.openpty()
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-scratch-") as scratch:
        process = subprocess.Popen([DEBUG, "--build", batch.BUILD, "fault", "both"], stdin=terminal, stdout=terminal, stderr=terminal,
                                   env=dict(os.environ, TMPDIR=scratch, TERM="dumb"), start_new_session=True)
        os.close(terminal)
        seen = converse(controller, (("(gdb) ", "pfbreak new_page\n"), ("(gdb) ", "continue\n"), ("(gdb) ", "pf\n"),
                                     ("(gdb) ", "pfbreak off\n"), ("(gdb) ", "continue\n"), ("(gdb) ", "quit\n"), (None, "")))
        check_equal(process.wait(), 0, "a session on a terminal ends well", seen)
        check_contains(seen, "zeropage: fault (pid 2) has made its first page fault", "it stops at the program's first fault")
        check("Reading symbols" not in seen and "Output radix" not in seen, "GDB's own settings are set silently", seen[:500])
        check_contains(seen, "verdict  new_page", "the commands work on a terminal")
        check_contains(seen, "zeropage: init exited with status", "what the machine says comes out there, too")
        check_equal(os.listdir(scratch), [], "and nothing is left behind")
    os.close(controller)


def converse(controller, turns):
    """Says each word of TURNS when what it waits for has come. Returns all that was seen."""
    seen = start = ""
    for wanted, word in turns:
        end, start = time.monotonic() + 120, len(seen)
        while wanted is None or wanted not in seen[start:]:
            ready, _, _ = select.select([controller], [], [], max(0, end - time.monotonic()))
            try:
                data = os.read(controller, 65536) if ready else b""
            except OSError:     # the other end is closed
                data = b""
            if not data:
                return seen
            seen += data.decode(errors="replace").replace("\r", "")
        os.write(controller, word.encode())
    return seen


def free_port():
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", 1234)) != 0


def test_server():
    if not free_port():
        skip("debug-server", "port 1234 is in use")
        return
    with tempfile.TemporaryDirectory(prefix="zeropage-gdb-home-") as home:
        process = start("--server", "session", "read_page", home=home)
        if check(wait_for(lambda: not free_port()), "tools/debug --server waits at localhost:1234"):
            run = subprocess.run(["gdb", "-nx", "-nh", "-q", "-batch", os.path.join(ROOT, batch.BUILD, "zeropage.elf"),
                                  "-ex", "target remote localhost:1234", "-ex", "break exc_page_fault", "-ex", "continue",
                                  "-ex", f"source {ROOT}/tools/gdb/zeropage.py", "-ex", "pf"],
                                 capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=120)
            # The kernel's own: exec clears the end of the program's data.
            check_contains(run.stdout, "verdict  file_copied", "a GDB of one's own connects and explains the first fault")
            check(wait_for(lambda: process.poll() is not None and free_port()), "the machine ends when that GDB leaves")
        process.kill()
        process.wait()
        process = start("--server", "session", "read_page", home=home)
        wait_for(lambda: not free_port())
        process.terminate()
        check_equal(process.wait(), 128 + signal.SIGTERM, "tools/debug --server ends by a signal and says so")
        check(wait_for(free_port), "and its machine with it")


def test_wrong_use():
    for words, sentence in ((("no_such_program",), "there is no program no_such_program"),
                            ((os.path.join(ROOT, "README.md"),), "README.md")):
        run = subprocess.run([DEBUG, "--build", batch.BUILD, *words], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False)
        check(run.returncode == 2 and sentence in run.stderr and "Traceback" not in run.stderr,
              f"tools/debug {os.path.basename(words[0])} is refused by a sentence", run.stdout, run.stderr)


def main():
    if reason := batch.tools_are_missing():
        skip("the debugger", reason)
        done()
    problem = batch.build()
    if not check(problem is None, "the debug build can be made", problem or ""):
        done()
    for test in (test_sentences, test_without_machine, test_mmcheck, test_slow_start, test_namesakes, test_without_kernel, test_no_complaints,
                 test_stepping, test_folders, test_terminal, test_leaving, test_server,
                 test_wrong_use):
        test()
    done()


main()
