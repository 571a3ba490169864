/* Small things around residency that several of the memory calls need; for mm/ only. */
#ifndef MM_UNMAP_H
#define MM_UNMAP_H

#include "mm/mm.h"

/* Which of mm->rss a frame of user memory counts in. */
enum mm_counter page_counter(const struct page *page);

/*
 * Unmaps [start, end), both page-aligned, of which FIRST is the first VMA: do_munmap after its
 * checks. 0 or -ENOMEM.
 */
int unmap_from(struct vm_area_struct *first, unsigned long start, unsigned long end);

/* Raises hiwater_vm and hiwater_rss to what MM has now: before anything is taken from it. */
void update_hiwater(struct mm_struct *mm);

#endif
