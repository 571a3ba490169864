#!/usr/bin/env python3
"""
Three witnesses of one moment: what the page shows at its last event is what `walk`, `vmas` and `frames` print in GDB where
the program has stopped, and what QEMU's `info tlb` lists there.
"""
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "gdb"))
from helper import Folder, page_state, timeline  # noqa: E402
import batch  # noqa: E402
from tap import check, check_equal, done, skip  # noqa: E402

# A busy life, and then two processes at once: the child of the last one stops.
PROGRAM = ("session", "read_page", "write_after_read", "grow_stack", "grow_heap", "copy_on_write", "read_shared", "write_data",
           "read_hole", "fork_and_count")
SCRIPT = """
break count_forever
continue

vmas 2
vmas 5
frames
python
import spaces
for pid in 2, 5:
    mm = spaces.mm_of(spaces.process(pid)["leader"].dereference())
    for address, _ in spaces.leaf_entries(spaces.pgd_of(mm)):
        gdb.execute(f"walk {address:#x} {pid}")
end
printf "CR3 %#lx\\n", $cr3
python
import os, socket
monitor = socket.socket(socket.AF_UNIX)
monitor.settimeout(60)
monitor.connect(os.environ["MONITOR"])
def answer():
    text = b""
    while not text.endswith(b"(qemu) "):
        text += monitor.recv(1 << 16)
    return text.decode()
answer()
monitor.sendall(b"info tlb\\n")
print(answer().replace("\\r", ""))
end
"""
PAGE = 4096
RIGHTS = (("r", 1), ("w", 2), ("x", 4))


def walked(text):
    """{pid: {page: [frame, writable]}} from what walk printed, and {pid: the PML4's frame}."""
    entries, tops = {2: {}, 5: {}}, {}
    for part in re.split(r"^(?=0x[0-9a-f]+ in the page tables of )", text, flags=re.MULTILINE)[1:]:
        address, pid, top = re.match(r"(0x[0-9a-f]+) in .* pid (\d+), PML4 in frame (0x[0-9a-f]+)", part).groups()
        frame, bits = re.search(r"^  PT  \[ *\d+\]  frame (0x[0-9a-f]+): ([^;]*)", part, re.MULTILINE).groups()
        entries[int(pid)][int(address, 16) // PAGE] = [int(frame, 16), "write" in bits.split()]
        tops[int(pid)] = int(top, 16)
    return entries, tops


def promised(text):
    """{pid: [[start, end, rights]]} from what vmas printed."""
    found = {}
    for line in text.splitlines():
        if head := re.match(r"session, pid (\d+): \d+ VMAs", line):
            vmas = found.setdefault(int(head[1]), [])
        elif vma := re.match(r"  (0x[0-9a-f]+)-(0x[0-9a-f]+) (...)[ps] ", line):
            vmas.append([int(vma[1], 16), int(vma[2], 16), vma[3]])
    return found


def translations(text):
    return {int(address, 16) // PAGE: [int(frame, 16) // PAGE, "W" in flags] for address, frame, flags in
            re.findall(r"^(0000[0-9a-f]{12}): ([0-9a-f]{16}) (\S+)", text, re.MULTILINE)}


def main():
    reason = batch.tools_are_missing() or (None if shutil.which("node") else "there is no node (make setup-viewer installs it)")
    if reason:
        skip("the page shows what the debugger shows", reason)
        done()
    problem = batch.build()
    if not check(problem is None, "the debug build can be made", problem or ""):
        done()
    folder = Folder()
    # A monitor of its own: GDB's `monitor` would have to pass thousands of lines.
    os.environ["MONITOR"] = folder.path("monitor")
    session = batch.Session(SCRIPT, *PROGRAM, append="journal=all,pte", options=(
        "--events", folder.path("events"), "--qemu", f"-monitor unix:{folder.path('monitor')},server=on,wait=off"))
    check_equal((session.status, session.errors), (0, ""), "the session in GDB ends well", session.text[-2000:])
    timeline(folder.path("events"), "-o", folder.path("page.html"))
    state = page_state(folder.path("page.html"))
    folder.cleanup()

    entries, tops = walked(session.text)
    listed = translations(session.text)
    running = int(re.search(r"^CR3 (0x[0-9a-f]+)", session.text, re.MULTILINE)[1], 16) // PAGE
    for pid in 2, 5:
        shown = state["processes"][str(pid)]
        check(len(entries[pid]) > 6, f"walk shows pages of process {pid}", session.text)
        check_equal({page: [frame, write] for page, frame, write in shown["entries"]}, entries[pid],
                    f"the page shows the entries that walk prints, process {pid}")
        check_equal(shown["top"], tops[pid], f"and its top-level table, process {pid}")
        rights = [[start, end, "".join(letter if flags & bit else "-" for letter, bit in RIGHTS)]
                  for start, end, flags in shown["vmas"]]
        check_equal(rights, promised(session.text).get(pid), f"the page shows the VMAs that vmas prints, process {pid}")
    check_equal(running, tops[5], "the child is the one that runs")
    check_equal(listed, entries[5], "QEMU's info tlb lists the same pages, frames and rights")
    counts = dict(re.findall(r"^  (\w+) +(\d+)$", session.text, re.MULTILINE))
    check_equal(state["free"], int(counts.get("free", 0)) + int(counts.get("cached", 0)),
                "as many frames are free on the page as `frames` counts")
    done()


main()
