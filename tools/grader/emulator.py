"""
One QEMU with all its witnesses: the debugger port, the monitor, the log of exceptions, both serial lines, the journal.

Everything that it says goes through pipes that are read while it runs, and only the ends are kept: a kernel that
floods a line fills no disc. How long a step may take is counted in the guest's instructions and timer ticks, not in
seconds, so that a slow host gives the same verdict.
"""
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections import deque

import qemu

from .exceptions import ExceptionLog, describe_fault
from .gdb_remote import GdbRemote
from .words import Ended

INSTRUCTIONS, TICKS = 300_000_000, 500      # what one step may take: far more than any takes
WATCHDOG = 300                              # seconds in one step: the host must be very slow indeed
POLL = 0.2                                  # seconds between two looks at how far the guest is
DEAD_POLLS = 5
KEPT_TEXT, KEPT_EVENTS = 1 << 20, 2000
FLOOD = 1 << 19                             # bytes of the kernel's messages, and of the console: more is no use to anybody
START_SECONDS = 60
STDERR_LINES = 3
QUIT_SECONDS = 2
# What unshare says when the process in its namespace was killed: it tries to die in the same way.
WAS_KILLED = "sigprocmask unblock failed"
KILLED_STATUSES = (-signal.SIGKILL, 128 + signal.SIGKILL)


