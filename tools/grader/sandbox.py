"""
Runs what a submission could have a hand in (its build, its host tests, its kernel in QEMU) with as few rights as this machine
allows: no network, processes of its own, another user, and limits on time, memory and files.
"""
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

LIMITS = {"file": 512 << 20, "files": 512}
CPU_SECONDS = 240       # of the processor: a slow machine makes no difference to that
FIRST_USER, USERS = 61000, 4000


def limit(memory, cpu):
    """For the child before exec: the limits, MEMORY in bytes (0: none, for AddressSanitizer's shadow), CPU in seconds."""
    def apply():
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMITS["file"], LIMITS["file"]))
        resource.setrlimit(resource.RLIMIT_NOFILE, (LIMITS["files"], LIMITS["files"]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    return apply


class Sandbox:
    """WRAP(command) is the command as it is to be run. HOW says what it keeps apart, for the report."""

    def __init__(self):
        self.user = FIRST_USER + os.getpid() % USERS if is_root() else None
        self.how, self.prefix = self.find()

    def find(self):
        """The strictest wall that works here."""
        namespaces = ["unshare", "--net", "--pid", "--fork", "--kill-child=KILL"]
        if self.user is not None:
            drop = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--no-new-privs",
                    "--bounding-set=-all", "--pdeathsig=KILL"]
            choices = [("another user, no network, processes of its own", namespaces + ["--mount-proc"] + drop),
                       ("another user", drop)]
        else:
            choices = [("no network, processes of its own", namespaces + ["--user", "--map-current-user"])]
        for how, prefix in choices:
            if shutil.which(prefix[0]) and runs([*prefix, "true"]):
                return how, prefix
        self.user = None
        return "limits only: this machine lets the grader put up no wall", []

    def wrap(self, command):
        return [*self.prefix, *command]

    def folder(self, parent=None):
        """A fresh folder that belongs to the sandbox's user."""
        folder = tempfile.mkdtemp(prefix="zeropage-grade-", dir=parent)
        self.own(folder)
        return folder

    def own(self, *paths):
        if self.user is not None:
            for path in paths:
                os.lchown(path, self.user, self.user)

    def own_tree(self, top):
        if self.user is not None:
            subprocess.run(["chown", "-hR", f"{self.user}:{self.user}", top], check=True)

    def run(self, command, *, cwd, timeout, cpu=CPU_SECONDS, memory=0, environment=None):
        """(status, output): status None when the TIMEOUT (seconds) was over; output is the last 256 KiB of both streams."""
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(self.wrap(command), cwd=cwd, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True, env=environment,
                                       preexec_fn=limit(memory, cpu))
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                end_group(process)
            size = output.seek(0, os.SEEK_END)
            output.seek(max(0, size - (256 << 10)))
            return status, output.read().decode(errors="replace")


def end_group(process):
    """Ends what PROCESS has left behind in its session; in a PID namespace nothing else can be left."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def is_root():
    return sys.platform.startswith("linux") and os.geteuid() == 0


def runs(command):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
