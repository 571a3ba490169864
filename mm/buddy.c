/* The buddy allocator: splits and merges blocks of 2^order frames. */
#include "mm/buddy.h"

struct free_area {
    struct list_head blocks;    /* first frames, by page->lru */
    unsigned long count;
};

static struct free_area free_areas[MAX_ORDER + 1];

void buddy_init(void)
{
    for (unsigned order = 0; order <= MAX_ORDER; order++) {
        list_init(&free_areas[order].blocks);
        free_areas[order].count = 0;
    }
}

static void add_block(struct page *page, unsigned order)
{
    page_set_state(page, PAGE_STATE(PAGE_FREE, order, 0));
    list_add(&page->lru, &free_areas[order].blocks);
    free_areas[order].count++;
}

static void remove_block(struct page *page, unsigned order)
{
    page->lru.prev->next = page->lru.next;
    page->lru.next->prev = page->lru.prev;
    free_areas[order].count--;
}

struct page *buddy_take(unsigned min, unsigned max, unsigned *order)
{
    unsigned found = min;

    while (found <= MAX_ORDER && list_empty(&free_areas[found].blocks))
        found++;
    if (found > MAX_ORDER)
        return NULL;
    struct page *page = list_first_entry(&free_areas[found].blocks, struct page, lru);
    remove_block(page, found);
    /* Keep the lower half, give back the upper one. */
    while (found > max) {
        found--;
        add_block(page + (1ul << found), found);
    }
    *order = found;
    return page;
}

void buddy_free(pfn_t pfn, unsigned order)
{
    while (order < MAX_ORDER) {
        pfn_t buddy = pfn ^ (1ul << order);

        if (buddy >= max_pfn || page_state(pfn_to_page(buddy)) != PAGE_STATE(PAGE_FREE, order, 0))
            break;
        remove_block(pfn_to_page(buddy), order);
        page_set_state(pfn_to_page(pfn | buddy), PAGE_STATE_FREE_TAIL);
        pfn &= buddy;
        order++;
    }
    add_block(pfn_to_page(pfn), order);
}

void buddy_free_range(pfn_t first, pfn_t end)
{
    while (first < end) {
        unsigned order = MAX_ORDER;

        if (first != 0)
            order = MIN(order, (unsigned)__builtin_ctzl(first));
        while (first + (1ul << order) > end)
            order--;
        buddy_free(first, order);
        first += 1ul << order;
    }
}

unsigned long buddy_frames(void)
{
    unsigned long frames = 0;

    for (unsigned order = 0; order <= MAX_ORDER; order++)
        frames += free_areas[order].count << order;
    return frames;
}

unsigned long free_block_count(unsigned order)
{
    return order <= MAX_ORDER ? free_areas[order].count : 0;
}

static const char *audit_block(const struct page *page, unsigned order)
{
    pfn_t pfn = page_to_pfn(page);

    if (pfn >= max_pfn || pfn + (1ul << order) > max_pfn)
        return "a free list holds something that is no frame";
    if (!IS_ALIGNED(pfn, 1ul << order))
        return "a free block is not aligned to its size";
    if (page_state(page) != PAGE_STATE(PAGE_FREE, order, 0))
        return "the first frame of a free block is not marked free with the order of its list";
    for (pfn_t i = 1; i < 1ul << order; i++)
        if (page_state(page + i) != PAGE_STATE_FREE_TAIL)
            return "a frame inside a free block is not marked as free";
    if (order < MAX_ORDER && (pfn ^ (1ul << order)) < max_pfn &&
        page_state(pfn_to_page(pfn ^ (1ul << order))) == PAGE_STATE(PAGE_FREE, order, 0))
        return "two free buddies were not merged";
    return NULL;
}

const char *buddy_audit(void)
{
    for (unsigned order = 0; order <= MAX_ORDER; order++) {
        const struct free_area *area = &free_areas[order];
        const struct list_head *link = &area->blocks;

        for (unsigned long i = 0; i < area->count; i++) {
            if (link->next->prev != link)
                return "a free list's links do not agree";
            link = link->next;
            if (link == &area->blocks)
                return "a free list is shorter than its count";
            const char *finding = audit_block(list_entry(link, struct page, lru), order);
            if (finding)
                return finding;
        }
        if (link->next != &area->blocks)
            return "a free list is longer than its count";
    }
    return NULL;
}
