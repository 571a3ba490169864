/* The fuzzer's model of mprotect and madvise: what changes a mapping where it is. */
#include "tests/fuzz/step.h"

#define MAY_SHIFT 4 /* from VM_READ to VM_MAYREAD */

/* ---- mprotect ---- */

/* [start, end), within one VMA, is to get FLAGS: 0 or -ENOMEM; VM_ACCOUNT is added where it is due. */
static long charge_protection(struct process *p, unsigned long old, unsigned long *flags, unsigned long pages)
{
    if (!(*flags & VM_WRITE))
        return 0;
    if (!model_may_expand(p, *flags, pages) && model_may_expand(p, old, pages))
        return -ENOMEM;
    if (old & (VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE))
        return 0;
    if (!model_may_commit(p, pages, true))
        return -ENOMEM;
    *flags |= VM_ACCOUNT;
    return 0;
}

static long protect_part(struct process *p, unsigned first, unsigned long end, unsigned long prot)
{
    unsigned long old = p->pages[first].flags, flags = (old & ~VM_ACCESS_FLAGS) | (prot & VM_ACCESS_FLAGS);
    unsigned long start = address_of(first);

    if (flags & ~(flags >> MAY_SHIFT) & VM_ACCESS_FLAGS)
        return -EACCES;
    if (flags == old)
        return 0;
    long error = charge_protection(p, old, &flags, (end - start) / P);
    if (error)
        return error;
    for_each_page(i, start, end) p->pages[i].flags = flags;
    if ((old & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED && (flags & VM_WRITE))
        (void)populate_pages(p, start, end);
    return 0;
}

long model_mprotect(struct process *p, const struct step *step)
{
    unsigned long start = step->address, end = start + PAGE_ALIGN(step->length);
    unsigned long grows = step->prot & (PROT_GROWSDOWN | PROT_GROWSUP), prot = step->prot & ~grows;

    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || (start & ~PAGE_MASK))
        return -EINVAL;
    if (!step->length)
        return 0;
    if (end <= start)
        return -ENOMEM;
    if (prot & ~(unsigned long)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    unsigned first = page_at_or_above(start);
    while (first < PAGES && !p->pages[first].mapped)
        first++;
    if (first == PAGES || address_of(first) >= end)
        return -ENOMEM;
    if (grows & PROT_GROWSDOWN) {
        first = vma_first_of(p, first);
        if (!(p->pages[first].flags & VM_GROWSDOWN))
            return -EINVAL;
        start = address_of(first);
    }
    if (address_of(first) > start)
        return -ENOMEM;
    if (grows & PROT_GROWSUP)
        return -EINVAL;

    while (start < end) {
        const struct model_page *page = page_holding(p, start);
        if (!page || !page->mapped)
            return -ENOMEM;
        unsigned long part_end = MIN(vma_end_of(p, (unsigned)(page - p->pages)), end);
        long error = protect_part(p, (unsigned)(page - p->pages), part_end, prot);
        if (error)
            return error;
        start = part_end;
    }
    return 0;
}

/* ---- madvise ---- */

/* Advice that becomes flags: which are taken, which are given. */
static const struct {
    int advice;
    unsigned long takes, gives;
} flag_advice[] = {
    {MADV_NORMAL, VM_RAND_READ | VM_SEQ_READ, 0},
    {MADV_SEQUENTIAL, VM_RAND_READ, VM_SEQ_READ},
    {MADV_RANDOM, VM_SEQ_READ, VM_RAND_READ},
    {MADV_DONTFORK, 0, VM_DONTCOPY},
    {MADV_DOFORK, VM_DONTCOPY, 0},
    {MADV_WIPEONFORK, 0, VM_WIPEONFORK},
    {MADV_KEEPONFORK, VM_WIPEONFORK, 0},
    {MADV_DONTDUMP, 0, VM_DONTDUMP},
    {MADV_DODUMP, VM_DONTDUMP, 0},
    {MADV_MERGEABLE, 0, VM_MERGEABLE},
    {MADV_UNMERGEABLE, VM_MERGEABLE, 0},
    {MADV_HUGEPAGE, VM_NOHUGEPAGE, VM_HUGEPAGE},
    {MADV_NOHUGEPAGE, VM_HUGEPAGE, VM_NOHUGEPAGE},
};

static bool is_advice(int advice)
{
    return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) || (advice >= MADV_FREE && advice <= MADV_COLLAPSE);
}

