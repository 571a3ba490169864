"""Everything that knows QEMU's command line: used by tools/run, tools/boot and the tests."""
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EMULATOR = "qemu-system-x86_64"
FIRMWARES = ("direct", "bios", "uefi")

# What the exit device makes of the kernel's word (kernel/dev/power.h): all is well, the audit found something, panic.
POWERED_OFF, AUDIT_FINDINGS, PANICKED = 33, 35, 37

# One file that -bios takes, or the pair (code, variables) that goes into two flash chips.
UEFI_IMAGES = (
    ("/usr/share/ovmf/OVMF.fd",),
    ("/usr/share/edk2/x64/OVMF.4m.fd",),
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ("/opt/homebrew/share/qemu/edk2-x86_64-code.fd", "/opt/homebrew/share/qemu/edk2-i386-vars.fd"),
    ("/usr/local/share/qemu/edk2-x86_64-code.fd", "/usr/local/share/qemu/edk2-i386-vars.fd"),
)


class Unavailable(Exception):
    """The machine can't be started: something is missing. The text is a sentence for the person."""


def uefi_arguments():
    for image in UEFI_IMAGES:
        if all(os.path.exists(part) for part in image):
            if len(image) == 1:
                return ["-bios", image[0]]
            return ["-drive", f"if=pflash,format=raw,readonly=on,file={image[0]}",
                    "-drive", f"if=pflash,format=raw,snapshot=on,file={image[1]}"]
    raise Unavailable("there is no UEFI firmware (OVMF) on this machine; tools/setup run installs it")


def command_line(*, kernel=None, archive=None, append="", iso=None, firmware="direct", memory="256M",
                 icount=False, cpu=None, console=("null",), messages=("null",), events=None,
                 exit_device=True, debugger=None, replay=None, display="none", extra=()):
    """
    The command that starts a machine. Direct: KERNEL, ARCHIVE and the kernel's command line APPEND; else ISO.
    CONSOLE and MESSAGES are the backends (with their options) of COM1 and COM2; EVENTS is the path that the
    journal goes to. Without EXIT_DEVICE the guest's power-off ends QEMU with status 0 instead of POWERED_OFF.
    DISPLAY is QEMU's word for the window, if there is to be one.
    DEBUGGER is where a GDB is to be ("stdio", "tcp:HOST:PORT"): the machine then waits for its word to start.
    REPLAY is ("record" or "replay", LOG, IMAGE): the run is written down, or run once more (tools/recording.py).
    """
    if shutil.which(EMULATOR) is None:
        raise Unavailable(f"{EMULATOR} is not installed; tools/setup run installs it")
    # Under --icount the model without ERMS, so that clearing a page always counts the same (rep stosq).
    cpu = cpu or ("qemu64" if icount else "max")
    command = [EMULATOR, "-machine", "q35", "-accel", "tcg", "-cpu", cpu, "-m", memory,
               "-nodefaults", "-display", display, "-no-reboot"]
    if icount:
        command += ["-icount", "shift=0,sleep=off"]
    if firmware == "direct":
        command += ["-kernel", escape(kernel), "-append", append]
        if archive:
            command += ["-initrd", escape(archive)]
    else:
        if firmware == "uefi":
            command += uefi_arguments()
        command += ["-cdrom", iso]
    command += ["-chardev", ",".join((console[0], "id=console") + tuple(console[1:])), "-serial", "chardev:console"]
    command += ["-chardev", ",".join((messages[0], "id=messages") + tuple(messages[1:])),
                "-serial", "chardev:messages"]
    if events:
        command += ["-chardev", f"file,id=events,path={escape(events)}",
                    "-device", "isa-debugcon,iobase=0xe9,chardev=events"]
    if exit_device:
        command += ["-device", "isa-debug-exit,iobase=0x501,iosize=0x02"]
    if debugger:
        command += ["-S", "-gdb", debugger]
    if replay:
        command += replay_arguments(*replay)
    return command + list(extra)


def replay_arguments(mode, log, image):
    """
    LOG gets what comes from outside the machine, the disc image IMAGE the snapshots from which QEMU goes back. With
    the APIC's help for Windows guests (kvmvapic), loading a snapshot ends in a deadlock of QEMU 7.2's threads.
    """
    return ["-net", "none", "-global", "apic-common.vapic=off",
            "-icount", f"shift=3,rr={mode},rrfile={escape(log)},rrsnapshot=start",
            "-drive", f"if=none,id=snapshots,file={escape(image)}"]


