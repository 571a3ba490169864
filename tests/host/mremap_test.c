/* mremap: results and effects in every corner in which Linux 6.1 was seen. */
#include "mm/filemap.h"
#include "tests/host/calls.h"

#define AT 0x10000000ul

static unsigned long remap(struct mm_struct *mm, unsigned long old, unsigned long old_pages,
                           unsigned long new_pages, unsigned long flags, unsigned long new)
{
    return do_mremap(mm, old, old_pages * P, new_pages * P, flags, new);
}

#define MOVE MREMAP_MAYMOVE
#define TO (MREMAP_MAYMOVE | MREMAP_FIXED)

static void mremap_refuses_bad_requests(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    assert_error(do_mremap(mm, AT + 1, P, P, MOVE, 0), EINVAL);
    assert_error(remap(mm, AT, 4, 0, MOVE, 0), EINVAL);
    assert_error(remap(mm, AT, 4, 4, 8, 0), EINVAL);
    assert_error(remap(mm, AT, 4, 4, MREMAP_FIXED, 0x20000000), EINVAL);
    assert_error(remap(mm, AT, 4, 4, MREMAP_DONTUNMAP, 0), EINVAL);
    assert_error(remap(mm, AT, 4, 5, MOVE | MREMAP_DONTUNMAP, 0), EINVAL);
    assert_error(remap(mm, 0x5000000, 1, 2, MOVE, 0), EFAULT);
    assert_error(remap(mm, 0x5000000, 1, 1, MOVE, 0), EFAULT);
    assert_error(remap(mm, AT, 5, 6, MOVE, 0), EFAULT);
    assert_error(remap(mm, AT, 0, 4, MOVE, 0), EINVAL);
    assert_error(remap(mm, AT, 1, 1, TO, AT), EINVAL);
    assert_error(remap(mm, AT, 2, 2, TO, AT + P), EINVAL);
    assert_error(remap(mm, AT, 1, 1, TO, 1), EINVAL);
    assert_error(remap(mm, AT, 1, 1, TO, TASK_SIZE), EINVAL);
    assert_error(remap(mm, AT, 1, 1, TO, 0), EPERM);
    assert_error(do_mremap(mm, AT, 4 * P, 1ul << 47, MOVE, 0), ENOMEM);
    assert_error(do_mremap(mm, AT, -P, -P + P / 2, MOVE, 0), EINVAL);
    expect_maps(mm, "10000000-10004000 rw-p");
    mmput(mm);
}

static void mremap_shrinks_and_grows_in_place(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    user_fill(mm, AT, 8, 4 * P);
    assert_int_equal(remap(mm, AT, 4, 2, 0, 0), AT);
    expect_maps(mm, "10000000-10002000 rw-p");
    assert_int_equal(remap(mm, AT, 2, 6, 0, 0), AT);
    expect_maps(mm, "10000000-10006000 rw-p");
    user_expect(mm, AT, 8, 2 * P);
    user_expect(mm, AT + 2 * P, 0, 4 * P);
    /* In the middle shrinking leaves a hole; an old length past the end is fine. */
    assert_int_equal(remap(mm, AT + P, 3, 1, 0, 0), AT + P);
    expect_maps(mm, "10000000-10002000 rw-p, 10004000-10006000 rw-p");
    assert_int_equal(remap(mm, AT + 4 * P, 9, 1, 0, 0), AT + 4 * P);
    expect_maps(mm, "10000000-10002000 rw-p, 10004000-10005000 rw-p");
    /* Growing up to a neighbour of the same kind joins it. */
    assert_int_equal(remap(mm, AT, 2, 4, 0, 0), AT);
    expect_maps(mm, "10000000-10005000 rw-p");
    mmput(mm);
}

static void mremap_moves_the_pages(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long top = mm->mmap_base;

    map_at(mm, AT, 4, RW);
    for (unsigned i = 0; i < 4; i++)
        write_byte(mm, AT + i * P, (u8)(i + 1));
    pfn_t frame = pte_pfn(entry_at(mm, AT + P));
    assert_error(remap(mm, AT + P, 1, 2, 0, 0), ENOMEM);
    assert_int_equal(remap(mm, AT + P, 1, 2, MOVE, 0), top - 2 * P);
    expect_maps(mm, "10000000-10001000 rw-p, 10002000-10004000 rw-p, 7ffff7ffd000-7ffff7fff000 rw-p");
    assert_int_equal(pte_pfn(entry_at(mm, top - 2 * P)), frame);
    expect_read(mm, top - 2 * P, NO_FAULT, 2);
    expect_read(mm, top - P, FAULT_ZERO_PAGE, 0);
    expect_refused(mm, AT + P, MMU_READ, FAULT_NO_MAPPING);
    assert_int_equal(remap(mm, AT + 2 * P, 2, 1, TO, 0x20000000), 0x20000000);
    expect_read(mm, 0x20000000, NO_FAULT, 3);
    expect_refused(mm, AT + 3 * P, MMU_READ, FAULT_NO_MAPPING);
    mmput(mm);
}

