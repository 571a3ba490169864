/* The start of the frame allocator: what it makes of memory maps of all kinds. */
#include "mm/memblock.h"
#include "tests/host/harness.h"

static unsigned long sum_of_counts(void)
{
    unsigned long sum = 0;

    for (unsigned type = 0; type < PAGE_TYPES; type++)
        sum += frame_counts[type];
    return sum;
}

/* Free blocks of each order with nothing in the per-CPU list. */
static void take_inventory(unsigned long blocks[MAX_ORDER + 1])
{
    drain_page_cache();
    for (unsigned order = 0; order <= MAX_ORDER; order++)
        blocks[order] = free_block_count(order);
}

static void every_frame_has_a_type_and_is_counted(void **state)
{
    (void)state;
    assert_int_equal(max_pfn, 64 * MIB / PAGE_SIZE);
    assert_int_equal(sum_of_counts(), max_pfn);
    assert_int_equal(frame_counts[PAGE_RESERVED], 1);   /* frame 0 */
    assert_int_equal(frame_counts[PAGE_ZERO], 1);
    /* The image's 128 frames but the zero frame, and the memory map: 16384 * 32 bytes. */
    assert_int_equal(frame_counts[PAGE_KERNEL], 127 + 128);
    assert_int_equal(frame_counts[PAGE_FREE], total_frames);
    assert_int_equal(pfn_to_page(zero_pfn)->type, PAGE_ZERO);
}

static void memory_starts_in_the_largest_blocks(void **state)
{
    unsigned long blocks[MAX_ORDER + 1];

    (void)state;
    take_inventory(blocks);
    /* 64 MiB is 16 blocks of 4 MiB; the first is broken by the image and the boot-time allocations. */
    assert_int_equal(blocks[MAX_ORDER], 15);
}

static void memory_may_end_within_a_block(void **state)
{
    unsigned long before[MAX_ORDER + 1], after[MAX_ORDER + 1];

    (void)state;
    /*
     * The memory map ends with a page, behind which lies a free frame: looking at a buddy beyond the end is
     * seen.
     */
    memory_init(64 * MIB - 128 * PAGE_SIZE);
    take_inventory(before);
    struct page *page = alloc_pages(6, PAGE_KERNEL), *rest[300];
    for (unsigned i = 0; i < 300; i++)
        rest[i] = alloc_pages(5, PAGE_KERNEL);
    for (unsigned i = 0; i < 300; i++)
        free_pages(rest[i], 5);
    free_pages(page, 6);
    take_inventory(after);
    assert_memory_equal(before, after, sizeof(before));
    memory_init(64 * MIB);
}

static void frames_of_holes_and_reservations_are_never_given_out(void **state)
{
    (void)state;
    memory_begin(40 * MIB);
    memblock_add(0x1000, 0x9fc00);              /* a partial frame at the end */
    memblock_add(MIB, 7 * MIB + 0x1800);
    memblock_add(9 * MIB, 9 * MIB + 5 * PAGE_SIZE);
    memblock_add(20 * MIB, 40 * MIB);
    memblock_reserve(21 * MIB, 22 * MIB, PAGE_ARCHIVE);
    memory_finish();

    assert_int_equal(max_pfn, 40 * MIB / PAGE_SIZE);
    assert_int_equal(sum_of_counts(), max_pfn);
    assert_int_equal(frame_counts[PAGE_ARCHIVE], MIB / PAGE_SIZE);
    assert_null(page_alloc_audit());
    struct page *page;
    unsigned long count = 0;
    while ((page = alloc_page(PAGE_KERNEL)) != NULL) {
        phys_addr_t address = (phys_addr_t)page_to_pfn(page) << PAGE_SHIFT;

        count++;
        assert_true((address >= 0x1000 && address < 0x9f000) || (address >= MIB && address <= 7 * MIB) ||
                    (address >= 9 * MIB && address < 9 * MIB + 5 * PAGE_SIZE) || address >= 20 * MIB);
        assert_false(address >= 21 * MIB && address < 22 * MIB);
        assert_false(address >= MIB && address < MIB + MIB / 2);    /* the image */
    }
    assert_int_equal(count, total_frames);
    memory_init(64 * MIB);
}

static void sixteen_mebibytes_are_enough(void **state)
{
    (void)state;
    memory_init(16 * MIB);
    assert_true(total_frames > 3700);
    assert_true(reserve_frames <= total_frames / 32);
    assert_memory_is_sound();
    memory_init(64 * MIB);
}

static void sixteen_gibibytes_with_a_hole_work(void **state)
{
    (void)state;
    memory_begin(17 * GIB);
    memblock_add(0, 3 * GIB);
    memblock_add(4 * GIB, 17 * GIB);
    memory_finish();
    assert_int_equal(max_pfn, 17 * GIB / PAGE_SIZE);
    assert_int_equal(sum_of_counts(), max_pfn);
    assert_true(frame_counts[PAGE_RESERVED] >= GIB / PAGE_SIZE);
    /* All but the memory map (136 MiB), the image and the tables. */
    assert_true(total_frames > 16 * GIB / PAGE_SIZE - 140 * MIB / PAGE_SIZE);
    struct page *page = alloc_pages(MAX_ORDER, PAGE_KERNEL);
    assert_non_null(page);
    free_pages(page, MAX_ORDER);
    assert_null(page_alloc_audit());
    memory_init(64 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(every_frame_has_a_type_and_is_counted),
        memory_test(memory_starts_in_the_largest_blocks),
        memory_test(memory_may_end_within_a_block),
        memory_test(frames_of_holes_and_reservations_are_never_given_out),
        memory_test(sixteen_mebibytes_are_enough),
        memory_test(sixteen_gibibytes_with_a_hole_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
