/* The frame allocator: buddy blocks, the per-CPU list, counts, the reserve, and what its audit and its assertions find. */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include "mm/buddy.h"
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

static void a_fresh_frame_has_one_user_and_its_type(void **state)
{
    (void)state;
    struct page *page = alloc_page(PAGE_ANON);

    assert_non_null(page);
    assert_int_equal(page->type, PAGE_ANON);
    assert_int_equal(page->order, 0);
    assert_int_equal(page->flags, 0);
    assert_int_equal(page_count(page), 1);
    assert_int_equal(frame_counts[PAGE_ANON], 1);
    assert_int_equal(frame_counts[PAGE_FREE], total_frames - 1);
    get_page(page);
    put_page(page);
    assert_int_equal(page->type, PAGE_ANON);
    put_page(page);
    assert_int_equal(page->type, PAGE_CACHED);
    assert_int_equal(frame_counts[PAGE_ANON], 0);
}

static void single_frames_come_out_in_ascending_order(void **state)
{
    struct page *pages[32];

    (void)state;
    drain_page_cache();
    /* Take what is left of broken blocks, so that the list is filled from one large block. */
    struct page *first = alloc_pages(6, PAGE_KERNEL), *second = alloc_pages(6, PAGE_KERNEL);
    for (unsigned i = 0; i < 32; i++)
        pages[i] = alloc_page(PAGE_ANON);
    unsigned ascending = 0;
    for (unsigned i = 1; i < 32; i++)
        ascending += pages[i] > pages[i - 1];
    assert_true(ascending >= 28);
    for (unsigned i = 0; i < 32; i++)
        free_pages(pages[i], 0);
    free_pages(first, 6);
    free_pages(second, 6);
}

static void the_frame_freed_last_is_given_out_first(void **state)
{
    (void)state;
    struct page *first = alloc_page(PAGE_ANON), *second = alloc_page(PAGE_ANON);

    free_pages(first, 0);
    free_pages(second, 0);
    assert_ptr_equal(alloc_page(PAGE_TABLE), second);
    assert_ptr_equal(alloc_page(PAGE_TABLE), first);
    free_pages(first, 0);
    free_pages(second, 0);
}

static void a_block_is_aligned_to_its_size_and_all_its_frames_are_marked(void **state)
{
    (void)state;
    for (unsigned order = 0; order <= MAX_ORDER; order++) {
        struct page *page = alloc_pages(order, PAGE_KERNEL);

        assert_non_null(page);
        assert_int_equal(page_to_pfn(page) % (1ul << order), 0);
        assert_int_equal(page->order, order);
        for (unsigned long i = 0; i < 1ul << order; i++) {
            assert_int_equal(page[i].type, PAGE_KERNEL);
            assert_int_equal(page_count(page + i), i == 0);
        }
        assert_memory_is_sound();
        free_pages(page, order);
    }
}

static void splitting_and_merging_leave_the_blocks_as_they_were(void **state)
{
    unsigned long before[MAX_ORDER + 1], after[MAX_ORDER + 1];
    struct page *pages[1000];

    (void)state;
    take_inventory(before);
    for (unsigned i = 0; i < 1000; i++)
        pages[i] = alloc_pages(i % 4, PAGE_KERNEL);
    /* Not in the order of allocation, so that runs and single frames both occur. */
    for (unsigned i = 0; i < 1000; i++) {
        unsigned index = i * 7 % 1000;
        free_pages(pages[index], index % 4);
    }
    take_inventory(after);
    assert_memory_equal(before, after, sizeof(before));
}

/* Frees N single frames in an order given by STEP and expects all blocks to be whole again. */
static void check_bulk_free(long step)
{
    enum { FRAMES = 3000 };
    unsigned long before[MAX_ORDER + 1], after[MAX_ORDER + 1];
    static struct page *pages[FRAMES];

    take_inventory(before);
    for (long i = 0; i < FRAMES; i++)
        pages[i] = alloc_page(PAGE_ANON);
    for (long i = 0; i < FRAMES; i++)
        free_pages(pages[(i * step % FRAMES + FRAMES) % FRAMES], 0);
    assert_null(page_alloc_audit());
    take_inventory(after);
    assert_memory_equal(before, after, sizeof(before));
}

static void frames_freed_in_any_order_become_blocks_again(void **state)
{
    (void)state;
    check_bulk_free(1);
    check_bulk_free(-1);
    check_bulk_free(7);
    check_bulk_free(1009);
}

