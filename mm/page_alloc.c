/*
 * The frame allocator's face: single frames come from a per-CPU list that exchanges them with the buddy
 * allocator in batches; every frame's type and the count of each type are kept here.
 */
#include "mm/page_alloc.h"
#include "kernel/lib/panic.h"
#include "kernel/trace/journal.h"
#include "mm/buddy.h"
#include "mm/quarantine.h"

#define REFILL_FRAMES 128   /* taken from the buddy allocator when it is empty: a power of two */
#define SPILL_FRAMES 1024   /* given back when it is full */
#define RECLAIMERS_MAX 4

unsigned long frame_counts[PAGE_TYPES];
unsigned long reserve_frames;

struct frame_cache frame_cache = { .top = frame_cache.frames };

static inline unsigned long cache_count(void)
{
    return (unsigned long)(frame_cache.top - frame_cache.frames);
}

static inline bool cache_is_empty(void)
{
    return frame_cache.top == frame_cache.frames;
}

static inline bool cache_is_full(void)
{
    return frame_cache.top == frame_cache.frames + CACHE_FRAMES;
}

static unsigned long (*reclaimers[RECLAIMERS_MAX])(void);

void page_alloc_add_reclaimer(unsigned long (*reclaim)(void))
{
    for (unsigned i = 0; i < RECLAIMERS_MAX; i++) {
        if (reclaimers[i] == reclaim)
            return;
        if (!reclaimers[i]) {
            reclaimers[i] = reclaim;
            return;
        }
    }
    panic("more than %d reclaimers", RECLAIMERS_MAX);
}

#if ALLOCATIONS_CAN_FAIL
unsigned long fail_allocation_countdown;
bool fail_allocations_forever;
bool (*fail_allocation_applies)(void);

bool allocation_should_fail(void)
{
    if (fail_allocation_countdown == 0 || (fail_allocation_applies && !fail_allocation_applies()))
        return false;
    if (fail_allocation_countdown > 1) {
        fail_allocation_countdown--;
        return false;
    }
    /* The one to fail. A countdown that stays at 1 fails the next one too. */
    if (!fail_allocations_forever)
        fail_allocation_countdown = 0;
    return true;
}
#endif

/* ---- between the per-CPU list and the buddy allocator ---- */

/* Fills the empty list so that frames come out in ascending order. False: there are none. */
static bool refill_cache(void)
{
    unsigned long wanted = REFILL_FRAMES;
    unsigned order;
    struct page *page;

    while (wanted != 0 &&
           (page = buddy_take(0, 63 - (unsigned)__builtin_clzl(wanted), &order)) != NULL) {
        unsigned long frames = 1ul << order;
        struct page **slot = frame_cache.top += frames;

        wanted -= frames;
        for (; frames != 0; frames--, page++) {
            page_set_state(page, PAGE_STATE_CACHED);
            *--slot = page;
        }
    }
    return !cache_is_empty();
}

/*
 * Gives the top COUNT frames of the list back. Frames that were freed one after the other are mostly
 * neighbours: runs of them go back as whole blocks.
 */
static void spill_cache(unsigned long count)
{
    while (count != 0) {
        struct page *first = *--frame_cache.top;
        struct page *last = first;

        page_set_state(first, PAGE_STATE_FREE_TAIL);
        for (count--; count != 0; count--, frame_cache.top--) {
            struct page *page = frame_cache.top[-1];

            if (page == last + 1)
                last = page;
            else if (page == first - 1)
                first = page;
            else
                break;
            page_set_state(page, PAGE_STATE_FREE_TAIL);
        }
        buddy_free_range(page_to_pfn(first), page_to_pfn(last) + 1);
    }
}

void frame_cache_init(void)
{
    frame_cache.top = frame_cache.frames;
    quarantine_init(0);
}

/* Makes PAGE, which is free, one to be given out. */
static void put_into_cache(struct page *page)
{
    page_set_state(page, PAGE_STATE_CACHED);
    if (cache_is_full())
        spill_cache(SPILL_FRAMES);
    *frame_cache.top++ = page;
}

