/* Checks that every slab cache's lists, chains and counts agree. */
#include "mm/page_alloc.h"
#include "mm/slab_internal.h"

/* The chain of free objects of one slab, against the count of those given out. */
static const char *audit_slab(const struct slab_cache *cache, const struct page *page, bool full)
{
    u32 free_objects = 0;

    if (page->type != PAGE_SLAB || page->slab != cache || page->order != cache->order)
        return "a slab's frame does not belong to its cache";
    for (u16 number = page->slab_free; number != SLAB_FREE_END; free_objects++) {
        if (number >= cache->per_slab || free_objects == cache->per_slab)
            return "a slab's chain of free objects is broken: an object was written after it was freed, or freed twice";
        number = slab_next_free(slab_object(cache, page, number));
    }
    if (page->slab_objects - 1 != (s32)(cache->per_slab - free_objects))
        return "a slab's count of objects does not agree with its chain of free ones";
    if (full != (free_objects == 0))
        return "a slab is in the wrong list of its cache";
    return NULL;
}

static const char *audit_magazine(const struct slab_cache *cache)
{
    for (u32 i = 0; i < cache->loaded; i++) {
        const struct page *page = slab_first_frame(cache, cache->magazine[i]);

        if (page->type != PAGE_SLAB || page->slab != cache)
            return "a magazine holds something that is no object of its cache";
        if (cache->magazine[i] !=
            slab_object(cache, page, slab_object_number(cache, page, cache->magazine[i])))
            return "a magazine holds an address inside an object";
        for (u32 other = 0; other < i; other++)
            if (cache->magazine[other] == cache->magazine[i])
                return "an object is twice in its cache's magazine: it was freed twice";
    }
    return NULL;
}

static const char *audit_list(const struct slab_cache *cache, const struct list_head *list, bool full,
                              unsigned long *slabs, unsigned long *objects, unsigned long *empty)
{
    const struct page *page;

    list_for_each_entry(page, list, lru) {
        const char *finding = audit_slab(cache, page, full);

        if (finding)
            return finding;
        *slabs += 1;
        *objects += (unsigned long)page->slab_objects - 1;
        *empty += page->slab_objects == 1;
        if (*slabs > cache->slabs)
            return "a cache has more slabs in its lists than it counts";
    }
    return NULL;
}

static const char *audit_cache(const struct slab_cache *cache)
{
    unsigned long slabs = 0, objects = 0, empty = 0;
    const char *finding = audit_list(cache, &cache->partial, false, &slabs, &objects, &empty);

    if (!finding)
        finding = audit_list(cache, &cache->full, true, &slabs, &objects, &empty);
    if (!finding)
        finding = audit_magazine(cache);
    if (finding)
        return finding;
    if (slabs != cache->slabs || empty != cache->empty_slabs)
        return "a cache's count of slabs is wrong";
    if (objects != cache->objects + cache->loaded)
        return "a cache's count of objects is wrong";
    return NULL;
}

const char *slab_audit(void)
{
    const struct slab_cache *cache;
    unsigned long frames = 0;

    list_for_each_entry(cache, &all_slab_caches, caches) {
        const char *finding = audit_cache(cache);

        if (finding)
            return finding;
        frames += cache->slabs << cache->order;
    }
    return frames == frame_counts[PAGE_SLAB] ? NULL : "a slab frame belongs to no cache";
}
