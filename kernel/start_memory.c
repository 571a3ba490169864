/* From the loader's list of memory to a frame allocator. */
#include "boot/boot_info.h"
#include "kernel/cpu/cpu.h"
#include "kernel/dev/debugcon.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/printf.h"
#include "kernel/start.h"
#include "kernel/trace/journal.h"
#include "mm/fault.h"
#include "mm/memblock.h"
#include "mm/page_alloc.h"
#include "mm/quarantine.h"
#include "mm/page_table.h"

/*
 * What must be free beside image, archive and memory map: page tables, kernel objects, the first
 * program and what it starts.
 */
#define WORKING_MEMORY (1ul << 20)
#define KIB 1024ul
#define QUARANTINE_SHARE 16     /* of memory, at most one part in so many waits in quarantine (debug build) */

static void tell_memblock(void)
{
    for (unsigned i = 0; i < boot_info.ram_count; i++)
        memblock_add(boot_info.ram[i].start, boot_info.ram[i].end);
    memblock_reserve(0, PAGE_SIZE, PAGE_RESERVED);      /* the BIOS's data, and nobody wants frame number 0 */
    memblock_reserve(image_to_phys(text_start), image_to_phys(kernel_end), PAGE_KERNEL);
    memblock_reserve(boot_info.archive.start, boot_info.archive.end, PAGE_ARCHIVE);
}

static bool is_memory(phys_addr_t start, phys_addr_t end)
{
    for (unsigned i = 0; i < memblock_memory_count; i++) {
        if (memblock_memory[i].start <= start && end <= memblock_memory[i].end)
            return true;
    }
    return false;
}

static void check_archive(void)
{
    phys_addr_t start = boot_info.archive.start, end = boot_info.archive.end;

    if (start == end)
        stop_with_sentence("there is no initial archive: the boot loader has to load archive.tar as a module");
    if (start < image_to_phys(kernel_end) && end > image_to_phys(kernel_start))
        stop_with_sentence("too little memory: the boot loader put the initial archive over the kernel");
    if (!is_memory(start, end))
        stop_with_sentence("the initial archive lies outside of memory, at 0x%lx to 0x%lx", start, end);
}

static void check_size(void)
{
    u64 last_frame = memblock_memory[memblock_memory_count - 1].end >> PAGE_SHIFT;
    u64 needed = WORKING_MEMORY + last_frame * sizeof(struct page);

    for (unsigned i = 0; i < memblock_reserved_count; i++)
        needed += memblock_reserved[i].end - memblock_reserved[i].start;
    if (memblock_total() < needed)
        stop_with_sentence("too little memory: the machine has %lu KiB, and %lu KiB are needed", memblock_total() / KIB,
                           needed / KIB);
}

static void start_journal(void)
{
    static const struct journal_names names = {
        page_type_names, PAGE_TYPES, fault_outcome_names, FAULT_OUTCOMES,
    };
    const char *filter = cmdline_get("journal");

    journal_set_names(&names);
    journal_set_memory(max_pfn, frame_counts[PAGE_FREE]);
    if (filter && !journal_start(filter, debugcon_present() ? debugcon_write : NULL))
        printk("zeropage: journal=%s names no kind of event; the journal is off\n", filter);
}

void start_memory(void)
{
    tell_memblock();
    check_archive();
    check_size();
    kernel_map_init(this_cpu.has_1gib_pages);
    start_screen_mapping();
    page_alloc_init();
    set_quarantine(MIN(QUARANTINE_FRAMES_MAX, total_frames / QUARANTINE_SHARE));
    start_journal();
}
