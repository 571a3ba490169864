/*
 * Taking promises back: munmap, the end of an address space, and the PTEs and frames that go with
 * them.
 */
#include "kernel/lib/lab.h"
#include "kernel/lib/panic.h"
#include "mm/filemap.h"
#include "mm/limits.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"
#include "mm/unmap.h"

/* Up to this many pages are forgotten one by one; beyond, reloading CR3 is cheaper. */
#define FLUSH_SINGLE_PAGES_MAX 32

#define PML4_LEVEL 4

/* VMAs closer together than this share page tables, so their tables are freed together. */
#define SHARE_TABLES_WITHIN LEVEL_SIZE(2)

void flush_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    if (arch_read_cr3() != mm->pgd_phys)
        return;
    if (end - start > FLUSH_SINGLE_PAGES_MAX * PAGE_SIZE) {
        arch_load_cr3(mm->pgd_phys);
        return;
    }
    for (; start < end; start += PAGE_SIZE)
        arch_flush_page(start);
}

/* Which of the resident counters a frame of user memory belongs to. */
enum mm_counter page_counter(const struct page *page)
{
    if (likely(page->type == PAGE_ANON))
        return MM_ANONPAGES;
    return page->type == PAGE_SHMEM ? MM_SHMEMPAGES : MM_FILEPAGES;
}

/* One user less for the frame of PTE: any but a page of one's own. */
static __attribute__((noinline)) void drop_other_page(struct mm_struct *mm, pte_t pte)
{
    struct page *page = pte_page(pte);

    if (page->type == PAGE_ZERO)
        return;     /* counts nobody */
    mm->rss[page_counter(page)]--;
    if (pte_dirty(pte))
        page->flags |= PG_DIRTY;
    put_page(page);
}

#if LAB != 1
/* Writes down that the entries from PTEP on, for addresses from ADDRESS on, are cleared. */
static __attribute__((noinline)) void record_zap(const pte_t *ptep, const pte_t *behind,
                                                 unsigned long address)
{
    for (; ptep < behind; ptep++, address += PAGE_SIZE)
        if (!pte_none(*ptep))
            journal(JOURNAL_PTE, address, ptep->value, 0);
}

/*
 * Drops what the entries from PTEP on map, as long as they are empty or map something else than a
 * page of one's own. Returns the first that does, or BEHIND; counts what it dropped in *DROPPED.
 */
static __attribute__((noinline)) pte_t *zap_others(struct mm_struct *mm, pte_t *ptep,
                                                   pte_t *behind, unsigned long *dropped)
{
    while ((ptep = skip_empty(ptep, behind - 1)) < behind && pte_page(*ptep)->type != PAGE_ANON) {
        pte_t pte = *ptep;
        set_pte_unrecorded(ptep++, (pte_t){ 0 });
        drop_other_page(mm, pte);
        ++*dropped;
    }
    return ptep;
}
#endif

/*
 * Drops what the entries from PTEP on, for [address, end) within one page table, map. Returns how
 * many there were.
 */
static unsigned long zap_pte_range(struct mm_struct *mm, pte_t *ptep, unsigned long address,
                                   unsigned long end)
{
#if LAB != 1
    pte_t *behind = ptep + ((end - address) >> PAGE_SHIFT);
    unsigned long anonymous = (unsigned long)(behind - ptep), others = 0;
    struct frame_run run = { NULL, NULL };

    if (journal_wants(JOURNAL_PTE))
        record_zap(ptep, behind, address);
    for (; ptep < behind; ptep++) {
        struct page *page = pte_page(*ptep);
        if (unlikely(page->type != PAGE_ANON)) {
            pte_t *next = zap_others(mm, ptep, behind, &others);
            anonymous -= (unsigned long)(next - ptep);
            ptep = next - 1;
            continue;
        }
        set_pte_unrecorded(ptep, (pte_t){ 0 });
        if (--page->_refcount == 0)
            free_in_run(&run, page);
    }
    free_run(&run);
    mm->rss[MM_ANONPAGES] -= (long)anonymous;
    return anonymous + others;
#endif
    NOT_YET_WRITTEN(1, mm, ptep, address, end, drop_other_page);
}

