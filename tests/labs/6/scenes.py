"""Lab 6's checks as they are seen from outside: what mprotect and madvise make of entries, translations and frames."""
from grader import calls
from grader.actor import PRESENT, READ_MISSING, WRITE_MISSING, WRITE_REFUSED
from grader.entries import expect_byte, own_entry, read_only_entry, written_pages, zero_entry
from grader.exceptions import INSTRUCTION, USER
from grader.maps import lines_of_maps, spans
from grader.page_tables import PAGE
from grader.words import Broken

EINVAL, ENOMEM = -22, -12
JUMP_BACK = b"\xff\xe2"         # jmp rdx


def protect(puppet, start, pages, protection):
    puppet.expect_call(0, calls.MPROTECT, start, pages * PAGE, protection)


def refused_write(puppet, at):
    puppet.expect_refused(puppet.store(at, 1), at, WRITE_REFUSED, calls.SEGV_ACCERR, "a write to what is read-only now")


def read_only_at_once(stage):
    puppet, count = stage.main, stage.draw(4, 12)
    area, pages = written_pages(stage, puppet, count, address=stage.draw_place(count))
    protect(puppet, area, count, calls.PROT_READ)
    for page, (within, value, frame) in pages.items():
        refused_write(puppet, page + within)
        if not read_only_entry(puppet, page, frame).dirty:
            raise Broken(f"the entry at {page:#x} to keep its dirty bit, for the page was written", str(puppet.entry(page)))
        puppet.expect_load(page + within, value, what="a read of protected memory")
    puppet.unmap(area, count)


def writable_again(stage):
    puppet, count = stage.main, stage.draw(4, 12)
    area, pages = written_pages(stage, puppet, count, address=stage.draw_place(count))
    protect(puppet, area, count, calls.PROT_READ)
    protect(puppet, area, count, calls.RW)
    for page, (within, value, frame) in pages.items():
        expect_byte(puppet, page, within, value, "a page that was read-only for a while")
        puppet.expect_store(page + stage.within(), stage.draw_byte(), what="a write to a page of one's own that is writable again")
        if own_entry(puppet, page).frame != frame:
            raise Broken(f"frame {frame:#x} at {page:#x} as before", str(puppet.entry(page)))
    puppet.unmap(area, count)


def the_zero_frame_stays_read_only(stage):
    puppet = stage.main
    area = puppet.map(3, calls.PROT_READ, address=stage.draw_place(3))
    puppet.read_pages(area, 2)
    protect(puppet, area, 3, calls.RW)
    zero_entry(puppet, area)
    puppet.expect_store(area + stage.within(), stage.draw_byte(), WRITE_REFUSED, what="a write over the zero frame")
    own_entry(puppet, area)
    zero_entry(puppet, area + PAGE)
    puppet.expect_store(area + 2 * PAGE, stage.draw_byte(), WRITE_MISSING, what="a write to a page nobody has touched")
    puppet.unmap(area, 3)


def shared_frames_stay_read_only(stage):
    parent = stage.main
    area, pages = written_pages(stage, parent, 3, address=stage.draw_place(3))
    child = parent.fork()
    for puppet in (child, parent):
        protect(puppet, area, 3, calls.PROT_READ)
        protect(puppet, area, 3, calls.RW)
    for page, (within, value, frame) in pages.items():
        read_only_entry(child, page, frame)
        child.expect_store(page + within, value ^ 1, WRITE_REFUSED, what="a child's write to a shared frame")
        expect_byte(parent, page, within, value, "the parent's page")
    child.exit()
    parent.unmap(area, 3)


