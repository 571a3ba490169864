/* The state of a frame, as the allocator writes it: one word that says type, order and users. */
#ifndef MM_PAGE_STATE_H
#define MM_PAGE_STATE_H

#include "mm/page.h"

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

#endif
