"""A submission's own copy of the pristine tree: its files laid over the starter's, built in the sandbox."""
import os
import re
import shutil
import time

from .pristine import make_environment, remove, write_if_other
from .scratch import Scratch
from .starter import choose_build, starter_side

BUILD_SECONDS, BUILD_MEMORY = 400, 4 << 30
SHOWN_ERRORS, ERROR_WIDTH = 6, 400
ERROR = re.compile(r"(^|: )(fatal )?error: |undefined reference|multiple definition|\*\*\*|out of memory|exhausted|[Ff]ile (size|too)|Error \d|: warning: .*treated as")


class Workspace:
    """FOLDER is temporary; close() removes it. TREE in it belongs to the sandbox's user until it is sealed."""

    def __init__(self, lab, pristine, submission, sandbox):
        self.lab, self.pristine, self.sandbox = lab, pristine, sandbox
        self.build = choose_build(lab, pristine, submission)
        self.host_tests = lab.host_tests
        self.scratch = Scratch()
        self.folder = self.scratch.path
        self.tree, self.temporary = os.path.join(self.folder, "tree"), os.path.join(self.folder, "tmp")
        self.sealed, self.not_built = False, {}
        self.handed_out = os.path.join(self.folder, "handed-out.elf")   # the kernel without what is submitted
        self.submission = submission
        try:
            os.chmod(self.folder, 0o711)
            os.mkdir(self.temporary)
            sandbox.own(self.temporary)
            pristine.copy_built(self.tree, self.build, self.host_tests)
            if lab.is_compared:
                shutil.copy(self.path("zeropage.elf"), self.handed_out)
            self.lay_over(submission)
            sandbox.own_tree(self.tree)
        except BaseException:
            self.close()
            raise

    def lay_over(self, submission):
        """Makes the lab's files those of SUBMISSION; what it does not bring is the starter's."""
        if self.sealed:
            self.sandbox.own_tree(self.tree)
        self.sealed = False
        for path in self.submission.files:
            if path not in self.pristine.files and path not in submission.files:
                remove(os.path.join(self.tree, path))       # what another submission brought
        self.submission = submission
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

    def programs(self):
        """{path in the guest: bytes} of the lab's own programs."""
        found = {}
        for name in self.lab.programs:
            with open(self.path(name), "rb") as file:
                found["tests/" + os.path.basename(name)] = file.read()
        return found

    def make(self, targets):
        """None when they are built, else why not: the compiler's first errors."""
        command = ["make", f"-j{os.cpu_count() or 1}", *self.build.options, *targets]
        temporary = self.sandbox.temporary(self.temporary)
        environment = dict(make_environment(), TMPDIR=temporary, HOME=temporary, LC_ALL="C")
        outcome = self.sandbox.run(command, cwd=self.tree, timeout=BUILD_SECONDS, memory=BUILD_MEMORY,
                                   environment=environment, writable=[self.tree, self.temporary])
        if outcome.ended:
            return f"the build {outcome.ended}"
        if outcome.status == 0:
            return None
        lines = outcome.output.split("\n")
        errors = [line for line in lines if ERROR.search(line)] or outcome.output.strip().split("\n")[-SHOWN_ERRORS:]
        return "\n".join(line.replace(self.tree + "/", "")[:ERROR_WIDTH] for line in errors[:SHOWN_ERRORS])

    def build_kernel(self):
        return self.make(self.build.kernel_targets())

    def build_host_tests(self, names):
        """Builds them all before the first one runs: then the tree is sealed, and none can change what is still to be used."""
        targets = dict(zip(names, self.build.host_targets(names)))
        self.not_built = {}
        if self.make(["--keep-going", *targets.values()]):
            reasons = {name: self.make([target]) for name, target in targets.items()}
            self.not_built = {name: reason for name, reason in reasons.items() if reason}
        self.sandbox.seal(self.tree)
        self.sealed = True

    def close(self):
        self.scratch.close()
