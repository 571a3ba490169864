/*
 * Between the files that keep the VMA index (vma.c, vma_merge.c, vma_gaps.c, vma_audit.c); nobody
 * else includes this.
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

/* What VMA's rb_subtree_gap has to be, from its own gap and its children's values. */
unsigned long vma_largest_gap(const struct vm_area_struct *vma);

/*
 * Moving bounds and taking out, without a word in the journal: for merges and splits, which have
 * events of their own.
 */
void vma_move_start(struct vm_area_struct *vma, unsigned long start);
void vma_move_end(struct vm_area_struct *vma, unsigned long end);
void vma_unlink(struct mm_struct *mm, struct vm_area_struct *vma);

#endif
