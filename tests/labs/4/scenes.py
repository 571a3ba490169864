"""Lab 4's checks of brk as they are seen from outside: what it promises, what it takes back, and when it refuses."""
from grader import calls
from grader.actor import READ_MISSING, WRITE_MISSING
from grader.entries import expect_byte, own_entry, zero_entry
from grader.exceptions import INSTRUCTION, PRESENT, USER
from grader.maps import lines_of_maps, spans
from grader.page_tables import PAGE
from grader.words import Broken

GUARD_GAP = 256 * PAGE          # below a mapping that grows down
NO_LIMIT, ALL = b"\xff" * 8, 1 << 64
O_WRONLY, NOBODY = 1, 65534
OVERCOMMIT = "/proc/sys/vm/overcommit_memory"
GUESS, ALWAYS, NEVER = "0", "1", "2"


def brk(puppet, wanted, expected=None):
    got = puppet.result(calls.BRK, wanted)
    expected = wanted if expected is None else expected
    if got != expected:
        what = "which is the old break" if expected != wanted else "the wanted break"
        raise Broken(f"brk({wanted % ALL:#x}) to answer {expected:#x}, {what}", calls.describe_result(got))


def refuse(puppet, wanted, old):
    """The break WANTED is refused, and asked for afterwards it is still OLD."""
    brk(puppet, wanted, old)
    brk(puppet, 0, old)


def begin(puppet):
    """Where the heap begins, and the puppet's break is now."""
    start = puppet.home.end
    brk(puppet, 0, start)
    return start


def round_up(address):
    return address + PAGE - 1 & -PAGE


def expect_gone(puppet, at, what):
    puppet.expect_refused(puppet.load(at), at, READ_MISSING, calls.SEGV_MAPERR, what)
    puppet.expect_absent(at & -PAGE, what)


def write_file(puppet, path, text):
    handle = puppet.result(calls.OPEN, puppet.put(puppet.mailbox, path.encode() + b"\0"), O_WRONLY, 0)
    puppet.expect_call(len(text), calls.WRITE, handle, puppet.put(puppet.mailbox, text.encode()), len(text))
    puppet.expect_call(0, calls.CLOSE, handle)


def limit(puppet, resource, size=None):
    """Sets the soft limit to SIZE bytes (None: none)."""
    soft = NO_LIMIT if size is None else size.to_bytes(8, "little")
    puppet.expect_call(0, calls.SETRLIMIT, resource, puppet.put(puppet.mailbox, soft + NO_LIMIT))


def the_heap_grows(stage):
    puppet, end = stage.main, begin(stage.main)
    start = end
    for count in range(4):
        wanted = end + stage.draw(PAGE, 12 * PAGE)
        if count % 2:
            wanted = round_up(wanted)           # a break at a page's end needs no page more
        brk(puppet, wanted)
        pages = range(round_up(end), round_up(wanted), PAGE)
        for page in pages:
            puppet.expect_absent(page, "a page of the heap that nobody has touched")
        for page in stage.random.sample(pages, min(2, len(pages))):
            puppet.expect_store(page + stage.within(), stage.draw_byte(), WRITE_MISSING, what="the first write to a page of the heap")
            own_entry(puppet, page)
        end = wanted
    last = round_up(end) - PAGE
    if not puppet.entry(last).present:
        puppet.expect_load(last + PAGE - 1, 0, READ_MISSING, what="a read of the last byte of the heap's last page")
        zero_entry(puppet, last)
    at = stage.random.choice([page for page in range(start, last, PAGE) if puppet.entry(page).present]) + stage.within()
    puppet.expect_refused(puppet.jump(at), at, USER | INSTRUCTION | PRESENT, calls.SEGV_ACCERR, "executing what lies in the heap")
    expect_gone(puppet, last + PAGE, "a read of the page above the break's")
    at = last + PAGE + stage.within()
    puppet.expect_refused(puppet.store(at, 1), at, WRITE_MISSING, calls.SEGV_MAPERR, "a write above the break's page")
    brk(puppet, start)


