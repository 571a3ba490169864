/* Checks mremap: shrinking, growing, moving, aliases, and every refusal. */
#define _GNU_SOURCE
#include "mem.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static long raw_mremap(void *old, unsigned long old_length, unsigned long new_length, int flags,
                       void *place)
{
    return syscall(SYS_mremap, old, old_length, new_length, flags, place);
}

/* PAGES written pages with free space around them, page N filled with 'a' + N. */
static char *written(unsigned long pages)
{
    char *memory = anon_at(free_range(pages + 16), pages, READ_WRITE);

    for (unsigned long i = 0; i < pages; i++)
        memset(memory + i * PAGE, (int)('a' + i), PAGE);
    return memory;
}

static bool page_is(const char *memory, unsigned long page, char value)
{
    return all_bytes_are(memory + page * PAGE, PAGE, value);
}

static void refusals(void)
{
    char *memory = written(2), *target = free_range(4);

    check_fails(raw_mremap(memory + 1, PAGE, 2 * PAGE, 0, 0), EINVAL, "unaligned is EINVAL");
    check_fails(raw_mremap(memory, PAGE, 0, 0, 0), EINVAL, "new length 0 is EINVAL");
    check_fails(raw_mremap(memory, PAGE, PAGE, 8, 0), EINVAL, "an unknown flag is EINVAL");
    check_fails(raw_mremap(memory, PAGE, PAGE, MREMAP_FIXED, target), EINVAL,
                "FIXED without MAYMOVE is EINVAL");
    check_fails(raw_mremap(memory, PAGE, PAGE, MREMAP_DONTUNMAP, 0), EINVAL,
                "DONTUNMAP without MAYMOVE is EINVAL");
    check_fails(raw_mremap(memory, PAGE, 2 * PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, 0), EINVAL,
                "DONTUNMAP with another size is EINVAL");
    check_fails(raw_mremap(memory + 4 * PAGE, PAGE, 2 * PAGE, 0, 0), EFAULT, "unmapped is EFAULT");
    check_fails(raw_mremap(memory + 4 * PAGE, PAGE, PAGE, 0, 0), EFAULT,
                "unmapped with the same size too");
    check_fails(raw_mremap(memory + 4 * PAGE, 2 * PAGE, PAGE, 0, 0), EFAULT,
                "unmapped and shrinking too");
    check_fails(raw_mremap(memory, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0), EFAULT,
                "an old length past the mapping is EFAULT when growing");
    check_eq(raw_mremap(memory, 3 * PAGE, 2 * PAGE, 0, 0), (long)memory,
             "and fine when shrinking");
    check_fails(raw_mremap(memory, 0, PAGE, MREMAP_MAYMOVE, 0), EINVAL,
                "old length 0 of private memory is EINVAL");
    check_fails(raw_mremap(memory, -PAGE, -1UL << 12, MREMAP_MAYMOVE | MREMAP_FIXED, target), EINVAL,
                "a fixed move of length -4096 is EINVAL");
    check_fails(raw_mremap((void *)KERNEL_ADDRESS, PAGE, 2 * PAGE, 0, 0), EFAULT,
                "a kernel address is EFAULT");
    check(page_is(memory, 0, 'a') && page_is(memory, 1, 'b'), "a refused call changes nothing");
    raw_munmap(memory, 2 * PAGE);
}

static void shrinking(void)
{
    char *memory = written(8);

    check_eq(raw_mremap(memory, 8 * PAGE, 6 * PAGE, 0, 0), (long)memory, "it shrinks in place");
    check_str(vmas(memory, 8), "0-6 rw-p", "from the end");
    check_eq(raw_mremap(memory, 6 * PAGE, 6 * PAGE, 0, 0), (long)memory, "the same size is fine");
    check_eq(raw_mremap(memory + PAGE, 2 * PAGE, PAGE, 0, 0), (long)memory + (long)PAGE,
             "the middle of a mapping shrinks");
    check_str(vmas(memory, 8), "0-2 rw-p, 3-6 rw-p", "and leaves a hole");
    check(page_is(memory, 1, 'b') && page_is(memory, 3, 'd'), "the data around it stays");
    check_eq(raw_mremap(memory + 3 * PAGE, 3 * PAGE, 1, 0, 0), (long)memory + 3 * (long)PAGE,
             "a new length of 1 is a page");
    check_str(vmas(memory, 8), "0-2 rw-p, 3-4 rw-p", "which is left");
    raw_munmap(memory, 8 * PAGE);
}

