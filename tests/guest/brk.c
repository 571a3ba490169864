/* Checks brk: exact breaks, what growing and shrinking does to bytes, and where it must stop. */
#include "mem.h"

static unsigned long start; /* a page-aligned break to work from */

static char *at(unsigned long offset)
{
    return (char *)(start + offset);
}

static void the_current_break(void)
{
    unsigned long now = raw_brk(0);

    check(now != 0, "brk(0) tells the current break");
    start = (now + PAGE - 1) & -PAGE;
    check_eq(raw_brk(start), start, "brk returns the new break");
    check_eq(raw_brk(0), start, "and brk(0) tells it again");
    check_eq(raw_brk(0x1000), start, "a break below the heap's start is ignored");
    check_eq(raw_brk(-1UL), start, "break -1 is refused: the old break is returned");
    check_eq(raw_brk(KERNEL_ADDRESS), start, "a break in kernel space is refused");
    check_eq(raw_brk(USER_END), start, "a break at the end of user space is refused");
    check_eq(raw_brk(start + (64UL << 40)), start, "a heap of 64 TiB is refused");
}

static void growing(void)
{
    long before;

    check_eq(raw_brk(start + 1), start + 1, "an unaligned break is kept exactly");
    check_eq(*at(0), 0, "a break of one byte into a page makes the page readable, and zero");
    *at(PAGE - 1) = 'x';
    check_eq(*at(PAGE - 1), 'x', "the whole page can be written");
    check(READ_KILLS(at(PAGE)), "the page behind the break cannot be read");
    before = minor_faults();
    check_eq(raw_brk(start + 8 * PAGE + 5), start + 8 * PAGE + 5, "it grows by eight pages");
    check_eq(minor_faults() - before, 0, "without a fault");
    check_str(present(at(0), 9), "100000000", "and without a frame");
    check(all_bytes_are(at(PAGE), 8 * PAGE, 0), "the new pages are zero");
    check_eq(*at(PAGE - 1), 'x', "the old page keeps its data");
}

static void shrinking(void)
{
    raw_brk(start + 4 * PAGE);
    memset(at(0), 'x', 4 * PAGE);
    check_eq(raw_brk(start + 2 * PAGE + 10), start + 2 * PAGE + 10, "it shrinks into a page");
    check_eq(*at(3 * PAGE - 1), 'x', "bytes of that page behind the break stay");
    check(READ_KILLS(at(3 * PAGE)), "the pages behind it are gone");
    raw_brk(start + 4 * PAGE);
    check(all_bytes_are(at(2 * PAGE), PAGE, 'x'), "grown again, the kept page has its data");
    check(all_bytes_are(at(3 * PAGE), PAGE, 0), "and the pages that were gone are zero");
    check_eq(raw_brk(start), start, "it shrinks to where it was");
    check_str(vmas(at(0), 4), "", "and no mapping is left of it");
}

static void the_next_mapping(void)
{
    anon_at(at(8 * PAGE), 1, PROT_READ);
    check_eq(raw_brk(start + 8 * PAGE), start, "it may not grow up to the next mapping");
    check_eq(raw_brk(start + 7 * PAGE + 1), start, "it leaves a free page below it");
    check_eq(raw_brk(start + 7 * PAGE), start + 7 * PAGE, "it may grow to one page below it");
    check_eq(raw_brk(start + 9 * PAGE), start + 7 * PAGE, "it may not grow past it");
    raw_brk(start);
    raw_munmap(at(8 * PAGE), PAGE);

    raw_mmap(start + 400 * PAGE, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    check_eq(raw_brk(start + 144 * PAGE), start,
             "below a mapping that grows down it may not come to 256 pages");
    check_eq(raw_brk(start + 143 * PAGE), start + 143 * PAGE, "but to 257 pages");
    raw_brk(start);
    raw_munmap(at(400 * PAGE), PAGE);
}

static void as_mappings(void)
{
    raw_brk(start + 4 * PAGE);
    check_str(vmas(at(0), 4), "0-4 rw-p", "the heap is a mapping, readable and writable");
    check_str(vma_of(at(0))->name, "[heap]", "its name in the maps file is [heap]");
    raw_mprotect(at(PAGE), PAGE, PROT_READ);
    check_str(vmas(at(0), 4), "0-1 rw-p, 1-2 r--p, 2-4 rw-p", "mprotect splits it");
    check_str(vma_of(at(PAGE))->name, "[heap]", "and the part is still [heap]");
    raw_brk(start + 6 * PAGE);
    check_str(vmas(at(0), 6), "0-1 rw-p, 1-2 r--p, 2-6 rw-p", "growth extends its last part");
    raw_munmap(at(3 * PAGE), PAGE);
    check_str(vmas(at(0), 6), "0-1 rw-p, 1-2 r--p, 2-3 rw-p, 4-6 rw-p",
              "munmap makes a hole in it");
    check_eq(raw_brk(0), start + 6 * PAGE, "which leaves the break alone");
    raw_munmap(at(5 * PAGE), PAGE);
    raw_brk(start + 7 * PAGE);
    check_str(vmas(at(0), 7), "0-1 rw-p, 1-2 r--p, 2-3 rw-p, 4-5 rw-p, 6-7 rw-p",
              "growth begins at the old break, whatever was unmapped below it");
    check_eq(raw_brk(start), start, "shrinking over holes is fine");
    check_str(vmas(at(0), 7), "", "and takes all parts");
}

static void merging(void)
{
    raw_brk(start + 2 * PAGE);
    memset(at(0), 'x', 2 * PAGE);
    anon_at(at(2 * PAGE), 2, READ_WRITE);
    check_str(vmas(at(0), 4), "0-4 rw-p", "a mapping directly behind the heap merges with it");
    check_eq(raw_brk(start + 3 * PAGE), start + 2 * PAGE, "and stops its growth");
    raw_brk(start + PAGE);
    check_str(vmas(at(0), 4), "0-1 rw-p, 2-4 rw-p",
              "shrinking takes only what lies below the break");
    raw_munmap(at(2 * PAGE), 2 * PAGE);
    raw_brk(start);
}

static void fault_counts(void)
{
    raw_brk(start + 16 * PAGE);
    check_eq(write_faults(at(0), 16), 16, "writing 16 pages of the heap takes 16 faults");
    raw_brk(start);
    raw_brk(start + 16 * PAGE);
    check_eq(read_faults(at(0), 16), 16, "shrunk and grown again, reading takes 16");
    check_eq(write_faults(at(0), 16), 16, "and writing then 16 more");
    raw_brk(start);
}

int main(void)
{
    warm_up();
    the_current_break();
    growing();
    shrinking();
    the_next_mapping();
    as_mappings();
    merging();
    fault_counts();
    return done();
}
