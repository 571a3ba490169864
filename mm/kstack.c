/*
 * Kernel stacks: slots of a fixed area, each an unmapped guard and a mapped stack above it; some freed ones
 * stay mapped for reuse.
 */
#include "mm/kstack.h"
#include "kernel/lib/panic.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"

/*
 *   slot            slot + KSTACK_SIZE          slot + KSTACK_SLOT
 *    | guard, unmapped |        stack              | next slot's guard
 */
#define KSTACK_SLOT (2 * KSTACK_SIZE)
#define KSTACK_PAGES (KSTACK_SIZE / PAGE_SIZE)
#define KSTACK_SLOTS 8192
#define KSTACK_KEPT 16

/* Bit set: the slot is taken. Words below first_word are full. */
static u64 taken[KSTACK_SLOTS / 64];
static unsigned first_word;

/* Tops of freed stacks that are still mapped. */
static unsigned long kept[KSTACK_KEPT];
static unsigned kept_count;

/* The lowest free slot's number, now taken; KSTACK_SLOTS: none. */
static unsigned long take_slot(void)
{
    for (; first_word < ARRAY_SIZE(taken); first_word++) {
        if (taken[first_word] == ~0ull)
            continue;
        unsigned bit = (unsigned)__builtin_ctzll(~taken[first_word]);
        taken[first_word] |= 1ull << bit;
        return first_word * 64ul + bit;
    }
    return KSTACK_SLOTS;
}

static unsigned long slot_top(unsigned long slot)
{
    return KERNEL_STACK_AREA + (slot + 1) * KSTACK_SLOT;
}

/* Unmaps PAGES pages from the top down, frees their frames, and gives the slot back. */
static void unmap_slot(unsigned long top, unsigned long pages)
{
    unsigned long slot = (top - KERNEL_STACK_AREA) / KSTACK_SLOT - 1;
    unsigned word = (unsigned)(slot / 64);

    for (unsigned long page = 1; page <= pages; page++)
        free_pages(pfn_to_page(kernel_unmap_page(top - page * PAGE_SIZE)), 0);
    assert(taken[word] >> (slot % 64) & 1);
    taken[word] &= ~(1ull << (slot % 64));
    first_word = MIN(first_word, word);
}

unsigned long kstack_alloc(void)
{
    if (likely(kept_count != 0))
        return kept[--kept_count];
    unsigned long slot = take_slot();
    if (slot == KSTACK_SLOTS)
        return 0;
    unsigned long top = slot_top(slot);
    for (unsigned long done = 0; done < KSTACK_PAGES; done++) {
        struct page *page = alloc_page(PAGE_KERNEL);

        if (page && kernel_map_page(top - (done + 1) * PAGE_SIZE, page_to_pfn(page)) != 0) {
            free_pages(page, 0);
            page = NULL;
        }
        if (!page) {
            unmap_slot(top, done);
            return 0;
        }
    }
    return top;
}

void kstack_free(unsigned long top)
{
    assert(IS_ALIGNED(top - KERNEL_STACK_AREA, KSTACK_SLOT));
    if (kept_count < KSTACK_KEPT)
        kept[kept_count++] = top;
    else
        unmap_slot(top, KSTACK_PAGES);
}

bool kstack_is_guard(unsigned long address)
{
    return address >= KERNEL_STACK_AREA && address < slot_top(KSTACK_SLOTS - 1) &&
           (address - KERNEL_STACK_AREA) % KSTACK_SLOT < KSTACK_SIZE;
}

void kstack_shrink(void)
{
    while (kept_count != 0)
        unmap_slot(kept[--kept_count], KSTACK_PAGES);
}

#ifdef ZEROPAGE_HOST
void kstack_forget_all(void)
{
    for (unsigned word = 0; word < ARRAY_SIZE(taken); word++)
        taken[word] = 0;
    first_word = kept_count = 0;
}
#endif
