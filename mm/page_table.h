/* The 4-level page-table manager: entries, one walk, one iterator, and the only writers of user entries. */
#ifndef MM_PAGE_TABLE_H
#define MM_PAGE_TABLE_H

#include "kernel/lib/lab.h"
#include "kernel/trace/journal.h"
#include "mm/mm.h"

/* ---- entries ---- */

static inline bool pte_none(pte_t pte) { return pte.value == 0; }
/* Holds a frame, whether or not the processor may use it (see PTE_PROTNONE). */
static inline bool pte_present(pte_t pte) { return (pte.value & (PTE_PRESENT | PTE_PROTNONE)) != 0; }
static inline bool pte_hw_present(pte_t pte) { return (pte.value & PTE_PRESENT) != 0; }
static inline bool pte_write(pte_t pte) { return (pte.value & PTE_WRITE) != 0; }
static inline bool pte_dirty(pte_t pte) { return (pte.value & PTE_DIRTY) != 0; }
static inline bool pte_accessed(pte_t pte) { return (pte.value & PTE_ACCESSED) != 0; }
static inline pfn_t pte_pfn(pte_t pte) { return (pte.value & PTE_FRAME_MASK) >> PAGE_SHIFT; }
/* Of an empty entry that is frame 0's, which is always reserved: a loop over many need not ask for both. */
static inline struct page *pte_page(pte_t pte) { return phys_to_page(pte.value & PTE_FRAME_MASK); }
static inline pte_t pte_wrprotect(pte_t pte) { return (pte_t){ pte.value & ~PTE_WRITE }; }
static inline pte_t pte_mkwrite(pte_t pte) { return (pte_t){ pte.value | PTE_WRITE }; }
static inline pte_t pte_mkdirty(pte_t pte) { return (pte_t){ pte.value | PTE_DIRTY }; }
static inline pte_t pte_mkyoung(pte_t pte) { return (pte_t){ pte.value | PTE_ACCESSED }; }
static inline pte_t pte_mkclean(pte_t pte) { return (pte_t){ pte.value & ~PTE_DIRTY }; }
static inline pte_t pte_mkold(pte_t pte) { return (pte_t){ pte.value & ~PTE_ACCESSED }; }
static inline pte_t pfn_pte(pfn_t pfn, u64 bits) { return (pte_t){ ((u64)pfn << PAGE_SHIFT) | bits }; }
static inline pte_t page_pte(const struct page *page, u64 bits) { return (pte_t){ page_to_phys(page) | bits }; }

/*
 * A table's entries, given the entry of the level above that points to it (or a PML4's physical address in an
 * entry).
 */
static inline pte_t *table_of(pte_t entry)
{
    return phys_to_virt(entry.value & PTE_FRAME_MASK);
}

/* ---- the walk ---- */

/*
 * The slot of the leaf entry for ADDRESS below the PML4 at PGD, or NULL where a table is missing. Never
 * allocates.
 */
static inline pte_t *pte_offset(pte_t *pgd, unsigned long address)
{
#if LAB != 1
    pte_t entry = pgd[LEVEL_INDEX(address, 4)];
    if (!pte_hw_present(entry))
        return NULL;
    entry = table_of(entry)[LEVEL_INDEX(address, 3)];
    if (!pte_hw_present(entry))
        return NULL;
    entry = table_of(entry)[LEVEL_INDEX(address, 2)];
    if (!pte_hw_present(entry))
        return NULL;
    return table_of(entry) + LEVEL_INDEX(address, 1);
#endif
    NOT_YET_WRITTEN(1, pgd, address);
}

/* The whole walk of pte_alloc. */
pte_t *pte_alloc_tables(struct mm_struct *mm, unsigned long address);

/*
 * As pte_offset, but makes the missing tables. NULL: no memory (tables made on the way stay; free_pgtables
 * finds them). The page table of the last walk is remembered, as the processor remembers it in its
 * paging-structure caches (SDM vol. 3A, 4.10.3): most faults are near the one before. free_pgtables forgets it.
 */
static inline pte_t *pte_alloc(struct mm_struct *mm, unsigned long address)
{
    if (likely((address | (LEVEL_SIZE(2) - 1)) == mm->last_table_end))
        return mm->last_table + LEVEL_INDEX(address, 1);
    return pte_alloc_tables(mm, address);
}

/* ---- the only writers of user leaf entries; they keep the journal, not the TLB ---- */

/* Sets *PTEP, the leaf entry for ADDRESS. From not-present to present needs no flush (SDM vol. 3A, 4.10.4.3). */
static inline void set_pte_at(struct mm_struct *mm, unsigned long address, pte_t *ptep, pte_t pte)
{
    (void)mm;
    journal(JOURNAL_PTE, address, ptep->value, pte.value);
    *ptep = pte;
}

