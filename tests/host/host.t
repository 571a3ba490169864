#!/usr/bin/env python3
"""All host tests: every binary under build/host, each check of each of them one check here, and a check that it ran to its end."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

TIMEOUT = 240  # seconds; the slowest takes a tenth of it


def run(binary, journal_lines="/dev/null"):
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", UBSAN_OPTIONS="print_stacktrace=1",
                       JOURNAL_LINES=journal_lines)
    environment.pop("CMOCKA_XML_FILE", None)
    try:
        return subprocess.run([binary], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT, env=environment, check=False)
    except subprocess.TimeoutExpired as expired:
        return subprocess.CompletedProcess([binary], 124, expired.stdout or b"")


def tell(last, why):
    if last:
        tap.check(*last, *why)


def report(binary):
    name = os.path.basename(binary).removesuffix("_test")
    result = run(binary)
    planned = failed = seen = 0
    said = []  # since the last check, while the next one runs
    last, why = None, []  # cmocka says why a check has failed behind its line
    for line in result.stdout.decode(errors="replace").splitlines():
        plan = re.fullmatch(r"1\.\.(\d+)", line)
        point = re.match(r"(not )?ok \d+ - (.*)", line)
        if plan:
            planned += int(plan[1])
        elif point:
            tell(last, why)
            seen += 1
            failed += point[1] is not None
            rule, _, reason = point[2].split(" # ")[0].partition(" ")
            last, why, said = (not point[1], f"{name}: {rule.replace('_', ' ')} {reason}".rstrip()), said, []
        elif re.match(r"# (not )?ok - ", line):
            continue
        elif last and not last[0] and not said and re.match(r"# |\S+:\d+: error:", line):
            why.append(line)
        else:
            said.append(line)
    tell(last, why)
    complete = planned > 0 and seen == planned and (result.returncode == 0 or failed > 0) and result.returncode >= 0
    tap.check(complete, f"{name}: runs to its end", f"planned {planned}, ran {seen}, status {result.returncode}", *said)


def check_journal_lines(binary):
    """What the journal's test writes is JSON, line by line."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "lines")
        run(binary, path)
        with open(path, encoding="ascii") as file:
            lines = file.read().splitlines()
    wrong = []
    events = set()
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError as error:
            wrong += [line, str(error)]
            continue
        if "zeropage-journal" not in record:
            events.add(record.get("event"))
            if list(record)[:3] != ["seq", "pid", "event"]:
                wrong.append(line)
    tap.check(len(events) >= 14 and not wrong, "journal: each line is a JSON object that begins with seq, pid and event",
              f"{len(lines)} lines, events {sorted(map(str, events))}", *wrong)


binaries = sorted(glob.glob(os.path.join(tap.BUILD, "host", "*_test")))
tap.check(binaries, "the host tests are built (make host-tests)")
for path in binaries:
    report(path)
    if os.path.basename(path) == "journal_test":
        check_journal_lines(path)
tap.done()
