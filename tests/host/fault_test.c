/* The page fault on anonymous memory: every outcome, once each and by itself, and what it must not do. */
#include "mm/fault.h"
#include "mm/filemap.h"
#include "mm/vma.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

/* ---- anonymous memory ---- */

static void reading_untouched_memory_maps_the_zero_frame_read_only(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 4, RW);
    unsigned long frames = frame_counts[PAGE_ANON];

    expect_read(mm, at + 123, FAULT_ZERO_PAGE, 0);
    expect_read(mm, at + PAGE_SIZE, FAULT_ZERO_PAGE, 0);
    assert_int_equal(pte_pfn(entry_at(mm, at)), zero_pfn);
    assert_int_equal(pte_pfn(entry_at(mm, at + PAGE_SIZE)), zero_pfn);
    assert_false(pte_write(entry_at(mm, at)));
    assert_true(pte_none(entry_at(mm, at + 2 * PAGE_SIZE)));
    assert_int_equal(frame_counts[PAGE_ANON], frames);
    assert_int_equal(mm->rss[MM_ANONPAGES], 0);
    assert_int_equal(find_vma(mm, at)->vm_anon, 0);     /* no family: it may still merge with any neighbour */
    expect_read(mm, at + 124, NO_FAULT, 0);
    mmput(mm);
}

static void writing_untouched_memory_gives_a_zeroed_frame_of_ones_own(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 2, RW);

    /* Frames that come back dirty must not show. */
    struct page *dirty = alloc_page(PAGE_ANON);
    memset(page_address(dirty), 0xaa, PAGE_SIZE);
    put_page(dirty);

    expect_write(mm, at + 5, FAULT_NEW_PAGE, 42);
    expect_read(mm, at + 5, NO_FAULT, 42);
    expect_read(mm, at + 4, NO_FAULT, 0);
    expect_read(mm, at + PAGE_SIZE - 1, NO_FAULT, 0);
    assert_int_not_equal(pte_pfn(entry_at(mm, at)), zero_pfn);
    assert_true(pte_write(entry_at(mm, at)));
    assert_true(pte_dirty(entry_at(mm, at)));
    assert_int_equal(page_count(pte_page(entry_at(mm, at))), 1);
    assert_int_equal(mm->rss[MM_ANONPAGES], 1);
    mmput(mm);
}

static void writing_over_the_zero_frame_replaces_it(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 2, RW);

    expect_read(mm, at, FAULT_ZERO_PAGE, 0);
    expect_write(mm, at + 1, FAULT_ZERO_REPLACED, 7);
    expect_read(mm, at, NO_FAULT, 0);
    expect_read(mm, at + 1, NO_FAULT, 7);
    assert_int_equal(mm->rss[MM_ANONPAGES], 1);
    assert_int_equal(empty_zero_page[1], 0);
    mmput(mm);
}

static void a_frame_that_no_fault_asked_for_is_flushed_as_well(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 1, RW);

    expect_read(mm, at, FAULT_ZERO_PAGE, 0);    /* remembers the zero frame */
    assert_int_equal(do_madvise(mm, at, PAGE_SIZE, MADV_POPULATE_WRITE), 0);
    expect_read(mm, at, NO_FAULT, 0);           /* through the zero frame's translation? */
    assert_int_equal(mmu_stale_uses, 0);
    mmput(mm);
}

static void write_only_and_execute_only_memory_can_be_read(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    expect_read(mm, map_anonymous(mm, 1, PROT_WRITE), FAULT_ZERO_PAGE, 0);
    expect_read(mm, map_anonymous(mm, 1, PROT_EXEC), FAULT_ZERO_PAGE, 0);
    mmput(mm);
}

static void executing_untouched_memory_maps_it_and_then_refuses(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 1, RW);

    struct touch touch = touch_execute(mm, at);
    assert_int_equal(touch.faults, 2);
    assert_int_equal(touch.outcome, FAULT_NOT_EXECUTABLE);
    assert_int_equal(touch.error, PF_PRESENT | PF_USER | PF_INSTRUCTION);
    assert_int_equal(pte_pfn(entry_at(mm, at)), zero_pfn);
    mmput(mm);
}

/* ---- copy on write ---- */

static void writing_a_shared_frame_copies_it(void **state)
{
    (void)state;
    struct mm_struct *parent = test_mm();
    unsigned long at = map_anonymous(parent, 1, RW);
    expect_write(parent, at, FAULT_NEW_PAGE, 1);

    struct mm_struct *child = fork_of(parent);
    assert_int_equal(page_count(pte_page(entry_at(parent, at))), 2);
    expect_read(child, at, NO_FAULT, 1);
    expect_write(child, at, FAULT_COW_COPIED, 2);
    expect_read(parent, at, NO_FAULT, 1);
    expect_read(child, at, NO_FAULT, 2);
    assert_int_equal(page_count(pte_page(entry_at(parent, at))), 1);
    mmput(parent);
    mmput(child);
}

static void the_last_user_takes_the_frame_over(void **state)
{
    (void)state;
    struct mm_struct *parent = test_mm();
    unsigned long at = map_anonymous(parent, 1, RW);
    expect_write(parent, at, FAULT_NEW_PAGE, 1);
    pfn_t frame = pte_pfn(entry_at(parent, at));

    struct mm_struct *child = fork_of(parent);
    mmput(child);
    expect_write(parent, at, FAULT_COW_REUSED, 3);
    assert_int_equal(pte_pfn(entry_at(parent, at)), frame);
    expect_write(parent, at, NO_FAULT, 4);
    mmput(parent);
}

/* ---- counting, and translations that are out of date ---- */

static void a_stale_translation_is_flushed_and_not_counted_as_more(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 1, RW);

    expect_write(mm, at, FAULT_NEW_PAGE, 1);
    assert_int_equal(do_user_addr_fault(mm, at, PF_USER | PF_WRITE | PF_PRESENT, 0), FAULT_SPURIOUS);
    assert_true(mmu_was_flushed(at));
    mmput(mm);
}

static void served_faults_are_counted_and_refused_ones_not(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 8, RW);
    unsigned long counted = 0, *before = mm_fault_counter;

    mm_fault_counter = &counted;
    for (unsigned i = 0; i < 8; i++)
        touch_read(mm, at + i * PAGE_SIZE);
    for (unsigned i = 0; i < 8; i++)
        touch_write(mm, at + i * PAGE_SIZE, 1);
    touch_read(mm, at - 1);
    struct address_space *file = test_file(PAGE_SIZE);
    touch_read(mm, map_file(mm, file, 2, PROT_READ, MAP_PRIVATE) + PAGE_SIZE);
    mapping_put(file);
    mm_fault_counter = before;
    assert_int_equal(counted, 16);
    mmput(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(reading_untouched_memory_maps_the_zero_frame_read_only),
        mm_test(writing_untouched_memory_gives_a_zeroed_frame_of_ones_own),
        mm_test(writing_over_the_zero_frame_replaces_it),
        mm_test(a_frame_that_no_fault_asked_for_is_flushed_as_well),
        mm_test(write_only_and_execute_only_memory_can_be_read),
        mm_test(executing_untouched_memory_maps_it_and_then_refuses),
        mm_test(writing_a_shared_frame_copies_it),
        mm_test(the_last_user_takes_the_frame_over),
        mm_test(a_stale_translation_is_flushed_and_not_counted_as_more),
        mm_test(served_faults_are_counted_and_refused_ones_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
