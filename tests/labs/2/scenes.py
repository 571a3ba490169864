"""Lab 2's checks as they are seen from outside: where mmap puts mappings, what munmap leaves of them, and what merges."""
from grader import calls
from grader.actor import READ_MISSING, WRITE_MISSING
from grader.entries import expect_byte, written_pages
from grader.maps import lines_of_maps, spans
from grader.page_tables import PAGE
from grader.words import Broken

EINVAL, ENOMEM, EEXIST = -22, -12, -17
ANONYMOUS = calls.MAP_PRIVATE | calls.MAP_ANONYMOUS
NO_FILE = (1 << 64) - 1


def expect_gone(puppet, at, what):
    puppet.expect_refused(puppet.load(at), at, READ_MISSING, calls.SEGV_MAPERR, what)


def the_right_mapping_is_found(stage):
    puppet, areas = stage.main, []
    for _ in range(stage.draw(12, 20)):
        pages = stage.draw(1, 9)
        areas.append((puppet.map(pages, address=stage.draw_place(pages)), pages))
    for area, pages in stage.random.sample(areas, len(areas)):
        for at in (area, area + pages * PAGE - 1):
            puppet.expect_store(at, stage.draw_byte(), *((WRITE_MISSING,) if not puppet.entry(at).present else ()))
        expect_gone(puppet, area - 1, "a read of the byte before a mapping")
        expect_gone(puppet, area + pages * PAGE, "a read of the byte behind a mapping")
    stage.random.shuffle(areas)
    for area, pages in areas:
        puppet.unmap(area, pages)
        expect_gone(puppet, area + stage.within(), "a read of what was unmapped")


def place_is_the_highest_that_fits(stage):
    """Without a hint mmap takes the highest hole that fits, from its upper end."""
    puppet, mapped = stage.main, []
    top = puppet.map(1)
    puppet.unmap(top, 1)
    top += PAGE
    for step in range(stage.draw(40, 60)):
        if mapped and stage.random.random() < 0.4:
            start, pages = mapped.pop(stage.random.randrange(len(mapped)))
            puppet.unmap(start, pages)
            continue
        pages = stage.draw(1, 12)
        wanted = highest_hole(top, mapped, pages)
        got = puppet.map(pages, stage.random.choice((calls.PROT_READ, calls.RW)))
        if got != wanted:
            raise Broken(f"{pages} pages to go to {wanted:#x}, the upper end of the highest hole that fits", f"{got:#x}")
        mapped.append((got, pages))
    for start, pages in mapped:
        puppet.unmap(start, pages)


def highest_hole(top, mapped, pages):
    end = top
    for start, count in sorted(mapped, reverse=True):
        if end - (start + count * PAGE) >= pages * PAGE:
            break
        end = start
    return end - pages * PAGE


def munmap_of_a_middle(stage):
    puppet, count = stage.main, stage.draw(8, 16)
    area, pages = written_pages(stage, puppet, count, address=stage.draw_place(count))
    low = stage.draw(1, 3)
    high = count - stage.draw(1, 3)
    free = puppet.frames_free()
    puppet.unmap(area + low * PAGE, high - low)
    if (got := puppet.frames_free() - free) < high - low:
        raise Broken(f"{high - low} more free frames after munmap of as many written pages", f"{got}")
    for index, (page, (within, value, frame)) in enumerate(pages.items()):
        if low <= index < high:
            puppet.expect_absent(page, "an unmapped page")
            expect_gone(puppet, page + within, "a read of what was unmapped")
        else:
            puppet.expect_load(page + within, value, what="a read beside what was unmapped")
            if puppet.entry(page).frame != frame:
                raise Broken(f"frame {frame:#x} still at {page:#x}", str(puppet.entry(page)))
    end = area + count * PAGE
    wanted = [(area, area + low * PAGE, "rw-"), (area + high * PAGE, end, "rw-")]
    if (seen := lines_of_maps(puppet, area, end)) != wanted:
        raise Broken(f"two mappings, {spans(wanted)}", spans(seen))
    puppet.unmap(area, count)


