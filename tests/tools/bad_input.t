#!/usr/bin/env python3
"""
Bad input to every tool in tools/: a missing file, a wrong format, a folder instead of a file, no permission, a full disk, an
end in the middle. Each gives a sentence and a status that is not 0, no half-written file under the final name, and leaves nothing
behind: no process, no temporary folder (kill -9 may leave the folder, for nobody is there to remove it).
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, children_of, done, is_running, skip  # noqa: E402

KERNEL, ARCHIVE = os.path.join(BUILD, "zeropage.elf"), os.path.join(BUILD, "archive.tar")
CONFIG = os.path.join(ROOT, "iso", "grub.cfg")
NOWHERE = "/no/such/file"
FULL_DISK_SIZE = "16k"
LIMIT = 120

# Parts of tools, no tools of their own: nobody starts them.
PARTS = {"elf.py", "packages", "packages.sh", "qemu.py", "recording.py", "replay_line.py", "screen.py", "stub_line.py", "toml_reader.py", "gdb",
         "grader", "viewer"}


class Place:
    """The folders of one case: for its output, and for whatever is temporary."""

    def __init__(self, base, name):
        self.base = os.path.join(base, name)
        self.out, self.temporary = os.path.join(self.base, "out"), os.path.join(self.base, "temporary")
        os.makedirs(self.out)
        os.makedirs(self.temporary)

    def start(self, command, output=subprocess.PIPE, user=None):
        command = [os.path.join(ROOT, "tools", command[0]), *command[1:]]
        environment = dict(os.environ, TMPDIR=self.temporary, SETUP="no", BUILD=os.path.relpath(BUILD, ROOT))
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, user=user,
                                env=environment, cwd=self.base, start_new_session=True)

    def run(self, command, **how):
        process = self.start(command, **how)
        try:
            output, errors = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None, b"", b"it did not end"
        return process.returncode, output, errors


def is_a_sentence(text):
    text = text.decode(errors="replace")
    return text.strip() != "" and "Traceback" not in text and len(text) < 6000


def refused(rule, place, command, names="", **how):
    """The tool refuses: not by dying, with words (among them NAMES), and without leaving anything."""
    status, output, errors = place.run(command, **how)
    check(status is not None and 0 < status < 126 and is_a_sentence(errors or output) and names.encode() in (errors or output),
          f"{rule}: a sentence and a status",
          f"status {status}", errors[-800:], (output or b"")[-300:])
    left = os.listdir(place.temporary)
    check(not left, f"{rule}: nothing temporary is left", left)


# --- What is refused: the tool, what is wrong, its arguments. {text} is a text file, {folder} a folder, {out} a new name ----------

REFUSALS = (
    ("archive", "no arguments"), ("archive", "no such folder", "{out}", NOWHERE),
    ("archive", "no such program", "{out}", "{folder}", "bin", NOWHERE),
    ("archive", "a program that is none", "{out}", "{folder}", "bin", "{text}"),
    ("bench", "an unknown option", "--no-such-option"),
    ("boot", "an unknown option", "--no-such-option"), ("boot", "no such build", "--build", NOWHERE),
    ("boot", "memory that is no size", "--build", BUILD, "--memory", "lots"),
    ("check-kernel", "no arguments"), ("check-kernel", "no such kernel", "nm", NOWHERE, NOWHERE),
    ("check-kernel", "a text instead of a kernel", "nm", "{text}", "{text}"),
    ("debug", "an unknown option", "--no-such-option"), ("debug", "no such build", "--build", NOWHERE, "tour"),
    ("debug", "no such commands", "--batch", NOWHERE, "tour"),
    ("doctor", "an argument", "nonsense"),
    ("font", "no arguments"), ("font", "no such file", NOWHERE), ("font", "a folder", "{folder}"), ("font", "no font", "{text}"),
    ("fuzz", "an unknown option", "--no-such-option"), ("fuzz", "a count that is none", "--count", "many"),
    ("grade", "no arguments"), ("grade", "no such submission", "--lab", "1", NOWHERE),
    ("grade", "a text as a submission", "--lab", "1", "{text}"),
    ("hand-in", "an argument", "nonsense"),
    ("iso", "no arguments"), ("iso", "no such kernel", "{out}", NOWHERE, ARCHIVE, CONFIG),
    ("iso", "a text instead of a kernel", "{out}", "{text}", ARCHIVE, CONFIG),
    ("iso", "a folder instead of an archive", "{out}", KERNEL, "{folder}", CONFIG),
    ("ksyms", "one argument", "nm"), ("ksyms", "no such kernel", "nm", NOWHERE), ("ksyms", "no such nm", NOWHERE, KERNEL),
    ("ksyms", "a text instead of a kernel", "nm", "{text}"),
    ("lab", "no arguments"), ("lab", "no such lab", "99", "{out}"), ("lab", "a folder that is full", "1", "{folder}"),
    ("linux-run", "no such program", NOWHERE), ("linux-run", "a text as a program", "{text}"), ("linux-run", "a folder", "{folder}"),
    ("offer", "no such build", "--no-such-option"),
    ("profile", "no arguments"), ("profile", "no such program", NOWHERE),
    ("reliability", "nonsense", "nonsense"), ("reliability", "a result without a title", "record", "x"),
    ("reliability", "a name that is none", "record", "A B", "--title", "t", "--rerun", "r"),
    ("run", "no arguments"), ("run", "no such program", NOWHERE), ("run", "a text", "{text}"), ("run", "a folder", "{folder}"),
    ("run", "no such file", "--file", NOWHERE, "echo"), ("run", "a folder as input", "--stdin", "{folder}", "echo"),
    ("screenshots", "no arguments"), ("screenshots", "a text instead of a folder", "{text}"),
    ("screenshots", "no such picture", "{folder}", "nonsense"),
    ("setup", "no such group", "nonsense"),
    ("timeline", "no arguments"), ("timeline", "no such journal", NOWHERE, "-o", "{out}"),
    ("timeline", "a folder as a journal", "{folder}", "-o", "{out}"), ("timeline", "a text as a journal", "{text}", "-o", "{out}"),
    ("viewer/record", "no arguments"), ("viewer/record", "no such program", "-o", "{out}", NOWHERE),
    ("viewer/picture", "no arguments"), ("viewer/picture", "no such page", NOWHERE, NOWHERE, "{out}"),
    ("viewer/picture", "a text as a journal", "{text}", "{text}", "{out}"),
)


def refusals(base):
    for number, (tool, what, *words) in enumerate(REFUSALS):
        place = Place(base, f"refusal-{number}")
        text, folder, out = (os.path.join(place.base, name) for name in ("text", "folder", "out/new"))
        with open(text, "w", encoding="ascii") as file:
            file.write("this is nothing but a text\n" * 40)
        os.mkdir(folder)
        with open(os.path.join(folder, "occupied"), "w", encoding="ascii"):
            pass
        refused(f"{tool}: {what}", place, [tool, *(word.format(text=text, folder=folder, out=out) for word in words)])
        left = os.listdir(place.out)
        check(not left, f"{tool}: {what}: no file is written", left)


# --- What writes a file: how to call it for the output OUT, and how long it takes until it is in the middle (seconds) ------------

def journal(place):
    path = os.path.join(place.base, "events")
    with open(path, "wb") as file:
        file.write(JOURNAL)
    return path


WRITERS = {
    "archive": (lambda place, out: ["archive", out, os.path.join(ROOT, "iso", "rootfs"), "bin", KERNEL], 0.05),
    "iso": (lambda place, out: ["iso", out, KERNEL, ARCHIVE, CONFIG], 0.3),
    "run --events": (lambda place, out: ["run", "--events", out, "tour"], 1.0),
    "timeline": (lambda place, out: ["timeline", journal(place), "-o", out], 0.2),
    "timeline --trace": (lambda place, out: ["timeline", journal(place), "--trace", out], 0.2),
    "timeline --csv": (lambda place, out: ["timeline", journal(place), "--csv", out], 0.2),
    "viewer/record": (lambda place, out: ["viewer/record", "-o", out, "tour"], 1.0),
    "lab": (lambda place, out: ["lab", "1", out], 0.3),
    "bench --json": (lambda place, out: ["bench", "--json", out], 1.0),
}


# --- What may not be read or written ---------------------------------------------------------------------------------------------

NOBODY = 65534  # root may read and write everything, so the tools run as somebody else then

# The tool, and its arguments. {secret} is a copy of the file of that name which nobody may read.
UNREADABLE = (
    ("archive", "{out}", "{folder}", "bin", "{secret}", KERNEL), ("check-kernel", "nm", "{secret}", "{secret}", KERNEL),
    ("font", "{secret}", os.path.join(ROOT, "kernel/dev/font.txt")),
    ("iso", "{out}", "{secret}", ARCHIVE, CONFIG, KERNEL), ("iso", "{out}", KERNEL, ARCHIVE, "{secret}", CONFIG),
    ("ksyms", "nm", "{secret}", KERNEL),
    ("profile", "{secret}", os.path.join(BUILD, "user/bin/echo")), ("run", "{secret}", os.path.join(BUILD, "user/bin/echo")),
    ("run", "--stdin", "{secret}", "echo", CONFIG), ("run", "--file", "{secret}", "echo", CONFIG),
    ("viewer/record", "-o", "{out}", "{secret}", os.path.join(BUILD, "user/bin/echo")),
)


def without_permission(base):
    user = NOBODY if os.getuid() == 0 else None
    if subprocess.run(["/usr/bin/env", "python3", os.path.join(ROOT, "tools", "run"), "--help"], user=user, check=False,
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        skip("what may not be read or written", "nobody but root can run the tools here")
        return
    os.chmod(base, 0o755)
    for number, (tool, *words, original) in enumerate(UNREADABLE):
        place = Place(base, f"secret-{number}")
        secret, folder, out = (os.path.join(place.base, name) for name in ("secret", "folder", "out/new"))
        shutil.copyfile(original, secret)
        os.chmod(secret, 0)
        os.mkdir(folder)
        for writable in (place.base, place.out, place.temporary):
            os.chmod(writable, 0o777)
        rule = f"{tool}: {words[words.index('{secret}') - 1]} and a file that may not be read"
        refused(rule, place, [tool, *(word.format(secret=secret, folder=folder, out=out) for word in words)], secret, user=user)
        check(not os.listdir(place.out), f"{rule}: no file is written", os.listdir(place.out))
    for number, (name, (command, _)) in enumerate(WRITERS.items()):
        place = Place(base, f"closed-{number}")
        os.chmod(place.temporary, 0o777)
        os.chmod(place.out, 0o555)
        rule = f"{name}: into a folder that may not be written"
        refused(rule, place, command(place, os.path.join(place.out, "new")), place.out, user=user)
        check(not os.listdir(place.out), f"{rule}: no file is there", os.listdir(place.out))


# What writes to standard output: a full disk behind that is noticed, too.
PRINTERS = (("ksyms",), ("ksyms", "nm", KERNEL), ("font", os.path.join(ROOT, "kernel/dev/font.txt")), ("run", "help"), ("doctor",))


def full_outputs(base):
    for number, command in enumerate(PRINTERS):
        with open("/dev/full", "wb") as full:
            refused(f"{' '.join(command[:1] + command[1:2])}: its output onto a full disk", Place(base, f"printer-{number}"), command,
                    output=full)


def lost_folders(base):
    for number, (name, (command, _)) in enumerate(WRITERS.items()):
        place = Place(base, f"lost-{number}")
        refused(f"{name}: into a folder that is not there", place, command(place, os.path.join(place.base, "nowhere", "new")))


def fill(path):
    """Takes all there is of a disk."""
    try:
        with open(path, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        pass


def full_disks(base):
    for number, (name, (command, _)) in enumerate(WRITERS.items()):
        place = Place(base, f"full-{number}")
        rule = f"{name}: onto a full disk"
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FULL_DISK_SIZE}", "tmpfs", place.out], check=False,
                          stderr=subprocess.DEVNULL).returncode:
            skip(f"{rule}: a sentence and a status", "a small disk can't be mounted here")
            continue
        try:
            fill(os.path.join(place.out, "fills"))
            out = os.path.join(place.out, "new")
            refused(rule, place, command(place, out))
            left = [entry for entry in os.listdir(place.out) if entry != "fills"]
            check(not left, f"{rule}: no file is left there, whole or not", left)
        finally:
            subprocess.run(["umount", place.out], check=False)


def all_children(pid):
    try:
        direct = children_of(pid)
    except OSError:
        return []
    return direct + [child for parent in direct for child in all_children(parent)]


def ending(data):
    """The last line, of a journal the kind of its last event: no two journals are equal, but they end alike."""
    line = data.splitlines()[-1] if data else b""
    return re.findall(rb'"event": ?"\w+"', line) or line


def is_whole(place, command, out):
    """
    Perhaps the tool was faster than the signal: then the file is as it is after an undisturbed run. What was
    recorded differs a little from run to run, so of a text the end decides.
    """
    again = f"{out}-again"
    place.run(command(place, again))
    if os.path.isdir(out):
        return subprocess.run(["diff", "-r", out, again], stdout=subprocess.DEVNULL, check=False).returncode == 0
    with open(out, "rb") as first, open(again, "rb") as second:
        one, other = first.read(), second.read()
    return one == other or (b"\0" not in other and ending(one) == ending(other))


def interrupted(base, number, signal_name):
    for index, (name, (command, seconds)) in enumerate(WRITERS.items()):
        place = Place(base, f"{signal_name}-{index}")
        out = os.path.join(place.out, "new")
        rule = f"{name}: {signal_name} in the middle"
        process = place.start(command(place, out))
        time.sleep(seconds)
        children = all_children(process.pid)
        process.send_signal(number)
        try:
            process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
        check(not os.path.exists(out) or is_whole(place, command, out), f"{rule}: no half-written file under the final name",
              f"status {process.returncode}")
        for _ in range(50):
            if not any(map(is_running, children)):
                break
            time.sleep(0.1)
        check(number == signal.SIGKILL or not os.listdir(place.temporary), f"{rule}: nothing temporary is left",
              os.listdir(place.temporary))
        emulators = [child for child in children if is_running(child)]
        check(not emulators, f"{rule}: no process is left", emulators)


def every_tool_is_here():
    tools = {name for name in os.listdir(os.path.join(ROOT, "tools")) if name not in PARTS and "__" not in name}
    tried = {tool for tool, *_ in REFUSALS}
    check(tools <= tried, "every tool of tools/ is among those that are tried", sorted(tools - tried))


with tempfile.TemporaryDirectory(prefix="zeropage-bad-input-") as base:
    events = os.path.join(base, "events")
    subprocess.run([os.path.join(ROOT, "tools", "run"), "--events", events, "tour"], stdout=subprocess.DEVNULL, check=True)
    with open(events, "rb") as recorded:
        JOURNAL = recorded.read()
    every_tool_is_here()
    refusals(base)
    without_permission(base)
    full_outputs(base)
    lost_folders(base)
    full_disks(base)
    interrupted(base, signal.SIGTERM, "SIGTERM")
    interrupted(base, signal.SIGKILL, "SIGKILL")
    shutil.rmtree(base, ignore_errors=True)
    os.makedirs(base, exist_ok=True)
done()
