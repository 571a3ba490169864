"""Reads QEMU's own log of exceptions and interrupts (-d int) as it is written: the faults that the processor took."""
import re
from collections import deque, namedtuple

PAGE_FAULT, TIMER = 0x0e, 0x20
PRESENT, WRITE, USER, RESERVED, INSTRUCTION = 1, 2, 4, 8, 16
HEAD = re.compile(rb"\s*\d+: v=([0-9a-f]{2}) e=([0-9a-f]{4}) i=(\d) cpl=(\d) IP=[0-9a-f]{4}:([0-9a-f]{16})"
                  rb"(?:.*? CR2=([0-9a-f]{16}))?")
CR3 = re.compile(rb"CR0=[0-9a-f]+ CR2=[0-9a-f]+ CR3=([0-9a-f]+)")
STORM = 3000            # that many times the same fault: the kernel goes round in a circle
KEPT = 50000

Fault = namedtuple("Fault", "address error cpl ip cr3")


def describe_error(error):
    who = "in ring 3" if error & USER else "by the kernel"
    what = "execute" if error & INSTRUCTION else "write" if error & WRITE else "read"
    return f"{what} {who}, page {'present' if error & PRESENT else 'not present'}"


def describe_fault(fault):
    return f"fault at {fault.address:#x} ({describe_error(fault.error)})"


class ExceptionLog:
    """FAULTS are the page faults since the last take(); TICKS counts timer interrupts; LAST is the last other exception."""

    def __init__(self):
        self.partial = b""
        self.faults = deque(maxlen=KEPT)
        self.pending = None
        self.ticks = 0
        self.same = 0
        self.others = deque(maxlen=8)

    def __call__(self, data):
        lines = (self.partial + data).split(b"\n")
        self.partial = lines.pop()
        for line in lines:
            if line.startswith(b"CR0=") and self.pending:
                self.complete(line)
            elif b": v=" in line[:12]:
                self.begin(line)

    def begin(self, line):
        match = HEAD.match(line)
        if not match:
            return
        vector = int(match[1], 16)
        if vector == PAGE_FAULT and match[6]:
            self.pending = Fault(int(match[6], 16), int(match[2], 16), int(match[4]), int(match[5], 16), 0)
        elif vector == TIMER:
            self.ticks += 1
        else:
            self.others.append((vector, int(match[2], 16), int(match[4]), int(match[5], 16)))

    def complete(self, line):
        fault, self.pending = self.pending, None
        if match := CR3.match(line):
            fault = fault._replace(cr3=int(match[1], 16))
        self.same = self.same + 1 if self.faults and self.faults[-1] == fault else 0
        self.faults.append(fault)

    def in_a_circle(self):
        """The fault that is taken over and over again; None if there is none."""
        return self.faults[-1] if self.same >= STORM else None

    def take(self):
        taken, self.same = list(self.faults), 0
        self.faults.clear()
        return taken
