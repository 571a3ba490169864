/*
 * Mappings of huge pages. The pool that such pages come from is always empty here, as on a Linux that nobody has told
 * otherwise: a mapping can be promised with MAP_NORESERVE, but every touch of it is a SIGBUS. What can be seen of it
 * is its alignment: it is never cut inside a huge page, never merged, never locked, and never grows.
 */
#ifndef MM_HUGETLB_H
#define MM_HUGETLB_H

#include "mm/vma.h"

/* Huge pages are 2 MiB. */
#define HUGE_PAGE_SHIFT 21
#define HUGE_PAGE_SIZE (1ul << HUGE_PAGE_SHIFT)
#define HUGE_PAGE_MASK (~(HUGE_PAGE_SIZE - 1))

extern const struct vm_operations_struct hugetlb_vm_ops;

/* False when ADDRESS lies inside a huge page of VMA, where it can't be split. */
static inline bool hugetlb_may_split(const struct vm_area_struct *vma, unsigned long address)
{
    return !(vma->vm_flags & VM_HUGETLB) || IS_ALIGNED(address, HUGE_PAGE_SIZE);
}

/*
 * Before [start, end) is unmapped: 0, or -EINVAL when that would cut a huge page. As on Linux, what is cut first, at
 * START, stays cut when it fails at END.
 */
int hugetlb_before_unmap(struct mm_struct *mm, unsigned long start, unsigned long end);

#endif
