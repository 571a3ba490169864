/* madvise: what a program says about its future use of a range. */
#include "kernel/lib/errno.h"
#include "kernel/lib/lab.h"
#include "mm/filemap.h"
#include "mm/hugetlb.h"
#include "mm/page_table.h"
#include "mm/populate.h"
#include "mm/unmap.h"
#include "mm/vma.h"

/* What MADV_… can be, in 6.1 without the two that inject hardware errors (they are for Linux's own tests). */
static bool advice_is_valid(int advice)
{
    switch (advice) {
    case MADV_NORMAL: case MADV_RANDOM: case MADV_SEQUENTIAL: case MADV_WILLNEED:
    case MADV_DONTNEED: case MADV_FREE: case MADV_REMOVE: case MADV_DONTFORK: case MADV_DOFORK:
    case MADV_MERGEABLE: case MADV_UNMERGEABLE: case MADV_HUGEPAGE: case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP: case MADV_DODUMP: case MADV_WIPEONFORK: case MADV_KEEPONFORK:
    case MADV_COLD: case MADV_PAGEOUT: case MADV_POPULATE_READ: case MADV_POPULATE_WRITE:
    case MADV_DONTNEED_LOCKED: case MADV_COLLAPSE:
        return true;
    default:
        return false;
    }
}

/* ---- advice that acts on pages ---- */

static int madvise_dontneed(struct vm_area_struct *vma, unsigned long start, unsigned long end,
                            bool even_locked)
{
#if LAB != 6
    if ((vma->vm_flags & VM_LOCKED) && !even_locked)
        return -EINVAL;
    update_hiwater(vma->vm_mm);
    if (zap_range(vma, start, end))
        flush_range(vma->vm_mm, start, end);
    return 0;
#endif
    NOT_YET_WRITTEN_FAILS(6, -ENOSYS, vma, start, end, even_locked);
}

/*
 * The pages may be taken when memory is short. Keeping them is allowed too, and without swap there
 * is no moment to choose; but until they are written again they count as clean.
 */
static int madvise_free(const struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    struct pte_iter it = pte_iter_over(vma->vm_mm->pgd, start, end);

    if ((vma->vm_flags & VM_LOCKED) || !vma_is_anonymous(vma))
        return -EINVAL;
    while (pte_iter_next(&it))
        if (!is_zero_pfn(pte_pfn(*it.ptep))) {
            pte_page(*it.ptep)->flags = (pte_page(*it.ptep)->flags & (u16)~PG_DIRTY) | PG_LAZYFREE;
            set_pte_at(vma->vm_mm, it.address, it.ptep, pte_mkold(pte_mkclean(*it.ptep)));
        }
    flush_range(vma->vm_mm, start, end);
    return 0;
}

/* True when the anonymous page of PTE, which this entry alone maps, was given up by MADV_FREE and not written since. */
static bool is_given_up(pte_t pte)
{
    const struct page *page = pte_page(pte);

    return !is_zero_pfn(pte_pfn(pte)) && page_count(page) == 1 && !pte_dirty(pte) &&
           (page->flags & (PG_LAZYFREE | PG_DIRTY)) == PG_LAZYFREE;
}

/* There is no swap that anonymous pages could go to, so only those go whose bytes nobody wants. */
static void page_out_anonymous(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    struct pte_iter it = pte_iter_over(vma->vm_mm->pgd, start, end);

    while (pte_iter_next(&it))
        if (is_given_up(*it.ptep))
            zap_range(vma, it.address, it.address + PAGE_SIZE);
    flush_range(vma->vm_mm, start, end);
}

static int madvise_pageout(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    if (vma->vm_flags & (VM_LOCKED | VM_HUGETLB))
        return -EINVAL;
    if (vma_is_anonymous(vma))
        page_out_anonymous(vma, start, end);
    else
        filemap_page_out(vma, start, end);
    return 0;
}

static int madvise_remove(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    if ((vma->vm_flags & VM_LOCKED) || !vma->vm_mapping)
        return -EINVAL;
    if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) != (VM_SHARED | VM_MAYWRITE))
        return -EACCES;
    if (vma->vm_mapping->page_type != PAGE_SHMEM)
        return -EOPNOTSUPP;
    mapping_punch_hole(vma->vm_mapping, vma_page_index(vma, start),
                       vma_page_index(vma, start) + ((end - start) >> PAGE_SHIFT));
    return 0;
}

