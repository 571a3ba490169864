/* The frame allocator: a buddy allocator with a per-CPU list of single frames in front. */
#ifndef MM_PAGE_ALLOC_H
#define MM_PAGE_ALLOC_H

#include "mm/frame_poison.h"
#include "mm/page_state.h"

#define MAX_ORDER 10    /* the largest block is 2^10 frames: 4 MiB */

/*
 * Sets up mem_map over [0, MAX_PFN) and the free lists from memblock (mm/memblock.h): every frame that memblock
 * knows as memory and has not handed out becomes free. Costs a few instructions per frame.
 */
void page_alloc_init(void);

/*
 * 2^ORDER contiguous frames, reference count 1, contents undefined. NULL when there are none. May dip into the
 * reserve only for the kernel's own types (PAGE_TABLE, PAGE_SLAB, PAGE_KERNEL); user frames leave
 * `reserve_frames` untouched.
 */
struct page *alloc_pages(unsigned order, enum page_type type);

/* The same for one frame: the fast path. */
struct page *alloc_page(enum page_type type);

/* One frame, zeroed. */
struct page *alloc_zeroed_page(enum page_type type);

/* Gives back what alloc_pages returned, whatever its reference count. ORDER is the one it was allocated with. */
void free_pages(struct page *page, unsigned order);

/*
 * Frees many frames of type PAGE_ANON one after the other: neighbours are collected and go back as whole
 * blocks. Begin with an empty run (= { NULL, NULL }), end with free_run. In between, frame_counts lags behind.
 */
struct frame_run {
    struct page *first, *end;   /* [first, end) are no longer in use, but not free yet */
};

void free_in_run_slowly(struct frame_run *run, struct page *page);
void free_run(struct frame_run *run);

static inline void free_in_run(struct frame_run *run, struct page *page)
{
    if (unlikely(page != run->end)) {
        free_in_run_slowly(run, page);
        return;
    }
    frame_taken_back(page, 0);
    page_set_state(page, PAGE_STATE_FREE_TAIL);
    run->end++;
}

/* How many frames there are of each type, kept up to date; [PAGE_FREE] includes those of the per-CPU list. */
extern unsigned long frame_counts[PAGE_TYPES];

/*
 * Frames handed to the allocator at boot plus those the kernel holds since: what /proc/meminfo calls MemTotal,
 * in frames.
 */
extern unsigned long total_frames;

/* Frames that only the kernel's own work may take. Set at boot from the size of memory. */
extern unsigned long reserve_frames;

/*
 * Fault injection, on the host and in the debug build: when non-zero, counts down at every allocation of a frame or a slab object
 * and makes the one at which it reaches zero fail (and, with fail_forever, all after it).
 */
#if defined(ZEROPAGE_HOST) || defined(ZEROPAGE_DEBUG)
#define ALLOCATIONS_CAN_FAIL 1
extern unsigned long fail_allocation_countdown;
extern bool fail_allocations_forever;
/* If not NULL: tells which allocations count and fail, those of one task say. */
extern bool (*fail_allocation_applies)(void);
bool allocation_should_fail(void);
static inline bool allocations_may_fail(void) { return fail_allocation_countdown != 0; }
#else
#define ALLOCATIONS_CAN_FAIL 0
static inline bool allocation_should_fail(void) { return false; }
static inline bool allocations_may_fail(void) { return false; }
#endif

#include "mm/frame_cache.h"

/* One frame, zeroed, when alloc_is_simple() says no. NULL: no memory. */
struct page *alloc_zeroed_slowly(enum page_type type);

struct vm_area_struct;
/*
 * The frame for a first write to anonymous memory at ADDRESS in VMA: zeroed, reference count 1, type PAGE_ANON.
 * Linux's name; nothing here is high memory or movable. NULL: no memory. The caller maps it or drops it with
 * put_page().
 */
static inline struct page *alloc_zeroed_user_highpage_movable(struct vm_area_struct *vma, unsigned long address)
{
    (void)vma, (void)address;
    if (!alloc_is_simple())
        return alloc_zeroed_slowly(PAGE_ANON);
    struct page *page = alloc_simply(PAGE_ANON);
    clear_page(page_address(page));
    return page;
}

/*
 * Adds something (at most 4) that can give memory back when there is none left: it returns how many frames it
 * freed, and may not allocate. Called before an allocation fails, in the order of registration, until one frees
 * something.
 */
void page_alloc_add_reclaimer(unsigned long (*reclaim)(void));

/*
 * Debug build: a frame that is freed is given out again only after FRAMES others (at most QUARANTINE_FRAMES_MAX in
 * mm/quarantine.h), unless memory is short; a write to it meanwhile is a panic. 0, as at the start: at once.
 */
void set_quarantine(unsigned long frames);

/* Frees every frame of the per-CPU list to the buddy lists: for audits and statistics. */
void drain_page_cache(void);

/* Checks the free lists against mem_map. Returns NULL, or a sentence about the first finding. */
const char *page_alloc_audit(void);

/* The free blocks of ORDER, for /proc/buddyinfo and audits. */
unsigned long free_block_count(unsigned order);

#endif
