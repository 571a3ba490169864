/*
 * The VMAs of an address space: a sorted list for walking, and an index (mm/vma_index.c) for
 * finding. This file alone changes bounds and links.
 */
#include "kernel/lib/lab.h"
#include "kernel/lib/panic.h"
#include "mm/filemap.h"
#include "mm/hugetlb.h"
#include "mm/limits.h"
#include "mm/slab.h"
#include "mm/vma.h"
#include "mm/vma_index.h"

static DEFINE_SLAB_CACHE(vma_cache, "vm_area_struct", sizeof(struct vm_area_struct), 8);

/* ---- making and freeing ---- */

struct vm_area_struct *vma_alloc(struct mm_struct *mm, unsigned long start, unsigned long end,
                                 unsigned long vm_flags, unsigned long pgoff)
{
    struct vm_area_struct *vma = slab_alloc(&vma_cache);
    if (unlikely(!vma))
        return NULL;
    /* The links follow when it is linked. */
    vma->vm_start = start;
    vma->vm_end = end;
    vma->vm_mm = mm;
    vma->vm_flags = vm_flags;
    vma->vm_ops = NULL;
    vma->vm_mapping = NULL;
    vma->vm_pgoff = pgoff;
    vma->vm_anon = vma->vm_file = 0;
    list_init(&vma->shared);
    return vma;
}

struct vm_area_struct *vma_dup(const struct vm_area_struct *old, struct mm_struct *mm)
{
    struct vm_area_struct *vma = slab_alloc(&vma_cache);
    if (unlikely(!vma))
        return NULL;
    *vma = *old;
    vma->vm_mm = mm;
    list_init(&vma->shared);
    if (vma->vm_mapping)
        mapping_get(vma->vm_mapping);
    return vma;
}

static inline void free_vma(struct vm_area_struct *vma)
{
    if (unlikely(vma->vm_mapping))
        mapping_put(vma->vm_mapping);
    slab_free(&vma_cache, vma);
}

void vma_free(struct vm_area_struct *vma)
{
    free_vma(vma);
}

/* ---- finding ---- */

struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long address,
                                     struct vm_area_struct **prev)
{
    /* Who asks for the neighbours of a free range has often just found it. */
    struct vm_area_struct *vma = mm->hole_below;
    if (!vma || !vma_is_first_above(vma, address))
        vma = find_vma(mm, address);
    *prev = vma ? vma->vm_prev : vma_last(mm);
    return vma;
}

/* ---- the list ---- */

/*
 * VMA gives up addresses: where mm->hole_below says that nothing large is free, there may be a hole
 * now. Called before the change.
 */
static inline void hole_grows(struct mm_struct *mm, const struct vm_area_struct *vma)
{
    if (!mm->hole_below || vma->vm_start < mm->hole_below->vm_start)
        return;
    /* What goes directly above the hole widens it; what goes higher up makes another. */
    mm->hole_below = vma == mm->hole_below && vma->vm_next ? vma->vm_next : NULL;
}

/* Links VMA between its neighbours. The index is to have room for one that it does not hold. */
static inline void link_between(struct mm_struct *mm, struct vm_area_struct *vma,
                                struct vm_area_struct *prev, struct vm_area_struct *next)
{
#if LAB != 2
    vma->vm_prev = prev;
    vma->vm_next = next;
    if (prev)
        prev->vm_next = vma;
    else
        mm->mmap = vma;
    if (next)
        next->vm_prev = vma;
    mm->unindexed = vma;
    /* What is mapped at the very top of the hole leaves the rest of it below itself. */
    if (next && mm->hole_below == next && vma->vm_end == next->vm_start)
        mm->hole_below = vma;
    mm->map_count++;
    if (vma->vm_mapping)
        list_add_tail(&vma->shared, &vma->vm_mapping->i_mmap);
#endif
    NOT_YET_WRITTEN(2, mm, vma, prev, next);
}

static inline void unlink_vma(struct mm_struct *mm, struct vm_area_struct *vma)
{
#if LAB != 2
    struct vm_area_struct *prev = vma->vm_prev, *next = vma->vm_next;
    bool is_indexed = vma != mm->unindexed;

    if (is_indexed)
        vma_index_settle(mm);
    else
        mm->unindexed = NULL;
    hole_grows(mm, vma);
    if (prev)
        prev->vm_next = next;
    else
        mm->mmap = next;
    if (next)
        next->vm_prev = prev;
    mm->map_count--;
    /* The neighbour above is what the next lookup here will be after. */
    if (mm->mmap_cache == vma)
        mm->mmap_cache = next;
    if (vma->vm_mapping)
        list_del(&vma->shared);
    if (is_indexed)
        vma_index_erase(mm, vma, next);
#endif
    NOT_YET_WRITTEN(2, mm, vma, hole_grows);
}

void vma_absorb(struct vm_area_struct *into, struct vm_area_struct *vma)
{
    struct mm_struct *mm = into->vm_mm;
    struct vm_area_struct *next = vma->vm_next;
    bool is_indexed = vma != mm->unindexed;

    /* The place is taken before it is given up: no gap ever shows, and none has to be recorded. */
    if (into->vm_end <= vma->vm_start) {
        into->vm_end = vma->vm_end;
    } else {
        into->vm_pgoff -= (into->vm_start - vma->vm_start) >> PAGE_SHIFT;
        into->vm_start = vma->vm_start;
    }
    if (!into->vm_anon)
        into->vm_anon = vma->vm_anon;
    unlink_vma(mm, vma);
    free_vma(vma);
    /* But of one that was not in the tree, the record above knows nothing: to it, INTO has just grown. */
    if (!is_indexed && next)
        vma_index_gap_changed(mm, next);
}

