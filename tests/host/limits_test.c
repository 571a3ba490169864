/* Resource limits, the map count limit, and the three overcommit modes. */
#include "mm/limits.h"
#include "tests/host/calls.h"

#define AT 0x10000000ul
#define NO_LIMIT (~0ul)

static int limits_setup(void **state)
{
    vm_committed = 0;
    return mm_setup(state);
}

static int limits_teardown(void **state)
{
    sysctl_max_map_count = SYSCTL_MAX_MAP_COUNT_DEFAULT;
    sysctl_overcommit_memory = OVERCOMMIT_GUESS;
    sysctl_overcommit_ratio = 50;
    assert_int_equal(vm_committed, 0);
    return mm_teardown(state);
}
#define limits_test(function) cmocka_unit_test_setup_teardown(function, limits_setup, limits_teardown)

static void rlimit_as_bounds_everything(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    mm->start_brk = mm->brk = 0x500000;
    mm->limits.as = 10 * P;
    map_at(mm, AT, 10, PROT_NONE);
    assert_error(anon(mm, 0, P, PROT_NONE, MAP_PRIVATE), ENOMEM);
    assert_error(anon(mm, 0, P, PROT_READ, MAP_SHARED), ENOMEM);
    assert_int_equal(do_brk(mm, 0x501000), 0x500000);
    assert_error(do_mremap(mm, AT, 10 * P, 11 * P, MREMAP_MAYMOVE, 0), ENOMEM);
    map_at(mm, AT, 10, RW);
    map_at(mm, AT + 5 * P, 5, PROT_READ);
    assert_error(anon(mm, AT + 5 * P, 6 * P, RW, MAP_PRIVATE | MAP_FIXED), ENOMEM);
    expect_maps(mm, "10000000-10005000 rw-p, 10005000-1000a000 r--p");
    mmput(mm);
}

static void rlimit_data_bounds_private_writable_memory(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    mm->start_brk = mm->brk = 0x500000;
    mm->limits.data = 4 * P;
    map_at(mm, AT, 4, RW);
    assert_error(anon(mm, 0, P, RW, MAP_PRIVATE), ENOMEM);
    unsigned long none = map_anonymous(mm, 1, PROT_NONE);
    map_anonymous(mm, 1, PROT_READ);
    assert_false(IS_ERR_VALUE(anon(mm, 0, P, RW, MAP_SHARED)));
    assert_false(IS_ERR_VALUE(anon(mm, 0, P, RW, MAP_PRIVATE | MAP_GROWSDOWN)));
    assert_error(do_mprotect(mm, none, P, RW), ENOMEM);
    assert_int_equal(do_brk(mm, 0x501000), 0x500000);
    /* A soft limit of 0 under an infinite hard one only bounds the break. */
    mm->limits.data = 0;
    assert_false(IS_ERR_VALUE(anon(mm, 0, P, RW, MAP_PRIVATE)));
    mm->limits.data_hard = 4 * P;
    assert_error(anon(mm, 0, P, RW, MAP_PRIVATE), ENOMEM);
    assert_int_equal(do_brk(mm, 0x501000), 0x500000);
    mmput(mm);
}

static void mlock_of_a_range_that_wraps_is_beyond_the_limit_first(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    map_at(mm, AT, 8, RW);

    assert_int_equal(do_mlock(mm, AT, 8 * P, true), 0);
    /* What lies behind the range's end, below its start, was once taken for locked already. */
    assert_error(do_mlock(mm, AT + 4 * P, -P, false), ENOMEM);
    mm->may_lock_beyond_limit = true;
    assert_error(do_mlock(mm, AT + 4 * P, -P, false), EINVAL);
    mmput(mm);
}

