/* msync: there is no disc to write to, so only its refusals are to be had. */
#include "kernel/lib/errno.h"
#include "mm/mm.h"
#include "mm/vma.h"

int do_msync(struct mm_struct *mm, unsigned long start, unsigned long length, int flags)
{
    if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || !IS_ALIGNED(start, PAGE_SIZE) ||
        ((flags & MS_ASYNC) && (flags & MS_SYNC)))
        return -EINVAL;
    unsigned long end = start + PAGE_ALIGN(length);
    if (end < start)
        return -ENOMEM;

    /*
     * Holes are passed over and reported at the end; with MS_ASYNC alone there is nothing behind
     * them to be done.
     */
    int hole = 0;
    const struct vm_area_struct *vma = start < end ? find_vma(mm, start) : NULL;
    for (; start < end; vma = vma->vm_next) {
        if (!vma)
            return -ENOMEM;
        if (start < vma->vm_start) {
            if (flags == MS_ASYNC || vma->vm_start >= end)
                return -ENOMEM;
            hole = -ENOMEM;
        }
        if ((flags & MS_INVALIDATE) && (vma->vm_flags & VM_LOCKED))
            return -EBUSY;
        start = vma->vm_end;
    }
    return hole;
}
