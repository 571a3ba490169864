/* Checks munmap: its refusals, holes, splits, and that what is gone cannot be touched. */
#include "mem.h"

static void refusals(void)
{
    char *memory = anon(2);

    check_fails(raw_munmap(memory + 1, PAGE), EINVAL, "an unaligned address is EINVAL");
    check_fails(raw_munmap(memory, 0), EINVAL, "length 0 is EINVAL");
    check_fails(raw_munmap(memory, -1UL), EINVAL, "length -1 is EINVAL");
    check_fails(raw_munmap(memory, -PAGE), EINVAL, "length -4096 is EINVAL");
    check_fails(raw_munmap((void *)(USER_END - PAGE), 2 * PAGE), EINVAL,
                "a range that ends above user space is EINVAL");
    check_fails(raw_munmap((void *)USER_END, PAGE), EINVAL, "the end of user space is EINVAL");
    check_fails(raw_munmap((void *)KERNEL_ADDRESS, PAGE), EINVAL, "a kernel address is EINVAL");
    check_fails(raw_munmap((void *)-PAGE, PAGE), EINVAL, "the last page of all is EINVAL");
    check_str(vmas(memory, 2), "0-2 rw-p", "a refused call unmaps nothing");
    raw_munmap(memory, 2 * PAGE);
}

static void nothing_there(void)
{
    char *range = free_range(8);

    check_eq(raw_munmap(range, 8 * PAGE), 0, "unmapping what was never mapped is fine");
    anon_at(range + PAGE, 1, READ_WRITE);
    anon_at(range + 4 * PAGE, 2, PROT_READ);
    check_eq(raw_munmap(range, 8 * PAGE), 0, "unmapping over holes is fine");
    check_str(vmas(range, 8), "", "and all of it is gone");
    check_eq(raw_munmap(0, 65536), 0, "unmapping the first pages is fine");
}

static void parts(void)
{
    char *memory = anon_at(free_range(16), 16, READ_WRITE);

    memset(memory, 'x', 16 * PAGE);
    check_eq(raw_munmap(memory + 4 * PAGE, 1), 0, "a length of one byte is accepted");
    check_str(vmas(memory, 16), "0-4 rw-p, 5-16 rw-p", "it removes its whole page, and splits");
    check_eq(raw_munmap(memory, PAGE + 1), 0, "a length of a page and a byte is accepted");
    check_str(vmas(memory, 16), "2-4 rw-p, 5-16 rw-p", "it removes two pages at the start");
    check_eq(raw_munmap(memory + 14 * PAGE, 2 * PAGE), 0, "the last two pages are removed");
    check_str(vmas(memory, 16), "2-4 rw-p, 5-14 rw-p", "from the end");
    check_eq(raw_munmap(memory + 3 * PAGE, 5 * PAGE), 0, "a range over two mappings and a hole");
    check_str(vmas(memory, 16), "2-3 rw-p, 8-14 rw-p", "is removed from both");
    check(all_bytes_are(memory + 2 * PAGE, PAGE, 'x') &&
              all_bytes_are(memory + 8 * PAGE, 6 * PAGE, 'x'),
          "what remains keeps its data");
    check(READ_KILLS(memory + 3 * PAGE), "a read just behind what remains is SIGSEGV");
    check(READ_KILLS(memory + 8 * PAGE - 1), "a read just before what remains is SIGSEGV");
    check(WRITE_KILLS(memory), "a write to what was unmapped is SIGSEGV");
    raw_munmap(memory, 16 * PAGE);
}

static void filled_again(void)
{
    char *memory = anon_at(free_range(4), 4, READ_WRITE);

    memset(memory, 'x', 4 * PAGE);
    raw_munmap(memory + PAGE, 2 * PAGE);
    anon_at(memory + PAGE, 2, READ_WRITE);
    check_str(vmas(memory, 4), "0-4 rw-p", "a hole that is filled again merges with both sides");
    check(all_bytes_are(memory + PAGE, 2 * PAGE, 0), "and it is zero");
    raw_munmap(memory, 4 * PAGE);
}

static void huge_promise(void)
{
    const unsigned long length = 64UL << 40;
    char *memory = raw_mmap(0, length, READ_WRITE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

    if (!check(memory != MAP_FAILED, "64 TiB are promised"))
        return;
    for (unsigned long i = 0; i < 100; i++)
        memory[i * (length / 100)] = (char)i;
    check_eq(memory[99 * (length / 100)], 99, "pages far apart hold their values");
    check_eq(raw_munmap(memory, length), 0, "64 TiB with 100 pages in them are unmapped");
}

static void every_other_page(void)
{
    enum { PAGES = 64 };
    char *memory = anon_at(free_range(PAGES), PAGES, READ_WRITE);
    unsigned long before = vma_count();

    write_pages(memory, PAGES);
    for (int i = 1; i < PAGES; i += 2)
        raw_munmap(memory + i * PAGE, PAGE);
    check_eq(vma_count() - before, PAGES / 2 - 1, "removing every other page leaves 32 mappings");
    check(memory[0] == 1 && memory[2 * PAGE] == 1 && memory[62 * PAGE] == 1,
          "the pages between keep their data");
    check_eq(raw_munmap(memory, PAGES * PAGE), 0, "one call removes them all");
    check_str(vmas(memory, PAGES), "", "and none is left");
}

int main(void)
{
    refusals();
    nothing_there();
    parts();
    filled_again();
    huge_promise();
    every_other_page();
    return done();
}
