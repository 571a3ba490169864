"""Lab 1's checks as they are seen from outside: the tables themselves, walked in physical memory as the processor walks them."""
from grader import calls
from grader.actor import READ_MISSING, WRITE_MISSING, WRITE_REFUSED
from grader.entries import read_only_entry, written_pages
from grader.page_tables import PAGE, SHIFTS
from grader.words import Broken, plural

SPARSE_PAGES = 1 << 22          # 16 GiB of promises
# A walk that skips absent tables takes some ten thousand instructions, one that comes down from the top for each table
# half a million; one that looks at each page takes over twenty million.
WALK_INSTRUCTIONS = 4_000_000


def tables_for(pages):
    """How many tables serve PAGES (addresses), the top one left out."""
    return sum(len({page >> SHIFTS[level + 1] for page in pages}) for level in (1, 2, 3))


def own_pages(puppet):
    """What the puppet has at the beginning."""
    return set(puppet.tables().user_pages())


def scattered(stage, puppet, count):
    """Maps COUNT single pages far apart and writes each: {page: (offset, byte)}."""
    pages = {}
    for _ in range(count):
        page, within, value = puppet.map(1, address=stage.draw_place(1)), stage.within(), stage.draw_byte()
        puppet.expect_store(page + within, value, WRITE_MISSING, what="the first write to a page far from all others")
        pages[page] = (within, value)
    return pages


def every_page_has_its_entry(stage):
    puppet = stage.main
    before = own_pages(puppet)
    pages = scattered(stage, puppet, stage.draw(10, 16))
    for page, (within, value) in pages.items():
        puppet.expect_load(page + within, value, what="reading it back")
        if puppet.peek(page + within, 1) != bytes((value,)):
            raise Broken(f"the byte {value:#x} in the frame that the entry of {page:#x} names", str(puppet.entry(page)))
    frames = {puppet.entry(page).frame for page in pages}
    if len(frames) != len(pages):
        raise Broken(f"{len(pages)} frames for as many pages", f"{len(frames)}")
    extra = own_pages(puppet) - before - set(pages)
    if extra:
        raise Broken("entries for the touched pages only", f"one for {min(extra):#x} as well")
    for page in pages:
        puppet.unmap(page, 1)


def neighbours_share_tables(stage):
    puppet = stage.main
    base = stage.draw_place(3000)
    puppet.map(3000, address=base)
    before, had = len(puppet.tables().user_tables()), tables_for(own_pages(puppet))
    touched = stage.draw_pages(base, 3000, 40)
    for page in touched:
        puppet.store(page, stage.draw_byte())
    wanted = tables_for(own_pages(puppet)) - had
    got = len(puppet.tables().user_tables()) - before
    if got != wanted:
        raise Broken(f"{plural(wanted, 'new table')} for {len(touched)} pages within 12 MiB", str(got))
    puppet.unmap(base, 3000)


