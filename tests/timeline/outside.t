#!/usr/bin/env python3
"""
The page shows what is so: on the real kernel, its address space equals the translations that QEMU's monitor lists (`info tlb`)
for the process that sleeps at the end of a busy session, and the VMAs that a program reads from /proc/self/maps.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from helper import Folder, page_state, timeline  # noqa: E402
from tap import ROOT, check, check_equal, done, skip  # noqa: E402

RUN = os.path.join(ROOT, "tools", "run")
SESSION = "tour > /tmp/story; cat /proc/self/maps > /tmp/maps; sleep 1000"
PROGRAMS = 4
QUIET_SECONDS, LONGEST = 3, 120
PAGE = 4096


class Monitor:
    """QEMU's monitor on a socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.answer()

    def answer(self):
        text = b""
        while not text.endswith(b"(qemu) "):
            part = self.socket.recv(1 << 16)
            if not part:
                break
            text += part
        return text.decode(errors="replace")

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\n")
        return self.answer()


def wait_until_quiet(path, end):
    """Waits until the file at PATH has begun and then not grown for a while. False: that never came."""
    size, since = 0, time.monotonic()
    while time.monotonic() < end:
        now = os.path.getsize(path) if os.path.exists(path) else 0
        if now != size:
            size, since = now, time.monotonic()
        elif size and time.monotonic() - since > QUIET_SECONDS:
            if asleep(path):
                return True
        time.sleep(0.2)
    return False


def asleep(path):
    """Has the session come to its last program? The shell, tour and cat have run before it."""
    with open(path, encoding="ascii") as file:
        return sum('"what":"exec"' in line for line in file) == PROGRAMS


def sleeping_machine(folder):
    """Runs the session until it sleeps: (the monitor's CR3, {page: (frame, writable)} of its user half)."""
    place = folder.path("monitor")
    # The journal goes to a device of our own, for tools/run hands its file out only at the end.
    devices = (f"-monitor unix:{place},server=on,wait=off -chardev file,id=journal,path={folder.path('events')} "
               "-device isa-debugcon,iobase=0xe9,chardev=journal")
    run = subprocess.Popen([RUN, "--append", "journal=all,pte", "--timeout", str(LONGEST), "--qemu", devices,
                            "sh", "-c", SESSION], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        if not wait_until_quiet(folder.path("events"), time.monotonic() + LONGEST):
            return None
        monitor = Monitor(place)
        monitor.ask("stop")
        registers, translations = monitor.ask("info registers"), monitor.ask("info tlb")
        shutil.copy(folder.path("events"), folder.path("stopped"))
        monitor.socket.sendall(b"quit\n")
    finally:
        try:
            run.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            run.terminate()
            run.communicate()
    pages = {}
    for address, frame, flags in re.findall(r"^(0000[0-9a-f]{12}): ([0-9a-f]{16}) (\S+)", translations, re.MULTILINE):
        pages[int(address, 16) // PAGE] = [int(frame, 16) // PAGE, "W" in flags]
    return int(re.search(r"CR3=([0-9a-f]+)", registers)[1], 16), pages


def monitors_witness(folder):
    seen = sleeping_machine(folder)
    if not check(seen, "the session comes to its sleep"):
        return
    top, pages = seen[0] // PAGE, seen[1]
    timeline(folder.path("stopped"), "-o", folder.path("page.html"))
    state = page_state(folder.path("page.html"))
    found = [process for process in state["processes"].values() if process["top"] == top]
    if not check_equal(len(found), 1, "the page has one process whose top-level table is in CR3", state["processes"].keys()):
        return
    entries = {page: [frame, writable] for page, frame, writable in found[0]["entries"]}
    check(len(pages) > 4, "the monitor lists user pages", pages)
    check_equal(entries, pages, "the page shows QEMU's translations: the same pages, frames and rights")


def maps_witness(folder):
    run = subprocess.run([RUN, "--events", folder.path("maps"), "--append", "journal=all,pte", "cat", "/proc/self/maps"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    with open(folder.path("maps"), encoding="ascii") as file:
        events = [json.loads(line) for line in file][1:]
    # Where cat asked for the file's text.
    reading = next((event["seq"] for event in events if event["event"] == "syscall" and event["number"] == 0), None)
    if not check(run.returncode == 0 and reading, "cat shows its own VMAs", run.stdout, run.stderr):
        return
    maps = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) (....)", run.stdout, re.MULTILINE)
    timeline(folder.path("maps"), "-o", folder.path("page.html"))
    found = page_state(folder.path("page.html"), reading)["processes"]
    vmas = [[f"{start:08x}", f"{end:08x}", "".join(letter if flags & bit else "-" for letter, bit in (("r", 1), ("w", 2), ("x", 4)))]
            for start, end, flags in next(iter(found.values()))["vmas"]]
    check_equal(vmas, [[start, end, rights[:3]] for start, end, rights in maps], "the page shows the VMAs of /proc/self/maps")


def main():
    if not shutil.which("node"):
        skip("the page shows what QEMU sees", "there is no node (make setup-viewer installs it)")
        done()
    folder = Folder()
    monitors_witness(folder)
    maps_witness(folder)
    folder.cleanup()
    done()


main()
