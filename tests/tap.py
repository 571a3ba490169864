"""The few words that a test in Python needs to speak TAP. A check is named after the rule that it checks."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tools"))

count = failed = 0


def check(holds, rule, *details):
    """One test. When it fails, DETAILS (sentences, bytes, anything) tell what was seen; prove shows them."""
    global count, failed
    count += 1
    print(f"{'ok' if holds else 'not ok'} {count} - {rule}", flush=True)
    if not holds:
        failed += 1
        note(f"failed: {rule}", *details)
    return holds


def check_equal(got, expected, rule, *details):
    return check(got == expected, rule, f"expected {shorten(expected)}", f"got      {shorten(got)}", *details)


def check_contains(text, wanted, rule):
    return check(wanted in text, rule, f"expected to find {wanted!r} in", text)


def skip(rule, reason):
    global count
    count += 1
    print(f"ok {count} - {rule} # SKIP {reason}", flush=True)


def note(*details):
    """Says something that a person sees even when prove is quiet."""
    for detail in details:
        if isinstance(detail, bytes):
            detail = detail.decode(errors="replace")
        for line in str(detail).splitlines():
            print(f"#   {line}", file=sys.stderr, flush=True)


def shorten(value, limit=2000):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(value)} in all)"


def children_of(pid):
    """The process ids of PID's children."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def done():
    print(f"1..{count}", flush=True)
    sys.exit(1 if failed else 0)
