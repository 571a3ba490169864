/*
 * What happens to the bytes of a frame when it is given out or taken back: nothing, but in a debug build it is
 * filled with junk both times, and a write to a free frame is found when it is given out again. A host's
 * sanitizer is told in any case.
 */
#ifndef MM_FRAME_POISON_H
#define MM_FRAME_POISON_H

#include "kernel/lib/panic.h"
#include "mm/page.h"

#define POISON_FREE 0x6b6b6b6b6b6b6b6bull       /* in frames that were freed */
#define POISON_FRESH 0xa5a5a5a5a5a5a5a5ull      /* in frames just allocated */
#define POISON_MARK 0x706f69736f6e6500ull       /* in page->private: the frame holds POISON_FREE, and has been */
#define POISON_TYPE 0xffu                       /* of the type in these bits */

#ifdef ZEROPAGE_DEBUG
/* Panics with a sentence about the frame when it is marked as poisoned and is no longer (mm/quarantine.c). */
void frame_check_poison(const struct page *page);

static inline void frame_given_out(struct page *page, unsigned order)
{
    arch_memory_allocated(page_address(page), PAGE_SIZE << order);
    for (unsigned long i = 0; i < 1ul << order; i++) {
        frame_check_poison(page + i);
        page[i].private = 0;
    }
    fill_words(page_address(page), POISON_FRESH, (PAGE_SIZE << order) / 8);
}

static inline void frame_taken_back(struct page *page, unsigned order)
{
    fill_words(page_address(page), POISON_FREE, (PAGE_SIZE << order) / 8);
    for (unsigned long i = 0; i < 1ul << order; i++)
        page[i].private = POISON_MARK | page[i].type;
    arch_memory_freed(page_address(page), PAGE_SIZE << order);
}
#else
static inline void frame_given_out(struct page *page, unsigned order)
{
    arch_memory_allocated(page_address(page), PAGE_SIZE << order);
}

static inline void frame_taken_back(struct page *page, unsigned order)
{
    arch_memory_freed(page_address(page), PAGE_SIZE << order);
}
#endif

#endif