/* The same after its time in quarantine, if there is one. */
static void put_into_cache_later(struct page *page)
{
    if (quarantine_is_on())
        page = quarantine_put(page);
    if (page)
        put_into_cache(page);
}

/* True when something was in quarantine. */
static bool drain_quarantine(void)
{
    struct page *page;
    bool drained = false;

    for (; (page = quarantine_take()) != NULL; drained = true)
        put_into_cache(page);
    return drained;
}

void set_quarantine(unsigned long frames)
{
    drain_quarantine();
    quarantine_init(frames);
}

void drain_page_cache(void)
{
    spill_cache(cache_count());
}

/* ---- allocation ---- */

static bool type_may_use_reserve(enum page_type type)
{
    return type == PAGE_TABLE || type == PAGE_SLAB || type == PAGE_KERNEL;
}

static struct page *try_alloc(unsigned order, enum page_type type)
{
    unsigned long frames = 1ul << order;
    unsigned got;

    if (frame_counts[PAGE_FREE] < frames + (type_may_use_reserve(type) ? 0 : reserve_frames))
        return NULL;
    if (order == 0)
        return !cache_is_empty() || refill_cache() || drain_quarantine() ? *--frame_cache.top : NULL;
    struct page *page = buddy_take(order, order, &got);
    if (!page) {
        drain_quarantine();
        drain_page_cache();
        page = buddy_take(order, order, &got);
    }
    return page;
}

/* Lets the reclaimers work, unless this is one of them. True when one gave something back. */
static bool reclaim_frames(void)
{
    static bool reclaiming;
    bool freed = false;

    if (reclaiming)
        return false;
    reclaiming = true;
    for (unsigned i = 0; i < RECLAIMERS_MAX && reclaimers[i] && !freed; i++)
        freed = reclaimers[i]() != 0;
    reclaiming = false;
    return freed;
}

/* Everything but the common case. */
static __attribute__((noinline)) struct page *alloc_slowly(unsigned order, enum page_type type)
{
    struct page *page;

    assert(order <= MAX_ORDER);
    if (allocation_should_fail())
        return NULL;
    while ((page = try_alloc(order, type)) == NULL)
        if (!reclaim_frames())
            return NULL;
    page_set_state(page, PAGE_STATE(type, order, 1));
    for (unsigned long i = 1; i < 1ul << order; i++)
        page_set_state(page + i, PAGE_STATE(type, PAGE_TAIL, 0));
    frame_counts[PAGE_FREE] -= 1ul << order;
    frame_counts[type] += 1ul << order;
    journal(JOURNAL_FRAME_ALLOC, page_to_pfn(page), order, type);
    frame_given_out(page, order);
    return page;
}

struct page *alloc_page(enum page_type type)
{
    return alloc_is_simple() ? alloc_simply(type) : alloc_slowly(0, type);
}

struct page *alloc_pages(unsigned order, enum page_type type)
{
    return order == 0 ? alloc_page(type) : alloc_slowly(order, type);
}

struct page *alloc_zeroed_slowly(enum page_type type)
{
    struct page *page = alloc_slowly(0, type);

    if (page)
        clear_page(page_address(page));
    return page;
}

struct page *alloc_zeroed_page(enum page_type type)
{
    if (!alloc_is_simple())
        return alloc_zeroed_slowly(type);
    struct page *page = alloc_simply(type);
    clear_page(page_address(page));
    return page;
}

/* ---- release ---- */

/* Types that free_pages takes: neither free already nor never to be freed. */
#define FREEABLE_TYPES                                                                           \
    (1u << PAGE_KERNEL | 1u << PAGE_SLAB | 1u << PAGE_TABLE | 1u << PAGE_ANON | 1u << PAGE_FILE | \
     1u << PAGE_SHMEM | 1u << PAGE_ARCHIVE)

/* Type and order of PAGE in one number: a wrong order makes it larger than any type. */
static inline bool is_freeable(unsigned type_and_order)
{
    return type_and_order < PAGE_TYPES && (FREEABLE_TYPES >> type_and_order & 1);
}