def window():
    """The kind of window that QEMU can open here, for -display."""
    if not sys.platform.startswith("darwin") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise Unavailable("there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set); "
                          "make run does without")
    if shutil.which(EMULATOR) is None:
        raise Unavailable(f"{EMULATOR} is not installed; tools/setup run installs it")
    kinds = subprocess.run([EMULATOR, "-display", "help"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
    for kind in ("cocoa", "gtk", "sdl"):
        if kind in kinds:
            return kind
    raise Unavailable(f"this {EMULATOR} can't open windows; tools/setup window installs what it lacks")


def escape(path):
    """QEMU separates options (and modules) by commas; a comma in a path is doubled."""
    return path.replace(",", ",,")


def die_with_parent(number=signal.SIGKILL):
    """Called in the child before exec: the system sends it the signal NUMBER when its parent is gone, however that happened."""
    if not sys.platform.startswith("linux"):
        return
    parent_death_signal = 1     # PR_SET_PDEATHSIG of <linux/prctl.h>
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(parent_death_signal, number, 0, 0, 0)
    if os.getppid() == 1 and PARENT != 1:
        os._exit(1)


PARENT = os.getpid()
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REMOVAL_LIMIT, REMOVAL_PAUSE = 20, 0.1      # seconds


@contextmanager
def scratch_folder(prefix):
    """A folder that is gone afterwards, also when this process is killed: a second one waits for its end."""
    # A Ctrl-C that comes now is for both, and has to wait until the second one can't hear it.
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    folder = tempfile.mkdtemp(prefix=prefix)
    waits_for_end, held = os.pipe()
    watcher = os.fork()
    if watcher == 0:
        os.close(held)
        remove_when_alone(folder, waits_for_end)
    os.close(waits_for_end)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
        yield folder
    finally:
        os.close(held)
        os.waitpid(watcher, 0)
        remove(folder)      # in case that somebody has killed the watcher


def remove(folder):
    """Those whom we have started may still be dying, and write meanwhile: a folder that fills again is emptied again."""
    end = time.monotonic() + REMOVAL_LIMIT
    while os.path.isdir(folder) and time.monotonic() < end:
        shutil.rmtree(folder, ignore_errors=True)
        if os.path.isdir(folder):
            time.sleep(REMOVAL_PAUSE)


def remove_when_alone(folder, waits_for_end):
    """In the watcher: nobody writes into the pipe, so its end is the end of all who hold it."""
    try:
        os.setsid()
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        os.read(waits_for_end, 1)
        remove(folder)
    finally:
        os._exit(0)


class Machine:
    """
    A running emulator, as a context manager; leaving it, by whatever way, ends the emulator.
    ON_CONSOLE and ON_MESSAGES are called with the bytes of COM1 and COM2 as they come.
    """

    def __init__(self, on_console, on_messages, **options):
        self.on_console, self.on_messages = on_console, on_messages
        self.options = options
        self.process = None
        self.folder = None
        self.messages = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="zeropage-")
        try:
            fifo = os.path.join(self.folder, "messages")
            os.mkfifo(fifo)
            self.messages = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            command = command_line(console=("stdio", "signal=off"), messages=("file", f"path={escape(fifo)}"),
                                   **self.options)
            # A session of its own: Ctrl-C in the terminal reaches us, and we end the emulator.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=subprocess.PIPE, start_new_session=True,
                                            preexec_fn=die_with_parent)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process.stderr.close()
        if self.messages is not None:
            os.close(self.messages)
            self.messages = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, timeout):
        """
        Passes on what the machine says until it ends. Returns (QEMU's exit status, its error output); the
        status is None when TIMEOUT (seconds; None: no limit) was over first, and the machine is ended then.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        errors = bytearray()
        sinks = {self.process.stdout.fileno(): self.on_console, self.messages: self.on_messages,
                 self.process.stderr.fileno(): errors.extend}
        # The messages' pipe ends only with QEMU, the other two may be closed earlier by it: both are waited for.
        open_ends = {self.process.stdout.fileno(), self.process.stderr.fileno()}
        while open_ends:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                self.process.kill()
                self.process.wait()
                self.drain(sinks)
                return None, bytes(errors)
            ready, _, _ = select.select(list(sinks), [], [], left)
            for descriptor in ready:
                data = os.read(descriptor, 65536)
                if data:
                    sinks[descriptor](data)
                elif descriptor in open_ends:
                    open_ends.remove(descriptor)
                    del sinks[descriptor]
                elif self.process.poll() is not None:
                    del sinks[descriptor]
                else:
                    time.sleep(0.005)   # QEMU has not opened its end yet, or has just closed it
        status = self.process.wait()
        self.drain(sinks)
        return status, bytes(errors)

    def drain(self, sinks):
        """Passes on what is still in the pipes after the end of the process."""
        for descriptor, sink in sinks.items():
            while select.select([descriptor], [], [], 0)[0]:
                data = os.read(descriptor, 65536)
                if not data:
                    break
                sink(data)


def make_iso(output, kernel, archive, config):
    """Makes an ISO by tools/iso; says why when that fails."""
    tool = subprocess.Popen([os.path.join(ROOT, "tools", "iso"), output, kernel, archive, config],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            env=dict(os.environ, TMPDIR=os.path.dirname(output)))
    try:
        _, errors = tool.communicate()
    except BaseException:
        tool.terminate()
        tool.wait()
        raise
    if tool.returncode != 0:
        raise Unavailable(f"the ISO could not be made:\n{errors.strip()}")


def grub_quote(text):
    """TEXT as one word of GRUB's language."""
    return "'" + text.replace("'", "'\\''") + "'"
