"""What the tests of the timeline share: a pretended kernel's journal, and calls of tools/timeline."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from tap import ROOT  # noqa: E402
sys.path.insert(0, HERE)
from pretended_kernel import Kernel  # noqa: E402

TOOL = os.path.join(ROOT, "tools", "timeline")


class Folder(tempfile.TemporaryDirectory):
    """A folder that goes when the test ends."""

    def __init__(self):
        super().__init__(prefix="zeropage-timeline-")

    def path(self, name):
        return os.path.join(self.name, name)

    def write(self, name, text):
        with open(self.path(name), "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()


def pretended(events, seed=1):
    """(the journal's lines, the state that it ends in)"""
    lines = []
    kernel = Kernel(events, seed, lines.append)
    kernel.run()
    return lines, kernel.state()


def timeline(*words, **options):
    """Runs tools/timeline: (status, standard error)."""
    run = subprocess.run([TOOL, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)
    return run.returncode, run.stderr


def page_state(page, what=None):
    """The state that the page's replay finds at event WHAT (the last one)."""
    words = ["node", os.path.join(HERE, "page_state.js"), page] + ([str(what)] if what is not None else [])
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    return json.loads(run.stdout)
