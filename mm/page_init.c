/* Sets up the frame allocator from memblock: the memory map, the free blocks, the counts, the reserve. */
#include "kernel/lib/panic.h"
#include "mm/buddy.h"
#include "mm/memblock.h"

/* One frame in 64 is kept for the kernel's own work, but never fewer or more than this. */
#define RESERVE_SHARE 64
#define RESERVE_MIN 16ul
#define RESERVE_MAX 512ul

unsigned long total_frames;

/*
 * Writes STATE to the frames [first, end). All words of struct page get it, so that it is one string
 * instruction: the links of a frame that is on no list mean nothing.
 */
static void mark_frames(pfn_t first, pfn_t end, u64 state)
{
    if (first < end)
        fill_words(pfn_to_page(first), state, (end - first) * (sizeof(struct page) / 8));
}

/* Takes the memory map itself from memblock, which knows all memory by now. */
static void make_mem_map(void)
{
    assert(memblock_memory_count != 0);
    max_pfn = memblock_memory[memblock_memory_count - 1].end >> PAGE_SHIFT;
    phys_addr_t map = memblock_alloc(max_pfn * sizeof(struct page), PAGE_SIZE, (phys_addr_t)max_pfn << PAGE_SHIFT,
                                     PAGE_KERNEL);
    if (map == 0)
        panic("no room for the memory map: %lu frames need %lu KiB in one piece", max_pfn,
              max_pfn * sizeof(struct page) / 1024);
    mem_map = phys_to_virt(map);
}

/* Every frame is a free one, or (holes) none of ours. */
static void mark_memory(void)
{
    pfn_t done = 0;

    for (unsigned i = 0; i < memblock_memory_count; i++) {
        pfn_t first = memblock_memory[i].start >> PAGE_SHIFT;
        pfn_t end = memblock_memory[i].end >> PAGE_SHIFT;

        mark_frames(done, first, PAGE_STATE(PAGE_RESERVED, 0, 0));
        mark_frames(first, end, PAGE_STATE_FREE_TAIL);
        done = end;
    }
}

static void mark_reserved(void)
{
    for (unsigned i = 0; i < memblock_reserved_count; i++) {
        pfn_t first = MIN(memblock_reserved[i].start >> PAGE_SHIFT, max_pfn);
        pfn_t end = MIN(memblock_reserved[i].end >> PAGE_SHIFT, max_pfn);
        u8 type = memblock_reserved[i].type;

        mark_frames(first, end, PAGE_STATE(type, 0, type == PAGE_RESERVED ? 0 : 1));
        frame_counts[type] += end - first;
    }
}

static void free_frames(pfn_t first, pfn_t end)
{
    if (first >= end)
        return;
    arch_memory_freed(phys_to_virt((phys_addr_t)first << PAGE_SHIFT), (end - first) << PAGE_SHIFT);
    buddy_free_range(first, end);
}

/* Frees what of memory range [first, end) is not reserved. */
static void free_unreserved(pfn_t first, pfn_t end)
{
    for (unsigned i = 0; i < memblock_reserved_count && first < end; i++) {
        pfn_t taken_first = memblock_reserved[i].start >> PAGE_SHIFT;
        pfn_t taken_end = memblock_reserved[i].end >> PAGE_SHIFT;

        if (taken_end <= first)
            continue;
        free_frames(first, MIN(taken_first, end));
        first = MAX(first, taken_end);
    }
    free_frames(first, end);
}

/* The zero frame lies in the kernel image, but has a type of its own, so that nobody can free it by mistake. */
static void mark_zero_frame(void)
{
    zero_pfn = image_to_phys(empty_zero_page) >> PAGE_SHIFT;
    if (zero_pfn >= max_pfn)
        panic("the kernel image lies outside of the memory that the loader reported");
    struct page *page = pfn_to_page(zero_pfn);

    frame_counts[page->type]--;
    frame_counts[PAGE_ZERO]++;
    page_set_state(page, PAGE_STATE(PAGE_ZERO, 0, 1));
}

void page_alloc_init(void)
{
    unsigned long counted = 0;

    /* A frame number of 0 means "none" in many places. */
    memblock_reserve(0, PAGE_SIZE, PAGE_RESERVED);
    make_mem_map();
    buddy_init();
    frame_cache_init();
    for (unsigned type = 0; type < PAGE_TYPES; type++)
        frame_counts[type] = 0;
    mark_memory();
    mark_reserved();
    for (unsigned i = 0; i < memblock_memory_count; i++)
        free_unreserved(memblock_memory[i].start >> PAGE_SHIFT, memblock_memory[i].end >> PAGE_SHIFT);

    frame_counts[PAGE_FREE] = buddy_frames();
    for (unsigned type = PAGE_RESERVED + 1; type < PAGE_TYPES; type++)
        counted += frame_counts[type];
    frame_counts[PAGE_RESERVED] = max_pfn - counted;
    mark_zero_frame();
    total_frames = frame_counts[PAGE_FREE];
    reserve_frames = MIN(MAX(total_frames / RESERVE_SHARE, RESERVE_MIN), RESERVE_MAX);
}
