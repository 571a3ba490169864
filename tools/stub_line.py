"""
Stands between GDB and QEMU, so that Ctrl-C always stops the machine.

`next` and software watchpoints go step by step, and QEMU forgets a Ctrl-C that comes while the machine stands between two
steps: GDB would step on for ever. So it is remembered here, and the next stop is said to be its doing.
"""
import os
import selectors
import signal
import subprocess
import sys

import qemu

# GDB's serial protocol: $DATA#CHECKSUM, each answered by a +. A lone 0x03 stops the machine.
ACKNOWLEDGED, STOP = b"+", b"\x03"
TRAPPED, INTERRUPTED = b"T05", b"T02"       # an answer to GDB begins so: SIGTRAP, SIGINT


class Line:
    """One of the two ends: packets in, packets out."""

    def __init__(self, reads, writes):
        self.reads, self.writes = reads, writes
        self.waiting = b""

    def send(self, packet):
        os.write(self.writes, b"$%s#%02x" % (packet, sum(packet) & 0xff))

    def fill(self):
        data = os.read(self.reads, 65536)
        if not data:
            raise EOFError
        self.waiting += data

    def take(self):
        """The next whole packet that has come, STOP, or None."""
        while self.waiting:
            if self.waiting.startswith(STOP):
                self.waiting = self.waiting[1:]
                return STOP
            if self.waiting.startswith(b"$"):
                end = self.waiting.find(b"#")
                if end < 0 or len(self.waiting) < end + 3:
                    return None
                packet, self.waiting = self.waiting[1:end], self.waiting[end + 3:]
                os.write(self.writes, ACKNOWLEDGED)
                return packet
            self.waiting = self.waiting[1:]     # an acknowledgement
        return None

    def wait(self):
        while (packet := self.take()) is None:
            self.fill()
        return packet


class Between:
    """Passes on what the two say."""

    def __init__(self, debugger, machine):
        self.debugger, self.machine = debugger, machine
        self.is_interrupted = False

    def from_debugger(self, packet):
        if packet == STOP:
            self.is_interrupted = True
            os.write(self.machine.writes, STOP)
        else:
            self.machine.send(packet)

    def from_machine(self, packet):
        if packet[:1] in (b"S", b"T"):
            if self.is_interrupted and packet.startswith(TRAPPED):
                packet = INTERRUPTED + packet[len(TRAPPED):]
            self.is_interrupted = False
        self.debugger.send(packet)


def run(command, kind=Between):
    """Starts the machine and passes on what it and the GDB at our standard input and output say to each other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
                               preexec_fn=qemu.die_with_parent)
    debugger = Line(sys.stdin.fileno(), sys.stdout.fileno())
    machine = Line(process.stdout.fileno(), process.stdin.fileno())
    between = kind(debugger, machine)
    lines = selectors.DefaultSelector()
    lines.register(debugger.reads, selectors.EVENT_READ, (debugger, between.from_debugger))
    lines.register(machine.reads, selectors.EVENT_READ, (machine, between.from_machine))
    try:
        while True:
            for key, _ in lines.select():
                line, pass_on = key.data
                line.fill()
                while (packet := line.take()) is not None:
                    pass_on(packet)
    except (EOFError, BrokenPipeError):
        pass
    finally:
        process.kill()
        process.wait()
