/*
 * Between the files that keep the VMA index (vma.c, vma_index.c, vma_merge.c, vma_gaps.c,
 * vma_audit.c); nobody else includes this.
 */
#ifndef MM_VMA_INDEX_H
#define MM_VMA_INDEX_H

#include "kernel/trace/journal.h"
#include "mm/mm.h"

static inline struct vm_area_struct *rb_vma(const struct rb_node *node)
{
    return container_of(node, struct vm_area_struct, vm_rb);
}

/* The VMA with the highest address, or NULL. O(log n). */
static inline struct vm_area_struct *vma_last(const struct mm_struct *mm)
{
    struct rb_node *node = mm->mm_rb.node;
    if (mm->unindexed && !mm->unindexed->vm_next)
        return mm->unindexed;   /* GCOVR_EXCL_LINE: who asks today has searched before, which settles the index */
    if (!node)
        return NULL;
    while (node->right)
        node = node->right;
    return rb_vma(node);
}

/*
 * Host tests count the tree nodes that lookups and searches visit: the proof that they are O(log
 * n).
 */
#ifdef ZEROPAGE_HOST
extern unsigned long vma_steps;
#define count_vma_step() ((void)vma_steps++)
#else
#define count_vma_step() ((void)0)
#endif

/*
 * Gaps are recorded up to this size: there can't be more larger ones than fit into the user half.
 */
#define GAP_RECORDED_MAX (1ul << 40)

/*
 * True when VMA is the answer to find_vma(ADDRESS): it ends above ADDRESS, and the one before it
 * does not.
 */
static inline bool vma_is_first_above(const struct vm_area_struct *vma, unsigned long address)
{
    if (address >= vma->vm_end)
        return false;
    return vma->vm_start <= address || !vma->vm_prev || vma->vm_prev->vm_end <= address;
}

/* ---- the tree, which lags behind the list (mm/vma_index.c) ---- */

/* Enters the VMA that is missing, and records the gap that has changed. */
void vma_index_settle(struct mm_struct *mm);

/* Settles; now the gap that has changed is the one below VMA. */
void vma_index_change_gap(struct mm_struct *mm, struct vm_area_struct *vma);

/*
 * Takes VMA out, which is in the tree and no longer in the list. NEXT (or NULL) was above it. All
 * is settled.
 */
void vma_index_erase(struct mm_struct *mm, struct vm_area_struct *vma, struct vm_area_struct *next);

/* The list is about to get a VMA that mm->unindexed will name: the one before it has to go in. */
static inline void vma_index_make_room(struct mm_struct *mm)
{
    if (mm->unindexed)
        vma_index_settle(mm);
}

/* The gap below VMA has changed: the record follows later. */
static inline void vma_index_gap_changed(struct mm_struct *mm, struct vm_area_struct *vma)
{
    /* What is not in the tree has no record; the one above it counts its gap, too. */
    if (unlikely(vma == mm->unindexed))
        vma = vma->vm_next;
    if (vma == mm->gap_unrecorded || !vma)
        return;
    if (mm->gap_unrecorded)
        vma_index_change_gap(mm, vma);
    else
        mm->gap_unrecorded = vma;
}

/* What VMA's rb_subtree_gap has to be, from its own gap and its children's values. */
unsigned long vma_largest_gap(const struct vm_area_struct *vma);

/*
 * Moving bounds and taking out, without a word in the journal: for merges and splits, which have
 * events of their own.
 */
void vma_move_start(struct vm_area_struct *vma, unsigned long start);
void vma_move_end(struct vm_area_struct *vma, unsigned long end);

/*
 * INTO, the VMA next to VMA, takes over its place (and what lies free between the two), and its
 * family if it has none; VMA is taken out and freed.
 */
void vma_absorb(struct vm_area_struct *into, struct vm_area_struct *vma);

#endif