def the_heap_shrinks(stage):
    puppet, start = stage.main, begin(stage.main)
    pages = stage.draw(14, 40)
    brk(puppet, start + pages * PAGE)
    for over in (stage.draw(1, PAGE - 1), 0, 1):        # where in its last page the break ends
        puppet.write_pages(start, pages, value := stage.draw_byte())
        frames = [puppet.entry(start + index * PAGE).frame for index in range(pages)]
        kept, free = stage.draw(2, pages - 3), puppet.frames_free()
        there = kept + (over > 0)
        brk(puppet, start + kept * PAGE + over)
        for index in range(there, pages):
            puppet.expect_absent(start + index * PAGE, "a page above the break's")
        expect_gone(puppet, start + there * PAGE, "a read of the first page above the break's")
        expect_gone(puppet, start + stage.draw(there, pages - 1) * PAGE + stage.within(), "a read above the break")
        for index in range(there):
            if puppet.entry(start + index * PAGE).frame != frames[index]:
                raise Broken(f"the page at {start + index * PAGE:#x}, below the break, to keep its frame",
                             str(puppet.entry(start + index * PAGE)))
        if (got := puppet.frames_free() - free) < pages - there:
            raise Broken(f"{pages - there} frames more that are free", f"{got}")
        expect_byte(puppet, start + (there - 1) * PAGE, 0, value, "the heap's last page")
        brk(puppet, start + pages * PAGE)
        for index in range(there, pages):
            puppet.expect_absent(start + index * PAGE, "a page of heap that came again")
        at = start + stage.draw(there, pages - 1) * PAGE
        puppet.expect_load(at + stage.within(), 0, READ_MISSING, what="a read of heap that came again")
        zero_entry(puppet, at)
    brk(puppet, start)
    expect_gone(puppet, start, "a read of the heap's first byte, which has none any more")


def the_break_is_kept_to_the_byte(stage):
    puppet, start = stage.main, begin(stage.main)
    for _ in range(5):
        wanted = start + stage.draw(1, 9 * PAGE)
        brk(puppet, wanted)
        brk(puppet, 0, wanted)
        puppet.expect_store(wanted - 1, stage.draw_byte(), *(() if puppet.entry(wanted - 1).present else (WRITE_MISSING,)),
                            what="a write to the last byte below the break")
        expect_gone(puppet, round_up(wanted), "a read of the page above the break's")
    # Within a page the number moves, and nothing else does.
    page = start + stage.draw(2, 6) * PAGE
    brk(puppet, page + PAGE)
    within, value = stage.draw(2000, PAGE - 1), stage.draw_byte()
    puppet.store(page + within, value)
    before = {address: entry.value for address, entry in puppet.tables().user_pages().items() if address >= start}
    for offset in (stage.draw(1, 1900), PAGE - 1, 1, stage.draw(1, 1900), PAGE):
        brk(puppet, page + offset)
        brk(puppet, 0, page + offset)
        expect_byte(puppet, page, within, value, "the rest of the break's page")
    after = {address: entry.value for address, entry in puppet.tables().user_pages().items() if address >= start}
    if before != after:
        raise Broken("the heap's entries to stay as they are while the break moves within a page", "others")
    brk(puppet, start)


def refusals(stage):
    puppet, start = stage.main, begin(stage.main)
    top = start + stage.draw(3, 9) * PAGE + stage.draw(0, 1) * stage.within()
    brk(puppet, top)
    for wanted in (1, start - 1, start - stage.draw(1, PAGE), stage.base + stage.within(), 0):
        refuse(puppet, wanted, top)
    for wanted in (ALL - 1, ALL - stage.draw(1, PAGE - 1), ALL - PAGE, calls.TASK_SIZE, calls.TASK_SIZE + 1,
                   1 << 47, 1 << 63, 0xffff888000000000 + stage.within(), 1 << 46):
        refuse(puppet, wanted, top)
    expect_gone(puppet, round_up(top), "a read above the break, after refusals")
    puppet.expect_store(top - 1, stage.draw_byte(), WRITE_MISSING, what="a write to the last byte below the break, after refusals")
    brk(puppet, start)
    above_all_mappings(stage)


