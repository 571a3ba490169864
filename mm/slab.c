/*
 * Kernel objects: caches of equal objects carved from frames (Bonwick, "The Slab Allocator", USENIX 1994), each
 * with a magazine of free objects in front (Bonwick and Adams, "Magazines and Vmem", USENIX 2001).
 *
 * A free object of a slab holds the number of the next one in its first two bytes; the first frame's struct
 * page holds the number of the first.
 */
#include "mm/slab.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/page_alloc.h"
#include "mm/slab_internal.h"

#define SLAB_ORDER_MAX 3
#define SLAB_WASTE_SHARE 8      /* a slab may waste one eighth */
#define MAGAZINE_BATCH (SLAB_MAGAZINE / 2)

struct list_head all_slab_caches = LIST_HEAD_INIT(all_slab_caches);

/* The smallest slab that wastes little, or else the one that wastes least in proportion. */
static u8 choose_order(u32 object_size)
{
    u8 best = SLAB_ORDER_MAX;
    unsigned long best_waste = ~0ul;

    for (u8 order = 0; order <= SLAB_ORDER_MAX; order++) {
        unsigned long size = PAGE_SIZE << order;
        unsigned long waste = (size % object_size) << (SLAB_ORDER_MAX - order);

        if (size < object_size)
            continue;
        if (size % object_size <= size / SLAB_WASTE_SHARE)
            return order;
        if (waste < best_waste) {
            best_waste = waste;
            best = order;
        }
    }
    return best;
}

/* The first allocation of a statically defined cache comes here. */
static void make_ready(struct slab_cache *cache)
{
    assert(cache->object_size >= 8 && cache->object_size <= PAGE_SIZE << SLAB_ORDER_MAX);
    list_init(&cache->partial);
    list_init(&cache->full);
    cache->order = choose_order(cache->object_size);
    cache->per_slab = (u32)((PAGE_SIZE << cache->order) / cache->object_size);
    list_add_tail(&cache->caches, &all_slab_caches);
    page_alloc_add_reclaimer(slab_shrink_all);
}

/* ---- slabs ---- */

/* A new slab, all free, in the partial list. Objects are chained in ascending order. */
static bool add_slab(struct slab_cache *cache)
{
    struct page *page = alloc_pages(cache->order, PAGE_SLAB);

    if (!page)
        return false;
    u8 *start = page_address(page);
    for (u32 i = 0; i < cache->per_slab; i++) {
        u16 next = i + 1 < cache->per_slab ? (u16)(i + 1) : SLAB_FREE_END;
        memcpy(start + (unsigned long)i * cache->object_size, &next, sizeof(next));
        object_taken_back(cache, start + (unsigned long)i * cache->object_size);
    }
    for (unsigned i = 0; i < 1u << cache->order; i++)
        page[i].slab = cache;
    page->slab_free = 0;
    list_add(&page->lru, &cache->partial);
    cache->slabs++;
    cache->empty_slabs++;
    return true;
}

static void remove_slab(struct slab_cache *cache, struct page *page)
{
    assert(page->slab_objects == 1);
    list_del(&page->lru);
    cache->slabs--;
    cache->empty_slabs--;
    page->slab_free = 0;
    arch_memory_allocated(page_address(page), PAGE_SIZE << cache->order);
    free_pages(page, cache->order);
}

static void *take_from_slab(struct slab_cache *cache, struct page *page)
{
    void *object = slab_object(cache, page, page->slab_free);

    if (page->slab_objects++ == 1)
        cache->empty_slabs--;
    page->slab_free = slab_next_free(object);
    if (page->slab_free == SLAB_FREE_END) {
        list_del(&page->lru);
        list_add(&page->lru, &cache->full);
    }
    return object;
}

static void return_to_slab(struct slab_cache *cache, void *object)
{
    struct page *page = slab_first_frame(cache, object);

    if (page->slab_free == SLAB_FREE_END) {
        list_del(&page->lru);
        list_add(&page->lru, &cache->partial);
    }
    slab_set_next_free(object, page->slab_free);
    page->slab_free = slab_object_number(cache, page, object);
    if (--page->slab_objects > 1)
        return;
    cache->empty_slabs++;
    if (cache->empty_slabs > 1)
        remove_slab(cache, page);
}

