/*
 * munmap, mprotect and brk: results and effects in every corner of the table in which Linux
 * 6.1 was seen.
 */
#include "mm/filemap.h"
#include "tests/host/calls.h"

#define AT 0x10000000ul

/* ---- munmap ---- */

static void munmap_refuses_bad_ranges(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    assert_error(do_munmap(mm, AT + 1, P), EINVAL);
    assert_error(do_munmap(mm, AT, 0), EINVAL);
    assert_error(do_munmap(mm, AT, -1ul), EINVAL);
    assert_error(do_munmap(mm, TASK_SIZE - P, 2 * P), EINVAL);
    assert_error(do_munmap(mm, -P, P), EINVAL);
    assert_int_equal(do_munmap(mm, TASK_SIZE - P, P), 0);
    expect_maps(mm, "10000000-10004000 rw-p");
    mmput(mm);
}

static void munmap_takes_whole_pages_and_passes_over_holes(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 10, RW);
    user_fill(mm, AT, 9, 10 * P);
    assert_int_equal(do_munmap(mm, AT + 3 * P, 1), 0);
    expect_maps(mm, "10000000-10003000 rw-p, 10004000-1000a000 rw-p");
    assert_int_equal(mm->rss[MM_ANONPAGES], 9);
    assert_int_equal(do_munmap(mm, AT + 2 * P, 4 * P), 0);
    expect_maps(mm, "10000000-10002000 rw-p, 10006000-1000a000 rw-p");
    assert_int_equal(do_munmap(mm, AT + 2 * P, 4 * P), 0);
    assert_int_equal(mm->rss[MM_ANONPAGES], 6);
    expect_refused(mm, AT + 3 * P, MMU_READ, FAULT_NO_MAPPING);
    user_expect(mm, AT + 6 * P, 9, P);
    map_at(mm, AT + 2 * P, 4, RW);
    user_expect(mm, AT + 2 * P, 0, 4 * P);
    mmput(mm);
}

static void munmap_gives_frames_and_tables_back(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    unsigned long frames = free_frames();
    map_at(mm, 0x200000000000, 600, RW);
    user_fill(mm, 0x200000000000, 1, 1);
    user_fill(mm, 0x200000000000 + 599 * P, 1, 1);
    assert_int_equal(mm->pgtables_bytes, 4 * P);
    assert_int_equal(do_munmap(mm, 0x200000000000, 600 * P), 0);
    assert_int_equal(mm->pgtables_bytes, 0);
    assert_int_equal(free_frames(), frames);
    mmput(mm);
}

static void a_table_stays_while_a_neighbour_uses_it(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 3, RW);
    user_fill(mm, AT, 1, 3 * P);
    assert_int_equal(do_munmap(mm, AT + P, P), 0);
    user_expect(mm, AT, 1, P);
    user_expect(mm, AT + 2 * P, 1, P);
    assert_int_equal(do_munmap(mm, AT, P), 0);
    user_expect(mm, AT + 2 * P, 1, P);
    assert_int_equal(mm->pgtables_bytes, 3 * P);
    assert_int_equal(do_munmap(mm, AT + 2 * P, P), 0);
    assert_int_equal(mm->pgtables_bytes, 0);
    mmput(mm);
}

static void few_pages_are_flushed_singly_and_many_at_once(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 100, RW);
    map_at(mm, AT - P, 1, PROT_READ);
    user_fill(mm, AT, 1, 100 * P);
    unsigned long loads = mmu_cr3_loads, singles = mmu_page_flushes;
    assert_int_equal(do_munmap(mm, AT, 32 * P), 0);
    assert_int_equal(mmu_cr3_loads, loads);
    assert_int_equal(mmu_page_flushes, singles + 32);
    assert_int_equal(do_munmap(mm, AT + 32 * P, 33 * P), 0);
    assert_int_equal(mmu_cr3_loads, loads + 1);
    /* Nothing was there: nothing to forget. */
    map_at(mm, AT, 1, RW);
    loads = mmu_cr3_loads, singles = mmu_page_flushes;
    assert_int_equal(do_munmap(mm, AT, P), 0);
    assert_int_equal(mmu_cr3_loads + mmu_page_flushes, loads + singles);
    mmput(mm);
}

/* ---- mprotect ---- */

