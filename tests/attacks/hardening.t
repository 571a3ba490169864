#!/usr/bin/env python3
"""
Each of the kernel's defences stops what it is there for: the kernel itself makes the mistake (the kernel option selftest,
kernel/proc/self_test.c), or a program looks for what it may not see. (The journal has addresses of the kernel in it,
but ring 3 can't read it: it leaves by a port, and tests/guest/attacks.c shows that ports are closed.) `make defences` shows that each check fails when
its defence is taken away.
"""
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guest_checks import check, program, report, run  # noqa: E402
import debug_build  # noqa: E402
import tap  # noqa: E402
from tap import BUILD, ROOT, check_equal, done, skip  # noqa: E402
import qemu  # noqa: E402

ONLY = os.environ.get("ONLY", "")   # words of the only rule that matters (tests/attacks/defences)
STOPPED, NOT_STOPPED, NO_SUCH_TEST = 125, 3, 4
FAULT = r"page fault in the kernel: {} 0x{}[0-9a-f]*, which is mapped, but not for that"
# What the kernel is asked to do, the rule, and what it says before it stops.
MISTAKES = (
    ("write-text", "the kernel's text can't be written", FAULT.format("write to", "ffffffff801")),
    ("write-text-directly", "nor through the direct map", FAULT.format("write to", "ffff8880001")),
    ("write-constant", "its constants can't be written", FAULT.format("write to", "ffffffff801")),
    ("write-zero-frame", "nor the zero frame", FAULT.format("write to", "ffffffff801")),
    ("write-zero-frame-directly", "nor that through the direct map", FAULT.format("write to", "ffff8880001")),
    ("execute-data", "its data can't be executed", FAULT.format("execute at", "ffffffff801")),
    ("execute-constant", "nor its constants", FAULT.format("execute at", "ffffffff801")),
    ("execute-direct-map", "nor the direct map", FAULT.format("execute at", "ffff8880")),
    ("execute-stack", "nor its stacks", FAULT.format("execute at", "ffffc900")),
    ("read-user", "the kernel can't read a program's memory by mistake, whatever AC the program has set (SMAP)",
     FAULT.format("read from", "7fff")),
    ("read-user-at-once", "not even before it has cleared AC itself by a copy", FAULT.format("read from", "7fff")),
    ("write-user", "nor write it (SMAP)", FAULT.format("write to", "7fff")),
    ("execute-user", "nor execute it (SMEP)", FAULT.format("execute at", "7fff")),
    ("follow-null", "a null pointer is a sentence", r"the kernel followed a null pointer \(read from 0x8\)"),
    ("overflow-stack", "a kernel stack that overflows meets its guard page", r"the kernel stack overflowed \(at 0xffffc900"),
    ("write-guard", "so does a single write below it", r"the kernel stack overflowed \(write to 0xffffc900"),
    ("smash-stack", "an array that is written past its end is noticed when its function returns",
     "a function of the kernel has written past the end of an array on its stack"),
)


def wanted(rule):
    return ONLY in rule


def mistakes():
    for name, rule, sentence in MISTAKES:
        if not wanted(rule):
            continue
        output, messages, status = run("run", "--append", "selftest", program("selftest"), name)
        check(status == STOPPED and re.search(f"kernel panic: {sentence}", messages), rule, f"status {status}", messages)
    if ONLY:
        return
    check_equal(run("run", program("selftest"), "write-text")[2], NO_SUCH_TEST, "without the option there are no self-tests")
    check_equal(run("run", "--append", "selftest", program("selftest"), "nonsense")[2], NO_SUCH_TEST,
                "a self-test that does not exist is refused")


WRITE_AFTER_FREE = "a write to a frame that was freed is found, with the frame's number and what it had been (debug build)"
GUARD_DIFFERS = "the stack's guard value differs from boot to boot"