def nobody_at_all(stage):
    puppet, count = stage.main, stage.draw(3, 8)
    area, pages = written_pages(stage, puppet, count, address=stage.draw_place(count))
    protect(puppet, area, count, calls.PROT_NONE)
    for page, (within, _, _) in pages.items():
        for step in (puppet.load(page + within), puppet.store(page + within, 1)):
            if not step.signal or step.signal != (calls.SIGSEGV, calls.SEGV_ACCERR, page + within):
                raise Broken(f"an access to PROT_NONE at {page + within:#x} to be SIGSEGV with SEGV_ACCERR",
                             str(step.signal or "it went through"))
        entry = puppet.entry(page)
        if entry.present and entry.user:
            raise Broken(f"an entry at {page:#x} that ring 3 can't use", str(entry))
    protect(puppet, area, count, calls.RW)
    for page, (within, value, _) in pages.items():
        puppet.expect_load(page + within, value, what="what was written before PROT_NONE")
    puppet.unmap(area, count)


def execution_follows(stage):
    puppet = stage.main
    area = puppet.map(2, address=stage.draw_place(2))
    code = area + stage.draw(0, PAGE - 2)
    for offset, byte in enumerate(JUMP_BACK):
        puppet.store(code + offset, byte)
    refused = USER | INSTRUCTION | PRESENT
    puppet.expect_refused(puppet.jump(code), code, refused, calls.SEGV_ACCERR, "executing data")
    protect(puppet, area, 2, calls.RX)
    if step := puppet.jump(code).signal:
        raise Broken("code to run after mprotect(PROT_READ|PROT_EXEC)", f"signal {step.number}")
    refused_write(puppet, code)
    protect(puppet, area, 2, calls.RW)
    puppet.expect_refused(puppet.jump(code), code, refused, calls.SEGV_ACCERR, "executing what is data again")
    puppet.unmap(area, 2)


def a_part_of_a_mapping(stage):
    puppet, count = stage.main, stage.draw(8, 16)
    area, pages = written_pages(stage, puppet, count, address=stage.draw_place(count))
    end, low = area + count * PAGE, stage.draw(1, 3)
    high = count - stage.draw(1, 3)
    first, last = area + low * PAGE, area + high * PAGE
    protect(puppet, first, high - low, calls.PROT_READ)
    for page, (within, value, _) in pages.items():
        if first <= page < last:
            refused_write(puppet, page + within)
        else:
            puppet.expect_store(page + within, value, what="a write beside what was protected")
    wanted = [(area, first, "rw-"), (first, last, "r--"), (last, end, "rw-")]
    if (seen := lines_of_maps(puppet, area, end)) != wanted:
        raise Broken(f"three mappings, {spans(wanted)}", spans(seen))
    protect(puppet, first, high - low, calls.RW)
    if (seen := lines_of_maps(puppet, area, end)) != [(area, end, "rw-")]:
        raise Broken("one mapping again when the rights are equal again", spans(seen))
    puppet.unmap(area, count)


def answers_of_mprotect(stage):
    puppet = stage.main
    area, _ = written_pages(stage, puppet, 6, address=stage.draw_place(6))
    call = lambda expected, *arguments: puppet.expect_call(expected, calls.MPROTECT, *arguments)  # noqa: E731
    call(EINVAL, area + stage.draw(1, PAGE - 1), PAGE, calls.PROT_READ)
    call(0, area, 0, calls.PROT_READ)
    call(EINVAL, area, PAGE, 0x10)
    call(ENOMEM, area, -PAGE & (1 << 64) - 1, calls.PROT_READ)
    call(ENOMEM, 0xffff888000000000, PAGE, calls.PROT_READ)
    call(0, area + 5 * PAGE, 1, calls.PROT_READ)
    refused_write(puppet, area + 6 * PAGE - 1)
    puppet.unmap(area + 2 * PAGE, 1)
    call(ENOMEM, area, 5 * PAGE, calls.PROT_READ)
    refused_write(puppet, area + PAGE + stage.within())
    puppet.expect_store(area + 4 * PAGE + stage.within(), 1, what="a write behind the hole, where nothing has changed")
    call(ENOMEM, area + 2 * PAGE, 2 * PAGE, calls.PROT_READ)
    puppet.expect_store(area + 3 * PAGE + stage.within(), 1, what="a write behind a hole that came first")
    puppet.unmap(area, 6)


def dontneed(puppet, start, pages):
    puppet.expect_call(0, calls.MADVISE, start, pages * PAGE, calls.MADV_DONTNEED)