def munmap_of_many(stage):
    """Over mappings, holes and the halves of the outer ones; a length of one byte is a page."""
    puppet = stage.main
    base = stage.draw_place(40)
    for offset, pages in ((0, 6), (8, 3), (12, 5), (20, 6)):
        puppet.map(pages, stage.random.choice((calls.RW, calls.PROT_READ)), address=base + offset * PAGE)
    puppet.unmap(base + 3 * PAGE, 20)
    wanted = [(base, base + 3 * PAGE), (base + 23 * PAGE, base + 26 * PAGE)]
    if (seen := lines_of_maps(puppet, base, base + 40 * PAGE)) and [span[:2] for span in seen] != wanted or not seen:
        raise Broken("only what lies before and behind the range to stay", spans(seen))
    puppet.expect_call(0, calls.MUNMAP, base, 1)
    expect_gone(puppet, base + PAGE - 1, "a read of the page of which one byte was unmapped")
    if puppet.load(base + PAGE).signal:
        raise Broken("the page behind it to stay", "a signal")
    puppet.unmap(base, 40)
    puppet.unmap(base, 40)


def neighbours_merge(stage):
    """Upwards, downwards, and a hole that is filled."""
    puppet = stage.main
    for order in ((0, 1, 2), (2, 1, 0), stage.random.choice(((0, 2, 1), (2, 0, 1)))):
        pages = [stage.draw(1, 5) for _ in range(3)]
        base = stage.draw_place(sum(pages))
        starts = [base, base + pages[0] * PAGE, base + (pages[0] + pages[1]) * PAGE]
        end = base + sum(pages) * PAGE
        for index in order:
            puppet.map(pages[index], address=starts[index])
        if (seen := lines_of_maps(puppet, base, end)) != [(base, end, "rw-")]:
            raise Broken(f"one mapping, {base:#x}-{end:#x} rw-, of three that touch and are alike", spans(seen))
        for at in (base, end - 1):
            puppet.expect_store(at, stage.draw_byte(), *((WRITE_MISSING,) if not puppet.entry(at).present else ()))
        puppet.unmap(base, sum(pages))


def unlike_neighbours_stay_apart(stage):
    puppet, base = stage.main, stage.draw_place(12)
    kinds = [(calls.RW, calls.MAP_PRIVATE, "rw-"), (calls.PROT_READ, calls.MAP_PRIVATE, "r--"),
             (calls.RW, calls.MAP_PRIVATE, "rw-"), (calls.RW, calls.MAP_SHARED, "rw-"), (calls.RW, calls.MAP_SHARED, "rw-"),
             (calls.PROT_NONE, calls.MAP_PRIVATE, "---")]
    wanted = []
    for index, (protection, flags, rights) in enumerate(kinds):
        at = base + index * 2 * PAGE
        puppet.map(2, protection, flags, address=at)
        wanted.append((at, at + 2 * PAGE, rights))
    if (seen := lines_of_maps(puppet, base, base + 12 * PAGE)) != wanted:
        raise Broken(f"mappings of different rights or kinds to stay apart: {spans(wanted)}", spans(seen))
    at = base + 2 * PAGE + stage.within()
    step = puppet.store(at, 1)
    puppet.expect_refused(step, at, WRITE_MISSING, calls.SEGV_ACCERR, "a write to the read-only one in the middle")
    puppet.unmap(base, 12)


def fixed_replaces(stage):
    puppet, count = stage.main, stage.draw(6, 12)
    area, pages = written_pages(stage, puppet, count, address=stage.draw_place(count))
    at = area + 2 * PAGE
    if (got := puppet.map(2, address=at, extra=calls.MAP_FIXED)) != at:
        raise Broken(f"MAP_FIXED at {at:#x}", f"{got:#x}")
    for index, (page, (within, value, _)) in enumerate(pages.items()):
        if index in (2, 3):
            puppet.expect_load(page + within, 0, READ_MISSING, what="a read of what MAP_FIXED has replaced")
        else:
            expect_byte(puppet, page, within, value, "a page beside what was replaced")
    if (seen := lines_of_maps(puppet, area, area + count * PAGE)) != [(area, area + count * PAGE, "rw-")]:
        raise Broken("one mapping again, for the new one is like its neighbours", spans(seen))
    puppet.unmap(area, count)