static void rlimit_memlock_bounds_what_is_locked(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    mm->limits.memlock = 2 * P;
    map_at(mm, AT, 4, RW);
    assert_int_equal(do_mlock(mm, AT, 2 * P, false), 0);
    assert_error(do_mlock(mm, AT + 2 * P, P, false), ENOMEM);
    assert_int_equal(do_mlock(mm, AT, P, false), 0);            /* locked already: not counted twice */
    assert_error(anon(mm, 0, P, RW, MAP_PRIVATE | MAP_LOCKED), EAGAIN);
    assert_error(do_mremap(mm, AT, 2 * P, 3 * P, MREMAP_MAYMOVE, 0), EAGAIN);
    assert_error(do_mlockall(mm, MCL_CURRENT), ENOMEM);
    assert_int_equal(do_munlock(mm, AT, 2 * P), 0);
    unsigned long locked = anon(mm, 0, P, RW, MAP_PRIVATE | MAP_LOCKED);
    expect_write(mm, locked, NO_FAULT, 1);
    mm->limits.memlock = 0;
    assert_error(anon(mm, 0, P, RW, MAP_PRIVATE | MAP_LOCKED), EPERM);
    assert_error(do_mlock(mm, AT, P, false), EPERM);
    assert_error(do_mlockall(mm, MCL_CURRENT), EPERM);
    mm->may_lock_beyond_limit = true;
    assert_int_equal(do_mlock(mm, AT, 4 * P, false), 0);
    mmput(mm);
}

static void a_growing_stack_obeys_every_limit(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = anon(mm, 0x20000000, P, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN);

    mm->limits.stack = 4 * P;
    expect_write(mm, at - 3 * P, FAULT_NEW_PAGE, 1);
    expect_refused(mm, at - 3 * P - 1, MMU_WRITE, FAULT_BELOW_STACK);
    mm->limits.stack = NO_LIMIT;
    mm->limits.as = 4 * P;
    expect_refused(mm, at - 3 * P - 1, MMU_WRITE, FAULT_BELOW_STACK);
    mm->limits.as = NO_LIMIT;
    assert_int_equal(do_mlock(mm, at, P, false), 0);
    expect_write(mm, at - 3 * P - 1, FAULT_NEW_PAGE, 1);
    sysctl_overcommit_memory = OVERCOMMIT_NEVER;
    sysctl_overcommit_ratio = 0;
    expect_refused(mm, at - 4 * P - 1, MMU_WRITE, FAULT_BELOW_STACK);
    mmput(mm);
}

static void the_map_count_limit_refuses_new_maps_and_splits(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    sysctl_max_map_count = 3;
    for (unsigned i = 0; i < 4; i++)
        map_at(mm, AT + i * 10 * P, 4, RW);
    assert_int_equal(mm->map_count, 4);         /* mmap fails only above the limit */
    assert_error(anon(mm, 0, P, RW, MAP_PRIVATE), ENOMEM);
    assert_error(do_munmap(mm, AT + P, P), ENOMEM);
    assert_error(do_mprotect(mm, AT + P, P, PROT_READ), ENOMEM);
    assert_error(do_mprotect(mm, AT, P, PROT_READ), ENOMEM);
    assert_error(do_madvise(mm, AT, P, MADV_DONTFORK), EAGAIN);
    assert_error(do_mlock(mm, AT, P, false), ENOMEM);
    assert_error(do_mremap(mm, AT, P, 2 * P, MREMAP_MAYMOVE, 0), ENOMEM);
    assert_int_equal(do_munmap(mm, AT, P), 0);  /* trimming an end is fine */
    assert_int_equal(do_munmap(mm, AT + 3 * P, P), 0);
    expect_maps(mm, "10001000-10003000 rw-p, 1000a000-1000e000 rw-p, 10014000-10018000 rw-p, "
                    "1001e000-10022000 rw-p");
    assert_int_equal(do_munmap(mm, AT + 30 * P, 4 * P), 0);
    assert_error(do_munmap(mm, AT + 11 * P, P), ENOMEM);
    assert_int_equal(do_munmap(mm, AT + 20 * P, 4 * P), 0);
    assert_int_equal(do_munmap(mm, AT + 11 * P, P), 0);
    mmput(mm);
}

static void a_second_split_refused_by_the_limit_leaves_the_first(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    sysctl_max_map_count = 2;
    map_at(mm, AT, 4, RW);
    assert_error(do_mprotect(mm, AT + P, P, PROT_READ), ENOMEM);
    expect_maps(mm, "10000000-10001000 rw-p, 10001000-10004000 rw-p");  /* as Linux 6.1 shows it */
    user_fill(mm, AT, 1, 4 * P);
    mmput(mm);
}

