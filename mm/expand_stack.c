/* A mapping that grows down: how far a fault below it may take it. */
#include "mm/fault.h"
#include "mm/limits.h"
#include "mm/vma.h"

/*
 * 0, or -ENOMEM when GROWTH more bytes, SIZE in all, are too much for any of the limits. Charges
 * them.
 */
static int account_growth(struct vm_area_struct *vma, unsigned long size, unsigned long growth)
{
    struct mm_struct *mm = vma->vm_mm;
    unsigned long pages = growth >> PAGE_SHIFT;

    if (!may_expand_vm(mm, vma->vm_flags, pages) || size > mm->limits.stack ||
        mlock_future_check(mm, vma->vm_flags, growth))
        return -ENOMEM;
    /* As on Linux the overcommit rule is asked even where nothing is charged. */
    if (vma->vm_flags & VM_ACCOUNT ? vm_acct_memory(mm, pages) != 0 : !vm_commit_allowed(mm, pages))
        return -ENOMEM;
    if (vma->vm_flags & VM_LOCKED)
        mm->locked_vm += pages;
    vm_stat_account(mm, vma->vm_flags, (long)pages);
    return 0;
}

int expand_stack(struct vm_area_struct *vma, unsigned long address)
{
    const struct vm_area_struct *prev = vma->vm_prev;

    address &= PAGE_MASK;
    if (address < mmap_min_addr)
        return -ENOMEM;
    /*
     * A guard gap stays above whatever lies below, unless that can't be touched either or grows
     * down itself.
     */
    if (prev && !(prev->vm_flags & VM_GROWSDOWN) && (prev->vm_flags & VM_ACCESS_FLAGS) &&
        address - prev->vm_end < STACK_GUARD_GAP)
        return -ENOMEM;

    /* As on Linux also where a limit forbids the growth: the try alone keeps the VMA from merging with others. */
    vma_prepare_anon(vma);
    unsigned long growth = vma->vm_start - address;
    if (growth >> PAGE_SHIFT > vma->vm_pgoff)
        return -ENOMEM;
    int error = account_growth(vma, vma->vm_end - address, growth);
    if (error)
        return error;
    vma_set_start(vma, address);
    return 0;
}