static void a_run_of_frames_goes_back_as_blocks(void **state)
{
    enum { FRAMES = 1500 };
    static const long steps[] = { 1, -1, 7, 749 };
    unsigned long before[MAX_ORDER + 1], after[MAX_ORDER + 1];
    static struct page *pages[FRAMES];

    (void)state;
    take_inventory(before);
    for (unsigned s = 0; s < ARRAY_SIZE(steps); s++) {
        struct frame_run run = { NULL, NULL };

        for (long i = 0; i < FRAMES; i++)
            pages[i] = alloc_page(PAGE_ANON);
        for (long i = 0; i < FRAMES; i++)
            free_in_run(&run, pages[(i * steps[s] % FRAMES + FRAMES) % FRAMES]);
        free_run(&run);
        assert_null(run.end);
        free_run(&run);     /* an empty run is nothing */
        assert_int_equal(frame_counts[PAGE_ANON], 0);
        assert_int_equal(frame_counts[PAGE_FREE], total_frames);
        assert_null(page_alloc_audit());
        take_inventory(after);
        assert_memory_equal(before, after, sizeof(before));
    }
    struct frame_run run = { NULL, NULL };
    struct page *page = alloc_page(PAGE_ANON);
    free_in_run(&run, page);
    assert_true(__asan_address_is_poisoned(page_address(page)));
    free_run(&run);
    expect_panic(free_in_run(&run, page));
}

static void user_frames_leave_the_reserve_to_the_kernel(void **state)
{
    struct page **pages = calloc(max_pfn, sizeof(*pages));
    unsigned long count = 0;

    (void)state;
    assert_true(reserve_frames >= 16);
    while ((pages[count] = alloc_page(PAGE_ANON)) != NULL)
        count++;
    assert_int_equal(frame_counts[PAGE_FREE], reserve_frames);
    assert_int_equal(count, total_frames - reserve_frames);
    assert_null(alloc_page(PAGE_FILE));
    assert_null(alloc_page(PAGE_SHMEM));
    assert_null(alloc_zeroed_user_highpage_movable(NULL, 0));
    assert_null(alloc_pages(1, PAGE_ANON));
    /* The kernel may take all the rest. */
    while ((pages[count] = alloc_page(count % 2 ? PAGE_TABLE : PAGE_KERNEL)) != NULL)
        count++;
    assert_int_equal(frame_counts[PAGE_FREE], 0);
    assert_int_equal(count, total_frames);
    assert_null(alloc_page(PAGE_SLAB));
    assert_null(page_alloc_audit());
    for (unsigned long i = 0; i < count; i++)
        free_pages(pages[i], 0);
    free(pages);
}

static void a_block_may_need_the_frames_of_the_per_cpu_list(void **state)
{
    struct page **pages = calloc(max_pfn, sizeof(*pages));
    unsigned long count = 0;

    (void)state;
    while ((pages[count] = alloc_page(PAGE_KERNEL)) != NULL)
        count++;
    /* What is free now is in the per-CPU list only, as single frames. */
    for (unsigned long i = 4000; i < 4200; i++)
        free_pages(pages[i], 0);
    for (unsigned order = 0; order <= MAX_ORDER; order++)
        assert_int_equal(free_block_count(order), 0);
    struct page *block = alloc_pages(4, PAGE_KERNEL);
    assert_non_null(block);
    free_pages(block, 4);
    for (unsigned long i = 0; i < count; i++)
        if (i < 4000 || i >= 4200)
            free_pages(pages[i], 0);
    free(pages);
}