class Text:
    """The end of what came over a line."""

    def __init__(self):
        self.data, self.count = bytearray(), 0

    def __call__(self, data):
        self.data += data
        self.count += len(data)
        if len(self.data) > KEPT_TEXT:
            del self.data[:-KEPT_TEXT // 2]

    def text(self):
        return self.data.decode(errors="replace").replace("\r", "")


class Lines:
    """The last lines of the journal."""

    def __init__(self):
        self.lines, self.partial = deque(maxlen=KEPT_EVENTS), b""

    def __call__(self, data):
        lines = (self.partial + data).split(b"\n")
        self.partial = lines.pop()[-4096:]
        self.lines.extend(lines)


class Emulator:
    """A running machine; close() it. SANDBOX makes a command line safe; FOLDER is a fresh one of its user's own."""

    def __init__(self, folder, sandbox, *, kernel, archive, append, memory="64M", cpu="max", disc=0, journal=False):
        self.folder = folder
        self.console, self.messages, self.exceptions, self.events = Text(), Text(), ExceptionLog(), Lines()
        self.errors = Text()
        self.sinks, self.process, self.sockets = {}, None, []
        self.broken = None
        try:
            pipes = {"console": self.console, "messages": self.messages, "exceptions": self.exceptions}
            if journal:
                pipes["events"] = self.events
            for name, sink in pipes.items():
                self.add_pipe(name, sink)
            self.start(sandbox, self.command(kernel, archive, append, memory, cpu, disc, journal))
        except BaseException:
            self.close()
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def add_pipe(self, name, sink):
        os.mkfifo(self.path(name))
        os.chmod(self.path(name), 0o666)
        self.sinks[os.open(self.path(name), os.O_RDONLY | os.O_NONBLOCK)] = sink

    def command(self, kernel, archive, append, memory, cpu, disc, journal):
        # Names without a folder, for it starts in ours: a socket's path may have 107 characters at most.
        server = "server=on,wait=off"
        # sleep=on: with sleep=off a stopped machine's clock jumps to the next tick at each step.
        extra = ["-icount", "shift=0,sleep=on", "-d", "int", "-D", "exceptions", "-S",
                 "-chardev", f"socket,id=debugger,path=debugger,{server}", "-gdb", "chardev:debugger",
                 "-qmp", f"unix:monitor,{server}"]
        if disc:
            extra += self.disc_arguments(disc)
        return qemu.command_line(kernel=kernel, archive=archive, append=append, memory=memory, cpu=cpu,
                                 console=("file", "path=console"), messages=("file", "path=messages"),
                                 events="events" if journal else None, extra=extra)

    def disc_arguments(self, mebibytes):
        """An empty disc at the old ports of ATA (0x1f0), which needs the least of a driver."""
        path = self.path("disc")
        with open(path, "wb") as file:
            file.truncate(mebibytes << 20)
        os.chmod(path, 0o666)
        return ["-drive", f"if=none,id=disc,format=raw,file=disc", "-device", "isa-ide,id=ata",
                "-device", "ide-hd,drive=disc,bus=ata.0"]

    def start(self, sandbox, command):
        self.process = subprocess.Popen(sandbox(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, start_new_session=True, cwd=self.folder,
                                        preexec_fn=qemu.die_with_parent)
        self.sinks[self.process.stderr.fileno()] = self.errors
        os.set_blocking(self.process.stderr.fileno(), False)
        self.debugger, self.monitor = self.connect("debugger"), self.connect("monitor")
        self.monitor_text = b""
        self.monitor_line()             # its greeting
        self.query("qmp_capabilities")
        self.gdb = GdbRemote(self.tell_debugger, lambda: self.receive(self.debugger))
        # Only who has asked for the description of the registers may set single ones.
        self.gdb.ask("qXfer:features:read:target.xml:0,fff")
        self.gdb.must("Qqemu.PhyMemMode:1")

    def connect(self, name):
        end = time.monotonic() + START_SECONDS
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                with Folder(self.folder):
                    connection.connect(name)
                connection.settimeout(WATCHDOG)
                self.sockets.append(connection)
                return connection
            except OSError as error:
                connection.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    self.drain()
                    said = " ".join(self.errors.text().split("\n")[:STDERR_LINES]).strip()
                    if WAS_KILLED in said or self.process.poll() in KILLED_STATUSES:
                        raise Ended(self.how_it_ended()) from None
                    raise Ended(f"the emulator did not start: {said or error}") from None
                time.sleep(0.01)

    # --- What it says -------------------------------------------------------------------------------------------

    def read(self, descriptor):
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return False
        if data:
            self.sinks[descriptor](data)
        return bool(data)

    def drain(self):
        """Takes all that is in the pipes now."""
        for descriptor in self.sinks:
            while self.read(descriptor):
                pass

    def receive(self, source):
        """More bytes from SOURCE, a port of QEMU's; the pipes are emptied meanwhile, or QEMU would wait for us."""
        end = time.monotonic() + WATCHDOG
        while True:
            ready = self.look(source)
            if source in ready:
                try:
                    data = source.recv(1 << 16)
                except OSError:
                    data = b""
                if not data:
                    raise Ended(self.how_it_ended())
                return data
            if self.process.poll() is not None:
                raise Ended(self.how_it_ended())
            if time.monotonic() > end:
                raise Ended("the emulator does not answer")

    def tell_debugger(self, data):
        try:
            self.debugger.sendall(data)
        except OSError:
            raise Ended(self.how_it_ended()) from None

    def look(self, *ports):
        """Waits a little for something to be read: the PORTS that are ready. What is in the pipes is taken."""
        ready = select.select([*ports, *self.sinks], [], [], POLL if ports else 0.005)[0]
        for descriptor in ready:
            if descriptor in self.sinks and not self.read(descriptor):
                time.sleep(0.001)       # its other end is not open (yet, or any more)
        return ready

    # --- Steps --------------------------------------------------------------------------------------------------

    def query(self, command, **arguments):
        """What the monitor (QMP) answers; None for an error."""
        request = {"execute": command} | ({"arguments": arguments} if arguments else {})
        try:
            self.monitor.sendall(json.dumps(request).encode() + b"\n")
            while line := self.monitor_line():
                answer = json.loads(line)
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    return None
        except (OSError, ValueError):
            pass
        raise Ended(self.how_it_ended())

    def monitor_line(self):
        while b"\n" not in self.monitor_text:
            data = self.receive(self.monitor)
            if not data:
                return b""
            self.monitor_text += data
        line, _, self.monitor_text = self.monitor_text.partition(b"\n")
        return line

    def instructions(self):
        """How many instructions the guest has executed."""
        return self.query("query-replay")["icount"]

    def proceed(self, instructions=INSTRUCTIONS):
        """Lets the guest run to the next breakpoint. Ended says why it did not come there."""
        if self.broken:
            raise Ended(self.broken)
        try:
            begin, ticks, end = self.instructions(), self.exceptions.ticks, time.monotonic() + WATCHDOG
            self.gdb.send("c")
            self.wait_for_stop(begin, instructions, ticks + TICKS, end)
        except Ended as reason:
            self.broken = str(reason)
            raise
        self.drain()

    def wait_for_stop(self, begin, allowed, ticks, end):
        looked, standing, before = time.monotonic(), 0, None
        while True:
            if self.debugger in self.look(self.debugger):
                self.gdb.feed(self.receive(self.debugger))
                if (answer := self.gdb.packet()) is not None:
                    if answer[0] in "TS":
                        return
                    raise Ended(self.how_it_ended())
            if fault := self.exceptions.in_a_circle():
                raise Ended(f"the kernel goes round in a circle: the same {describe_fault(fault)}, by the instruction at "
                            f"{fault.ip:#x}, is taken again and again")
            if max(self.messages.count, self.console.count) > FLOOD:
                raise Ended(f"it floods a serial line: more than {FLOOD:,} bytes")
            now = time.monotonic()
            if now - looked < POLL:
                continue
            looked, count = now, self.instructions()
            standing, before = standing + 1 if count == before else 0, count
            if count - begin > allowed:
                raise Ended(f"it hangs: this step was not over after {allowed:,} instructions")
            if self.exceptions.ticks > ticks:
                raise Ended(f"it waits for something that never comes: {TICKS} timer ticks without an end of this step")
            if standing >= DEAD_POLLS and self.is_dead():
                raise Ended("the processor was halted with interrupts off, so it can never go on" + self.last_words())
            if now > end:
                raise Ended(f"this step was not over after {WATCHDOG} seconds")

    def is_dead(self):
        registers = self.query("human-monitor-command", **{"command-line": "info registers"})
        flags = registers.partition("RFL=")[2][:8] if registers else ""
        return bool(flags) and "HLT=1" in registers and not int(flags, 16) & 1 << 9

    # --- Its end ------------------------------------------------------------------------------------------------

    def last_words(self):
        self.drain()
        said = [line for line in self.messages.text().split("\n") if line.startswith(("zeropage:", "audit:"))]
        return f"; the kernel's last message: {said[-1]}" if len(said) > 2 else "; the kernel said nothing"

    def how_it_ended(self):
        try:
            status = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return "the emulator closed its ports"
        words = self.last_words()
        text = self.messages.text()
        if "not yet written" in text:
            return next(line for line in text.split("\n") if "not yet written" in line).removeprefix("zeropage: ")
        if status == qemu.PANICKED:
            return "the kernel stopped itself" + words
        if status in (qemu.POWERED_OFF, qemu.AUDIT_FINDINGS):
            return "the machine was switched off too early" + words
        if status == 0:
            return "the machine was reset: a triple fault, or the kernel asked for it" + words
        if WAS_KILLED in self.errors.text():
            status = -signal.SIGKILL
        if status < 0 or status > 128:
            number = -status if status < 0 else status - 128
            return f"the emulator was killed by signal {number} ({signal.strsignal(number)})"
        said = self.errors.text().strip().split("\n")[-1]
        return f"the emulator ended with status {status}: {said or 'it said nothing'}"

    def quit(self):
        """Ends the emulator: by its monitor, so that it is waited for within its namespace, or else by force."""
        try:
            if self.process.poll() is None:
                self.monitor.sendall(b'{"execute": "quit"}\n')
                end = time.monotonic() + QUIT_SECONDS
                while self.process.poll() is None and time.monotonic() < end:
                    self.look()
        except (OSError, AttributeError):
            pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def close(self):
        if self.process:
            self.quit()
            self.sinks.pop(self.process.stderr.fileno(), None)
            self.process.stderr.close()
        for descriptor in self.sinks:
            os.close(descriptor)
        self.sinks = {}
        for connection in self.sockets:
            connection.close()


class Folder:
    """Being in a folder, for the time of a `with`."""

    def __init__(self, path):
        self.path, self.before = path, None

    def __enter__(self):
        self.before = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        os.chdir(self.path)

    def __exit__(self, *_):
        os.fchdir(self.before)
        os.close(self.before)
