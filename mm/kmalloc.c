/* kmalloc: objects of any size from a row of slab caches, and whole frames for large ones. */
#include "mm/page_alloc.h"
#include "mm/slab.h"

/* Between the powers of two one size more, where it is a multiple of 16 and worth it. */
static struct slab_cache caches[] = {
#define KMALLOC_CACHE(size) { .name = "kmalloc-" #size, .object_size = (size), .alignment = 16 }
    KMALLOC_CACHE(16),   KMALLOC_CACHE(32),   KMALLOC_CACHE(64),   KMALLOC_CACHE(96),
    KMALLOC_CACHE(128),  KMALLOC_CACHE(192),  KMALLOC_CACHE(256),  KMALLOC_CACHE(512),
    KMALLOC_CACHE(1024), KMALLOC_CACHE(2048),
#undef KMALLOC_CACHE
};

#define KMALLOC_SLAB_MAX 2048

void *kmalloc(size_t size)
{
    if (size <= KMALLOC_SLAB_MAX) {
        struct slab_cache *cache = caches;

        while (cache->object_size < size)
            cache++;
        return slab_alloc(cache);
    }
    if (size > PAGE_SIZE << MAX_ORDER)
        return NULL;
    unsigned order = 0;
    while (PAGE_SIZE << order < size)
        order++;
    struct page *page = alloc_pages(order, PAGE_KERNEL);
    return page ? page_address(page) : NULL;
}

void *kzalloc(size_t size)
{
    void *memory = kmalloc(size);

    if (memory)
        fill_words(memory, 0, (size + 7) / 8);
    return memory;
}

void kfree(const void *pointer)
{
    if (!pointer)
        return;
    struct page *page = virt_to_page(pointer);
    if (page->type == PAGE_SLAB)
        slab_free(page->slab, (void *)pointer);
    else
        free_pages(page, page->order);
}