static void punch(int object, unsigned index)
{
    for (unsigned n = 0; n < PROCESSES; n++)
        for (unsigned i = 0; i < PAGES; i++) {
            struct model_page *page = &model.processes[n].pages[i];
            if (page->mapped && page->object == object && page->index == index && !page->own)
                page->resident = NO;
        }
    if (index < OBJECT_PAGES)
        model.objects[object].bytes[index] = NULL, model.objects[object].made[index] = NO;
}

static long remove_page(struct model_page *page)
{
    if ((page->flags & VM_LOCKED) || page->object == NO_OBJECT)
        return -EINVAL;
    if (!(page->flags & VM_SHARED) || !(page->flags & VM_MAYWRITE))
        return -EACCES;
    punch(page->object, page->index);
    return 0;
}

static long advise_flags(struct model_page *page, int advice)
{
    bool is_shared = (page->flags & (VM_SHARED | VM_MAYSHARE)) != 0;

    if (advice == MADV_WIPEONFORK && (page->object != NO_OBJECT || (page->flags & VM_SHARED)))
        return -EINVAL;
    for (unsigned i = 0; i < ARRAY_SIZE(flag_advice); i++)
        if (flag_advice[i].advice == advice && !(advice == MADV_MERGEABLE && is_shared))
            page->flags = (page->flags & ~flag_advice[i].takes) | flag_advice[i].gives;
    return 0;
}

static long advise_page(struct model_page *page, int advice)
{
    bool is_locked = (page->flags & VM_LOCKED) != 0;

    switch (advice) {
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
        if (is_locked && advice == MADV_DONTNEED)
            return -EINVAL;
        forget_page_content(page);
        return 0;
    case MADV_FREE:
        page->given_up = page->own && !is_locked && page->object == NO_OBJECT;
        return is_locked || page->object != NO_OBJECT ? -EINVAL : 0;
    case MADV_COLD:
        return is_locked ? -EINVAL : 0;
    case MADV_PAGEOUT:
        page->may_be_gone = page->given_up && !is_locked;
        /* Shared memory that was never written may go: it is zeroes. */
        if (!is_locked && page->object != NO_OBJECT && page->index < OBJECT_PAGES &&
            model.objects[page->object].made[page->index] == YES)
            model.objects[page->object].made[page->index] = MAYBE;
        return is_locked ? -EINVAL : 0;
    case MADV_REMOVE:
        return remove_page(page);
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        if (!(page->flags & (advice == MADV_POPULATE_WRITE ? VM_WRITE : VM_READ)))
            return -EINVAL;
        return make_present(page, advice == MADV_POPULATE_WRITE) ? 0 : -EFAULT;
    case MADV_WILLNEED:
        return 0;
    case MADV_COLLAPSE:
        return -EINVAL;
    default:
        return advise_flags(page, advice);
    }
}

long model_madvise(struct process *p, unsigned long start, unsigned long length, int advice)
{
    unsigned long end = start + PAGE_ALIGN(length), next = start;
    long hole = 0;

    if (!is_advice(advice) || (start & ~PAGE_MASK) || (length && !PAGE_ALIGN(length)) || end < start)
        return -EINVAL;
    if (end == start)
        return 0;
    for_each_page(i, start, end) {
        if (!p->pages[i].mapped)
            continue;
        if (address_of(i) != next)
            hole = -ENOMEM;
        next = address_of(i) + P;
        long error = advise_page(&p->pages[i], advice);
        if (error)
            return error;
    }
    return next != end ? -ENOMEM : hole;
}
