/* madvise, mincore, mlock and relatives, msync: results and effects as on Linux 6.1. */
#include "mm/filemap.h"
#include "mm/vma.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

#define AT 0x10000000ul

/* ---- madvise ---- */

static void madvise_checks_its_arguments_in_linuxs_order(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    assert_error(do_madvise(mm, AT, 0, 5), EINVAL);
    assert_error(do_madvise(mm, AT, P, 102), EINVAL);
    assert_error(do_madvise(mm, AT, P, -1), EINVAL);
    assert_error(do_madvise(mm, AT + 1, P, MADV_NORMAL), EINVAL);
    assert_error(do_madvise(mm, AT, -1ul, MADV_NORMAL), EINVAL);
    assert_error(do_madvise(mm, AT, -P, MADV_NORMAL), EINVAL);
    assert_int_equal(do_madvise(mm, 0x5000000, 0, MADV_DONTNEED), 0);
    assert_error(do_madvise(mm, 0x5000000, P, MADV_DONTNEED), ENOMEM);
    assert_error(do_madvise(mm, AT, P, MADV_HWPOISON), EINVAL);
    mmput(mm);
}

static void advice_without_effect_is_accepted(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    static const int advices[] = {
        MADV_NORMAL, MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT, MADV_FREE, MADV_DOFORK,
        MADV_KEEPONFORK, MADV_DODUMP, MADV_UNMERGEABLE,
    };

    map_at(mm, AT, 4, RW);
    write_byte(mm, AT, 7);
    for (unsigned i = 0; i < ARRAY_SIZE(advices); i++)
        assert_int_equal(do_madvise(mm, AT + P, P, advices[i]), 0);
    expect_maps(mm, "10000000-10004000 rw-p");
    expect_read(mm, AT, NO_FAULT, 7);
    assert_error(do_madvise(mm, AT, P, MADV_COLLAPSE), EINVAL);
    mmput(mm);
}

static void advice_that_is_a_flag_splits_and_merges_again(void **state)
{
    (void)state;
    static const int pairs[][2] = {
        { MADV_SEQUENTIAL, MADV_NORMAL }, { MADV_RANDOM, MADV_NORMAL }, { MADV_DONTFORK, MADV_DOFORK },
        { MADV_WIPEONFORK, MADV_KEEPONFORK }, { MADV_DONTDUMP, MADV_DODUMP },
        { MADV_MERGEABLE, MADV_UNMERGEABLE },
    };
    struct mm_struct *mm = test_mm();

    for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
        map_at(mm, AT, 4, RW);
        assert_int_equal(do_madvise(mm, AT + P, P, pairs[i][0]), 0);
        assert_int_equal(mm->map_count, 3);
        assert_int_equal(do_madvise(mm, AT + P, P, pairs[i][1]), 0);
        assert_int_equal(mm->map_count, 1);
    }
    assert_int_equal(do_madvise(mm, AT, 2 * P, MADV_HUGEPAGE), 0);
    assert_int_equal(mm->map_count, 2);
    assert_int_equal(do_madvise(mm, AT, 4 * P, MADV_NOHUGEPAGE), 0);
    assert_int_equal(mm->map_count, 1);
    mmput(mm);
}

static void dontneed_drops_private_pages_and_keeps_shared_ones(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long shared = anon(mm, 0, 2 * P, RW, MAP_SHARED);
    struct address_space *file = test_file(P);
    unsigned long from_file = map_file(mm, file, 1, RW, MAP_PRIVATE);

    map_at(mm, AT, 2, RW);
    user_fill(mm, AT, 7, 2 * P);
    user_fill(mm, shared, 8, 2 * P);
    write_byte(mm, from_file, 99);
    assert_int_equal(do_madvise(mm, AT, P, MADV_DONTNEED), 0);
    assert_int_equal(do_madvise(mm, shared, 2 * P, MADV_DONTNEED), 0);
    assert_int_equal(do_madvise(mm, from_file, P, MADV_DONTNEED), 0);
    expect_read(mm, AT, FAULT_ZERO_PAGE, 0);
    expect_read(mm, AT + P, NO_FAULT, 7);
    expect_read(mm, shared, FAULT_SHARED_MAPPED, 8);
    expect_read(mm, from_file, FAULT_FILE_MAPPED, test_file_byte(0));
    /* A page that nobody may touch is dropped all the same. */
    assert_int_equal(do_mprotect(mm, AT, 2 * P, PROT_NONE), 0);
    assert_int_equal(do_madvise(mm, AT, 2 * P, MADV_DONTNEED), 0);
    assert_int_equal(mm->rss[MM_ANONPAGES], 0);
    mmput(mm);
    mapping_put(file);
}

