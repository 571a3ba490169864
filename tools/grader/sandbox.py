"""
Runs what a submission could have a hand in (its build, its host tests, its kernel in QEMU) behind the strictest wall that this
machine allows, and with limits on time, memory, processes and files everywhere.
"""
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import qemu

from . import processes
from .words import Problem, plural

FILE_SIZE, OPEN_FILES = 64 << 20, 512
CPU_SECONDS = 60        # of the processor, for one process: a busy machine makes no difference to that
MEMORY, PROCESSES, TEMPORARY_MEGABYTES = 3 << 30, 256, 256
KEPT_OUTPUT = 256 << 10
LOOK = 0.1              # seconds between two looks at what is used
END_SECONDS = 10
FIRST_USER, USERS = 61000, 2000
WALL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wall.sh")
NAMESPACES = ["unshare", "--net", "--pid", "--ipc", "--mount", "--fork", "--kill-child=KILL"]
# The first process of the namespaces: signals would not end the command itself in its place.
FIRST = ["sh", "-c", '"$@"; exit $?', "sh"]
DROP = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--pdeathsig=KILL"]
# A folder that has one of these belongs to what is needed, wherever it lies.
TOOLS = ("make", "gcc", "x86_64-linux-gnu-gcc", "x86_64-elf-gcc", "ld", "nasm", "python3", "tar", "qemu-system-x86_64")
SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib", "/nix/", "/gnu/")


@dataclass(frozen=True)
class Wall:
    """What keeps a submission away from this machine. HOW says it to a person."""
    name: str
    how: str
    root: bool              # can only root put it up?
    namespaces: bool
    user: bool              # is there another user for it?


WALLS = (
    Wall("namespaces", "another user, without network, with folders and processes of its own", True, True, True),
    Wall("namespaces", "without network, with folders and processes of its own", False, True, False),
    Wall("user", "another user, without namespaces: nobody keeps from it what others may read here", True, False, True),
    Wall("none", "limits only, without namespaces and without another user", False, False, False),
)


@dataclass
class Outcome:
    """How a command ended. ENDED is the end of a sentence when we ended it; OUTPUT is the last of what it said."""
    status: int
    output: str
    ended: str = ""