static int madvise_populate(struct vm_area_struct *vma, unsigned long start, unsigned long end,
                            bool write)
{
    if (!(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
        return -EINVAL;
    return populate_vma_with(vma, start, end, write);
}

/* ---- advice that becomes a flag of the VMA ---- */

#define NOT_MERGEABLE (VM_MERGEABLE | VM_SHARED | VM_MAYSHARE | VM_HUGETLB)

/* VMA's flags under ADVICE in *VM_FLAGS. 0 or -EINVAL. */
static int flags_for_advice(const struct vm_area_struct *vma, int advice, unsigned long *vm_flags)
{
    unsigned long flags = vma->vm_flags;

    switch (advice) {
    case MADV_NORMAL:
        flags &= ~(VM_RAND_READ | VM_SEQ_READ);
        break;
    case MADV_SEQUENTIAL:
        flags = (flags & ~VM_RAND_READ) | VM_SEQ_READ;
        break;
    case MADV_RANDOM:
        flags = (flags & ~VM_SEQ_READ) | VM_RAND_READ;
        break;
    case MADV_DONTFORK:
        flags |= VM_DONTCOPY;
        break;
    case MADV_DOFORK:
        flags &= ~VM_DONTCOPY;
        break;
    case MADV_WIPEONFORK:
        if (vma->vm_mapping || (flags & VM_SHARED))
            return -EINVAL;
        flags |= VM_WIPEONFORK;
        break;
    case MADV_KEEPONFORK:
        flags &= ~VM_WIPEONFORK;
        break;
    case MADV_DONTDUMP:
        flags |= VM_DONTDUMP;
        break;
    case MADV_DODUMP:
        flags &= ~VM_DONTDUMP;
        break;
    case MADV_MERGEABLE:
        if (!(flags & NOT_MERGEABLE))
            flags |= VM_MERGEABLE;
        break;
    case MADV_UNMERGEABLE:
        flags &= ~VM_MERGEABLE;
        break;
    case MADV_HUGEPAGE:
        flags = (flags & ~VM_NOHUGEPAGE) | VM_HUGEPAGE;
        break;
    default:    /* MADV_NOHUGEPAGE */
        flags = (flags & ~VM_HUGEPAGE) | VM_NOHUGEPAGE;
    }
    *vm_flags = flags;
    return 0;
}

/*
 * As mprotect_fixup: *PREV is VMA's predecessor or VMA itself, then what now ends at or behind END.
 */
static int madvise_update_vma(struct vm_area_struct *vma, struct vm_area_struct **prev,
                              unsigned long start, unsigned long end, int advice)
{
    unsigned long vm_flags;
    int error = flags_for_advice(vma, advice, &vm_flags);

    if (error)
        return error;
    if (vm_flags != vma->vm_flags) {
        vma = vma_isolate(vma, *prev, start, end, vm_flags, &error);
        /* Linux says "try again" here when it is out of VMAs. */
        if (!vma)
            return error == -ENOMEM ? -EAGAIN : error;
    }
    *prev = vma;
    return 0;
}

static int madvise_vma(struct vm_area_struct *vma, struct vm_area_struct **prev,
                       unsigned long start, unsigned long end, int advice)
{
    struct vm_area_struct *before = *prev;
    bool drops = advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED;

    *prev = vma;
    if (drops && !hugetlb_may_split(vma, start))
        return -EINVAL;
    switch (advice) {
    case MADV_DONTNEED:
        return madvise_dontneed(vma, start, end, false);
    case MADV_DONTNEED_LOCKED:
        return madvise_dontneed(vma, start, end, true);
    case MADV_FREE:
        return madvise_free(vma, start, end);
    case MADV_REMOVE:
        return madvise_remove(vma, start, end);
    case MADV_POPULATE_READ:
        return madvise_populate(vma, start, end, false);
    case MADV_POPULATE_WRITE:
        return madvise_populate(vma, start, end, true);
    case MADV_COLD:
        return vma->vm_flags & (VM_LOCKED | VM_HUGETLB) ? -EINVAL : 0;
    case MADV_PAGEOUT:
        return madvise_pageout(vma, start, end);
    case MADV_WILLNEED:
        return 0;
    case MADV_COLLAPSE:
        return -EINVAL;     /* there are no huge pages */
    default:
        *prev = before;
        return madvise_update_vma(vma, prev, start, end, advice);
    }
}

int do_madvise(struct mm_struct *mm, unsigned long start, unsigned long length, int advice)
{
    if (!advice_is_valid(advice) || !IS_ALIGNED(start, PAGE_SIZE))
        return -EINVAL;
    unsigned long end = start + PAGE_ALIGN(length);
    if ((length && !PAGE_ALIGN(length)) || end < start)
        return -EINVAL;
    if (end == start)
        return 0;

    /* Holes are reported at the end, and passed over: unlike in mprotect. */
    int hole = 0;
    struct vm_area_struct *prev, *vma = find_vma_prev(mm, start, &prev);
    if (vma && start > vma->vm_start)
        prev = vma;
    while (vma && start < end) {
        if (start < vma->vm_start) {
            hole = -ENOMEM;
            start = vma->vm_start;
            if (start >= end)
                return hole;
        }
        unsigned long stop = MIN(vma->vm_end, end);
        int error = madvise_vma(vma, &prev, start, stop, advice);
        if (error)
            return error;
        start = MAX(stop, prev->vm_end);
        vma = prev->vm_next;
    }
    return start < end ? -ENOMEM : hole;
}
