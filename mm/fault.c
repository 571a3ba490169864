/*
 * The page fault, as it reads in Linux: refuse first (no VMA, wrong permission), growing the stack
 * where it may; then what the missing or protected page calls for: the zero frame, a new frame, a
 * copy, or a page of a file.
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/lab.h"
#include "mm/fault.h"
#include "mm/filemap.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"
#include "mm/unmap.h"
#include "mm/vma.h"

/* One fault on its way down: what is asked for, and what the one walk of the page tables found. */
struct vm_fault {
    struct vm_area_struct *vma;
    unsigned long address;      /* of the page */
    unsigned flags;             /* FAULT_FLAG_… */
    pte_t *ptep;
    pte_t orig_pte;
};

/* What the refusals answer when they have nothing against the access. */
#define FAULT_ALLOWED FAULT_OUTCOMES

unsigned long fault_counts[FAULT_OUTCOMES];

/* ---- entries ---- */

/* The entry for a page of VMA's own: writable at once if VMA is. */
static inline pte_t mk_own_pte(const struct vm_area_struct *vma, const struct page *page)
{
    return page_pte(page, vm_get_own_page_prot(vma->vm_flags));
}

static inline void set_fault_pte(struct vm_fault *vmf, pte_t pte)
{
    set_pte_at(vmf->vma->vm_mm, vmf->address, vmf->ptep, pte);
}

/* ---- anonymous memory ---- */

#if LAB != 3
/* Gives the page a zeroed frame of its own. False: no memory. */
static __always_inline_fn bool map_zeroed_frame(struct vm_fault *vmf)
{
    struct vm_area_struct *vma = vmf->vma;

    vma_prepare_anon(vma);
    struct page *page = alloc_zeroed_user_highpage_movable(vma, vmf->address);
    if (unlikely(!page))
        return false;
    page->flags = PG_ANON_EXCLUSIVE;
    vma->vm_mm->rss[MM_ANONPAGES]++;
    set_fault_pte(vmf, mk_own_pte(vma, page));
    return true;
}
#endif

static inline enum fault_outcome do_anonymous_page(struct vm_fault *vmf)
{
#if LAB != 3
    if (!(vmf->flags & FAULT_FLAG_WRITE)) {
        /* The zero frame is not counted: no reference, no resident page. */
        set_fault_pte(vmf, pfn_pte(zero_pfn, vm_get_page_prot(vmf->vma->vm_flags)));
        return FAULT_ZERO_PAGE;
    }
    return map_zeroed_frame(vmf) ? FAULT_NEW_PAGE : FAULT_OUT_OF_MEMORY;
#endif
    NOT_YET_WRITTEN(3, vmf);
}

/* ---- copy on write ---- */

/*
 * We are the frame's only user: it becomes ours, writable where it is. The fault itself has flushed
 * the old translation.
 */
static inline enum fault_outcome wp_page_reuse(struct vm_fault *vmf, struct page *page)
{
#if LAB != 5
    page->flags |= PG_ANON_EXCLUSIVE;
    set_fault_pte(vmf, pte_mkwrite(pte_mkdirty(pte_mkyoung(vmf->orig_pte))));
    return FAULT_COW_REUSED;
#endif
    NOT_YET_WRITTEN(5, vmf, page);
}

/*
 * Puts a frame of our own in the place of OLD, with a copy of what it holds. Apart from the
 * anonymous path, which is to stay in registers: hence a copy of VMF.
 */
static __attribute__((noinline)) enum fault_outcome wp_page_copy(struct vm_fault fault,
                                                                 struct page *old)
{
    struct vm_fault *vmf = &fault;
#if LAB != 5
    struct vm_area_struct *vma = vmf->vma;
    struct mm_struct *mm = vma->vm_mm;

    vma_prepare_anon(vma);
    struct page *page = alloc_page(PAGE_ANON);
    if (unlikely(!page))
        return FAULT_OUT_OF_MEMORY;
    page->flags = PG_ANON_EXCLUSIVE;
    mm->rss[MM_ANONPAGES]++;
    copy_page(page_address(page), page_address(old));
    set_fault_pte(vmf, mk_own_pte(vma, page));
    arch_flush_page(vmf->address);

    enum mm_counter counter = page_counter(old);
    mm->rss[counter]--;
    put_page(old);
    return counter == MM_ANONPAGES ? FAULT_COW_COPIED : FAULT_FILE_COPIED;
#endif
    NOT_YET_WRITTEN(5, vmf, old);
}

/* Over the zero frame there is nothing to copy: a zeroed frame takes its place. */
static inline enum fault_outcome wp_zero_page(struct vm_fault *vmf)
{
#if LAB != 3
    if (!map_zeroed_frame(vmf))
        return FAULT_OUT_OF_MEMORY;
    arch_flush_page(vmf->address);
    return FAULT_ZERO_REPLACED;
#endif
    NOT_YET_WRITTEN(3, vmf);
}

