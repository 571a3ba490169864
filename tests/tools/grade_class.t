#!/usr/bin/env python3
"""
A class is graded (tools/grade --all), and each of its submissions is bad in a way of its own: whatever one is or does, it has a
score and a reason, the others are graded, and nothing is left behind. What is done stays done, also when the run is killed.
make test grades some of them, and make nightly all (ALL=1).
"""
import csv
import io
import json
import os
import signal
import sys
import tarfile
import time

from grading import FAULT, FULL, ROOT, Folder, need_unifdef, readable_guard_pages, solution, that_does
from tap import check, check_contains, check_equal, done

sys.path.insert(0, os.path.join(ROOT, "tools"))
from grader.sandbox import Sandbox  # noqa: E402

# In the kernel nothing of this is there; on the host it runs before the tests.
HOSTILE_TEST = """
#ifdef ZEROPAGE_HOST
int system(const char *command);
static void __attribute__((constructor)) attack(void)
{
    system("cp /bin/true build/zeropage.elf ../tree/build/zeropage.elf ../tree/build-lab3/zeropage.elf;"
           "rm -rf ../tree ../boot-*; echo x >../tree/mm/fault.c;"
           "setsid tail -f /dev/null & (while :; do :; done) & kill -9 -1 2>/dev/null");
}
#endif
"""
FLOOD = 'for (;;)\n        asm volatile("outb %b0, %w1" : : "a"(\'x\'), "d"(0x2f8));'
SHORT = ("mistaken", "hangs", "floods", "broken", "build-talks", "hostile-test")
CHANGED = ("broken", "floods")      # for the second run
CLASS = {
    # name: (its mm/fault.c, its score or None, words of the row, words of its report)
    "solution": (solution(), 100, "", "Score: 100 of 100"),
    "mistaken": (readable_guard_pages(), None, "not kept: no-access", "rule:     PROT_NONE refuses every access"),
    "hangs": (that_does('for (;;)\n        asm volatile("");'), 0, "it does not come to its first program: it hangs", "it hangs: this step"),
    "halts": (that_does('asm volatile("cli; hlt");'), 0, "halted with interrupts off", "halted with interrupts off"),
    "resets": (that_does('static const char none[10];\n    asm volatile("lidt %0; int3" : : "m"(none));'), 0, "a triple fault", "was reset"),
    "circles": (that_does("if (vmf->flags != 77)\n        return FAULT_ZERO_PAGE;"), 0, "goes round in a circle", "is taken again and again"),
    "floods": (that_does(FLOOD), 0, "it floods a serial line", "more than"),
    "broken": ("int x = ;\n", 0, "it does not build: mm/fault.c:1:9: error: expected", "error: expected"),
    "includes-itself": ('#include "fault.c"\n', 0, "it does not build", "nested depth"),
    "build-talks": (solution() + 'asm(".rept 4000000\\n.print \\"all the work of a long night\\"\\n.endr");\n', 0,
                    "it does not build: the build wrote more than 64 megabytes", "the build wrote more than"),
    "build-grows": (solution() + 'asm(".data\\n.space 0x40000000, 1\\n.previous");\n', 0, "it does not build: ", "fault.c.o"),
    "hostile-test": (solution() + HOSTILE_TEST, None, "", "host-fault"),
}


def write_class(folder):
    place = folder.path("class")
    os.mkdir(place)
    if not os.environ.get("ALL"):
        for name in set(CLASS) - set(SHORT):
            del CLASS[name]
    for name, (code, *_) in CLASS.items():
        folder.submission(os.path.join("class", name), code)
    if Sandbox().wall.namespaces:
        CLASS["includes-ours"] = (f'#include "{ROOT}/{FAULT}"\n', 0, "it does not build", "No such file")
        folder.submission(os.path.join("class", "includes-ours"), CLASS["includes-ours"][0])
    os.mkdir(os.path.join(place, "=1+1"))
    os.mkdir(os.path.join(place, "two\nlines"))
    with open(os.path.join(place, "junk.zip"), "wb") as file:
        file.write(b"PK" + bytes(100))
    os.mkfifo(os.path.join(place, "fifo"))
    with tarfile.open(os.path.join(place, "linked.tar"), "w") as file:
        entry = tarfile.TarInfo(FAULT)
        entry.type, entry.linkname = tarfile.LNKTYPE, FAULT
        file.addfile(entry)
    return place


def read_scores(results):
    with open(os.path.join(results, "scores.csv"), encoding="utf-8", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(io.StringIO(file.read()))}


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8", errors="replace") as file:
        return file.read()


def check_scores(place, results):
    rows = read_scores(results)
    check_equal(len(rows), len(os.listdir(place)), "each submission has a row", list(rows))
    for name, (_, score, reason, report) in CLASS.items():
        row = rows.get(name, {"score": "none", "reason": ""})
        check(reason in row["reason"] and (score is None or row["score"] == str(score)), f"{name}: a score and the reason", row)
        check_contains(text_of(results, f"{name}.txt"), report, f"{name}: and a report")
    check(0 < int(rows["mistaken"]["score"]) < 100, "who makes one mistake has points for the rest", rows["mistaken"])
    check(int(rows["hostile-test"]["score"]) >= 90, "a hostile host test spoils nothing but itself", text_of(results, "hostile-test.txt"))
    for name, reason in (("'=1+1", "has none of the files"), ("two\nlines", "has none of the files"), ("junk.zip", "neither a tar nor a zip"),
                         ("fifo", "neither a folder nor a file"), ("linked.tar", "it does not")):
        row = rows.get(name, {"score": "none", "reason": ""})
        check(row["score"] == "0" and reason in row["reason"], f"{name!r}: 0 points and why", row)
    for name in CLASS:
        result = json.loads(text_of(results, f"{name}.json"))
        check(result["score"] == int(rows[name]["score"]) and result["extra_data"]["complete"], f"{name}: results.json agrees")


def stamps(results):
    return {name: os.lstat(os.path.join(results, name)).st_mtime_ns for name in os.listdir(results) if name.endswith(".txt")}


def check_restart(folder, place, results, command):
    """Two submissions change; the run that grades them is killed in the middle of the first, and started again."""
    before = stamps(results)
    for name in CHANGED:
        os.utime(os.path.join(place, name, FAULT))
    process = folder.start(*command)
    end = time.monotonic() + 200
    while time.monotonic() < end and all(stamps(results).get(f"{name}.txt") == before[f"{name}.txt"] for name in CHANGED):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    check(not folder.wait_for_end(60), "kill -9 of the run ends its graders", folder.processes())
    status, output, errors = folder.grade(*command)
    check_equal(status, FULL, "started again, it comes to its end", output, errors)
    again = sorted(name for name, when in stamps(results).items() if when != before[name])
    check_equal(again, [f"{name}.txt" for name in CHANGED], "and grades only what has changed")
    check_scores(place, results)


def main():
    need_unifdef("tools/grade --all")
    folder = Folder()
    try:
        place, results = write_class(folder), folder.path("results")
        command = ["--lab", "3", "--all", place, "--jobs", "2", "--results", results, "--seed", "11"]
        status, output, errors = folder.grade(*command, timeout=1500)
        check_equal(status, FULL, "a class is graded", output, errors)
        check_scores(place, results)
        folder.check_nothing_left("a class")
        check_restart(folder, place, results, command)
        folder.check_nothing_left("a run that was started again")
    finally:
        folder.close()
    done()


main()
