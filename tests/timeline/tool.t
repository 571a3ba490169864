#!/usr/bin/env python3
"""tools/timeline: whole files or none, a sentence for each mistake, and exports that other tools can read."""
import csv
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from helper import Folder, pretended, timeline  # noqa: E402
from tap import ROOT, check, check_contains, check_equal, done  # noqa: E402

sys.path.insert(0, os.path.join(ROOT, "tools", "viewer"))
import journal  # noqa: E402

VERSION_LINE = '{"zeropage-journal":1}\n'
LIMIT = 300 * 1024
FORMATS = {"HEX": journal.HEX, "DECIMAL": journal.NUMBER, "SIGNED": journal.NUMBER, "PAGE_TYPE": journal.PAGE_TYPE,
           "OUTCOME": journal.OUTCOME, "PROCESS_STEP": journal.STEP, "ERROR_CODE": journal.ERROR, "VM_FLAGS": journal.FLAGS,
           "PTE_BITS": journal.PTE}


def kernel_schema():
    """kernel/trace/journal_schema.c as journal.SCHEMA is written."""
    with open(os.path.join(ROOT, "kernel", "trace", "journal_schema.c"), encoding="utf-8") as file:
        text = file.read()
    for name, value in re.findall(r"^#define (\w+) (.*)$", text, re.MULTILINE):
        text = text.replace(f"{name}, {name}", f"{value}, {value}").replace(name + ",", value + ",").replace(name + " }", value + " }")
    schema = {}
    for name, arguments, formats in re.findall(r'\] = \{\s*"(\w+)",\s*\{([^}]*)\},\s*\{([^}]*)\}', text):
        schema[name] = list(zip(re.findall(r'"(\w+)"', arguments),
                                [FORMATS[word] for word in re.findall(r"JOURNAL_(\w+)", formats)]))
    return schema


def fails(folder, words, sentence, rule):
    status, said = timeline(*words)
    check(status == 1 and sentence in said and "Traceback" not in said and said.count("\n") == 1,
          f"{rule}: a sentence and status 1", f"status {status}", said)
    check(not [name for name in os.listdir(folder.name) if name.startswith("page")], f"{rule}: nothing is written",
          os.listdir(folder.name))


def wrong_inputs(folder, lines):
    page = folder.path("page.html")
    fails(folder, [folder.path("absent"), "-o", page], "No such file", "a missing journal")
    fails(folder, [folder.name, "-o", page], "Is a directory", "a folder for a journal")
    fails(folder, [folder.write("text", "hello\n"), "-o", page], "is no event journal", "another kind of file")
    fails(folder, [folder.write("empty", ""), "-o", page], "is no event journal", "an empty file")
    fails(folder, [folder.write("future", '{"zeropage-journal":2}\n'), "-o", page], "version 2", "a later version")
    fails(folder, [folder.write("bare", VERSION_LINE), "-o", page], "holds no event", "a journal without events")
    events = folder.write("events", "".join(lines))
    fails(folder, [events, "-o", folder.path("absent/page.html")], "No such file", "a folder that isn't there")
    fails(folder, [events, "-o", page, "--source", folder.path("text")], "is no ELF file", "a source that is no program")
    fails(folder, [events, "-o", page, "--source", folder.path("absent")], "No such file", "a source that isn't there")
    if os.geteuid() != 0:
        os.chmod(events, 0)
        fails(folder, [events, "-o", page], "Permission denied", "a journal that may not be read")
        os.chmod(events, 0o600)
    status, said = timeline(events)
    check(status == 2 and "-o" in said, "without anything to write, the usage and status 2", said)


