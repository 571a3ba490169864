"""
Lab 4's checks of user/lib: a program (heap.asm) is linked with it, and its functions are called from outside one by one.
What they leave is read in physical memory: the blocks' bytes, the chunks' headers, the pages that the heap has.
"""
from grader import calls
from grader.actor import READ_MISSING, WRITE_MISSING
from grader.chunks import Blocks, Memory, chunk_size, walk
from grader.page_tables import PAGE
from grader.words import Broken, plural

# Of user/lib/malloc.c and the handout.
MAP_THRESHOLD, TRIM_THRESHOLD, TRIM_KEEP, GROWTH = 128 << 10, 64 << 10, 16 << 10, 16 << 10
CHUNK_MINIMUM, ALIGNMENT = 32, 16
EMPTY, ENOMEM, FAILED = 0, 12, (1 << 64) - 1
LARGEST, SIZE_MAX = (1 << 63) - 1, (1 << 64) - 1


class Heap:
    """A player, the break before it used malloc, and where the first segment of chunks begins."""

    def __init__(self, stage, shift=None):
        self.stage, self.player = stage, stage.play("heap")
        shift = stage.draw(1, 3 * PAGE) if shift is None else shift
        if shift:
            self.sbrk(shift)            # so that malloc's heap does not begin where the kernel's does
        self.start = self.brk() + ALIGNMENT - 1 & -ALIGNMENT
        self.blocks = Blocks(stage, self.player)

    def brk(self):
        """The break as the kernel has it."""
        return self.player.result(calls.BRK, 0)

    def sbrk(self, increment):
        old = self.brk()
        got = self.player.answer("sbrk", increment)
        if got != old:
            raise Broken(f"sbrk({increment}) to return the break before it, {old:#x}", describe(got))
        if (now := self.brk()) != old + increment:
            raise Broken(f"the break at {old + increment:#x} after sbrk({increment})", f"{now:#x}")
        return old

    def chunks(self, start=None):
        return walk(self.player, start or self.start, self.brk())[0]

    def expect_all_is_joined(self):
        """Nothing is in use: one free chunk, too small to be trimmed, and nothing above it."""
        chunks, end = walk(self.player, self.start, self.brk())
        if len(chunks) != 1 or chunks[0].in_use:
            raise Broken("one free chunk when all blocks are freed", plural(len(chunks), "chunk"))
        if chunks[0].size >= TRIM_THRESHOLD:
            raise Broken(f"less than {TRIM_THRESHOLD:#x} bytes of heap when all blocks are freed", f"{chunks[0].size:#x}")
        if self.brk() - end >= ALIGNMENT:
            raise Broken(f"the heap to end at its end chunk, at {end:#x}", f"{self.brk():#x}")

    def leave(self):
        self.stage.check_sound()
        self.player.exit()


def describe(value):
    return "-1" if value == FAILED else f"{value:#x}"


def expect_refusal(player, function, result, *arguments):
    """FUNCTION answers RESULT and sets errno to ENOMEM."""
    player.errno = EMPTY
    shown = f"{function}({', '.join(hex(argument) for argument in arguments)})"
    if (got := player.answer(function, *arguments)) != result:
        raise Broken(f"{shown} to return {describe(result)}", describe(got))
    if player.errno != ENOMEM:
        raise Broken(f"ENOMEM in errno after {shown}", str(player.errno))


def sbrk_moves_the_break(stage):
    heap = Heap(stage, shift=0)
    player, start = heap.player, heap.brk()
    heap.sbrk(0)
    for increment in (stage.draw(1, PAGE), stage.draw(PAGE, 40 * PAGE), -stage.draw(1, 50), stage.draw(1, 9 * PAGE), -PAGE):
        heap.sbrk(increment)
    player.expect_store(heap.brk() - 1, stage.draw_byte(), WRITE_MISSING, what="a write to the last byte below the break")
    for _ in range(3):
        wanted = start + stage.draw(1, 30 * PAGE)
        if player.answer("brk", wanted) & 0xffffffff or heap.brk() != wanted:
            raise Broken(f"brk({wanted:#x}) to return 0, and the break there", f"{heap.brk():#x}")
    old = heap.brk()
    wall = player.map(1, address=start + stage.draw(100, 900) * PAGE & -PAGE)
    to_kernel = (1 << 63) - 1 - stage.draw(0, 1 << 20)
    for increment in (wall - old, stage.draw(1 << 40, 1 << 46), -(old - start) - 1, -old, to_kernel, -to_kernel, -(old + PAGE)):
        expect_refusal(player, "sbrk", FAILED, increment)
        if heap.brk() != old:
            raise Broken(f"the break still at {old:#x} after sbrk({increment:#x}) has failed", f"{heap.brk():#x}")
    for wanted in (wall, start - 1, EMPTY, LARGEST, SIZE_MAX):
        player.errno = EMPTY
        got = player.answer("brk", wanted) & 0xffffffff
        if got != 0xffffffff or player.errno != ENOMEM or heap.brk() != old:
            raise Broken(f"brk({wanted:#x}) to return -1 with ENOMEM, and the break still at {old:#x}",
                         f"{got:#x}, errno {player.errno}, the break at {heap.brk():#x}")
    player.unmap(wall, 1)
    heap.sbrk(start - old)
    heap.leave()


