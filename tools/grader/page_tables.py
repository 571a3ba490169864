"""Walks the four levels of page tables in physical memory, as the processor does (Intel SDM vol. 3A, 4.5)."""
import struct
from collections import namedtuple

PAGE = 4096
PRESENT, WRITABLE, USER, ACCESSED, DIRTY, LARGE, NO_EXECUTE = 1, 2, 4, 1 << 5, 1 << 6, 1 << 7, 1 << 63
FRAME_BITS = 0x000ffffffffff000
ENTRIES, USER_ENTRIES = 512, 256
SHIFTS = {4: 39, 3: 30, 2: 21, 1: 12}


class Entry(namedtuple("Entry", "value writable user executable size")):
    """What a page maps to. The rights are those of all levels together; SIZE is that of the page (or of the hole)."""
    @property
    def present(self):
        return bool(self.value & PRESENT)

    @property
    def dirty(self):
        return bool(self.value & DIRTY)

    @property
    def frame(self):
        return (self.value & FRAME_BITS) // PAGE if self.present else None

    def __str__(self):
        if not self.present:
            return "not present"
        rights = "".join(letter if right else "-" for letter, right in
                         (("u", self.user), ("w", self.writable), ("x", self.executable)))
        return f"frame {self.frame:#x} {rights}"


class PageTables:
    """The tables below CR3. READ(address, length) gives physical memory; one table is read at most once."""

    def __init__(self, read, cr3):
        self.read, self.top = read, (cr3 & FRAME_BITS) // PAGE
        self.tables = {}

    def table(self, frame):
        if frame not in self.tables:
            raw = self.read(frame * PAGE, PAGE)
            self.tables[frame] = struct.unpack(f"<{ENTRIES}Q", raw) if len(raw) == PAGE else (0,) * ENTRIES
        return self.tables[frame]

    def entry(self, address):
        frame, writable, user, executable = self.top, True, True, True
        for level, shift in SHIFTS.items():
            value = self.table(frame)[address >> shift & ENTRIES - 1]
            if not value & PRESENT:
                return Entry(value, False, False, False, 1 << shift)
            writable, user = writable and bool(value & WRITABLE), user and bool(value & USER)
            executable = executable and not value & NO_EXECUTE
            if level == 1 or value & LARGE and level < 4:
                return Entry(value, writable, user, executable, 1 << shift)
            frame = (value & FRAME_BITS) // PAGE
        raise AssertionError("level 1 ends each walk")

    def user_tables(self):
        """{frame: (level, first address)} of every table of the user half, the top one included."""
        found, below = {self.top: (4, 0)}, [(self.top, 4, 0)]
        while below:
            frame, level, base = below.pop()
            for index, value in enumerate(self.table(frame)[:USER_ENTRIES if level == 4 else ENTRIES]):
                next_frame = (value & FRAME_BITS) // PAGE
                if not value & PRESENT or level > 1 and value & LARGE or level == 1 or next_frame in found:
                    continue
                address = base + (index << SHIFTS[level])
                found[next_frame] = (level - 1, address)
                if level > 2:
                    below.append((next_frame, level - 1, address))
        return found

    def user_pages(self):
        """{address: Entry} of every page that ring 3 has, in order."""
        pages = {}
        for frame, (level, base) in sorted(self.user_tables().items(), key=lambda item: item[1][1]):
            if level == 1:
                for index, value in enumerate(self.table(frame)):
                    if value & PRESENT:
                        address = base + index * PAGE
                        pages[address] = self.entry(address)
        return pages
