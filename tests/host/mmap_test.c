/*
 * mmap: where mappings go, what is refused with which error, and that not one frame is allocated.
 * Each case was seen on Linux 6.1.
 */
#include "mm/filemap.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

#define PRIVATE MAP_PRIVATE

static void impossible_lengths_are_refused(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    assert_error(anon(mm, 0, 0, RW, PRIVATE), EINVAL);
    assert_error(anon(mm, 0, -1ul, RW, PRIVATE), ENOMEM);
    assert_error(anon(mm, 0, -4096ul, RW, PRIVATE), ENOMEM);
    assert_error(anon(mm, 0, 1ul << 47, RW, PRIVATE), ENOMEM);
    assert_error(anon(mm, 0, TASK_SIZE, RW, PRIVATE), ENOMEM);
    assert_error(anon(mm, 0, 64ul << 40, RW, PRIVATE), ENOMEM);
    assert_false(IS_ERR_VALUE(anon(mm, 0, 64ul << 40, RW, PRIVATE | MAP_NORESERVE)));
    assert_error(do_mmap(mm, NULL, 0, P, RW, PRIVATE | MAP_ANONYMOUS, 1), EINVAL);
    assert_false(IS_ERR_VALUE(do_mmap(mm, NULL, 0, P, RW, PRIVATE | MAP_ANONYMOUS, P)));
    assert_false(IS_ERR_VALUE(do_mmap(mm, NULL, 0, P, RW, PRIVATE | MAP_ANONYMOUS, -P)));
    mmput(mm);
}

static void the_type_must_be_shared_or_private(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    assert_error(anon(mm, 0, P, RW, 0), EINVAL);
    assert_error(anon(mm, 0, P, RW, 4), EINVAL);
    assert_error(anon(mm, 0, P, RW, 8), EINVAL);
    assert_error(anon(mm, 0, P, RW, MAP_SHARED_VALIDATE), EINVAL);
    assert_false(IS_ERR_VALUE(anon(mm, 0, P, 0xff, PRIVATE | 0x80000000ul)));
    assert_int_equal(mm->map_count, 1);
    mmput(mm);
}

static void mappings_go_top_down_into_the_highest_hole(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long top = 0x7ffff7fff000;

    assert_int_equal(mm->mmap_base, top);
    assert_int_equal(anon(mm, 0, 4 * P, RW, PRIVATE), top - 4 * P);
    assert_int_equal(anon(mm, 0, 4 * P, PROT_READ, PRIVATE), top - 8 * P);
    assert_int_equal(anon(mm, 0, 4 * P, RW, PRIVATE), top - 12 * P);
    assert_int_equal(do_munmap(mm, top - 8 * P, 4 * P), 0);
    assert_int_equal(anon(mm, 0, 5 * P, RW, PRIVATE), top - 17 * P);
    assert_int_equal(anon(mm, 0, 2 * P, PROT_READ, PRIVATE), top - 6 * P);
    assert_int_equal(anon(mm, 0, 2 * P, PROT_EXEC, PRIVATE), top - 8 * P);
    mmput(mm);
}

static void a_hint_is_rounded_down_and_used_when_free(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long top = mm->mmap_base;

    assert_int_equal(anon(mm, 0x17000123, P, RW, PRIVATE), 0x17000000);
    assert_int_equal(anon(mm, 0x17000123, P, RW, PRIVATE), top - P);
    assert_int_equal(anon(mm, 0x100, P, RW, PRIVATE), top - 2 * P);
    assert_int_equal(anon(mm, 0x1000, P, RW, PRIVATE), 0x10000);
    assert_int_equal(anon(mm, TASK_SIZE, P, RW, PRIVATE), top - 3 * P);
    assert_int_equal(anon(mm, TASK_SIZE - P, P, RW, PRIVATE), TASK_SIZE - P);
    assert_int_equal(anon(mm, TASK_SIZE - 2 * P, 2 * P, RW, PRIVATE), top - 5 * P);
    mmput(mm);
}

static void fixed_goes_where_it_says_or_nowhere(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    assert_error(anon(mm, 0x17000123, P, RW, PRIVATE | MAP_FIXED), EINVAL);
    assert_error(anon(mm, TASK_SIZE, P, RW, PRIVATE | MAP_FIXED), ENOMEM);
    assert_error(anon(mm, TASK_SIZE - P, 2 * P, RW, PRIVATE | MAP_FIXED), ENOMEM);
    assert_error(anon(mm, 0, P, RW, PRIVATE | MAP_FIXED), EPERM);
    assert_error(anon(mm, 0x1000, P, RW, PRIVATE | MAP_FIXED_NOREPLACE), EPERM);
    assert_error(anon(mm, 0xf000, 2 * P, RW, PRIVATE | MAP_FIXED), EPERM);
    mmput(mm);
}