def draw_size(stage):
    return stage.random.choice((stage.draw(0, 40), stage.draw(0, 500), stage.draw(0, 500), stage.draw(0, 3000), stage.draw(0, 20000)))


def blocks_keep_apart(stage):
    heap = Heap(stage)
    blocks = heap.blocks
    for step in range(90):
        size = draw_size(stage)
        if len(blocks.live) > 6 and stage.random.random() < 0.45:
            one_change(stage, heap, stage.random.choice(list(blocks.live)), size)
        elif stage.random.random() < 0.1:
            alignment = 16 << stage.draw(1, 8)
            if blocks.take(size, "aligned_alloc", alignment, size) % alignment:
                raise Broken(f"a block aligned to {alignment}", "another one")
        else:
            blocks.take(size)
        if step % 10 == 9:
            blocks.expect_all(heap.chunks())
    for block in stage.random.sample(list(blocks.live), len(blocks.live)):
        blocks.give_back(block)
    heap.expect_all_is_joined()
    heap.leave()


def one_change(stage, heap, block, size):
    """Frees BLOCK, or gives it another size."""
    blocks, player = heap.blocks, heap.player
    if stage.random.random() < 0.75 or not blocks.live[block][0]:
        return blocks.give_back(block)
    blocks.expect(block)
    old, byte = blocks.live.pop(block)
    moved = player.answer("realloc", block, size)
    if size and player.peek(moved, min(old, size)) != bytes((byte,)) * min(old, size):
        raise Broken(f"the bytes of {block:#x} at {moved:#x}, after realloc from {old} to {size} bytes", "others")
    return blocks.enter(moved, size)


def free_memory_is_joined(stage):
    """What lies side by side and is free is one chunk, in whatever order it was freed, and is used again."""
    heap = Heap(stage)
    blocks, count = heap.blocks, stage.draw(9, 14)
    row = [blocks.take(stage.draw(200, 3000)) for _ in range(count)]
    last = blocks.take(stage.draw(100, 500))        # so that the row is not the heap's end
    size = sum(chunk.size for chunk in heap.chunks() if chunk.in_use and chunk.address + ALIGNMENT in row)
    for block in stage.random.sample(row, count):
        blocks.give_back(block)
        blocks.expect_all(heap.chunks())
    whole = [chunk for chunk in heap.chunks() if not chunk.in_use and chunk.address + ALIGNMENT == min(row)]
    if not whole or whole[0].size != size:
        raise Broken(f"one free chunk of {size:#x} bytes where {count} blocks were freed", f"{whole[0].size:#x}" if whole else "none")
    top = heap.brk()
    again = blocks.take(size - ALIGNMENT)
    if heap.brk() != top:
        raise Broken(f"the break still at {top:#x}, since {size:#x} bytes are free at {min(row):#x}", f"{heap.brk():#x}")
    for block in (again, last):
        blocks.give_back(block)
    heap.expect_all_is_joined()
    heap.leave()


def chunks_are_cut(stage):
    """A block takes from a free chunk what it needs; the rest stays free."""
    heap = Heap(stage)
    blocks = heap.blocks
    large, _ = blocks.take(stage.draw(30000, 60000)), blocks.take(100)
    blocks.give_back(large)
    top, sizes = heap.brk(), [stage.draw(0, 300) for _ in range(40)]
    for size in sizes:
        blocks.take(size)
    chunks = heap.chunks()
    blocks.expect_all(chunks)
    for chunk in chunks:
        size, _ = blocks.live.get(chunk.address + ALIGNMENT, (0, 0)) if chunk.in_use else (chunk.size, 0)
        if chunk.in_use and chunk.size >= chunk_size(size) + CHUNK_MINIMUM:
            raise Broken(f"a chunk of {chunk_size(size):#x} bytes for a block of {size}, and the rest of it free", f"{chunk.size:#x}")
    if heap.brk() != top:
        raise Broken(f"the break still at {top:#x}, since there was a free chunk", f"{heap.brk():#x}")
    heap.leave()