static __attribute__((noinline)) void insert_slowly(struct mm_struct *mm,
                                                    struct vm_area_struct *vma,
                                                    struct vm_area_struct *prev,
                                                    struct vm_area_struct *next)
{
    vma_index_make_room(mm);
    link_between(mm, vma, prev, next);
    mm->mmap_cache = vma;
    journal(JOURNAL_VMA_ADD, vma->vm_start, vma->vm_end, vma->vm_flags, vma->vm_pgoff);
}

void insert_vm_struct_between(struct mm_struct *mm, struct vm_area_struct *vma,
                              struct vm_area_struct *prev, struct vm_area_struct *next)
{
    if (mm->unindexed || journal_wants(JOURNAL_VMA_ADD)) {
        insert_slowly(mm, vma, prev, next);
        return;
    }
    link_between(mm, vma, prev, next);
    mm->mmap_cache = vma;
}

void insert_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma)
{
    struct vm_area_struct *prev, *next = find_vma_prev(mm, vma->vm_start, &prev);

    assert(!next || next->vm_start >= vma->vm_end);
    insert_vm_struct_between(mm, vma, prev, next);
}

static __attribute__((noinline)) void delete_slowly(struct vm_area_struct *vma)
{
    unlink_vma(vma->vm_mm, vma);
    journal(JOURNAL_VMA_DELETE, vma->vm_start, vma->vm_end, vma->vm_flags, vma->vm_pgoff);
    free_vma(vma);
}

void delete_vm_struct(struct vm_area_struct *vma)
{
    if (vma != vma->vm_mm->unindexed || journal_wants(JOURNAL_VMA_DELETE)) {
        delete_slowly(vma);
        return;
    }
    unlink_vma(vma->vm_mm, vma);
    free_vma(vma);
}

/* ---- bounds and flags ---- */

static inline void move_start(struct vm_area_struct *vma, unsigned long start)
{
    if (start == vma->vm_start)
        return;
    if (start > vma->vm_start && vma != vma->vm_mm->hole_below)
        hole_grows(vma->vm_mm, vma);
    vma->vm_pgoff += (unsigned long)((long)(start - vma->vm_start) >> PAGE_SHIFT);
    vma->vm_start = start;
    vma_index_gap_changed(vma->vm_mm, vma);
}

static inline void move_end(struct vm_area_struct *vma, unsigned long end)
{
    if (end == vma->vm_end)
        return;
    if (end < vma->vm_end)
        hole_grows(vma->vm_mm, vma);
    vma->vm_end = end;
    if (vma->vm_next)
        vma_index_gap_changed(vma->vm_mm, vma->vm_next);
}

void vma_move_start(struct vm_area_struct *vma, unsigned long start)
{
    move_start(vma, start);
}

void vma_move_end(struct vm_area_struct *vma, unsigned long end)
{
    move_end(vma, end);
}

static void journal_change(const struct vm_area_struct *vma, unsigned long start, unsigned long end,
                           unsigned long flags)
{
    journal(JOURNAL_VMA_CHANGE, start, end, flags, vma->vm_start, vma->vm_end, vma->vm_flags);
}

static __attribute__((noinline)) void set_bounds_and_record(struct vm_area_struct *vma,
                                                            unsigned long start, unsigned long end)
{
    unsigned long old_start = vma->vm_start, old_end = vma->vm_end;

    if (start != old_start)
        vma_move_start(vma, start);
    if (end != old_end)
        vma_move_end(vma, end);
    journal_change(vma, old_start, old_end, vma->vm_flags);
}

void vma_set_start(struct vm_area_struct *vma, unsigned long start)
{
    if (journal_wants(JOURNAL_VMA_CHANGE))
        set_bounds_and_record(vma, start, vma->vm_end);
    else
        move_start(vma, start);
}

void vma_set_end(struct vm_area_struct *vma, unsigned long end)
{
    if (journal_wants(JOURNAL_VMA_CHANGE))
        set_bounds_and_record(vma, vma->vm_start, end);
    else
        move_end(vma, end);
}

void vma_set_flags(struct vm_area_struct *vma, unsigned long vm_flags)
{
    unsigned long old = vma->vm_flags;
    vma->vm_flags = vm_flags;
    journal_change(vma, vma->vm_start, vma->vm_end, old);
}

/* ---- splitting ---- */

int __split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address,
                bool new_below)
{
#if LAB != 2
    assert(vma->vm_start < address && address < vma->vm_end);

    struct vm_area_struct *new = vma_dup(vma, mm);
    if (!new)
        return -ENOMEM;
    journal(JOURNAL_VMA_SPLIT, vma->vm_start, vma->vm_end, vma->vm_flags, address);

    /*
     * VMA gives way only when the other part is linked: so no gap ever shows between the two, and
     * none has to be recorded.
     */
    unsigned long pages_below = (address - vma->vm_start) >> PAGE_SHIFT;
    if (new_below) {
        new->vm_end = address;
        vma_index_make_room(mm);
        link_between(mm, new, vma->vm_prev, vma);
        vma->vm_start = address;
        vma->vm_pgoff += pages_below;
    } else {
        new->vm_start = address;
        new->vm_pgoff += pages_below;
        vma_index_make_room(mm);
        link_between(mm, new, vma, vma->vm_next);
        vma->vm_end = address;
    }
    return 0;
#endif
    NOT_YET_WRITTEN(2, mm, vma, address, new_below);
}

int split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address,
              bool new_below)
{
    if (mm->map_count >= sysctl_max_map_count)
        return -ENOMEM;
    if (unlikely(!hugetlb_may_split(vma, address)))
        return -EINVAL;
    return __split_vma(mm, vma, address, new_below);
}
