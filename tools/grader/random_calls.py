"""
Random memory calls and accesses of some processes, and a model of what has to come of them: a page is a mapping's right and bytes.
How many faults something takes, which pages are present, and in which frames, is left to the kernel; what is present is looked at in
physical memory.
"""
from . import calls
from .page_tables import PAGE
from .words import Broken

HUGE = 512 * PAGE
PRIVATE_PAGES, SHARED_PAGES = 3 * 512, 64
FAMILY = 3
ADVICE = (12, 12, 14, 15, 20, 21, 21)       # MERGEABLE, HUGEPAGE, NOHUGEPAGE, COLD, PAGEOUT: nothing that a program sees
RIGHTS = (calls.RW, calls.RW, calls.RW, calls.RW, calls.PROT_READ, calls.PROT_NONE)
NEAR, NEARBY = 0.6, 12                  # how often a call is near what was written last, in pages
LOOKED_AT, AWAY, EACH = 150, 24, 40     # frames whose bytes are compared at a time; pages that have to come back; steps
ALIKE, WRITTEN, READ_BACK = 16, 4, 8
SPINS, SPIN = 12, 4_000_000             # rounds of so many loads, three instructions each: twelve ticks of the clock at least
MERGEABLE = 12
ENOMEM = -12


class Page:
    """RIGHTS of the mapping here; BYTES {offset: value}, all others are 0. Shared pages of several processes have one dict."""
    __slots__ = ("rights", "bytes", "is_shared")

    def __init__(self, rights, content, is_shared):
        self.rights, self.bytes, self.is_shared = rights, content, is_shared


class Process:
    def __init__(self, actor, pages):
        self.actor, self.pages = actor, pages