static void mprotect_refuses_bad_requests(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    assert_error(do_mprotect(mm, AT + 1, P, RW), EINVAL);
    assert_int_equal(do_mprotect(mm, AT, 0, 0xff), 0);
    assert_int_equal(do_mprotect(mm, 0x5000000, 0, RW), 0);
    assert_error(do_mprotect(mm, AT, P, 0x10), EINVAL);
    assert_error(do_mprotect(mm, AT, P, 0xff), EINVAL);
    assert_int_equal(do_mprotect(mm, AT, P, RW | PROT_SEM), 0);
    assert_error(do_mprotect(mm, 0x5000000, P, RW), ENOMEM);
    assert_error(do_mprotect(mm, AT, -P, RW), ENOMEM);
    assert_error(do_mprotect(mm, PAGE_OFFSET, P, RW), ENOMEM);
    assert_error(do_mprotect(mm, AT, P, RW | PROT_GROWSDOWN), EINVAL);
    assert_error(do_mprotect(mm, AT, P, RW | PROT_GROWSUP), EINVAL);
    assert_error(do_mprotect(mm, AT, P, RW | PROT_GROWSDOWN | PROT_GROWSUP), EINVAL);
    expect_maps(mm, "10000000-10004000 rw-p");
    mmput(mm);
}

static void mprotect_stops_at_a_hole_and_keeps_what_it_did(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 2, RW);
    map_at(mm, AT + 3 * P, 2, RW);
    assert_error(do_mprotect(mm, AT + P, 3 * P, PROT_READ), ENOMEM);
    expect_maps(mm, "10000000-10001000 rw-p, 10001000-10002000 r--p, 10003000-10005000 rw-p");
    assert_error(do_mprotect(mm, AT + 2 * P, 2 * P, PROT_READ), ENOMEM);
    expect_maps(mm, "10000000-10001000 rw-p, 10001000-10002000 r--p, 10003000-10005000 rw-p");
    mmput(mm);
}

static void mprotect_growsdown_reaches_down_to_the_start(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    anon(mm, AT, 4 * P, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN);
    assert_int_equal(do_mprotect(mm, AT + 2 * P, P, PROT_READ | PROT_GROWSDOWN), 0);
    expect_maps(mm, "10000000-10003000 r--p, 10003000-10004000 rw-p");
    mmput(mm);
}

static void a_page_of_ones_own_needs_no_fault_after_protection_comes_back(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 3, RW);
    write_byte(mm, AT, 5);
    touch_read(mm, AT + P);
    assert_int_equal(do_mprotect(mm, AT, 3 * P, PROT_READ), 0);
    expect_refused(mm, AT, MMU_WRITE, FAULT_NOT_WRITABLE);
    expect_read(mm, AT, NO_FAULT, 5);
    assert_int_equal(do_mprotect(mm, AT, 3 * P, PROT_NONE), 0);
    expect_refused(mm, AT, MMU_READ, FAULT_NOT_READABLE);
    assert_int_equal(do_mprotect(mm, AT, 3 * P, RW), 0);
    expect_write(mm, AT + 1, NO_FAULT, 6);
    expect_read(mm, AT, NO_FAULT, 5);
    /* The zero frame never becomes writable by itself. */
    expect_read(mm, AT + P, NO_FAULT, 0);
    expect_write(mm, AT + P, FAULT_ZERO_REPLACED, 1);
    expect_write(mm, AT + 2 * P, FAULT_NEW_PAGE, 1);
    mmput(mm);
}

static void a_page_that_fork_shared_still_needs_its_fault(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    write_byte(mm, AT, 5);
    struct mm_struct *child = fork_of(mm);
    assert_int_equal(do_mprotect(mm, AT, P, PROT_READ), 0);
    assert_int_equal(do_mprotect(mm, AT, P, RW), 0);
    mmput(child);
    expect_write(mm, AT, FAULT_COW_REUSED, 6);
    assert_int_equal(do_mprotect(mm, AT, P, PROT_READ), 0);
    assert_int_equal(do_mprotect(mm, AT, P, RW), 0);
    expect_write(mm, AT, NO_FAULT, 7);
    mmput(mm);
}

static void execution_follows_the_protection(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    write_byte(mm, AT, 0xc3);
    expect_refused(mm, AT, MMU_EXECUTE, FAULT_NOT_EXECUTABLE);
    assert_int_equal(do_mprotect(mm, AT, P, PROT_READ | PROT_EXEC), 0);
    assert_true(touch_execute(mm, AT).done);
    assert_int_equal(do_mprotect(mm, AT, P, RW), 0);
    expect_refused(mm, AT, MMU_EXECUTE, FAULT_NOT_EXECUTABLE);
    mmput(mm);
}

/* ---- brk ---- */

static struct mm_struct *mm_with_heap(void)
{
    struct mm_struct *mm = test_mm();
    mm->start_brk = mm->brk = AT;
    return mm;
}