/* Everything but the common case of one frame, and larger blocks. */
static __attribute__((noinline)) void free_slowly(struct page *page, unsigned order)
{
    unsigned type = page->type;

    assert(is_freeable(type) && page->order == order);
    frame_counts[type] -= 1ul << order;
    frame_counts[PAGE_FREE] += 1ul << order;
    journal(JOURNAL_FRAME_FREE, page_to_pfn(page), order, type);
    frame_taken_back(page, order);
    if (order == 0 || quarantine_is_on()) {
        for (unsigned long i = 0; i < 1ul << order; i++)
            put_into_cache_later(page + i);
        return;
    }
    for (unsigned long i = 1; i < 1ul << order; i++)
        page_set_state(page + i, PAGE_STATE_FREE_TAIL);
    buddy_free(page_to_pfn(page), order);
}

static inline void free_fast(struct page *page)
{
    unsigned type = page->type | (unsigned)page->order << 8;

    if (unlikely(!is_freeable(type) || cache_is_full() || journal_wants(JOURNAL_FRAME_FREE)) || quarantine_is_on()) {
        free_slowly(page, 0);
        return;
    }
    frame_counts[type]--;
    frame_counts[PAGE_FREE]++;
    frame_taken_back(page, 0);
    page_set_state(page, PAGE_STATE_CACHED);
    *frame_cache.top++ = page;
}

void free_pages(struct page *page, unsigned order)
{
    if (likely(order == 0))
        free_fast(page);
    else
        free_slowly(page, order);
}

void free_last_reference(struct page *page)
{
    free_fast(page);
}

/* ---- many frames, one after the other ---- */

void free_run(struct frame_run *run)
{
    unsigned long frames = (unsigned long)(run->end - run->first);

    if (frames == 0)
        return;
    frame_counts[PAGE_ANON] -= frames;
    frame_counts[PAGE_FREE] += frames;
    if (quarantine_is_on()) {
        for (struct page *page = run->first; page != run->end; page++)
            put_into_cache_later(page);
    } else if (frames == 1 && !cache_is_full()) {
        page_set_state(run->first, PAGE_STATE_CACHED);
        *frame_cache.top++ = run->first;
    } else {
        buddy_free_range(page_to_pfn(run->first), page_to_pfn(run->end));
    }
    run->first = run->end = NULL;
}

/* PAGE is not the one behind the run: it is the one before it, or the run ends here. */
void free_in_run_slowly(struct frame_run *run, struct page *page)
{
    assert(page->type == PAGE_ANON && page->order == 0);
    if (unlikely(journal_wants(JOURNAL_FRAME_FREE))) {
        free_slowly(page, 0);
        return;
    }
    frame_taken_back(page, 0);
    page_set_state(page, PAGE_STATE_FREE_TAIL);
    if (page + 1 == run->first) {
        run->first = page;
        return;
    }
    free_run(run);
    run->first = page;
    run->end = page + 1;
}

/* ---- audit ---- */

const char *page_alloc_audit(void)
{
    unsigned long counts[PAGE_TYPES] = { 0 };
    const char *finding = buddy_audit();

    if (finding)
        return finding;
    for (pfn_t pfn = 0; pfn < max_pfn; pfn++) {
        if (pfn_to_page(pfn)->type >= PAGE_TYPES)
            return "a frame has a type that does not exist";
        counts[pfn_to_page(pfn)->type]++;
    }
    for (unsigned long i = 0; i < cache_count(); i++)
        if (page_state(frame_cache.frames[i]) != PAGE_STATE_CACHED)
            return "a frame of the per-CPU list is not marked so";
    if ((finding = quarantine_audit()) != NULL)
        return finding;
    if (counts[PAGE_CACHED] != cache_count() + quarantine_count())
        return "a frame is twice in the per-CPU list, or marked so and not in it";
    if (counts[PAGE_FREE] != buddy_frames())
        return "a frame is marked free but in no free block";
    counts[PAGE_FREE] += counts[PAGE_CACHED];
    counts[PAGE_CACHED] = 0;
    for (unsigned type = 0; type < PAGE_TYPES; type++)
        if (counts[type] != frame_counts[type])
            return "frame_counts does not agree with the frames' types";
    return NULL;
}
