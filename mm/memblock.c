/* Memory before there is an allocator: two sorted lists of ranges, what exists and what is taken. */
#include "mm/memblock.h"
#include "kernel/lib/panic.h"
#include "mm/page.h"

struct memblock_range memblock_memory[MEMBLOCK_MAX];
unsigned memblock_memory_count;
struct memblock_range memblock_reserved[MEMBLOCK_MAX];
unsigned memblock_reserved_count;

/* Opens a gap at POSITION of a list of *COUNT ranges and puts RANGE there. */
static void insert_at(struct memblock_range *list, unsigned *count, unsigned position,
                      struct memblock_range range)
{
    if (*count == MEMBLOCK_MAX)
        panic("the memory map has more than %d ranges", MEMBLOCK_MAX);
    for (unsigned i = *count; i > position; i--)
        list[i] = list[i - 1];
    list[position] = range;
    (*count)++;
}

static void remove_at(struct memblock_range *list, unsigned *count, unsigned position)
{
    (*count)--;
    for (unsigned i = position; i < *count; i++)
        list[i] = list[i + 1];
}

void memblock_add(phys_addr_t start, phys_addr_t end)
{
    struct memblock_range *list = memblock_memory;
    unsigned i = 0;

    start = start > -PAGE_SIZE ? end : ALIGN_UP(start, PAGE_SIZE);
    end = ALIGN_DOWN(end, PAGE_SIZE);
    if (start >= end)
        return;
    while (i < memblock_memory_count && list[i].end < start)
        i++;
    /* Swallow every range that overlaps or touches the new one. */
    while (i < memblock_memory_count && list[i].start <= end) {
        start = MIN(start, list[i].start);
        end = MAX(end, list[i].end);
        remove_at(list, &memblock_memory_count, i);
    }
    insert_at(list, &memblock_memory_count, i, (struct memblock_range){ start, end, PAGE_FREE });
}

/* Inserts a reservation that overlaps none, before position I, joined with neighbours of its type. */
static void reserve_gap(unsigned i, phys_addr_t start, phys_addr_t end, u8 type)
{
    struct memblock_range *list = memblock_reserved;

    if (i > 0 && list[i - 1].end == start && list[i - 1].type == type) {
        list[i - 1].end = end;
        if (i < memblock_reserved_count && list[i].start == end && list[i].type == type) {
            list[i - 1].end = list[i].end;
            remove_at(list, &memblock_reserved_count, i);
        }
    } else if (i < memblock_reserved_count && list[i].start == end && list[i].type == type) {
        list[i].start = start;
    } else {
        insert_at(list, &memblock_reserved_count, i, (struct memblock_range){ start, end, type });
    }
}

void memblock_reserve(phys_addr_t start, phys_addr_t end, u8 type)
{
    const struct memblock_range *list = memblock_reserved;

    start = ALIGN_DOWN(start, PAGE_SIZE);
    end = end > -PAGE_SIZE ? -PAGE_SIZE : ALIGN_UP(end, PAGE_SIZE);
    while (start < end) {
        unsigned i = 0;

        while (i < memblock_reserved_count && list[i].end <= start)
            i++;
        if (i == memblock_reserved_count || list[i].start >= end) {
            reserve_gap(i, start, end, type);
            return;
        }
        /* An earlier reservation is in the way: its type stays; go on behind it. */
        phys_addr_t behind = list[i].end;
        if (start < list[i].start)
            reserve_gap(i, start, list[i].start, type);
        start = behind;
    }
}

/* The lowest address >= START, aligned, from which SIZE bytes up to END are not reserved; 0: none. */
static phys_addr_t find_unreserved(phys_addr_t start, phys_addr_t end, u64 size, u64 alignment)
{
    start = ALIGN_UP(start, alignment);
    for (unsigned i = 0; i < memblock_reserved_count; i++) {
        const struct memblock_range *taken = &memblock_reserved[i];

        if (taken->end <= start)
            continue;
        if (start < end && end - start >= size && taken->start >= start + size)
            return start;
        start = ALIGN_UP(taken->end, alignment);
    }
    return start < end && end - start >= size ? start : 0;
}

phys_addr_t memblock_alloc(u64 size, u64 alignment, phys_addr_t limit, u8 type)
{
    size = ALIGN_UP(size, PAGE_SIZE);
    alignment = MAX(alignment, PAGE_SIZE);
    for (unsigned i = 0; i < memblock_memory_count; i++) {
        phys_addr_t start = MAX(memblock_memory[i].start, PAGE_SIZE);
        phys_addr_t end = MIN(memblock_memory[i].end, limit);
        phys_addr_t found = find_unreserved(start, end, size, alignment);

        if (found != 0) {
            memblock_reserve(found, found + size, type);
            return found;
        }
    }
    return 0;
}

u64 memblock_total(void)
{
    u64 total = 0;

    for (unsigned i = 0; i < memblock_memory_count; i++)
        total += memblock_memory[i].end - memblock_memory[i].start;
    return total;
}
