/* Bombs of memory: promises, frames, mappings, page tables. */
#define _GNU_SOURCE
#include "tests/attacks/charges/charges.h"

#include "tests/guest/mem.h"

#define GIB (1ul << 30)
#define MIB (1ul << 20)

/* ---- lazy promises ---- */

/* The one that made xv6-riscv panic (2025): 1 GiB of lazy heap, often, and one store. */
int lazy_heap(void)
{
    unsigned long start = raw_brk(0), end = start;

    for (int i = 0; i < 1000; i++) {
        unsigned long wanted = end + GIB;
        if (raw_brk(wanted) != wanted)
            wanted = end + MIB; /* more than there is of memory is refused in one piece */
        if (raw_brk(wanted) == wanted)
            end = wanted;
    }
    if (end == start)
        return 1;
    *(volatile char *)(end - 1) = 1;
    *(volatile char *)start = 1;
    return *(volatile char *)(end - 1) + *(volatile char *)start == 2 ? 0 : 2;
}

/* The same with mmap, until the address space is full. */
int lazy_mappings(void)
{
    char *last = NULL;
    unsigned long count = 0;

    for (;;) {
        char *map = raw_mmap(0, GIB, READ_WRITE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED)
            break;
        last = map;
        count++;
    }
    if (count < 100000)
        return 1;
    *last = 1;
    return errno == ENOMEM && *last == 1 ? 0 : 2;
}

/* ---- memory ---- */

int memory(void)
{
    for (;;) {
        char *piece = raw_mmap(0, MIB, READ_WRITE, PRIVATE_ANON, -1, 0);
        if (piece == MAP_FAILED)
            return 1;
        write_pages(piece, MIB / PAGE);
    }
}

int memory_of_many(void)
{
    for (int i = 0; i < 8; i++)
        if (fork() == 0)
            _exit(memory());
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    return 0;
}

int shared_memory(void)
{
    for (;;) {
        char *piece = raw_mmap(0, MIB, READ_WRITE, SHARED_ANON, -1, 0);
        if (piece == MAP_FAILED)
            return 1;
        write_pages(piece, MIB / PAGE);
    }
}

/* Each write of a child to a page that it shares with its parent takes a frame. */
int copies(void)
{
    char *memory_of_all = raw_mmap(0, 4 * MIB, READ_WRITE, PRIVATE_ANON, -1, 0);

    if (memory_of_all == MAP_FAILED)
        return 1;
    for (int i = 0; i < 200; i++) {
        write_pages(memory_of_all, 4 * MIB / PAGE);
        if (fork() < 0)
            break;
    }
    return 0;
}

static int recursion(volatile char *above)
{
    volatile char here[1000];

    here[0] = above[0];
    return here[0] == 0 ? 0 : recursion(here) + here[999];
}

int endless_recursion(void)
{
    char start = 1;

    return recursion(&start);
}

/* ---- address space and page tables ---- */

int vmas_without_end(void)
{
    unsigned long count = 0;
    char *start = raw_mmap(0, 200000 * PAGE, PROT_NONE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED)
        return 1;
    /* Every second page gets another protection: each time two VMAs more. */
    while (count < 100000 && raw_mprotect(start + 2 * count * PAGE, PAGE, PROT_READ) == 0)
        count++;
    if (count == 100000 || errno != ENOMEM)
        return 2;
    return raw_munmap(start, 200000 * PAGE) == 0 ? 0 : 3;
}

/* One page in each GiB takes two page tables. */
int page_tables(void)
{
    for (unsigned long size = 64ul << 40; size >= GIB; size /= 2) {
        char *start = raw_mmap(0, size, PROT_READ, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
        if (start == MAP_FAILED)
            continue;
        for (unsigned long at = 0; at < size; at += GIB)
            read_byte(start + at);
    }
    return 0;
}
