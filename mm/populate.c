/*
 * Making promised pages present ahead of their first touch: MAP_POPULATE, mlock, MADV_POPULATE_READ
 * and _WRITE.
 */
#include "kernel/lib/errno.h"
#include "mm/fault.h"
#include "mm/page_table.h"
#include "mm/populate.h"
#include "mm/vma.h"

int populate_vma_with(struct vm_area_struct *vma, unsigned long start, unsigned long end,
                      bool write)
{
    struct mm_struct *mm = vma->vm_mm;

    for (; start < end; start += PAGE_SIZE) {
        const pte_t *ptep = pte_offset(mm->pgd, start);
        if (ptep && pte_hw_present(*ptep) && (!write || pte_write(*ptep))) {
            if (write)
                pte_page(*ptep)->flags |= PG_DIRTY;
            continue;
        }
        enum fault_outcome outcome = handle_mm_fault(vma, start, write ? FAULT_FLAG_WRITE : 0);
        if (fault_failed(outcome))
            return outcome == FAULT_OUT_OF_MEMORY ? -ENOMEM : -EFAULT;
    }
    return 0;
}

int populate_vma_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    if (vma->vm_flags & VM_LOCKONFAULT)
        return 0;
    if (!(vma->vm_flags & VM_ACCESS_FLAGS))
        return -EFAULT;
    bool write = (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
    return populate_vma_with(vma, start, end, write);
}

void mm_populate(struct mm_struct *mm, unsigned long start, unsigned long length)
{
    unsigned long end = start + length;
    struct vm_area_struct *vma = find_vma_intersection(mm, start, end);

    for (; vma && vma->vm_start < end; vma = vma->vm_next)
        (void)populate_vma_range(vma, MAX(vma->vm_start, start), MIN(vma->vm_end, end));
}
