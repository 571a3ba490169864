"""Runs a program that prints KTAP in a machine of its own, and reports its checks as ours."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, skip  # noqa: E402

RESULT = re.compile(r"^(not )?ok \d+ - (.*?)(?: # SKIP (.*))?$")
PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)


def program(name):
    return os.path.join(BUILD, "tests", "attacks", name)


def run(tool, *arguments, build=BUILD):
    """Returns (standard output, messages, exit status). The patience is for a busy machine; ARGUMENTS may have their own."""
    done = subprocess.run([os.path.join(ROOT, "tools", tool), "--timeout", "300", *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, env=dict(os.environ, BUILD=build), check=False)
    return (done.stdout.decode(errors="replace").replace("\r", ""), done.stderr.decode(errors="replace").replace("\r", ""),
            done.returncode)


def report(where, tool, *arguments):
    """One check for each of the program's, WHERE in front; returns how many there were, and the messages."""
    output, messages, status = run(tool, *arguments)
    results = [RESULT.match(line) for line in output.splitlines()]
    lines, count = output.splitlines(), 0
    for number, result in enumerate(results):
        if result:
            count += 1
            if result[3]:
                skip(f"{where}: {result[2]}", result[3])
            else:
                details = [line for line in lines[number + 1:number + 6] if line.startswith("#")]
                check(not result[1], f"{where}: {result[2]}", *details)
    plan = PLAN.search(output)
    check(status == 0 and plan and int(plan[1]) == count, f"{where}: the program runs to its end, and the machine ends well",
          f"status {status}", *messages.splitlines()[-12:], *lines[-3:])
    return count, messages
