/* The debug build's quarantine: frames wait before they are given out again, and writes to them are found. */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>

#include "mm/quarantine.h"
#include "tests/host/harness.h"

#define WAITING 8

/* Writes behind the sanitizer's back, as the kernel would. */
static void write_to_free(struct page *page, unsigned long byte)
{
    u8 *memory = page_address(page);

    ASAN_UNPOISON_MEMORY_REGION(memory, PAGE_SIZE);
    memory[byte] ^= 1;
    ASAN_POISON_MEMORY_REGION(memory, PAGE_SIZE);
}

static void a_frame_is_given_out_again_only_after_others(void **state)
{
    struct page *first, *next[WAITING];
    unsigned seen = 0;

    (void)state;
    set_quarantine(WAITING);
    first = alloc_page(PAGE_ANON);
    for (unsigned i = 0; i < WAITING; i++)
        next[i] = alloc_page(PAGE_ANON);
    free_pages(first, 0);
    assert_int_equal(quarantine.count, 1);
    for (unsigned i = 0; i < WAITING; i++) {
        struct page *page = alloc_page(PAGE_ANON);

        seen += page == first;
        free_pages(next[i], 0);
        next[i] = page;
    }
    assert_int_equal(seen, 0);
    assert_int_equal(quarantine.count, WAITING);
    /* The last of them has pushed it out. */
    assert_ptr_equal(alloc_page(PAGE_ANON), first);
    assert_memory_is_sound();
    free_pages(first, 0);
    for (unsigned i = 0; i < WAITING; i++)
        free_pages(next[i], 0);
    set_quarantine(0);
    assert_int_equal(quarantine.count, 0);
}

/* However they are freed: as blocks, or many at once. */
static void blocks_and_runs_wait_too(void **state)
{
    struct page *block, *pages[3];
    struct frame_run run = { NULL, NULL };

    (void)state;
    set_quarantine(WAITING);
    block = alloc_pages(2, PAGE_KERNEL);
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
        pages[i] = alloc_page(PAGE_ANON);
    free_pages(block, 2);
    assert_int_equal(quarantine.count, 4);
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
        free_in_run(&run, pages[i]);
    free_run(&run);
    assert_int_equal(quarantine.count, 7);
    assert_memory_is_sound();
    set_quarantine(0);
    assert_memory_is_sound();
}

static void what_waits_is_free_and_given_out_when_there_is_no_other(void **state)
{
    struct page **pages = calloc(max_pfn, sizeof(*pages));
    unsigned long count = 0, all;

    (void)state;
    while ((pages[count] = alloc_page(PAGE_KERNEL)) != NULL)
        count++;
    set_quarantine(WAITING);
    all = count;
    for (unsigned i = 0; i < WAITING; i++)
        free_pages(pages[--count], 0);
    assert_int_equal(frame_counts[PAGE_FREE], WAITING);
    assert_int_equal(quarantine.count, WAITING);
    /* These lie in quarantine only; the last of them is a block. */
    for (unsigned i = 0; i < WAITING - 4; i++)
        assert_non_null(pages[count++] = alloc_page(PAGE_KERNEL));
    assert_int_equal(quarantine.count, 0);
    while (count > 0)
        free_pages(pages[--count], 0);
    assert_int_equal(frame_counts[PAGE_FREE], all);
    struct page *block = alloc_pages(MAX_ORDER, PAGE_KERNEL);
    assert_non_null(block);
    free_pages(block, MAX_ORDER);
    set_quarantine(0);
    assert_memory_is_sound();
    free(pages);
}

static void a_block_may_need_what_waits(void **state)
{
    struct page **pages = calloc(max_pfn, sizeof(*pages));
    unsigned long count = 0;

    (void)state;
    set_quarantine(QUARANTINE_FRAMES_MAX);
    while ((pages[count] = alloc_page(PAGE_KERNEL)) != NULL)
        count++;
    for (unsigned long i = 4000; i < 4064; i++)
        free_pages(pages[i], 0);
    assert_int_equal(quarantine.count, 64);
    struct page *block = alloc_pages(4, PAGE_KERNEL);
    assert_non_null(block);
    free_pages(block, 4);
    for (unsigned long i = 0; i < count; i++)
        if (i < 4000 || i >= 4064)
            free_pages(pages[i], 0);
    set_quarantine(0);
    assert_memory_is_sound();
    free(pages);
}

/* When it leaves the quarantine, when the audit looks, or when it is given out: the first that comes. */
static void a_write_to_a_frame_that_waits_is_found(void **state)
{
    (void)state;
    set_quarantine(WAITING);
    struct page *page = alloc_page(PAGE_ANON);
    free_pages(page, 0);
    write_to_free(page, 100);
    expect_panic(page_alloc_audit());
    expect_panic(set_quarantine(0));
    memory_init(64 * MIB);

    set_quarantine(WAITING);
    page = alloc_page(PAGE_TABLE);
    struct page *others[WAITING];
    for (unsigned i = 0; i < WAITING; i++)
        others[i] = alloc_page(PAGE_ANON);
    free_pages(page, 0);
    write_to_free(page, PAGE_SIZE - 1);
    for (unsigned i = 0; i < WAITING - 1; i++)
        free_pages(others[i], 0);
    expect_panic(free_pages(others[WAITING - 1], 0));
    memory_init(64 * MIB);
}

static void the_audit_finds_a_frame_that_is_not_marked(void **state)
{
    (void)state;
    set_quarantine(WAITING);
    struct page *page = alloc_page(PAGE_ANON);
    free_pages(page, 0);
    assert_null(page_alloc_audit());
    page_set_state(page, PAGE_STATE_CACHED);
    assert_string_equal(page_alloc_audit(), "a frame in quarantine is not marked so");
    page_set_state(page, PAGE_STATE_QUARANTINED);
    assert_null(page_alloc_audit());
    set_quarantine(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(a_frame_is_given_out_again_only_after_others),
        memory_test(blocks_and_runs_wait_too),
        memory_test(what_waits_is_free_and_given_out_when_there_is_no_other),
        memory_test(a_block_may_need_what_waits),
        memory_test(a_write_to_a_frame_that_waits_is_found),
        memory_test(the_audit_finds_a_frame_that_is_not_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