static void memory_may_end_within_a_block(void **state)
{
    unsigned long before[MAX_ORDER + 1], after[MAX_ORDER + 1];

    (void)state;
    /* The memory map ends with a page, behind which lies a free frame: looking at a buddy beyond the end is seen. */
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

static void freeing_what_is_free_is_caught(void **state)
{
    (void)state;
    struct page *page = alloc_page(PAGE_ANON);
    struct page *block = alloc_pages(4, PAGE_KERNEL);

    free_pages(page, 0);
    expect_panic(free_pages(page, 0));
    free_pages(block, 4);
    expect_panic(free_pages(block, 4));
    expect_panic(free_pages(block + 3, 0));
}

static void the_wrong_order_is_caught(void **state)
{
    (void)state;
    struct page *block = alloc_pages(4, PAGE_KERNEL), *page = alloc_page(PAGE_KERNEL);

    expect_panic(free_pages(block, 0));
    expect_panic(free_pages(block, 3));
    expect_panic(free_pages(block + 1, 0));
    expect_panic(free_pages(page, 1));
    free_pages(block, 4);
    free_pages(page, 0);
}

static void the_zero_frame_and_reserved_frames_cannot_be_freed(void **state)
{
    (void)state;
    expect_panic(free_pages(pfn_to_page(zero_pfn), 0));
    expect_panic(free_pages(pfn_to_page(0), 0));
}

static void a_write_to_a_free_frame_is_found_when_it_is_given_out(void **state)
{
    (void)state;
    struct page *page = alloc_page(PAGE_ANON);
    u8 *memory = page_address(page);

    free_pages(page, 0);
    assert_true(__asan_address_is_poisoned(memory));
    ASAN_UNPOISON_MEMORY_REGION(memory, PAGE_SIZE);
    memory[100] ^= 1;
    expect_panic(alloc_page(PAGE_ANON));
    memory_init(64 * MIB);
}

static void a_zeroed_frame_is_zero_and_others_are_junk(void **state)
{
    static const u8 zeroes[PAGE_SIZE];

    (void)state;
    struct page *page = alloc_page(PAGE_ANON);
    assert_memory_not_equal(page_address(page), zeroes, PAGE_SIZE);
    free_pages(page, 0);
    page = alloc_zeroed_page(PAGE_TABLE);
    assert_memory_equal(page_address(page), zeroes, PAGE_SIZE);
    assert_int_equal(page->type, PAGE_TABLE);
    free_pages(page, 0);
    page = alloc_zeroed_user_highpage_movable(NULL, 0x1000);
    assert_memory_equal(page_address(page), zeroes, PAGE_SIZE);
    assert_int_equal(page->type, PAGE_ANON);
    free_pages(page, 0);
    /* The same when the per-CPU list has to be filled first. */
    drain_page_cache();
    page = alloc_zeroed_page(PAGE_TABLE);
    assert_memory_equal(page_address(page), zeroes, PAGE_SIZE);
    free_pages(page, 0);
}

static void the_nth_allocation_fails_when_told_so(void **state)
{
    (void)state;
    fail_allocation_countdown = 3;
    struct page *first = alloc_page(PAGE_ANON), *second = alloc_pages(2, PAGE_KERNEL);

    assert_non_null(first);
    assert_non_null(second);
    assert_null(alloc_page(PAGE_KERNEL));
    assert_int_equal(fail_allocation_countdown, 0);
    struct page *third = alloc_page(PAGE_KERNEL);
    assert_non_null(third);

    fail_allocations_forever = true;
    fail_allocation_countdown = 1;
    assert_null(alloc_page(PAGE_KERNEL));
    assert_null(alloc_pages(1, PAGE_KERNEL));
    assert_null(alloc_zeroed_page(PAGE_TABLE));
    fail_allocations_forever = false;
    fail_allocation_countdown = 0;
    free_pages(first, 0);
    free_pages(second, 2);
    free_pages(third, 0);
}

static struct page *reclaimable;

static unsigned long give_back_one(void)
{
    if (!reclaimable)
        return 0;
    free_pages(reclaimable, 0);
    reclaimable = NULL;
    return 1;
}

static void reclaimers_work_before_an_allocation_fails(void **state)
{
    struct page **pages = calloc(max_pfn, sizeof(*pages));
    unsigned long count = 0;

    (void)state;
    page_alloc_add_reclaimer(give_back_one);
    reclaimable = alloc_page(PAGE_FILE);
    while ((pages[count] = alloc_page(PAGE_ANON)) != NULL)
        count++;
    assert_null(reclaimable);
    assert_int_equal(count, total_frames - reserve_frames);
    while (count > 0)
        free_pages(pages[--count], 0);
    free(pages);
}

/* ---- a model: who holds which frame ---- */

struct holding {
    struct page *page;
    unsigned order;
};

static void stamp(const struct holding *holding, u64 value)
{
    for (unsigned long i = 0; i < 1ul << holding->order; i++)
        *(u64 *)page_address(holding->page + i) = value + i;
}

static void check_stamp(const struct holding *holding, u64 value)
{
    for (unsigned long i = 0; i < 1ul << holding->order; i++)
        assert_int_equal(*(u64 *)page_address(holding->page + i), value + i);
}

static void random_work_never_gives_out_a_frame_twice(void **state)
{
    enum { HOLDINGS = 2000, STEPS = 60000 };
    static struct holding holdings[HOLDINGS];
    u64 random = 4711;
    unsigned long held = 0;

    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        u64 choice = next_random(&random);
        struct holding *holding = &holdings[choice % HOLDINGS];

        if (holding->page) {
            check_stamp(holding, (u64)holding->page);
            free_pages(holding->page, holding->order);
            held -= 1ul << holding->order;
            holding->page = NULL;
        } else {
            /* Mostly single frames, some blocks, seldom large ones. */
            unsigned roll = (unsigned)(choice >> 16) % 100;
            holding->order = roll < 70 ? 0 : roll < 97 ? roll % 5 : roll % (MAX_ORDER + 1);
            holding->page = alloc_pages(holding->order, PAGE_KERNEL);
            if (holding->page) {
                stamp(holding, (u64)holding->page);
                held += 1ul << holding->order;
            }
        }
        assert_int_equal(frame_counts[PAGE_FREE], total_frames - held);
        if (step % 5000 == 0)
            assert_null(page_alloc_audit());
    }
    for (unsigned i = 0; i < HOLDINGS; i++)
        if (holdings[i].page) {
            check_stamp(&holdings[i], (u64)holdings[i].page);
            free_pages(holdings[i].page, holdings[i].order);
            holdings[i].page = NULL;
        }
}

