"""Speaks with QEMU's debugger port (the GDB remote serial protocol): stops, registers, and physical memory."""
import struct

from .words import Ended

# The order of QEMU's x86-64 registers in a `g` packet: sixteen general ones, rip, flags, segments, bases, control.
GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip")
CR2_OFFSET = len(GENERAL) * 8 + 7 * 4 + 4 * 8
CR3_OFFSET = CR2_OFFSET + 8
CS_OFFSET = len(GENERAL) * 8 + 4
LARGEST_READ = 1024     # bytes; QEMU's packets hold 4096 characters


class GdbRemote:
    """One connection. SEND takes bytes for the socket; RECEIVE waits for more bytes and returns them (b'' at its end)."""

    def __init__(self, send, receive):
        self.send_bytes, self.receive_bytes = send, receive
        self.buffer = b""

    def send(self, text):
        body = text.encode("ascii")
        self.send_bytes(b"$" + body + b"#%02x" % (sum(body) & 0xff))

    def packet(self):
        """The next packet if it is complete in the buffer, else None."""
        start = self.buffer.find(b"$")
        end = self.buffer.find(b"#", start + 1) if start >= 0 else -1
        if end < 0 or len(self.buffer) < end + 3:
            return None
        body, self.buffer = self.buffer[start + 1:end], self.buffer[end + 3:]
        self.send_bytes(b"+")
        return body.decode("ascii", errors="replace")

    def feed(self, data):
        if not data:
            raise Ended("the emulator closed its debugger port")
        self.buffer += data

    def answer(self):
        while (body := self.packet()) is None:
            self.feed(self.receive_bytes())
        return body

    def ask(self, text):
        self.send(text)
        return self.answer()

    def must(self, text):
        answer = self.ask(text)
        if answer != "OK":
            raise Ended(f"the emulator refused the debugger's request {text[:20]}: {answer}")

    def registers(self):
        raw = bytes.fromhex(self.ask("g"))
        values = dict(zip(GENERAL, struct.unpack_from(f"<{len(GENERAL)}Q", raw)))
        values["cs"], = struct.unpack_from("<I", raw, CS_OFFSET)
        values["cr2"], values["cr3"] = struct.unpack_from("<2Q", raw, CR2_OFFSET)
        return values

    def set_register(self, name, value):
        self.must(f"P{GENERAL.index(name):x}={struct.pack('<Q', value & (1 << 64) - 1).hex()}")

    def set_breakpoint(self, address):
        self.must(f"Z1,{address:x},1")

    def read_physical(self, address, length):
        """LENGTH bytes of physical memory; what lies outside of the machine's memory reads as nothing (b'')."""
        parts = []
        for offset in range(0, length, LARGEST_READ):
            answer = self.ask(f"m{address + offset:x},{min(LARGEST_READ, length - offset):x}")
            if answer.startswith("E"):
                return b""
            parts.append(bytes.fromhex(answer))
        return b"".join(parts)