def dontneed_drops(stage):
    puppet, count = stage.main, stage.draw(8, 20)
    area, pages = written_pages(stage, puppet, count, address=stage.draw_place(count))
    free = puppet.frames_free()
    low, high = stage.draw(1, 3), count - stage.draw(1, 3)
    dontneed(puppet, area + low * PAGE, high - low)
    if (got := puppet.frames_free() - free) < high - low:
        raise Broken(f"{high - low} more free frames", f"{got}")
    for index, (page, (within, value, frame)) in enumerate(pages.items()):
        if low <= index < high:
            puppet.expect_absent(page, "a page that is not needed")
            puppet.expect_load(page + within, 0, READ_MISSING, what="a read of dropped memory")
            zero_entry(puppet, page)
        elif puppet.entry(page).frame != frame or puppet.load(page + within).value != value:
            raise Broken(f"the page beside the range, at {page:#x}, to stay", str(puppet.entry(page)))
    puppet.unmap(area, count)


def dontneed_flushes(stage):
    """The processor has just used the page; after the call it must not find the old frame any more."""
    puppet = stage.main
    area = puppet.map(40, address=stage.draw_place(40))
    for pages in (1, 3, 40):
        puppet.write_pages(area, 40, stage.draw_byte())
        dontneed(puppet, area, pages)
        page = area + stage.draw(0, pages - 1) * PAGE
        puppet.expect_store(page + stage.within(), stage.draw_byte(), WRITE_MISSING, what="a write to what was just dropped")
    puppet.unmap(area, 40)


def dontneed_keeps_shared_memory(stage):
    puppet, count = stage.main, stage.draw(4, 8)
    area, pages = written_pages(stage, puppet, count, flags=calls.MAP_SHARED, address=stage.draw_place(count))
    dontneed(puppet, area, count)
    for page in pages:
        puppet.expect_absent(page, "a shared page that is not needed here")
    for page, (within, value, frame) in pages.items():
        step = puppet.load(page + within)
        if step.value != value or puppet.entry(page).frame != frame:
            raise Broken(f"shared memory to keep {value:#x} at {page + within:#x}", f"{step.value:#x}")
    puppet.unmap(area, count)


def answers_of_madvise(stage):
    puppet = stage.main
    area, pages = written_pages(stage, puppet, 6, address=stage.draw_place(6))
    call = lambda expected, *arguments: puppet.expect_call(expected, calls.MADVISE, *arguments)  # noqa: E731
    call(EINVAL, area + stage.draw(1, PAGE - 1), PAGE, calls.MADV_DONTNEED)
    call(0, area, 0, calls.MADV_DONTNEED)
    call(EINVAL, area, -PAGE & (1 << 64) - 1, calls.MADV_DONTNEED)
    call(EINVAL, area, PAGE, 99)
    within, value, _ = pages[area]
    expect_byte(puppet, area, within, value, "memory that was refused")
    puppet.unmap(area + 2 * PAGE, 1)
    call(ENOMEM, area + PAGE, 4 * PAGE, calls.MADV_DONTNEED)
    for index in (1, 3, 4):
        puppet.expect_absent(area + index * PAGE, "a page before or behind the hole, which is passed over")
    within, value, _ = pages[area + 5 * PAGE]
    expect_byte(puppet, area + 5 * PAGE, within, value, "the page behind the range")
    puppet.unmap(area, 6)


def rights_of_what_comes(stage):
    """Pages that are not there yet follow the new rights when they come."""
    puppet, count = stage.main, stage.draw(4, 8)
    area = puppet.map(count, address=stage.draw_place(count))
    protect(puppet, area, count, calls.PROT_READ)
    at = area + stage.within()
    puppet.expect_refused(puppet.store(at, 1), at, WRITE_MISSING, calls.SEGV_ACCERR, "a write to an untouched read-only page")
    puppet.expect_absent(area, "a page whose only access was refused")
    protect(puppet, area, count, calls.RW)
    puppet.expect_store(at, stage.draw_byte(), WRITE_MISSING)
    own_entry(puppet, area)
    puppet.unmap(area, count)
