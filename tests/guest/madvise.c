/* Checks madvise: what each advice does to each kind of memory, holes, and refusals. */
#define _GNU_SOURCE
#include "mem.h"

static long advise(void *address, unsigned long length, int advice)
{
    return syscall(SYS_madvise, address, length, advice);
}

/* Linux's numbers, for headers that lack some. */
enum {
    NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED,
    FREE = 8, REMOVE, DONTFORK, DOFORK, MERGEABLE, UNMERGEABLE, HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP,
    WIPEONFORK, KEEPONFORK, COLD, PAGEOUT, POPULATE_READ, POPULATE_WRITE, DONTNEED_LOCKED, COLLAPSE
};

static char *filled(unsigned long pages, int flags)
{
    char *memory = free_range(pages);

    raw_mmap((unsigned long)memory, pages * PAGE, READ_WRITE, MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0);
    memset(memory, 'x', pages * PAGE);
    return memory;
}

static void refusals(void)
{
    char *memory = filled(2, MAP_PRIVATE);

    check_fails(advise(memory, PAGE, 999), EINVAL, "an unknown advice is EINVAL");
    check_fails(advise(memory, 0, 999), EINVAL, "also with length 0");
    check_fails(advise(memory, PAGE, -1), EINVAL, "advice -1 is EINVAL");
    check_fails(advise(memory, PAGE, 5), EINVAL, "advice 5 is EINVAL");
    check_fails(advise(memory + 1, PAGE, DONTNEED), EINVAL, "an unaligned address is EINVAL");
    check_fails(advise(memory, -PAGE, DONTNEED), EINVAL, "a wrapping range is EINVAL");
    check_fails(advise(memory, -1UL, DONTNEED), EINVAL, "length -1 is EINVAL");
    check_eq(advise(memory, 0, DONTNEED), 0, "length 0 is fine");
    check_eq(advise(memory + 8 * PAGE, 0, DONTNEED), 0, "length 0 is fine where nothing is mapped");
    check_fails(advise(memory + 1, 0, DONTNEED), EINVAL, "but not unaligned");
    check_fails(advise(memory + 2 * PAGE, PAGE, DONTNEED), ENOMEM, "an unmapped page is ENOMEM");
    check_fails(advise((void *)KERNEL_ADDRESS, PAGE, DONTNEED), ENOMEM,
                "a kernel address is ENOMEM");
    check(all_bytes_are(memory, 2 * PAGE, 'x'), "a refused call changes nothing");
    raw_munmap(memory, 2 * PAGE);
}

