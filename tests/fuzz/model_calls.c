/* The fuzzer's model of the calls that change or ask about what is mapped; and fork. */
#include "tests/fuzz/step.h"

#define LOCK_FLAGS    (VM_LOCKED | VM_LOCKONFAULT)
#define MAY_SHIFT     4 /* from VM_READ to VM_MAYREAD */
#define MINCORE_PIECE 256ul

long populate_pages(struct process *p, unsigned long start, unsigned long end)
{
    long error = 0;

    for_each_page(i, start, end) {
        struct model_page *page = &p->pages[i];
        bool write = (page->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
        if (!page->mapped || (page->flags & VM_LOCKONFAULT))
            continue;
        if (!(page->flags & VM_ACCESS_FLAGS) || !make_present(page, write))
            error = -EFAULT;
    }
    return error;
}

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

/* ---- mincore, msync ---- */

static enum known is_resident(const struct model_page *page)
{
    if (page->object == NO_OBJECT || page->own)
        return page->resident;
    if (is_beyond_object(page))
        return NO;
    return page->object == ARCHIVE_FILE ? YES : (enum known)model.objects[page->object].made[page->index];
}

long model_mincore(struct process *p, const struct step *step, u8 *answers, unsigned long *done)
{
    unsigned long start = step->address, length = step->length;

    *done = 0;
    if (start & ~PAGE_MASK)
        return -EINVAL;
    if (length > TASK_SIZE || start > TASK_SIZE - length)
        return -ENOMEM;
    unsigned long pages = PAGE_ALIGN(length) / P;
    if (pages > TASK_SIZE || step->new_address > TASK_SIZE - pages)
        return -EFAULT;
    /* Part by part, for the answers' own place may lie in the range. */
    while (*done < pages) {
        unsigned long at = start + *done * P, n = 0;
        const struct model_page *page = page_holding(p, at);
        if (!page || !page->mapped)
            return -ENOMEM;
        unsigned first = (unsigned)(page - p->pages);
        unsigned long part = MIN(MIN((vma_end_of(p, first) - at) / P, pages - *done), MINCORE_PIECE);
        u8 bytes[MINCORE_PIECE];
        for (; n < part; n++) {
            answers[*done + n] = (u8)is_resident(&p->pages[first + n]);
            bytes[n] = answers[*done + n] == YES;
        }
        unsigned long stored = model_store(p, step->new_address + *done, bytes, part);
        *done += stored;
        if (stored < part)
            return -EFAULT;
    }
    return 0;
}

long model_msync(struct process *p, unsigned long start, unsigned long length, int flags)
{
    unsigned long end = start + PAGE_ALIGN(length), next = start;
    long hole = 0;

    if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || (start & ~PAGE_MASK) ||
        ((flags & MS_ASYNC) && (flags & MS_SYNC)))
        return -EINVAL;
    if (end < start)
        return -ENOMEM;
    for_each_page(i, start, end) {
        if (!p->pages[i].mapped)
            continue;
        if (address_of(i) != next && flags == MS_ASYNC)
            return -ENOMEM;
        if (address_of(i) != next)
            hole = -ENOMEM;
        if ((flags & MS_INVALIDATE) && (p->pages[i].flags & VM_LOCKED))
            return -EBUSY;
        next = address_of(i) + P;
    }
    return next != end ? -ENOMEM : hole;
}

/* ---- mlock ---- */

static long change_lock(struct process *p, unsigned long start, unsigned long length, unsigned long flags)
{
    unsigned long end = start + length;

    if (end < start)
        return -EINVAL;
    for (; start < end; start += P) {
        struct model_page *page = page_holding(p, start);
        if (!page || !page->mapped)
            return -ENOMEM;
        page->flags = (page->flags & ~LOCK_FLAGS) | flags;
    }
    return 0;
}

static bool may_lock_at_all(void)
{
    return settings.limits.memlock != 0 || settings.may_lock_beyond_limit;
}

long model_mlock(struct process *p, const struct step *step)
{
    unsigned long start = step->address & PAGE_MASK, length = PAGE_ALIGN(step->length + (step->address & ~PAGE_MASK));
    unsigned long counted_twice = 0, on_fault = step->op == OP_MLOCK_ON_FAULT ? VM_LOCKONFAULT : 0;

    if (!may_lock_at_all())
        return -EPERM;
    for_each_page(i, start, start + length < start ? ~0ul : start + length) counted_twice +=
        p->pages[i].mapped && (p->pages[i].flags & VM_LOCKED);
    if (!settings.may_lock_beyond_limit && locked_pages(p) + length / P - counted_twice > settings.limits.memlock / P)
        return -ENOMEM;
    long error = change_lock(p, start, length, VM_LOCKED | on_fault);
    if (error)
        return error;
    /* Page by page: the first that can't be had ends it. */
    for (unsigned long at = start; at < start + length; at += P)
        if (populate_pages(p, at, at + P))
            return -ENOMEM;
    return 0;
}

long model_munlock(struct process *p, unsigned long start, unsigned long length)
{
    return change_lock(p, start & PAGE_MASK, PAGE_ALIGN(length + (start & ~PAGE_MASK)), 0);
}

long model_mlockall(struct process *p, int flags)
{
    unsigned long lock = VM_LOCKED | (flags & MCL_ONFAULT ? VM_LOCKONFAULT : 0);

    if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    if (!may_lock_at_all())
        return -EPERM;
    if ((flags & MCL_CURRENT) && !settings.may_lock_beyond_limit && total_pages(p) > settings.limits.memlock / P)
        return -ENOMEM;
    p->def_flags = flags & MCL_FUTURE ? lock : 0;
    for (unsigned i = 0; i < PAGES && (flags & MCL_CURRENT); i++)
        p->pages[i].flags = p->pages[i].mapped ? (p->pages[i].flags & ~LOCK_FLAGS) | lock : 0;
    if (flags & MCL_CURRENT)
        (void)populate_pages(p, 0, TASK_SIZE);
    return 0;
}

long model_munlockall(struct process *p)
{
    p->def_flags = 0;
    for (unsigned i = 0; i < PAGES; i++)
        p->pages[i].flags &= ~LOCK_FLAGS;
    return 0;
}

/* ---- fork ---- */

static void inherit(struct model_page *page)
{
    page->flags &= ~LOCK_FLAGS;
    if (page->flags & VM_WIPEONFORK)
        forget_page_content(page);
    else if (!page->own && page->resident == YES)
        page->resident = MAYBE; /* a page that was only read may be copied, or not */
}

/* The part of CHILD that is PARENT's VMA from page FIRST to before END. */
static long copy_vma(struct process *child, const struct process *parent, unsigned first, unsigned end)
{
    unsigned long flags = parent->pages[first].flags;

    if (flags & VM_DONTCOPY)
        return 0;
    if ((flags & VM_ACCOUNT) && !model_may_commit(child, end - first, true))
        return -ENOMEM;
    for (unsigned i = first; i < end; i++) {
        child->pages[i] = parent->pages[i];
        inherit(&child->pages[i]);
    }
    return 0;
}

long model_fork(struct process *child, struct process *parent)
{
    long error = 0;

    child->brk = parent->brk;
    child->def_flags = 0;
    memset(child->pages, 0, sizeof(child->pages));
    for (unsigned i = 0, end; i < PAGES && !error; i = end) {
        end = i + 1;
        if (!parent->pages[i].mapped)
            continue;
        end = i + (unsigned)((vma_end_of(parent, i) - address_of(i)) / P);
        error = copy_vma(child, parent, i, end);
    }
    return error;
}
