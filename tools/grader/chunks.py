"""Walks the heap of a player as user/lib/malloc.c lays it out, in physical memory: each chunk begins with its header."""
import struct
from collections import namedtuple

from .page_tables import PAGE
from .words import Broken

HEADER = struct.Struct("<QQ")           # the size of the chunk below; this one's size and bits
IN_USE, MAPPED = 1, 2
ALIGNMENT, SMALLEST = 16, 32

Chunk = namedtuple("Chunk", "address size in_use")


def chunk_size(size):
    """The size of a chunk whose block has SIZE bytes."""
    return max(SMALLEST, size + HEADER.size + ALIGNMENT - 1 & -ALIGNMENT)


class Memory:
    """A player's memory as it is now. Each page is read at most once."""

    def __init__(self, player):
        self.player, self.tables, self.pages = player, player.tables(), {}

    def page(self, address):
        if address not in self.pages:
            entry = self.tables.entry(address)
            self.pages[address] = self.player.stage.read_physical(entry.frame * PAGE, PAGE) if entry.present else b""
        return self.pages[address]

    def read(self, address, length):
        """LENGTH bytes at ADDRESS; fewer where a page is missing."""
        first, last = address & -PAGE, address + length + PAGE - 1 & -PAGE
        data = b"".join(self.page(page) for page in range(first, last, PAGE))
        return data[address - first:address - first + length]


def walk(player, start, end):
    """
    The chunks of the segment from START to the end chunk, and the address behind that. Broken when sizes and links do not
    agree, when it does not end at END or below, or when two free chunks lie side by side.
    """
    memory, chunks, at, below = Memory(player), [], start, 0
    while True:
        raw = memory.read(at, HEADER.size)
        if len(raw) != HEADER.size:
            raise Broken(f"a chunk's header at {at:#x}, where the chunk below it ends", "no page there")
        said, word = HEADER.unpack(raw)
        size, in_use = word & ~(IN_USE | MAPPED), bool(word & IN_USE)
        if said != below:
            raise Broken(f"the chunk at {at:#x} to know the size of the one below, {below:#x}", f"{said:#x}")
        if size == 0 and in_use:
            return chunks, at + HEADER.size
        if size % ALIGNMENT or size < SMALLEST or at + size + HEADER.size > end:
            raise Broken(f"the size of a chunk in the header at {at:#x}, in a heap that ends at {end:#x}", f"{word:#x}")
        if chunks and not in_use and not chunks[-1].in_use:
            raise Broken("free neighbours to be joined", f"two free chunks, at {chunks[-1].address:#x} and {at:#x}")
        chunks.append(Chunk(at, size, in_use))
        at, below = at + size, size


class Blocks:
    """What a program may expect of its blocks: a model of those that are in use, each filled with a byte of its own."""

    def __init__(self, stage, player):
        self.stage, self.player = stage, player
        self.live = {}          # {block: (size, byte)}

    def take(self, size, function="malloc", *arguments):
        """A new block of SIZE bytes, filled."""
        block = self.player.answer(function, *(arguments or (size,)))
        if block == 0:
            raise Broken(f"{function} of {size} bytes to succeed", "NULL")
        self.enter(block, size)
        return block

    def enter(self, block, size):
        if block % ALIGNMENT:
            raise Broken(f"a block of {size} bytes aligned to {ALIGNMENT}", f"{block:#x}")
        for other, (length, _) in self.live.items():
            if block < other + max(length, 1) and other < block + max(size, 1):
                raise Broken(f"a block of {size} bytes that overlaps no other",
                             f"{block:#x}, and {other:#x} has {length} bytes")
        byte = self.stage.draw_byte()
        if size and (step := self.player.fill(block, byte, size)).signal:
            raise Broken(f"all {size} bytes of the block at {block:#x} to be the program's",
                         f"signal {step.signal.number} at {step.signal.address:#x}")
        self.live[block] = size, byte

    def expect(self, block):
        """The block has kept what was written there."""
        size, byte = self.live[block]
        data = self.player.peek(block, size)
        if len(data) != size or data.count(byte) != size:
            at = next((index for index, seen in enumerate(data) if seen != byte), len(data))
            raise Broken(f"the block of {size} bytes at {block:#x} to keep its bytes, all {byte:#x}",
                         f"{data[at]:#x} at byte {at}" if data else "no page there")

    def give_back(self, block):
        self.expect(block)
        self.player.answer("free", block)
        del self.live[block]

    def expect_all(self, chunks):
        """All blocks are as they were, and CHUNKS (walk) has one in use for each of them and no other."""
        for block in self.live:
            self.expect(block)
        used = {chunk.address + HEADER.size: chunk for chunk in chunks if chunk.in_use}
        for block, (size, _) in self.live.items():
            if block in used and used.pop(block).size < chunk_size(size):
                raise Broken(f"a chunk of {chunk_size(size):#x} bytes or more for the {size} bytes at {block:#x}", "a smaller one")
        if used:
            raise Broken("a chunk in use for each block that was not freed, and no other", f"one for {min(used):#x}")
