"""
What the open lab's benchmark counts, from outside: on a machine in front of QEMU's debugger, so a kernel has no part in the counting.
FIGURES are those of which a student's work has to better one, GUARDS those that no work may spoil; the less, the better, each.
AT_MOST says how many times what it was a guard may become, where that is more than the usual tenth.
"""
from grader import calls
from grader.page_tables import PAGE

HUGE = 512 * PAGE
MERGEABLE = 12
SPINS, SPIN = 12, 12_000_000    # loads, three instructions each: twelve ticks of the clock at least
BEYOND = 5 / 4                  # of the machine's memory
FEW_ROUNDS, FEW, SOME, MANY = 4, 40, 150, 1024
APART = 3                       # pages between two that are touched at random: nobody's neighbours
PAIRS, PAIRS_APART = 14, 32     # together less than a huge page


def aligned_place(stage, pages):
    return stage.draw_place(pages + 512) + HUGE - 1 & -HUGE


def touched_in_order(stage, piece):
    """Instructions for a page, and faults, when MANY pages are touched one after the other."""
    puppet = stage.main
    area = puppet.map(MANY, address=aligned_place(stage, MANY))
    step = puppet.read_pages(area, MANY) if piece == "read" else puppet.write_pages(area, MANY, 1)
    puppet.unmap(area, MANY)
    return step.instructions / MANY, len(step.faults)


def read_in_order(stage):
    return touched_in_order(stage, "read")[0]


def write_in_order(stage):
    return touched_in_order(stage, "write")[0]


def faults_in_order(stage):
    return touched_in_order(stage, "write")[1]


def page_tables(stage):
    """Frames that are page tables because of 8 MiB that are written."""
    puppet, pages = stage.main, 2 * MANY
    area = puppet.map(pages, address=aligned_place(stage, pages))
    before = len(puppet.tables().user_tables())
    puppet.write_pages(area, pages, 1)
    more = len(puppet.tables().user_tables()) - before
    puppet.unmap(area, pages)
    return more


