"""One puppet process: what it can be made to do, and what the processor's own tables say about it."""
import struct
from collections import namedtuple

from . import calls, puppet
from .exceptions import PRESENT, USER, WRITE, describe_error, describe_fault
from .page_tables import PAGE, PageTables
from .words import Broken, plural

READ_MISSING, WRITE_MISSING, WRITE_REFUSED = USER, USER | WRITE, USER | WRITE | PRESENT
READ_REFUSED = USER | PRESENT

# One piece executed: rax, the page faults that it took, the signal that came instead of an end, the instructions spent.
Step = namedtuple("Step", "value faults signal instructions")
Signal = namedtuple("Signal", "number code address")


def describe_faults(faults):
    if not faults:
        return "no fault"
    return f"{plural(len(faults), 'fault')}: " + ", ".join(describe_fault(fault) for fault in faults[:4])


class Actor:
    """A process of the stage. Its addresses are the guest's; whoever is wrong about them gets a signal or Broken."""

    def __init__(self, stage, identity, home):
        self.stage, self.identity, self.home = stage, identity, home
        self.cr3 = self.stack = None
        self.alive = True

    def place(self, piece):
        return puppet.address(self.home.base, piece)

    @property
    def mailbox(self):
        return self.home.mailbox

    # --- Doing --------------------------------------------------------------------------------------------------

    def do(self, piece, **registers):
        return self.stage.step(self, piece, registers)

    def call(self, number, *arguments):
        """A system call; .value is its result, a negative errno when it failed."""
        names = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
        registers = dict.fromkeys(names, 0) | dict(zip(names, arguments))
        step = self.do("call", rax=number, **registers)
        return step._replace(value=step.value - (1 << 64) if step.value >> 63 else step.value)

    def result(self, number, *arguments):
        step = self.call(number, *arguments)
        if step.signal:
            raise Broken(f"{calls.NAMES.get(number, number)} to return", f"signal {step.signal.number} instead")
        return step.value

    def load(self, address):
        return self.do("load", rdi=address)

    def store(self, address, value):
        return self.do("store", rdi=address, rsi=value & 0xff)

    def fill(self, address, value, length):
        return self.do("fill", rdi=address, rax=value & 0xff, rcx=length)

    def read_pages(self, address, count, stride=PAGE):
        return self.do("read_pages", rdi=address, rsi=stride, rcx=count)

    def write_pages(self, address, count, value, stride=PAGE):
        return self.do("write_pages", rdi=address, rsi=stride, rcx=count, rax=value & 0xff)

    def jump(self, address):
        """Executes what is at ADDRESS; code there comes back by `jmp rdx` (bytes ff e2)."""
        return self.do("jump", rdi=address, rdx=self.place("checkpoint"))

    def put(self, address, data):
        """Writes DATA into the puppet's memory, by the puppet."""
        for offset in range(0, len(data), 8):
            part = data[offset:offset + 8].ljust(8, b"\0")
            self.do("store_long", rdi=address + offset, rsi=int.from_bytes(part, "little"))
        return address

    def read_file(self, path, length=1024):
        """The beginning of a file as the kernel shows it (and it may show what it likes)."""
        self.put(self.mailbox + 256, path.encode() + b"\0")
        handle = self.result(calls.OPEN, self.mailbox + 256, 0, 0)
        if handle < 0:
            raise Broken(f"{path} to open", calls.describe_result(handle))
        got = self.result(calls.READ, handle, self.mailbox + 512, length)
        self.result(calls.CLOSE, handle)
        return self.peek(self.mailbox + 512, max(got, 0))

    def frames_free(self):
        """How many frames are free, as the kernel has it."""
        words = self.read_file("/proc/zeropage").split()
        return int(words[words.index(b"frames_free") + 1]) if b"frames_free" in words else 0

    def catch(self, number):
        """Its handler for the signal NUMBER is where the grader stops it (struct sigaction of the system call)."""
        flags = calls.SA_SIGINFO | calls.SA_RESTORER | calls.SA_NODEFER
        action = struct.pack("<QQQQ", self.place("caught"), flags, self.place("restorer"), 0)
        self.expect_call(0, calls.RT_SIGACTION, number, self.put(self.mailbox, action), 0, 8)

    def describe(self, piece, registers):
        """A step in words."""
        return " ".join([piece, *(f"{name}={value & (1 << 64) - 1:#x}" for name, value in registers.items() if name != "rsp")])

    def fork(self):
        return self.stage.fork(self)

    def exit(self, status=0):
        self.stage.end(self, status)

    # --- System calls with the answer that they have to give -------------------------------------------------------

    def map(self, pages, protection=calls.RW, flags=calls.MAP_PRIVATE, address=0, extra=0):
        """mmap of anonymous memory; its address."""
        if address and not extra & calls.MAP_FIXED:
            extra |= calls.MAP_FIXED_NOREPLACE
        got = self.result(calls.MMAP, address, pages * PAGE, protection, flags | calls.MAP_ANONYMOUS | extra, -1 & (1 << 64) - 1, 0)
        if got < 0 or got % PAGE or address and got != address:
            raise Broken(f"mmap of {pages} anonymous pages to succeed" + (f" at {address:#x}" if address else ""),
                         calls.describe_result(got))
        return got

    def expect_call(self, expected, number, *arguments):
        got = self.result(number, *arguments)
        if got != expected:
            shown = ", ".join(f"{argument:#x}" for argument in arguments)
            raise Broken(f"{calls.NAMES.get(number, number)}({shown}) to return {calls.describe_result(expected)}",
                         calls.describe_result(got))

    def unmap(self, address, pages):
        self.expect_call(0, calls.MUNMAP, address, pages * PAGE)

    # --- Seeing ---------------------------------------------------------------------------------------------------

    def tables(self):
        """Its page tables as they are now."""
        return PageTables(self.stage.read_physical, self.cr3)

    def entry(self, address):
        return self.tables().entry(address)

    def peek(self, address, length):
        """The bytes at ADDRESS, read in physical memory by the puppet's tables; b'' where no page is."""
        parts, tables = [], self.tables()
        while length > 0:
            entry, within = tables.entry(address), address % PAGE
            size = min(length, PAGE - within)
            if not entry.present:
                return b""
            parts.append(self.stage.read_physical(entry.frame * PAGE + address % min(entry.size, 1 << 30), size))
            address, length = address + size, length - size
        return b"".join(parts)

    # --- Doing with an expectation -----------------------------------------------------------------------------------

    def expect_load(self, address, value, *errors, what="a load"):
        """The load gives VALUE and takes exactly the faults with ERRORS, all at ADDRESS."""
        step = self.expect_faults(self.load(address), [(address, error) for error in errors], f"{what} at {address:#x}")
        if step.value != value:
            raise Broken(f"{what} at {address:#x} to give {value:#x}", f"{step.value:#x}")
        return step

    def expect_store(self, address, value, *errors, what="a store"):
        step = self.store(address, value)
        self.expect_faults(step, [(address, error) for error in errors], f"{what} at {address:#x}")
        seen = self.peek(address, 1)
        if seen != bytes((value & 0xff,)):
            raise Broken(f"the byte {value & 0xff:#x} in physical memory after {what} at {address:#x}",
                         seen.hex() or "no page there")
        return step

    def expect_faults(self, step, expected, what):
        if step.signal:
            raise Broken(f"{what} to succeed", f"signal {step.signal.number}, code {step.signal.code}, at {step.signal.address:#x}")
        if [(fault.address, fault.error) for fault in step.faults] != expected:
            wanted = ", ".join(f"{describe_error(error)} at {address:#x}" for address, error in expected[:4])
            raise Broken(f"{what} to take {plural(len(expected), 'fault')}" + (f" ({wanted})" if wanted else ""),
                         describe_faults(step.faults))
        return step

    def expect_refused(self, step, address, error, code, what):
        """The access ends in SIGSEGV with CODE at ADDRESS, after one fault with ERROR."""
        if not step.signal:
            raise Broken(f"{what} at {address:#x} to be refused with SIGSEGV", f"it went through, with {describe_faults(step.faults)}")
        if step.signal != (calls.SIGSEGV, code, address):
            raise Broken(f"SIGSEGV with code {code} at {address:#x} for {what}",
                         f"signal {step.signal.number} with code {step.signal.code} at {step.signal.address:#x}")
        if not step.faults or (step.faults[-1].address, step.faults[-1].error) != (address, error):
            raise Broken(f"{what} to end in a fault at {address:#x} ({describe_error(error)})", describe_faults(step.faults))

    def expect_absent(self, address, what):
        if (entry := self.entry(address)).present:
            raise Broken(f"no entry for {what} at {address:#x}", str(entry))

    def expect_zeros(self, address, length, what):
        """LENGTH bytes at ADDRESS are zero in physical memory."""
        data = self.peek(address, length)
        if len(data) != length:
            raise Broken(f"{what} at {address:#x} to be there", "no page")
        if data.count(0) != length:
            first = next(index for index, byte in enumerate(data) if byte)
            raise Broken(f"{what} at {address:#x} to be all zeros", f"{data[first]:#04x} at byte {first:#x}")