def answers(stage):
    puppet = stage.main
    base = stage.draw_place(8)
    puppet.map(4, address=base)
    for expected, number, arguments in (
            (EINVAL, calls.MUNMAP, (base + stage.draw(1, PAGE - 1), PAGE)), (EINVAL, calls.MUNMAP, (base, 0)),
            (EINVAL, calls.MUNMAP, (base, NO_FILE)), (EINVAL, calls.MUNMAP, (calls.TASK_SIZE - PAGE, 2 * PAGE)),
            (0, calls.MUNMAP, (base + 6 * PAGE, PAGE)),
            (EINVAL, calls.MMAP, (0, 0, calls.RW, ANONYMOUS, NO_FILE, 0)),
            (ENOMEM, calls.MMAP, (0, 1 << 47, calls.RW, ANONYMOUS | calls.MAP_NORESERVE, NO_FILE, 0)),
            (ENOMEM, calls.MMAP, (0, NO_FILE - PAGE, calls.RW, ANONYMOUS, NO_FILE, 0)),
            (EEXIST, calls.MMAP, (base + 3 * PAGE, 2 * PAGE, calls.RW, ANONYMOUS | calls.MAP_FIXED_NOREPLACE, NO_FILE, 0)),
            (EINVAL, calls.MMAP, (base + 1, PAGE, calls.RW, ANONYMOUS | calls.MAP_FIXED, NO_FILE, 0)),
            (base + 5 * PAGE, calls.MMAP, (base + 5 * PAGE + 7, PAGE, calls.RW, ANONYMOUS, NO_FILE, 0))):
        puppet.expect_call(expected, number, *arguments)
    got = puppet.result(calls.MMAP, base, PAGE, calls.RW, ANONYMOUS, NO_FILE, 0)
    if got < 0 or base <= got < base + 6 * PAGE:
        raise Broken("a hint where something is mapped to be passed over", calls.describe_result(got))
    puppet.unmap(got, 1)
    puppet.unmap(base, 8)


WINDOW, STEPS = 48, 70
RIGHTS = {calls.RW: "rw-", calls.PROT_READ: "r--", calls.PROT_NONE: "---"}


def any_order_of_calls(stage):
    """Random mappings and unmappings in a window; what is there at the end is what a simple model says."""
    puppet, base = stage.main, stage.draw_place(WINDOW)
    model = [None] * WINDOW
    for _ in range(STEPS):
        start = stage.draw(0, WINDOW - 1)
        pages = min(stage.draw(1, 12), WINDOW - start)
        if stage.random.random() < 0.4:
            puppet.unmap(base + start * PAGE, pages)
            model[start:start + pages] = [None] * pages
        else:
            protection = stage.random.choice(list(RIGHTS))
            puppet.map(pages, protection, address=base + start * PAGE, extra=calls.MAP_FIXED)
            model[start:start + pages] = [RIGHTS[protection]] * pages
    wanted = []
    for index, rights in enumerate(model):
        at = base + index * PAGE
        if rights and wanted and wanted[-1][1] == at and wanted[-1][2] == rights:
            wanted[-1] = (wanted[-1][0], at + PAGE, rights)
        elif rights:
            wanted.append((at, at + PAGE, rights))
    if (seen := lines_of_maps(puppet, base, base + WINDOW * PAGE)) != wanted:
        raise Broken(spans(wanted), spans(seen))
    for index in stage.random.sample(range(WINDOW), 16):
        at = base + index * PAGE + stage.within()
        signal = puppet.load(at).signal
        code = {None: calls.SEGV_MAPERR, "---": calls.SEGV_ACCERR}.get(model[index], 0)
        if (signal.code if signal else 0) != code:
            raise Broken(f"a read at {at:#x}, where there is {model[index] or 'nothing'}, to end with code {code}", str(signal))
    puppet.unmap(base, WINDOW)


def tables_come_back(stage):
    """Mappings far apart need page tables of their own; munmap gives them and the frames back."""
    puppet = stage.main
    before = len(puppet.tables().user_tables())
    areas = [puppet.map(2, address=stage.draw_place(2)) for _ in range(6)]
    for area in areas:
        puppet.store(area, stage.draw_byte())
    if len(puppet.tables().user_tables()) <= before:
        raise Broken("page tables of their own for mappings far apart", "none")
    for area in areas:
        puppet.unmap(area, 2)
    if (after := len(puppet.tables().user_tables())) > before:
        raise Broken(f"{before} page tables as before", f"{after}: munmap lost {after - before}")