static void a_hole_is_reported_and_passed_over(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    map_at(mm, AT + 2 * P, 1, RW);
    write_byte(mm, AT, 1);
    write_byte(mm, AT + 2 * P, 1);
    assert_error(do_madvise(mm, AT - P, 5 * P, MADV_DONTNEED), ENOMEM);
    assert_int_equal(mm->rss[MM_ANONPAGES], 0);
    assert_error(do_madvise(mm, AT, 3 * P, MADV_SEQUENTIAL), ENOMEM);
    assert_true(mm->mmap->vm_flags & VM_SEQ_READ);
    assert_true(mm->mmap->vm_next->vm_flags & VM_SEQ_READ);
    mmput(mm);
}

static void locked_memory_refuses_to_be_dropped(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 2, RW);
    assert_int_equal(do_mlock(mm, AT + P, P, false), 0);
    write_byte(mm, AT, 1);
    assert_error(do_madvise(mm, AT, 2 * P, MADV_DONTNEED), EINVAL);
    expect_read(mm, AT, FAULT_ZERO_PAGE, 0);    /* what lies before has been dropped */
    assert_error(do_madvise(mm, AT + P, P, MADV_FREE), EINVAL);
    assert_error(do_madvise(mm, AT + P, P, MADV_COLD), EINVAL);
    assert_error(do_madvise(mm, AT + P, P, MADV_PAGEOUT), EINVAL);
    write_byte(mm, AT + P, 5);
    assert_int_equal(do_madvise(mm, AT + P, P, MADV_DONTNEED_LOCKED), 0);
    expect_read(mm, AT + P, FAULT_ZERO_PAGE, 0);
    mmput(mm);
}

static void remove_punches_a_hole_into_shared_memory(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = anon(mm, AT, 3 * P, RW, MAP_SHARED | MAP_FIXED);

    user_fill(mm, at, 5, 3 * P);
    struct mm_struct *other = fork_of(mm);
    assert_int_equal(user_byte(other, at + P), 5);
    mmu_load(mm);
    assert_int_equal(do_madvise(mm, at + P, P, MADV_REMOVE), 0);
    assert_int_equal(user_byte(mm, at + P), 0);
    assert_int_equal(user_byte(other, at + P), 0);
    assert_int_equal(user_byte(mm, at), 5);
    assert_int_equal(user_byte(other, at + 2 * P), 5);
    mmu_load(mm);
    map_at(mm, AT + MIB, 1, RW);
    assert_error(do_madvise(mm, AT + MIB, P, MADV_REMOVE), EINVAL);
    assert_int_equal(do_mprotect(mm, at, P, PROT_READ), 0);
    assert_int_equal(do_madvise(mm, at, P, MADV_REMOVE), 0);
    find_vma(mm, at)->vm_flags &= ~VM_MAYWRITE;     /* as if the descriptor had been read-only */
    assert_error(do_madvise(mm, at, P, MADV_REMOVE), EACCES);
    assert_error(do_madvise(mm, at, P, MADV_FREE), EINVAL);
    assert_error(do_madvise(mm, at, P, MADV_WIPEONFORK), EINVAL);
    mmput(other);
    mmput(mm);
}

static void populate_advice_faults_pages_in(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    assert_int_equal(do_madvise(mm, AT, 2 * P, MADV_POPULATE_READ), 0);
    assert_int_equal(mm->rss[MM_ANONPAGES], 0);
    expect_read(mm, AT + P, NO_FAULT, 0);
    assert_int_equal(do_madvise(mm, AT, 3 * P, MADV_POPULATE_WRITE), 0);
    assert_int_equal(mm->rss[MM_ANONPAGES], 3);
    expect_write(mm, AT, NO_FAULT, 1);
    assert_error(do_madvise(mm, AT, 5 * P, MADV_POPULATE_READ), ENOMEM);
    map_at(mm, AT + 8 * P, 1, PROT_READ);
    assert_error(do_madvise(mm, AT + 8 * P, P, MADV_POPULATE_WRITE), EINVAL);
    map_at(mm, AT + 8 * P, 1, PROT_EXEC);
    assert_error(do_madvise(mm, AT + 8 * P, P, MADV_POPULATE_READ), EINVAL);
    struct address_space *file = test_file(P);
    unsigned long beyond = map_file(mm, file, 2, PROT_READ, MAP_PRIVATE);
    assert_error(do_madvise(mm, beyond, 2 * P, MADV_POPULATE_READ), EFAULT);
    mmput(mm);
    mapping_put(file);
}

/* ---- mincore ---- */

