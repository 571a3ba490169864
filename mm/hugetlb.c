/* Mappings of huge pages, of which there are none. */
#include "mm/hugetlb.h"

#include "kernel/lib/errno.h"

/* There is never a page in the pool: SIGBUS. */
static struct page *hugetlb_fault(struct vm_area_struct *vma, unsigned long index, int *error)
{
    (void)vma;
    (void)index;
    *error = -EFAULT;
    return NULL;
}

const struct vm_operations_struct hugetlb_vm_ops = {
    .name = "hugetlb",
    .fault = hugetlb_fault,
};

int hugetlb_before_unmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    struct vm_area_struct *first = find_vma_intersection(mm, start, end);
    struct vm_area_struct *last = find_vma_intersection(mm, end - 1, end);

    if (first && first->vm_start < start && !hugetlb_may_split(first, start))
        return -EINVAL;
    if (!last || last->vm_end == end || hugetlb_may_split(last, end))
        return 0;
    if (first->vm_start < start && mm->map_count < sysctl_max_map_count)
        (void)split_vma(mm, first, start, true);
    return -EINVAL;
}
