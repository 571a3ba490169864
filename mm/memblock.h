/* Memory before there is an allocator: the ranges that exist, and those already taken. */
#ifndef MM_MEMBLOCK_H
#define MM_MEMBLOCK_H

#include "mm/types.h"

#define MEMBLOCK_MAX 160

struct memblock_range {
    phys_addr_t start, end;     /* page-aligned; END exclusive */
    u8 type;                    /* enum page_type for reserved ranges (PAGE_KERNEL, PAGE_ARCHIVE, …) */
};

/* Adds usable memory; partial frames at the ends are left out. Ranges may overlap and come in any order. */
void memblock_add(phys_addr_t start, phys_addr_t end);

/*
 * Marks [start, end) as taken, whole frames, for the given use. May overlap earlier reservations (the first
 * type stays).
 */
void memblock_reserve(phys_addr_t start, phys_addr_t end, u8 type);

/*
 * Takes SIZE bytes (rounded up to frames) at ALIGNMENT below LIMIT, lowest address first but never frame 0.
 * Returns 0 when there are none.
 */
phys_addr_t memblock_alloc(u64 size, u64 alignment, phys_addr_t limit, u8 type);

/* The sorted, merged views for page_alloc_init and the direct map. */
extern struct memblock_range memblock_memory[MEMBLOCK_MAX];
extern unsigned memblock_memory_count;
extern struct memblock_range memblock_reserved[MEMBLOCK_MAX];
extern unsigned memblock_reserved_count;

/* Bytes of usable memory in all. */
u64 memblock_total(void);

#endif
