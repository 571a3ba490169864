/* The kernel's own half of the address space: the direct map, the image, and the area of single mapped pages. */
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "mm/memblock.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"

/* The boot tables reach this far; the tables that replace them are made below it. */
#define EARLY_MAP_LIMIT (1ull << 30)

/* Kernel leaf entries. ACCESSED and DIRTY at once, so that the processor never has to write them. */
#define KERNEL_PAGE (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL)
#define KERNEL_TEXT KERNEL_PAGE
#define KERNEL_RODATA (KERNEL_PAGE | PTE_NX)
#define KERNEL_DATA (KERNEL_PAGE | PTE_WRITE | PTE_NX)
/* Entries that point to tables: not for the user, whatever the leaf says. */
#define KERNEL_TABLE (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)

pte_t *kernel_pgd;

/* ---- at boot, when only memblock gives memory ---- */

static pte_t *early_table(void)
{
    phys_addr_t frame = memblock_alloc(PAGE_SIZE, PAGE_SIZE, EARLY_MAP_LIMIT, PAGE_TABLE);

    if (frame == 0)
        panic("no memory for the kernel's page tables");
    clear_page(phys_to_virt(frame));
    return phys_to_virt(frame);
}

/* The entry of LEVEL for ADDRESS, with the tables above it made as needed. */
static pte_t *early_entry(unsigned long address, unsigned level)
{
    pte_t *table = kernel_pgd;

    for (unsigned at = 4; at > level; at--) {
        pte_t *entry = table + LEVEL_INDEX(address, at);

        if (pte_none(*entry))
            *entry = (pte_t){ virt_to_phys(early_table()) | KERNEL_TABLE };
        table = table_of(*entry);
    }
    return table + LEVEL_INDEX(address, level);
}

/* Maps [start, end) of physical memory at VIRTUAL with the largest pages that fit. */
static void map_range(unsigned long virtual, phys_addr_t start, phys_addr_t end, u64 bits,
                      unsigned largest_level)
{
    while (start < end) {
        unsigned level = largest_level;

        /* Ends at level 1: all are whole pages. NOLINTNEXTLINE(*UndefinedBinaryOperatorResult) */
        while (!IS_ALIGNED(start | virtual, LEVEL_SIZE(level)) || end - start < LEVEL_SIZE(level))
            level--;
        *early_entry(virtual, level) = (pte_t){ start | bits | (level > 1 ? PTE_LARGE : 0) };
        start += LEVEL_SIZE(level);
        virtual += LEVEL_SIZE(level);
    }
}

static void map_image_part(const u8 *start, const u8 *end, u64 bits)
{
    if (start < end)
        map_range((unsigned long)start, image_to_phys(start), image_to_phys(end), bits, 1);
}

/* The part of [start, end) that lies in [low, high) goes into the direct map with BITS. */
static void map_direct_part(phys_addr_t start, phys_addr_t end, phys_addr_t low, phys_addr_t high,
                            u64 bits, unsigned largest_level)
{
    start = MAX(start, low);
    end = MIN(end, high);
    if (start < end)
        map_range(PAGE_OFFSET + start, start, end, bits, largest_level);
}

/*
 * All memory, rounded outward to 2 MiB: what firmware keeps beside it must be readable. Text and rodata of the
 * image are read-only here too, or they could be written through the back door.
 */
static void map_direct(unsigned largest_level)
{
    phys_addr_t constant_start = image_to_phys(text_start);
    phys_addr_t constant_end = image_to_phys(rodata_end);
    phys_addr_t done = 0;

    for (unsigned i = 0; i < memblock_memory_count; i++) {
        phys_addr_t start = MAX(ALIGN_DOWN(memblock_memory[i].start, LEVEL_SIZE(2)), done);
        phys_addr_t end = ALIGN_UP(memblock_memory[i].end, LEVEL_SIZE(2));

        map_direct_part(start, end, 0, constant_start, KERNEL_DATA, largest_level);
        map_direct_part(start, end, constant_start, constant_end, KERNEL_RODATA, largest_level);
        map_direct_part(start, end, constant_end, ~0ull, KERNEL_DATA, largest_level);
        done = MAX(done, end);
    }
}

void kernel_map_init(bool processor_has_1gib_pages)
{
    kernel_pgd = early_table();
    map_direct(processor_has_1gib_pages ? 3 : 2);
    map_image_part(text_start, text_end, KERNEL_TEXT);
    map_image_part(rodata_start, rodata_end, KERNEL_RODATA);
    map_image_part(data_start, kernel_end, KERNEL_DATA);
    /* The stack area's upper tables, down to the page directory: processes copy PML4 entries only once. */
    early_entry(KERNEL_STACK_AREA, 2);
    arch_load_cr3(virt_to_phys(kernel_pgd));
}

void *kernel_map_device(phys_addr_t start, u64 size)
{
    /* With the same offset in a large page, so that large pages fit. */
    phys_addr_t first = ALIGN_DOWN(start, PAGE_SIZE);
    unsigned long virtual = DEVICE_AREA + first % LEVEL_SIZE(2);

    map_range(virtual, first, PAGE_ALIGN(start + size), KERNEL_DATA | PTE_CACHE_DISABLE, 2);
    return (void *)(virtual + (start - first));
}

/* ---- single pages, once there is an allocator ---- */

/* The page-directory entry for ADDRESS, which must lie in the first GiB of the stack area. */
static pte_t *directory_entry(unsigned long address)
{
    assert(ALIGN_DOWN(address, LEVEL_SIZE(3)) == KERNEL_STACK_AREA);
    pte_t entry = kernel_pgd[LEVEL_INDEX(address, 4)];
    entry = table_of(entry)[LEVEL_INDEX(address, 3)];
    return table_of(entry) + LEVEL_INDEX(address, 2);
}

/*
 * A page table's page->index counts the entries in use here, so that an empty one can go (page->private is the
 * audit's).
 */
int kernel_map_page(unsigned long address, pfn_t pfn)
{
    pte_t *slot = directory_entry(address);

    if (pte_none(*slot)) {
        struct page *page = alloc_zeroed_page(PAGE_TABLE);

        if (!page)
            return -ENOMEM;
        journal(JOURNAL_TABLE_ALLOC, page_to_pfn(page), 1, ALIGN_DOWN(address, LEVEL_SIZE(2)));
        page->index = 0;
        *slot = pfn_pte(page_to_pfn(page), KERNEL_TABLE);
    }
    pte_t *entry = table_of(*slot) + LEVEL_INDEX(address, 1);
    assert(pte_none(*entry));
    *entry = pfn_pte(pfn, KERNEL_DATA);
    pte_page(*slot)->index++;
    return 0;
}

pfn_t kernel_unmap_page(unsigned long address)
{
    pte_t *slot = directory_entry(address);

    if (pte_none(*slot))
        return 0;
    struct page *table = pte_page(*slot);
    pte_t *entry = table_of(*slot) + LEVEL_INDEX(address, 1);
    pte_t old = *entry;
    if (pte_none(old))
        return 0;
    *entry = (pte_t){ 0 };
    table->index--;
    if (table->index == 0)
        *slot = (pte_t){ 0 };
    arch_flush_page(address);
    if (table->index == 0) {
        journal(JOURNAL_TABLE_FREE, page_to_pfn(table), 1, ALIGN_DOWN(address, LEVEL_SIZE(2)));
        free_pages(table, 0);
    }
    return pte_pfn(old);
}
