/*
 * The index of an address space: a red-black tree of its VMAs that also knows the largest free gap
 * below each node. It answers in O(log n) where an address lies and where there is room.
 *
 * It lags behind the list, by one VMA that is not in it yet and one gap that is not recorded yet:
 * most mappings are short-lived, and most changes of a bound are followed by another of the same
 * one, so most of that work would be undone before anybody looks. Who looks settles it first.
 */
#include "kernel/lib/lab.h"
#include "mm/vma.h"
#include "mm/vma_index.h"

/* ---- what is recorded ---- */

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

/* Brings the records up to date after the gap below VMA changed. */
static void record_gap(struct vm_area_struct *vma)
{
    rb_propagate(&vma->vm_rb, update_largest_gap);
}

/* ---- the tree catches up with the list ---- */

/*
 * Until a VMA is in the tree, the records are as if it were not there, the one of the VMA above it
 * in particular; they have to be right whenever the tree changes its shape, because a rotation
 * brings only the nodes that it moves up to date.
 */
static void index_enter(struct mm_struct *mm, struct vm_area_struct *vma)
{
#if LAB != 2
    struct vm_area_struct *prev = vma->vm_prev, *next = vma->vm_next;

    /* Its place is below one of its neighbours: whichever has that side free. */
    if (next && !next->vm_rb.left) {
        next->vm_prev = vma;
        rb_insert(&mm->mm_rb, &vma->vm_rb, &next->vm_rb, &next->vm_rb.left, update_largest_gap);
        return;
    }
    if (!prev) {
        rb_insert(&mm->mm_rb, &vma->vm_rb, NULL, &mm->mm_rb.node, update_largest_gap);
        return;
    }
    rb_insert(&mm->mm_rb, &vma->vm_rb, &prev->vm_rb, &prev->vm_rb.right, update_largest_gap);
    /*
     * Only then does NEXT's gap shrink: by then VMA's, mostly as large, is recorded above it, and
     * the way up ends early.
     */
    if (next) {
        next->vm_prev = vma;
        record_gap(next);
    }
#endif
    NOT_YET_WRITTEN(2, mm, vma);
}

void vma_index_settle(struct mm_struct *mm)
{
    struct vm_area_struct *unindexed = mm->unindexed, *changed = mm->gap_unrecorded;

    mm->unindexed = mm->gap_unrecorded = NULL;
    if (unindexed && unindexed->vm_next)
        unindexed->vm_next->vm_prev = unindexed->vm_prev;   /* for now */
    if (changed)
        record_gap(changed);
    if (unindexed)
        index_enter(mm, unindexed);
}

void vma_index_change_gap(struct mm_struct *mm, struct vm_area_struct *vma)
{
    vma_index_settle(mm);
    mm->gap_unrecorded = vma;
}

void vma_index_erase(struct mm_struct *mm, struct vm_area_struct *vma, struct vm_area_struct *next)
{
    /*
     * NEXT's gap takes in VMA's: recorded first, it ends the way up early. From a leaf below NEXT
     * the way up begins there anyway.
     */
    if (next && (rb_parent(&vma->vm_rb) != &next->vm_rb || vma->vm_rb.left))
        record_gap(next);
    rb_erase(&mm->mm_rb, &vma->vm_rb, update_largest_gap);
}

/* ---- finding ---- */

#if LAB != 2
static inline struct vm_area_struct *search_tree(struct mm_struct *mm, unsigned long address)
{
    struct vm_area_struct *found = NULL;
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
}

static __attribute__((noinline)) struct vm_area_struct *
settle_and_search(struct mm_struct *mm, unsigned long address)
{
    vma_index_settle(mm);
    return search_tree(mm, address);
}
#endif

/* find_vma for all but its usual case. */
struct vm_area_struct *find_vma_in_index(struct mm_struct *mm, unsigned long address)
{
#if LAB != 2
    struct vm_area_struct *found = mm->mmap_cache;
    /* The last one found or, for those who go up the addresses, the one above it. */
    if (found && address >= found->vm_end)
        found = found->vm_next;
    if (found && vma_is_first_above(found, address))
        return found;
    return unlikely(mm->unindexed) ? settle_and_search(mm, address) : search_tree(mm, address);
#endif
    NOT_YET_WRITTEN(2, mm, address);
}
