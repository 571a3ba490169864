/* The facts about frames that everybody needs: the memory map, the names of frame types, the zero frame. */
#include "kernel/lib/sections.h"
#include "mm/page.h"

struct page *mem_map;
unsigned long max_pfn;

/* On a frame of its own in the kernel image, and among the constants: not even the kernel can write to it. */
u8 empty_zero_page[PAGE_SIZE] __aligned(PAGE_SIZE) __ro_after_init;
pfn_t zero_pfn;

const char *const page_type_names[PAGE_TYPES] = {
    [PAGE_RESERVED] = "reserved",
    [PAGE_FREE] = "free",
    [PAGE_CACHED] = "cached",
    [PAGE_KERNEL] = "kernel",
    [PAGE_SLAB] = "slab",
    [PAGE_TABLE] = "table",
    [PAGE_ZERO] = "zero",
    [PAGE_ANON] = "anon",
    [PAGE_FILE] = "file",
    [PAGE_SHMEM] = "shmem",
    [PAGE_ARCHIVE] = "archive",
};
