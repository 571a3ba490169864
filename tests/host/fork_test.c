/*
 * fork: what the child shares, what it finds again, what it must not have; and how many faults each
 * write costs.
 */
#include "mm/filemap.h"
#include "mm/limits.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

#define AT 0x10000000ul
#define FAILURES 7      /* two VMAs, three tables for the first and two for the second */

static void written_pages_are_shared_until_one_side_writes(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 3, RW);
    user_fill(mm, AT, 5, 2 * P);
    unsigned long frames = frame_counts[PAGE_ANON];
    struct mm_struct *child = fork_of(mm);
    assert_int_equal(frame_counts[PAGE_ANON], frames);
    assert_int_equal(child->rss[MM_ANONPAGES], 2);
    assert_false(pte_page(entry_at(mm, AT))->flags & PG_ANON_EXCLUSIVE);
    assert_false(entry_at(child, AT).value & PTE_ACCESSED);     /* by the child: not yet */
    assert_true(entry_at(mm, AT).value & PTE_ACCESSED);
    expect_write(mm, AT, FAULT_COW_COPIED, 6);
    expect_read(child, AT, NO_FAULT, 5);
    expect_write(child, AT, FAULT_COW_REUSED, 7);
    expect_write(child, AT + P, FAULT_COW_COPIED, 8);
    expect_read(mm, AT + P, NO_FAULT, 5);
    expect_write(mm, AT + P, FAULT_COW_REUSED, 9);
    expect_write(mm, AT + 2 * P, FAULT_NEW_PAGE, 1);
    expect_write(child, AT + 2 * P, FAULT_NEW_PAGE, 2);
    assert_int_equal(user_byte(mm, AT + 2 * P), 1);
    mmput(child);
    mmput(mm);
}

static void the_parents_old_translations_are_flushed(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    write_byte(mm, AT, 1);
    unsigned long loads = mmu_cr3_loads;
    struct mm_struct *child = fork_of(mm);
    assert_int_equal(mmu_cr3_loads, loads + 1);
    /* A write through a stale translation would show in the child. */
    expect_write(mm, AT, FAULT_COW_COPIED, 2);
    assert_int_equal(user_byte(child, AT), 1);
    mmput(child);
    mmput(mm);
}

/* A fork that fails has shared something before: those entries are read-only now. */
static void a_fork_that_fails_flushes_as_well(void **state)
{
    (void)state;
    for (unsigned long fail = 1; fail <= FAILURES; fail++) {
        struct mm_struct *mm = test_mm(), *child = mm_alloc(&mm->limits);

        map_at(mm, AT, 1, RW);
        map_at(mm, AT + GIB + P, 1, RW);
        write_byte(mm, AT, 1);
        write_byte(mm, AT + GIB + P, 2);
        fail_allocation_countdown = fail;
        assert_int_equal(dup_mmap(child, mm), -ENOMEM);
        assert_null(mmu_tlb_audit());
        mmput(child);
        mmput(mm);
    }
}

static void a_copy_that_no_fault_made_is_flushed_as_well(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    write_byte(mm, AT, 1);
    struct mm_struct *child = fork_of(mm);
    expect_read(mm, AT, NO_FAULT, 1);           /* remembers the shared frame */
    assert_int_equal(do_madvise(mm, AT, P, MADV_POPULATE_WRITE), 0);
    expect_read(mm, AT, NO_FAULT, 1);           /* through the old frame's translation? */
    assert_int_equal(mmu_stale_uses, 0);
    mmput(child);
    mmput(mm);
}

static void memory_without_a_page_of_its_own_is_not_copied(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(4 * P);

    map_at(mm, AT, 4, RW);
    touch_read(mm, AT);
    unsigned long plain = map_file(mm, file, 2, RW, MAP_PRIVATE);
    touch_read(mm, plain);
    unsigned long written = map_file(mm, file, 4, RW, MAP_PRIVATE);
    touch_read(mm, written);
    write_byte(mm, written, 9);
    unsigned long shared = anon(mm, 0, 2 * P, RW, MAP_SHARED);
    write_byte(mm, shared, 3);

    struct mm_struct *child = fork_of(mm);
    assert_int_equal(child->rss[MM_ANONPAGES], 1);
    assert_int_equal(child->rss[MM_FILEPAGES], 3);      /* of the file that is written in one of its four pages */
    /* Only read: no entries, the child faults anew. */
    assert_true(pte_none(entry_at(child, AT)));
    assert_true(pte_none(entry_at(child, plain)));
    assert_true(pte_none(entry_at(child, shared)));
    expect_read(child, AT, FAULT_ZERO_PAGE, 0);
    expect_read(child, plain, FAULT_FILE_MAPPED, test_file_byte(0));
    expect_read(child, shared, FAULT_SHARED_MAPPED, 3);
    /* Where there is one page of its own, everything is copied, the file's pages too. */
    expect_read(child, written, NO_FAULT, 9);
    expect_read(child, written + P, NO_FAULT, test_file_byte(P));
    mmput(child);
    mmput(mm);
    mapping_put(file);
}