static void mincore_sees_what_is_resident(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long vector = map_at(mm, 0x20000000, 1, RW);
    struct address_space *file = test_file(P);

    map_at(mm, AT, 4, RW);
    touch_read(mm, AT);
    write_byte(mm, AT + P, 1);
    write_byte(mm, AT + 2 * P, 1);
    do_mprotect(mm, AT + 2 * P, P, PROT_NONE);
    assert_int_equal(do_mincore(mm, AT, 4 * P, vector), 0);
    assert_int_equal(user_byte(mm, vector), 1);
    assert_int_equal(user_byte(mm, vector + 1), 1);
    assert_int_equal(user_byte(mm, vector + 2), 1);
    assert_int_equal(user_byte(mm, vector + 3), 0);
    do_madvise(mm, AT, 4 * P, MADV_DONTNEED);
    assert_int_equal(do_mincore(mm, AT, 4 * P, vector), 0);
    user_expect(mm, vector, 0, 4);
    /*
     * A shared page that another mapping touched is in the object, and an archive file is all
     * there, up to its end.
     */
    unsigned long shared = anon(mm, 0, 2 * P, RW, MAP_SHARED);
    write_byte(mm, shared, 1);
    unsigned long alias = do_mremap(mm, shared, 0, 2 * P, MREMAP_MAYMOVE, 0);
    assert_int_equal(do_mincore(mm, alias, 2 * P, vector), 0);
    assert_int_equal(user_byte(mm, vector) * 2 + user_byte(mm, vector + 1), 2);
    unsigned long from_file = map_file(mm, file, 2, PROT_READ, MAP_PRIVATE);
    assert_int_equal(do_mincore(mm, from_file, 2 * P, vector), 0);
    assert_int_equal(user_byte(mm, vector) * 2 + user_byte(mm, vector + 1), 2);
    mmput(mm);
    mapping_put(file);
}

static void mincore_checks_its_arguments(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long vector = map_at(mm, 0x20000000, 1, RW);

    map_at(mm, AT, 600, RW);
    write_byte(mm, AT + 599 * P, 1);
    assert_error(do_mincore(mm, AT + 1, P, vector), EINVAL);
    assert_error(do_mincore(mm, AT, 601 * P, vector), ENOMEM);
    assert_error(do_mincore(mm, PAGE_OFFSET, P, vector), ENOMEM);
    assert_error(do_mincore(mm, AT, -1ul, vector), ENOMEM);
    assert_error(do_mincore(mm, AT, P, PAGE_OFFSET), EFAULT);
    assert_error(do_mincore(mm, AT, P, 0x30000000), EFAULT);
    assert_int_equal(do_mincore(mm, 0x5000000, 0, 0), 0);
    assert_int_equal(do_mincore(mm, AT, 600 * P, vector), 0);
    user_expect(mm, vector, 0, 599);
    assert_int_equal(user_byte(mm, vector + 599), 1);
    do_mprotect(mm, vector, P, PROT_READ);
    assert_error(do_mincore(mm, AT, P, vector), EFAULT);
    mmput(mm);
}

/* ---- mlock ---- */

static void mlock_makes_resident_and_rounds_outward(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    assert_int_equal(do_mlock(mm, AT + P + 100, P, false), 0);
    expect_maps(mm, "10000000-10001000 rw-p, 10001000-10003000 rw-pl, 10003000-10004000 rw-p");
    assert_int_equal(mm->rss[MM_ANONPAGES], 2);
    assert_int_equal(mm->locked_vm, 2);
    assert_int_equal(do_mlock(mm, AT, 4 * P, false), 0);
    assert_int_equal(mm->locked_vm, 4);
    assert_int_equal(do_munlock(mm, AT, 4 * P), 0);
    expect_maps(mm, "10000000-10004000 rw-p");
    assert_int_equal(mm->locked_vm, 0);
    assert_int_equal(do_mlock(mm, AT, 0, false), 0);
    assert_int_equal(do_mlock(mm, AT, -1ul, false), 0);
    assert_error(do_mlock(mm, AT, 5 * P, false), ENOMEM);
    assert_int_equal(mm->locked_vm, 4);         /* what lies before the hole is locked */
    map_at(mm, AT + MIB, 1, PROT_NONE);
    assert_error(do_mlock(mm, AT + MIB, P, false), ENOMEM);
    assert_error(do_munlock(mm, AT, 5 * P), ENOMEM);
    mmput(mm);
}

static void mlock_on_fault_waits_for_the_touch(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 2, RW);
    assert_int_equal(do_mlock(mm, AT, 2 * P, true), 0);
    assert_int_equal(mm->locked_vm, 2);
    assert_int_equal(mm->rss[MM_ANONPAGES], 0);
    expect_write(mm, AT, FAULT_NEW_PAGE, 1);
    mmput(mm);
}

