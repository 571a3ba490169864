/* mremap: makes a mapping longer or shorter, in place or somewhere else, with its pages. */
#include "mm/filemap.h"
#include "mm/hugetlb.h"
#include "mm/limits.h"
#include "mm/page_table.h"
#include "mm/populate.h"
#include "mm/unmap.h"
#include "mm/unmapped_area.h"
#include "mm/vma.h"

/*
 * A move may split the old VMA in two and add a new one: so many maps must be left before it
 * begins.
 */
#define MAPS_FOR_A_MOVE 3

/* One request on its way: lengths are whole pages. */
struct remap {
    struct mm_struct *mm;
    unsigned long old, old_length;
    unsigned long new, new_length;
    unsigned long flags;                /* MREMAP_… */
};

#define FAIL(error) ((unsigned long)-(error))

/* The VMA at ADDRESS that contains it, or NULL. */
static struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long address)
{
    struct vm_area_struct *vma = find_vma(mm, address);
    return vma && vma->vm_start <= address ? vma : NULL;
}

/* ---- moving the pages ---- */

/*
 * Moves the entries of [from, from + length) to TO. Returns how far it got: less than LENGTH when a
 * table could not be made.
 */
static unsigned long move_page_tables(struct mm_struct *mm, unsigned long from, unsigned long to,
                                      unsigned long length)
{
    struct pte_iter it = pte_iter_over(mm->pgd, from, from + length);

    while (pte_iter_next(&it)) {
        unsigned long target = it.address - from + to;
        pte_t *slot = pte_offset(mm->pgd, target);
        if (!slot)
            slot = pte_alloc(mm, target);
        if (unlikely(!slot))
            return it.address - from;
        set_pte_at(mm, target, slot, ptep_get_and_clear(mm, it.address, it.ptep));
    }
    return length;
}

/*
 * The VMA for the new place, with VMA's flags, object and family, merged with what it fits; NULL:
 * no memory.
 */
static struct vm_area_struct *copy_vma(const struct remap *remap, const struct vm_area_struct *vma)
{
    struct mm_struct *mm = remap->mm;
    unsigned long end = remap->new + remap->new_length;
    unsigned long pgoff = vma_page_index(vma, remap->old);
    struct vm_area_struct *prev;

    /*
     * Pages that were never written don't know their offset, so it may follow the new place and
     * merge better.
     */
    if (vma_is_anonymous(vma) && !vma->vm_anon)
        pgoff = remap->new >> PAGE_SHIFT;

    struct vm_area_struct *new = NULL, *next = find_vma_prev(mm, remap->new, &prev);
    /* As on Linux, the copy that MREMAP_DONTUNMAP makes beside its own source stays apart. */
    bool is_beside_source = (prev == vma && vma->vm_end == remap->new) ||
                            (next == vma && vma->vm_start == end);
    if (!(vma->vm_flags & VM_HUGETLB) && (!(remap->flags & MREMAP_DONTUNMAP) || !is_beside_source))
        new = vma_merge(mm, prev, remap->new, end, vma->vm_flags, vma, pgoff);
    if (new)
        return new;
    new = vma_dup(vma, mm);
    if (unlikely(!new))
        return NULL;
    new->vm_start = remap->new;
    new->vm_end = end;
    new->vm_pgoff = pgoff;
    insert_vm_struct(mm, new);
    return new;
}

/* Counts the pages of the new place like those of a mapping that was just made. */
static void account_new_place(const struct remap *remap, unsigned long vm_flags,
                              unsigned long charged_already)
{
    struct mm_struct *mm = remap->mm;
    unsigned long pages = remap->new_length >> PAGE_SHIFT;

    vm_stat_account(mm, vm_flags, (long)pages);
    if (vm_flags & VM_ACCOUNT) {
        mm->committed += pages - charged_already;
        vm_committed += pages - charged_already;
    }
    if (vm_flags & VM_LOCKED)
        mm->locked_vm += pages;
}

