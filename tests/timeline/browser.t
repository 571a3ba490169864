#!/usr/bin/env python3
"""
The page in a real browser: stepping, links, filters, search, hovering, and the state that it shows at the last event.
TIMELINE_EVENTS=1000000 in the environment makes the long journal as long as that; TIMELINE_JOURNAL=FILE takes that one.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from helper import Folder, pretended, timeline  # noqa: E402
from tap import done, skip  # noqa: E402

RULE = "the page works in a real browser"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LONG = int(os.environ.get("TIMELINE_EVENTS", "100000"))


def missing():
    if not shutil.which("node"):
        return "skipped: no node (make setup-viewer installs it)"
    if not any(shutil.which(name) for name in BROWSERS):
        return "skipped: no Chromium (make setup-viewer installs it)"
    if not os.path.isdir(os.path.join(HERE, "node_modules", "playwright-core")):
        return "skipped: no playwright-core (make setup-viewer installs it)"
    return None


def named_frames(event):
    entries = [event.get(name) for name in ("pte_before", "pte_after", "before", "after")]
    return {entry["frame"] for entry in entries if entry} | ({event["frame"]} if "level" in event or "order" in event else set())


def main():
    if reason := missing():
        skip(RULE, reason)
        done()
    folder = Folder()
    lines, state = pretended(3000)
    folder.write("events", "".join(lines))
    folder.write("cut", "".join(lines[:200]) + lines[200][:-5])
    folder.write("faults", "".join(line for line in lines if '"event":"fault"' in line or "journal" in line))
    if "TIMELINE_JOURNAL" in os.environ:
        os.symlink(os.path.abspath(os.environ["TIMELINE_JOURNAL"]), folder.path("long"))
    else:
        folder.write("long", "".join(pretended(LONG)[0]))
    for name in ("events", "cut", "faults", "long"):
        timeline(folder.path(name), "-o", folder.path(f"{name}.html"))
    events = [json.loads(line) for line in lines[1:]]
    frame = next(event["frame"] for event in events[1500:] if event["event"] == "fault" and event["outcome"] == "new_page")
    expected = {
        "browser": next(path for path in map(shutil.which, BROWSERS) if path), "folder": folder.name,
        "events": [[event["seq"], event["pid"], event["event"]] for event in events], "state": state,
        "frame": frame, "frameEvents": sum(frame in named_frames(event) for event in events),
    }
    folder.write("expected.json", json.dumps(expected))
    with tempfile.TemporaryDirectory(prefix="zeropage-browser-") as home:
        environment = dict(os.environ, HOME=home)
        result = subprocess.run(["node", os.path.join(HERE, "browser.mjs"), folder.path("expected.json")], env=environment,
                                check=False)
    folder.cleanup()
    sys.exit(result.returncode)


main()