def equal_pages(stage):
    """Frames behind 128 pages of which 32 each hold the same, twelve ticks after MADV_MERGEABLE."""
    puppet, count, kinds = stage.main, 128, 4
    area = puppet.map(count, address=aligned_place(stage, count))
    first = stage.draw_byte() | 16
    for index in range(count):
        puppet.fill(area + index * PAGE, first - index % kinds, PAGE)
    puppet.call(calls.MADVISE, area, count * PAGE, MERGEABLE)
    for _ in range(SPINS):
        puppet.read_pages(area, SPIN // 3, 0)
    tables = puppet.tables()
    frames = len({tables.entry(area + index * PAGE).frame for index in range(count)} - {None})
    puppet.unmap(area, count)
    return frames


def pages_lost(stage):
    """How many pages of a child that wants a quarter more than the machine's memory are lost: all, if it is killed."""
    puppet, pages = stage.main, int(stage.memory // PAGE * BEYOND)
    child = puppet.fork()
    area = child.map(pages, flags=calls.MAP_PRIVATE | calls.MAP_NORESERVE)
    value = stage.draw_byte()
    child.alive = False
    stage.machine.exceptions.take()
    stage.set_registers("write_pages", {"rdi": area, "rsi": PAGE, "rcx": pages, "rax": value, "rsp": child.stack})
    stage.machine.proceed()
    stage.arrived()
    if stage.current is puppet:
        stage.bury(child, calls.SIGKILL)
        return pages
    child.alive = True
    lost = sum(child.load(area + index * PAGE).value != value for index in stage.random.sample(range(pages), SOME))
    child.exit()
    return lost * pages // SOME


def at_random(stage, act):
    """Instructions for a page at the mean, when pages are touched one by one that are nobody's neighbours."""
    puppet, count = stage.main, APART * SOME
    area = puppet.map(count, address=stage.draw_place(count))
    pages = list(range(area, area + count * PAGE, APART * PAGE))
    stage.random.shuffle(pages)
    spent = [instructions for page in pages for instructions in quiet(stage, lambda: act(puppet, page))]
    puppet.unmap(area, count)
    return sum(spent) / len(spent)


def quiet(stage, act):
    """[instructions of ACT()]; empty when the clock ticked meanwhile."""
    ticks = stage.machine.exceptions.ticks
    step = act()
    return [step.instructions] if stage.machine.exceptions.ticks == ticks else []


def read_at_random(stage):
    return at_random(stage, lambda puppet, page: puppet.load(page))


def write_at_random(stage):
    return at_random(stage, lambda puppet, page: puppet.store(page, 1))


def write_in_pairs(stage):
    """Instructions for two neighbours, at the mean, when pages are written two by two, and far from the last two."""
    puppet, spent = stage.main, []
    for _ in range(FEW_ROUNDS):
        area = puppet.map(PAIRS * PAIRS_APART, address=stage.draw_place(PAIRS * PAIRS_APART))
        pairs = [area + index * PAIRS_APART * PAGE for index in range(PAIRS)]
        stage.random.shuffle(pairs)
        spent += [instructions for pair in pairs for instructions in quiet(stage, lambda: puppet.write_pages(pair, 2, 1))]
        puppet.unmap(area, PAIRS * PAIRS_APART)
    return sum(spent) / len(spent)


def map_and_unmap(stage):
    puppet, spent = stage.main, []
    place = stage.draw_place(1)
    for _ in range(FEW):
        mapped = quiet(stage, lambda: puppet.call(calls.MMAP, place, PAGE, calls.RW, calls.MAP_PRIVATE | calls.MAP_ANONYMOUS |
                                                  calls.MAP_FIXED, -1 & (1 << 64) - 1, 0))
        unmapped = quiet(stage, lambda: puppet.call(calls.MUNMAP, place, PAGE))
        if mapped and unmapped:
            spent.append(mapped[0] + unmapped[0])
    return sum(spent) / len(spent)


def unmap_pages(stage):
    """munmap, for each page that was written."""
    puppet, spent = stage.main, []
    for _ in range(FEW_ROUNDS):
        area = puppet.map(MANY, address=aligned_place(stage, MANY))
        puppet.write_pages(area, MANY, 1)
        spent.append(puppet.call(calls.MUNMAP, area, MANY * PAGE).instructions / MANY)
    return min(spent)


def change_rights(stage):
    """mprotect to read-only, for each page that was written."""
    puppet = stage.main
    area = puppet.map(MANY, address=aligned_place(stage, MANY))
    puppet.write_pages(area, MANY, 1)
    spent = puppet.call(calls.MPROTECT, area, MANY * PAGE, calls.PROT_READ).instructions / MANY
    puppet.unmap(area, MANY)
    return spent


def fork(stage):
    """Of a process with MANY pages that were written. (At the child's end the machine is audited, which costs far more.)"""
    puppet, spent = stage.main, []
    area = puppet.map(MANY, address=aligned_place(stage, MANY))
    puppet.write_pages(area, MANY, 1)
    for _ in range(FEW_ROUNDS):
        before = stage.machine.instructions()
        child = stage.fork(puppet, switch=False)
        spent.append(stage.machine.instructions() - before)
        child.exit()
    puppet.unmap(area, MANY)
    return min(spent)


def by_name(*functions):
    return {function.__name__.replace("_", "-"): function for function in functions}


FIGURES = by_name(read_in_order, write_in_order, faults_in_order, page_tables, equal_pages, pages_lost)
GUARDS = by_name(read_in_order, write_in_order, read_at_random, write_at_random, write_in_pairs, map_and_unmap, unmap_pages,
                 change_rights, fork)
AT_MOST = {"write-in-pairs": 2}     # two neighbours may look like the beginning of more: as many in vain as were right