static void mremap_fixed_replaces_what_was_there(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    write_byte(mm, AT, 1);
    map_at(mm, 0x20000000, 3, PROT_READ);
    touch_read(mm, 0x20001000);
    assert_int_equal(remap(mm, AT, 1, 1, TO, 0x20001000), 0x20001000);
    expect_read(mm, 0x20001000, NO_FAULT, 1);
    expect_maps(mm, "20000000-20001000 r--p, 20001000-20002000 rw-p, 20002000-20003000 r--p");
    mmput(mm);
}

static void what_is_moved_remembers_its_offset_once_it_was_written(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    write_byte(mm, AT, 1);
    remap(mm, AT, 4, 4, TO, 0x21000000);
    map_at(mm, 0x21004000, 1, RW);
    expect_maps(mm, "21000000-21004000 rw-p, 21004000-21005000 rw-p");
    map_at(mm, AT, 4, RW);
    remap(mm, AT, 4, 4, TO, 0x23000000);
    map_at(mm, 0x23004000, 1, RW);
    expect_maps(mm, "21000000-21004000 rw-p, 21004000-21005000 rw-p, 23000000-23005000 rw-p");
    mmput(mm);
}

static void mremap_dontunmap_leaves_the_old_place_empty(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long top = mm->mmap_base;

    map_at(mm, AT, 4, RW);
    user_fill(mm, AT, 7, 4 * P);
    assert_int_equal(do_mlock(mm, AT, 4 * P, false), 0);
    assert_int_equal(remap(mm, AT, 4, 4, MOVE | MREMAP_DONTUNMAP, 0), top - 4 * P);
    expect_maps(mm, "10000000-10004000 rw-p, 7ffff7ffb000-7ffff7fff000 rw-pl");
    assert_int_equal(mm->locked_vm, 4);
    expect_read(mm, AT, FAULT_ZERO_PAGE, 0);
    user_expect(mm, top - 4 * P, 7, 4 * P);
    mmput(mm);
}

static void mremap_over_two_mappings(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 2, RW);
    map_at(mm, AT + 2 * P, 2, PROT_READ);
    assert_int_equal(remap(mm, AT, 4, 4, MOVE, 0), AT);
    assert_error(remap(mm, AT, 4, 5, MOVE, 0), EFAULT);
    assert_error(remap(mm, AT, 4, 4, TO, 0x20000000), EFAULT);
    assert_int_equal(remap(mm, AT, 4, 2, TO, 0x20000000), 0x20000000);
    expect_maps(mm, "20000000-20002000 rw-p");
    mmput(mm);
}

static void old_length_zero_makes_an_alias_of_shared_memory(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = anon(mm, 0, 2 * P, RW, MAP_SHARED);

    write_byte(mm, at, 5);
    assert_error(remap(mm, at, 0, 2, 0, 0), ENOMEM);
    unsigned long alias = remap(mm, at, 0, 2, MOVE, 0);
    assert_int_equal(alias, at - 2 * P);
    expect_read(mm, alias, FAULT_SHARED_MAPPED, 5);
    write_byte(mm, alias + P, 6);
    assert_int_equal(user_byte(mm, at + P), 6);
    /* It can grow, but what lies past the object is a bus error. */
    unsigned long grown = remap(mm, at, 2, 4, MOVE, 0);
    assert_false(IS_ERR_VALUE(grown));
    assert_int_equal(user_byte(mm, grown), 5);
    expect_refused(mm, grown + 2 * P, MMU_WRITE, FAULT_BEYOND_FILE);
    mmput(mm);
}

static void what_is_added_to_a_locked_mapping_is_resident(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 2, RW);
    assert_int_equal(do_mlock(mm, AT, 2 * P, false), 0);
    assert_int_equal(remap(mm, AT, 2, 4, MOVE, 0), AT);
    assert_int_equal(mm->rss[MM_ANONPAGES], 4);
    assert_int_equal(mm->locked_vm, 4);
    mmput(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(mremap_refuses_bad_requests),
        mm_test(mremap_shrinks_and_grows_in_place),
        mm_test(mremap_moves_the_pages),
        mm_test(mremap_fixed_replaces_what_was_there),
        mm_test(what_is_moved_remembers_its_offset_once_it_was_written),
        mm_test(mremap_dontunmap_leaves_the_old_place_empty),
        mm_test(mremap_over_two_mappings),
        mm_test(old_length_zero_makes_an_alias_of_shared_memory),
        mm_test(what_is_added_to_a_locked_mapping_is_resident),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
