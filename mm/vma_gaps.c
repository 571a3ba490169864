/*
 * The search for a free range: down from the top for mmap, up from the bottom for MAP_32BIT and as
 * a last resort.
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/lab.h"
#include "mm/unmapped_area.h"
#include "mm/vma.h"
#include "mm/vma_index.h"

#ifdef ZEROPAGE_HOST
unsigned long vma_steps;
#endif

/* The window that is searched: a range of LENGTH bytes in [low, high). */
struct window {
    unsigned long length, low, high;
};

/*
 * The part of the gap below VMA, of which the topmost GUARD bytes are to stay free, that lies in
 * WINDOW: true when the length fits in.
 */
static inline bool gap_fits(const struct vm_area_struct *vma, unsigned long guard,
                            const struct window *window, unsigned long *start, unsigned long *end)
{
    unsigned long floor = vma->vm_prev ? vma->vm_prev->vm_end : 0;
    unsigned long ceiling = vma->vm_start > guard ? vma->vm_start - guard : 0;

    *start = MAX(floor, window->low);
    *end = MIN(ceiling, window->high);
    return *end > *start && *end - *start >= window->length;
}

static inline unsigned long guard_gap(const struct vm_area_struct *vma)
{
    return vma->vm_flags & VM_GROWSDOWN ? STACK_GUARD_GAP : 0;
}

static inline bool subtree_fits(const struct rb_node *node, const struct window *window)
{
    return node && rb_vma(node)->rb_subtree_gap >= MIN(window->length, GAP_RECORDED_MAX);
}

#if LAB != 2
/*
 * Both searches walk the tree in address order (from the top, or from the bottom), go down only
 * into subtrees with a large enough gap, and leave out what lies wholly outside the window. The
 * answer is the VMA above the free range; NULL when only the room above all VMAs is left, or none.
 */
static struct vm_area_struct *search_downwards(struct mm_struct *mm, const struct window *window)
{
    struct rb_node *node = mm->mm_rb.node;
    unsigned long start, end;

    if (!subtree_fits(node, window))
        return NULL;
    for (;;) {
        /* Go up the addresses as far as there is hope. */
        while (rb_vma(node)->vm_end < window->high && subtree_fits(node->right, window)) {
            node = node->right;
            count_vma_step();
        }
        /* This gap, or the subtree below it, or the nearest ancestor that lies below. */
        for (;;) {
            struct vm_area_struct *vma = rb_vma(node);
            count_vma_step();
            if (gap_fits(vma, 0, window, &start, &end))
                return vma;
            if (vma->vm_start <= window->low)
                return NULL;
            if (subtree_fits(node->left, window)) {
                node = node->left;
                break;
            }
            struct rb_node *child;
            do {
                child = node;
                node = rb_parent(node);
                if (!node)
                    return NULL;
            } while (child == node->left);
        }
    }
}
#endif

/*
 * As Linux does it: the highest hole that is long enough, whatever lies above it. If that is a
 * growing stack whose guard gap the range would touch, the search begins again below the guard gap,
 * so all that lies within the gap is passed over, other mappings' holes included.
 */
unsigned long vm_unmapped_area_topdown(struct mm_struct *mm, unsigned long length,
                                       unsigned long low, unsigned long high)
{
#if LAB != 2
    struct window window = { length, low, high };
    struct vm_area_struct *vma = mm->hole_below;
    bool remembers = high == mm->mmap_base;
    unsigned long start, end;

    if (vma && remembers && length >= mm->hole_above && gap_fits(vma, 0, &window, &start, &end) &&
        end <= vm_start_gap(vma))
        return end - length;

    vma_index_settle(mm);
    struct vm_area_struct *last = vma_last(mm);
    for (;; window.high = vm_start_gap(vma)) {
        if (low >= window.high || window.high - low < length)
            return (unsigned long)-ENOMEM;
        start = last ? MAX(last->vm_end, low) : low;
        if (start < window.high && window.high - start >= length)
            return window.high - length;

        vma = search_downwards(mm, &window);
        if (!vma)
            return (unsigned long)-ENOMEM;
        (void)gap_fits(vma, 0, &window, &start, &end);
        if (end <= vm_start_gap(vma))
            break;
    }
    if (remembers && window.high == high) {
        mm->hole_below = vma;
        mm->hole_above = length;
    }
    return end - length;
#endif
    NOT_YET_WRITTEN(2, mm, length, low, high);
}

unsigned long vm_unmapped_area_bottomup(struct mm_struct *mm, unsigned long length,
                                        unsigned long low, unsigned long high)
{
    const struct window window = { length, low, high };
    unsigned long start, end;

    if (low >= high || high - low < length)
        return (unsigned long)-ENOMEM;

    vma_index_settle(mm);
    struct rb_node *node = mm->mm_rb.node;
    while (subtree_fits(node, &window)) {
        /* Go down the addresses as far as there is hope. */
        while (rb_vma(node)->vm_start > low && subtree_fits(node->left, &window)) {
            node = node->left;
            count_vma_step();
        }
        for (;;) {
            struct vm_area_struct *vma = rb_vma(node);
            count_vma_step();
            if (gap_fits(vma, guard_gap(vma), &window, &start, &end))
                return start;
            if (vma->vm_end >= high)
                return (unsigned long)-ENOMEM;
            if (subtree_fits(node->right, &window)) {
                node = node->right;
                break;
            }
            struct rb_node *child;
            do {
                child = node;
                node = rb_parent(node);
                if (!node)
                    goto above_all;
            } while (child == node->right);
        }
    }
above_all:;
    struct vm_area_struct *last = vma_last(mm);
    start = last ? MAX(last->vm_end, low) : low;
    return start < high && high - start >= length ? start : (unsigned long)-ENOMEM;
}