static void room_above_the_window_is_the_last_resort(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long all = 0x20000, end = mm->mmap_base - P;

    assert_int_equal(anon(mm, all, end - all, PROT_NONE, PRIVATE | MAP_FIXED | MAP_NORESERVE), all);
    map_at(mm, mm->mmap_base + 100 * P, 1, RW);
    assert_int_equal(anon(mm, 0, 50 * P, RW, PRIVATE), end);
    mmput(mm);
}

static void nothing_is_mapped_below_the_minimum(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long minimum = mmap_min_addr;

    mm->may_map_low = true;
    assert_error(anon(mm, 0, P, RW, PRIVATE | MAP_FIXED), EPERM);
    assert_int_equal(vm_brk_flags(mm, 0x1000, P, VM_READ | VM_WRITE), -EPERM);
    set_dac_mmap_min_addr(0);
    assert_error(anon(mm, minimum - P, P, RW, PRIVATE | MAP_FIXED), EPERM);
    assert_int_equal(anon(mm, minimum, P, RW, PRIVATE | MAP_FIXED), minimum);
    set_dac_mmap_min_addr(2 * minimum);
    assert_error(anon(mm, 2 * minimum - P, P, RW, PRIVATE | MAP_FIXED), EPERM);
    set_dac_mmap_min_addr(minimum);
    mmput(mm);
}

static void with_the_option_root_may_and_others_where_root_lets_them(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long minimum = mmap_min_addr;

    low_mappings_allowed = true;
    assert_error(anon(mm, 0, P, RW, PRIVATE | MAP_FIXED), EPERM);
    set_dac_mmap_min_addr(0x1000);
    assert_error(anon(mm, 0, P, RW, PRIVATE | MAP_FIXED), EPERM);
    assert_int_equal(anon(mm, 0x1000, P, RW, PRIVATE | MAP_FIXED), 0x1000);
    assert_int_equal(anon(mm, 0x2000, P, RW, PRIVATE), minimum);
    set_dac_mmap_min_addr(minimum);
    mm->may_map_low = true;
    assert_int_equal(anon(mm, 0, P, RW, PRIVATE | MAP_FIXED), 0);
    low_mappings_allowed = false;
    mmput(mm);
}

static void fixed_replaces_what_was_there(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_at(mm, 0x10000000, 8, RW);

    user_fill(mm, at, 7, 8 * P);
    map_at(mm, at + 2 * P, 3, RW);
    expect_maps(mm, "10000000-10008000 rw-p");
    user_expect(mm, at, 7, 2 * P);
    user_expect(mm, at + 2 * P, 0, 3 * P);
    user_expect(mm, at + 5 * P, 7, 3 * P);
    map_at(mm, at + 6 * P, 4, PROT_READ);
    expect_maps(mm, "10000000-10006000 rw-p, 10006000-1000a000 r--p");
    mmput(mm);
}

static void fixed_noreplace_refuses_what_is_taken(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_at(mm, 0x10000000, 4, RW), flags = PRIVATE | MAP_FIXED_NOREPLACE;

    assert_error(anon(mm, at + 3 * P, 2 * P, RW, flags), EEXIST);
    assert_error(anon(mm, at - P, 2 * P, RW, flags | MAP_FIXED), EEXIST);
    assert_error(anon(mm, at + 1, P, RW, flags), EINVAL);
    assert_error(anon(mm, at, 0, RW, flags), EINVAL);
    assert_int_equal(anon(mm, at + 4 * P, P, RW, flags), at + 4 * P);
    expect_maps(mm, "10000000-10005000 rw-p");
    mmput(mm);
}

static void map_32bit_goes_between_one_and_two_gib(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    assert_int_equal(anon(mm, 0, P, RW, PRIVATE | MAP_32BIT), 0x40000000);
    assert_int_equal(anon(mm, 0, P, PROT_READ, PRIVATE | MAP_32BIT), 0x40001000);
    assert_int_equal(anon(mm, 0x20000000, P, RW, PRIVATE | MAP_32BIT), 0x20000000);
    assert_int_equal(anon(mm, 0x20000000, P, RW, PRIVATE | MAP_32BIT), 0x40002000);
    assert_error(anon(mm, 0, 2 * GIB, RW, PRIVATE | MAP_32BIT | MAP_NORESERVE), ENOMEM);
    assert_int_equal(anon(mm, 0x100000000, P, RW, PRIVATE | MAP_32BIT | MAP_FIXED), 0x100000000);
    /* A free hint above is not taken. */
    assert_int_equal(anon(mm, 0x90000000, P, PROT_EXEC, PRIVATE | MAP_32BIT), 0x40003000);
    mmput(mm);
}

