"""A machine of Bochs's: another implementation of the processor and of everything around it (tests/boot/bochs.t)."""
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import time
import tty

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD  # noqa: E402
import qemu  # noqa: E402
import vt  # noqa: E402

KERNEL, ARCHIVE = os.path.join(BUILD, "zeropage.elf"), os.path.join(BUILD, "archive.tar")
CPU = "corei7_icelake_u"    # the first of Bochs's with SMEP, SMAP, UMIP and NX
ROMS = ("/usr/share/bochs", "/usr/local/share/bochs", "/opt/homebrew/share/bochs")
POWERED_OFF = "ACPI control: soft power off"    # in Bochs's log
ROWS, COLUMNS = 30, 90      # more than the 25 by 80 of VGA text mode

CONFIGURATION = """
config_interface: textconfig
display_library: term
memory: guest={memory}, host={memory}
romimage: file={roms}/BIOS-bochs-latest
vgaromimage: file={roms}/VGABIOS-lgpl-latest
# The terminal shows text modes only.
vga: extension=none
cpu: model={cpu}, ips=50000000, reset_on_triple_fault=0
clock: sync=none
ata0-master: type=cdrom, path="{iso}", status=inserted
boot: cdrom
com1: enabled=1, mode={console_mode}, dev="{console}"
com2: enabled=1, mode=file, dev="{messages}"
speaker: enabled=0
sound: waveoutdrv=dummy
log: "{log}"
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
"""


def missing():
    """A sentence on what is missing to use Bochs; None when all is there."""
    if not shutil.which("bochs"):
        return "bochs is not installed (tools/setup bochs)"
    if not roms():
        return "Bochs's BIOS and VGA BIOS are not installed (tools/setup bochs)"
    kinds = subprocess.run(["bochs", "--help", "cpu"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False).stdout
    return None if CPU in kinds else f"this bochs has no processor {CPU}"


def roms():
    files = ("BIOS-bochs-latest", "VGABIOS-lgpl-latest")
    return next((folder for folder in ROMS if all(os.path.exists(os.path.join(folder, file)) for file in files)), None)


def iso_of_run(folder, arguments, options, programs=()):
    """An ISO in FOLDER that runs ARGUMENTS as tools/run would; PROGRAMS are put into /bin."""
    archive, config, iso = (os.path.join(folder, name) for name in ("archive.tar", "grub.cfg", "run.iso"))
    shutil.copyfile(ARCHIVE, archive)
    with tarfile.open(archive, "a", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo("run")
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(entry)
        for name, words in (("argv", arguments), ("env", ("PATH=/bin", "HOME=/", "TERM=dumb"))):
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(b"".join(os.fsencode(word) + b"\0" for word in words))
            tar.add(path, f"run/{name}")
        for program in programs:
            tar.add(program, f"bin/{os.path.basename(program)}")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"multiboot2 /boot/zeropage.elf run {options}\nmodule2 /boot/archive.tar archive\nboot\n")
    make_iso(iso, archive, config)
    return iso


def make_iso(iso, archive, config):
    qemu.make_iso(iso, KERNEL, archive, config)


def terminal():
    """Both ends of a new pseudo-terminal without a line discipline."""
    ours, theirs = pty.openpty()
    make_raw(theirs)
    return ours, theirs


def make_raw(descriptor):
    tty.setraw(descriptor)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))


class Machine:
    """
    A running Bochs, as a context manager; leaving it ends it, and so does the end of this process. `console` is what
    came on COM1, which is a terminal that `type` writes to, `screen` the VGA text screen, which `press` is the
    keyboard of.
    """

    def __init__(self, iso, memory=64):
        self.folder = tempfile.mkdtemp(prefix="zeropage-bochs-")
        self.console, self.shown, self.debugger = b"", b"", None
        self.serial, serial = terminal()
        self.display, display = terminal()
        settings = self.path("bochsrc")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(memory=memory, roms=roms(), cpu=CPU, iso=iso, console_mode="term",
                                            console=os.ttyname(serial), messages=self.path("messages"), log=self.path("log")))
        environment = dict(os.environ, TERM="sun", LINES=str(ROWS), COLUMNS=str(COLUMNS), BXSHARE=roms())
        self.process = subprocess.Popen(["bochs", "-q", "-f", settings], stdin=display, stdout=display, stderr=display,
                                        start_new_session=True, env=environment, preexec_fn=qemu.die_with_parent)
        os.close(display)
        self.opened = serial        # kept open: a terminal that nobody has open is hung up

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in {self.serial, self.display, self.opened, self.debugger} - {None}:
            os.close(descriptor)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, seconds):
        for descriptor in select.select([self.serial, self.display], [], [], seconds)[0]:
            try:
                data = os.read(descriptor, 65536)
            except OSError:
                time.sleep(0.05)    # Bochs has closed its end
                continue
            if descriptor == self.serial:
                self.console += data
            else:
                self.shown += data
                self.answer_debugger()

    def answer_debugger(self):
        """A Bochs with its debugger built in has the screen on a terminal of its own, and waits for a word to start."""
        place = re.search(rb'Bochs connected to screen "([^"]+)"', self.shown)
        if not place or b"<bochs:1>" not in self.shown:
            return
        screen = os.open(place[1], os.O_RDWR | os.O_NOCTTY)
        make_raw(screen)
        os.write(self.display, b"c\n")
        self.debugger, self.display, self.shown = self.display, screen, b""

    def wait_for(self, holds, seconds):
        """True as soon as HOLDS(); false when SECONDS are over or Bochs has ended first."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.read(0)
                return holds()
            self.read(0.1)
        return True

    def ends(self, seconds):
        """True when Bochs ends by itself within SECONDS."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        self.read(0)
        return self.process.poll() is not None

    def type(self, text):
        os.write(self.serial, text.encode())

    def press(self, text, seconds):
        """Letters wait for their echo on the screen, for the keyboard holds few. False: one does not come."""
        so_far = ""
        for letter in text:
            os.write(self.display, letter.encode())
            so_far += letter
            if letter != "\n" and not self.wait_for(lambda: so_far.rstrip() in self.screen_text(), seconds):
                return False
        return True

    def screen(self):
        screen = vt.Screen(ROWS, COLUMNS)
        screen.feed(re.sub(r"\x1b[()][A-Z0-9]|[\x0e\x0f]", "", self.shown.decode(errors="replace")))
        return screen.text()

    def screen_text(self):
        """The screen's lines without Bochs's frame around them."""
        return re.sub(r" *\|$", "", self.screen(), flags=re.MULTILINE)

    def text(self, name):
        """What is in the file NAME: "log" (Bochs's own) or "messages" (the kernel's, on COM2)."""
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read().replace("\r", "")
        except FileNotFoundError:
            return ""
