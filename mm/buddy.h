/*
 * The buddy allocator (Knowlton, "A fast storage allocator", CACM 1965): free blocks of 2^order frames, each aligned
 * to its size. Only mm/page_alloc.c uses it; everybody else calls alloc_pages and free_pages.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "mm/page_alloc.h"

/* In page->order: a frame of a block, free or allocated, that is not the block's first. */
#define PAGE_TAIL 0xff

/* The first 8 bytes of struct page as one word, so that one store says everything about a frame. */
#define PAGE_STATE(type, order, refcount) \
    ((u64)(type) | (u64)(order) << 8 | (u64)(u32)(refcount) << 32)
#define PAGE_STATE_FREE_TAIL PAGE_STATE(PAGE_FREE, PAGE_TAIL, 0)
#define PAGE_STATE_CACHED PAGE_STATE(PAGE_CACHED, 0, 0)

static inline void page_set_state(struct page *page, u64 state)
{
    __builtin_memcpy(page, &state, sizeof(state));
}

static inline u64 page_state(const struct page *page)
{
    u64 state;
    __builtin_memcpy(&state, page, sizeof(state));
    return state;
}

/* Empties all free lists, and the per-CPU list (mm/page_alloc.c). */
void buddy_init(void);
void frame_cache_init(void);

/*
 * The smallest free block of at least 2^MIN frames, cut down to at most 2^MAX; its order in *ORDER. The states of its frames
 * are the caller's to set. NULL: there is none.
 */
struct page *buddy_take(unsigned min, unsigned max, unsigned *order);

/* Frees the frames [first, end) in the largest aligned blocks. Their states are already PAGE_STATE_FREE_TAIL. */
void buddy_free_range(pfn_t first, pfn_t end);

/* Frees one aligned block, whose frames but the first are already PAGE_STATE_FREE_TAIL, and merges it with its buddies. */
void buddy_free(pfn_t pfn, unsigned order);

/* The number of frames in all free blocks. */
unsigned long buddy_frames(void);

/* Checks lists, blocks and states. NULL, or a sentence. */
const char *buddy_audit(void);

#endif
