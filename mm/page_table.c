/* The 4-level page-table manager: makes missing tables, finds entries, frees tables that serve nobody any more. */
#include "mm/page_table.h"
#include "kernel/lib/panic.h"
#include "mm/mm.h"
#include "mm/page_alloc.h"

/*
 * What an entry that points to a table allows: everything, since the leaf entries decide. ACCESSED spares the
 * processor the write when it first walks through.
 */
#define TABLE_BITS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

#define PML4_LEVEL 4
#define USER_ENTRIES (ENTRIES_PER_TABLE / 2)    /* of a PML4: the lower half is the user's */

/* ---- making tables ---- */

/* Puts a fresh table of LEVEL into *SLOT, an entry of the level above. False: no memory. */
static __attribute__((noinline)) bool add_table(struct mm_struct *mm, pte_t *slot, unsigned level,
                                                unsigned long address)
{
    struct page *page = alloc_zeroed_page(PAGE_TABLE);

    if (!page)
        return false;
    journal(JOURNAL_TABLE_ALLOC, page_to_pfn(page), level,
            ALIGN_DOWN(address, LEVEL_SIZE(level + 1)));
    mm->pgtables_bytes += PAGE_SIZE;
    *slot = pfn_pte(page_to_pfn(page), TABLE_BITS);
    return true;
}

pte_t *pte_alloc_tables(struct mm_struct *mm, unsigned long address)
{
#if LAB != 1
    pte_t *slot = mm->pgd + LEVEL_INDEX(address, 4);

    if (unlikely(pte_none(*slot)) && !add_table(mm, slot, 3, address))
        return NULL;
    slot = table_of(*slot) + LEVEL_INDEX(address, 3);
    if (unlikely(pte_none(*slot)) && !add_table(mm, slot, 2, address))
        return NULL;
    slot = table_of(*slot) + LEVEL_INDEX(address, 2);
    if (unlikely(pte_none(*slot)) && !add_table(mm, slot, 1, address))
        return NULL;
    mm->last_table = table_of(*slot);
    mm->last_table_end = address | (LEVEL_SIZE(2) - 1);
    return mm->last_table + LEVEL_INDEX(address, 1);
#endif
    NOT_YET_WRITTEN(1, mm, address, add_table);
}

pte_t *pgd_alloc(void)
{
    struct page *page = alloc_page(PAGE_TABLE);

    if (!page)
        return NULL;
    journal(JOURNAL_TABLE_ALLOC, page_to_pfn(page), PML4_LEVEL, 0);
    pte_t *pgd = page_address(page);
    fill_words(pgd, 0, USER_ENTRIES);
    copy_words(pgd + USER_ENTRIES, kernel_pgd + USER_ENTRIES, ENTRIES_PER_TABLE - USER_ENTRIES);
    return pgd;
}

void pgd_free(pte_t *pgd)
{
    journal(JOURNAL_TABLE_FREE, page_to_pfn(virt_to_page(pgd)), PML4_LEVEL, 0);
    free_pages(virt_to_page(pgd), 0);
}

/* ---- finding entries ---- */

#ifdef ZEROPAGE_HOST
unsigned long pte_steps;
#define count_step() pte_steps++
#else
#define count_step()
#endif

pte_t *skip_empty(pte_t *entry, const pte_t *last)
{
#if LAB != 1
    /* Empty stretches are passed eight at a time. */
    while (entry <= last) {
        if (((unsigned long)entry & (8 * sizeof(pte_t) - 1)) == 0) {
            while (entry + 7 <= last &&
                   (entry[0].value | entry[1].value | entry[2].value | entry[3].value |
                    entry[4].value | entry[5].value | entry[6].value | entry[7].value) == 0) {
                entry += 8;
                count_step();
            }
            if (entry > last)
                break;
        }
        count_step();
        if (!pte_none(*entry))
            break;
        entry++;
    }
    return entry;
#endif
    NOT_YET_WRITTEN(1, entry, last);
}

#if LAB != 1
/*
 * Seeks in TABLE, which serves *ADDRESS, up to LAST (the last page of the range, which may lie beyond the
 * table). An absent subtree is one step. Moves *ADDRESS to the entry found.
 */
static pte_t *seek_in_table(pte_t *table, unsigned level, unsigned long *address, unsigned long last)
{
    unsigned long base = ALIGN_DOWN(*address, LEVEL_SIZE(level + 1));
    unsigned long table_last = MIN(last, base + LEVEL_SIZE(level + 1) - PAGE_SIZE);
    pte_t *last_entry = table + LEVEL_INDEX(table_last, level);
    pte_t *entry = table + LEVEL_INDEX(*address, level);

    for (;; entry++) {
        pte_t *found = skip_empty(entry, last_entry);

        if (found > last_entry)
            return NULL;
        /*
         * Inside the entry in which the search began, *ADDRESS may be anywhere; in a later one it is its
         * beginning.
         */
        if (found != table + LEVEL_INDEX(*address, level))
            *address = base + ((unsigned long)(found - table) << LEVEL_SHIFT(level));
        if (level == 1)
            return found;
        pte_t *leaf = seek_in_table(table_of(*found), level - 1, address, last);
        if (leaf)
            return leaf;
        entry = found;
    }
}

/* True when one page table serves all of [start, end). */
static inline bool in_one_page_table(unsigned long start, unsigned long end)
{
    return (start ^ (end - 1)) >> LEVEL_SHIFT(2) == 0;
}
#endif

