/* mprotect: changes what may be done with a range, and makes the entries that are there follow. */
#include "kernel/lib/lab.h"
#include "mm/limits.h"
#include "mm/page_table.h"
#include "mm/populate.h"
#include "mm/vma.h"

/* The VM_MAY… bits lie this far above the VM_… bits that they allow. */
#define MAY_SHIFT 4
_Static_assert(VM_READ << MAY_SHIFT == VM_MAYREAD && VM_EXEC << MAY_SHIFT == VM_MAYEXEC, "");

#if LAB != 6
/*
 * True when a private page may be written at once, without a fault to find out whether it is
 * shared. A clean one (the zero frame, or after MADV_FREE) gets its fault, as on Linux.
 */
static inline bool is_writable_at_once(unsigned long vm_flags, pte_t pte)
{
    if ((vm_flags & (VM_WRITE | VM_SHARED)) != VM_WRITE || !pte_dirty(pte))
        return false;
    const struct page *page = pte_page(pte);
    return page->type == PAGE_ANON && (page->flags & PG_ANON_EXCLUSIVE);
}
#endif

/* The entry PTE under the protection of VM_FLAGS: the same frame, accessed and dirty as before. */
static inline pte_t pte_modify(pte_t pte, unsigned long vm_flags)
{
#if LAB != 6
    pte_t new = { (pte.value & (PTE_FRAME_MASK | PTE_ACCESSED | PTE_DIRTY)) |
                  vm_get_page_prot(vm_flags) };
    return is_writable_at_once(vm_flags, new) ? pte_mkwrite(new) : new;
#endif
    NOT_YET_WRITTEN(6, pte, vm_flags);
}

/*
 * Gives the entries of [start, end) what VMA's flags say now. *FIRST and *LAST become the beginning of the first
 * page and the end of the last one whose entry changed; when none did they stay.
 */
static inline void change_pte_range(struct vm_area_struct *vma, unsigned long start, unsigned long end,
                                    unsigned long *first, unsigned long *last)
{
#if LAB != 1
    struct pte_iter it = pte_iter_over(vma->vm_mm->pgd, start, end);

    while (pte_iter_next(&it)) {
        pte_t new = pte_modify(*it.ptep, vma->vm_flags);
        if (new.value == it.ptep->value)
            continue;
        set_pte_at(vma->vm_mm, it.address, it.ptep, new);
        if (!*last)
            *first = it.address;
        *last = it.address + PAGE_SIZE;
    }
#endif
    NOT_YET_WRITTEN(1, vma, start, end, first, last, pte_modify);
}

/* Gives [start, end) the protection of VMA, and forgets the old translations. */
static void change_protection(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
#if LAB != 6
    unsigned long first = 0, last = 0;

    change_pte_range(vma, start, end, &first, &last);
    if (last)
        flush_range(vma->vm_mm, first, last);
#endif
    NOT_YET_WRITTEN(6, vma, start, end, change_pte_range);
}

/*
 * What NEWFLAGS on [start, end) of a VMA with OLDFLAGS cost: limits, and pages to be accounted
 * (VM_ACCOUNT is then added to *NEWFLAGS). 0 or -ENOMEM.
 */
static int charge_new_flags(struct mm_struct *mm, unsigned long oldflags, unsigned long *newflags,
                            unsigned long pages, bool *charged)
{
    *charged = false;
    if (!(*newflags & VM_WRITE))
        return 0;
    if (!may_expand_vm(mm, *newflags, pages) && may_expand_vm(mm, oldflags, pages))
        return -ENOMEM;
    if (oldflags & (VM_ACCOUNT | VM_WRITE | VM_HUGETLB | VM_SHARED | VM_NORESERVE))
        return 0;
    if (vm_acct_memory(mm, pages))
        return -ENOMEM;
    *newflags |= VM_ACCOUNT;
    *charged = true;
    return 0;
}

