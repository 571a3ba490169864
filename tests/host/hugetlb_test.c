/* Mappings of huge pages, of which there are none: where they may be cut, and what every other call says to them. */
#include "kernel/lib/errno.h"
#include "mm/fault.h"
#include "mm/hugetlb.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

#define HUGE HUGE_PAGE_SIZE
#define AT   (64 * HUGE)
#define NO_TYPE 4ul     /* neither MAP_SHARED nor one of the others */

static struct address_space *file;

static unsigned long map_huge(struct mm_struct *mm, unsigned long at, unsigned long length, unsigned long flags,
                              unsigned long offset)
{
    struct mmap_source source = {
        .mapping = file, .ops = &hugetlb_vm_ops, .readable = true, .writable = true, .is_huge = true,
    };

    return do_mmap(mm, &source, at, length, RW, flags, offset);
}

static struct mm_struct *three_huge_pages(void)
{
    struct mm_struct *mm = test_mm();

    file = test_file(0);
    assert_int_equal(map_huge(mm, AT, 3 * HUGE - P, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, 0), AT);
    assert_int_equal(file->size, 3 * HUGE);
    return mm;
}

static void finish(struct mm_struct *mm)
{
    mmput(mm);
    mapping_put(file);
}

static void it_is_cut_at_huge_pages_only(void **state)
{
    (void)state;
    struct mm_struct *mm = three_huge_pages();

    map_at(mm, AT - 2 * P, 2, RW);
    assert_int_equal(do_munmap(mm, AT, P), -EINVAL);
    assert_int_equal(do_munmap(mm, AT + P, HUGE - P), -EINVAL);
    assert_int_equal(do_mprotect(mm, AT + P, HUGE, PROT_READ), -EINVAL);
    assert_int_equal(mm->map_count, 2);
    assert_int_equal(do_munmap(mm, AT - P, 2 * P), -EINVAL);
    assert_int_equal(mm->map_count, 3); /* what was cut first stays cut */
    assert_int_equal(do_munmap(mm, AT + HUGE, HUGE), 0);
    assert_int_equal(mm->map_count, 4);
    finish(mm);
}

static void it_is_neither_locked_nor_moved_by_halves(void **state)
{
    (void)state;
    struct mm_struct *mm = three_huge_pages();

    assert_int_equal(do_mlock(mm, AT, P, false), -ENOMEM);
    assert_int_equal(mm->locked_vm, 0);
    assert_int_equal(do_madvise(mm, AT + P, P, MADV_DONTNEED), -EINVAL);
    assert_int_equal(do_madvise(mm, AT, P, MADV_COLD), -EINVAL);
    assert_int_equal(do_madvise(mm, AT, P, MADV_PAGEOUT), -EINVAL);
    assert_int_equal(do_madvise(mm, AT + P, P, MADV_DONTFORK), -EINVAL);
    assert_error(do_mremap(mm, AT, HUGE, 2 * HUGE, MREMAP_MAYMOVE, 0), EINVAL);
    assert_error(do_mremap(mm, AT, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), EINVAL);
    assert_int_equal(do_mremap(mm, AT, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, AT + 8 * HUGE), AT + 8 * HUGE);
    assert_int_equal(do_user_addr_fault(mm, AT + HUGE, PF_USER | PF_WRITE, 0), FAULT_BEYOND_FILE);
    finish(mm);
}

static void without_noreserve_there_is_no_page(void **state)
{
    (void)state;
    struct mm_struct *mm = three_huge_pages();

    assert_error(map_huge(mm, AT + HUGE, HUGE, MAP_PRIVATE | MAP_FIXED, 0), ENOMEM);
    assert_null(find_vma_intersection(mm, AT + HUGE, AT + 2 * HUGE));
    assert_error(map_huge(mm, 0, HUGE, MAP_PRIVATE | MAP_NORESERVE, P), EINVAL);
    unsigned long place = map_huge(mm, 0, P, MAP_SHARED | MAP_NORESERVE | MAP_POPULATE, 0);
    assert_true(IS_ALIGNED(place, HUGE) && place + HUGE <= mm->mmap_base);
    assert_int_equal(map_huge(mm, AT + HUGE + P, P, MAP_SHARED | MAP_NORESERVE, 0), AT + HUGE);
    mm->limits.as = mm->total_vm << PAGE_SHIFT;
    assert_error(map_huge(mm, 0, P, MAP_SHARED | MAP_NORESERVE, 0), ENOMEM);
    assert_error(map_huge(mm, 0, P, MAP_SHARED, 0), ENOMEM);
    assert_error(map_huge(mm, 0, P, MAP_SHARED, P), ENOMEM);    /* the limit comes first */
    finish(mm);
}

static void a_hint_is_taken_where_there_is_room(void **state)
{
    (void)state;
    struct mm_struct *mm = three_huge_pages();

    assert_int_equal(map_huge(mm, AT + 8 * HUGE + P, HUGE, MAP_SHARED | MAP_NORESERVE, 0), AT + 8 * HUGE);
    assert_int_not_equal(map_huge(mm, AT, HUGE, MAP_SHARED | MAP_NORESERVE, 0), AT);
    assert_int_not_equal(map_huge(mm, TASK_SIZE - HUGE, 2 * HUGE, MAP_SHARED | MAP_NORESERVE, 0), TASK_SIZE - HUGE);
    assert_error(map_huge(mm, 0, (TASK_SIZE & HUGE_PAGE_MASK) - HUGE, MAP_PRIVATE | MAP_NORESERVE, 0), ENOMEM);
    finish(mm);
}

static void nobody_gets_one_by_other_flags(void **state)
{
    (void)state;
    struct mm_struct *mm = three_huge_pages();

    assert_error(anon(mm, 0, HUGE, RW, MAP_SHARED_VALIDATE | MAP_HUGETLB | MAP_SYNC), EOPNOTSUPP);
    assert_error(anon(mm, 0, HUGE, RW, MAP_SHARED_VALIDATE | MAP_HUGETLB), ENOMEM);
    assert_error(anon(mm, 0, HUGE, RW, NO_TYPE | MAP_HUGETLB), EINVAL);
    finish(mm);
}

static void what_is_not_there_is_not_cut(void **state)
{
    (void)state;
    struct mm_struct *mm = three_huge_pages();
    int limit = sysctl_max_map_count;

    assert_int_equal(do_munmap(mm, AT + 16 * HUGE, P), 0);
    map_at(mm, AT - 2 * P, 2, RW);
    sysctl_max_map_count = mm->map_count;
    assert_int_equal(do_munmap(mm, AT - P, 2 * P), -EINVAL);
    assert_int_equal(mm->map_count, 2);
    sysctl_max_map_count = limit;
    finish(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(it_is_cut_at_huge_pages_only),
        mm_test(it_is_neither_locked_nor_moved_by_halves),
        mm_test(without_noreserve_there_is_no_page),
        mm_test(a_hint_is_taken_where_there_is_room),
        mm_test(nobody_gets_one_by_other_flags),
        mm_test(what_is_not_there_is_not_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
