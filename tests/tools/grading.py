"""What the tests of tools/grade share: submissions of lab 3, and a look at what a grader has left behind."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check_equal, done, skip  # noqa: E402

GRADE = os.path.join(ROOT, "tools", "grade")
FAULT = "mm/fault.c"
FIRST = "read-maps-the-zero-frame"
BEFORE = "static inline enum fault_outcome do_anonymous_page(struct vm_fault *vmf)\n{\n"
FULL, LOST, WRONG = 0, 1, 2


def need_unifdef(title):
    if shutil.which("unifdef") is None:
        skip(title, "unifdef is not installed (tools/setup labs)")
        done()


def solution():
    with open(os.path.join(ROOT, FAULT), encoding="utf-8") as file:
        return file.read()


def that_does(statement, code=None):
    """A solution whose first fault executes STATEMENT."""
    code = code or solution()
    assert BEFORE in code
    return code.replace(BEFORE, BEFORE + "    " + statement + "\n")


def writable_zero_frame():
    code = solution()
    assert "zero_pfn, vm_get_page_prot" in code
    return code.replace("zero_pfn, vm_get_page_prot", "zero_pfn, vm_get_own_page_prot")


def readable_guard_pages():
    """Costs the check no-access and little else."""
    code = solution()
    assert "return !(vma->vm_flags & VM_ACCESS_FLAGS);" in code
    return code.replace("return !(vma->vm_flags & VM_ACCESS_FLAGS);", "return false;")


class Folder:
    """A folder for submissions and results; graders that are given its ENVIRONMENT have their temporary files in TEMPORARY."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="zeropage-test-grade-")
        self.temporary = self.path("tmp")
        os.mkdir(self.temporary)
        os.chmod(self.top, 0o755)
        os.chmod(self.temporary, 0o1777)
        self.environment = dict(os.environ, TMPDIR=self.temporary)

    def path(self, *names):
        return os.path.join(self.top, *names)

    def submission(self, name, text):
        place = self.path(name)
        os.makedirs(os.path.join(place, "mm"))
        with open(os.path.join(place, FAULT), "w", encoding="utf-8") as file:
            file.write(text)
        return place

    def grade(self, *arguments, timeout=400):
        run = subprocess.run([GRADE, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                             check=False, env=self.environment)
        return run.returncode, run.stdout, run.stderr

    def start(self, *arguments, program=GRADE):
        return subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, env=self.environment)

    def processes(self):
        """Those of our graders and of what they have started: they know where temporary files go."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if self.temporary.encode() in file.read():
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def wait_for_end(self, seconds=20):
        end = time.monotonic() + seconds
        while self.processes() and time.monotonic() < end:
            time.sleep(0.05)
        return self.processes()

    def check_nothing_left(self, what):
        check_equal((self.wait_for_end(), os.listdir(self.temporary)), ([], []), f"{what} leaves no process and no folder behind")

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)