unsigned long zap_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
#if LAB != 1
    struct mm_struct *mm = vma->vm_mm;
    unsigned long zapped = 0;

    while (start < end) {
        unsigned long table_end = MIN(end, ALIGN_DOWN(start, LEVEL_SIZE(2)) + LEVEL_SIZE(2));
        pte_t *ptep = pte_offset(mm->pgd, start);
        if (ptep) {
            zapped += zap_pte_range(mm, ptep, start, table_end);
            start = table_end;
        } else if (table_end == end || !pte_seek(mm->pgd, table_end, end, &start)) {
            break;      /* absent tables are skipped in one step */
        }
    }
    return zapped;
#endif
    NOT_YET_WRITTEN(1, vma, start, end, zap_pte_range);
}

/* What the counters lose with [start, end) of VMA. */
static void unaccount(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    struct mm_struct *mm = vma->vm_mm;
    unsigned long pages = (end - start) >> PAGE_SHIFT;

    vm_stat_account(mm, vma->vm_flags, -(long)pages);
    if (vma->vm_flags & VM_ACCOUNT)
        vm_unacct_memory(mm, pages);
    if (unlikely(vma->vm_flags & VM_LOCKED))
        mm->locked_vm -= pages;
}

/* The high-water marks are looked at where something is about to go. */
void update_hiwater(struct mm_struct *mm)
{
    unsigned long rss = (unsigned long)(mm->rss[MM_FILEPAGES] + mm->rss[MM_ANONPAGES] +
                                        mm->rss[MM_SHMEMPAGES]);
    mm->hiwater_rss = MAX(mm->hiwater_rss, rss);
    mm->hiwater_vm = MAX(mm->hiwater_vm, mm->total_vm);
}

#if LAB != 2
/*
 * Takes [start, end) out of VMA, whose pages there are gone: all of it, its tail, or its head.
 * Returns the first VMA above the cut.
 */
static struct vm_area_struct *cut_out(struct vm_area_struct *vma, unsigned long start,
                                      unsigned long end)
{
    struct mm_struct *mm = vma->vm_mm;
    struct vm_area_struct *next = vma->vm_next;

    if (vma->vm_start < start) {
        vma_set_end(vma, start);
    } else if (vma->vm_end > end) {
        vma_set_start(vma, end);
        return vma;
    } else {
        remove_vm_struct(mm, vma);
        vma_free(vma);
    }
    return next;
}

/* True when one page table serves all of [start, end). */
static inline bool is_in_one_table(unsigned long start, unsigned long end)
{
    return end - ALIGN_DOWN(start, LEVEL_SIZE(2)) <= LEVEL_SIZE(2);
}

/*
 * The level of the first empty entry on the way to ADDRESS; 1: its page table exists, and its leaf
 * entry is at *PTEP.
 */
static inline unsigned first_missing_level(const pte_t *pgd, unsigned long address, pte_t **ptep)
{
    pte_t entry = pgd[LEVEL_INDEX(address, PML4_LEVEL)];

    if (pte_none(entry))
        return PML4_LEVEL;
    entry = table_of(entry)[LEVEL_INDEX(address, 3)];
    if (pte_none(entry))
        return 3;
    entry = table_of(entry)[LEVEL_INDEX(address, 2)];
    if (pte_none(entry))
        return 2;
    *ptep = table_of(entry) + LEVEL_INDEX(address, 1);
    return 1;
}

/*
 * True when the entry of LEVEL that serves ADDRESS serves something below FLOOR or from CEILING on,
 * too.
 */
static inline bool is_shared_entry(unsigned long address, unsigned level, unsigned long floor,
                                   unsigned long ceiling)
{
    unsigned long first = ALIGN_DOWN(address, LEVEL_SIZE(level));

    return first < floor || (first + LEVEL_SIZE(level) > ceiling && ceiling < TASK_SIZE);
}
#endif

