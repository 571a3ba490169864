"""What an entry of anonymous memory has to look like: the zero frame, a frame of one's own, a frame that is shared."""
from .page_tables import PAGE
from .words import Broken


def zero_entry(puppet, page):
    """The entry of PAGE, which has to be the zero frame: readable, not writable, all zeros."""
    entry = puppet.entry(page)
    if not entry.present:
        raise Broken(f"the page at {page:#x} to be mapped", str(entry))
    if entry.writable or not entry.user or entry.executable:
        raise Broken(f"the zero frame at {page:#x} with the rights u-- (user, not writable, not executable)", str(entry))
    puppet.expect_zeros(page, PAGE, "the zero frame")
    return entry


def own_entry(puppet, page):
    """The entry of PAGE, which has to be a writable frame that was written."""
    entry = puppet.entry(page)
    if not entry.present or not entry.writable or not entry.user or entry.executable:
        raise Broken(f"a frame of its own at {page:#x} with the rights uw-", str(entry))
    if not entry.dirty:
        raise Broken(f"the dirty bit in the entry of {page:#x}, which was written", f"{entry.value:#x}")
    return entry


def read_only_entry(puppet, page, frame=None):
    """The entry of PAGE, which has to be there without the right to write, and of FRAME if that is given."""
    entry = puppet.entry(page)
    if not entry.present or entry.writable or not entry.user:
        raise Broken(f"an entry without the right to write at {page:#x}", str(entry))
    if frame is not None and entry.frame != frame:
        raise Broken(f"frame {frame:#x} at {page:#x}", str(entry))
    return entry


def written_pages(stage, puppet, count, **options):
    """Maps COUNT pages and writes a byte into each: (address, {page: (offset, byte, frame)})."""
    area, pages = puppet.map(count, **options), {}
    for index in range(count):
        page, within, value = area + index * PAGE, stage.within(), stage.draw_byte()
        puppet.store(page + within, value)
        pages[page] = (within, value, puppet.entry(page).frame)
    return area, pages


def expect_byte(puppet, page, within, value, what):
    seen = puppet.peek(page + within, 1)
    if seen != bytes((value,)):
        raise Broken(f"{what} to have the byte {value:#x} at {page + within:#x}", seen.hex() or "no page there")
