/*
 * Taking promises back: munmap, the end of an address space, and the PTEs and frames that go with
 * them.
 */
#include "kernel/lib/lab.h"
#include "kernel/lib/panic.h"
#include "mm/filemap.h"
#include "mm/hugetlb.h"
#include "mm/limits.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"
#include "mm/unmap.h"
#include "mm/vma.h"

/* Up to this many pages are forgotten one by one; beyond, reloading CR3 is cheaper. */
#define FLUSH_SINGLE_PAGES_MAX 32

#define PML4_LEVEL 4

/* Nothing is mapped between TASK_SIZE and this, where the tables of the user half end. */
#define USER_HALF_END (LEVEL_SIZE(PML4_LEVEL) * (ENTRIES_PER_TABLE / 2))

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
static inline void unaccount(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    struct mm_struct *mm = vma->vm_mm;
    unsigned long vm_flags = vma->vm_flags, pages = (end - start) >> PAGE_SHIFT;

    vm_stat_account(mm, vm_flags, -(long)pages);
    if (vm_flags & VM_ACCOUNT)
        vm_unacct_memory(mm, pages);
    if (unlikely(vm_flags & VM_LOCKED))
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
/* Takes [start, end), whose pages are gone, out of VMA: all of it, its tail, or its head. */
static __always_inline_fn void cut_out(struct vm_area_struct *vma, unsigned long start,
                                       unsigned long end)
{
    unaccount(vma, start, end);
    if (vma->vm_start < start)
        vma_set_end(vma, start);
    else if (end < vma->vm_end)
        vma_set_start(vma, end);
    else
        delete_vm_struct(vma);
}

/* True when one page table serves all of [start, end). */
static inline bool is_in_one_table(unsigned long start, unsigned long end)
{
    return (start ^ (end - 1)) < LEVEL_SIZE(2);
}

/*
 * True when the table whose entries of LEVEL serve ADDRESS serves something below FLOOR or from
 * CEILING on, too.
 */
static inline bool is_shared_table(unsigned long address, unsigned level, unsigned long floor,
                                   unsigned long ceiling)
{
    unsigned long first = ALIGN_DOWN(address, LEVEL_SIZE(level + 1));

    return first < floor || first + LEVEL_SIZE(level + 1) > ceiling;
}

/* The end of the mapping below, and the start of that above, when [start, end) of VMA is gone. */
static inline unsigned long floor_of_cut(const struct vm_area_struct *vma, unsigned long start)
{
    if (vma->vm_start < start)
        return start;
    return vma->vm_prev ? vma->vm_prev->vm_end : 0;
}

static inline unsigned long ceiling_of_cut(const struct vm_area_struct *vma, unsigned long end)
{
    if (end < vma->vm_end)
        return end;
    return vma->vm_next ? vma->vm_next->vm_start : USER_HALF_END;
}

/*
 * True when there is nothing in the page tables that [start, end) of VMA could leave behind: not
 * one page is mapped there, and the last table on the way to it serves others, too.
 */
static inline bool leaves_nothing(const struct vm_area_struct *vma, unsigned long start,
                                  unsigned long end)
{
    unsigned long floor = floor_of_cut(vma, start), ceiling = ceiling_of_cut(vma, end);
    pte_t entry = vma->vm_mm->pgd[LEVEL_INDEX(start, PML4_LEVEL)];

    if (pte_none(entry))
        return true;
    entry = table_of(entry)[LEVEL_INDEX(start, 3)];
    if (pte_none(entry))
        return is_shared_table(start, 3, floor, ceiling);
    entry = table_of(entry)[LEVEL_INDEX(start, 2)];
    if (pte_none(entry))
        return is_shared_table(start, 2, floor, ceiling);
    entry = table_of(entry)[LEVEL_INDEX(start, 1)];
    return pte_none(entry) && end - start == PAGE_SIZE && is_shared_table(start, 1, floor, ceiling);
}

/* All that a munmap may have to do: [start, end) from VMA, its first, on. 0 or -ENOMEM. */
static __attribute__((noinline)) int unmap_completely(struct vm_area_struct *vma,
                                                      unsigned long start, unsigned long end)
{
    struct mm_struct *mm = vma->vm_mm;
    unsigned long zapped = 0;

    /* A hole in the middle makes one VMA more; the part above the hole becomes it. */
    if (vma->vm_start < start && end < vma->vm_end) {
        int error = split_vma(mm, vma, end, false);
        if (error)
            return error;
    }
    unsigned long floor = floor_of_cut(vma, start);
    update_hiwater(mm);
    while (vma && vma->vm_start < end) {
        unsigned long from = MAX(vma->vm_start, start), to = MIN(vma->vm_end, end);
        struct vm_area_struct *next = to < vma->vm_end ? vma : vma->vm_next;
        zapped += zap_range(vma, from, to);
        cut_out(vma, from, to);
        vma = next;
    }
    free_pgtables(mm, start, end, floor, vma ? vma->vm_start : USER_HALF_END);
    if (zapped)
        flush_range(mm, start, end);
    return 0;
}
#endif

int unmap_from(struct vm_area_struct *first, unsigned long start, unsigned long end)
{
#if LAB != 2
    bool is_at_edge = first->vm_start == start ? end <= first->vm_end
                    : first->vm_start < start && end == first->vm_end;

    /* The usual case: all of a VMA, or its head or tail, that nobody has touched. */
    if (likely(is_at_edge && is_in_one_table(start, end) && leaves_nothing(first, start, end))) {
        struct mm_struct *mm = first->vm_mm;
        if (unlikely(mm->total_vm > mm->hiwater_vm))
            mm->hiwater_vm = mm->total_vm;
        cut_out(first, start, end);
        return 0;
    }
    return unmap_completely(first, start, end);
#endif
    NOT_YET_WRITTEN_FAILS(2, -ENOSYS, first, start, end, unaccount);
}

#if LAB != 2
static __attribute__((noinline)) int find_and_unmap(struct mm_struct *mm, unsigned long start,
                                                    unsigned long end)
{
    struct vm_area_struct *first = find_vma_intersection(mm, start, end);

    return first ? unmap_from(first, start, end) : 0;
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
    if (unlikely(mm->has_huge_pages) && hugetlb_before_unmap(mm, start, end))
        return -EINVAL;

    struct vm_area_struct *last = mm->mmap_cache;
    if (likely(last && vma_contains(last, start)))
        return unmap_from(last, start, end);
    return find_and_unmap(mm, start, end);
#endif
    NOT_YET_WRITTEN_FAILS(2, -ENOSYS, mm, start, length);
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
    mm->mmap_cache = mm->hole_below = mm->unindexed = mm->gap_unrecorded = NULL;
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
