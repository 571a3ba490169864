"""
The two sides of a lab's files. In the repository the regions that students write are marked with #if LAB != N; a student's
tree has only the starter's side of them, and stands for "not yet written" by a macro that needs -DLAB=N.
"""
import re
import subprocess

from .words import Problem

GUARD = re.compile(rb"^[ \t]*#[ \t]*(if|elif)[^\n]*\bLAB\b", re.MULTILINE)
TROUBLE = 2             # unifdef's status; 0 and 1 say whether anything was cut


def has_regions(content):
    """Is CONTENT (bytes) a file with both sides?"""
    return bool(GUARD.search(content))


def starter_side(content, number):
    """CONTENT as students of lab NUMBER get it."""
    if not has_regions(content):
        return content
    try:
        run = subprocess.run(["unifdef", f"-DLAB={number}"], input=content, capture_output=True, check=False)
    except FileNotFoundError:
        raise Problem("unifdef is not installed; tools/setup test installs it") from None
    if run.returncode >= TROUBLE:
        raise Problem(f"unifdef can't cut the regions of lab {number}: {run.stderr.decode(errors='replace').strip()}")
    return run.stdout


class Build:
    """
    How a tree is built: whole (with the solutions of the repository), or as the starter of a lab. PROGRAM is the lab's
    own, which its scenes play.
    """

    def __init__(self, starter_of=None, program="", programs=()):
        self.starter = starter_of is not None
        self.program = program
        self.folder = "build" if starter_of is None else f"build-lab{starter_of}"
        self.programs = list(programs)
        self.options = ["SETUP=no"] + ([] if starter_of is None else [f"LAB={starter_of}"])

    def targets(self, host_tests):
        return self.kernel_targets() + self.host_targets(host_tests)

    def host_targets(self, host_tests):
        return [f"{self.folder}/host/{name}_test" for name in host_tests]

    def kernel_targets(self):
        """What a boot needs."""
        programs = self.programs + ([f"labs/{self.program}"] if self.program else [])
        return [f"{self.folder}/{name}" for name in ["zeropage.elf", "archive.tar", *programs]]


def choose_build(lab, pristine, submission):
    """A student's tree knows its lab (the file LAB); else it depends on whether the submission has both sides."""
    if "LAB" in pristine.files or any(map(has_regions, submission.files.values())):
        return Build(program=lab.program, programs=lab.programs)
    if not any(has_regions(pristine.files[path]) for path in pristine.files if lab.permits(path)):
        return Build(program=lab.program, programs=lab.programs)
    return Build(starter_of=lab.number, program=lab.program, programs=lab.programs)