/*
 * The same without a word in the journal: for loops over many entries, which ask once whether JOURNAL_PTE is
 * wanted, and record their changes apart.
 */
static inline void set_pte_unrecorded(pte_t *ptep, pte_t pte)
{
    *ptep = pte;
}

/* Clears *PTEP and returns what was there. The caller flushes before the frame can be used again. */
static inline pte_t ptep_get_and_clear(struct mm_struct *mm, unsigned long address, pte_t *ptep)
{
    pte_t old = *ptep;
    set_pte_at(mm, address, ptep, (pte_t){ 0 });
    return old;
}

/* ---- the iterator ---- */

/*
 * Visits the non-empty leaf entries of [address, end) in ascending order and skips absent subtrees in one step
 * each:
 *
 *     struct pte_iter it = pte_iter_over(mm->pgd, start, end);
 *     while (pte_iter_next(&it))
 *         … it.address, it.ptep …
 *
 * The body may change or clear the entry at hand; it may not free tables.
 */
struct pte_iter {
    pte_t *pgd;
    unsigned long address;      /* of the entry at hand; before the first one, a page below where to begin */
    unsigned long end;
    unsigned long last_in_table;    /* the last page of the range that the table at hand serves; 0: no table yet */
    pte_t *ptep;                /* the entry at hand */
};

static inline struct pte_iter pte_iter_over(pte_t *pgd, unsigned long start, unsigned long end)
{
    return (struct pte_iter){ .pgd = pgd, .address = start - PAGE_SIZE, .end = end };
}

#ifdef ZEROPAGE_HOST
/*
 * Looks at entries, or at eight at once, that the search has taken: so that a test can see what an absent
 * subtree costs.
 */
extern unsigned long pte_steps;
#endif

/*
 * The first non-empty entry of [address, end), with its address in *FOUND; NULL: there is none. Not for the
 * kernel half.
 */
pte_t *pte_seek(pte_t *pgd, unsigned long address, unsigned long end, unsigned long *found);

/* The first non-empty entry of [ENTRY, LAST] in one table, or one behind LAST. */
pte_t *skip_empty(pte_t *entry, const pte_t *last);

static inline bool pte_iter_next(struct pte_iter *it)
{
    /* The common case: the next entry of the same table. */
    if (likely(it->address < it->last_in_table)) {
        it->address += PAGE_SIZE;
        it->ptep++;
        if (likely(!pte_none(*it->ptep)))
            return true;
    }
    unsigned long found;
    it->ptep = pte_seek(it->pgd, it->address + PAGE_SIZE, it->end, &found);
    if (!it->ptep)
        return false;
    it->address = found;
    it->last_in_table = MIN(found | (LEVEL_SIZE(2) - PAGE_SIZE), it->end - PAGE_SIZE);
    return true;
}

/* ---- whole tables ---- */

/* A PML4 for a new address space: user half empty, kernel half shared. NULL: no memory. Freed by pgd_free. */
pte_t *pgd_alloc(void);
void pgd_free(pte_t *pgd);

/*
 * Frees the tables that only serve [start, end), where FLOOR and CEILING are the end of the mapping below and
 * the start of the mapping above (0 and TASK_SIZE when there is none), as in Linux. The range must be unmapped
 * already.
 */
void free_pgtables(struct mm_struct *mm, unsigned long start, unsigned long end,
                   unsigned long floor, unsigned long ceiling);

/* ---- the kernel's own half (mm/kernel_map.c) ---- */

/*
 * Builds the kernel's final tables: direct map with 1 GiB or 2 MiB pages, never executable; image text
 * read-execute, rodata read-only, data read-write, nothing both; nothing mapped at low addresses. Makes every
 * PML4 slot of the kernel half that is ever used, so that all processes share them for good. Loads CR3.
 */
void kernel_map_init(bool processor_has_1gib_pages);

/*
 * Maps SIZE bytes of a device's memory (there is only one: the screen), read-write and uncached unless the
 * firmware has said better by an MTRR. Between kernel_map_init and page_alloc_init. START may have any
 * alignment.
 */
void *kernel_map_device(phys_addr_t start, u64 size);

/* The kernel's PML4, in use while no process is. */
extern pte_t *kernel_pgd;

/*
 * Maps one kernel page, read-write, not executable / unmaps it, returning its frame (0 if none) and flushing.
 * -ENOMEM or 0.
 */
int kernel_map_page(unsigned long address, pfn_t pfn);
pfn_t kernel_unmap_page(unsigned long address);

#endif
