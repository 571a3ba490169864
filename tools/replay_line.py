"""
Stands between GDB and QEMU while a recorded run is replayed, so that each step back ends at the same place.

QEMU goes back to a number of instructions. When the next instruction is one that faulted, or that an interrupt came
before, then two places have this number: before the instruction, and at the handler's first one. At which of them
QEMU 7.2 comes to stand depends on which of its threads is faster. Here it is always the first: when a step back ends at
a handler's first instruction, one more goes back and one forward again.
"""
import os
import selectors
import signal
import subprocess
import sys

import qemu

# GDB's serial protocol: $DATA#CHECKSUM, each answered by a +. A lone 0x03 stops the machine.
ACKNOWLEDGED, STOP = b"+", b"\x03"
STEP_BACK, CONTINUE_BACK, STEP = b"bs", b"bc", b"s"
READ_RIP = b"p10"
HANDLERS_ARE = b"qzeropage.handlers:"       # GDB tells us the addresses (tools/gdb/rewind.py)


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
    def __init__(self, debugger, machine):
        self.debugger, self.machine = debugger, machine
        self.handlers = set()
        self.goes_back = False

    def from_debugger(self, packet):
        if packet == STOP:
            os.write(self.machine.writes, STOP)
        elif packet.startswith(HANDLERS_ARE):
            self.handlers = {int(word, 16) for word in packet[len(HANDLERS_ARE):].split(b",")}
            self.debugger.send(b"OK")
        else:
            self.goes_back = packet in (STEP_BACK, CONTINUE_BACK)
            self.machine.send(packet)

    def from_machine(self, packet):
        if self.goes_back and packet[:1] in (b"S", b"T"):
            self.goes_back = False
            packet = self.before_the_handler(packet)
        self.debugger.send(packet)

    def before_the_handler(self, stopped):
        """What QEMU says of the stop at which the machine stands afterwards."""
        if self.instruction_pointer() not in self.handlers:
            return stopped
        wanted = self.moment()
        stopped = self.ask(STEP_BACK)
        while self.moment() < wanted:
            stopped = self.ask(STEP)
        return stopped

    def ask(self, packet):
        self.machine.send(packet)
        return self.machine.wait()

    def instruction_pointer(self):
        try:
            return int.from_bytes(bytes.fromhex(self.ask(READ_RIP).decode()), "little")
        except ValueError:
            return None

    def moment(self):
        """The number of instructions; QEMU's monitor says it in some sentence."""
        answer, text = self.ask(b"qRcmd," + b"info replay".hex().encode()), ""
        while answer.startswith(b"O") and answer != b"OK":
            text += bytes.fromhex(answer[1:].decode()).decode()
            answer = self.machine.wait()
        return int(text.split("instruction count = ")[1].split()[0])


def run(command):
    """Starts the machine and passes on what it and the GDB at our standard input and output say to each other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
                               preexec_fn=qemu.die_with_parent)
    debugger = Line(sys.stdin.fileno(), sys.stdout.fileno())
    machine = Line(process.stdout.fileno(), process.stdin.fileno())
    between = Between(debugger, machine)
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
