/* The fuzzer's model of what makes pages resident and asks about it: mlock, mincore, msync; and of fork. */
#include "tests/fuzz/step.h"

#define LOCK_FLAGS    (VM_LOCKED | VM_LOCKONFAULT)
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