static void growsdown_keeps_a_gap_that_only_fixed_may_use(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = 0x20000000;

    assert_error(anon(mm, 0, P, RW, MAP_SHARED | MAP_GROWSDOWN), EINVAL);
    assert_int_equal(anon(mm, at, P, RW, PRIVATE | MAP_FIXED | MAP_GROWSDOWN), at);
    expect_write(mm, at - 100 * P, FAULT_NEW_PAGE, 1);
    expect_maps(mm, "1ff9c000-20001000 rw-p");
    unsigned long start = at - 100 * P;
    assert_int_equal(anon(mm, start - 256 * P, P, RW, PRIVATE), mm->mmap_base - P);
    assert_int_equal(anon(mm, start - 257 * P, P, RW, PRIVATE), start - 257 * P);
    assert_int_equal(anon(mm, start - 2 * P, P, RW, PRIVATE | MAP_FIXED), start - 2 * P);
    expect_refused(mm, start - 1, MMU_WRITE, FAULT_BELOW_STACK);
    mmput(mm);
}

static void the_search_keeps_the_gap_below_a_growing_mapping(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long top = mm->mmap_base;

    assert_int_equal(anon(mm, 0, P, RW, PRIVATE | MAP_GROWSDOWN), top - P);
    assert_int_equal(anon(mm, 0, P, RW, PRIVATE), top - P - STACK_GUARD_GAP - P);
    mmput(mm);
}

/* As 6.1 does: where a guard gap stood in the way, the search goes on below all of the gap. */
static void the_search_passes_over_the_holes_inside_a_guard_gap(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long top = mm->mmap_base;

    assert_int_equal(anon(mm, 0, 7 * P, PROT_READ, PRIVATE), top - 7 * P);
    assert_int_equal(do_munmap(mm, top - 6 * P, 2 * P), 0);
    assert_int_equal(anon(mm, 0, P, RW, PRIVATE | MAP_GROWSDOWN), top - 5 * P);
    assert_int_equal(anon(mm, 0, P, RW, PRIVATE), top - 5 * P - STACK_GUARD_GAP - P);
    /* With the growing mapping its gap is gone, and the highest hole is used again. */
    assert_int_equal(do_munmap(mm, top - 5 * P, P), 0);
    assert_int_equal(anon(mm, 0, P, RW, PRIVATE), top - 5 * P);
    mmput(mm);
}

static void huge_pages_are_refused_as_on_linux_without_a_pool(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long flags = PRIVATE | MAP_HUGETLB;

    assert_error(anon(mm, 0, 2 * MIB, RW, flags), ENOMEM);
    assert_error(anon(mm, 0, 2 * MIB, RW, flags | 21ul << 26), ENOMEM);
    assert_error(anon(mm, 0, 2 * MIB, RW, flags | 5ul << 26), EINVAL);
    assert_error(anon(mm, 0x10001000, 2 * MIB, RW, flags | MAP_FIXED), EINVAL);
    assert_error(anon(mm, 0, 0, RW, flags), EINVAL);
    mmput(mm);
}

static void mapping_and_moving_the_break_allocate_no_frame(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    mm->start_brk = mm->brk = 0x500000;
    map_anonymous(mm, 1, PROT_READ);        /* so that the slabs have their frames */
    unsigned long user = frame_counts[PAGE_ANON], tables = frame_counts[PAGE_TABLE];
    unsigned long free_before = frame_counts[PAGE_FREE];
    for (unsigned i = 0; i < 8; i++)
        map_anonymous(mm, 100, i % 2 ? RW : PROT_READ);
    assert_int_equal(do_brk(mm, 0x700000), 0x700000);
    assert_int_equal(frame_counts[PAGE_ANON], user);
    assert_int_equal(frame_counts[PAGE_TABLE], tables);
    assert_int_equal(frame_counts[PAGE_FREE], free_before);
    mmput(mm);
}

static void populate_counts_as_faults_and_leaves_none(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long counted = 0, *before = mm_fault_counter;

    mm_fault_counter = &counted;
    unsigned long at = anon(mm, 0, 16 * P, RW, PRIVATE | MAP_POPULATE);
    assert_int_equal(counted, 16);
    assert_int_equal(mm->rss[MM_ANONPAGES], 16);
    for (unsigned i = 0; i < 16; i++)
        expect_write(mm, at + i * P, NO_FAULT, 1);
    unsigned long read_only = anon(mm, 0, 16 * P, PROT_READ, PRIVATE | MAP_POPULATE);
    assert_int_equal(counted, 32);
    assert_int_equal(mm->rss[MM_ANONPAGES], 16);
    expect_read(mm, read_only, NO_FAULT, 0);
    anon(mm, 0, 16 * P, PROT_NONE, PRIVATE | MAP_POPULATE);
    anon(mm, 0, 16 * P, RW, PRIVATE | MAP_POPULATE | MAP_NONBLOCK);
    assert_int_equal(counted, 32);
    mm_fault_counter = before;
    mmput(mm);
}

