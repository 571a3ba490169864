/*
 * The steps of the fuzzer on mappings of huge pages that nobody vouches for (MAP_NORESERVE): the pool is empty, so they
 * are addresses that can be cut, moved, protected and locked, but never touched. Every fourth sequence is about them.
 */
#define _GNU_SOURCE
#include "tests/linux/fuzz/fuzz.h"

#define HUGE (2UL << 20)
#define SLOTS_START (ARENA + 8 * HUGE)
enum { SLOTS = 4, HUGE_FILE = 4 /* of memfd_create */, SIZE_SHIFT = 26, OF_2_MIB = 21, OF_1_GIB = 30 };

static int huge_file;
bool aims_at_huge;

void prepare_huge(void)
{
    huge_file = (int)syscall(SYS_memfd_create, "huge", HUGE_FILE);
    if (huge_file < 0)
        bail_out("the fuzzer cannot make a file of huge pages");
}

/* Mostly where a huge page may begin, else a page inside of one. */
unsigned long pick_huge_page(void)
{
    unsigned long slot = SLOTS_START + pick(SLOTS) * HUGE;

    return pick(6) == 0 ? slot + pick(HUGE / PAGE) * PAGE : slot;
}

unsigned long pick_huge_length(void)
{
    unsigned long whole = (1 + pick(3)) * HUGE;

    return pick(8) == 0 ? whole - pick(4 * PAGE) : whole;
}

void map_huge(void)
{
    static const int types[] = {MAP_PRIVATE, MAP_PRIVATE, MAP_PRIVATE, MAP_SHARED, MAP_SHARED, MAP_SHARED_VALIDATE};
    static const int where[] = {MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE, 0};
    static const int extra[] = {MAP_POPULATE, MAP_LOCKED, MAP_GROWSDOWN, MAP_32BIT, OF_2_MIB << SIZE_SHIFT,
                                OF_1_GIB << SIZE_SHIFT};
    unsigned long address = pick(5) == 0 ? 0 : pick_huge_page();
    unsigned long length = pick(5) == 0 ? pick_length() : pick_huge_length(), got;
    int protection = pick(3) == 0 ? (int)pick(8) : READ_WRITE;
    int flags = types[pick(6)] | (address == 0 ? 0 : where[pick(4)]) | (pick(8) == 0 ? 0 : MAP_NORESERVE) |
                (pick(4) == 0 ? extra[pick(6)] : 0);
    bool is_file = pick(4) == 0;
    unsigned long offset = !is_file ? 0 : pick(6) == 0 ? pick(3) * PAGE : pick(3) * HUGE;

    if (!is_file || pick(8) == 0)
        flags |= MAP_HUGETLB;
    if (!is_file)
        flags |= MAP_ANONYMOUS;
    note_text("mmap(0x%lx, 0x%lx, %d, 0x%x, %s, 0x%lx);", address, length, protection, flags,
              is_file ? "huge_file" : "-1", offset);
    begin();
    got = (unsigned long)raw_mmap(address, length, protection, flags, is_file ? huge_file : -1, offset);
    end((long)got);
    remember(got);
}

void resize_huge_file(void)
{
    unsigned long size = pick(4) == 0 ? pick_length() : pick(4) * HUGE;

    note_text("ftruncate(huge_file, 0x%lx);", size);
    MEASURE(ftruncate(huge_file, (off_t)size));
}