/* ---- the magazine ---- */

static __attribute__((noinline)) bool reload(struct slab_cache *cache)
{
    if (cache->per_slab == 0)
        make_ready(cache);
    if (list_empty(&cache->partial) && !add_slab(cache))
        return false;
    u32 wanted = MIN(cache->per_slab, MAGAZINE_BATCH);
    /* From the top of the magazine down, so that the first objects of the slab come out first. */
    for (u32 i = wanted; i > 0 && !list_empty(&cache->partial); i--, cache->loaded++) {
        struct page *page = list_first_entry(&cache->partial, struct page, lru);
        cache->magazine[i - 1] = take_from_slab(cache, page);
    }
    if (cache->loaded < wanted)
        memmove(cache->magazine, cache->magazine + wanted - cache->loaded,
                cache->loaded * sizeof(cache->magazine[0]));
    return true;
}

/* Returns the oldest COUNT objects of the magazine to their slabs. */
static __attribute__((noinline)) void unload(struct slab_cache *cache, u32 count)
{
    for (u32 i = 0; i < count; i++)
        return_to_slab(cache, cache->magazine[i]);
    cache->loaded -= count;
    memmove(cache->magazine, cache->magazine + count, cache->loaded * sizeof(cache->magazine[0]));
}

static inline void *take_from_magazine(struct slab_cache *cache)
{
    void *object = cache->magazine[--cache->loaded];

    cache->objects++;
    object_given_out(cache, object);
    return object;
}

static inline void put_into_magazine(struct slab_cache *cache, void *object)
{
    object_taken_back(cache, object);
    cache->magazine[cache->loaded++] = object;
    cache->objects--;
}

static __attribute__((noinline)) void *alloc_slowly(struct slab_cache *cache)
{
    if (allocation_should_fail() || (cache->loaded == 0 && !reload(cache)))
        return NULL;
    return take_from_magazine(cache);
}

void *slab_alloc(struct slab_cache *cache)
{
    if (unlikely(allocations_may_fail() || cache->loaded == 0))
        return alloc_slowly(cache);
    return take_from_magazine(cache);
}

void *slab_zalloc(struct slab_cache *cache)
{
    void *object = slab_alloc(cache);

    if (likely(object))
        fill_words(object, 0, cache->object_size / 8);
    return object;
}

static __attribute__((noinline)) void free_slowly(struct slab_cache *cache, void *object)
{
    assert(virt_to_page(object)->type == PAGE_SLAB && virt_to_page(object)->slab == cache);
    if (cache->loaded == SLAB_MAGAZINE)
        unload(cache, MAGAZINE_BATCH);
    put_into_magazine(cache, object);
}

void slab_free(struct slab_cache *cache, void *object)
{
    const struct page *page = virt_to_page(object);

    if (unlikely(page->type != PAGE_SLAB || page->slab != cache || cache->loaded == SLAB_MAGAZINE)) {
        free_slowly(cache, object);
        return;
    }
    put_into_magazine(cache, object);
}

/* ---- all caches ---- */

unsigned long slab_shrink_all(void)
{
    struct slab_cache *cache;
    struct page *page, *next;
    unsigned long freed = 0;

    list_for_each_entry(cache, &all_slab_caches, caches) {
        unsigned long slabs = cache->slabs;

        unload(cache, cache->loaded);
        if (cache->empty_slabs != 0)
            list_for_each_entry_safe(page, next, &cache->partial, lru)
                if (page->slab_objects == 1)
                    remove_slab(cache, page);
        freed += (slabs - cache->slabs) << cache->order;
    }
    return freed;
}

void slab_for_each(void (*fn)(const struct slab_cache *cache, void *context), void *context)
{
    struct slab_cache *cache;

    list_for_each_entry(cache, &all_slab_caches, caches)
        fn(cache, context);
}

#ifdef ZEROPAGE_HOST
void slab_forget_all(void)
{
    while (!list_empty(&all_slab_caches)) {
        struct slab_cache *cache = list_first_entry(&all_slab_caches, struct slab_cache, caches);

        list_del(&cache->caches);
        cache->per_slab = cache->loaded = 0;
        cache->objects = cache->slabs = cache->empty_slabs = 0;
    }
}
#endif
