"""
A pretended kernel that writes a journal as long as one likes, and knows the state that it has ended in: the judge of the
page's replay, which has to find the same state from the events alone.

    pretended_kernel.py EVENTS [SEED] writes that many events to standard output.
"""
import json
import random
import sys

PAGE = 4096
READ, WRITE, ANONYMOUS = 1, 2, 0x100070
PRESENT, WRITABLE, USER, ACCESSED, DIRTY, NO_EXECUTE = 1, 2, 4, 32, 64, 1 << 63
BIT_NAMES = {0: "present", 1: "write", 2: "user", 5: "accessed", 6: "dirty", 63: "no_execute"}
ZERO_FRAME = 380
FIRST_FRAME, FRAMES = 1024, 60000
LOWEST, HIGHEST = 0x7fff00000000, 0x7ffff0000000
MOST_PROCESSES, MOST_VMAS, MOST_PAGES = 6, 40, 64


def bits_of(value):
    return [name for bit, name in BIT_NAMES.items() if value >> bit & 1]


def entry(value):
    return None if not value else {"value": hex(value), "frame": (value & 0xffffffffff000) >> 12, "bits": bits_of(value)}


def rights(flags):
    return {"value": hex(flags), "rights": f"{'r' if flags & 1 else '-'}{'w' if flags & 2 else '-'}-p"}


class Space:
    def __init__(self, top):
        self.top, self.vmas, self.entries, self.tables = top, {}, {}, {}   # {start: (end, flags)}, {page: value}


