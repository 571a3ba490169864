"""
Stands between GDB and QEMU while a recorded run is replayed, so that each step back ends at the same place.

QEMU goes back to a number of instructions. When the next instruction is one that faulted, or that an interrupt came
before, then two places have this number: before the instruction, and at the handler's first one. At which of them
QEMU 7.2 comes to stand depends on which of its threads is faster. Here it is always the first: when a step back ends at
a handler's first instruction, one more goes back and one forward again.
"""
import stub_line

STEP_BACK, CONTINUE_BACK, STEP = b"bs", b"bc", b"s"
READ_RIP = b"p10"
HANDLERS_ARE = b"qzeropage.handlers:"       # GDB tells us the addresses (tools/gdb/rewind.py)


class Between(stub_line.Between):
    """Looks at each step back where it has led."""

    def __init__(self, debugger, machine):
        super().__init__(debugger, machine)
        self.handlers = set()
        self.goes_back = False

    def from_debugger(self, packet):
        if packet.startswith(HANDLERS_ARE):
            self.handlers = {int(word, 16) for word in packet[len(HANDLERS_ARE):].split(b",")}
            self.debugger.send(b"OK")
        else:
            if packet != stub_line.STOP:
                self.goes_back = packet in (STEP_BACK, CONTINUE_BACK)
            super().from_debugger(packet)

    def from_machine(self, packet):
        if self.goes_back and packet[:1] in (b"S", b"T"):
            self.goes_back = False
            packet = self.before_the_handler(packet)
        super().from_machine(packet)

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
    stub_line.run(command, Between)