static void growing_in_place(void)
{
    char *memory = written(2);

    check_eq(raw_mremap(memory, 2 * PAGE, 4 * PAGE, 0, 0), (long)memory,
             "it grows in place where there is room");
    check_str(vmas(memory, 6), "0-4 rw-p", "as one mapping");
    check(page_is(memory, 1, 'b') && page_is(memory, 2, 0) && page_is(memory, 3, 0),
          "with its data, and a tail of zeros");
    check_fails(raw_mremap(memory, 2 * PAGE, 3 * PAGE, 0, 0), ENOMEM,
                "a part that is not the mapping's end cannot grow in place");
    anon_at(memory + 5 * PAGE, 1, PROT_READ);
    check_fails(raw_mremap(memory, 4 * PAGE, 6 * PAGE, 0, 0), ENOMEM,
                "nor can it grow into another mapping");
    check_eq(raw_mremap(memory, 4 * PAGE, 5 * PAGE, 0, 0), (long)memory, "but up to it");
    anon_at(memory + 5 * PAGE, 1, READ_WRITE);
    check_str(vmas(memory, 6), "0-6 rw-p", "a mapping behind it merges");
    raw_munmap(memory, 6 * PAGE);
}

static void moving(void)
{
    char *memory = written(3), *moved;

    anon_at(memory + 3 * PAGE, 1, PROT_READ);
    moved = (char *)raw_mremap(memory, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0);
    check(moved != MAP_FAILED && moved != memory, "with MAYMOVE it moves when it cannot grow");
    check(page_is(moved, 0, 'a') && page_is(moved, 2, 'c'), "with its data");
    check(page_is(moved, 3, 0) && page_is(moved, 4, 0), "and a tail of zeros");
    check_str(vmas(memory, 4), "3-4 r--p", "the old place is free");
    raw_munmap(memory, 4 * PAGE);
    memory = moved;
    moved = (char *)raw_mremap(memory + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0);
    check(moved != memory + PAGE && page_is(moved, 0, 'b') && page_is(moved, 1, 0),
          "a middle that grows moves away");
    check(vma_of(memory + PAGE) == NULL && page_is(memory, 2, 'c'), "and leaves a hole");
    raw_munmap(moved, 2 * PAGE);
    raw_munmap(memory, 5 * PAGE);
}

