/*
 * Kernel objects: caches of equal objects carved from frames (Bonwick, "The Slab Allocator", USENIX 1994), and
 * kmalloc.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "mm/page.h"

#define SLAB_MAGAZINE 32

struct slab_cache {
    u32 loaded;                 /* objects in the magazine */
    u32 object_size;            /* rounded up to `alignment` */
    unsigned long objects;      /* in use */
    u32 alignment;
    u32 per_slab;               /* objects in one slab; 0: not ready yet */
    u8 order;                   /* frames per slab: 2^order */
    const char *name;
    struct list_head partial;   /* slabs with free objects, linked by page->lru */
    struct list_head full;      /* slabs without */
    unsigned long slabs;
    unsigned long empty_slabs;  /* of `partial`: with no object given out */
    struct list_head caches;    /* all caches, for /proc and the audit */
    /* Free objects at hand, the last one freed on top; for their slab they count as given out. */
    void *magazine[SLAB_MAGAZINE];
};

/* Defines a cache statically; it is ready before the first allocation. ALIGNMENT is a power of two, at least 8. */
#define DEFINE_SLAB_CACHE(variable, label, size, align)                                        \
    struct slab_cache variable = { .name = label, .object_size = ALIGN_UP((u32)(size), align), \
                                   .alignment = align }

/* An object with undefined contents, or NULL. */
void *slab_alloc(struct slab_cache *cache);

/* An object filled with zeroes, or NULL. */
void *slab_zalloc(struct slab_cache *cache);

/*
 * OBJECT came from CACHE; it may not be NULL. Empty slabs are given back (all but one per cache), at the latest
 * by slab_shrink_all.
 */
void slab_free(struct slab_cache *cache, void *object);

/* SIZE bytes, aligned to 16 (to a page from 4096 on); up to 4 MiB. NULL when there is no memory. */
void *kmalloc(size_t size);
void *kzalloc(size_t size);

/* What kmalloc or kzalloc returned, or NULL. */
void kfree(const void *pointer);

/*
 * Gives back the empty slab that each cache keeps: for audits, and when memory is short. Returns how many
 * frames that were.
 */
unsigned long slab_shrink_all(void);

#ifdef ZEROPAGE_HOST
/* For tests that start over with fresh memory: every cache forgets what it had. */
void slab_forget_all(void);
#endif

/* Checks every cache. NULL, or a sentence about the first finding. */
const char *slab_audit(void);

/* Calls FN for each cache. */
void slab_for_each(void (*fn)(const struct slab_cache *cache, void *context), void *context);

#endif
