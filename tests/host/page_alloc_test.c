/*
 * The frame allocator: buddy blocks, the per-CPU list, counts, the reserve, and what its audit and its
 * assertions find.
 */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include "tests/host/harness.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(a_fresh_frame_has_one_user_and_its_type),
        memory_test(single_frames_come_out_in_ascending_order),
        memory_test(the_frame_freed_last_is_given_out_first),
        memory_test(a_block_is_aligned_to_its_size_and_all_its_frames_are_marked),
        memory_test(user_frames_leave_the_reserve_to_the_kernel),
        memory_test(a_block_may_need_the_frames_of_the_per_cpu_list),
        memory_test(freeing_what_is_free_is_caught),
        memory_test(the_wrong_order_is_caught),
        memory_test(the_zero_frame_and_reserved_frames_cannot_be_freed),
        memory_test(a_write_to_a_free_frame_is_found_when_it_is_given_out),
        memory_test(a_zeroed_frame_is_zero_and_others_are_junk),
        memory_test(the_nth_allocation_fails_when_told_so),
        memory_test(reclaimers_work_before_an_allocation_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