def the_heap_is_trimmed(stage):
    heap = Heap(stage)
    player, blocks = heap.player, heap.blocks
    for order in (sorted, lambda row: sorted(row, reverse=True), lambda row: stage.random.sample(row, len(row))):
        row = [blocks.take(stage.draw(8000, 30000)) for _ in range(12)]
        top = heap.brk()
        for block in order(row):
            blocks.give_back(block)
        heap.expect_all_is_joined()
        for page in range(heap.brk() + PAGE - 1 & -PAGE, top, PAGE):
            player.expect_absent(page, "a page that the heap has given back")
    # A small end of the heap stays; of a large one about TRIM_KEEP stays.
    below = blocks.take(40000)
    small = blocks.take(stage.draw(20000, 30000))
    top = heap.brk()
    blocks.give_back(small)
    if heap.chunks()[-1].size < TRIM_THRESHOLD and heap.brk() != top:
        raise Broken(f"the break still at {top:#x}, since less than {TRIM_THRESHOLD:#x} bytes are free", f"{heap.brk():#x}")
    end = blocks.take(stage.draw(90000, 120000))
    blocks.give_back(end)
    left = heap.chunks()[-1]
    if left.in_use or not TRIM_KEEP - PAGE <= left.size <= TRIM_KEEP + 2 * PAGE:
        raise Broken(f"about {TRIM_KEEP:#x} free bytes at the heap's end when it was trimmed", f"{left.size:#x}")
    blocks.give_back(below)
    a_refused_trim(stage, heap)
    heap.leave()


def a_refused_trim(stage, heap):
    """The kernel may refuse to move the break down as well; free then leaves all as it is, errno too."""
    player, blocks = heap.player, heap.blocks
    end = blocks.take(stage.draw(90000, 120000))
    player.put(player.mailbox, PAGE.to_bytes(8, "little") + b"\xff" * 8)
    player.expect_call(0, calls.SETRLIMIT, calls.RLIMIT_DATA, player.mailbox)
    player.errno = left = stage.draw(100, 120)
    blocks.give_back(end)
    if player.errno != left:
        raise Broken(f"errno as it was before free, {left}", str(player.errno))
    player.put(player.mailbox, b"\xff" * 16)
    player.expect_call(0, calls.SETRLIMIT, calls.RLIMIT_DATA, player.mailbox)
    again = blocks.take(stage.draw(90000, 120000))
    blocks.expect_all(heap.chunks())
    blocks.give_back(again)
    heap.expect_all_is_joined()


def large_blocks_are_mappings(stage):
    heap = Heap(stage)
    player, blocks = heap.player, heap.blocks
    small = blocks.take(stage.draw(1, 300))
    top = heap.brk()
    for size in (MAP_THRESHOLD, MAP_THRESHOLD + stage.draw(1, 5 * PAGE), stage.draw(200, 900) << 10):
        block = player.answer("malloc", size)
        if heap.brk() != top or heap.start <= block < top or block == 0:
            raise Broken(f"a mapping of its own for {size} bytes, and the break still at {top:#x}",
                         f"{block:#x}, and the break at {heap.brk():#x}")
        player.expect_absent(block + 2 * PAGE & -PAGE, "a page of a large block that nobody has touched")
        ends = block, block + size - 1
        for at in ends:
            if player.store(at, stage.draw_byte()).signal:
                raise Broken(f"all {size} bytes of the block at {block:#x} to be the program's", f"a signal at {at:#x}")
        player.errno = left = stage.draw(100, 120)
        player.answer("free", block)
        if player.errno != left:
            raise Broken(f"errno as it was before free, {left}", str(player.errno))
        for at in ends:
            player.expect_refused(player.load(at), at, READ_MISSING, calls.SEGV_MAPERR, "a read of a large block that was freed")
    inside = blocks.take(MAP_THRESHOLD - stage.draw(200, 900))
    if not heap.start <= inside < heap.brk():
        raise Broken("a block below MAP_THRESHOLD in the heap", f"{inside:#x}")
    for block in (small, inside):
        blocks.give_back(block)
    heap.expect_all_is_joined()
    heap.leave()


