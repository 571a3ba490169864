/* Checks the fault counts of mappings of files and shared memory: which neighbours one fault maps. */
#define _GNU_SOURCE
#include "mem.h"

enum { PAGES = 64 };

static int file;

/* A mapping of the whole file that begins at a multiple of 64 KiB. */
static char *map_aligned(int protection, int flags)
{
    char *range = free_range(PAGES + 32);
    char *start = (char *)(((unsigned long)range + 0xffff) & -0x10000UL);

    return raw_mmap((unsigned long)start, PAGES * PAGE, protection, flags | MAP_FIXED, file, 0);
}

static void release(char *memory)
{
    raw_munmap(memory, PAGES * PAGE);
}

static void reads(void)
{
    char *memory = map_aligned(PROT_READ, MAP_SHARED);

    check_eq(read_faults(memory + 5 * PAGE, 1), 1,
             "reading one page of a cached file takes a fault");
    check_str(present(memory, 32), "11111111111111110000000000000000",
              "which maps the 16 cached pages of its aligned 64 KiB");
    check_eq(read_faults(memory, PAGES), 3, "reading all 64 then takes 3 more");
    release(memory);
}

static void at_the_edges(void)
{
    char *memory = map_aligned(PROT_READ, MAP_SHARED);

    raw_munmap(memory, 3 * PAGE);
    raw_munmap(memory + 12 * PAGE, 4 * PAGE);
    check_eq(read_faults(memory + 8 * PAGE, 1), 1, "a fault in a smaller mapping");
    check_str(present(memory, 20), "00011111111100000000", "maps what lies within the mapping");
    raw_munmap(memory, PAGES * PAGE);
}

static void writes(void)
{
    char *memory = map_aligned(READ_WRITE, MAP_SHARED);

    check_eq(write_faults(memory + 5 * PAGE, 1), 1, "writing one page takes a fault");
    check_str(present(memory, 16), "0000010000000000", "which maps that page alone");
    check_eq(write_faults(memory, 16), 15, "so writing 16 pages takes one each");
    release(memory);
    memory = map_aligned(READ_WRITE, MAP_SHARED);
    check_eq(read_faults(memory, 16), 1, "read first, 16 pages take one");
    check_eq(write_faults(memory, 16), 0, "and shared memory is then written without another");
    release(memory);
}

static void private_writes(void)
{
    char *memory = map_aligned(READ_WRITE, MAP_PRIVATE);

    check_eq(write_faults(memory + 5 * PAGE, 1), 1,
             "writing a page of a private mapping takes a fault");
    check_str(present(memory, 16), "0000010000000000", "which maps that page alone");
    check_eq(read_faults(memory, 16), 1, "reading its neighbours takes one");
    check_eq(write_faults(memory, 16), 15, "and writing each of them one, for its copy");
    check_eq(write_faults(memory, 16), 0, "once");
    release(memory);
}

static void not_cached(void)
{
    int holes = (int)syscall(SYS_memfd_create, "holes", 0), whole = file;
    char *memory;

    ftruncate(holes, PAGES * (off_t)PAGE);
    pwrite(holes, "x", 1, 2 * (off_t)PAGE);
    pwrite(holes, "x", 1, 9 * (off_t)PAGE);
    file = holes;
    memory = map_aligned(READ_WRITE, MAP_SHARED);
    check_eq(read_faults(memory + 2 * PAGE, 1), 1, "in a file with holes a fault");
    check_str(present(memory, 16), "0010000001000000", "maps those pages around it that are there");
    check_eq(read_faults(memory, 16), 14, "the holes take a fault each");
    release(memory);
    close(holes);
    file = whole;
}

static void count_in_child(void *memory)
{
    minor_faults();
    warm_up();
    _exit((int)read_faults(memory, 32));
}

static void after_fork(void)
{
    char *memory = raw_mmap(0, PAGES * PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    char *aligned = (char *)(((unsigned long)memory + 0xffff) & -0x10000UL);

    write_pages(memory, PAGES);
    check_eq(WEXITSTATUS(status_of_child(count_in_child, aligned)), 2,
             "a child reads 32 inherited shared pages with 2 faults: their entries are not copied");
    raw_munmap(memory, PAGES * PAGE);
}

static void after_discarding(void)
{
    char *memory = map_aligned(READ_WRITE, MAP_SHARED);

    write_pages(memory, 16);
    syscall(SYS_madvise, memory, 16 * PAGE, 4 /* MADV_DONTNEED */);
    check_eq(read_faults(memory, 16), 1, "after MADV_DONTNEED 16 cached pages take one fault");
    check_eq(memory[PAGE], 1, "and have their data");
    release(memory);
}

static void populated(void)
{
    long before = minor_faults();
    char *memory = raw_mmap(0, PAGES * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);

    check(minor_faults() - before <= PAGES / 16 + 1,
          "MAP_POPULATE maps 16 cached pages by a fault");
    check_eq(read_faults(memory, PAGES), 0, "and leaves none for later");
    release(memory);
}

int main(void)
{
    warm_up();
    file = (int)syscall(SYS_memfd_create, "cached", 0);
    ftruncate(file, PAGES * (off_t)PAGE);
    for (int i = 0; i < PAGES; i++)
        pwrite(file, "c", 1, i * (off_t)PAGE);
    reads();
    at_the_edges();
    writes();
    private_writes();
    not_cached();
    after_fork();
    after_discarding();
    populated();
    return done();
}
