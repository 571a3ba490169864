"""A submission's own copy of the pristine tree: its files laid over the starter's, built in the sandbox."""
import os
import re
import shutil
import time

from .pristine import make_environment, write_if_other
from .starter import choose_build, starter_side
from .words import plural

BUILD_SECONDS, BUILD_MEMORY = 400, 4 << 30
SHOWN_ERRORS = 6
ERROR = re.compile(r"(^|: )(fatal )?error: |undefined reference|multiple definition|\*\*\*|Error \d|: warning: .*treated as")


class Workspace:
    """FOLDER is temporary and belongs to the sandbox's user; close() removes it."""

    def __init__(self, lab, pristine, submission, sandbox):
        self.lab, self.pristine, self.sandbox = lab, pristine, sandbox
        self.build = choose_build(lab, pristine, submission)
        self.host_tests = sorted({check.run for check in lab.checks if check.kind == "host"})
        self.folder = sandbox.folder()
        self.tree = os.path.join(self.folder, "tree")
        try:
            pristine.copy_built(self.tree, self.build, self.host_tests)
            self.lay_over(submission)
            sandbox.own_tree(self.folder)
        except BaseException:
            self.close()
            raise

    def lay_over(self, submission):
        """Makes the lab's files those of SUBMISSION; what it does not bring is the starter's."""
        whole = not self.build.starter and "LAB" not in self.pristine.files
        for path, content in self.pristine.files.items():
            if self.lab.permits(path) and path not in submission.files:
                self.write(path, content if whole else starter_side(content, self.lab.number))
        for path, content in submission.files.items():
            self.write(path, content)

    def write(self, path, content):
        # make compares times, and a copy made within the same tick of the clock would look as old as its object.
        place = os.path.join(self.tree, path)
        if write_if_other(place, content, 0o644):
            later = time.time_ns() + 10_000_000
            os.utime(place, ns=(later, later))
            self.sandbox.own(place)

    def path(self, name):
        return os.path.join(self.tree, self.build.folder, name)

    def make(self, targets):
        """None when they are built, else why not: the compiler's first errors."""
        command = ["make", f"-j{os.cpu_count() or 1}", *self.build.options, *targets]
        environment = dict(make_environment(), TMPDIR=self.folder, HOME=self.folder, LC_ALL="C")
        status, output = self.sandbox.run(command, cwd=self.tree, timeout=BUILD_SECONDS, memory=BUILD_MEMORY,
                                          environment=environment)
        if status == 0:
            return None
        if status is None:
            return f"the build was not over after {plural(BUILD_SECONDS, 'second')}"
        errors = [line for line in output.split("\n") if ERROR.search(line)] or output.strip().split("\n")[-SHOWN_ERRORS:]
        return "\n".join(line.replace(self.tree + "/", "") for line in errors[:SHOWN_ERRORS])

    def build_kernel(self):
        return self.make(self.build.targets([]))

    def build_host_tests(self, names):
        return self.make(self.build.targets(names)[2:])

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
