#!/usr/bin/env python3
"""
The ISO under Bochs, a second implementation of the processor: to a shell and back; then the guest tests that ask
most of the processor, and what QEMU can't show; with NIGHTLY=1 (make bochs) all guest tests and the attacks.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import bochs  # noqa: E402
import tap  # noqa: E402
from tap import BUILD, ROOT, check, done, skip  # noqa: E402

NIGHTLY = bool(os.environ.get("NIGHTLY"))
# Long enough for a machine that has much else to do: all of it takes 20 seconds on one that has not.
BOOT_SECONDS, TYPING_SECONDS, TESTS_SECONDS = 240, 60, 1500 if NIGHTLY else 300
PROMPT = re.compile(r"zeropage\$ *\Z")
ECHOED = re.compile(r"\nby (serial line|keyboard) *\nzeropage\$")
TEXT_MODE_ENTRY = 3     # of GRUB's menu, counted from 0
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
PROCESSOR_TESTS = ("attacks", "entry", "fork_cow", "fpu_state", "mprotect", "registers", "segv", "sigframe", "user_pointers")
CALLS, SEED = 20000, 1
ONLY = os.environ.get("ONLY", "")       # words of the only rule that matters (tests/attacks/defences)
# Self-tests of the kernel that mean something else, or nothing, in QEMU; the rule, and how the program ends.
SELF_TESTS = (
    ("return-nowhere", "a system call that returns to an address that is not canonical (SYSRET would fault in the kernel) ends the program",
     "killed by signal 11"),
    ("watch", "a debug exception that MOV SS puts off into the kernel, with a stack pointer of no use, does no harm", "exited with status 3"),
)


def typed(machine):
    return ESCAPES.sub("", machine.console.decode(errors="replace"))


def test_serial(iso):
    """The ISO as it is. Without VBE, which Bochs's terminal can't show, GRUB finds no mode: only the serial line speaks."""
    with bochs.Machine(iso) as machine:
        if not check(machine.wait_for(lambda: PROMPT.search(typed(machine)), BOOT_SECONDS), "the ISO boots to the shell's prompt",
                     typed(machine)[-1500:], machine.screen(), machine.text("messages"), machine.text("log")[-1500:]):
            return
        machine.type("echo by serial line\r")
        check(machine.wait_for(lambda: ECHOED.search(typed(machine)), TYPING_SECONDS), "what comes by the serial line is run",
              typed(machine)[-500:])
        machine.type("poweroff\r")
        check(machine.ends(TYPING_SECONDS) and bochs.POWERED_OFF in machine.text("log"), "poweroff switches it off by ACPI",
              machine.text("log")[-1000:])


def test_screen(folder):
    """The same in VGA text mode, by screen and keyboard alone."""
    with open(os.path.join(ROOT, "iso", "grub.cfg"), encoding="utf-8") as file:
        menu = file.read()
    config, iso = os.path.join(folder, "menu.cfg"), os.path.join(folder, "text.iso")
    with open(config, "w", encoding="utf-8") as file:
        file.write(menu.replace("set default=0", f"set default={TEXT_MODE_ENTRY}"))
    bochs.make_iso(iso, bochs.ARCHIVE, config)
    with bochs.Machine(iso) as machine:
        check(machine.wait_for(lambda: re.search(r"a small x86_64 kernel(?s:.*)zeropage\$", machine.screen()), BOOT_SECONDS),
              "banner and prompt are on the screen", machine.screen())
        machine.press("echo by keyboard\n", TYPING_SECONDS)
        check(machine.wait_for(lambda: ECHOED.search(machine.screen_text()), TYPING_SECONDS), "keys of the keyboard arrive",
              machine.screen())
        machine.press("poweroff\n", TYPING_SECONDS)
        check(machine.ends(TYPING_SECONDS) and bochs.POWERED_OFF in machine.text("log"), "and switch it off", machine.screen())


def test_program(folder, name, arguments, programs=(), options="audit=exit", indent=""):
    """Runs a program that prints KTAP, INDENT in front of each check; its checks become ours. Returns how many they are."""
    with bochs.Machine(bochs.iso_of_run(folder, arguments, options, programs)) as machine:
        ended = machine.ends(TESTS_SECONDS)
        said, messages, log = typed(machine), machine.text("messages"), machine.text("log")
    count = 0
    for result in re.finditer(rf"^{indent}(not )?ok \d+ - ([^#\n]*)(# SKIP .*)?$", said, re.MULTILINE):
        wrong, rule, skipped = result.groups()
        count += 1
        if skipped:
            skip(f"{name}: {rule.strip()}", skipped[len("# SKIP "):])
        else:
            check(not wrong, f"{name}: {rule.strip()}", said[result.start():][:300])
    planned = sum(map(int, re.findall(rf"^{indent}1\.\.(\d+)$", said, re.MULTILINE)))
    check(ended and count and count == planned, f"{name}: as many checks ran as were planned", f"{count} of {planned}", said[-500:])
    check(ended and "zeropage: init exited with status 0\n" in messages and bochs.POWERED_OFF in log,
          f"{name}: the program and the machine end well", messages[-1500:], log[-500:])
    check("audit:" not in messages, f"{name}: the audit finds nothing", messages[-1500:])
    return count


def test_self_test(folder, name, rule, end):
    with bochs.Machine(bochs.iso_of_run(folder, ["/bin/selftest", name], "selftest", [attack("selftest")])) as machine:
        ended, messages = machine.ends(TESTS_SECONDS), machine.text("messages")
    check(ended and f"zeropage: init {end}\n" in messages, rule, messages[-1500:])


def attack(name):
    return os.path.join(BUILD, "tests", "attacks", name)


def test_only():
    with tempfile.TemporaryDirectory(prefix="zeropage-bochs-iso-") as folder:
        for self_test in SELF_TESTS:
            if ONLY in self_test[1]:
                test_self_test(folder, *self_test)
        if not tap.count:
            test_program(folder, ONLY.partition(":")[0], [f"/tests/{ONLY.partition(':')[0]}"])
    done()


def main():
    reason = bochs.missing()
    if reason:
        skip("the ISO boots under Bochs", reason)
        done()
    if ONLY:
        test_only()
    test_serial(os.path.join(BUILD, "zeropage.iso"))
    with tempfile.TemporaryDirectory(prefix="zeropage-bochs-iso-") as folder:
        test_screen(folder)
        count = test_program(folder, "guest tests", ["/bin/ktap", *(() if NIGHTLY else PROCESSOR_TESTS)], indent="  ")
        for self_test in SELF_TESTS:
            test_self_test(folder, *self_test)
        if NIGHTLY:
            count += test_program(folder, "returns", ["/bin/returns"], [attack("returns")])
            count += test_program(folder, "calls", ["/bin/calls", str(SEED), str(CALLS), "4"], [attack("calls")],
                                  f"jitter={SEED}")
    if os.environ.get("RECORD_RESULT") and not tap.failed:
        subprocess.run([os.path.join(ROOT, "tools", "reliability"), "record", "bochs", "--title", "A second implementation",
                        "--rerun", "make bochs", "--tried", "the ISO boots to the shell under Bochs, whose processor is "
                        "another program than QEMU's, takes keys from the serial line and from the keyboard, and switches off",
                        "--tried", "there, too: every guest test, the attacks by IRETQ and far returns (with SMAP on), and "
                        "system calls at random", "--tried", "what QEMU does otherwise than a processor: DF at a SYSCALL, a SYSRET to an address that "
                        "is not canonical, a debug exception that MOV SS puts off into the kernel", f"checks of guest programs={count}", f"random system calls={CALLS}"], check=True)
    done()


main()
