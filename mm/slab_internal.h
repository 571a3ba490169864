/* How a slab is laid out: for mm/slab.c and its audit. */
#ifndef MM_SLAB_INTERNAL_H
#define MM_SLAB_INTERNAL_H

#include "kernel/lib/panic.h"
#include "mm/slab.h"

/* Ends the chain of free objects of a slab. */
#define SLAB_FREE_END 0xffff

/* A free object of at least two words holds this, mixed with its own address, in its second one (debug build). */
#define SLAB_FREE_MARK 0x66726565206f626aull

extern struct list_head all_slab_caches;

/* The first frame of the slab that OBJECT lies in: blocks are aligned to their size. */
static inline struct page *slab_first_frame(const struct slab_cache *cache, const void *object)
{
    return pfn_to_page(ALIGN_DOWN(virt_to_phys(object) >> PAGE_SHIFT, 1ul << cache->order));
}

static inline void *slab_object(const struct slab_cache *cache, const struct page *page, u32 number)
{
    return (u8 *)page_address(page) + (unsigned long)number * cache->object_size;
}

static inline u16 slab_object_number(const struct slab_cache *cache, const struct page *page,
                                     const void *object)
{
    return (u16)((u32)((const u8 *)object - (const u8 *)page_address(page)) / cache->object_size);
}

/* A free object belongs to nobody, so a sanitizer is told for the moment of the access only. */
static inline u16 slab_next_free(void *object)
{
    arch_memory_allocated(object, 8);
    u16 next;
    __builtin_memcpy(&next, object, sizeof(next));
    arch_memory_freed(object, 8);
    return next;
}

static inline void slab_set_next_free(void *object, u16 next)
{
    arch_memory_allocated(object, 8);
    __builtin_memcpy(object, &next, sizeof(next));
    arch_memory_freed(object, 8);
}

#ifdef ZEROPAGE_DEBUG
static inline void object_given_out(const struct slab_cache *cache, void *object)
{
    arch_memory_allocated(object, cache->object_size);
    if (cache->object_size >= 16)
        assert(((u64 *)object)[1] == (SLAB_FREE_MARK ^ (u64)object));
    fill_words(object, 0xa5a5a5a5a5a5a5a5ull, cache->object_size / 8);
}

static inline void object_taken_back(const struct slab_cache *cache, void *object)
{
    /* The chain in the first word of a fresh slab's object must survive. */
    if (cache->object_size >= 16) {
        arch_memory_allocated(object, 16);
        assert(((u64 *)object)[1] != (SLAB_FREE_MARK ^ (u64)object));
        arch_memory_allocated(object, cache->object_size);
        fill_words((u8 *)object + 8, 0x6b6b6b6b6b6b6b6bull, cache->object_size / 8 - 1);
        ((u64 *)object)[1] = SLAB_FREE_MARK ^ (u64)object;
    }
    arch_memory_freed(object, cache->object_size);
}
#else
static inline void object_given_out(const struct slab_cache *cache, void *object)
{
    arch_memory_allocated(object, cache->object_size);
}

static inline void object_taken_back(const struct slab_cache *cache, void *object)
{
    arch_memory_freed(object, cache->object_size);
}
#endif

#endif
