/*
 * The buddy allocator (Knowlton, "A fast storage allocator", CACM 1965): free blocks of 2^order frames, each
 * aligned to its size. Only mm/page_alloc.c uses it; everybody else calls alloc_pages and free_pages.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "mm/page_alloc.h"

/* Empties all free lists, and the per-CPU list (mm/page_alloc.c). */
void buddy_init(void);
void frame_cache_init(void);

/*
 * The smallest free block of at least 2^MIN frames, cut down to at most 2^MAX; its order in *ORDER. The states
 * of its frames are the caller's to set. NULL: there is none.
 */
struct page *buddy_take(unsigned min, unsigned max, unsigned *order);

/* Frees the frames [first, end) in the largest aligned blocks. Their states are already PAGE_STATE_FREE_TAIL. */
void buddy_free_range(pfn_t first, pfn_t end);

/*
 * Frees one aligned block, whose frames but the first are already PAGE_STATE_FREE_TAIL, and merges it with its
 * buddies.
 */
void buddy_free(pfn_t pfn, unsigned order);

/* The number of frames in all free blocks. */
unsigned long buddy_frames(void);

/* Checks lists, blocks and states. NULL, or a sentence. */
const char *buddy_audit(void);

#endif