/* True when PAGE is anonymous and nobody else uses it. */
static inline bool is_ours_alone(const struct page *page)
{
#if LAB != 5
    return page->type == PAGE_ANON && page_count(page) == 1;
#endif
    NOT_YET_WRITTEN(5, page);
}

/* A write to a page that is present and not writable, in a VMA that is: copy-on-write. */
static inline enum fault_outcome do_wp_page(struct vm_fault *vmf)
{
    if (is_zero_pfn(pte_pfn(vmf->orig_pte)))
        return wp_zero_page(vmf);

    struct page *page = pte_page(vmf->orig_pte);
    return is_ours_alone(page) ? wp_page_reuse(vmf, page) : wp_page_copy(*vmf, page);
}

/* ---- files and shared memory ---- */

/*
 * The page of VMA's object that belongs at ADDRESS, with a reference; NULL with the reason in
 * *OUTCOME.
 */
static struct page *find_file_page(struct vm_area_struct *vma, unsigned long address,
                                   enum fault_outcome *outcome)
{
    int error = 0;
    struct page *page = vma->vm_ops->fault(vma, vma_page_index(vma, address), &error);

    if (unlikely(!page))
        *outcome = error == -ENOMEM ? FAULT_OUT_OF_MEMORY : FAULT_BEYOND_FILE;
    return page;
}

/* Maps PAGE, whose reference becomes the entry's. */
static inline enum fault_outcome map_file_page(struct vm_fault *vmf, struct page *page,
                                               u64 extra_bits)
{
    struct vm_area_struct *vma = vmf->vma;
    enum mm_counter counter = page_counter(page);

    vma->vm_mm->rss[counter]++;
    set_fault_pte(vmf, pfn_pte(page_to_pfn(page), vm_get_page_prot(vma->vm_flags) | extra_bits));
    return counter == MM_SHMEMPAGES ? FAULT_SHARED_MAPPED : FAULT_FILE_MAPPED;
}

static inline enum fault_outcome do_read_fault(struct vm_fault *vmf)
{
    enum fault_outcome outcome;

    filemap_map_around(vmf->vma, vmf->address, vmf->ptep);
    struct page *page = find_file_page(vmf->vma, vmf->address, &outcome);
    if (unlikely(!page))
        return outcome;
    return map_file_page(vmf, page, 0);
}

static inline enum fault_outcome do_cow_fault(struct vm_fault *vmf)
{
    struct vm_area_struct *vma = vmf->vma;
    enum fault_outcome outcome;

    vma_prepare_anon(vma);
    struct page *page = alloc_page(PAGE_ANON);
    if (unlikely(!page))
        return FAULT_OUT_OF_MEMORY;
    struct page *original = find_file_page(vmf->vma, vmf->address, &outcome);
    if (unlikely(!original)) {
        put_page(page);
        return outcome;
    }
    copy_page(page_address(page), page_address(original));
    put_page(original);
    page->flags = PG_ANON_EXCLUSIVE;
    vma->vm_mm->rss[MM_ANONPAGES]++;
    set_fault_pte(vmf, mk_own_pte(vma, page));
    return FAULT_FILE_COPIED;
}

static inline enum fault_outcome do_shared_fault(struct vm_fault *vmf)
{
    enum fault_outcome outcome;
    struct page *page = find_file_page(vmf->vma, vmf->address, &outcome);

    if (unlikely(!page))
        return outcome;
    page->flags |= PG_DIRTY;
    return map_file_page(vmf, page, PTE_DIRTY);
}

/* Apart, as wp_page_copy. */
static __attribute__((noinline)) enum fault_outcome do_fault(struct vm_fault copy)
{
    struct vm_fault *vmf = &copy;

    if (!(vmf->flags & FAULT_FLAG_WRITE))
        return do_read_fault(vmf);
    if (!(vmf->vma->vm_flags & VM_SHARED))
        return do_cow_fault(vmf);
    return do_shared_fault(vmf);
}

/* ---- the way down ---- */

static inline enum fault_outcome handle_pte_fault(struct vm_fault *vmf)
{
    if (pte_none(vmf->orig_pte))
        return vma_is_anonymous(vmf->vma) ? do_anonymous_page(vmf) : do_fault(*vmf);
    if ((vmf->flags & FAULT_FLAG_WRITE) && !pte_write(vmf->orig_pte))
        return do_wp_page(vmf);

    /* The entry allows the access already: only the processor's copy of it was behind. */
    arch_flush_page(vmf->address);
    return FAULT_SPURIOUS;
}