/*
 * Gives [start, end), which lies within VMA, the flags NEWFLAGS. *PREV is the VMA before START, or
 * VMA itself when START is inside it; afterwards the VMA that ends at or behind END. 0 or -ENOMEM.
 */
static int mprotect_fixup(struct vm_area_struct *vma, struct vm_area_struct **prev,
                          unsigned long start, unsigned long end, unsigned long newflags)
{
#if LAB != 6
    struct mm_struct *mm = vma->vm_mm;
    unsigned long oldflags = vma->vm_flags, pages = (end - start) >> PAGE_SHIFT;
    bool charged;

    if (newflags == oldflags) {
        *prev = vma;
        return 0;
    }
    int error = charge_new_flags(mm, oldflags, &newflags, pages, &charged);
    if (error)
        return error;

    struct vm_area_struct *merged = vma_isolate(vma, *prev, start, end, newflags, &error);
    if (!merged) {
        if (charged)
            vm_unacct_memory(mm, pages);
        return error;
    }
    vma = *prev = merged;

    change_protection(vma, start, end);
    vm_stat_account(mm, oldflags, -(long)pages);
    vm_stat_account(mm, newflags, (long)pages);
    /* What is locked and becomes writable gets its own pages now. */
    if (unlikely((oldflags & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED &&
                 (newflags & VM_WRITE)))
        (void)populate_vma_range(vma, start, end);
    return 0;
#endif
    NOT_YET_WRITTEN_FAILS(6, -ENOSYS, vma, prev, start, end, newflags, charge_new_flags, change_protection);
}

#if LAB != 6
/*
 * The first VMA of the request, with PROT_GROWSDOWN's reach down to its start applied to *START;
 * else an error pointer.
 */
static struct vm_area_struct *find_first(struct mm_struct *mm, unsigned long *start,
                                         unsigned long end, unsigned long grows)
{
    struct vm_area_struct *vma = find_vma(mm, *start);

    if (!vma)
        return ERR_PTR(-ENOMEM);
    if (grows & PROT_GROWSDOWN) {
        if (vma->vm_start >= end)
            return ERR_PTR(-ENOMEM);
        *start = vma->vm_start;
        return vma->vm_flags & VM_GROWSDOWN ? vma : ERR_PTR(-EINVAL);
    }
    if (vma->vm_start > *start)
        return ERR_PTR(-ENOMEM);
    return grows & PROT_GROWSUP ? ERR_PTR(-EINVAL) : vma;
}
#endif

int do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long length, unsigned long prot)
{
#if LAB != 6
    const unsigned long grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);

    prot &= ~grows;
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || !IS_ALIGNED(start, PAGE_SIZE))
        return -EINVAL;
    if (!length)
        return 0;
    unsigned long end = start + PAGE_ALIGN(length);
    if (end <= start)
        return -ENOMEM;
    if (prot & ~(unsigned long)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;

    struct vm_area_struct *vma = find_first(mm, &start, end, grows);
    if (IS_ERR(vma))
        return (int)PTR_ERR(vma);
    struct vm_area_struct *prev = start > vma->vm_start ? vma : vma->vm_prev;

    /*
     * VMA by VMA, in order: what lies before the first hole or refusal has changed when the call
     * fails.
     */
    for (;;) {
        unsigned long newflags = (vma->vm_flags & ~VM_ACCESS_FLAGS) | vm_flags_of_prot(prot);
        if (newflags & ~(newflags >> MAY_SHIFT) & VM_ACCESS_FLAGS)
            return -EACCES;

        unsigned long stop = MIN(vma->vm_end, end);
        int error = mprotect_fixup(vma, &prev, start, stop, newflags);
        if (error)
            return error;

        start = MAX(stop, prev->vm_end);
        if (start >= end)
            return 0;
        vma = prev->vm_next;
        if (!vma || vma->vm_start != start)
            return -ENOMEM;
    }
#endif
    NOT_YET_WRITTEN_FAILS(6, -ENOSYS, mm, start, length, prot, mprotect_fixup);
}