/*
 * MREMAP_DONTUNMAP of a part of a locked VMA, which is to lose the lock: as on Linux it becomes a
 * VMA of its own before anything moves. Without the memory for that the source stays as it is, and
 * locked.
 */
static void take_locked_part_out(const struct remap *remap, struct vm_area_struct *vma)
{
    unsigned long end = remap->old + remap->old_length;

    if (vma->vm_start < remap->old && __split_vma(remap->mm, vma, remap->old, true))
        return;
    if (vma->vm_end > end)
        (void)__split_vma(remap->mm, vma, end, false);
}

/* Joins VMA, of which take_locked_part_out has made more than one, with its parts again. */
static void put_locked_part_back(struct vm_area_struct *vma)
{
    (void)vma_merge(vma->vm_mm, vma->vm_prev, vma->vm_start, vma->vm_end, vma->vm_flags, vma,
                    vma->vm_pgoff);
}

/* MREMAP_DONTUNMAP: the old place stays promised, but empty and no longer locked. */
static void leave_empty(const struct remap *remap)
{
    struct vm_area_struct *vma = vma_lookup(remap->mm, remap->old);
    bool is_whole = vma->vm_start == remap->old && vma->vm_end == remap->old + remap->old_length;

    if (!is_whole)
        return;
    if (vma->vm_flags & VM_LOCKED) {
        remap->mm->locked_vm -= remap->old_length >> PAGE_SHIFT;
        vma_set_flags(vma, vma->vm_flags & ~(VM_LOCKED | VM_LOCKONFAULT));
    }
    vma->vm_anon = 0;
}

/* Undoes the split that move_vma made at ADDRESS. */
static void rejoin(struct mm_struct *mm, unsigned long address)
{
    const struct vm_area_struct *upper = vma_lookup(mm, address);
    struct vm_area_struct *lower = upper->vm_prev;

    (void)vma_merge(mm, lower, upper->vm_start, upper->vm_end, upper->vm_flags, upper,
                    upper->vm_pgoff);
}

/*
 * Moves [old, old + old_length), which lies within VMA, to the free range at remap->new. The new
 * address or a negative errno.
 */
static unsigned long move_vma(const struct remap *remap, struct vm_area_struct *vma)
{
    struct mm_struct *mm = remap->mm;
    unsigned long vm_flags = vma->vm_flags, old_end = remap->old + remap->old_length;
    bool keeps_old = (remap->flags & MREMAP_DONTUNMAP) != 0;
    unsigned long charge = 0;

    if (mm->map_count >= sysctl_max_map_count - MAPS_FOR_A_MOVE)
        return FAIL(ENOMEM);
    if (vm_flags & VM_ACCOUNT) {
        charge = (remap->new_length - (keeps_old ? 0 : remap->old_length)) >> PAGE_SHIFT;
        if (vm_acct_memory(mm, charge))
            return FAIL(ENOMEM);
    }
    /* Taking out the middle needs a VMA more: now, while nothing has moved. */
    bool is_middle = !keeps_old && remap->old_length && vma->vm_start < remap->old &&
                     old_end < vma->vm_end;
    if (is_middle && __split_vma(mm, vma, old_end, false))
        goto no_memory;
    bool is_taken_out = keeps_old && (vm_flags & VM_LOCKED);
    if (is_taken_out)
        take_locked_part_out(remap, vma);
    const struct vm_area_struct *new = copy_vma(remap, vma);
    if (!new)
        goto rejoin_and_fail;

    unsigned long moved = move_page_tables(mm, remap->old, remap->new, remap->old_length);
    if (unlikely(moved < remap->old_length)) {
        (void)move_page_tables(mm, remap->new, remap->old, moved);
        account_new_place(remap, vm_flags, charge);
        (void)do_munmap(mm, remap->new, remap->new_length);
        charge = 0;     /* given back with the new place */
        goto rejoin_and_fail;
    }
    flush_range(mm, remap->old, old_end);
    account_new_place(remap, vm_flags, charge);
    if (keeps_old)
        leave_empty(remap);
    else if (remap->old_length)
        (void)do_munmap(mm, remap->old, remap->old_length);
    return remap->new;

rejoin_and_fail:
    if (is_middle)
        rejoin(mm, old_end);
    if (is_taken_out)
        put_locked_part_back(vma_lookup(mm, remap->old));
no_memory:
    vm_unacct_memory(mm, charge);
    return FAIL(ENOMEM);
}

