/* Small things around residency that several of the memory calls need; for mm/ only. */
#ifndef MM_UNMAP_H
#define MM_UNMAP_H

#include "mm/mm.h"

/* Which of mm->rss a frame of user memory counts in. */
enum mm_counter page_counter(const struct page *page);

/* Raises hiwater_vm and hiwater_rss to what MM has now: before anything is taken from it. */
void update_hiwater(struct mm_struct *mm);

#endif