def broken_journals(folder, lines):
    cases = [
        ("cut off", lines[:100] + [lines[100][:-9]], 101, "cut off"),
        ("no JSON", lines[:50] + ["{nonsense}\n"] + lines[50:], 51, "no JSON"),
        ("unknown kind", lines[:50] + ['{"seq":9000,"pid":1,"event":"party"}\n'], 51, "no known kind"),
        ("missing argument", lines[:50] + ['{"seq":9000,"pid":1,"event":"pte","address":"0x1"}\n'], 51, "'before'"),
        ("wrong argument", lines[:50] + ['{"seq":9000,"pid":1,"event":"table_free","frame":1,"level":1,"address":7}\n'], 51, "wrong form"),
        ("too large", lines[:50] + ['{"seq":9000,"pid":1,"event":"signal","signal":1,"code":1,"address":"0x1ffffffffffffffff"}\n'],
         51, "out of range"),
        ("negative", lines[:50] + ['{"seq":9000,"pid":-1,"event":"signal","signal":1,"code":1,"address":"0x1"}\n'], 51, "out of range"),
        ("out of order", lines[:50] + lines[10:], 51, "does not follow"),
    ]
    for name, text, number, reason in cases:
        folder.write("broken", "".join(text))
        status, said = timeline(folder.path("broken"), "-o", folder.path("page.html"), "--csv", folder.path("page.csv"))
        check(status == 0 and f"line {number} is wrong" in said and reason in said, f"{name}: opened up to line {number}, and says so", said)
        rows = folder.read("page.csv").count("\n") - 1
        check_equal(rows, number - 2, f"{name}: every event before that line is there")
        check_contains(folder.read("page.html"), f"line {number} is wrong", f"{name}: the page says it too")
    for name in ("page.html", "page.csv"):
        os.unlink(folder.path(name))


def exports(folder, lines):
    events = folder.write("events", "".join(lines))
    status, said = timeline(events, "-o", folder.path("whole.html"), "--trace", folder.path("whole.json"), "--csv", folder.path("whole.csv"))
    check_equal((status, said), (0, ""), "page, trace and table are written in one go, without a word")
    check_equal(sorted(os.listdir(folder.name)).count("whole.html.part"), 0, "no part is left over")
    original = [json.loads(line) for line in lines[1:]]

    trace = json.loads(folder.read("whole.json"))["traceEvents"]
    slices = [event for event in trace if event["ph"] == "X"]
    check_equal([event["ts"] for event in slices], [event["seq"] for event in original], "the trace has each event, in order")
    check_equal([(event["cat"], event["pid"]) for event in slices], [(event["event"], event["pid"]) for event in original],
                "of the same kind and process")
    balance = [event["ph"] for event in trace if event["ph"] in "be"]
    check(balance.count("b") == balance.count("e") > 0, "each process's life has a beginning and an end")
    counters = [event["args"]["taken"] for event in trace if event["ph"] == "C"]
    steps = [1 if event["event"] == "frame_alloc" else -1 for event in original if event["event"].startswith("frame_")]
    check_equal(counters, [sum(steps[:i + 1]) for i in range(len(steps))], "the trace counts the frames that are taken")

    with open(folder.path("whole.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    check_equal([(int(row["seq"]), int(row["pid"]), row["event"]) for row in rows],
                [(event["seq"], event["pid"], event["event"]) for event in original], "the table has each event")
    faults = [(row["address"], row["outcome"], row["ip"]) for row in rows if row["event"] == "fault"]
    check_equal(faults, [(event["address"], event["outcome"], event["ip"]) for event in original if event["event"] == "fault"],
                "with its arguments")
    signed = folder.write("signed", VERSION_LINE + '{"seq":0,"pid":2,"event":"syscall","number":16,' + "".join(
        f'"a{i}":"0xffffffffffffffff",' for i in range(6)) + '"result":-25}\n')
    timeline(signed, "--csv", folder.path("signed.csv"))
    check_contains(folder.read("signed.csv"), ",16" + ",0xffffffffffffffff" * 6 + ",-25,", "negative results and all 64 bits survive")


def page(folder):
    html = folder.read("whole.html")
    data = re.search(r'id="columns">([^<]*)<', html)[1]
    check(len(html) - len(data) < LIMIT, "beside its data, the page is smaller than 300 KB", f"{len(html) - len(data)} bytes")
    links = [link for link in re.findall(r"(?:https?:)?//[\w.-]+", html.replace(data, "")) if link != "http://www.w3.org"]
    check(not re.search(r"<(?:link|img|iframe)|<script[^>]* src|@import|url\(", html) and not links,
          "the page names no other file and no address on a network", links)
    hostile = folder.write("hostile", "".join(pretended(200)[0]))
    timeline(hostile, "-o", folder.path("hostile.html"), "--title", "</script><b>")
    check("</script><b>" not in folder.read("hostile.html"), "a title can't end the page's script")


def main():
    folder = Folder()
    lines, _ = pretended(600)
    check_equal({kind: arguments for kind, arguments in journal.SCHEMA.items()}, kernel_schema(),
                "the reader knows the kinds and arguments of journal_schema.c")
    wrong_inputs(folder, lines)
    broken_journals(folder, lines)
    exports(folder, lines)
    page(folder)
    folder.cleanup()
    done()


main()
