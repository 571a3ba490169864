/* struct page: what the kernel knows of each frame of physical memory, in 32 bytes. */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "kernel/lib/list.h"
#include "mm/arch.h"
#include "mm/types.h"

/*
 * What a frame is used for, one value at a time. PAGE_RESERVED must be 0: fresh memory-map entries are
 * zero-filled.
 */
enum page_type {
    PAGE_RESERVED,      /* no memory, firmware, or not ours */
    PAGE_FREE,          /* in the buddy allocator; the first frame of a free block holds its order */
    PAGE_CACHED,        /* free, in the per-CPU list of single frames */
    PAGE_KERNEL,        /* kernel image, memory map, boot data, kernel stacks, large objects */
    PAGE_SLAB,          /* carved into kernel objects */
    PAGE_TABLE,         /* a page table of any level */
    PAGE_ZERO,          /* the one zero frame */
    PAGE_ANON,          /* anonymous memory of user programs */
    PAGE_FILE,          /* page cache of an archive file */
    PAGE_SHMEM,         /* a page of a shared-memory object */
    PAGE_ARCHIVE,       /* the initial archive as the loader left it */
    PAGE_TYPES
};
extern const char *const page_type_names[PAGE_TYPES];

struct address_space;
struct slab_cache;

struct page {
    u8 type;                        /* enum page_type */
    u8 order;                       /* PAGE_FREE: log2 of the block's frames; else the order it was allocated with */
    union {
        u16 flags;                  /* PG_… */
        u16 slab_free;              /* PAGE_SLAB, first frame: the number of the first free object, see mm/slab.c */
    };
    /*
     * Users of a frame of user memory: the number of PTEs that map it, plus 1 while a page cache holds it. 0 for
     * a free frame, 1 for a kernel allocation. The zero frame is not counted.
     */
    union {
        s32 _refcount;
        s32 slab_objects;           /* PAGE_SLAB, first frame: 1 + the objects given out */
    };
    union {
        struct list_head lru;       /* free lists; slabs: the cache's list of slabs with free objects, or of full ones */
        struct {                    /* PAGE_FILE, PAGE_SHMEM */
            struct address_space *mapping;
            unsigned long index;    /* page number within the mapping */
        };
    };
    union {
        struct slab_cache *slab;    /* PAGE_SLAB */
        u64 private;                /* the owner's */
    };
};
_Static_assert(sizeof(struct page) == 32, "struct page must stay within 32 bytes");

#define PG_MLOCKED (1u << 0)
#define PG_DIRTY (1u << 1)
#define PG_FALLOCATED (1u << 3)     /* made by fallocate and never touched: mincore and SEEK_HOLE don't see it */
#define PG_LAZYFREE (1u << 4)       /* PAGE_ANON: MADV_FREE gave it up: may go while nobody has written it since */
/*
 * PAGE_ANON: no other address space ever saw this frame since it was last taken over (Linux's
 * PageAnonExclusive).
 */
#define PG_ANON_EXCLUSIVE (1u << 2)

/* One struct page per frame, from frame 0 to max_pfn - 1, holes included. */
extern struct page *mem_map;
extern unsigned long max_pfn;

static inline struct page *pfn_to_page(pfn_t pfn)
{
    return mem_map + pfn;
}

static inline pfn_t page_to_pfn(const struct page *page)
{
    return (pfn_t)(page - mem_map);
}

/* Bytes of memory map to bytes of memory: one shift instead of a division and a multiplication. */
#define PAGE_STRUCT_SHIFT 5
_Static_assert(sizeof(struct page) == 1 << PAGE_STRUCT_SHIFT, "the conversions below shift by this");

static inline phys_addr_t page_to_phys(const struct page *page)
{
    return (phys_addr_t)((const u8 *)page - (const u8 *)mem_map) << (PAGE_SHIFT - PAGE_STRUCT_SHIFT);
}

static inline void *page_address(const struct page *page)
{
    return phys_to_virt(page_to_phys(page));
}

/* ADDRESS is that of a frame's first byte. */
static inline struct page *phys_to_page(phys_addr_t address)
{
    return (struct page *)((u8 *)mem_map + (address >> (PAGE_SHIFT - PAGE_STRUCT_SHIFT)));
}

static inline struct page *virt_to_page(const void *address)
{
    return pfn_to_page(virt_to_phys(address) >> PAGE_SHIFT);
}

static inline int page_count(const struct page *page)
{
    return page->_refcount;
}

static inline void get_page(struct page *page)
{
    page->_refcount++;
}

/* Drops one reference; the last one gives the frame back to the allocator. */
static inline void put_page(struct page *page)
{
    extern void free_last_reference(struct page *page);
    if (--page->_refcount == 0)
        free_last_reference(page);
}

/* The static frame of zeroes that every read of untouched anonymous memory maps. Never freed, never writable. */
extern u8 empty_zero_page[PAGE_SIZE];
extern pfn_t zero_pfn;

static inline bool is_zero_pfn(pfn_t pfn)
{
    return pfn == zero_pfn;
}

#endif
