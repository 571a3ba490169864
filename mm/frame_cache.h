/*
 * The per-CPU list of single frames, and the short way to take one: inline, for a page fault has no
 * instruction to spare. Only mm/page_alloc.h includes this.
 */
#ifndef MM_FRAME_CACHE_H
#define MM_FRAME_CACHE_H

#include "kernel/trace/journal.h"
#include "mm/frame_poison.h"
#include "mm/page_state.h"

#define CACHE_FRAMES 2048   /* in the list, at most */

/* A stack. TOP is the first unused place; below it lies the frame that is given out next. */
struct frame_cache {
    struct page **top;
    struct page *frames[CACHE_FRAMES];
};
extern struct frame_cache frame_cache;

/* The usual case: one frame, there are enough, the list has one, nobody takes notes. */
static inline bool alloc_is_simple(void)
{
    return likely(!allocations_may_fail() && frame_counts[PAGE_FREE] > reserve_frames &&
                  frame_cache.top != frame_cache.frames && !journal_wants(JOURNAL_FRAME_ALLOC));
}

/* Takes the topmost frame as one of TYPE, reference count 1. Only after alloc_is_simple(). */
static inline struct page *alloc_simply(enum page_type type)
{
    struct page *page = *--frame_cache.top;

    page_set_state(page, PAGE_STATE(type, 0, 1));
    frame_counts[PAGE_FREE]--;
    frame_counts[type]++;
    frame_given_out(page, 0);
    return page;
}

#endif
