/* Sizes, addresses and page-table entries: the words in which all of mm/ speaks. */
#ifndef MM_TYPES_H
#define MM_TYPES_H

#include "kernel/lib/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) ALIGN_UP((unsigned long)(x), PAGE_SIZE)

/* The first address that is not the user's: one page short of the canonical half, as on Linux. */
#define TASK_SIZE 0x00007ffffffff000ul

#define PAGE_OFFSET 0xffff888000000000ul        /* direct map of all physical memory */
#define KERNEL_STACK_AREA 0xffffc90000000000ul  /* kernel stacks with their guard pages */
#define DEVICE_AREA 0xffffd00000000000ul        /* a device's memory: the screen's */
#define KERNEL_IMAGE_BASE 0xffffffff80000000ul  /* virtual = physical + this, for the kernel's own image */

/*
 * An entry of any of the four levels (Intel SDM vol. 3A, 4.5, tables 4-15 to 4-20):
 *
 *   63  62..52   51 .......................... 12  11..9    8 7 6 5 4   3   2   1   0
 *   NX  ignored  physical address of the frame     ignored  G S D A PCD PWT U/S R/W P
 *
 * A user leaf entry is written only by set_pte_at() and its relatives in mm/page_table.h.
 */
typedef struct { u64 value; } pte_t;

#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_USER (1ull << 2)
#define PTE_WRITE_THROUGH (1ull << 3)
#define PTE_CACHE_DISABLE (1ull << 4)
#define PTE_ACCESSED (1ull << 5)
#define PTE_DIRTY (1ull << 6)
#define PTE_LARGE (1ull << 7)       /* in a PD or PDPT entry: maps 2 MiB or 1 GiB */
#define PTE_GLOBAL (1ull << 8)
/*
 * PROT_NONE pages that hold a frame: not present for the processor, present for us (Linux's _PAGE_PROTNONE uses the same
 * bit: G is ignored when P is 0).
 */
#define PTE_PROTNONE (1ull << 8)
#define PTE_NX (1ull << 63)
#define PTE_FRAME_MASK 0x000ffffffffff000ull

#define ENTRIES_PER_TABLE 512
/* Level 1 is the page table (PT), 2 the page directory (PD), 3 the PDPT, 4 the PML4. */
#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9 * ((level) - 1))
#define LEVEL_SIZE(level) (1ul << LEVEL_SHIFT(level))
#define LEVEL_INDEX(address, level) (((address) >> LEVEL_SHIFT(level)) & (ENTRIES_PER_TABLE - 1))

#endif
