/*
 * fork: a second address space that promises the same, and shares every frame until one of the two
 * writes.
 */
#include "kernel/lib/lab.h"
#include "mm/filemap.h"
#include "mm/limits.h"
#include "mm/page_table.h"
#include "mm/unmap.h"
#include "mm/vma.h"

/*
 * Pages of one's own can be found nowhere else, so their entries are copied. Everything else
 * (untouched or only read anonymous memory, file pages, shared memory) a fault of the child finds
 * again.
 */
static inline bool vma_needs_copy(const struct vm_area_struct *vma)
{
    return vma->vm_anon != 0;
}

#if LAB != 5
/* One more user for PAGE, which is no page of one's own. */
static __attribute__((noinline)) void share_other_page(struct mm_struct *child, struct page *page)
{
    if (page->type == PAGE_ZERO)
        return;     /* counts nobody */
    get_page(page);
    child->rss[page_counter(page)]++;
}

/* What both get for PTE: neither may write to the frame any more. */
static inline pte_t shared_pte(pte_t pte)
{
    return pte_wrprotect(pte);
}

/* Writes down what copy_pte_range is about to do. */
static __attribute__((noinline)) void record_copy(const pte_t *from, const pte_t *behind,
                                                  unsigned long address)
{
    for (; from < behind; from++, address += PAGE_SIZE) {
        pte_t shared = shared_pte(*from);
        if (pte_none(*from))
            continue;
        if (pte_write(*from))
            journal(JOURNAL_PTE, address, from->value, shared.value);
        journal(JOURNAL_PTE, address, 0, pte_mkold(shared).value);
    }
}

/*
 * Copies the entries of one page table: [address, end) lies within what TO and FROM, its tables'
 * slots, cover.
 */
static void copy_pte_range(struct mm_struct *child, pte_t *to, pte_t *from, unsigned long address,
                           unsigned long end)
{
    unsigned long entries = (end - address) >> PAGE_SHIFT;
    long anonymous = (long)entries;

    if (journal_wants(JOURNAL_PTE))
        record_copy(from, from + entries, address);
    for (unsigned long i = 0; i < entries; i++) {
        pte_t pte = from[i];
        struct page *page = pte_page(pte);
        if (unlikely(page->type != PAGE_ANON)) {
            anonymous--;
            if (pte_none(pte))
                continue;
            share_other_page(child, page);
        } else {
            get_page(page);
            page->flags &= (u16)~PG_ANON_EXCLUSIVE;
        }
        pte = shared_pte(pte);
        set_pte_unrecorded(&from[i], pte);
        set_pte_unrecorded(&to[i], pte_mkold(pte));
    }
    child->rss[MM_ANONPAGES] += anonymous;
}
#endif

/*
 * Copies what VMA of the parent has into CHILD, table by table; absent tables are skipped in one
 * step. 0 or -ENOMEM.
 */
static int copy_page_range(struct mm_struct *child, struct vm_area_struct *vma)
{
#if LAB != 5
    unsigned long address = vma->vm_start;
    pte_t *from;

    while ((from = pte_seek(vma->vm_mm->pgd, address, vma->vm_end, &address)) != NULL) {
        unsigned long table_end = ALIGN_DOWN(address, LEVEL_SIZE(2)) + LEVEL_SIZE(2);
        unsigned long end = MIN(table_end, vma->vm_end);
        pte_t *to = pte_alloc(child, address);
        if (unlikely(!to))
            return -ENOMEM;
        copy_pte_range(child, to, from, address, end);
        address = end;
    }
    return 0;
#endif
    NOT_YET_WRITTEN_FAILS(5, -ENOSYS, child, vma);
}

/* The child's counterpart of VMA, in no list yet; NULL: no memory. */
static struct vm_area_struct *dup_vma(struct mm_struct *child, const struct vm_area_struct *vma)
{
    struct vm_area_struct *copy = vma_dup(vma, child);
    if (unlikely(!copy))
        return NULL;

    copy->vm_flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
    if (vma->vm_flags & VM_WIPEONFORK)
        copy->vm_anon = 0;
    else if (vma->vm_anon)
        copy->vm_anon = vma_inherited_anon();
    return copy;
}

/* What the child has besides its VMAs: the layout and the counters, less what is not inherited. */
static void copy_layout(struct mm_struct *child, const struct mm_struct *parent)
{
    child->mmap_base = parent->mmap_base;
    child->start_code = parent->start_code;
    child->end_code = parent->end_code;
    child->start_data = parent->start_data;
    child->end_data = parent->end_data;
    child->start_brk = parent->start_brk;
    child->brk = parent->brk;
    child->start_stack = parent->start_stack;
    child->arg_start = parent->arg_start;
    child->arg_end = parent->arg_end;
    child->env_start = parent->env_start;
    child->env_end = parent->env_end;
    child->may_lock_beyond_limit = parent->may_lock_beyond_limit;
    child->may_map_low = parent->may_map_low;
    child->has_huge_pages = parent->has_huge_pages;
}

int dup_mmap(struct mm_struct *child, struct mm_struct *parent)
{
#if LAB != 5
    struct vm_area_struct *last = NULL;
    int error = 0;

    copy_layout(child, parent);
    for (struct vm_area_struct *vma = parent->mmap; vma && !error; vma = vma->vm_next) {
        if (vma->vm_flags & VM_DONTCOPY)
            continue;
        if ((vma->vm_flags & VM_ACCOUNT) && vm_acct_memory(child, vma_pages(vma))) {
            error = -ENOMEM;
            break;
        }
        struct vm_area_struct *copy = dup_vma(child, vma);
        if (unlikely(!copy)) {
            error = -ENOMEM;
            break;
        }
        insert_vm_struct_between(child, copy, last, NULL);
        last = copy;
        vm_stat_account(child, copy->vm_flags, (long)vma_pages(copy));
        if (!(vma->vm_flags & VM_WIPEONFORK) && vma_needs_copy(vma))
            error = copy_page_range(child, vma);
    }
    child->hiwater_vm = child->total_vm;
    child->hiwater_rss = (unsigned long)(child->rss[MM_FILEPAGES] + child->rss[MM_ANONPAGES] +
                                         child->rss[MM_SHMEMPAGES]);
    /* The parent's writable translations are out of date now. */
    if (arch_read_cr3() == parent->pgd_phys)
        arch_load_cr3(parent->pgd_phys);
    return error;
#endif
    NOT_YET_WRITTEN_FAILS(5, -ENOSYS, child, parent, copy_layout, dup_vma, vma_needs_copy, copy_page_range);
}