class RandomCalls:
    """On a stage: run() plays it through, and raises Broken where the kernel and the model part."""

    def __init__(self, stage):
        self.stage, self.random = stage, stage.random
        # The private window goes over the ends of page tables, and has one whole huge page.
        start = stage.draw_place(PRIVATE_PAGES + SHARED_PAGES + 1024)
        self.private = (start + HUGE - 1 & -HUGE) + HUGE // 2
        self.shared = self.private + PRIVATE_PAGES * PAGE + HUGE
        self.family = [Process(stage.main, {})]
        self.process = self.family[0]
        self.last = self.private        # where something has been written
        self.done = ""

    def run(self, steps):
        span = (self.shared, self.shared + SHARED_PAGES * PAGE)
        self.stage.shared.append(span)
        acts = [self.map] * 3 + [self.unmap] + [self.protect] * 2 + [self.forget] + [self.advise] + [self.advise_alike] * 3 + [self.move] * 2 + [self.fork, self.end]
        acts += [self.store, self.load] * 3 + [self.store_in_order, self.load_in_order] * 4
        self.map_all()
        self.pass_the_end_of_a_table()
        self.merge_by_and_by()
        for step in range(steps):
            self.process = self.random.choice(self.family)
            self.random.choice(acts)()
            if step % EACH == EACH - 1:
                self.look_at_all()
        self.look_at_all()
        while len(self.family) > 1:
            self.family.pop().actor.exit()
        self.stage.main.expect_call(0, calls.MUNMAP, self.private, PRIVATE_PAGES * PAGE)
        self.stage.main.expect_call(0, calls.MUNMAP, *[span[0], span[1] - span[0]])
        self.stage.shared.remove(span)

    # --- Draws ------------------------------------------------------------------------------------------------------

    def draw_range(self, shared=None):
        """(start, pages): mostly some, at times hundreds; within one window."""
        if shared if shared is not None else self.random.random() < 0.15:
            start, room = self.shared, SHARED_PAGES
        else:
            start, room = self.private, PRIVATE_PAGES
        longest = self.random.choice((8, 8, 24, 24, 24, 200, 1100))
        pages = self.random.randint(1, min(longest, room))
        place = start + self.random.randint(0, room - pages) * PAGE
        if start == self.private and self.random.random() < NEAR:
            place = min(max(start, self.last + self.random.randint(-NEARBY, NEARBY) * PAGE), start + (room - pages) * PAGE)
        return place, pages

    def each(self, start, pages):
        return range(start, start + pages * PAGE, PAGE)

    def call(self, name, number, *arguments):
        self.done = f"{name}({', '.join(f'{argument:#x}' for argument in arguments)}) of puppet {self.process.actor.identity}"
        return self.process.actor.result(number, *arguments)

    def expect(self, expected, got):
        if got != expected:
            raise Broken(f"{self.done} to return {calls.describe_result(expected)}", calls.describe_result(got))

    # --- Calls --------------------------------------------------------------------------------------------------------

    def map_all(self):
        """To begin with there is something to touch."""
        for start, pages, flags in ((self.private, PRIVATE_PAGES, calls.MAP_PRIVATE), (self.shared, SHARED_PAGES, calls.MAP_SHARED)):
            self.map_at(start, pages, calls.RW, flags)

    def map(self):
        shared = self.random.random() < 0.2
        start, pages = self.draw_range(shared)
        self.map_at(start, pages, self.random.choice(RIGHTS), calls.MAP_SHARED if shared else calls.MAP_PRIVATE)

    def map_at(self, start, pages, rights, flags):
        flags |= calls.MAP_ANONYMOUS | calls.MAP_FIXED
        self.expect(start, self.call("mmap", calls.MMAP, start, pages * PAGE, rights, flags, -1 & (1 << 64) - 1, 0))
        for page in self.each(start, pages):
            self.process.pages[page] = Page(rights, {}, bool(flags & calls.MAP_SHARED))

    def unmap(self):
        start, pages = self.draw_range()
        self.expect(0, self.call("munmap", calls.MUNMAP, start, pages * PAGE))
        for page in self.each(start, pages):
            self.process.pages.pop(page, None)

    def protect(self):
        start, pages = self.draw_range()
        self.protect_at(start, pages, self.random.choice(RIGHTS))

    def protect_at(self, start, pages, rights):
        got = self.call("mprotect", calls.MPROTECT, start, pages * PAGE, rights)
        for page in self.each(start, pages):
            if page not in self.process.pages:
                self.expect(ENOMEM, got)
                return
            self.process.pages[page].rights = rights
        self.expect(0, got)

    def forget(self):
        """MADV_DONTNEED: private pages are zero again, those behind a hole, too."""
        start, pages = self.draw_range()
        got = self.call("madvise", calls.MADVISE, start, pages * PAGE, calls.MADV_DONTNEED)
        there = [self.process.pages[page] for page in self.each(start, pages) if page in self.process.pages]
        self.expect(0 if len(there) == pages else ENOMEM, got)
        for page in there:
            page.bytes = page.bytes if page.is_shared else {}

    def advise(self):
        start, pages = self.draw_range()
        self.call("madvise", calls.MADVISE, start, pages * PAGE, self.random.choice(ADVICE))

    def advise_alike(self):
        """Pages with the same in them, but for one; an advice; and then some of them are written and all are read."""
        start, pages = self.fresh_pages()
        self.store_at(start + self.random.randrange(pages * PAGE), self.random.randint(1, 255))
        self.call("madvise", calls.MADVISE, start, pages * PAGE, self.random.choice(ADVICE))
        for _ in range(self.random.randint(1, 3)):
            page = self.random.choice((0, pages - 1, self.random.randrange(pages)))
            self.store_at(start + page * PAGE + self.random.randrange(PAGE), self.random.randint(1, 255))
        written = [page + offset for page in self.each(start, pages) for offset in self.process.pages[page].bytes]
        for address in self.random.sample(written, min(len(written), READ_BACK)):
            self.load_and_compare(address)

    def pass_the_end_of_a_table(self):
        """The first pages that are touched by way of a page table are its last ones, in order, and then those of the next."""
        start = self.private + HUGE // 2 + HUGE * self.random.randrange(PRIVATE_PAGES * PAGE // HUGE) - ALIKE * PAGE
        start += self.random.randrange(PAGE // 2, PAGE)
        value = self.random.randint(1, 255)
        self.put(start, self.touch("stores", "write_pages", start, 2 * ALIKE, calls.PROT_WRITE, value)[1], value)
        self.look_at_all()

    def merge_by_and_by(self):
        """
        Equal pages, and a kernel that may merge them as the clock ticks: they are written when it has, and again when their rights have
        gone and come. Meanwhile nothing is done that makes the processor forget a translation.
        """
        start = self.private + self.random.randint(0, PRIVATE_PAGES - ALIKE) * PAGE
        self.map_alike(start, ALIKE)
        self.call("madvise", calls.MADVISE, start, ALIKE * PAGE, MERGEABLE)
        for _ in range(SPINS):
            self.process.actor.read_pages(start, SPIN, 0)
        for rights in ((), (calls.PROT_READ, calls.RW)):
            for right in rights:
                self.protect_at(start, ALIKE, right)
            for index in (0, ALIKE - 1, *self.random.sample(range(1, ALIKE - 1), WRITTEN)):
                self.store_at(start + index * PAGE + self.random.randrange(PAGE), self.random.randint(1, 255))
            self.look_at_all()

    def fresh_pages(self):
        """(start, pages) of some that are mapped anew, and have the same in them."""
        start, pages = self.draw_range(False)
        pages = min(pages, ALIKE)
        self.map_alike(start, pages)
        return start, pages

    def map_alike(self, start, pages):
        self.map_at(start, pages, calls.RW, calls.MAP_PRIVATE)
        value = self.random.randint(1, 255)
        within = start + self.random.randrange(PAGE)
        self.put(within, self.touch("stores", "write_pages", within, pages, calls.PROT_WRITE, value)[1], value)

    def move(self):
        """mremap to another place, where something may be mapped already."""
        start, pages = self.fresh_pages()
        target = self.private + self.random.randint(0, PRIVATE_PAGES - pages) * PAGE
        if abs(target - start) < pages * PAGE:
            return
        self.expect(target, self.call("mremap", calls.MREMAP, start, pages * PAGE, pages * PAGE,
                                      calls.MREMAP_MAYMOVE | calls.MREMAP_FIXED, target))
        for index in range(pages):
            self.process.pages[target + index * PAGE] = self.process.pages.pop(start + index * PAGE)
        self.last = target

    def fork(self):
        if len(self.family) == FAMILY:
            return
        parent = self.process = self.family[0]
        self.done = "fork()"
        pages = {address: Page(page.rights, page.bytes if page.is_shared else dict(page.bytes), page.is_shared)
                 for address, page in parent.pages.items()}
        self.family.append(Process(parent.actor.fork(), pages))

    def end(self):
        if len(self.family) > 1 and self.random.random() < 0.7:
            self.family.pop(self.random.randrange(1, len(self.family))).actor.exit()

    # --- Accesses -------------------------------------------------------------------------------------------------------

    def refusal(self, address, right):
        """The code of the SIGSEGV that an access has to end in, or None."""
        page = self.process.pages.get(address & -PAGE)
        if page is None:
            return calls.SEGV_MAPERR
        return None if page.rights & right else calls.SEGV_ACCERR

    def touch(self, what, piece, address, count, right, value=0):
        """COUNT accesses, a page apart; those before the first refused one have been made. Returns (step, how many)."""
        actor = self.process.actor
        self.done = f"{what} of {count} pages in order from {address:#x} on" if count > 1 else f"{what} at {address:#x}"
        self.done += f" by puppet {actor.identity}"
        if piece.endswith("_pages"):
            step = actor.do(piece, rdi=address, rsi=PAGE, rcx=count, rax=value)
        else:
            step = actor.do(piece, rdi=address, rsi=value)
        for index in range(count):
            at = address + index * PAGE
            if code := self.refusal(at, right):
                if step.signal != (calls.SIGSEGV, code, at):
                    raise Broken(f"{self.done} to end in SIGSEGV with code {code} at {at:#x}", self.ending(step))
                return step, index
        if step.signal:
            raise Broken(f"{self.done} to succeed", self.ending(step))
        return step, count

    def ending(self, step):
        return f"signal {step.signal.number}, code {step.signal.code}, at {step.signal.address:#x}" if step.signal else "no signal"

    def draw_access(self):
        start, pages = self.draw_range()
        return start + self.random.randrange(PAGE), pages, self.random.randint(1, 255)

    def put(self, address, count, value):
        if self.private <= address < self.private + PRIVATE_PAGES * PAGE:
            self.last = address & -PAGE
        for index in range(count):
            at = address + index * PAGE
            self.process.pages[at & -PAGE].bytes[at % PAGE] = value

    def store(self):
        address, _, value = self.draw_access()
        self.store_at(address, value)

    def store_at(self, address, value):
        self.put(address, self.touch("a store", "store", address, 1, calls.PROT_WRITE, value)[1], value)

    def store_in_order(self):
        address, pages, value = self.draw_access()
        self.put(address, self.touch("stores", "write_pages", address, pages, calls.PROT_WRITE, value)[1], value)

    def load(self):
        address, _, _ = self.draw_access()
        self.load_and_compare(address)

    def load_and_compare(self, address):
        step, count = self.touch("a load", "load", address, 1, calls.PROT_READ)
        if count and step.value != (byte := self.process.pages[address & -PAGE].bytes.get(address % PAGE, 0)):
            raise Broken(f"{self.done} to give {byte:#x}", f"{step.value:#x}")

    def load_in_order(self):
        address, pages, _ = self.draw_access()
        self.touch("loads", "read_pages", address, pages, calls.PROT_READ)

    # --- Looking ----------------------------------------------------------------------------------------------------------

    def look_at_all(self):
        owners = {}
        for self.process in self.family:
            tables, there, away = self.process.actor.tables(), [], []
            for address in [*self.each(self.private, PRIVATE_PAGES), *self.each(self.shared, SHARED_PAGES)]:
                page, entry = self.process.pages.get(address), tables.entry(address)
                if entry.present:
                    frame = entry.frame + address % entry.size // PAGE
                    self.look_at_entry(address, page, entry, frame, owners)
                    there.append((address, page, frame))
                elif page and page.bytes and page.rights & calls.PROT_READ:
                    away.append(address)
            self.random.shuffle(there)
            there.sort(key=lambda found: not found[1].bytes)
            self.look_at_bytes(there[:LOOKED_AT // 2] + there[-LOOKED_AT // 2:])
            for address in self.random.sample(away, min(len(away), AWAY)):
                self.load_and_compare(address + self.random.choice(list(self.process.pages[address].bytes)))

    def look_at_entry(self, address, page, entry, frame, owners):
        who = f"puppet {self.process.actor.identity}"
        if page is None:
            raise Broken(f"no entry for {address:#x} in {who}, where nothing is mapped", f"{entry}, after {self.done}")
        if entry.user and not page.rights or entry.writable and not page.rights & calls.PROT_WRITE or entry.executable:
            raise Broken(f"no more rights at {address:#x} in {who} than {calls.describe_protection(page.rights)}", f"{entry}, after {self.done}")
        if entry.writable and not page.is_shared and owners.setdefault(frame, (who, address)) != (who, address):
            raise Broken("a private frame to be writable for one page only",
                         f"frame {frame:#x} is, at {address:#x} in {who} and at {owners[frame][1]:#x} in {owners[frame][0]}")

    def look_at_bytes(self, found):
        seen = {}
        for address, page, frame in found:
            if frame not in seen:
                seen[frame] = self.stage.read_physical(frame * PAGE, PAGE)
            right = bytearray(PAGE)
            for offset, value in page.bytes.items():
                right[offset] = value
            if seen[frame] != right:
                offset = next((index for index, pair in enumerate(zip(seen[frame], right)) if pair[0] != pair[1]), 0)
                raise Broken(f"the byte {right[offset]:#04x} at {address + offset:#x} in puppet {self.process.actor.identity}",
                             f"{seen[frame][offset]:#04x} in frame {frame:#x}, some time before or at {self.done}")
