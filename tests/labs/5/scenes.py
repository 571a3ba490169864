"""Lab 5's checks as they are seen from outside: two puppets after a fork, their page tables, their frames and their faults."""
from grader import calls
from grader.actor import READ_MISSING, WRITE_MISSING, WRITE_REFUSED
from grader.entries import expect_byte, own_entry, read_only_entry, written_pages, zero_entry
from grader.page_tables import PAGE
from grader.words import Broken


def fork_shares_frames(stage):
    parent, count = stage.main, stage.draw(6, 16)
    area, pages = written_pages(stage, parent, count, address=stage.draw_place(count))
    child = parent.fork()
    for page, (within, value, frame) in pages.items():
        read_only_entry(parent, page, frame)
        child.expect_load(page + within, value, what="a child's read of an inherited page")
        read_only_entry(child, page, frame)
    child.exit()
    parent.unmap(area, count)


def a_write_copies(stage):
    parent, count = stage.main, stage.draw(6, 16)
    area, pages = written_pages(stage, parent, count, address=stage.draw_place(count))
    child = parent.fork()
    for index, (page, (within, value, frame)) in enumerate(pages.items()):
        writer, other = (child, parent) if index % 2 else (parent, child)
        who = "the child" if index % 2 else "the parent"
        at, new = stage.within(), stage.draw_byte()
        before = stage.read_physical(frame * PAGE, PAGE)
        writer.expect_store(page + at, new, WRITE_REFUSED, what=f"{who}'s first write to a shared page")
        entry = own_entry(writer, page)
        if entry.frame == frame:
            raise Broken(f"a frame of its own for {who} at {page:#x}", f"frame {frame:#x}, which the other still maps")
        copy = bytearray(before)
        copy[at] = new
        if writer.peek(page, PAGE) != bytes(copy):
            raise Broken(f"a copy of all that was in the page at {page:#x}, and the byte that was written", "something else")
        if stage.read_physical(frame * PAGE, PAGE) != before or other.entry(page).frame != frame:
            raise Broken(f"the other's page at {page:#x} to stay as it was", str(other.entry(page)))
        writer.expect_store(page + at, value, what="the second write")
    child.exit()
    parent.unmap(area, count)


def old_translations_are_flushed(stage):
    """The parent has just written, so the processor remembers that it may; after fork it must ask again."""
    parent, count = stage.main, 4
    area, pages = written_pages(stage, parent, count, address=stage.draw_place(count))
    for page in pages:
        parent.expect_store(page + stage.within(), stage.draw_byte(), what="a write to a page of one's own")
    child = stage.fork(parent, switch=False)
    for page, (_, _, frame) in pages.items():
        parent.expect_store(page + stage.within(), stage.draw_byte(), WRITE_REFUSED, what="the parent's first write after fork")
    stage.bring(child)
    for page, (_, _, frame) in pages.items():
        if child.entry(page).frame != frame:
            raise Broken("the child's frame to stay the one that was shared", str(child.entry(page)))
    child.exit()
    parent.unmap(area, count)


