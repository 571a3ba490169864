"""A puppet that is linked with the submission's C library: its functions are called one by one, from outside."""
import struct

from . import calls
from .actor import Actor
from .page_tables import PAGE
from .puppet import HEADER, PT_LOAD, Home
from .words import Broken, Ended

# What of an ELF file is looked at (System V ABI, chapter 4).
SECTIONS_OFFSET, SEGMENT_COUNT_OFFSET, SECTION_COUNT_OFFSET = 0x28, 0x38, 0x3c
SEGMENT, SECTION, SYMBOL = struct.Struct("<IIQQQQQQ"), struct.Struct("<IIQQQQIIQQ"), struct.Struct("<IBBHQQ")
SHT_SYMTAB, STB_GLOBAL = 2, 1
PATH_AT, ARGUMENTS_AT = 1024, 1536      # in the mailbox
ERRNO_SIZE = 4


class Program:
    """The ELF file at PATH, which has the puppet's pieces and a mailbox in it. SYMBOLS are its addresses by name."""

    def __init__(self, name, path):
        self.name, self.path = name, f"bin/lab-{name}"
        with open(path, "rb") as file:
            self.elf = file.read()
        try:
            self.symbols = read_symbols(self.elf)
            pieces, self.end = self.symbols["pieces"], self.symbols["_end"] + PAGE - 1 & -PAGE
            self.home = Home(pieces - PAGE, self.symbols["mailbox"], self.symbols["IMAGE_BASE"], self.end)
        except (struct.error, LookupError, ValueError) as error:
            raise Ended(f"{name} is no program that can be played: {error}") from None

    def stripped(self):
        """The file without what is only for debuggers: what lies behind its segments, and the section headers."""
        count, = struct.unpack_from("<H", self.elf, SEGMENT_COUNT_OFFSET)
        segments = [SEGMENT.unpack_from(self.elf, HEADER + index * SEGMENT.size) for index in range(count)]
        loaded = max(offset + size for kind, _, offset, _, _, size, _, _ in segments if kind == PT_LOAD)
        head = bytearray(self.elf[:loaded])
        struct.pack_into("<Q", head, SECTIONS_OFFSET, 0)
        struct.pack_into("<HH", head, SECTION_COUNT_OFFSET, 0, 0)
        return bytes(head)


def read_symbols(elf):
    """{name: address} of the symbols that all files of the program see."""
    start, = struct.unpack_from("<Q", elf, SECTIONS_OFFSET)
    count, = struct.unpack_from("<H", elf, SECTION_COUNT_OFFSET)
    sections = [SECTION.unpack_from(elf, start + index * SECTION.size) for index in range(count)]
    symbols = {}
    for _, kind, _, _, offset, size, link, _, _, _ in sections:
        if kind == SHT_SYMTAB:
            for at in range(offset, offset + size, SYMBOL.size):
                name, info, _, section, value, _ = SYMBOL.unpack_from(elf, at)
                text = sections[link][4] + name
                if section and info >> 4 == STB_GLOBAL:
                    symbols[elf[text:elf.index(b"\0", text)].decode(errors="replace")] = value
    return symbols


class Player(Actor):
    """The process that plays PROGRAM; STAGE's main puppet is its parent."""

    def __init__(self, stage, identity, program):
        super().__init__(stage, identity, program.home)
        self.program = program

    def begin(self):
        """Signals come back to the grader here, too."""
        for number in (calls.SIGSEGV, calls.SIGBUS, calls.SIGABRT):
            self.catch(number)

    def invoke(self, function, *arguments):
        """Calls the C function of that name; its result is the step's value, unless a signal came instead."""
        return self.do("invoke", rax=self.program.symbols[function], **dict(zip(("rdi", "rsi", "rdx"), arguments)))

    def answer(self, function, *arguments):
        """As above, and a signal is a mistake."""
        step = self.invoke(function, *arguments)
        if step.signal:
            shown = ", ".join(f"{argument & (1 << 64) - 1:#x}" for argument in arguments)
            raise Broken(f"{function}({shown}) to return", f"signal {step.signal.number} instead" + self.last_words())
        return step.value

    def last_words(self):
        self.stage.machine.drain()
        lines = [line for line in self.stage.machine.console.text().split("\n") if line.strip()]
        return f"; the program's last line: {lines[-1]}" if lines else ""

    @property
    def errno(self):
        return int.from_bytes(self.peek(self.program.symbols["errno"], ERRNO_SIZE), "little")

    @errno.setter
    def errno(self, value):
        for index, byte in enumerate(value.to_bytes(ERRNO_SIZE, "little")):
            self.store(self.program.symbols["errno"] + index, byte)

    def describe(self, piece, registers):
        if piece != "invoke":
            return super().describe(piece, registers)
        names = {address: name for name, address in self.program.symbols.items()}
        given = ", ".join(f"{registers[name] & (1 << 64) - 1:#x}" for name in ("rdi", "rsi", "rdx") if name in registers)
        return f"{names[registers['rax']]}({given})"


def play(stage, program):
    """A new process that plays PROGRAM, from its beginning: a child of the main puppet that has called execve."""
    child = stage.main.fork()
    path = child.put(child.mailbox + PATH_AT, f"/{program.path}".encode() + b"\0")
    child.put(child.mailbox + ARGUMENTS_AT, struct.pack("<Q", path) * child.identity + bytes(8))
    player = Player(stage, child.identity, program)
    player.pid = child.pid
    stage.watch(program.home)
    stage.set_registers("call", {"rax": calls.EXECVE, "rdi": path, "rsi": child.mailbox + ARGUMENTS_AT, "rdx": 0})
    stage.actors[child.identity] = player
    stage.proceed(player)
    player.begin()
    return player
