/*
 * The VMAs of an address space: a sorted list for walking, and a red-black tree that also knows the
 * largest free gap below each node, for finding. This file alone changes bounds, links and the
 * index.
 */
#include "kernel/lib/lab.h"
#include "kernel/lib/panic.h"
#include "mm/filemap.h"
#include "mm/limits.h"
#include "mm/slab.h"
#include "mm/vma_index.h"

static DEFINE_SLAB_CACHE(vma_cache, "vm_area_struct", sizeof(struct vm_area_struct), 8);

/* ---- making and freeing ---- */

struct vm_area_struct *vma_alloc(struct mm_struct *mm)
{
    struct vm_area_struct *vma = slab_alloc(&vma_cache);
    if (unlikely(!vma))
        return NULL;
    /* The links follow when it is linked. */
    vma->vm_start = vma->vm_end = 0;
    vma->vm_mm = mm;
    vma->vm_flags = 0;
    vma->vm_ops = NULL;
    vma->vm_mapping = NULL;
    vma->vm_pgoff = 0;
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

void vma_free(struct vm_area_struct *vma)
{
    if (vma->vm_mapping)
        mapping_put(vma->vm_mapping);
    slab_free(&vma_cache, vma);
}

/* ---- finding ---- */

/*
 * True when VMA is the answer to find_vma(ADDRESS): it ends above ADDRESS, and the one before it
 * does not.
 */
static inline bool is_first_above(const struct vm_area_struct *vma, unsigned long address)
{
    if (address >= vma->vm_end)
        return false;
    return vma->vm_start <= address || !vma->vm_prev || vma->vm_prev->vm_end <= address;
}

/* find_vma for all but its usual case. */
struct vm_area_struct *find_vma_in_index(struct mm_struct *mm, unsigned long address)
{
#if LAB != 2
    struct vm_area_struct *found = mm->mmap_cache;
    /* The last one found or, for those who go up the addresses, the one above it. */
    if (found && address >= found->vm_end)
        found = found->vm_next;
    if (found && is_first_above(found, address))
        return found;

    found = NULL;
    struct rb_node *node = mm->mm_rb.node;
    while (node) {
        struct vm_area_struct *vma = rb_vma(node);
        count_vma_step();
        if (address < vma->vm_end) {
            found = vma;
            if (vma->vm_start <= address)
                break;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    if (found)
        mm->mmap_cache = found;
    return found;
#endif
    NOT_YET_WRITTEN(2, mm, address);
}

struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long address,
                                     struct vm_area_struct **prev)
{
    /* Who asks for the neighbours of a free range has often just found it. */
    struct vm_area_struct *vma = mm->hole_below;
    if (!vma || !is_first_above(vma, address))
        vma = find_vma(mm, address);
    *prev = vma ? vma->vm_prev : vma_last(mm);
    return vma;
}

/* ---- the list and the index ---- */

/*
 * The free gap just below VMA; the guard gap of a growing stack is the search's business (see
 * vma_gaps.c). Recorded up to GAP_RECORDED_MAX only: then the usual change, a mapping more or less
 * beside the vast gap between heap and mmap area, changes no record on the way to the root. A
 * search for more than that looks at each larger gap itself, of which the address space has room
 * for 128.
 */
static inline unsigned long gap_below(const struct vm_area_struct *vma)
{
    unsigned long floor = vma->vm_prev ? vma->vm_prev->vm_end : 0;
    unsigned long gap = vma->vm_start - floor;

    /* While a VMA is being split its halves overlap. */
    if (unlikely((long)gap < 0))
        gap = 0;
    return MIN(gap, GAP_RECORDED_MAX);
}

static inline unsigned long subtree_gap(const struct rb_node *node)
{
    return node ? rb_vma(node)->rb_subtree_gap : 0;
}

unsigned long vma_largest_gap(const struct vm_area_struct *vma)
{
    unsigned long gap = gap_below(vma);
    unsigned long left = subtree_gap(vma->vm_rb.left), right = subtree_gap(vma->vm_rb.right);

    gap = MAX(gap, left);
    return MAX(gap, right);
}

/* What the tree calls when the nodes below NODE changed: true when the largest gap did. */
static bool update_largest_gap(struct rb_node *node)
{
    struct vm_area_struct *vma = rb_vma(node);
    unsigned long gap = vma_largest_gap(vma);
    bool changed = gap != vma->rb_subtree_gap;

    vma->rb_subtree_gap = gap;
    return changed;
}

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

/* Brings the records up to date after the gap below VMA changed. */
static inline void gap_changed(struct vm_area_struct *vma)
{
    if (update_largest_gap(&vma->vm_rb))
        rb_propagate(rb_parent(&vma->vm_rb), update_largest_gap);
}

/*
 * Links VMA between its neighbours. In the tree its place is below one of them: whichever has that
 * side free. Only then does NEXT's gap shrink: by then VMA's gap, mostly as large, is recorded
 * above it, and the way up ends early.
 */
static __always_inline_fn void link_between(struct mm_struct *mm, struct vm_area_struct *vma,
                                            struct vm_area_struct *prev,
                                            struct vm_area_struct *next)
{
#if LAB != 2
    struct rb_node *parent = NULL, **link = &mm->mm_rb.node;