enum fault_outcome handle_mm_fault(struct vm_area_struct *vma, unsigned long address,
                                   unsigned flags)
{
    struct vm_fault vmf;

    vmf.vma = vma;
    vmf.address = address & PAGE_MASK;
    vmf.flags = flags;
    vmf.ptep = pte_alloc(vma->vm_mm, address);
    if (unlikely(!vmf.ptep))
        return FAULT_OUT_OF_MEMORY;
    vmf.orig_pte = *vmf.ptep;

    enum fault_outcome outcome = handle_pte_fault(&vmf);
    if (likely(!fault_failed(outcome)))
        ++*mm_fault_counter;
    return outcome;
}

/* ---- refusals ---- */

/*
 * True when VMA forbids the access. A page that is present was refused by the processor itself,
 * unless a write may be copy-on-write.
 */
static inline bool access_error(unsigned error, const struct vm_area_struct *vma)
{
#if LAB != 3
    if (error & PF_WRITE)
        return !(vma->vm_flags & VM_WRITE);
    if (error & PF_PRESENT)
        return true;
    return !(vma->vm_flags & VM_ACCESS_FLAGS);
#endif
    NOT_YET_WRITTEN(3, error, vma);
}

static enum fault_outcome name_access_error(unsigned error)
{
#if LAB != 3
    if (error & PF_WRITE)
        return FAULT_NOT_WRITABLE;
    return error & PF_INSTRUCTION ? FAULT_NOT_EXECUTABLE : FAULT_NOT_READABLE;
#endif
    NOT_YET_WRITTEN(3, error);
}

/* Where the last lookup's VMA does not hold ADDRESS: finds the one that does, or may grow to. */
static __attribute__((noinline)) enum fault_outcome
find_vma_or_refuse(struct mm_struct *mm, unsigned long address, struct vm_area_struct **found)
{
#if LAB != 3
    *found = NULL;
    if (address >= TASK_SIZE)
        return FAULT_KERNEL_ADDRESS;
    struct vm_area_struct *vma = find_vma(mm, address);
    if (!vma)
        return FAULT_NO_MAPPING;
    if (vma->vm_start > address) {
        if (!(vma->vm_flags & VM_GROWSDOWN))
            return FAULT_NO_MAPPING;
        *found = vma;
        if (expand_stack(vma, address))
            return FAULT_BELOW_STACK;
    }
    *found = vma;
    return FAULT_ALLOWED;
#endif
    NOT_YET_WRITTEN(3, mm, address, found);
}

/* The VMA for an access at ADDRESS in *FOUND, its stack grown if need be; else the refusal. */
static inline enum fault_outcome find_user_vma(struct mm_struct *mm, unsigned long address,
                                               unsigned error, struct vm_area_struct **found)
{
    *found = mm->mmap_cache;
    if (unlikely(!*found || !vma_contains(*found, address))) {
        enum fault_outcome outcome = find_vma_or_refuse(mm, address, found);
        if (outcome != FAULT_ALLOWED)
            return outcome;
    }
    return unlikely(access_error(error, *found)) ? name_access_error(error) : FAULT_ALLOWED;
}

/* ---- the way in ---- */

static inline enum fault_outcome serve_user_fault(struct mm_struct *mm, unsigned long address,
                                                  unsigned error, struct vm_area_struct **vma)
{
    enum fault_outcome outcome = find_user_vma(mm, address, error, vma);

    if (likely(outcome == FAULT_ALLOWED))
        outcome = handle_mm_fault(*vma, address, error & PF_WRITE ? FAULT_FLAG_WRITE : 0);
    fault_counts[outcome]++;
    return outcome;
}

static u64 pte_value_at(struct mm_struct *mm, unsigned long address)
{
    pte_t *ptep = address < TASK_SIZE ? pte_offset(mm->pgd, address) : NULL;
    return ptep ? ptep->value : 0;
}

/*
 * The same with a record in the journal; apart, so that it costs nothing when the journal is off.
 */
static __attribute__((noinline)) enum fault_outcome
serve_and_record(struct mm_struct *mm, unsigned long address, unsigned error, unsigned long ip)
{
    struct vm_area_struct *vma;
    u64 before = pte_value_at(mm, address);
    enum fault_outcome outcome = serve_user_fault(mm, address, error, &vma);

    journal(JOURNAL_FAULT, address, error, ip, vma ? vma->vm_start : 0, vma ? vma->vm_end : 0,
            outcome, before, pte_value_at(mm, address));
    return outcome;
}

enum fault_outcome do_user_addr_fault(struct mm_struct *mm, unsigned long address, unsigned error,
                                      unsigned long ip)
{
    struct vm_area_struct *vma;

    if (journal_wants(JOURNAL_FAULT))
        return serve_and_record(mm, address, error, ip);
    return serve_user_fault(mm, address, error, &vma);
}
