/*
 * The VMAs of an address space: finding, making, merging and splitting them. mm/vma.c is the only
 * place that changes bounds, links and the index.
 */
#ifndef MM_VMA_H
#define MM_VMA_H

#include "mm/mm.h"

/*
 * The first VMA with vm_end > ADDRESS (it need not contain it), or NULL. Remembers it in
 * mmap_cache.
 */
static inline struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address)
{
    struct vm_area_struct *find_vma_in_index(struct mm_struct *, unsigned long);
    struct vm_area_struct *last = mm->mmap_cache;

    if (likely(last && vma_contains(last, address)))
        return last;
    return find_vma_in_index(mm, address);
}

/* As find_vma; *PREV is the VMA before the result (or the last one), or NULL. */
struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long address,
                                     struct vm_area_struct **prev);

/* The first VMA that overlaps [start, end), or NULL. */
static inline struct vm_area_struct *find_vma_intersection(struct mm_struct *mm,
                                                           unsigned long start, unsigned long end)
{
    struct vm_area_struct *vma = find_vma(mm, start);
    return vma && vma->vm_start < end ? vma : NULL;
}

/*
 * A VMA for [start, end) that belongs to no list yet and maps no object, or NULL. vma_free() drops
 * its reference to vm_mapping.
 */
struct vm_area_struct *vma_alloc(struct mm_struct *mm, unsigned long start, unsigned long end,
                                 unsigned long vm_flags, unsigned long pgoff);
void vma_free(struct vm_area_struct *vma);

/* Puts a VMA, whose range must be free, into list, index and its mapping's list. */
void insert_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma);

/* The same when the caller knows the neighbours (each may be NULL): without a search. */
void insert_vm_struct_between(struct mm_struct *mm, struct vm_area_struct *vma,
                              struct vm_area_struct *prev, struct vm_area_struct *next);

/* Takes it out of all three and frees it. */
void delete_vm_struct(struct vm_area_struct *vma);

/* Moves a bound without overlapping a neighbour. START also moves vm_pgoff. */
void vma_set_start(struct vm_area_struct *vma, unsigned long start);
void vma_set_end(struct vm_area_struct *vma, unsigned long end);

/*
 * Makes VMA end (or, with NEW_BELOW, begin) at ADDRESS, strictly inside it, and creates another VMA
 * for the rest. split_vma refuses with -ENOMEM when the map count limit is reached and with -EINVAL
 * inside a huge page; __split_vma does not look. -ENOMEM or 0; nothing changes on failure.
 */
int split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address,
              bool new_below);
int __split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address,
                bool new_below);

/*
 * Tries to serve [start, end) with VM_FLAGS by extending a neighbour of it: PREV is the VMA before
 * START (or NULL), or the one whose tail the range is. The range may be free or be covered by one
 * VMA (for mprotect, madvise, mlock). In all else, but for its page offset PGOFF, the range is like
 * the VMA LIKE: object, open file, family of pages. Returns the merged VMA, or NULL when nothing
 * can be merged. Never fails otherwise. Linux's cases 1 to 8.
 */
struct vm_area_struct *vma_merge(struct mm_struct *mm, struct vm_area_struct *prev,
                                 unsigned long start, unsigned long end, unsigned long vm_flags,
                                 const struct vm_area_struct *like, unsigned long pgoff);

/*
 * As vma_merge, for a range between PREV and NEXT (each may be NULL) that is free and gets a new
 * mapping of SOURCE (NULL: anonymous): where the neighbours can't be joined with each other,
 * Linux's mmap prefers the one above.
 */
struct vm_area_struct *vma_expand(struct vm_area_struct *prev, struct vm_area_struct *next,
                                  unsigned long start, unsigned long end, unsigned long vm_flags,
                                  const struct mmap_source *source, unsigned long pgoff);

/*
 * Makes [start, end), which lies within VMA, a VMA with VM_FLAGS: by merging it into a neighbour
 * (PREV as for vma_merge) or by splitting it off. Returns the VMA that then holds the range; or
 * NULL with *ERROR = -ENOMEM (no memory, or the map count limit), nothing changed.
 */
struct vm_area_struct *vma_isolate(struct vm_area_struct *vma, struct vm_area_struct *prev,
                                   unsigned long start, unsigned long end, unsigned long vm_flags,
                                   int *error);

/*
 * True when PREV, which ends at START, can simply grow to take in new anonymous memory with
 * VM_FLAGS: for brk.
 */
static inline bool vma_can_grow(const struct vm_area_struct *prev, unsigned long start,
                                unsigned long vm_flags)
{
    return prev->vm_end == start && prev->vm_flags == vm_flags && !prev->vm_mapping &&
           !prev->vm_file && !(prev->vm_anon & VM_ANON_INHERITED) &&
           vma_page_index(prev, start) == start >> PAGE_SHIFT;
}

/* Gives VMA the family of a neighbour that it may merge with one day, or a new one. */
void vma_prepare_anon_slow(struct vm_area_struct *vma);
static inline void vma_prepare_anon(struct vm_area_struct *vma)
{
    if (unlikely(!vma->vm_anon))
        vma_prepare_anon_slow(vma);
}

/* The family of a VMA that fork makes from one whose family is not 0. */
u32 vma_inherited_anon(void);

/*
 * A VMA not yet in any list with OLD's range, flags, mapping (with a reference of its own), offset
 * and family; NULL: no memory.
 */
struct vm_area_struct *vma_dup(const struct vm_area_struct *old, struct mm_struct *mm);

/* Changes the flags and nothing else. */
void vma_set_flags(struct vm_area_struct *vma, unsigned long vm_flags);

/* Where a VMA's reach begins: STACK_GUARD_GAP below vm_start for one that grows down. */
static inline unsigned long vm_start_gap(const struct vm_area_struct *vma)
{
    if (likely(!(vma->vm_flags & VM_GROWSDOWN)))
        return vma->vm_start;
    return vma->vm_start > STACK_GUARD_GAP ? vma->vm_start - STACK_GUARD_GAP : 0;
}

/*
 * Checks list, index, gaps and counts of MM. NULL, or a sentence about the first finding (valid
 * until the next call).
 */
const char *vma_audit(struct mm_struct *mm);

#endif