static void without_effect(void)
{
    static const struct {
        int advice;
        const char *name;
    } harmless[] = {{NORMAL, "NORMAL"},         {RANDOM, "RANDOM"},         {SEQUENTIAL, "SEQUENTIAL"},
                    {DONTFORK, "DONTFORK"},     {DOFORK, "DOFORK"},         {MERGEABLE, "MERGEABLE"},
                    {UNMERGEABLE, "UNMERGEABLE"}, {HUGEPAGE, "HUGEPAGE"},   {NOHUGEPAGE, "NOHUGEPAGE"},
                    {DONTDUMP, "DONTDUMP"},     {DODUMP, "DODUMP"},         {WIPEONFORK, "WIPEONFORK"},
                    {KEEPONFORK, "KEEPONFORK"}, {COLD, "COLD"},             {PAGEOUT, "PAGEOUT"},
                    {WILLNEED, "WILLNEED"},     {POPULATE_READ, "POPULATE_READ"},
                    {POPULATE_WRITE, "POPULATE_WRITE"}};
    char *memory = filled(2, MAP_PRIVATE);

    for (unsigned int i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        check(advise(memory, 2 * PAGE, harmless[i].advice) == 0 &&
                  all_bytes_are(memory, 2 * PAGE, 'x'),
              "%s succeeds and keeps the data", harmless[i].name);
    check_str(vmas(memory, 2), "0-2 rw-p", "it is still one mapping");
    raw_munmap(memory, 2 * PAGE);
}

static void dontneed(void)
{
    char *memory = filled(4, MAP_PRIVATE), *shared = filled(2, MAP_SHARED);

    check_eq(advise(memory + PAGE, 2 * PAGE, DONTNEED), 0, "DONTNEED of a middle succeeds");
    check_str(present(memory, 4), "1001", "its pages are gone");
    check_str(vmas(memory, 4), "0-4 rw-p", "the mapping is not");
    check(all_bytes_are(memory, PAGE, 'x') && all_bytes_are(memory + PAGE, 2 * PAGE, 0) &&
              all_bytes_are(memory + 3 * PAGE, PAGE, 'x'),
          "private memory reads as zero then, its neighbours keep their data");
    check_eq(advise(memory, 1, DONTNEED), 0, "a length of one byte is a page");
    check(all_bytes_are(memory, PAGE, 0), "which reads as zero");
    check_eq(write_faults(memory, 1), 1, "and takes a fault to write");
    check_eq(advise(shared, 2 * PAGE, DONTNEED), 0, "DONTNEED of shared memory succeeds");
    check_str(present(shared, 2), "00", "its pages are unmapped");
    check(all_bytes_are(shared, 2 * PAGE, 'x'), "but the data is kept");
    raw_mprotect(memory, 4 * PAGE, PROT_NONE);
    check_eq(advise(memory, 4 * PAGE, DONTNEED), 0, "DONTNEED works without access");
    raw_mprotect(memory, 4 * PAGE, READ_WRITE);
    check(all_bytes_are(memory, 4 * PAGE, 0), "and has its effect");
    raw_munmap(memory, 4 * PAGE);
    raw_munmap(shared, 2 * PAGE);
}

static void holes(void)
{
    char *memory = filled(6, MAP_PRIVATE);

    raw_munmap(memory + 2 * PAGE, 2 * PAGE);
    check_fails(advise(memory, 6 * PAGE, DONTNEED), ENOMEM, "a hole in the range is ENOMEM");
    check(all_bytes_are(memory, 2 * PAGE, 0) && all_bytes_are(memory + 4 * PAGE, 2 * PAGE, 0),
          "but what lies behind the hole is done too");
    memset(memory, 'x', 2 * PAGE);
    check_fails(advise(memory + 2 * PAGE, 4 * PAGE, DONTNEED), ENOMEM, "a hole at the start too");
    raw_munmap(memory, 6 * PAGE);
}

static void locked_memory(void)
{
    char *memory = filled(2, MAP_PRIVATE);

    syscall(SYS_mlock, memory, 2 * PAGE);
    check_fails(advise(memory, PAGE, DONTNEED), EINVAL, "DONTNEED of locked memory is EINVAL");
    check_fails(advise(memory, PAGE, FREE), EINVAL, "FREE of locked memory is EINVAL");
    check(all_bytes_are(memory, PAGE, 'x'), "and nothing happens");
    check_eq(advise(memory, PAGE, DONTNEED_LOCKED), 0, "DONTNEED_LOCKED is fine");
    check(all_bytes_are(memory, PAGE, 0), "and drops the page");
    raw_munmap(memory, 2 * PAGE);
}

static void freeing(void)
{
    char *memory = filled(2, MAP_PRIVATE), *shared = filled(2, MAP_SHARED);

    check_eq(advise(memory, PAGE, FREE), 0, "FREE of private memory succeeds");
    check(all_bytes_are(memory, PAGE, 'x') || all_bytes_are(memory, PAGE, 0),
          "the page has its data or is zero");
    memory[0] = 'y';
    check_eq(memory[0], 'y', "a write after it counts");
    check_fails(advise(shared, PAGE, FREE), EINVAL, "FREE of shared memory is EINVAL");
    check_fails(advise(memory, PAGE, REMOVE), EINVAL, "REMOVE of private memory is EINVAL");
    check_eq(advise(shared, PAGE, REMOVE), 0, "REMOVE of shared memory succeeds");
    check(all_bytes_are(shared, PAGE, 0) && all_bytes_are(shared + PAGE, PAGE, 'x'),
          "and punches a hole into it");
    raw_mprotect(shared, PAGE, PROT_READ);
    check_eq(advise(shared, PAGE, REMOVE), 0, "REMOVE works on what could be made writable");
    check_fails(advise(shared, PAGE, WIPEONFORK), EINVAL, "WIPEONFORK of shared memory is EINVAL");
    raw_munmap(memory, 2 * PAGE);
    raw_munmap(shared, 2 * PAGE);
}

static void populating(void)
{
    char *memory = anon_at(free_range(8), 8, READ_WRITE);
    long before = minor_faults();

    check_eq(advise(memory, 4 * PAGE, POPULATE_READ), 0, "POPULATE_READ succeeds");
    check_eq(minor_faults() - before, 4, "and takes one fault a page");
    check_str(present(memory, 8), "11110000", "its pages are present");
    check_eq(write_faults(memory, 4), 4, "as the zero page: writes take a fault");
    check_eq(advise(memory + 4 * PAGE, 4 * PAGE, POPULATE_WRITE), 0, "POPULATE_WRITE succeeds");
    check_eq(write_faults(memory + 4 * PAGE, 4), 0, "and makes pages of one's own");
    raw_mprotect(memory, PAGE, PROT_NONE);
    check_fails(advise(memory, PAGE, POPULATE_READ), EINVAL, "without access it is EINVAL");
    raw_mprotect(memory, PAGE, PROT_READ);
    check_eq(advise(memory, PAGE, POPULATE_READ), 0,
             "read-only memory can be populated for reading");
    check_fails(advise(memory, PAGE, POPULATE_WRITE), EINVAL, "but for writing it is EINVAL");
    raw_munmap(memory + 2 * PAGE, PAGE);
    check_fails(advise(memory + PAGE, 3 * PAGE, POPULATE_READ), ENOMEM, "a hole is ENOMEM");
    raw_munmap(memory, 8 * PAGE);
}

static void count_mapped(void *memory)
{
    _exit(vma_of(memory) == NULL ? 10 : ((char *)memory)[0] == 'x' ? 11 : 12);
}

static int seen_by_child(char *memory)
{
    return WEXITSTATUS(status_of_child(count_mapped, memory));
}

static void and_fork(void)
{
    char *memory = filled(2, MAP_PRIVATE);

    check_eq(advise(memory, PAGE, DONTFORK), 0, "DONTFORK succeeds");
    check_str(vmas(memory, 2), "0-1 rw-p, 1-2 rw-p", "and splits the mapping");
    check_eq(seen_by_child(memory), 10, "such memory is not mapped in a child");
    check_eq(seen_by_child(memory + PAGE), 11, "the rest of the mapping is");
    check_eq(advise(memory, PAGE, DOFORK), 0, "DOFORK undoes it");
    check_eq(seen_by_child(memory), 11, "then it is inherited");
    check_str(vmas(memory, 2), "0-2 rw-p", "and the mapping is whole");
    check_eq(advise(memory, PAGE, WIPEONFORK), 0, "WIPEONFORK succeeds");
    check_eq(seen_by_child(memory), 12, "such memory reads as zero in a child");
    check_eq(memory[0], 'x', "the parent keeps its data");
    check_eq(advise(memory, PAGE, KEEPONFORK), 0, "KEEPONFORK undoes it");
    check_eq(seen_by_child(memory), 11, "then it is inherited with its data");
    raw_munmap(memory, 2 * PAGE);
}

static void splits(void)
{
    char *memory = filled(4, MAP_PRIVATE);

    advise(memory + PAGE, PAGE, RANDOM);
    check_str(vmas(memory, 4), "0-1 rw-p, 1-2 rw-p, 2-4 rw-p",
              "RANDOM is a difference for merging");
    advise(memory + PAGE, PAGE, SEQUENTIAL);
    check_str(vmas(memory, 4), "0-1 rw-p, 1-2 rw-p, 2-4 rw-p", "SEQUENTIAL is another");
    advise(memory, 4 * PAGE, SEQUENTIAL);
    check_str(vmas(memory, 4), "0-4 rw-p", "equal advice merges");
    advise(memory, 4 * PAGE, NORMAL);
    advise(memory + 2 * PAGE, PAGE, DONTDUMP);
    check_str(vmas(memory, 4), "0-2 rw-p, 2-3 rw-p, 3-4 rw-p", "DONTDUMP is a difference");
    advise(memory + 2 * PAGE, PAGE, DODUMP);
    check_str(vmas(memory, 4), "0-4 rw-p", "which DODUMP undoes");
    raw_munmap(memory, 4 * PAGE);
}

int main(void)
{
    warm_up();
    refusals();
    without_effect();
    dontneed();
    holes();
    locked_memory();
    freeing();
    populating();
    and_fork();
    splits();
    return done();
}
