/* The facts about frames that everybody needs: the memory map, the names of frame types, the zero frame. */
#include "mm/page.h"

struct page *mem_map;
unsigned long max_pfn;

/* In .bss, so that it lies on a frame of its own in the kernel image and needs no clearing. */
u8 empty_zero_page[PAGE_SIZE] __aligned(PAGE_SIZE);
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