static void fault_counts(void)
{
    char *memory = written(4), *target = free_range(8);

    raw_mremap(memory, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    check_eq(write_faults(target, 4), 0, "pages that were moved are written without a fault");
    check_eq(write_faults(target + 4 * PAGE, 2), 2, "the tail takes one fault each");
    check_str(present(target, 8), "11111100", "no more is present");
    raw_munmap(target, 6 * PAGE);
}

static void fixed(void)
{
    const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    char *memory = written(4), *target = free_range(12);

    check_fails(raw_mremap(memory, PAGE, PAGE, flags, target + 1), EINVAL,
                "an unaligned destination is EINVAL");
    check_fails(raw_mremap(memory, PAGE, PAGE, flags, memory), EINVAL,
                "the source as destination is EINVAL");
    check_fails(raw_mremap(memory, 2 * PAGE, 2 * PAGE, flags, memory + PAGE), EINVAL,
                "an overlap at the end is EINVAL");
    check_fails(raw_mremap(memory + PAGE, 2 * PAGE, 2 * PAGE, flags, memory), EINVAL,
                "an overlap at the start is EINVAL");
    check_fails(raw_mremap(memory, PAGE, PAGE, flags, (void *)USER_END), EINVAL,
                "a destination above user space is EINVAL");
    check_fails(raw_mremap(memory, PAGE, 2 * PAGE, flags, (void *)(USER_END - PAGE)), EINVAL,
                "one whose end is above it too");
    anon_at(target, 8, PROT_READ);
    check_eq(raw_mremap(memory, 2 * PAGE, 2 * PAGE, flags, target + 2 * PAGE),
             (long)target + 2 * (long)PAGE, "a fixed move goes to its destination");
    check_str(vmas(target, 8), "0-2 r--p, 2-4 rw-p, 4-8 r--p", "and replaces what was there");
    check(page_is(target, 2, 'a') && page_is(target, 3, 'b'), "with its data");
    check_str(vmas(memory, 4), "2-4 rw-p", "the source is gone");
    check_eq(raw_mremap(memory + 2 * PAGE, 2 * PAGE, PAGE, flags, target + 6 * PAGE),
             (long)target + 6 * (long)PAGE, "it may shrink while it moves");
    check_str(vmas(target, 8), "0-2 r--p, 2-4 rw-p, 4-6 r--p, 6-7 rw-p, 7-8 r--p",
              "to the pages that are left");
    check_str(vmas(memory, 4), "", "and all of the source is gone");
    check_eq(raw_mremap(target + 2 * PAGE, 2 * PAGE, 4 * PAGE, flags, target + 8 * PAGE),
             (long)target + 8 * (long)PAGE, "it may grow while it moves");
    check(page_is(target, 8, 'a') && page_is(target, 9, 'b') && page_is(target, 11, 0),
          "with a tail of zeros");
    raw_munmap(target, 12 * PAGE);
}

static void several_mappings(void)
{
    char *memory = written(4);

    raw_mprotect(memory + 2 * PAGE, 2 * PAGE, PROT_READ);
    check_fails(raw_mremap(memory, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE, 0), EFAULT,
                "growing over two mappings is EFAULT");
    check_eq(raw_mremap(memory, 4 * PAGE, 4 * PAGE, 0, 0), (long)memory,
             "the same size over two is fine");
    check_eq(raw_mremap(memory, 4 * PAGE, PAGE, 0, 0), (long)memory, "shrinking over two is fine");
    check_str(vmas(memory, 4), "0-1 rw-p", "and takes both");
    raw_munmap(memory, 4 * PAGE);
}

static void keeping_the_source(void)
{
    const int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
    char *memory = written(2), *target, *moved;

    moved = (char *)raw_mremap(memory, 2 * PAGE, 2 * PAGE, flags, 0);
    check(moved != MAP_FAILED && moved != memory, "DONTUNMAP moves to another place");
    check(page_is(moved, 0, 'a') && page_is(moved, 1, 'b'), "with the data");
    check_str(vmas(memory, 2), "0-2 rw-p", "the source stays mapped");
    check(page_is(memory, 0, 0) && page_is(memory, 1, 0), "and reads as zero");
    target = free_range(2);
    check_eq(raw_mremap(moved, 2 * PAGE, 2 * PAGE, flags | MREMAP_FIXED, target), (long)target,
             "with FIXED it goes to the destination");
    check(page_is(target, 1, 'b') && page_is(moved, 1, 0), "leaving zeros again");
    raw_munmap(memory, 2 * PAGE);
    raw_munmap(moved, 2 * PAGE);
    raw_munmap(target, 2 * PAGE);
}

static void shared_memory(void)
{
    char *memory = raw_mmap(0, 2 * PAGE, READ_WRITE, SHARED_ANON, -1, 0), *alias, *grown;

    memory[0] = 's';
    check_fails(raw_mremap(memory, 0, PAGE, 0, 0), ENOMEM,
                "old length 0 of shared memory without MAYMOVE is ENOMEM");
    alias = (char *)raw_mremap(memory, 0, 2 * PAGE, MREMAP_MAYMOVE, 0);
    check(alias != MAP_FAILED && alias != memory, "with MAYMOVE it makes an alias");
    check_eq(alias[0], 's', "which shows the same memory");
    alias[PAGE] = 't';
    check_eq(memory[PAGE], 't', "both ways");
    raw_munmap(memory, 2 * PAGE);
    check_eq(alias[0], 's', "and outlives the original");
    grown = (char *)raw_mremap(alias, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0);
    check(grown != MAP_FAILED && grown[PAGE] == 't', "shared memory can be remapped larger");
    check_eq(signal_of_child(read_byte, grown + 2 * PAGE), SIGBUS,
             "but the pages behind its end are SIGBUS");
    raw_munmap(grown, 4 * PAGE);
}

static void merging(void)
{
    const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    char *range = free_range(8), *memory = written(2);

    anon_at(range, 2, READ_WRITE);
    raw_mremap(memory, 2 * PAGE, 2 * PAGE, flags, range + 2 * PAGE);
    check_str(vmas(range, 4), "0-2 rw-p, 2-4 rw-p",
              "what was written elsewhere does not merge with a new neighbour: its offset differs");
    raw_munmap(range, 4 * PAGE);
    anon_at(range, 2, READ_WRITE);
    memory = anon_at(free_range(2), 2, READ_WRITE);
    raw_mremap(memory, 2 * PAGE, 2 * PAGE, flags, range + 2 * PAGE);
    check_str(vmas(range, 4), "0-4 rw-p", "what was never written does");
    memory = anon_at(free_range(4), 4, READ_WRITE);
    memset(memory, 'x', 4 * PAGE);
    raw_mremap(memory + 2 * PAGE, 2 * PAGE, 2 * PAGE, flags, range + 6 * PAGE);
    raw_mremap(range + 6 * PAGE, 2 * PAGE, 2 * PAGE, flags, memory + 2 * PAGE);
    check_str(vmas(memory, 4), "0-4 rw-p", "what is moved away and back merges with what it left");
    raw_munmap(range, 8 * PAGE);
    raw_munmap(memory, 4 * PAGE);
}

int main(void)
{
    warm_up();
    refusals();
    shrinking();
    growing_in_place();
    moving();
    fault_counts();
    fixed();
    several_mappings();
    keeping_the_source();
    shared_memory();
    merging();
    return done();
}