    vma->vm_prev = prev;
    vma->vm_next = next;
    if (prev)
        prev->vm_next = vma;
    else
        mm->mmap = vma;
    if (next && !next->vm_rb.left) {
        parent = &next->vm_rb;
        link = &parent->left;
    } else if (prev) {
        parent = &prev->vm_rb;
        link = &parent->right;
    }
    bool insertion_updates_next = next && parent == &next->vm_rb;
    if (insertion_updates_next)
        next->vm_prev = vma;
    rb_insert(&mm->mm_rb, &vma->vm_rb, parent, link, update_largest_gap);
    if (next && !insertion_updates_next) {
        next->vm_prev = vma;
        gap_changed(next);
    }
    /* What is mapped at the very top of the hole leaves the rest of it below itself. */
    if (next && mm->hole_below == next && vma->vm_end == next->vm_start)
        mm->hole_below = vma;
    mm->map_count++;
    if (vma->vm_mapping)
        list_add_tail(&vma->shared, &vma->vm_mapping->i_mmap);
#endif
    NOT_YET_WRITTEN(2, mm, vma, prev, next);
}

void vma_unlink(struct mm_struct *mm, struct vm_area_struct *vma)
{
#if LAB != 2
    struct vm_area_struct *prev = vma->vm_prev, *next = vma->vm_next;

    hole_grows(mm, vma);
    if (prev)
        prev->vm_next = next;
    else
        mm->mmap = next;
    if (next) {
        next->vm_prev = prev;
        /* A leaf below NEXT: the way up begins there anyway. */
        if (rb_parent(&vma->vm_rb) != &next->vm_rb || vma->vm_rb.left)
            gap_changed(next);
    }
    rb_erase(&mm->mm_rb, &vma->vm_rb, update_largest_gap);
    mm->map_count--;
    /* The neighbour above is what the next lookup here will be after. */
    if (mm->mmap_cache == vma)
        mm->mmap_cache = next;
    if (vma->vm_mapping)
        list_del(&vma->shared);
#endif
    NOT_YET_WRITTEN(2, mm, vma);
}

void insert_vm_struct_between(struct mm_struct *mm, struct vm_area_struct *vma,
                              struct vm_area_struct *prev, struct vm_area_struct *next)
{
    link_between(mm, vma, prev, next);
    mm->mmap_cache = vma;
    journal(JOURNAL_VMA_ADD, vma->vm_start, vma->vm_end, vma->vm_flags, vma->vm_pgoff);
}

void insert_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma)
{
    struct vm_area_struct *prev, *next = find_vma_prev(mm, vma->vm_start, &prev);

    assert(!next || next->vm_start >= vma->vm_end);
    insert_vm_struct_between(mm, vma, prev, next);
}

void remove_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma)
{
    vma_unlink(mm, vma);
    journal(JOURNAL_VMA_DELETE, vma->vm_start, vma->vm_end, vma->vm_flags, vma->vm_pgoff);
}

/* ---- bounds and flags ---- */

void vma_move_start(struct vm_area_struct *vma, unsigned long start)
{
    if (start > vma->vm_start && vma != vma->vm_mm->hole_below)
        hole_grows(vma->vm_mm, vma);
    vma->vm_pgoff += (unsigned long)((long)(start - vma->vm_start) >> PAGE_SHIFT);
    vma->vm_start = start;
    gap_changed(vma);
}

void vma_move_end(struct vm_area_struct *vma, unsigned long end)
{
    if (end < vma->vm_end)
        hole_grows(vma->vm_mm, vma);
    vma->vm_end = end;
    if (vma->vm_next)
        gap_changed(vma->vm_next);
}

static void journal_change(const struct vm_area_struct *vma, unsigned long start, unsigned long end,
                           unsigned long flags)
{
    journal(JOURNAL_VMA_CHANGE, start, end, flags, vma->vm_start, vma->vm_end, vma->vm_flags);
}

void vma_set_start(struct vm_area_struct *vma, unsigned long start)
{
    unsigned long old = vma->vm_start;
    vma_move_start(vma, start);
    journal_change(vma, old, vma->vm_end, vma->vm_flags);
}

void vma_set_end(struct vm_area_struct *vma, unsigned long end)
{
    unsigned long old = vma->vm_end;
    vma_move_end(vma, end);
    journal_change(vma, vma->vm_start, old, vma->vm_flags);
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
        link_between(mm, new, vma->vm_prev, vma);
        vma->vm_start = address;
        vma->vm_pgoff += pages_below;
    } else {
        new->vm_start = address;
        new->vm_pgoff += pages_below;
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
    return __split_vma(mm, vma, address, new_below);
}
