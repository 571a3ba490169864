"""Runs the lab's guest tests (tests/guest, KTAP) on the stage, and reads what the kernel's audit found."""
import re

from . import calls
from .words import Ended, plural

RESULT = re.compile(r" *(not )?ok \d+(?: -)? ?([^#]*)(?:# *(SKIP|TODO)\b.*)?$")
PLAN = re.compile(r"  +1\.\.(\d+)")
INSTRUCTIONS = 3_000_000_000
PATH_AT, ARGV_AT, STRINGS_AT = 1024, 1536, 2048     # in the mailbox


def run_guest_test(stage, name):
    """
    None when the program ran to its end and every check of it held, else what it said. What it says comes over the kernel's
    own line: the check needs witnesses.
    """
    return judge(name, *run_program(stage, "/tests/" + name))


def run_program(stage, *words):
    """(what it wrote, its status) of a program that a child of the main puppet executes; WORDS are its path and arguments."""
    main = stage.main
    before = len(stage.machine.console.text())
    child = main.fork()
    strings, place = [], stage.mailbox + STRINGS_AT
    for word in words:
        strings.append(place)
        child.put(place, word.encode() + b"\0")
        place += len(word) + 1
    child.put(stage.mailbox + ARGV_AT, b"".join(at.to_bytes(8, "little") for at in strings) + bytes(8))
    child.alive = False
    stage.set_registers("call", {"rax": calls.EXECVE, "rdi": strings[0], "rsi": stage.mailbox + ARGV_AT, "rdx": 0})
    stage.proceed(main, INSTRUCTIONS)
    status = wait_status(stage, child)
    return stage.machine.console.text()[before:], status


def wait_status(stage, child):
    """What became of CHILD: struct of wait4."""
    main = stage.main
    at = stage.mailbox + 64
    step = stage.step(main, "call", {"rax": calls.WAIT4, "rdi": child.pid, "rsi": at, "rdx": 0, "r10": 0}, INSTRUCTIONS)
    stage.actors.pop(child.identity, None)
    if step.value != child.pid:
        raise Ended(f"wait4 answered {calls.describe_result(step.value)} instead of the process")
    return int.from_bytes(main.peek(at, 4), "little")


def judge(name, output, status):
    planned, seen, failed, said = 0, 0, [], []
    for line in output.split("\n"):
        result, plan = RESULT.match(line), PLAN.match("  " + line)
        if plan:
            planned = int(plan[1])
        elif result:
            seen += 1
            if result[1]:
                failed.append(result[2].strip())
        elif failed and line.startswith("#"):
            said.append(line.strip("# "))
    if failed:
        return "\n".join([f"{plural(len(failed), 'check')} of {name} not kept, the first: {failed[0]}", *said[:3]])
    if status != 0:
        how = f"signal {status & 0x7f}" if status & 0x7f else f"status {status >> 8}"
        return f"{name} ended with {how} after {plural(seen, 'check')}"
    if not planned or seen != planned:
        return f"{name} planned {plural(planned, 'check')} and did {seen}"
    return None


def audit(stage):
    """None when the kernel's audit finds nothing, now and after each process that has ended; else its findings."""
    text = stage.main.read_file("/proc/audit")
    said = [line for line in stage.machine.messages.text().split("\n") if line.startswith("audit:")]
    if text.strip() != b"ok":
        said += text.decode(errors="replace").strip().split("\n")
    return "\n".join(said[:4]) or None
