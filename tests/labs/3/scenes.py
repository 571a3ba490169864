"""
Lab 3's checks as they are seen from outside: a puppet process touches memory, and the page tables, the frames and the processor's
own log of faults tell what the kernel has done. Each function is named after its check in checks.toml; what it draws by
`stage` (addresses, lengths, contents) differs in each run.
"""
from grader import calls
from grader.actor import READ_MISSING, READ_REFUSED, WRITE_MISSING, WRITE_REFUSED
from grader.entries import own_entry, zero_entry
from grader.exceptions import INSTRUCTION, PRESENT, USER
from grader.page_tables import PAGE
from grader.words import Broken

DIRTY_STRIDE, SPARE_FRAMES = 256, 150
NAME = b"puppet\n"      # what /proc/self/comm holds
EXECUTE_MISSING, EXECUTE_REFUSED = USER | INSTRUCTION, USER | INSTRUCTION | PRESENT


def read_maps_the_zero_frame(stage):
    puppet, count = stage.main, stage.draw(12, 40)
    area = puppet.map(count, address=stage.draw_place(count))
    read = stage.draw_pages(area, count, stage.draw(4, 9))
    for page in read:
        puppet.expect_load(page + stage.within(), 0, READ_MISSING, what="the first read of a page")
        zero_entry(puppet, page)
        puppet.expect_load(page + stage.within(), 0, what="the second read of a page")
    for index in range(count):
        if area + index * PAGE not in read:
            puppet.expect_absent(area + index * PAGE, "a page that nobody has touched")
    puppet.unmap(area, count)


def one_zero_frame(stage):
    puppet, frames = stage.main, {}
    areas = [(puppet.map(count, protection, address=stage.draw_place(count)), count)
             for count, protection in ((stage.draw(3, 20), calls.RW), (stage.draw(3, 20), calls.PROT_READ))]
    for area, count in areas:
        for page in stage.draw_pages(area, count, 3):
            puppet.load(page)
            frames[zero_entry(puppet, page).frame] = page
    if len(frames) != 1:
        raise Broken("one and the same frame behind all pages that were only read",
                     ", ".join(f"frame {frame:#x} at {page:#x}" for frame, page in frames.items()))
    for area, count in areas:
        puppet.unmap(area, count)