/* ---- the checks ---- */

/* The VMA at the old place if it may get the new length, else an error pointer. */
static struct vm_area_struct *vma_to_resize(const struct remap *remap)
{
    struct mm_struct *mm = remap->mm;
    struct vm_area_struct *vma = vma_lookup(mm, remap->old);

    if (!vma)
        return ERR_PTR(-EFAULT);
    if (!remap->old_length && !(vma->vm_flags & VM_MAYSHARE))
        return ERR_PTR(-EINVAL);
    if ((remap->flags & MREMAP_DONTUNMAP) && (vma->vm_flags & VM_DONTEXPAND))
        return ERR_PTR(-EINVAL);
    if (remap->old_length > vma->vm_end - remap->old)
        return ERR_PTR(-EFAULT);
    if (remap->new_length == remap->old_length)
        return vma;

    unsigned long growth = remap->new_length - remap->old_length;
    if (mlock_future_check(mm, vma->vm_flags, growth))
        return ERR_PTR(-EAGAIN);
    if (!may_expand_vm(mm, vma->vm_flags, growth >> PAGE_SHIFT))
        return ERR_PTR(-ENOMEM);
    return vma;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP: to a place that the program names (or hints at). */
static unsigned long mremap_to(struct remap *remap)
{
    struct mm_struct *mm = remap->mm;
    bool is_fixed = (remap->flags & MREMAP_FIXED) != 0;

    if (!IS_ALIGNED(remap->new, PAGE_SIZE) || remap->new_length > TASK_SIZE ||
        remap->new > TASK_SIZE - remap->new_length)
        return FAIL(EINVAL);
    if (remap->old + remap->old_length > remap->new && remap->new + remap->new_length > remap->old)
        return FAIL(EINVAL);
    if (mm->map_count + 2 >= sysctl_max_map_count - MAPS_FOR_A_MOVE)
        return FAIL(ENOMEM);

    if (is_fixed) {
        int error = do_munmap(mm, remap->new, remap->new_length);
        if (error)
            return FAIL(-error);
    }
    if (remap->old_length > remap->new_length) {
        int error = do_munmap(mm, remap->old + remap->new_length,
                              remap->old_length - remap->new_length);
        if (error)
            return FAIL(-error);
        remap->old_length = remap->new_length;
    }
    struct vm_area_struct *vma = vma_to_resize(remap);
    if (IS_ERR(vma))
        return (unsigned long)PTR_ERR(vma);
    if ((remap->flags & MREMAP_DONTUNMAP) &&
        !may_expand_vm(mm, vma->vm_flags, remap->old_length >> PAGE_SHIFT))
        return FAIL(ENOMEM);

    remap->new = get_unmapped_area(mm, remap->new, remap->new_length, is_fixed ? MAP_FIXED : 0);
    return IS_ERR_VALUE(remap->new) ? remap->new : move_vma(remap, vma);
}

/* True when GROWTH bytes above VMA are free and addressable. */
static bool vma_expandable(struct vm_area_struct *vma, unsigned long growth)
{
    unsigned long end = vma->vm_end + growth;

    if (end < vma->vm_end || find_vma_intersection(vma->vm_mm, vma->vm_end, end))
        return false;
    return !IS_ERR_VALUE(
        get_unmapped_area(vma->vm_mm, vma->vm_start, end - vma->vm_start, MAP_FIXED));
}

/* Grows VMA, which ends where the old range ends, in place. */
static unsigned long grow_in_place(const struct remap *remap, struct vm_area_struct *vma)
{
    struct mm_struct *mm = remap->mm;
    unsigned long start = vma->vm_end, end = remap->old + remap->new_length;
    unsigned long pages = (end - start) >> PAGE_SHIFT;

    if ((vma->vm_flags & VM_ACCOUNT) && vm_acct_memory(mm, pages))
        return FAIL(ENOMEM);
    /* The extension fits its own VMA, so this can't fail; it may join the VMA above, too. */
    vma = vma_merge(mm, vma, start, end, vma->vm_flags, vma, vma->vm_pgoff + vma_pages(vma));
    vm_stat_account(mm, vma->vm_flags, (long)pages);
    if (vma->vm_flags & VM_LOCKED)
        mm->locked_vm += pages;
    return remap->old;
}

static unsigned long mremap_grow(struct remap *remap)
{
    struct vm_area_struct *vma = vma_to_resize(remap);

    if (IS_ERR(vma))
        return (unsigned long)PTR_ERR(vma);
    if (remap->old_length == vma->vm_end - remap->old &&
        vma_expandable(vma, remap->new_length - remap->old_length))
        return grow_in_place(remap, vma);
    if (!(remap->flags & MREMAP_MAYMOVE))
        return FAIL(ENOMEM);
    remap->new = get_unmapped_area(remap->mm, 0, remap->new_length, 0);
    return IS_ERR_VALUE(remap->new) ? remap->new : move_vma(remap, vma);
}

/* Makes the lengths whole huge pages; false when an address lies inside one, or the mapping is to grow. */
static bool round_to_huge_pages(struct remap *remap)
{
    remap->old_length = ALIGN_UP(remap->old_length, HUGE_PAGE_SIZE);
    remap->new_length = ALIGN_UP(remap->new_length, HUGE_PAGE_SIZE);
    return IS_ALIGNED(remap->old | remap->new, HUGE_PAGE_SIZE) && remap->new_length <= remap->old_length;
}

unsigned long do_mremap(struct mm_struct *mm, unsigned long address, unsigned long old_length,
                        unsigned long new_length, unsigned long flags, unsigned long new_address)
{
    struct remap remap = {
        mm, address, PAGE_ALIGN(old_length), new_address, PAGE_ALIGN(new_length), flags,
    };
    bool is_fixed = (flags & MREMAP_FIXED) != 0, may_move = (flags & MREMAP_MAYMOVE) != 0;

    if (flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
        return FAIL(EINVAL);
    if (is_fixed && !may_move)
        return FAIL(EINVAL);
    if ((flags & MREMAP_DONTUNMAP) && (!may_move || old_length != new_length))
        return FAIL(EINVAL);
    if (!IS_ALIGNED(address, PAGE_SIZE) || !remap.new_length)
        return FAIL(EINVAL);

    struct vm_area_struct *vma = vma_lookup(mm, address);
    if (!vma)
        return FAIL(EFAULT);
    if (unlikely(vma->vm_flags & VM_HUGETLB) && !round_to_huge_pages(&remap))
        return FAIL(EINVAL);
    bool is_locked = (vma->vm_flags & VM_LOCKED) != 0;
    unsigned long result;

    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
        result = mremap_to(&remap);
    } else if (remap.old_length >= remap.new_length) {
        int error = remap.old_length == remap.new_length ? 0
                  : do_munmap(mm, address + remap.new_length, remap.old_length - remap.new_length);
        result = error ? FAIL(-error) : address;
    } else {
        result = mremap_grow(&remap);
    }
    /* A locked mapping is resident as a whole: so is what was added. */
    if (is_locked && !IS_ERR_VALUE(result) && remap.new_length > remap.old_length)
        mm_populate(mm, result + remap.old_length, remap.new_length - remap.old_length);
    return result;
}