def others_move_the_break(stage):
    """The program takes a piece of the heap for itself: its bytes stay, and malloc goes on behind it."""
    heap = Heap(stage)
    player, blocks = heap.player, heap.blocks
    before = blocks.take(100000)
    length, byte = stage.draw(500, 3000) | 1, stage.draw_byte()
    end = heap.brk()
    foreign = heap.sbrk(length)
    player.fill(foreign, byte, length)
    blocks.give_back(before)
    if heap.brk() != foreign + length:
        raise Broken(f"the break to stay at {foreign + length:#x}, where the program has moved it", f"{heap.brk():#x}")
    rows = [blocks.take(stage.draw(7000, 12000)) for _ in range(25)]
    if not any(block > foreign for block in rows):
        raise Broken(f"blocks behind {foreign + length:#x}, when the heap below is full", f"none above {max(rows):#x}")
    second = foreign + length + ALIGNMENT - 1 & -ALIGNMENT
    lower, _ = walk(player, heap.start, end)
    upper, _ = walk(player, second, heap.brk())
    blocks.expect_all(lower + upper)
    for block in stage.random.sample(rows, len(rows)):
        if foreign - ALIGNMENT < block < foreign + length:
            raise Broken(f"no block in what the program took, from {foreign:#x} on", f"{block:#x}")
        blocks.give_back(block)
    if (seen := Memory(player).read(foreign, length)) != bytes((byte,)) * length:
        raise Broken(f"the {length} bytes at {foreign:#x}, which the program took, to stay {byte:#x}", f"{seen[:8].hex()}...")
    for segment, stop in ((heap.start, end), (second, heap.brk())):
        chunks, _ = walk(player, segment, stop)
        if len(chunks) != 1 or chunks[0].in_use:
            raise Broken(f"one free chunk in the segment at {segment:#x}", plural(len(chunks), "chunk"))
    if chunks[0].size >= TRIM_THRESHOLD:
        raise Broken(f"the segment behind it trimmed to less than {TRIM_THRESHOLD:#x} bytes", f"{chunks[0].size:#x}")
    heap.leave()


def when_there_is_no_memory(stage):
    heap = Heap(stage)
    player, blocks = heap.player, heap.blocks
    kept = [blocks.take(stage.draw(1000, 9000)) for _ in range(4)]
    for size in (SIZE_MAX, SIZE_MAX - stage.draw(1, 40), LARGEST, LARGEST + stage.draw(1, 1 << 40), 1 << 62):
        expect_refusal(player, "malloc", EMPTY, size)
    # Something is in the way of the break: a mapping of its own instead.
    wall = (heap.brk() + PAGE - 1 & -PAGE) + PAGE
    player.map(1, address=wall)
    top = heap.brk()
    for _ in range(3):
        block = blocks.take(stage.draw(70000, 100000))
        if heap.start <= block < wall + PAGE or heap.brk() != top:
            raise Broken("a mapping of its own for a block, since the break can't move", f"{block:#x}")
        kept.append(block)
    # And when no more memory is to be had at all: NULL.
    player.put(player.mailbox, PAGE.to_bytes(8, "little") + b"\xff" * 8)
    player.expect_call(0, calls.SETRLIMIT, calls.RLIMIT_AS, player.mailbox)
    for size in (stage.draw(70000, 100000), MAP_THRESHOLD + stage.draw(0, 1 << 20)):
        expect_refusal(player, "malloc", EMPTY, size)
    player.put(player.mailbox, b"\xff" * 16)
    player.expect_call(0, calls.SETRLIMIT, calls.RLIMIT_AS, player.mailbox)
    blocks.expect_all(heap.chunks())
    player.unmap(wall, 1)
    for block in stage.random.sample(kept, len(kept)):
        blocks.give_back(block)
    heap.expect_all_is_joined()
    heap.leave()


def wrong_frees_are_noticed(stage):
    heap = Heap(stage)
    player, blocks = heap.player, heap.blocks
    row = [blocks.take(stage.draw(64, 900)) for _ in range(8)]
    player.answer("free", EMPTY)
    empty = blocks.take(0)
    freed, joined = row.pop(3), row.pop(3)
    blocks.give_back(freed)
    blocks.give_back(joined)
    player.put(row[0], bytes(16))
    for block, what in ((freed, "a block that is free already"), (joined, "a block that is free and was joined"),
                        (row[1] + 8, "an address that is not aligned"), (row[0] + ALIGNMENT, "an address within a block")):
        said = player.stage.machine.console.count
        step = player.invoke("free", block)
        if not step.signal or step.signal.number != calls.SIGABRT:
            raise Broken(f"free of {what} to end in abort()", f"signal {step.signal.number}" if step.signal else "its return")
        player.stage.machine.drain()
        if player.stage.machine.console.count == said:
            raise Broken(f"a sentence on standard error about free of {what}", "nothing")
    del blocks.live[row[0]]
    player.answer("free", row[0])
    for block in row[1:] + [empty]:
        blocks.give_back(block)
    heap.expect_all_is_joined()
    heap.leave()
