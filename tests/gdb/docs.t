#!/usr/bin/env python3
"""
docs/debugging.md: each session in it is played, and the transcript has to be the one that is printed. RECORD=1 writes
the transcripts anew.
"""
import difflib
import os
import re
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import batch  # noqa: E402
from tap import ROOT, check, check_equal, done, skip  # noqa: E402

DOCUMENT = os.path.join(ROOT, "docs", "debugging.md")
BLOCK = re.compile(r'^```console\n(\$ make (debug|rewind) PROG="([^"]*)"\n.*?)^```$', re.MULTILINE | re.DOTALL)
PROMPT = "(gdb) "


def script_of(transcript):
    commands = [line[len(PROMPT):] for line in transcript.splitlines() if line.startswith(PROMPT)]
    return "".join(f"echo {PROMPT}{command}\\n\n{command}\n" for command in commands if command != "quit")


def played(target, program, transcript):
    options = ("--rewind",) if target == "rewind" else ()
    session = batch.Session(script_of(transcript), *shlex.split(program), options=options)
    end = f"{PROMPT}quit\n" if f"{PROMPT}quit" in transcript else ""
    return session, f'$ make {target} PROG="{program}"\n{session.text}{end}'


def main():
    if reason := batch.tools_are_missing():
        skip("docs/debugging.md", reason)
        done()
    problem = batch.build()
    if not check(problem is None, "the debug build can be made", problem or ""):
        done()
    with open(DOCUMENT, encoding="utf-8") as file:
        document = file.read()
    blocks = BLOCK.findall(document)
    check(len(blocks) >= 7, "the guide has its sessions", f"{len(blocks)} found")
    for transcript, target, program in blocks:
        session, text = played(target, program, transcript)
        expected, got = batch.normal(transcript).splitlines(), batch.normal(text).splitlines()
        if os.environ.get("RECORD"):
            document = document.replace(transcript, text)
            expected = got
        check(expected == got, f'the session with "{program}" goes as it is printed',
              *difflib.unified_diff(expected, got, "the guide", "the machine", lineterm=""), session.errors)
        check_equal(session.errors, "", f'the session with "{program}" has no errors')
        check_equal((session.left_behind, session.files_left_behind), ([], []),
                    f'the session with "{program}" leaves no process and no file behind')
        check(session.work < batch.WORK_LIMIT, f'the session with "{program}" takes seconds of processor time',
              f"{session.work:.1f} s")
    if os.environ.get("RECORD"):
        with open(DOCUMENT, "w", encoding="utf-8") as file:
            file.write(document)
    done()


main()