/* ---- memory maps ---- */

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

/* ---- the audit itself ---- */

static void expect_finding(const char *part)
{
    const char *finding = page_alloc_audit();

    assert_non_null(finding);
    if (!strstr(finding, part))
        fail_msg("expected a finding about \"%s\", got \"%s\"", part, finding);
}

static void the_audit_sees_what_is_wrong(void **state)
{
    (void)state;
    drain_page_cache();
    struct page *block = alloc_pages(MAX_ORDER, PAGE_KERNEL);
    free_pages(block, MAX_ORDER);
    u64 tail = page_state(block + 7);

    page_set_state(block + 7, PAGE_STATE(PAGE_ANON, 0, 1));
    expect_finding("inside a free block");
    page_set_state(block + 7, tail);

    u64 head = page_state(block);
    page_set_state(block, PAGE_STATE(PAGE_FREE, 3, 0));
    expect_finding("order of its list");
    page_set_state(block, head);

    frame_counts[PAGE_ANON]++;
    expect_finding("frame_counts");
    frame_counts[PAGE_ANON]--;

    struct page *page = alloc_page(PAGE_ANON);
    page_set_state(page, PAGE_STATE_CACHED);
    expect_finding("per-CPU list");
    page_set_state(page, PAGE_STATE_FREE_TAIL);
    expect_finding("in no free block");
    page_set_state(page, PAGE_STATE(PAGE_ANON, 0, 1));
    block->lru.next->prev = &page->lru;
    expect_finding("links");
    block->lru.next->prev = &block->lru;
    free_pages(page, 0);
    assert_null(page_alloc_audit());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(every_frame_has_a_type_and_is_counted),
        memory_test(memory_starts_in_the_largest_blocks),
        memory_test(a_fresh_frame_has_one_user_and_its_type),
        memory_test(single_frames_come_out_in_ascending_order),
        memory_test(the_frame_freed_last_is_given_out_first),
        memory_test(a_block_is_aligned_to_its_size_and_all_its_frames_are_marked),
        memory_test(splitting_and_merging_leave_the_blocks_as_they_were),
        memory_test(frames_freed_in_any_order_become_blocks_again),
        memory_test(a_run_of_frames_goes_back_as_blocks),
        memory_test(user_frames_leave_the_reserve_to_the_kernel),
        memory_test(a_block_may_need_the_frames_of_the_per_cpu_list),
        memory_test(memory_may_end_within_a_block),
        memory_test(freeing_what_is_free_is_caught),
        memory_test(the_wrong_order_is_caught),
        memory_test(the_zero_frame_and_reserved_frames_cannot_be_freed),
        memory_test(a_write_to_a_free_frame_is_found_when_it_is_given_out),
        memory_test(a_zeroed_frame_is_zero_and_others_are_junk),
        memory_test(the_nth_allocation_fails_when_told_so),
        memory_test(reclaimers_work_before_an_allocation_fails),
        memory_test(random_work_never_gives_out_a_frame_twice),
        memory_test(frames_of_holes_and_reservations_are_never_given_out),
        memory_test(sixteen_mebibytes_are_enough),
        memory_test(sixteen_gibibytes_with_a_hole_work),
        memory_test(the_audit_sees_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