def the_last_user_takes_over(stage):
    parent, count = stage.main, stage.draw(6, 12)
    area, pages = written_pages(stage, parent, count, address=stage.draw_place(count))
    child = parent.fork()
    first = list(pages)[:count // 2]
    for page in first:
        child.expect_store(page + stage.within(), stage.draw_byte(), WRITE_REFUSED)
    for page in first:
        take_over(stage, parent, page, pages[page][2], "after the child has made its copy")
    child.exit()
    for page in list(pages)[count // 2:]:
        take_over(stage, parent, page, pages[page][2], "after the child has gone")
    parent.unmap(area, count)


def take_over(stage, puppet, page, frame, when):
    at, value = page + stage.within(), stage.draw_byte()
    puppet.expect_store(at, value, WRITE_REFUSED, what=f"the last user's write, {when},")
    if (entry := own_entry(puppet, page)).frame != frame:
        raise Broken(f"frame {frame:#x} to be taken over at {page:#x} {when}, without a copy", str(entry))
    puppet.expect_store(at, value, what="the next write")


def three_generations(stage):
    parent = stage.main
    area, pages = written_pages(stage, parent, 3, address=stage.draw_place(3))
    child = parent.fork()
    grandchild = child.fork()
    puppets = [parent, child, grandchild]
    for page, (_, _, frame) in pages.items():
        stage.random.shuffle(puppets)
        first, second, last = puppets
        frames = set()
        for puppet in (first, second):
            puppet.expect_store(page + stage.within(), stage.draw_byte(), WRITE_REFUSED, what="a write to a frame of several")
            frames.add(own_entry(puppet, page).frame)
            read_only_entry(last, page, frame)
        if frame in frames or len(frames) != 2:
            raise Broken("a copy for each of the first two writers", f"frames {sorted(map(hex, frames))}")
        take_over(stage, last, page, frame, "as the last of three")
    stage.leave(grandchild, child)
    child.exit()
    parent.unmap(area, 3)


def shared_memory_is_shared(stage):
    parent, count = stage.main, stage.draw(6, 12)
    area = parent.map(count, flags=calls.MAP_SHARED, address=stage.draw_place(count))
    stage.shared.append((area, area + count * PAGE))
    touched = stage.draw_pages(area, count, 3)
    for page in touched:
        parent.store(page + stage.within(), stage.draw_byte())
    child = parent.fork()
    for page in stage.draw_pages(area, count, 4) + touched:
        for writer, reader in ((parent, child), (child, parent)):
            within, value = stage.within(), stage.draw_byte()
            if (step := writer.store(page + within, value)).signal:
                raise Broken("shared memory to stay writable", f"signal {step.signal.number}")
            step = reader.load(page + within)
            if step.value != value:
                raise Broken(f"what one writes to shared memory at {page + within:#x} to be read by the other ({value:#x})",
                             f"{step.value:#x}")
        if parent.entry(page).frame != child.entry(page).frame:
            raise Broken("one frame for both in shared memory", f"{parent.entry(page)} and {child.entry(page)}")
    child.exit()
    parent.unmap(area, count)
    stage.shared.clear()


def what_was_not_written(stage):
    parent, count = stage.main, stage.draw(6, 12)
    area = parent.map(count, address=stage.draw_place(count))
    read, untouched = area, area + PAGE
    parent.expect_load(read, 0, READ_MISSING)
    zero = zero_entry(parent, read).frame
    child = parent.fork()
    child.expect_store(untouched + stage.within(), stage.draw_byte(), WRITE_MISSING, what="a child's write to an untouched page")
    own_entry(child, untouched)
    parent.expect_absent(untouched, "the parent's untouched page")
    if child.load(read).value or zero_entry(child, read).frame != zero:
        raise Broken("the child to read zeros from the zero frame", str(child.entry(read)))
    child.expect_store(read + stage.within(), stage.draw_byte(), WRITE_REFUSED, what="a child's write over the zero frame")
    own_entry(child, read)
    if zero_entry(parent, read).frame != zero:
        raise Broken("the parent to keep the zero frame", str(parent.entry(read)))
    child.exit()
    parent.unmap(area, count)


def address_spaces_are_apart(stage):
    parent, count = stage.main, 8
    area, pages = written_pages(stage, parent, count, address=stage.draw_place(count))
    child = parent.fork()
    child.unmap(area, 2)
    child.expect_call(0, calls.MPROTECT, area + 2 * PAGE, 2 * PAGE, calls.PROT_NONE)
    at = area + 2 * PAGE
    child.expect_refused(child.load(at), at, child.load(at).faults[-1].error, calls.SEGV_ACCERR, "the child's read of PROT_NONE")
    child.map(1, calls.PROT_READ, address=area + 4 * PAGE, extra=calls.MAP_FIXED)
    for page, (within, value, _) in pages.items():
        parent.expect_load(page + within, value, what="the parent's read of its page")
    late = parent.map(1)
    if child.call(calls.MUNMAP, late, PAGE).value == 0 and not child.load(late).signal:
        raise Broken("what the parent maps after the fork not to be the child's", "the child can read it")
    child.exit()
    for page, (within, value, _) in pages.items():
        expect_byte(parent, page, within, value, "the parent's page after the child's end")
    parent.unmap(area, count)
    parent.unmap(late, 1)


def rights_are_inherited(stage):
    parent = stage.main
    area, pages = written_pages(stage, parent, 2, address=stage.draw_place(2))
    (page, (within, value, frame)), _ = pages.items()
    parent.expect_call(0, calls.MPROTECT, page, PAGE, calls.PROT_READ)
    child = parent.fork()
    for puppet in (child, parent):
        puppet.expect_load(page + within, value)
        puppet.expect_refused(puppet.store(page + within, 1), page + within, WRITE_REFUSED, calls.SEGV_ACCERR,
                              "a write to an inherited read-only page")
        read_only_entry(puppet, page, frame)
    heap = child.result(calls.BRK, 0)
    if heap != parent.result(calls.BRK, 0) or child.result(calls.BRK, heap + PAGE) != heap + PAGE:
        raise Broken("the child to have the parent's break and to move its own", hex(child.result(calls.BRK, 0)))
    if parent.result(calls.BRK, 0) != heap:
        raise Broken("the parent's break to stay", hex(parent.result(calls.BRK, 0)))
    child.exit()
    parent.unmap(area, 2)


def no_frame_is_lost(stage):
    """Forks, writes on both sides, ends: again and again, until more frames have been used than there are."""
    parent, count = stage.main, 500
    area = parent.map(count)
    parent.write_pages(area, count, stage.draw_byte())
    # Once before counting: what the kernel keeps for the next process is no loss.
    for round_number in range(2 + stage.memory // PAGE // count):
        if round_number == 1:
            before = parent.frames_free()
        child = parent.fork()
        if child.write_pages(area, count, stage.draw_byte()).signal or parent.write_pages(area, count, 1).signal:
            raise Broken("a frame for each write", "a signal: there was none left")
        child.exit()
    if (after := parent.frames_free()) < before:
        raise Broken(f"{before} free frames as before", f"{after}")
    parent.unmap(area, count)
