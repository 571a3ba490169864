/* memblock: ranges in any order, overlapping and unaligned, and boot-time allocation between them. */
#include "mm/memblock.h"
#include "tests/host/harness.h"

static int forget(void **state)
{
    (void)state;
    memory_begin(64 * MIB);
    return 0;
}

static void expect_range(unsigned index, phys_addr_t start, phys_addr_t end)
{
    assert_true(index < memblock_memory_count);
    assert_int_equal(memblock_memory[index].start, start);
    assert_int_equal(memblock_memory[index].end, end);
}

static void expect_reserved(unsigned index, phys_addr_t start, phys_addr_t end, u8 type)
{
    assert_true(index < memblock_reserved_count);
    assert_int_equal(memblock_reserved[index].start, start);
    assert_int_equal(memblock_reserved[index].end, end);
    assert_int_equal(memblock_reserved[index].type, type);
}

static void ranges_are_sorted_and_touching_ones_become_one(void **state)
{
    (void)state;
    memblock_add(0x8000, 0xa000);
    memblock_add(0x1000, 0x3000);
    memblock_add(0xa000, 0xb000);
    memblock_add(0x4000, 0x6000);
    assert_int_equal(memblock_memory_count, 3);
    expect_range(0, 0x1000, 0x3000);
    expect_range(1, 0x4000, 0x6000);
    expect_range(2, 0x8000, 0xb000);
    memblock_add(0x2000, 0x9000);
    assert_int_equal(memblock_memory_count, 1);
    expect_range(0, 0x1000, 0xb000);
    assert_int_equal(memblock_total(), 0xa000);
}

static void partial_frames_of_memory_are_left_out(void **state)
{
    (void)state;
    memblock_add(0x1001, 0x3fff);
    memblock_add(0x5001, 0x5fff);
    memblock_add(0x7000, 0x7000);
    memblock_add(~0ull - 10, ~0ull);
    assert_int_equal(memblock_memory_count, 1);
    expect_range(0, 0x2000, 0x3000);
}

static void partial_frames_of_reservations_are_taken_whole(void **state)
{
    (void)state;
    memblock_reserve(0x1fff, 0x3001, PAGE_ARCHIVE);
    assert_int_equal(memblock_reserved_count, 1);
    expect_reserved(0, 0x1000, 0x4000, PAGE_ARCHIVE);
    memblock_reserve(0x9000, 0x9000, PAGE_KERNEL);
    assert_int_equal(memblock_reserved_count, 1);
}

static void the_first_type_of_an_overlap_stays(void **state)
{
    (void)state;
    memblock_reserve(0x4000, 0x6000, PAGE_KERNEL);
    memblock_reserve(0x8000, 0x9000, PAGE_TABLE);
    memblock_reserve(0x2000, 0xa000, PAGE_ARCHIVE);
    assert_int_equal(memblock_reserved_count, 5);
    expect_reserved(0, 0x2000, 0x4000, PAGE_ARCHIVE);
    expect_reserved(1, 0x4000, 0x6000, PAGE_KERNEL);
    expect_reserved(2, 0x6000, 0x8000, PAGE_ARCHIVE);
    expect_reserved(3, 0x8000, 0x9000, PAGE_TABLE);
    expect_reserved(4, 0x9000, 0xa000, PAGE_ARCHIVE);
}

static void reservations_of_one_type_are_joined(void **state)
{
    (void)state;
    memblock_reserve(0x2000, 0x3000, PAGE_KERNEL);
    memblock_reserve(0x4000, 0x5000, PAGE_KERNEL);
    memblock_reserve(0x3000, 0x4000, PAGE_KERNEL);
    memblock_reserve(0x1000, 0x2000, PAGE_KERNEL);
    assert_int_equal(memblock_reserved_count, 1);
    expect_reserved(0, 0x1000, 0x5000, PAGE_KERNEL);
}

static void allocation_takes_the_lowest_free_place_but_never_frame_0(void **state)
{
    (void)state;
    memblock_add(0, 0x10000);
    assert_int_equal(memblock_alloc(1, 1, ~0ull, PAGE_KERNEL), 0x1000);
    assert_int_equal(memblock_alloc(0x2000, PAGE_SIZE, ~0ull, PAGE_KERNEL), 0x2000);
    memblock_reserve(0x5000, 0x6000, PAGE_ARCHIVE);
    assert_int_equal(memblock_alloc(0x2000, PAGE_SIZE, ~0ull, PAGE_TABLE), 0x6000);
    assert_int_equal(memblock_alloc(0x1000, PAGE_SIZE, ~0ull, PAGE_TABLE), 0x4000);
}

static void allocation_keeps_alignment_and_limit(void **state)
{
    (void)state;
    memblock_add(0x1000, 0x10000);
    memblock_add(0x100000, 0x200000);
    assert_int_equal(memblock_alloc(0x1000, 0x8000, ~0ull, PAGE_KERNEL), 0x8000);
    assert_int_equal(memblock_alloc(0x8000, 0x1000, 0x10000, PAGE_KERNEL), 0);
    assert_int_equal(memblock_alloc(0x8000, 0x1000, 0x108000, PAGE_KERNEL), 0x100000);
    assert_int_equal(memblock_alloc(0x7000, 0x1000, 0x10000, PAGE_KERNEL), 0x1000);
    assert_int_equal(memblock_alloc(0x200000, 0x1000, ~0ull, PAGE_KERNEL), 0);
}