static void overcommit_guess_refuses_only_what_can_never_be(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long total = total_frames * P;

    assert_error(anon(mm, 0, total + P, RW, MAP_PRIVATE), ENOMEM);
    assert_error(anon(mm, 0, total + P, RW, MAP_SHARED), ENOMEM);
    assert_false(IS_ERR_VALUE(anon(mm, 0, total + P, PROT_READ, MAP_PRIVATE)));
    assert_false(IS_ERR_VALUE(anon(mm, 0, total + P, RW, MAP_PRIVATE | MAP_NORESERVE)));
    assert_false(IS_ERR_VALUE(anon(mm, 0, total + P, RW, MAP_SHARED | MAP_NORESERVE)));
    for (unsigned i = 0; i < 5; i++)
        assert_false(IS_ERR_VALUE(anon(mm, 0, total, RW, MAP_PRIVATE)));
    assert_int_equal(vm_committed, 5 * total_frames);
    mmput(mm);
}

static void overcommit_always_refuses_nothing(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    sysctl_overcommit_memory = OVERCOMMIT_ALWAYS;
    assert_false(IS_ERR_VALUE(anon(mm, 0, 1ul << 46, RW, MAP_PRIVATE)));
    mmput(mm);
}

static void overcommit_never_counts_every_promise(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    sysctl_overcommit_memory = OVERCOMMIT_NEVER;
    assert_int_equal(vm_commit_limit(), total_frames / 2);
    unsigned long part = total_frames / 8 * P;
    unsigned long at = map_at(mm, AT, part / P, RW);
    map_at(mm, AT + part, part / P, RW);
    map_at(mm, AT + 2 * part, part / P, RW);
    assert_error(anon(mm, 0, part, RW, MAP_PRIVATE), ENOMEM);
    assert_error(anon(mm, 0, part, RW, MAP_PRIVATE | MAP_NORESERVE), ENOMEM);
    assert_error(anon(mm, 0, part, RW, MAP_SHARED), ENOMEM);
    unsigned long read_only = map_at(mm, AT + GIB, part / P, PROT_READ);
    assert_error(do_mprotect(mm, read_only, part, RW), ENOMEM);
    assert_error(do_mremap(mm, AT + 2 * part, part, 2 * part, MREMAP_MAYMOVE, 0), ENOMEM);
    struct mm_struct *child = mm_alloc(&mm->limits);
    assert_error(dup_mmap(child, mm), ENOMEM);
    mmput(child);
    assert_int_equal(do_munmap(mm, at, part), 0);
    assert_int_equal(do_mprotect(mm, read_only, part, RW), 0);
    /* Once counted it stays counted, even when it may no longer be written. */
    assert_int_equal(do_mprotect(mm, read_only, part, PROT_READ), 0);
    assert_int_equal(vm_committed, 3 * part / P);
    mmput(mm);
}

static void shared_memory_is_counted_until_its_last_user_goes(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    anon(mm, AT, 100 * P, RW, MAP_SHARED | MAP_FIXED);
    assert_int_equal(vm_committed, 100);
    struct mm_struct *child = fork_of(mm);
    assert_int_equal(vm_committed, 100);
    mmu_load(child);
    mmput(mm);
    assert_int_equal(vm_committed, 100);
    assert_int_equal(do_munmap(child, AT, 99 * P), 0);
    assert_int_equal(vm_committed, 100);
    mmput(child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        limits_test(rlimit_as_bounds_everything),
        limits_test(rlimit_data_bounds_private_writable_memory),
        limits_test(rlimit_memlock_bounds_what_is_locked),
        limits_test(mlock_of_a_range_that_wraps_is_beyond_the_limit_first),
        limits_test(a_growing_stack_obeys_every_limit),
        limits_test(the_map_count_limit_refuses_new_maps_and_splits),
        limits_test(a_second_split_refused_by_the_limit_leaves_the_first),
        limits_test(overcommit_guess_refuses_only_what_can_never_be),
        limits_test(overcommit_always_refuses_nothing),
        limits_test(overcommit_never_counts_every_promise),
        limits_test(shared_memory_is_counted_until_its_last_user_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