class Kernel:
    def __init__(self, limit, seed, write):
        self.limit, self.write, self.random, self.count = limit, write, random.Random(seed), 0
        self.free, self.types, self.users = list(range(FIRST_FRAME, FIRST_FRAME + FRAMES))[::-1], {}, {}
        self.spaces, self.next_pid, self.pid = {}, 3, 0
        self.write('{"zeropage-journal":1,"frames":65536,"frames_free":60000}\n')

    def event(self, kind, **arguments):
        self.write(json.dumps({"seq": self.count, "pid": self.pid, "event": kind, **arguments},
                              separators=(",", ":")) + "\n")
        self.count += 1

    # --- frames and tables ---

    def take(self, kind):
        frame = self.free.pop()
        self.types[frame] = kind
        self.event("frame_alloc", frame=frame, order=0, type=kind)
        return frame

    def release(self, frame):
        self.event("frame_free", frame=frame, order=0, type=self.types.pop(frame))
        self.free.append(frame)

    def table(self, space, level, address):
        frame = self.take("table")
        self.event("table_alloc", frame=frame, level=level, address=hex(address))
        if space:
            space.tables[level, address] = frame
        return frame

    def new_space(self):
        return Space(self.table(None, 4, 0))

    def set_entry(self, space, page, value):
        before = space.entries.get(page, 0)
        if value:
            for level in (3, 2, 1):
                base = page * PAGE & -(PAGE * 512 ** level)
                if (level, base) not in space.tables:
                    self.table(space, level, base)
        self.event("pte", address=hex(page * PAGE), before=entry(before), after=entry(value))
        if before:
            del space.entries[page]
        if value:
            space.entries[page] = value
            self.users[value >> 12 & 0xffffffffff] = self.users.get(value >> 12 & 0xffffffffff, 0) + 1
        if before:
            frame = before >> 12 & 0xffffffffff
            self.users[frame] -= 1
            if not self.users[frame] and frame != ZERO_FRAME:
                self.release(frame)

    # --- what programs do ---

    def start(self):
        self.pid = 2
        self.event("process", what="start", process=2, detail=0)
        self.spaces[2] = self.new_space()
        self.event("process", what="exec", process=2, detail=0)

    def mmap(self, space):
        pages = self.random.randint(1, MOST_PAGES)
        start = self.random.randrange(LOWEST, HIGHEST, PAGE)
        end = start + pages * PAGE
        if len(space.vmas) >= MOST_VMAS or any(start < other_end and other < end for other, (other_end, _) in space.vmas.items()):
            return
        flags = ANONYMOUS | READ | WRITE
        space.vmas[start] = (end, flags)
        self.event("vma_add", start=hex(start), end=hex(end), flags=rights(flags), pgoff=hex(start // PAGE))
        self.event("syscall", number=9, a0="0x0", a1=hex(end - start), a2="0x3", a3="0x22", a4="0xffffffffffffffff", a5="0x0",
                   result=start)

    def clear(self, space, start, end):
        for page in range(start // PAGE, end // PAGE):
            if page in space.entries:
                self.set_entry(space, page, 0)

    def munmap(self, space):
        start, (end, flags) = self.random.choice(list(space.vmas.items()))
        at = self.random.randrange(start, end, PAGE)
        if at > start:
            self.event("vma_split", start=hex(start), end=hex(end), flags=rights(flags), at=hex(at))
            space.vmas[start] = (at, flags)
        self.clear(space, at, end)
        self.event("vma_delete", start=hex(at), end=hex(end), flags=rights(flags), pgoff=hex(at // PAGE))
        space.vmas.pop(at, None)

    def shrink(self, space):
        start, (end, flags) = self.random.choice(list(space.vmas.items()))
        if end - start < 2 * PAGE:
            return
        self.clear(space, end - PAGE, end)
        self.event("vma_change", start=hex(start), end=hex(end), flags=rights(flags), new_start=hex(start),
                   new_end=hex(end - PAGE), new_flags=rights(flags))
        space.vmas[start] = (end - PAGE, flags)

    def grow(self, space):
        start, (end, flags) = self.random.choice(list(space.vmas.items()))
        if any(end <= other < end + PAGE for other in space.vmas):
            return
        space.vmas[start] = (end + PAGE, flags)
        self.event("vma_merge", start=hex(start), end=hex(end + PAGE), flags=rights(flags))

    def touch(self, space):
        start, (end, _) = self.random.choice(list(space.vmas.items()))
        page, writes = self.random.randrange(start, end, PAGE) // PAGE, self.random.random() < 0.7
        before = space.entries.get(page, 0)
        if before and (before & WRITABLE or not writes):
            return
        common = PRESENT | USER | ACCESSED | NO_EXECUTE
        frame = before >> 12 & 0xffffffffff
        if not writes:
            outcome, after = "zero_page", ZERO_FRAME << 12 | common
        elif before and frame != ZERO_FRAME and self.users[frame] == 1:
            outcome, after = "cow_reused", before | WRITABLE | DIRTY
        else:
            outcome = "new_page" if not before else "zero_replaced" if frame == ZERO_FRAME else "cow_copied"
            after = self.take("anon") << 12 | common | WRITABLE | DIRTY
        self.set_entry(space, page, after)
        code = USER | (WRITE if writes else 0) | (1 if before else 0)
        self.event("fault", address=hex(page * PAGE + 8), error={"code": code, "bits": []}, ip="0x401000",
                   vma_start=hex(start), vma_end=hex(end), outcome=outcome, pte_before=entry(before), pte_after=entry(after),
                   frame=after >> 12 & 0xffffffffff)

    def fork(self, parent):
        if len(self.spaces) >= MOST_PROCESSES:
            return
        child = self.new_space()
        for start, (end, flags) in sorted(parent.vmas.items()):
            child.vmas[start] = (end, flags)
            self.event("vma_add", start=hex(start), end=hex(end), flags=rights(flags), pgoff=hex(start // PAGE))
            for page in [page for page in range(start // PAGE, end // PAGE) if page in parent.entries]:
                value = parent.entries[page]
                if value & WRITABLE:
                    value &= ~WRITABLE
                    self.event("pte", address=hex(page * PAGE), before=entry(parent.entries[page]), after=entry(value))
                    parent.entries[page] = value
                self.set_entry(child, page, value & ~ACCESSED)
        self.event("process", what="fork", process=self.next_pid, detail=self.pid)
        self.spaces[self.next_pid] = child
        self.next_pid += 1

    def empty(self, space):
        for start, (end, _) in sorted(space.vmas.items()):
            self.clear(space, start, end)
        for (level, address), frame in sorted(space.tables.items()):
            self.event("table_free", frame=frame, level=level, address=hex(address))
            self.release(frame)
        for start, (end, flags) in sorted(space.vmas.items()):
            self.event("vma_delete", start=hex(start), end=hex(end), flags=rights(flags), pgoff=hex(start // PAGE))
        self.event("table_free", frame=space.top, level=4, address="0x0")
        self.release(space.top)

    def exec(self, old):
        space = self.new_space()
        start, end, flags = 0x7fffffffe000, 0x7ffffffff000, ANONYMOUS | READ | WRITE
        space.vmas[start] = (end, flags)
        self.event("vma_add", start=hex(start), end=hex(end), flags=rights(flags), pgoff=hex(start // PAGE))
        self.set_entry(space, start // PAGE, self.take("anon") << 12 | PRESENT | USER | WRITABLE)
        self.empty(old)
        self.spaces[self.pid] = space
        self.event("process", what="exec", process=self.pid, detail=0)

    def exit(self, space):
        if len(self.spaces) == 1:
            return
        self.event("process", what="exit", process=self.pid, detail=0)
        self.empty(space)
        del self.spaces[self.pid]

    def run(self):
        self.start()
        calls = [self.touch] * 400 + [self.mmap] * 30 + [self.munmap] * 12 + [self.grow] * 4 + [self.shrink] * 4 + \
            [self.fork, self.exit, self.exec]
        while self.count < self.limit:
            self.pid = self.random.choice(list(self.spaces))
            space, call = self.spaces[self.pid], self.random.choice(calls)
            if space.vmas or call in (self.mmap, self.exec):
                call(space)

    def state(self):
        """What the replay must find: by process, VMAs and entries; and the frames that are taken, by type."""
        return {
            "processes": {str(pid): {
                "top": space.top,
                "vmas": [[start, end, flags] for start, (end, flags) in sorted(space.vmas.items())],
                "entries": [[page, value >> 12 & 0xffffffffff, bool(value & WRITABLE)]
                            for page, value in sorted(space.entries.items())],
                "tables": sorted([space.tables[key], key[0], key[1]] for key in space.tables),
            } for pid, space in self.spaces.items()},
            "frames": sorted([frame, kind] for frame, kind in self.types.items()),
        }


if __name__ == "__main__":
    Kernel(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1, sys.stdout.write).run()