pte_t *pte_seek(pte_t *pgd, unsigned long address, unsigned long end, unsigned long *found)
{
#if LAB != 1
    if (address >= end)
        return NULL;
    *found = address;
    if (!in_one_page_table(address, end))
        return seek_in_table(pgd, PML4_LEVEL, found, end - PAGE_SIZE);
    /* Most ranges are small, and there is only one way down. */
    pte_t *first = pte_offset(pgd, address);
    if (!first)
        return NULL;
    pte_t *last = first + ((end - PAGE_SIZE - address) >> PAGE_SHIFT);
    pte_t *entry = skip_empty(first, last);
    *found = address + ((unsigned long)(entry - first) << PAGE_SHIFT);
    return entry <= last ? entry : NULL;
#endif
    NOT_YET_WRITTEN(1, pgd, address, end, found);
}

/* ---- freeing tables ---- */

/* The tables that free_pgtables has taken out of the tree, linked by page->private. */
struct free_tables {
    struct page *first;
};

/* Takes the table that ENTRY of LEVEL points to out of the tree. FIRST is the first address that it serves. */
static void unlink_table(struct mm_struct *mm, pte_t *entry, unsigned level, unsigned long first,
                         struct free_tables *list)
{
    struct page *page = pte_page(*entry);

    *entry = (pte_t){ 0 };
    page->private = (u64)list->first;
    list->first = page;
    mm->pgtables_bytes -= PAGE_SIZE;
    journal(JOURNAL_TABLE_FREE, page_to_pfn(page), level - 1, first);
}

#if LAB != 1
/*
 * Takes the tables below TABLE out that serve only [floor, ceiling), looking at the entries that serve [start,
 * end).
 */
static void unlink_tables(struct mm_struct *mm, pte_t *table, unsigned level, unsigned long start,
                          unsigned long end, unsigned long floor, unsigned long ceiling,
                          struct free_tables *list)
{
    pte_t *last = table + LEVEL_INDEX(end - 1, level);
    unsigned long base = ALIGN_DOWN(start, LEVEL_SIZE(level + 1));

    for (pte_t *entry = skip_empty(table + LEVEL_INDEX(start, level), last); entry <= last;
         entry = skip_empty(entry + 1, last)) {
        unsigned long first = base + ((unsigned long)(entry - table) << LEVEL_SHIFT(level));
        unsigned long behind = first + LEVEL_SIZE(level);

        if (level > 2)
            unlink_tables(mm, table_of(*entry), level - 1, MAX(start, first), MIN(end, behind), floor,
                          ceiling, list);
        if (first >= floor && behind <= ceiling)
            unlink_table(mm, entry, level, first, list);
    }
}

/* The same for a range within one page table: one way down, and up again as far as nobody else is served. */
static void unlink_path(struct mm_struct *mm, unsigned long address, unsigned long floor,
                        unsigned long ceiling, struct free_tables *list)
{
    pte_t *path[PML4_LEVEL + 1];
    unsigned level = PML4_LEVEL;

    path[level] = mm->pgd + LEVEL_INDEX(address, PML4_LEVEL);
    while (level > 2 && !pte_none(*path[level])) {
        path[level - 1] = table_of(*path[level]) + LEVEL_INDEX(address, level - 1);
        level--;
    }
    if (pte_none(*path[level]))
        level++;
    for (; level <= PML4_LEVEL; level++) {
        unsigned long first = ALIGN_DOWN(address, LEVEL_SIZE(level));

        if (first < floor || first + LEVEL_SIZE(level) > ceiling)
            return;
        unlink_table(mm, path[level], level, first, list);
    }
}
#endif

void free_pgtables(struct mm_struct *mm, unsigned long start, unsigned long end,
                   unsigned long floor, unsigned long ceiling)
{
#if LAB != 1
    struct free_tables list = { NULL };
    unsigned long first = ALIGN_DOWN(start, LEVEL_SIZE(2));
    unsigned long behind = ALIGN_UP(end, LEVEL_SIZE(2));

    /* Nothing lies between TASK_SIZE and the end of the lower half: the topmost tables serve nobody there. */
    if (ceiling >= TASK_SIZE)
        ceiling = LEVEL_SIZE(PML4_LEVEL) * USER_ENTRIES;
    /*
     * The usual case of a small mapping: even the page tables at both ends have other users, so there is
     * nothing to do.
     */
    if (first < floor)
        first += LEVEL_SIZE(2);
    if (behind > ceiling)
        behind -= LEVEL_SIZE(2);
    if (first >= behind)
        return;
    if (in_one_page_table(start, end))
        unlink_path(mm, start, floor, ceiling, &list);
    else
        unlink_tables(mm, mm->pgd, PML4_LEVEL, start, end, floor, ceiling, &list);
    if (!list.first)
        return;
    mm->last_table_end = 0;
    /*
     * The processor may have the way to a table in its paging-structure caches. INVLPG of any address empties
     * them (SDM vol. 3A, 4.10.4.1), which must happen before the frames can hold anything else.
     */
    if (arch_read_cr3() == mm->pgd_phys)
        arch_flush_page(start);
    while (list.first) {
        struct page *page = list.first;
        list.first = (struct page *)page->private;
        free_pages(page, 0);
    }
#endif
    NOT_YET_WRITTEN(1, mm, start, end, floor, ceiling, unlink_table);
}