static void mlockall_covers_now_and_later(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    mm->start_brk = mm->brk = 0x500000;
    map_at(mm, AT, 2, RW);
    map_at(mm, AT + MIB, 1, PROT_NONE);
    assert_error(do_mlockall(mm, 0), EINVAL);
    assert_error(do_mlockall(mm, 8), EINVAL);
    assert_error(do_mlockall(mm, MCL_ONFAULT), EINVAL);
    assert_int_equal(do_mlockall(mm, MCL_CURRENT), 0);
    assert_int_equal(mm->rss[MM_ANONPAGES], 2);
    assert_int_equal(mm->locked_vm, 3);
    unsigned long later = map_anonymous(mm, 1, RW);
    assert_int_equal(mm->locked_vm, 3);
    assert_int_equal(do_mlockall(mm, MCL_FUTURE), 0);
    assert_int_equal(mm->locked_vm, 3);
    later = map_anonymous(mm, 3, PROT_READ | PROT_EXEC);
    expect_read(mm, later, NO_FAULT, 0);
    assert_int_equal(do_brk(mm, 0x500000 + 2 * P), 0x500000 + 2 * P);
    assert_int_equal(mm->rss[MM_ANONPAGES], 4);
    assert_int_equal(mm->locked_vm, 8);
    assert_int_equal(do_munlockall(mm), 0);
    assert_int_equal(mm->locked_vm, 0);
    assert_int_equal(mm->def_flags, 0);
    mmput(mm);
}

static void what_is_locked_and_becomes_writable_gets_its_pages(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 2, PROT_READ);
    assert_int_equal(do_mlock(mm, AT, 2 * P, false), 0);
    assert_int_equal(mm->rss[MM_ANONPAGES], 0);
    assert_int_equal(do_mprotect(mm, AT, 2 * P, RW), 0);
    assert_int_equal(mm->rss[MM_ANONPAGES], 2);
    mmput(mm);
}

static void a_child_inherits_no_lock(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 2, RW);
    assert_int_equal(do_mlockall(mm, MCL_CURRENT | MCL_FUTURE), 0);
    struct mm_struct *child = fork_of(mm);
    expect_maps(child, "10000000-10002000 rw-p");
    assert_int_equal(child->locked_vm, 0);
    assert_int_equal(child->def_flags, 0);
    mmput(child);
    mmput(mm);
}

/* ---- msync ---- */

static void msync_checks_flags_holes_and_locks(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    map_at(mm, AT + 2 * P, 1, RW);
    assert_int_equal(do_msync(mm, AT, P, MS_SYNC), 0);
    assert_int_equal(do_msync(mm, AT, P, 0), 0);
    assert_int_equal(do_msync(mm, 0x5000000, 0, MS_SYNC), 0);
    assert_error(do_msync(mm, AT, P, 8), EINVAL);
    assert_error(do_msync(mm, AT, P, MS_SYNC | MS_ASYNC), EINVAL);
    assert_error(do_msync(mm, AT + 1, P, MS_SYNC), EINVAL);
    assert_error(do_msync(mm, AT, -P, MS_SYNC), ENOMEM);
    assert_error(do_msync(mm, AT, 3 * P, MS_SYNC), ENOMEM);
    assert_error(do_msync(mm, AT, 2 * P, MS_SYNC), ENOMEM);
    assert_error(do_msync(mm, AT + P, P, MS_ASYNC), ENOMEM);
    assert_int_equal(do_mlock(mm, AT + 2 * P, P, false), 0);
    assert_error(do_msync(mm, AT, 3 * P, MS_INVALIDATE), EBUSY);
    assert_error(do_msync(mm, AT, 3 * P, MS_ASYNC), ENOMEM);
    mmput(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(madvise_checks_its_arguments_in_linuxs_order),
        mm_test(advice_without_effect_is_accepted),
        mm_test(advice_that_is_a_flag_splits_and_merges_again),
        mm_test(dontneed_drops_private_pages_and_keeps_shared_ones),
        mm_test(a_hole_is_reported_and_passed_over),
        mm_test(locked_memory_refuses_to_be_dropped),
        mm_test(remove_punches_a_hole_into_shared_memory),
        mm_test(populate_advice_faults_pages_in),
        mm_test(mincore_sees_what_is_resident),
        mm_test(mincore_checks_its_arguments),
        mm_test(mlock_makes_resident_and_rounds_outward),
        mm_test(mlock_on_fault_waits_for_the_touch),
        mm_test(mlockall_covers_now_and_later),
        mm_test(what_is_locked_and_becomes_writable_gets_its_pages),
        mm_test(a_child_inherits_no_lock),
        mm_test(msync_checks_flags_holes_and_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