static void a_zero_entry_is_copied_without_a_reference(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 2, RW);
    write_byte(mm, AT, 1);
    touch_read(mm, AT + P);
    int users = page_count(pfn_to_page(zero_pfn));
    struct mm_struct *child = fork_of(mm);
    assert_int_equal(pte_pfn(entry_at(child, AT + P)), zero_pfn);
    assert_int_equal(page_count(pfn_to_page(zero_pfn)), users);
    assert_int_equal(child->rss[MM_ANONPAGES], 1);
    expect_read(child, AT + P, NO_FAULT, 0);
    expect_write(child, AT + P, FAULT_ZERO_REPLACED, 1);
    expect_read(mm, AT + P, NO_FAULT, 0);
    mmput(child);
    mmput(mm);
}

static void pages_that_nobody_may_touch_are_shared_like_others(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    write_byte(mm, AT, 4);
    assert_int_equal(do_mprotect(mm, AT, P, PROT_NONE), 0);
    struct mm_struct *child = fork_of(mm);
    expect_refused(child, AT, MMU_READ, FAULT_NOT_READABLE);
    assert_int_equal(do_mprotect(child, AT, P, RW), 0);
    expect_read(child, AT, NO_FAULT, 4);
    expect_write(child, AT, FAULT_COW_COPIED, 5);
    mmu_load(mm);
    assert_int_equal(do_mprotect(mm, AT, P, RW), 0);
    expect_read(mm, AT, NO_FAULT, 4);
    mmput(child);
    mmput(mm);
}

static void advice_decides_what_a_child_gets(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 3, RW);
    user_fill(mm, AT, 7, 3 * P);
    assert_int_equal(do_madvise(mm, AT, P, MADV_WIPEONFORK), 0);
    assert_int_equal(do_madvise(mm, AT + P, P, MADV_DONTFORK), 0);
    struct mm_struct *child = fork_of(mm);
    expect_maps(child, "10000000-10001000 rw-p, 10002000-10003000 rw-p");
    expect_read(child, AT, FAULT_ZERO_PAGE, 0);
    expect_refused(child, AT + P, MMU_READ, FAULT_NO_MAPPING);
    expect_read(child, AT + 2 * P, NO_FAULT, 7);
    expect_read(mm, AT, NO_FAULT, 7);
    /* The wish to be wiped is inherited. */
    write_byte(child, AT, 1);
    struct mm_struct *grandchild = fork_of(child);
    expect_read(grandchild, AT, FAULT_ZERO_PAGE, 0);
    mmput(grandchild);
    mmput(child);
    mmput(mm);
}

static void the_childs_promises_are_counted_like_the_parents(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    mm->start_brk = mm->brk = 0x500000;
    do_brk(mm, 0x503000);
    map_at(mm, AT, 5, RW);
    map_at(mm, AT + MIB, 2, PROT_READ | PROT_EXEC);
    unsigned long committed = vm_committed;
    struct mm_struct *child = fork_of(mm);
    assert_int_equal(vm_committed, 2 * committed);
    assert_int_equal(child->total_vm, mm->total_vm);
    assert_int_equal(child->exec_vm, 2);
    assert_int_equal(child->brk, 0x503000);
    assert_int_equal(do_brk(child, 0x504000), 0x504000);
    mmput(child);
    assert_int_equal(vm_committed, committed);
    mmput(mm);
    assert_int_equal(vm_committed, 0);
}

static void many_generations_leave_nothing_behind(void **state)
{
    (void)state;
    struct mm_struct *generations[12];
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 8, RW);
    user_fill(mm, AT, 1, 8 * P);
    for (unsigned i = 0; i < ARRAY_SIZE(generations); i++) {
        generations[i] = fork_of(i ? generations[i - 1] : mm);
        write_byte(generations[i], AT + (i % 8) * P, (u8)(i + 10));
    }
    assert_int_equal(user_byte(generations[11], AT + 3 * P), 21);
    assert_int_equal(user_byte(generations[10], AT + 3 * P), 13);
    assert_int_equal(user_byte(mm, AT + 3 * P), 1);
    mmput(mm);
    for (unsigned i = 0; i < ARRAY_SIZE(generations); i += 2)
        mmput(generations[i]);
    assert_int_equal(user_byte(generations[11], AT + 3 * P), 21);
    for (unsigned i = 1; i < ARRAY_SIZE(generations); i += 2)
        mmput(generations[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(written_pages_are_shared_until_one_side_writes),
        mm_test(the_parents_old_translations_are_flushed),
        mm_test(a_fork_that_fails_flushes_as_well),
        mm_test(a_copy_that_no_fault_made_is_flushed_as_well),
        mm_test(memory_without_a_page_of_its_own_is_not_copied),
        mm_test(a_zero_entry_is_copied_without_a_reference),
        mm_test(pages_that_nobody_may_touch_are_shared_like_others),
        mm_test(advice_decides_what_a_child_gets),
        mm_test(the_childs_promises_are_counted_like_the_parents),
        mm_test(many_generations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
