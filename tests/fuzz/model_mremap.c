/* The fuzzer's model of mremap. */
#include "tests/fuzz/step.h"

#define MAPS_FOR_A_MOVE 3

/* The checks before a range may get another length or place: 0 or what is wrong. */
static long refuse_resize(struct process *p, unsigned long old, unsigned long old_length, unsigned long new_length)
{
    const struct model_page *first = page_holding(p, old);

    if (!first || !first->mapped)
        return -EFAULT;
    if (!old_length && !(first->flags & VM_MAYSHARE))
        return -EINVAL;
    if (old_length > vma_end_of(p, (unsigned)(first - p->pages)) - old)
        return -EFAULT;
    if (new_length == old_length)
        return 0;
    unsigned long more = (new_length - old_length) / P;
    if (is_beyond_lock_limit(p, first->flags, more))
        return -EAGAIN;
    return model_may_expand(p, first->flags, more) ? 0 : -ENOMEM;
}

/* The move itself, to a free place that has been chosen. */
static unsigned long move(struct process *p, const struct step *step, unsigned long old_length, unsigned long to,
                          unsigned long new_length)
{
    bool keeps_old = (step->flags & MREMAP_DONTUNMAP) != 0;
    struct model_page source[PAGES], first = *page_holding(p, step->address);

    if (p->map_count >= settings.max_map_count - MAPS_FOR_A_MOVE)
        return ERROR(ENOMEM);
    if ((first.flags & VM_ACCOUNT) && !model_may_commit(p, (new_length - (keeps_old ? 0 : old_length)) / P, true))
        return ERROR(ENOMEM);
    if (!is_in_zone(to, to + new_length))
        return SKIP;

    unsigned from = (unsigned)(page_holding(p, step->address) - p->pages), target = page_at_or_above(to);
    memcpy(source, p->pages, sizeof(source));
    for (unsigned i = 0; i < old_length / P; i++) {
        forget_page_content(&p->pages[from + i]);
        if (keeps_old)
            p->pages[from + i].flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
        else
            memset(&p->pages[from + i], 0, sizeof(p->pages[0]));
    }
    for (unsigned i = 0; i < new_length / P; i++) {
        p->pages[target + i] = first;
        forget_page_content(&p->pages[target + i]);
        if (i < old_length / P)
            p->pages[target + i] = source[from + i];
        p->pages[target + i].index = first.index + i;
        p->pages[target + i].starts_vma = i == 0;
    }
    return to;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP. *OLD_LENGTH is cut to the new one. */
static unsigned long move_to(struct process *p, const struct step *step, unsigned long *old_length,
                             unsigned long new_length)
{
    unsigned long old = step->address, to = step->new_address;
    bool is_fixed = (step->flags & MREMAP_FIXED) != 0;

    if ((to & ~PAGE_MASK) || new_length > TASK_SIZE || to > TASK_SIZE - new_length)
        return ERROR(EINVAL);
    if (old + *old_length > to && to + new_length > old)
        return ERROR(EINVAL);
    if (p->map_count + 2 >= settings.max_map_count - MAPS_FOR_A_MOVE)
        return ERROR(ENOMEM);
    if (is_fixed)
        unmap_pages(p, to, to + new_length);
    if (*old_length > new_length) {
        /* A range beyond the user half can't be cut. */
        if (model_munmap(p, old + new_length, *old_length - new_length))
            return ERROR(EINVAL);
        *old_length = new_length;
    }
    long refusal = refuse_resize(p, old, *old_length, new_length);
    if (refusal)
        return (unsigned long)refusal;
    if ((step->flags & MREMAP_DONTUNMAP) && !model_may_expand(p, page_holding(p, old)->flags, *old_length / P))
        return ERROR(ENOMEM);
    to = choose_address(p, to, new_length, is_fixed ? MAP_FIXED : 0);
    return is_error(to) ? to : move(p, step, *old_length, to, new_length);
}

static unsigned long grow(struct process *p, const struct step *step, unsigned long old_length,
                          unsigned long new_length)
{
    unsigned long old = step->address;
    long refusal = refuse_resize(p, old, old_length, new_length);
    if (refusal)
        return (unsigned long)refusal;

    unsigned first = (unsigned)(page_holding(p, old) - p->pages);
    unsigned long end = vma_end_of(p, first), new_end = old + new_length;
    if (old + old_length == end && new_end > end && new_end <= TASK_SIZE && !mapped_pages(p, end, new_end)) {
        if (!is_in_zone(end, new_end))
            return SKIP;
        if ((p->pages[first].flags & VM_ACCOUNT) && !model_may_commit(p, (new_end - end) / P, true))
            return ERROR(ENOMEM);
        unsigned last = page_at_or_above(end - P);
        for_each_page(i, end, new_end) {
            p->pages[i] = p->pages[last];
            forget_page_content(&p->pages[i]);
            p->pages[i].index = p->pages[last].index + (i - last);
            p->pages[i].starts_vma = false;
        }
        return old;
    }
    if (!(step->flags & MREMAP_MAYMOVE))
        return ERROR(ENOMEM);
    unsigned long to = choose_address(p, 0, new_length, 0);
    return is_error(to) ? to : move(p, step, old_length, to, new_length);
}

unsigned long model_mremap(struct process *p, const struct step *step)
{
    unsigned long old_length = PAGE_ALIGN(step->length), new_length = PAGE_ALIGN(step->new_length), result;
    bool is_fixed = (step->flags & MREMAP_FIXED) != 0, keeps_old = (step->flags & MREMAP_DONTUNMAP) != 0;
    bool may_move = (step->flags & MREMAP_MAYMOVE) != 0;
    const struct model_page *first = page_holding(p, step->address);

    if (step->flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
        return ERROR(EINVAL);
    if ((is_fixed || keeps_old) && !may_move)
        return ERROR(EINVAL);
    if (keeps_old && step->length != step->new_length)
        return ERROR(EINVAL);
    if ((step->address & ~PAGE_MASK) || !new_length)
        return ERROR(EINVAL);
    if (!first || !first->mapped)
        return ERROR(EFAULT);
    bool is_locked = (first->flags & VM_LOCKED) != 0;

    if (is_fixed || keeps_old) {
        result = move_to(p, step, &old_length, new_length);
    } else if (old_length >= new_length) {
        result = step->address;
        if (old_length > new_length && model_munmap(p, step->address + new_length, old_length - new_length))
            result = ERROR(EINVAL);
    } else {
        result = grow(p, step, old_length, new_length);
    }
    if (is_locked && !is_error(result) && result != SKIP && new_length > old_length)
        (void)populate_pages(p, result + old_length, result + new_length);
    return result;
}