def freed_frames():
    """What is freed waits before it is given out again, in the debug build; in the release build nothing stops a write."""
    asked = ("run", "--append", "selftest", program("selftest"), "write-freed")
    check_equal(run(*asked)[2], NOT_STOPPED, "the release build has no quarantine")
    rule = WRITE_AFTER_FREE
    if not debug_build.is_current():
        skip(rule, debug_build.MISSING)
        return
    _, messages, status = run(*asked, build=debug_build.FOLDER)
    check(status == STOPPED and re.search(r"kernel panic: frame 0x[0-9a-f]+ was written to after it was freed: it had been of "
                                          r"type kernel, and holds 0x6b6b6b6bc36b6b6b at byte 0x120", messages), rule, f"status {status}", messages)


def symbol(name):
    listed = subprocess.run(["nm", os.path.join(BUILD, "zeropage.elf")], stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(re.search(rf"^([0-9a-f]+) . {name}$", listed, re.MULTILINE)[1], 16)


def stack_guard():
    """The value in the memory of a machine that has booted, read through QEMU's monitor."""
    command = qemu.command_line(kernel=os.path.join(BUILD, "zeropage.elf"), archive=os.path.join(BUILD, "archive.tar"),
                                memory="64M", extra=("-monitor", "stdio"))
    machine = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        time.sleep(2)
        said, _ = machine.communicate(f"x /1gx {symbol('__stack_chk_guard'):#x}\nquit\n", timeout=120)
    finally:
        machine.kill()
        machine.wait()
    found = re.search(r"^[0-9a-f]+: 0x([0-9a-f]{16})", said, re.MULTILINE)
    return int(found[1], 16) if found else None


def guards():
    first, second = stack_guard(), stack_guard()
    check(first and second and first != second, GUARD_DIFFERS, f"{first} {second}")
    check(first and first & 0xff == 0, "and ends in a zero byte, which no string can copy")


NO_STEPS = "the kernel does not run in single steps, though the program that calls it does"


def single_steps():
    _, messages, status = run("run", "entry")
    check(status == 0 and "single steps" not in messages, NO_STEPS, f"status {status}", messages[-1000:])


NOWHERE = "a system call that returns to an address that is not canonical ends the program, not the machine"


def return_nowhere():
    _, messages, status = run("run", "--append", "selftest", program("selftest"), "return-nowhere")
    check(status == 128 + signal.SIGSEGV, NOWHERE, f"status {status}", messages[-1000:])


NOTHING_LOW = "nothing is mapped below the lowest address, whoever asks, in whichever way, and whatever is in mmap_min_addr"
ORDINARY = "an ordinary user"


def by_person(transcript):
    """{heading: lines} of what tests/linux/low_addresses.c prints."""
    return {heading: lines for heading, lines in re.findall(r"^(\w.*):\n((?:  .*\n)+)", transcript, re.MULTILINE)}


def low_addresses():
    """What Linux tells an ordinary user before anything is allowed to everybody (the golden file) is what everybody is told here."""
    with open(os.path.join(ROOT, "tests", "linux", "golden", "linux", "low_addresses.txt"), encoding="ascii") as file:
        linux = by_person(file.read())
    output, messages, _ = run("run", "--append", "map-low=off", os.path.join(BUILD, "tests", "linux", "low_addresses"))
    here = by_person(output)
    raised = ", with 131072 in mmap_min_addr"
    wrong = {heading for heading in linux if here.get(heading) != linux[ORDINARY + (raised if heading.endswith(raised) else "")]}
    check(len(linux) == 6 and not wrong, NOTHING_LOW, *sorted(wrong), messages)


mistakes()
if wanted(NO_STEPS):
    single_steps()
if wanted(NOWHERE):
    return_nowhere()
if wanted(NOTHING_LOW):
    low_addresses()
if wanted(WRITE_AFTER_FREE):
    freed_frames()
if wanted(GUARD_DIFFERS):
    guards()
if tap.count == 0 or not ONLY:
    report("16 MiB", "run", "--memory", "16M", program("hardening"))
    report("stained", "run", "--append", "selftest", program("stains"))
done()