static void files_are_mapped_as_their_descriptor_allows(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(2 * P);
    struct mmap_source source = { .mapping = file, .ops = &generic_file_vm_ops, .readable = true };

    assert_error(do_mmap(mm, &source, 0, P, RW, MAP_SHARED, 0), EACCES);
    assert_error(do_mmap(mm, &source, 0, P, RW, MAP_SHARED_VALIDATE | 0x8000000000ul, 0), EOPNOTSUPP);
    assert_error(do_mmap(mm, &source, 0, P, RW, MAP_PRIVATE, 1), EINVAL);
    assert_error(do_mmap(mm, &source, 0, P, RW, MAP_PRIVATE, -P), EOVERFLOW);
    assert_error(do_mmap(mm, &source, 0, P, RW, MAP_PRIVATE | MAP_GROWSDOWN, 0), EINVAL);
    assert_error(do_mmap(mm, &source, 0, P, RW, 0, 0), EINVAL);
    assert_error(do_mmap(mm, &source, 0, P, RW, MAP_PRIVATE | MAP_HUGETLB, 0), EINVAL);
    unsigned long shared = do_mmap(mm, &source, 0, P, PROT_READ, MAP_SHARED, 0);
    assert_error(do_mprotect(mm, shared, P, RW), EACCES);
    expect_read(mm, shared, FAULT_FILE_MAPPED, test_file_byte(0));
    unsigned long priv = do_mmap(mm, &source, 0, P, PROT_READ, MAP_PRIVATE, P);
    assert_int_equal(do_mprotect(mm, priv, P, RW), 0);
    expect_write(mm, priv, FAULT_FILE_COPIED, 1);

    source.no_exec = true;
    assert_error(do_mmap(mm, &source, 0, P, PROT_EXEC, MAP_PRIVATE, 0), EPERM);
    unsigned long no_exec = do_mmap(mm, &source, 0, P, PROT_READ, MAP_PRIVATE, 0);
    assert_error(do_mprotect(mm, no_exec, P, PROT_EXEC), EACCES);
    source.readable = false;
    source.writable = true;
    assert_error(do_mmap(mm, &source, 0, P, PROT_READ, MAP_PRIVATE, 0), EACCES);
    assert_int_equal(file->refcount, 1 + 3);
    mmput(mm);
    assert_int_equal(file->refcount, 1);
    mapping_put(file);
}

static void neighbouring_parts_of_a_file_merge(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(4 * P);
    const struct mmap_source source = { .mapping = file, .ops = &generic_file_vm_ops, .readable = true };
    unsigned long at = 0x10000000;

    do_mmap(mm, &source, at, P, PROT_READ, MAP_PRIVATE | MAP_FIXED, 0);
    do_mmap(mm, &source, at + P, P, PROT_READ, MAP_PRIVATE | MAP_FIXED, P);
    expect_maps(mm, "10000000-10002000 r--p");
    do_mmap(mm, &source, at + 2 * P, P, PROT_READ, MAP_PRIVATE | MAP_FIXED, 3 * P);
    expect_maps(mm, "10000000-10002000 r--p, 10002000-10003000 r--p");
    assert_int_equal(file->refcount, 3);
    mmput(mm);
    mapping_put(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(impossible_lengths_are_refused),
        mm_test(the_type_must_be_shared_or_private),
        mm_test(mappings_go_top_down_into_the_highest_hole),
        mm_test(a_hint_is_rounded_down_and_used_when_free),
        mm_test(fixed_goes_where_it_says_or_nowhere),
        mm_test(nothing_is_mapped_below_the_minimum),
        mm_test(room_above_the_window_is_the_last_resort),
        mm_test(with_the_option_root_may_and_others_where_root_lets_them),
        mm_test(fixed_replaces_what_was_there),
        mm_test(fixed_noreplace_refuses_what_is_taken),
        mm_test(map_32bit_goes_between_one_and_two_gib),
        mm_test(growsdown_keeps_a_gap_that_only_fixed_may_use),
        mm_test(the_search_keeps_the_gap_below_a_growing_mapping),
        mm_test(the_search_passes_over_the_holes_inside_a_guard_gap),
        mm_test(huge_pages_are_refused_as_on_linux_without_a_pool),
        mm_test(mapping_and_moving_the_break_allocate_no_frame),
        mm_test(populate_counts_as_faults_and_leaves_none),
        mm_test(files_are_mapped_as_their_descriptor_allows),
        mm_test(neighbouring_parts_of_a_file_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