def tables_begin_empty(stage):
    """Tables are made of frames that were full before; nothing of that may be left in them."""
    puppet = stage.main
    count = puppet.frames_free() - 200
    area = puppet.map(count)
    puppet.write_pages(area, count * PAGE // 512, 0xff, 512)
    puppet.unmap(area, count)
    before = own_pages(puppet)
    pages = scattered(stage, puppet, 60)
    extra = own_pages(puppet) - before - set(pages)
    if extra:
        raise Broken("new tables with no entry but the one that was asked for", f"one for {min(extra):#x} as well")
    at = min(pages) - PAGE
    puppet.expect_refused(puppet.load(at), at, READ_MISSING, calls.SEGV_MAPERR, "a read beside a page")
    for page in pages:
        puppet.unmap(page, 1)


def rights_on_the_way(stage):
    """All levels allow what the last one decides; the rights of the last one are those of the mapping."""
    puppet = stage.main
    for protection, wanted in ((calls.RW, "uw-"), (calls.PROT_READ, "u--"), (calls.RWX, "uwx"), (calls.RX, "u-x")):
        page = puppet.map(1, protection, address=stage.draw_place(1))
        if protection & calls.PROT_WRITE:
            puppet.store(page, stage.draw_byte())
        else:
            puppet.load(page)
        if not (seen := str(puppet.entry(page))).endswith(wanted):
            raise Broken(f"the rights {wanted} for {calls.describe_protection(protection)} at {page:#x}", seen)
        puppet.unmap(page, 1)


def unmapping_clears_entries(stage):
    puppet, count = stage.main, stage.draw(600, 1200)
    area = puppet.map(count, address=stage.draw_place(count))
    free = puppet.frames_free()
    touched = stage.draw_pages(area, count, 60)
    low, high = sorted(stage.random.sample(range(1, count), 2))
    # The pages on both sides of both ends: an end is what one gets wrong by one.
    touched += sorted({area + page * PAGE for page in (low - 1, low, high - 1, high)} - set(touched))
    for page in touched:
        puppet.store(page, stage.draw_byte())
    puppet.unmap(area + low * PAGE, high - low)
    for page in touched:
        gone = area + low * PAGE <= page < area + high * PAGE
        if puppet.entry(page).present == gone:
            raise Broken(f"the entry of {page:#x} to be {'cleared' if gone else 'kept'}", str(puppet.entry(page)))
        if gone:
            puppet.expect_refused(puppet.load(page), page, READ_MISSING, calls.SEGV_MAPERR, "a read of what was unmapped")
    puppet.unmap(area, count)
    if (after := puppet.frames_free()) < free:
        raise Broken(f"{free} free frames as before", f"{after}")
    # Pages that were only read have no frame of their own, but an entry, which the processor remembers.
    area = puppet.map(3, address=stage.draw_place(3))
    puppet.read_pages(area, 3)
    puppet.unmap(area, 3)
    for page in range(area, area + 3 * PAGE, PAGE):
        puppet.expect_refused(puppet.load(page), page, READ_MISSING, calls.SEGV_MAPERR, "a read of what was read before and is unmapped")


def empty_tables_come_back(stage):
    puppet = stage.main
    before = puppet.tables().user_tables()
    pages = scattered(stage, puppet, 12)
    for page in stage.random.sample(sorted(pages), len(pages)):
        puppet.unmap(page, 1)
    left = set(puppet.tables().user_tables()) - set(before)
    if left:
        raise Broken(f"{plural(len(before), 'table')} as before", f"{len(left)} more, which serve nothing")
    area = puppet.map(SPARSE_PAGES, extra=calls.MAP_NORESERVE, address=stage.draw_place(SPARSE_PAGES))
    for page in stage.draw_pages(area, SPARSE_PAGES, 20):
        puppet.store(page, stage.draw_byte())
    puppet.unmap(area, SPARSE_PAGES)
    left = set(puppet.tables().user_tables()) - set(before)
    if left:
        raise Broken("the tables of a large and sparse mapping to come back with it", f"{len(left)} are left")
    # A table that went back is not used again, though it was the last that was found.
    page, within = stage.draw_place(1), stage.within()
    for value in (stage.draw_byte(), stage.draw_byte()):
        puppet.map(1, address=page)
        puppet.expect_store(page + within, value, WRITE_MISSING, what="the first write to a page that is mapped where another one was")
        puppet.unmap(page, 1)


def a_table_in_use_stays(stage):
    puppet = stage.main
    base = stage.draw_place(4096) & -(1 << 21)
    lower, _ = written_pages(stage, puppet, 3, address=base + 5 * PAGE)
    upper, pages = written_pages(stage, puppet, 3, address=base + 300 * PAGE)
    puppet.unmap(lower, 3)
    for page, (within, value, frame) in pages.items():
        puppet.expect_load(page + within, value, what="a read next to what was unmapped in the same table")
        if puppet.entry(page).frame != frame:
            raise Broken(f"frame {frame:#x} at {page:#x}", str(puppet.entry(page)))
    puppet.unmap(upper, 3)


def a_range_is_walked_whole(stage):
    """mprotect of a sparse range reaches each page that is there."""
    puppet = stage.main
    area = puppet.map(SPARSE_PAGES, extra=calls.MAP_NORESERVE, address=stage.draw_place(SPARSE_PAGES))
    touched = stage.draw_pages(area, SPARSE_PAGES, 25) + [area, area + (SPARSE_PAGES - 1) * PAGE]
    frames = {}
    for page in touched:
        puppet.store(page, stage.draw_byte())
        frames[page] = puppet.entry(page).frame
    puppet.expect_call(0, calls.MPROTECT, area, SPARSE_PAGES * PAGE, calls.PROT_READ)
    for page, frame in frames.items():
        at = page + stage.within()
        puppet.expect_refused(puppet.store(at, 1), at, WRITE_REFUSED, calls.SEGV_ACCERR, "a write to what is read-only now")
        read_only_entry(puppet, page, frame)
    # Without any right the pages keep their frames, and come back with the right.
    puppet.expect_call(0, calls.MPROTECT, area, SPARSE_PAGES * PAGE, calls.PROT_NONE)
    for page in frames:
        puppet.expect_refused(puppet.load(page), page, READ_MISSING, calls.SEGV_ACCERR, "a read of what may not be touched now")
    puppet.expect_call(0, calls.MPROTECT, area, SPARSE_PAGES * PAGE, calls.PROT_READ)
    for page, frame in frames.items():
        puppet.expect_faults(puppet.load(page), [], f"a read at {page:#x}, which may be read again,")
        read_only_entry(puppet, page, frame)
    puppet.unmap(area, SPARSE_PAGES)


def absent_parts_are_skipped(stage):
    puppet = stage.main
    area = puppet.map(SPARSE_PAGES, extra=calls.MAP_NORESERVE, address=stage.draw_place(SPARSE_PAGES))
    for page in stage.draw_pages(area, SPARSE_PAGES, 3):
        puppet.store(page, stage.draw_byte())
    for number, arguments in ((calls.MPROTECT, (area, SPARSE_PAGES * PAGE, calls.PROT_READ)),
                              (calls.MUNMAP, (area, SPARSE_PAGES * PAGE))):
        step = puppet.call(number, *arguments)
        if step.value or step.instructions > WALK_INSTRUCTIONS:
            raise Broken(f"{calls.NAMES[number]} of 16 GiB with 3 pages in at most {WALK_INSTRUCTIONS:,} instructions",
                         f"{step.instructions:,}, result {calls.describe_result(step.value)}")