def expect_cleared_frames(stage, read_first):
    """
    Leaves nearly all free frames with something in them, then writes one byte in more pages than there can be clean ones:
    who forgets to clear a frame shows it.
    """
    puppet, count, more = stage.main, stage.main.frames_free() - SPARE_FRAMES, 2 * SPARE_FRAMES
    area = puppet.map(count)
    puppet.write_pages(area, count * PAGE // DIRTY_STRIDE, stage.draw_byte(), DIRTY_STRIDE)
    puppet.unmap(area, count)
    area, within, value = puppet.map(more), stage.within(), stage.draw_byte()
    if read_first:
        puppet.read_pages(area, more)
    puppet.write_pages(area + within, more, value)
    tables = puppet.tables()
    for page in range(area, area + more * PAGE, PAGE):
        data = bytearray(stage.read_physical((tables.entry(page).frame or 0) * PAGE, PAGE))
        if data[within:within + 1] != bytes((value,)):
            raise Broken(f"the byte {value:#x} at {page + within:#x}, which was written there", data[within:within + 1].hex())
        data[within] = 0
        if any(data):
            raise Broken(f"the new page at {page:#x} to be zero but for the byte that was written",
                         f"{len(data) - data.count(0)} bytes of what another page has left in its frame")
    puppet.unmap(area, more)


def write_takes_a_zeroed_frame(stage):
    puppet, count = stage.main, stage.draw(12, 40)
    expect_cleared_frames(stage, read_first=False)
    area = puppet.map(count, address=stage.draw_place(count))
    frames = {}
    for page in stage.draw_pages(area, count, stage.draw(5, 10)):
        within, value = stage.within(), stage.draw_byte()
        puppet.expect_store(page + within, value, WRITE_MISSING, what="the first write to a page")
        frame = own_entry(puppet, page).frame
        if frame in frames:
            raise Broken("another frame for each page that was written", f"frame {frame:#x} for {page:#x} and {frames[frame]:#x}")
        frames[frame] = page
        puppet.expect_zeros(page, within, "what lies before the written byte")
        puppet.expect_zeros(page + within + 1, PAGE - within - 1, "what lies behind the written byte")
        puppet.expect_store(page + stage.within(), value, what="the second write to a page")
    puppet.unmap(area, count)


def write_replaces_the_zero_frame(stage):
    puppet, count = stage.main, stage.draw(8, 20)
    expect_cleared_frames(stage, read_first=True)
    area = puppet.map(count, address=stage.draw_place(count))
    puppet.read_pages(area, count)
    zero = zero_entry(puppet, area).frame
    written = stage.draw_pages(area, count, 4)
    for page in written:
        within, value = stage.within(), stage.draw_byte()
        puppet.expect_store(page + within, value, WRITE_REFUSED, what="a write to a page that was read before")
        if own_entry(puppet, page).frame == zero:
            raise Broken(f"a fresh frame at {page:#x} in place of the zero frame", f"frame {zero:#x} as before, made writable")
        puppet.expect_zeros(page, within, "what lies before the written byte")
        puppet.expect_zeros(page + within + 1, PAGE - within - 1, "what lies behind the written byte")
        puppet.expect_load(page + within, value, what="reading back what was written")
    for index in range(count):
        page = area + index * PAGE
        if page not in written and zero_entry(puppet, page).frame != zero:
            raise Broken(f"the zero frame still at {page:#x}, which nobody has written", str(puppet.entry(page)))
    puppet.unmap(area, count)


def zero_frame_is_kept(stage):
    """The zero frame is nobody's: unmapping, protecting and forking must neither free nor change it."""
    puppet, count = stage.main, stage.draw(30, 60)
    area = puppet.map(count)
    puppet.read_pages(area, count)
    zero = zero_entry(puppet, area).frame
    puppet.unmap(area, count)
    area = puppet.map(count + 200)
    puppet.fill(area, stage.draw_byte(), (count + 200) * PAGE)
    for page, entry in puppet.tables().user_pages().items():
        if entry.frame == zero:
            raise Broken("the zero frame never to be given to anybody", f"frame {zero:#x} is mapped at {page:#x} after a write")
    if any(stage.read_physical(zero * PAGE, PAGE)):
        raise Broken("the zero frame to stay zero", "something else in it after its pages were unmapped")
    puppet.unmap(area, count + 200)
    again = puppet.map(1)
    puppet.expect_load(again + stage.within(), 0, READ_MISSING)
    if (frame := zero_entry(puppet, again).frame) != zero:
        raise Broken(f"the same zero frame as before ({zero:#x})", f"frame {frame:#x}")
    puppet.unmap(again, 1)


def read_only_memory(stage):
    puppet, count = stage.main, stage.draw(4, 12)
    area = puppet.map(count, calls.PROT_READ, address=stage.draw_place(count))
    first, second = stage.draw_pages(area, count, 2)
    puppet.expect_load(first + stage.within(), 0, READ_MISSING, what="a read of read-only memory")
    zero_entry(puppet, first)
    at = first + stage.within()
    puppet.expect_refused(puppet.store(at, 1), at, WRITE_REFUSED, calls.SEGV_ACCERR, "a write to a read-only page that was read")
    zero_entry(puppet, first)
    at = second + stage.within()
    puppet.expect_refused(puppet.store(at, 1), at, WRITE_MISSING, calls.SEGV_ACCERR, "a write to a read-only page")
    puppet.expect_absent(second, "a page whose only access was refused")
    puppet.unmap(area, count)


def no_access(stage):
    puppet, count = stage.main, stage.draw(4, 12)
    area = puppet.map(count, calls.PROT_NONE, address=stage.draw_place(count))
    for page, access, error in zip(stage.draw_pages(area, count, 3), (puppet.load, lambda at: puppet.store(at, 1), puppet.jump),
                                   (READ_MISSING, WRITE_MISSING, EXECUTE_MISSING)):
        at = page + stage.within()
        puppet.expect_refused(access(at), at, error, calls.SEGV_ACCERR, "an access to PROT_NONE memory")
        puppet.expect_absent(page, "a page that nobody may access")
    puppet.unmap(area, count)


def nothing_mapped(stage):
    puppet, count = stage.main, stage.draw(4, 12)
    area = puppet.map(count, address=stage.draw_place(count))
    for at in (area - 1 - stage.within(), area + count * PAGE + stage.within(), stage.draw(0, PAGE - 1)):
        puppet.expect_refused(puppet.load(at), at, READ_MISSING, calls.SEGV_MAPERR, "a read where nothing is mapped")
        puppet.expect_refused(puppet.store(at, 1), at, WRITE_MISSING, calls.SEGV_MAPERR, "a write where nothing is mapped")
        puppet.expect_refused(puppet.jump(at), at, EXECUTE_MISSING, calls.SEGV_MAPERR, "executing what is not mapped")
        puppet.expect_absent(at & -PAGE, "a page of no mapping")
    puppet.unmap(area, count)
    puppet.expect_refused(puppet.load(area), area, READ_MISSING, calls.SEGV_MAPERR, "a read of what was unmapped")


def kernel_addresses(stage):
    puppet = stage.main
    image = 0xffffffff80100000 + stage.draw(0, 1 << 14)
    direct_map = 0xffff888000000000 + stage.draw(1 << 20, 8 << 20)
    for at in (image, direct_map):
        step = puppet.load(at)
        error = READ_REFUSED if puppet.entry(at).present else READ_MISSING
        # Linux tells nobody what is mapped in the kernel's half: always MAPERR, and the entry stays as it was.
        puppet.expect_refused(step, at, error, calls.SEGV_MAPERR, "a read of the kernel's memory")
        if puppet.entry(at).user:
            raise Broken(f"the kernel's memory at {at:#x} to stay the kernel's", str(puppet.entry(at)))


def executing_data(stage):
    puppet, count = stage.main, stage.draw(4, 12)
    area = puppet.map(count, address=stage.draw_place(count))
    at = stage.draw_pages(area, count, 1)[0] + stage.within()
    step = puppet.jump(at)
    puppet.expect_refused(step, at, EXECUTE_REFUSED, calls.SEGV_ACCERR, "executing memory without PROT_EXEC")
    if [fault.error for fault in step.faults] != [EXECUTE_MISSING, EXECUTE_REFUSED]:
        raise Broken("two faults: the page is mapped first, and then may not be executed", f"{len(step.faults)}")
    zero_entry(puppet, at & -PAGE)
    puppet.unmap(area, count)
    code = puppet.map(1, calls.RWX)
    puppet.put(code, b"\xff\xe2")       # jmp rdx: back to the puppet's checkpoint
    step = puppet.jump(code)
    if step.signal:
        raise Broken("memory with PROT_EXEC to be executable", f"signal {step.signal.number}")
    puppet.unmap(code, 1)


def stack_grows(stage):
    puppet = stage.main
    for pages in sorted(stage.random.sample(range(40, 1900), 3)):
        at = (puppet.stack & -PAGE) - pages * PAGE + stage.within()
        puppet.expect_store(at, stage.draw_byte(), WRITE_MISSING, what="a write below the stack, within its limit")
        own_entry(puppet, at & -PAGE)
    below = calls.STACK_TOP - calls.STACK_SPAN - stage.draw(1, 1 << 20)
    puppet.expect_refused(puppet.store(below, 1), below, WRITE_MISSING, calls.SEGV_MAPERR, "a write below the stack's limit")


def system_calls_fault_too(stage):
    """The kernel touches a program's untouched buffers itself, across a page's end, and its faults are served alike."""
    puppet, count = stage.main, 6
    area = puppet.map(count, address=stage.draw_place(count))
    at = area + PAGE - stage.draw(1, 6)
    handle = puppet.result(calls.OPEN, puppet.put(stage.mailbox, b"/proc/self/comm\0"), 0, 0)
    step = puppet.call(calls.READ, handle, at, 16)
    puppet.expect_faults(step, [(at, WRITE_MISSING & ~USER), (area + PAGE, WRITE_MISSING & ~USER)],
                         "a read into an untouched buffer across a page's end")
    if step.value != len(NAME) or puppet.peek(at, len(NAME)) != NAME:
        raise Broken(f"the file's bytes {NAME} in the buffer", f"{step.value} bytes: {puppet.peek(at, 16)!r}")
    puppet.result(calls.CLOSE, handle)
    handle = puppet.result(calls.OPEN, puppet.put(stage.mailbox, b"/proc/self/comm\0"), 0, 0)
    hole = puppet.map(2, address=stage.draw_place(2))
    puppet.unmap(hole + PAGE, 1)
    puppet.expect_call(-14, calls.READ, handle, hole + PAGE, 8)
    puppet.result(calls.CLOSE, handle)
    puppet.unmap(hole, 1)
    puppet.unmap(area, count)


def memory_runs_out(stage):
    """A child wants more than there is: it is killed, the machine goes on, and every frame comes back."""
    puppet, pages = stage.main, stage.memory // PAGE + 512
    child = puppet.fork()
    area = child.map(pages, flags=calls.MAP_PRIVATE | calls.MAP_NORESERVE)
    child.alive = False
    stage.machine.exceptions.take()
    stage.set_registers("write_pages", {"rdi": area, "rsi": PAGE, "rcx": pages, "rax": stage.draw_byte()})
    stage.proceed(puppet)
    stage.bury(child, calls.SIGKILL)
    count = pages // 3
    for _ in range(4):
        area = puppet.map(count)
        step = puppet.write_pages(area, count, 1)
        if step.signal or len(step.faults) != count:
            raise Broken(f"{count} pages to be had after the child's end, one fault each", f"{len(step.faults)} faults")
        puppet.unmap(area, count)