static void brk_grows_and_shrinks_in_pages_and_keeps_the_byte(void **state)
{
    (void)state;
    struct mm_struct *mm = mm_with_heap();

    assert_int_equal(do_brk(mm, 0), AT);
    assert_int_equal(do_brk(mm, AT + 5), AT + 5);
    assert_int_equal(do_brk(mm, 0), AT + 5);
    expect_maps(mm, "10000000-10001000 rw-p");
    user_fill(mm, AT, 3, P);
    assert_int_equal(do_brk(mm, AT + 2 * P + 1), AT + 2 * P + 1);
    user_fill(mm, AT + P, 4, 2 * P);
    assert_int_equal(do_brk(mm, AT + P + 1), AT + P + 1);
    expect_maps(mm, "10000000-10002000 rw-p");
    user_expect(mm, AT, 3, P);
    user_expect(mm, AT + P, 4, P);
    assert_int_equal(do_brk(mm, AT + 3 * P), AT + 3 * P);
    user_expect(mm, AT + 2 * P, 0, P);
    assert_int_equal(do_brk(mm, AT - 1), AT + 3 * P);
    assert_int_equal(do_brk(mm, -1ul), AT + 3 * P);
    assert_int_equal(do_brk(mm, TASK_SIZE + P), AT + 3 * P);
    assert_int_equal(do_brk(mm, AT), AT);
    expect_maps(mm, "");
    mmput(mm);
}

static void brk_keeps_a_page_below_the_next_mapping(void **state)
{
    (void)state;
    struct mm_struct *mm = mm_with_heap();

    map_at(mm, AT + 4 * P, 1, RW);
    assert_int_equal(do_brk(mm, AT + 3 * P), AT + 3 * P);
    assert_int_equal(do_brk(mm, AT + 3 * P + 1), AT + 3 * P);
    assert_int_equal(do_munmap(mm, AT + 4 * P, P), 0);
    anon(mm, AT + 400 * P, P, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN);
    assert_int_equal(do_brk(mm, AT + (400 - 256 - 1) * P), AT + (400 - 256 - 1) * P);
    assert_int_equal(do_brk(mm, AT + (400 - 256) * P), AT + (400 - 256 - 1) * P);
    mmput(mm);
}

static void brk_grows_the_heap_and_not_the_data_below_it(void **state)
{
    (void)state;
    struct mm_struct *mm = mm_with_heap();

    assert_int_equal(vm_brk_flags(mm, AT - P, P, VM_READ | VM_WRITE), 0);
    assert_int_equal(do_brk(mm, AT + P), AT + P);
    assert_int_equal(do_brk(mm, AT + 2 * P), AT + 2 * P);
    expect_maps(mm, "ffff000-10000000 rw-p, 10000000-10002000 rw-p");
    mmput(mm);
}

static void brk_in_a_child_starts_a_mapping_of_its_own(void **state)
{
    (void)state;
    struct mm_struct *mm = mm_with_heap();

    do_brk(mm, AT + P);
    struct mm_struct *untouched = fork_of(mm);
    assert_int_equal(do_brk(untouched, AT + 2 * P), AT + 2 * P);
    expect_maps(untouched, "10000000-10002000 rw-p");
    mmput(untouched);
    write_byte(mm, AT, 1);
    struct mm_struct *child = fork_of(mm);
    assert_int_equal(do_brk(child, AT + 2 * P), AT + 2 * P);
    expect_maps(child, "10000000-10001000 rw-p, 10001000-10002000 rw-p");
    mmput(child);
    mmput(mm);
}

static void brk_shrinks_over_what_the_program_did_to_its_heap(void **state)
{
    (void)state;
    struct mm_struct *mm = mm_with_heap();

    do_brk(mm, AT + 4 * P);
    map_at(mm, AT, 1, PROT_NONE);               /* musl's allocator does this */
    assert_int_equal(do_munmap(mm, AT + 2 * P, P), 0);
    assert_int_equal(do_brk(mm, AT + P), AT + P);
    expect_maps(mm, "10000000-10001000 ---p");
    /* Nothing at all left to unmap is a failure. */
    do_brk(mm, AT + 4 * P);
    assert_int_equal(do_munmap(mm, AT + P, 3 * P), 0);
    assert_int_equal(do_brk(mm, AT + 2 * P), AT + 4 * P);
    mmput(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(munmap_refuses_bad_ranges),
        mm_test(munmap_takes_whole_pages_and_passes_over_holes),
        mm_test(munmap_gives_frames_and_tables_back),
        mm_test(a_table_stays_while_a_neighbour_uses_it),
        mm_test(few_pages_are_flushed_singly_and_many_at_once),
        mm_test(mprotect_refuses_bad_requests),
        mm_test(mprotect_stops_at_a_hole_and_keeps_what_it_did),
        mm_test(mprotect_growsdown_reaches_down_to_the_start),
        mm_test(a_page_of_ones_own_needs_no_fault_after_protection_comes_back),
        mm_test(a_page_that_fork_shared_still_needs_its_fault),
        mm_test(execution_follows_the_protection),
        mm_test(brk_grows_and_shrinks_in_pages_and_keeps_the_byte),
        mm_test(brk_keeps_a_page_below_the_next_mapping),
        mm_test(brk_grows_the_heap_and_not_the_data_below_it),
        mm_test(brk_in_a_child_starts_a_mapping_of_its_own),
        mm_test(brk_shrinks_over_what_the_program_did_to_its_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