static void allocation_skips_a_hole_that_is_too_small(void **state)
{
    (void)state;
    memblock_add(0x1000, 0x3000);
    memblock_add(0x5000, 0x9000);
    assert_int_equal(memblock_alloc(0x3000, PAGE_SIZE, ~0ull, PAGE_KERNEL), 0x5000);
    assert_int_equal(memblock_alloc(0x2000, PAGE_SIZE, ~0ull, PAGE_KERNEL), 0x1000);
    assert_int_equal(memblock_alloc(0x2000, PAGE_SIZE, ~0ull, PAGE_KERNEL), 0);
    assert_int_equal(memblock_alloc(0x1000, PAGE_SIZE, ~0ull, PAGE_KERNEL), 0x8000);
    assert_int_equal(memblock_alloc(0x1000, PAGE_SIZE, ~0ull, PAGE_KERNEL), 0);
}

/* Random ranges against one byte per frame. */
static void random_ranges_agree_with_a_map_of_frames(void **state)
{
    enum { FRAMES = 512 };
    u64 random = 99;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        u8 memory[FRAMES] = { 0 }, reserved[FRAMES] = { 0 };

        memblock_memory_count = memblock_reserved_count = 0;
        for (unsigned step = 0; step < 12; step++) {
            unsigned first = (unsigned)(next_random(&random) % FRAMES);
            unsigned length = (unsigned)(next_random(&random) % 60);
            unsigned end = MIN(first + length, FRAMES);
            u8 type = step % 3 == 0 ? PAGE_KERNEL : PAGE_ARCHIVE;

            if (step < 6) {
                memblock_add(first * PAGE_SIZE, end * PAGE_SIZE);
                memset(memory + first, 1, end - first);
                continue;
            }
            memblock_reserve(first * PAGE_SIZE, end * PAGE_SIZE, type);
            for (unsigned i = first; i < end; i++)
                reserved[i] = reserved[i] ? reserved[i] : type;
        }
        u8 seen_memory[FRAMES] = { 0 }, seen_reserved[FRAMES] = { 0 };
        for (unsigned i = 0; i < memblock_memory_count; i++) {
            const struct memblock_range *range = &memblock_memory[i];
            assert_true(i == 0 || range[-1].end < range->start);
            memset(seen_memory + range->start / PAGE_SIZE, 1, (range->end - range->start) / PAGE_SIZE);
        }
        for (unsigned i = 0; i < memblock_reserved_count; i++) {
            const struct memblock_range *range = &memblock_reserved[i];
            assert_true(range->start < range->end);
            assert_true(i == 0 || range[-1].end < range->start ||
                        (range[-1].end == range->start && range[-1].type != range->type));
            memset(seen_reserved + range->start / PAGE_SIZE, range->type,
                   (range->end - range->start) / PAGE_SIZE);
        }
        assert_memory_equal(memory, seen_memory, FRAMES);
        assert_memory_equal(reserved, seen_reserved, FRAMES);
        /* Whatever is allocated is memory and was not reserved. */
        phys_addr_t got;
        while ((got = memblock_alloc(3 * PAGE_SIZE, 2 * PAGE_SIZE, ~0ull, PAGE_TABLE)) != 0)
            for (unsigned i = 0; i < 3; i++) {
                unsigned frame = (unsigned)(got / PAGE_SIZE) + i;
                assert_true(frame != 0 && memory[frame] && !reserved[frame] && got % (2 * PAGE_SIZE) == 0);
                reserved[frame] = PAGE_TABLE;
            }
        for (unsigned i = 2; i + 3 <= FRAMES; i += 2)
            assert_false(memory[i] && memory[i + 1] && memory[i + 2] && !reserved[i] && !reserved[i + 1] &&
                         !reserved[i + 2]);
    }
}

static void too_many_ranges_are_a_sentence(void **state)
{
    (void)state;
    for (phys_addr_t i = 0; i < MEMBLOCK_MAX; i++)
        memblock_add(i * 2 * PAGE_SIZE, (i * 2 + 1) * PAGE_SIZE);
    expect_panic(memblock_add(0x40000000, 0x40001000));
}

#define memblock_test(function) cmocka_unit_test_setup(function, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        memblock_test(ranges_are_sorted_and_touching_ones_become_one),
        memblock_test(partial_frames_of_memory_are_left_out),
        memblock_test(partial_frames_of_reservations_are_taken_whole),
        memblock_test(the_first_type_of_an_overlap_stays),
        memblock_test(reservations_of_one_type_are_joined),
        memblock_test(allocation_takes_the_lowest_free_place_but_never_frame_0),
        memblock_test(allocation_keeps_alignment_and_limit),
        memblock_test(allocation_skips_a_hole_that_is_too_small),
        memblock_test(random_ranges_agree_with_a_map_of_frames),
        memblock_test(too_many_ranges_are_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
