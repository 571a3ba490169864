"""The tree that submissions are graded in: built once, kept warm, and copied for each submission."""
import fcntl
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

from .words import Problem

MAKE_SECONDS = 900
# What shows parts of a solution and is no part of any build.
TELLING = re.compile(r"tests/labs/\d/(mutants|forgers)/")


class Pristine:
    """FILES are {path: bytes} of the tree at ROOT: what git tracks there as it is now, or as it was in COMMIT."""

    def __init__(self, root, commit=None):
        self.root, self.commit = root, commit
        self.files, self.executable = {}, set()
        if commit:
            self.read_commit(commit)
        else:
            self.read_folder()
        if "Makefile" not in self.files:
            raise Problem(f"{root} is no tree of zeropage: it has no Makefile")

    def git(self, *arguments):
        run = subprocess.run(["git", "-C", self.root, *arguments], capture_output=True, check=False)
        if run.returncode != 0:
            raise Problem(f"git can't read {self.root}: {run.stderr.decode(errors='replace').strip()}")
        return run.stdout

    def read_folder(self):
        listed = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
        for name in map(os.fsdecode, filter(None, listed)):
            path = os.path.join(self.root, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    self.files[name] = file.read()
                if os.access(path, os.X_OK):
                    self.executable.add(name)

    def read_commit(self, commit):
        listed = self.git("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")
        entries = [line.partition(b"\t") for line in filter(None, listed)]
        blobs = [(about.split(), os.fsdecode(name)) for about, _, name in entries]
        blobs = [(mode, blob, name) for (mode, kind, blob), name in blobs if kind == b"blob" and mode.startswith(b"100")]
        run = subprocess.run(["git", "-C", self.root, "cat-file", "--batch"], capture_output=True, check=False,
                             input=b"".join(blob + b"\n" for _, blob, _ in blobs))
        output, place = run.stdout, 0
        for mode, _, name in blobs:
            head, _, _ = output[place:place + 200].partition(b"\n")
            size = int(head.split()[2])
            place += len(head) + 1
            self.files[name] = output[place:place + size]
            place += size + 1
            if mode == b"100755":
                self.executable.add(name)

    # --- The warm tree ------------------------------------------------------------------------------------------

    def copy_built(self, folder, build, host_tests):
        """Copies the tree, built as BUILD says, to FOLDER."""
        with self.built(build, host_tests) as tree:
            self.copy(tree, folder, build.folder)

    @contextmanager
    def built(self, build, host_tests):
        """The built tree, for us alone. Building takes a minute the first time; later only what has changed is built again."""
        shelf = os.path.join(self.root, "build", "grade")
        os.makedirs(shelf, exist_ok=True)
        tree = os.path.join(shelf, "tree")
        with open(os.path.join(shelf, "lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.write(tree)
            make(tree, build, host_tests)
            yield tree

    def copy(self, tree, folder, built):
        """With the times, or all would be built again; without what was built in another way, which holds the solution."""
        names = [name for name in os.listdir(tree) if name == built or not name.startswith("build")]
        os.mkdir(folder)
        fast = ["--reflink=auto"] if sys.platform.startswith("linux") else []
        subprocess.run(["cp", "-Rp", *fast, *(os.path.join(tree, name) for name in names), folder], check=True)

    def write(self, folder):
        """Makes the files in FOLDER those of the tree; what is equal already keeps its time."""
        known = os.path.join(folder, ".files")
        files = {name: content for name, content in self.files.items() if not TELLING.match(name)}
        for name in read_list(known):
            if name not in files:
                remove(os.path.join(folder, name))
        for name, content in files.items():
            write_if_other(os.path.join(folder, name), content, 0o755 if name in self.executable else 0o644)
        write_if_other(known, "\0".join(sorted(files)).encode(), 0o644)


def read_list(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return list(filter(None, file.read().split("\0")))


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def write_if_other(path, content, mode):
    """Writes CONTENT to PATH unless it is there already. True: it was not."""
    try:
        with open(path, "rb") as file:
            if file.read() == content:
                return False
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    return True


def make(tree, build, host_tests):
    if not shutil.which("make"):
        raise Problem("make is not installed")
    run = subprocess.run(["make", "-C", tree, f"-j{os.cpu_count() or 1}", *build.options, *build.targets(host_tests)],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=MAKE_SECONDS, check=False,
                         env=make_environment())
    if run.returncode != 0:
        said = "\n".join((run.stderr or run.stdout).strip().split("\n")[-5:])
        raise Problem(f"the pristine tree can't be built:\n{said}")


def make_environment():
    """Without what a make around us would pass on, and without the person's own variables."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "TERM")
    return {name: os.environ[name] for name in kept if name in os.environ}
