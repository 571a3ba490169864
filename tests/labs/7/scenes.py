"""
Lab 7's checks as they are seen from outside. They know nothing of what a student has built: how many faults something takes, and which
frames are behind a page, is the kernel's own affair; what a program finds in its memory, and what it may do there, is not.
"""
from grader import calls
from grader.page_tables import PAGE
from grader.random_calls import RandomCalls
from grader.words import Broken

STEPS = 220
ROUNDS, PAGES, SOME = 4, 700, 60
ROW = 8     # pages side by side


def random_calls(stage):
    for forgetful in ("child", "parent"):
        one_of_a_row_is_alone(stage, forgetful)
    RandomCalls(stage).run(STEPS)


def one_of_a_row_is_alone(stage, forgetful):
    """
    A parent and its child share a row of pages; in the middle one of the two gives one up, so it is the other's alone. Whoever
    takes that over may not take its neighbours, too.
    """
    parent = stage.main.fork()
    area, before = parent.map(ROW, address=stage.draw_place(ROW)), stage.draw_byte()
    parent.write_pages(area, ROW, before)
    child = stage.fork(parent)
    keeper, other = (parent, child) if forgetful == "child" else (child, parent)
    alone = area + stage.draw(1, ROW - 2) * PAGE
    other.unmap(alone, 1)
    for page in [alone, *(page for page in range(area, area + ROW * PAGE, PAGE) if page != alone)]:
        keeper.store(page, before ^ 0xff)
    for page in range(area, area + ROW * PAGE, PAGE):
        if page != alone and (got := other.load(page).value) != before:
            raise Broken(f"{before:#x} at {page:#x}, which the other process has written after the fork", f"{got:#x}")
    stage.leave(child, parent)
    parent.exit()


def live(stage):
    """A child with a life: memory touched in order and at random, written, merged, shared, half given back."""
    child = stage.main.fork()
    area = child.map(PAGES, address=stage.draw_place(PAGES))
    child.write_pages(area, PAGES // 2, stage.draw_byte())
    child.read_pages(area + PAGES // 2 * PAGE, PAGES // 4)
    for page in stage.draw_pages(area, PAGES, SOME):
        child.store(page + stage.within(), stage.draw_byte())
    child.call(calls.MADVISE, area, PAGES * PAGE, 12)       # MADV_MERGEABLE
    grandchild = stage.fork(child)
    grandchild.write_pages(area, PAGES // 3, stage.draw_byte())
    stage.leave(grandchild, child)
    child.unmap(area + PAGES // 4 * PAGE, PAGES // 4)
    child.exit()


def frames_come_back(stage):
    live(stage)         # what the kernel keeps for itself from the first time on
    before = stage.main.frames_free()
    for _ in range(ROUNDS):
        live(stage)
    if (after := stage.main.frames_free()) < before:
        raise Broken(f"as many free frames after {ROUNDS} more children as before them, {before}", f"{after}")


def use_up_memory(stage):
    """A child of the main puppet wants more than there is, and is killed."""
    puppet, pages = stage.main, 4 * stage.memory // PAGE
    child = puppet.fork()
    area = child.map(pages, flags=calls.MAP_PRIVATE | calls.MAP_NORESERVE)
    child.alive = False
    stage.machine.exceptions.take()
    stage.set_registers("write_pages", {"rdi": area, "rsi": PAGE, "rcx": pages, "rax": stage.draw_byte()})
    stage.proceed(puppet)
    stage.bury(child, calls.SIGKILL)


def memory_runs_out(stage):
    """A child wants more than there is, memory and disc: it is killed, and what it had can be had again."""
    # Twice, the second time with an odd number of frames taken: whoever takes several at once meets the end in between.
    use_up_memory(stage)
    stage.main.store(stage.main.map(1), stage.draw_byte())
    use_up_memory(stage)
    puppet = stage.main
    count = stage.memory // PAGE // 3
    for _ in range(3):
        area = puppet.map(count)
        if step := puppet.write_pages(area, count, 1).signal:
            raise Broken(f"{count} pages to be had after the child's end", f"signal {step.number}")
        puppet.unmap(area, count)