def above_all_mappings(stage):
    """Where no mapping is in the way and any amount may be promised, the end of the user half still is the end."""
    write_file(stage.main, OVERCOMMIT, ALWAYS)
    child = stage.main.fork()
    child.unmap(calls.STACK_TOP - calls.STACK_SPAN, calls.STACK_SPAN // PAGE)
    start = begin(child)
    for wanted in (calls.TASK_SIZE + PAGE, calls.TASK_SIZE + 1, ALL - 2 * PAGE, ALL - PAGE, ALL - 1, 1 << 62):
        refuse(child, wanted, start)
    brk(child, start + PAGE)
    child.exit()
    write_file(stage.main, OVERCOMMIT, GUESS)


def a_mapping_in_the_way(stage):
    puppet, start = stage.main, begin(stage.main)
    for gap, flags, rights in ((0, 0, calls.RW), (0, 0, calls.PROT_NONE), (GUARD_GAP, calls.MAP_GROWSDOWN, calls.RW)):
        wall = start + gap + stage.draw(10, 40) * PAGE
        puppet.map(1, rights, address=wall, extra=flags)
        highest = wall - gap - PAGE
        brk(puppet, start + stage.draw(1, 4 * PAGE))
        old = puppet.result(calls.BRK, 0)
        for wanted in (highest + 1, highest + PAGE, wall, wall + PAGE, wall + stage.draw(2, 500) * PAGE):
            refuse(puppet, wanted, old)
        brk(puppet, highest)
        refuse(puppet, highest + stage.draw(1, PAGE), highest)
        puppet.expect_store(highest - 1, stage.draw_byte(), WRITE_MISSING, what="a write to the heap's last byte")
        expect_gone(puppet, highest, "a read of the page that stays free")
        puppet.unmap(wall, 1)
        brk(puppet, wall + PAGE)
        brk(puppet, start)


def the_limits_hold(stage):
    child = stage.main.fork()
    start, data, pages = begin(child), PAGE, stage.draw(30, 60)
    # In bytes: the heap, of which a part is unmapped, and the program's data.
    size = pages * PAGE + stage.within()
    brk(child, start + (pages - 8) * PAGE)
    child.unmap(start + PAGE, hole := stage.draw(12, pages - 10))
    limit(child, calls.RLIMIT_DATA, size)
    refuse(child, start + size - data + 1, start + (pages - 8) * PAGE)
    refuse(child, start + size + stage.draw(2, hole - 2) * PAGE, start + (pages - 8) * PAGE)
    brk(child, start + size - data)
    child.expect_store(start + size - data - 1, stage.draw_byte(), WRITE_MISSING, what="a write to the last byte below the break")
    limit(child, calls.RLIMIT_DATA)
    brk(child, start + size - data + 2 * PAGE)
    brk(child, start)
    # In pages: all memory of that kind.
    area = child.map(pages)
    limit(child, calls.RLIMIT_DATA, (pages + 8) * PAGE)
    refuse(child, start + 8 * PAGE, start)
    brk(child, start + 7 * PAGE)
    limit(child, calls.RLIMIT_DATA)
    child.unmap(area, pages)
    brk(child, start)
    # All memory of any kind.
    limit(child, calls.RLIMIT_AS, 40 * PAGE)
    refuse(child, start + 1000 * PAGE, start)
    limit(child, calls.RLIMIT_AS)
    brk(child, start + 1000 * PAGE)
    child.exit()


def one_mapping(stage):
    puppet, start = stage.main, begin(stage.main)
    for pages in sorted(stage.random.sample(range(2, 60), 6)) + [20, 64, 9, 70]:
        brk(puppet, start + pages * PAGE)
        puppet.store(start + stage.draw(0, pages - 1) * PAGE, 1)
        expect_mappings(puppet, start, start + 80 * PAGE, [(start, start + pages * PAGE, "rw-")])
    brk(puppet, start)
    player = stage.play("heap")         # its data ends where the heap begins, and is of the same kind
    start = begin(player)
    brk(player, start + 3 * PAGE)
    brk(player, start + 5 * PAGE)
    expect_mappings(player, start, start + 80 * PAGE, [(start, start + 5 * PAGE, "rw-")])
    player.exit()


def expect_mappings(puppet, start, end, expected):
    found = lines_of_maps(puppet, start, end)
    if found != expected:
        raise Broken(f"the mappings {spans(expected)}", spans(found))


def what_the_program_did(stage):
    """A program may unmap and protect parts of its heap, and put mappings there."""
    puppet, start = stage.main, begin(stage.main)

    def page(number):
        return start + number * PAGE

    brk(puppet, page(12))
    puppet.write_pages(start, 12, stage.draw_byte())
    puppet.unmap(page(4), 2)
    puppet.expect_call(0, calls.MPROTECT, page(8), PAGE, calls.PROT_READ)
    brk(puppet, 0, page(12))
    puppet.unmap(page(10), 2)
    refuse(puppet, page(10), page(12))              # nothing is mapped in between
    brk(puppet, page(14))                           # begins at the old break
    expect_mappings(puppet, start, page(20), [(page(0), page(4), "rw-"), (page(6), page(8), "rw-"), (page(8), page(9), "r--"),
                                              (page(9), page(10), "rw-"), (page(12), page(14), "rw-")])
    puppet.expect_load(page(6), puppet.peek(page(6), 1)[0], what="a read of the heap that is left")
    brk(puppet, page(3) + 1)
    for number in range(4, 14):
        expect_gone(puppet, page(number) + stage.within(), "a read of heap that was given back, with holes in it")
    brk(puppet, start)
    # A mapping right behind the heap is none of it, but merges with it.
    brk(puppet, page(2))
    wall = puppet.map(2, address=page(2))
    puppet.store(wall, value := stage.draw_byte())
    refuse(puppet, page(3), page(2))
    brk(puppet, page(1))
    expect_byte(puppet, wall, 0, value, "the mapping behind the heap")
    expect_gone(puppet, page(1), "a read of heap that was given back")
    puppet.unmap(wall, 2)
    brk(puppet, start)


def locked_memory(stage):
    child = stage.main.fork()
    start, pages, more = begin(child), stage.draw(5, 20), stage.draw(3, 9)
    brk(child, start + 2 * PAGE)
    child.expect_call(0, calls.MLOCKALL, calls.MCL_FUTURE)
    for page in (start, start + PAGE):
        child.expect_absent(page, "a page of before mlockall(MCL_FUTURE)")
    for end in (start + pages * PAGE, start + (pages + more) * PAGE):
        brk(child, end)
        for page in range(start + 2 * PAGE, end, PAGE):
            if not (entry := child.entry(page)).present or not entry.writable:
                raise Broken(f"after mlockall a frame of its own at {page:#x} as soon as the heap has it", str(entry))
        child.expect_store(end - 1, stage.draw_byte(), what="a write to the heap's last byte, locked,")
    child.exit()
    # Who is not the superuser may lock no more than the limit says.
    child = stage.main.fork()
    limit(child, calls.RLIMIT_MEMLOCK, pages * PAGE)
    child.expect_call(0, calls.SETUID, NOBODY)
    child.expect_call(0, calls.MLOCKALL, calls.MCL_FUTURE)
    refuse(child, start + (pages + 1) * PAGE, start)
    brk(child, start + 3 * PAGE)
    refuse(child, start + (pages + 1) * PAGE, start + 3 * PAGE)
    brk(child, start + pages * PAGE)
    refuse(child, start + pages * PAGE + 1, start + pages * PAGE)
    child.exit()


def nothing_is_lost(stage):
    puppet, start = stage.main, begin(stage.main)
    count = puppet.frames_free() // 3
    for _ in range(5):
        brk(puppet, start + count * PAGE)
        step = puppet.write_pages(start, count, stage.draw_byte())
        if step.signal or len(step.faults) != count:
            raise Broken(f"{count} frames for as many pages of heap, one fault each", f"{len(step.faults)}")
        brk(puppet, start)
    no_promise_is_lost(stage)


def highest_break(puppet, start):
    """The most pages of heap that are granted."""
    least, most = 0, 1 << 20
    while most - least > 1:
        middle = (least + most) // 2
        granted = puppet.result(calls.BRK, start + middle * PAGE) == start + middle * PAGE
        least, most = (middle, most) if granted else (least, middle)
        brk(puppet, start)
    return least


def no_promise_is_lost(stage):
    """Where no more is promised than there is, a promise that was not given back is missing later."""
    puppet, start = stage.main, begin(stage.main)
    wall = puppet.map(1, address=start + (1 << 40))
    write_file(puppet, OVERCOMMIT, NEVER)
    pages = highest_break(puppet, start)
    part = pages // 20
    for _ in range(8):
        refuse(puppet, start + (pages + part) * PAGE, start)
        brk(puppet, start + part * PAGE)
        refuse(puppet, wall + PAGE, start + part * PAGE)
        brk(puppet, start)
    near = puppet.map(1, address=start + part * PAGE)
    for _ in range(8):
        refuse(puppet, start + part * PAGE, start)
    puppet.unmap(near, 1)
    limit(puppet, calls.RLIMIT_AS, 40 * PAGE)
    for _ in range(8):
        refuse(puppet, start + part * PAGE, start)
    limit(puppet, calls.RLIMIT_AS)
    if (again := highest_break(puppet, start)) != pages:
        raise Broken(f"{pages} pages of heap to be had again, after what was refused and given back", f"{again}")
    write_file(puppet, OVERCOMMIT, GUESS)
    puppet.unmap(wall, 1)