int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long length)
{
#if LAB != 2
    if (!IS_ALIGNED(start, PAGE_SIZE) || start > TASK_SIZE || length > TASK_SIZE - start)
        return -EINVAL;
    unsigned long end = start + PAGE_ALIGN(length);
    if (end == start)
        return -EINVAL;

    struct vm_area_struct *first = find_vma_intersection(mm, start, end);
    if (!first)
        return 0;
    /* A hole in the middle makes one VMA more; the part above the hole becomes it. */
    if (first->vm_start < start && end < first->vm_end) {
        int error = split_vma(mm, first, end, false);
        if (error)
            return error;
    }
    /*
     * A small range that nobody touched, or whose table others use, is the usual case: then there
     * is less to be done.
     */
    bool is_small = is_in_one_table(start, end);
    pte_t *ptep = NULL;     /* a small range's first entry */
    unsigned missing = is_small ? first_missing_level(mm->pgd, start, &ptep) : 1;
    bool is_untouched = missing > 1;
    if (!is_untouched || mm->total_vm > mm->hiwater_vm)
        update_hiwater(mm);

    unsigned long floor = first->vm_start < start ? start
                        : first->vm_prev ? first->vm_prev->vm_end : 0;
    unsigned long zapped = 0;
    struct vm_area_struct *vma = first;
    while (vma && vma->vm_start < end) {
        unsigned long from = MAX(vma->vm_start, start), to = MIN(vma->vm_end, end);
        if (ptep)
            zapped += zap_pte_range(mm, ptep + ((from - start) >> PAGE_SHIFT), from, to);
        else if (!is_small)
            zapped += zap_range(vma, from, to);
        unaccount(vma, from, to);
        vma = cut_out(vma, start, end);
    }
    unsigned long ceiling = vma ? vma->vm_start : TASK_SIZE;
    bool keeps_tables = is_small && (is_shared_entry(start, 2, floor, ceiling) ||
                                     missing == PML4_LEVEL ||
                                     (is_untouched &&
                                      is_shared_entry(start, missing + 1, floor, ceiling)));
    if (!keeps_tables)
        free_pgtables(mm, start, end, floor, ceiling);
    if (zapped)
        flush_range(mm, start, end);
    return 0;
#endif
    NOT_YET_WRITTEN_FAILS(2, -ENOSYS, mm, start, length, unaccount);
}

void exit_mmap(struct mm_struct *mm)
{
    update_hiwater(mm);
    for (struct vm_area_struct *vma = mm->mmap; vma; vma = vma->vm_next)
        zap_range(vma, vma->vm_start, vma->vm_end);

    /*
     * Neighbours in groups, so that a page table which several of them share is looked at once.
     * Nothing is left below the group at hand: a table that it shares with an earlier one goes with
     * it.
     */
    struct vm_area_struct *vma = mm->mmap;
    while (vma) {
        unsigned long start = vma->vm_start;
        while (vma->vm_next && vma->vm_next->vm_start - vma->vm_end < SHARE_TABLES_WITHIN)
            vma = vma->vm_next;
        unsigned long end = vma->vm_end;
        vma = vma->vm_next;
        free_pgtables(mm, start, end, 0, vma ? vma->vm_start : TASK_SIZE);
    }

    vma = mm->mmap;
    mm->mmap = NULL;
    mm->mmap_cache = mm->hole_below = NULL;
    mm->mm_rb.node = NULL;
    while (vma) {
        struct vm_area_struct *next = vma->vm_next;
        journal(JOURNAL_VMA_DELETE, vma->vm_start, vma->vm_end, vma->vm_flags, vma->vm_pgoff);
        list_del(&vma->shared);
        vma_free(vma);
        vma = next;
    }
    vm_unacct_memory(mm, mm->committed);
    mm->map_count = 0;
    mm->total_vm = mm->data_vm = mm->exec_vm = mm->stack_vm = mm->locked_vm = 0;
    if (arch_read_cr3() == mm->pgd_phys)
        arch_load_cr3(mm->pgd_phys);
}
