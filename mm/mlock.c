/*
 * mlock and its relatives: what is locked is resident when the call returns, and counts against a
 * limit.
 */
#include "mm/limits.h"
#include "mm/populate.h"
#include "mm/vma.h"

#define LOCK_FLAGS (VM_LOCKED | VM_LOCKONFAULT)

/*
 * Gives [start, end), which lies within VMA, the flags NEWFLAGS; *PREV as in mprotect_fixup. 0 or
 * -ENOMEM.
 */
static int mlock_fixup(struct vm_area_struct *vma, struct vm_area_struct **prev,
                       unsigned long start, unsigned long end, unsigned long newflags)
{
    unsigned long oldflags = vma->vm_flags, pages = (end - start) >> PAGE_SHIFT;
    struct vm_area_struct *before = *prev;
    int error;

    *prev = vma;
    if (newflags == oldflags || (oldflags & VM_HUGETLB))
        return 0;
    vma = vma_isolate(vma, before, start, end, newflags, &error);
    if (!vma)
        return error;
    *prev = vma;
    if (!(newflags & VM_LOCKED))
        vma->vm_mm->locked_vm -= pages;
    else if (!(oldflags & VM_LOCKED))
        vma->vm_mm->locked_vm += pages;
    return 0;
}

/*
 * Sets LOCK_FLAGS of [start, start + length), whole pages, to FLAGS. -ENOMEM at the first hole:
 * what lies before it has changed.
 */
static int apply_lock_flags(struct mm_struct *mm, unsigned long start, unsigned long length,
                            unsigned long flags)
{
    unsigned long end = start + length;

    if (end < start)
        return -EINVAL;
    if (end == start)
        return 0;
    struct vm_area_struct *vma = find_vma(mm, start);
    if (!vma || vma->vm_start > start)
        return -ENOMEM;
    struct vm_area_struct *prev = start > vma->vm_start ? vma : vma->vm_prev;

    for (;;) {
        unsigned long stop = MIN(vma->vm_end, end);
        int error = mlock_fixup(vma, &prev, start, stop, (vma->vm_flags & ~LOCK_FLAGS) | flags);
        if (error)
            return error;
        start = MAX(stop, prev->vm_end);
        if (start >= end)
            return 0;
        vma = prev->vm_next;
        if (!vma || vma->vm_start != start)
            return -ENOMEM;
    }
}

/*
 * Pages of [start, start + length) that are locked already: they are not counted twice. A range
 * that wraps, which is refused afterwards, is taken up to its end.
 */
static unsigned long count_locked_pages(struct mm_struct *mm, unsigned long start,
                                        unsigned long length)
{
    const unsigned long end = start + length < start ? ~0ul : start + length;
    const struct vm_area_struct *vma = find_vma(mm, start);
    unsigned long pages = 0;

    for (; vma && vma->vm_start < end; vma = vma->vm_next)
        if (vma->vm_flags & VM_LOCKED)
            pages += (MIN(vma->vm_end, end) - MAX(vma->vm_start, start)) >> PAGE_SHIFT;
    return pages;
}

/*
 * Makes what was just locked resident. 0, -ENOMEM where that is not allowed, -EAGAIN when memory
 * ran out.
 */
static int populate_locked(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    struct vm_area_struct *vma = find_vma_intersection(mm, start, end);

    for (; vma && vma->vm_start < end; vma = vma->vm_next) {
        int error = populate_vma_range(vma, MAX(vma->vm_start, start), MIN(vma->vm_end, end));
        if (error)
            return error == -EFAULT ? -ENOMEM : -EAGAIN;
    }
    return 0;
}

/* The range of a request that rounds outward to whole pages. */
static void round_outward(unsigned long *start, unsigned long *length)
{
    *length = PAGE_ALIGN(*length + (*start & ~PAGE_MASK));
    *start &= PAGE_MASK;
}

int do_mlock(struct mm_struct *mm, unsigned long start, unsigned long length, bool on_fault)
{
    if (!can_do_mlock(mm))
        return -EPERM;
    round_outward(&start, &length);

    unsigned long limit = mm->limits.memlock >> PAGE_SHIFT;
    unsigned long locked = mm->locked_vm + (length >> PAGE_SHIFT);
    if (locked > limit && !mm->may_lock_beyond_limit &&
        locked - count_locked_pages(mm, start, length) > limit)
        return -ENOMEM;

    int error = apply_lock_flags(mm, start, length, VM_LOCKED | (on_fault ? VM_LOCKONFAULT : 0));
    return error || !length ? error : populate_locked(mm, start, start + length);
}

int do_munlock(struct mm_struct *mm, unsigned long start, unsigned long length)
{
    round_outward(&start, &length);
    return apply_lock_flags(mm, start, length, 0);
}

/* Every VMA gets FLAGS; where one can't be changed it stays as it is, as in Linux. */
static void lock_all(struct mm_struct *mm, unsigned long flags)
{
    struct vm_area_struct *prev = NULL, *vma = mm->mmap;

    while (vma) {
        (void)mlock_fixup(vma, &prev, vma->vm_start, vma->vm_end,
                          (vma->vm_flags & ~LOCK_FLAGS) | flags);
        vma = prev->vm_next;
    }
}

int do_mlockall(struct mm_struct *mm, int flags)
{
    if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    if (!can_do_mlock(mm))
        return -EPERM;
    if ((flags & MCL_CURRENT) && mm->total_vm > mm->limits.memlock >> PAGE_SHIFT &&
        !mm->may_lock_beyond_limit)
        return -ENOMEM;

    unsigned long lock = VM_LOCKED | (flags & MCL_ONFAULT ? VM_LOCKONFAULT : 0);
    mm->def_flags &= ~LOCK_FLAGS;
    if (flags & MCL_FUTURE)
        mm->def_flags |= lock;
    if (flags & MCL_CURRENT) {
        lock_all(mm, lock);
        mm_populate(mm, 0, TASK_SIZE);
    }
    return 0;
}

int do_munlockall(struct mm_struct *mm)
{
    mm->def_flags &= ~LOCK_FLAGS;
    lock_all(mm, 0);
    return 0;
}