class Sandbox:
    """HIDDEN are folders that nothing in it may see, if there is a choice. ONLY is the name of the wall to be used."""

    def __init__(self, hidden=(), only=None):
        self.hidden = [os.path.realpath(path) for path in hidden]
        self.tools = tool_folders(self.hidden)
        self.user = FIRST_USER + 2 * (os.getpid() % USERS)
        choices = [wall for wall in WALLS if only in (None, wall.name) and (not wall.root or is_root())]
        self.wall = next((wall for wall in choices if self.runs(wall)), None)
        if not self.wall:
            raise Problem(f"this machine can't put up the wall \"{only}\"")
        if not self.wall.namespaces:
            processes.adopt_orphans()

    def runs(self, wall):
        self.wall = wall
        try:
            return subprocess.run(self.wrap(["true"], cwd="/"), stdin=subprocess.DEVNULL, capture_output=True, timeout=20,
                                  check=False).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    def wrap(self, command, *, cwd, readable=(), writable=(), machine=False):
        """COMMAND as it is to be run. MACHINE: by the user who runs emulators, and not by the one for builds and tests."""
        drop = list(DROP)
        if self.wall.user:
            user = self.user + machine
            drop += [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        if not self.wall.namespaces:
            return ["setpriv", *drop, "--", *command] if self.wall.user else list(command)
        maps = [] if self.wall.root else ["--user", "--map-root-user"]
        return [*NAMESPACES, *maps, WALL, str(TEMPORARY_MEGABYTES), str(PROCESSES), cwd, *self.hidden, "--",
                *self.tools, *readable, "--", *writable, "--", *drop, "--", *FIRST, *command]

    def temporary(self, folder):
        """Where temporary files go: FOLDER, unless there is something that can't fill the disc."""
        return "/tmp" if self.wall.namespaces else folder

    # --- Whose files these are --------------------------------------------------------------------------------------

    def own(self, *paths, machine=False):
        if self.wall.user:
            for path in paths:
                os.lchown(path, self.user + machine, self.user + machine)

    def own_tree(self, top):
        if self.wall.user:
            subprocess.run(["chown", "-hR", f"{self.user}:{self.user}", top], check=True)

    def seal(self, top):
        """Takes TOP away from the sandbox's user, who can read it still."""
        if self.wall.user:
            subprocess.run(["chown", "-hR", "0:0", top], check=True)
            subprocess.run(["chmod", "-R", "a+rX,go-w", top], check=True)

    # --- Running ------------------------------------------------------------------------------------------------------

    def run(self, command, *, cwd, timeout, cpu=CPU_SECONDS, memory=0, environment=None, readable=(), writable=()):
        """The Outcome of COMMAND. TIMEOUT in seconds; MEMORY in bytes for each process (0: none but for all together)."""
        kept = processes.children(os.getpid())
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(self.wrap(command, cwd=cwd, readable=readable, writable=writable), cwd=cwd,
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True, env=environment, preexec_fn=limit(memory, cpu, self.processes()))
            try:
                ended = self.watch(process, kept, timeout)
            finally:
                self.end(process, kept)
            size = output.seek(0, os.SEEK_END)
            if size >= FILE_SIZE:
                ended = f"wrote more than {plural(FILE_SIZE >> 20, 'megabyte')}"
            output.seek(max(0, size - KEPT_OUTPUT))
            return Outcome(process.returncode, output.read().decode(errors="replace"), ended)

    def watch(self, process, kept, timeout):
        """Waits for the end of PROCESS; why it has to be ended, if it has."""
        end = time.monotonic() + timeout
        while True:
            try:
                process.wait(LOOK)
                return ""
            except subprocess.TimeoutExpired:
                pass
            if time.monotonic() > end:
                return f"was not over after {plural(timeout, 'second')}"
            if processes.memory(self.members(process, kept)) > MEMORY:
                return f"took more than {MEMORY >> 20:,} megabytes of memory"

    def processes(self):
        """How many processes a user may have who has some already; in namespaces the wall sees to it."""
        if self.wall.namespaces or not processes.parents():
            return None
        return PROCESSES + (0 if self.wall.user else processes.count_of_user(os.getuid()))

    def members(self, process, kept):
        if self.wall.namespaces:
            return processes.below([process.pid])
        return processes.below(set(processes.children(os.getpid())) - set(kept))

    def end(self, process, kept):
        """Ends all that is left of PROCESS and of what it has started."""
        if self.wall.namespaces:
            # Without its first process a PID namespace is empty, and unshare waits until it is.
            for first in processes.children(process.pid):
                processes.kill(first)
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        processes.kill_group(process.pid)
        if self.wall.user and not self.wall.namespaces:
            processes.kill_user(self.user)
        process.wait()
        if not self.wall.namespaces:
            processes.end_children_but(kept)


def limit(memory, cpu, count):
    """For the child before exec: the limits, MEMORY in bytes (0: none, for AddressSanitizer's shadow), CPU in seconds."""
    def apply():
        qemu.die_with_parent()
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if count:
            _, most = resource.getrlimit(resource.RLIMIT_NPROC)
            count_allowed = count if most == resource.RLIM_INFINITY else min(count, most)
            resource.setrlimit(resource.RLIMIT_NPROC, (count_allowed, count_allowed))
    return apply


def tool_folders(hidden):
    """Where tools lie that are not among the system's, as ~/cross of ~/cross/bin/x86_64-elf-gcc."""
    found = set()
    for name in TOOLS:
        path = os.path.realpath(shutil.which(name) or "/usr/bin/true")
        prefix = os.path.dirname(os.path.dirname(path))
        if not path.startswith(SYSTEM) and prefix != "/" and not any((place + "/").startswith(prefix + "/") for place in hidden):
            found.add(prefix)
    return sorted(found)


def is_root():
    return sys.platform.startswith("linux") and os.geteuid() == 0
