/* Where a mapping can go. */
#ifndef MM_UNMAPPED_AREA_H
#define MM_UNMAPPED_AREA_H

#include "kernel/lib/errno.h"
#include "mm/vma.h"

/*
 * Where LENGTH bytes (whole pages) can go: ADDRESS itself with MAP_FIXED, or when it is not 0 and
 * free; else the highest free range. -ENOMEM, -EINVAL (unaligned), -EPERM (below mmap_min_addr).
 */
unsigned long get_unmapped_area(struct mm_struct *mm, unsigned long address, unsigned long length,
                                unsigned long flags);

/*
 * The highest free range of LENGTH bytes in [low, high), page-aligned, that keeps STACK_GUARD_GAP
 * below a VM_GROWSDOWN VMA (and, where that stood in the way, leaves out what lies within the gap);
 * -ENOMEM. O(log n) for each such VMA met.
 */
unsigned long vm_unmapped_area_topdown(struct mm_struct *mm, unsigned long length,
                                       unsigned long low, unsigned long high);
/* The lowest such range. */
unsigned long vm_unmapped_area_bottomup(struct mm_struct *mm, unsigned long length,
                                        unsigned long low, unsigned long high);

/*
 * ADDRESS, where a mapping of LENGTH bytes is wanted, as get_unmapped_area takes it: a hint is
 * rounded down to its page, and one that is not 0 but too low means the lowest allowed page.
 */
unsigned long round_hint(unsigned long address, unsigned long flags);

/*
 * get_unmapped_area for LENGTH bytes of huge pages: a hint is rounded down to its huge page and, if
 * that is free, becomes the place (*FLAGS gets MAP_FIXED; it may be address 0); if not, the highest
 * huge pages of a hole that has room for one more. MAP_32BIT says nothing here.
 */
unsigned long get_huge_unmapped_area(struct mm_struct *mm, unsigned long hint, unsigned long length,
                                     unsigned long *flags);

/*
 * Where LENGTH bytes fit into the hole that the last top-down search found; 0: it has to be
 * searched again.
 */
static inline unsigned long next_hole(const struct mm_struct *mm, unsigned long length)
{
    const struct vm_area_struct *vma = mm->hole_below;

    if (!vma || !vma->vm_prev || length < mm->hole_above)
        return 0;
    unsigned long floor = vma->vm_prev->vm_end, ceiling = MIN(vma->vm_start, mm->mmap_base);
    if (vm_start_gap(vma) < ceiling)
        return 0;
    return ceiling > floor && ceiling - floor >= length ? ceiling - length : 0;
}

#endif
