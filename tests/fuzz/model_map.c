/* The fuzzer's model of the calls that make and move mappings: mmap, munmap, brk; and where what is mapped goes. */
#include "mm/hugetlb.h"
#include "tests/fuzz/step.h"

#define LOW_WINDOW_START 0x40000000ul /* where MAP_32BIT looks */
#define LOW_WINDOW_END   0x80000000ul
#define BOTTOM_UP_START  PAGE_ALIGN(TASK_SIZE / 3)
#define HUGE_SIZE_FLAG   (1ul << 26) /* the lowest of the bits that name the size of huge pages */
#define LEGACY_FLAGS                                                                                                   \
    (MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE |                \
     MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB |             \
     0x3ful << 26)

/* ---- where ---- */

static unsigned long from_below(const struct process *p, unsigned long hint, unsigned long length, unsigned long flags)
{
    bool is_low = (flags & MAP_32BIT) != 0;
    unsigned long low = is_low ? LOW_WINDOW_START : BOTTOM_UP_START, high = is_low ? LOW_WINDOW_END : TASK_SIZE;

    if (length > high)
        return ERROR(ENOMEM);
    if (hint && high - length >= hint && is_room(p, hint, length))
        return hint;
    return find_room(p, length, low, high, false);
}

unsigned long choose_address(const struct process *p, unsigned long hint, unsigned long length, unsigned long flags)
{
    unsigned long at = hint;

    if (length > TASK_SIZE)
        return ERROR(ENOMEM);
    if (!(flags & MAP_FIXED)) {
        if (flags & MAP_32BIT)
            at = from_below(p, hint, length, flags);
        else if (!hint || hint > TASK_SIZE - length || !is_room(p, hint, length))
            at = find_room(p, length, P, WINDOW_END, true);
        if (is_error(at))
            at = from_below(p, hint, length, flags);
        if (is_error(at))
            return at;
    }
    if (at > TASK_SIZE - length)
        return ERROR(ENOMEM);
    if (at & ~PAGE_MASK)
        return ERROR(EINVAL);
    return at < mmap_min_addr ? ERROR(EPERM) : at;
}

/* ---- mmap ---- */

static long refuse_source(const struct step *step, unsigned long *flags)
{
    bool is_writable = step->source == MEMORY;

    switch (step->flags & MAP_TYPE) {
    case MAP_SHARED_VALIDATE:
        if (step->source == ANONYMOUS)
            return -EINVAL;
        if (step->flags & ~LEGACY_FLAGS)
            return -EOPNOTSUPP;
        /* fallthrough */
    case MAP_SHARED:
        if (step->source != ANONYMOUS && (step->prot & PROT_WRITE) && !is_writable)
            return -EACCES;
        *flags |= VM_MAYSHARE | VM_SHARED;
        if (step->source != ANONYMOUS && !is_writable)
            *flags &= ~(VM_SHARED | VM_MAYWRITE);
        break;
    case MAP_PRIVATE:
        break;
    default:
        return -EINVAL;
    }
    bool never_grows = step->source != ANONYMOUS || (*flags & VM_SHARED);
    return never_grows && (*flags & VM_GROWSDOWN) ? -EINVAL : 0;
}

unsigned long mapped_pages(const struct process *p, unsigned long start, unsigned long end)
{
    unsigned long pages = 0;

    for_each_page(i, start, end) pages += p->pages[i].mapped;
    return pages;
}

/* The object of a new mapping and the accounting; false: not enough may be promised. */
static bool charge(struct process *p, const struct step *step, unsigned long pages, unsigned long *flags, short *object)
{
    *object = step->source == ARCHIVE ? ARCHIVE_FILE : step->source == MEMORY ? MEMORY_FILE : NO_OBJECT;
    bool is_accounted = accountable_mapping(*flags);
    if (*object == NO_OBJECT && (*flags & VM_SHARED)) {
        *object = (short)model.objects_used++;
        if (model.objects_used > OBJECTS)
            abort();
        is_accounted = !(*flags & VM_NORESERVE);
    }
    if (is_accounted && !model_may_commit(p, pages, true))
        return false;
    if (*flags & VM_SHARED && step->source == ANONYMOUS)
        model.objects[*object] = (struct model_object){.size = pages * P, .charged = is_accounted ? pages : 0};
    else if (is_accounted)
        *flags |= VM_ACCOUNT;
    return true;
}

static bool has_room(const struct process *p, unsigned long at, unsigned long length, unsigned long flags)
{
    unsigned long pages = length / P;

    return model_may_expand(p, flags, pages) ||
           model_may_expand(p, flags, pages - mapped_pages(p, at, at + length));
}

/* Where a mapping of huge pages goes: HINT, another place, or an error. *IS_FIXED: there or nowhere. */
static unsigned long huge_hint(const struct process *p, unsigned long hint, unsigned long length, bool *is_fixed)
{
    unsigned long rounded = hint & HUGE_PAGE_MASK;

    if (length > TASK_SIZE)
        return hint;
    if (*is_fixed)
        return rounded == hint ? hint : ERROR(EINVAL);
    if (!hint || rounded > TASK_SIZE - length || !is_room(p, rounded, length))
        return 0;
    *is_fixed = true;
    return rounded;
}

/*
 * A mapping of huge pages, of which there are none; what was in its place is gone. Only what promises nothing
 * (MAP_NORESERVE) gets an address.
 */
static unsigned long map_huge(struct process *p, const struct step *step, unsigned long at, unsigned long length,
                                 unsigned long flags)
{
    unsigned long type = step->flags & MAP_TYPE;

    if (type == MAP_SHARED_VALIDATE && (step->flags & ~LEGACY_FLAGS))
        return ERROR(EOPNOTSUPP);
    if ((type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE) || (flags & VM_GROWSDOWN))
        return ERROR(EINVAL);
    if (!has_room(p, at, length, type == MAP_PRIVATE ? flags : flags | VM_SHARED))
        return ERROR(ENOMEM);
    if (step->flags & MAP_FIXED)
        unmap_pages(p, at, at + length);
    if (!maps_huge_pages(step))
        return ERROR(ENOMEM);
    return step->offset & ~HUGE_PAGE_MASK ? ERROR(EINVAL) : at;
}

/* LENGTH in whole pages, of the size that FLAGS name; 0: there is no such length. */
static unsigned long whole_pages(unsigned long length, unsigned long flags)
{
    unsigned long shift = flags / HUGE_SIZE_FLAG % 64;

    if (!(flags & MAP_HUGETLB))
        return PAGE_ALIGN(length);
    return shift && shift != HUGE_PAGE_SHIFT ? 0 : ALIGN_UP(length, HUGE_PAGE_SIZE);
}

static bool is_of_huge_pages(const struct step *step)
{
    return step->op == OP_MMAP && step->source == ANONYMOUS && (step->flags & MAP_HUGETLB);
}

bool maps_huge_pages(const struct step *step)
{
    return is_of_huge_pages(step) && (step->flags & MAP_NORESERVE);
}

unsigned long mapped_length(const struct step *step)
{
    return whole_pages(step->length, is_of_huge_pages(step) ? step->flags : 0);
}

unsigned long model_mmap(struct process *p, const struct step *step)
{
    bool is_huge = is_of_huge_pages(step);
    unsigned long length = mapped_length(step), pages = length / P;
    unsigned long index = step->offset / P;
    unsigned long flags = (step->prot & VM_ACCESS_FLAGS) | (step->flags & (VM_GROWSDOWN | VM_LOCKED)) | p->def_flags |
                          VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
    bool is_fixed = (step->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
    short object;

    if ((step->offset & ~PAGE_MASK) || !step->length)
        return ERROR(EINVAL);
    unsigned long hint = step->address;
    if (!is_fixed && (hint &= PAGE_MASK) && hint < mmap_min_addr)
        hint = mmap_min_addr;
    if (!length)
        return is_huge ? ERROR(EINVAL) : ERROR(ENOMEM);
    if (p->map_count > settings.max_map_count)
        return ERROR(ENOMEM);
    if ((step->flags & MAP_HUGETLB) && !is_huge)
        return ERROR(EINVAL);

    if (is_huge)
        hint = huge_hint(p, hint, length, &is_fixed);
    if (is_huge && is_error(hint))
        return hint;
    unsigned long at = choose_address(p, hint, length, step->flags | (is_fixed ? MAP_FIXED : 0));
    if (is_error(at))
        return at;
    if ((step->flags & MAP_FIXED_NOREPLACE) && mapped_pages(p, at, at + length))
        return ERROR(EEXIST);
    if ((step->flags & MAP_LOCKED) && settings.limits.memlock == 0 && !settings.may_lock_beyond_limit)
        return ERROR(EPERM);
    if (is_beyond_lock_limit(p, flags, pages))
        return ERROR(EAGAIN);
    if ((step->source != ANONYMOUS || maps_huge_pages(step)) && index > ((~0ul >> 1) - length) / P)
        return ERROR(EOVERFLOW);
    if (is_huge)
        return map_huge(p, step, at, length, flags);
    long refusal = refuse_source(step, &flags);
    if (refusal)
        return (unsigned long)refusal;
    if ((step->flags & MAP_NORESERVE) && settings.overcommit != OVERCOMMIT_NEVER)
        flags |= VM_NORESERVE;
    if (!has_room(p, at, length, flags))
        return ERROR(ENOMEM);
    if (is_fixed && !is_in_zone(at, at + length))
        return SKIP;

    if (is_fixed)
        unmap_pages(p, at, at + length);
    if (!charge(p, step, pages, &flags, &object))
        return ERROR(ENOMEM);
    bool populates = (flags & VM_LOCKED) || (step->flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE;
    if (!is_in_zone(at, at + length))
        return populates ? SKIP : at;
    for_each_page(i, at, at + length) p->pages[i] = (struct model_page){
        .mapped = true,
        .flags = flags,
        .object = object,
        .starts_vma = address_of(i) == at,
        .index = (unsigned)((step->source == ANONYMOUS ? 0 : index) + (address_of(i) - at) / P),
    };
    if (populates)
        (void)populate_pages(p, at, at + length);
    return at;
}

unsigned long model_munmap(struct process *p, unsigned long start, unsigned long length)
{
    if ((start & ~PAGE_MASK) || start > TASK_SIZE || length > TASK_SIZE - start || !length)
        return ERROR(EINVAL);
    unmap_pages(p, start, start + PAGE_ALIGN(length));
    return 0;
}

/* ---- brk ---- */

/* 0, an error, or SKIP. */
static unsigned long grow_heap(struct process *p, unsigned long old_end, unsigned long new_end)
{
    unsigned long pages = (new_end - old_end) / P;
    unsigned long flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT | p->def_flags;

    if (new_end > TASK_SIZE || is_beyond_lock_limit(p, flags, pages) || !is_room(p, old_end, new_end + P - old_end))
        return ERROR(ENOMEM);
    if (!model_may_expand(p, flags, pages) || p->map_count > settings.max_map_count ||
        !model_may_commit(p, pages, true))
        return ERROR(ENOMEM);
    if (!is_in_zone(old_end, new_end))
        return SKIP;
    for_each_page(i, old_end, new_end) p->pages[i] =
        (struct model_page){.mapped = true, .flags = flags, .object = NO_OBJECT};
    return 0;
}

unsigned long model_brk(struct process *p, unsigned long brk)
{
    unsigned long start = address_of(BOTTOM_PAGES + HEAP_PAGE), old_end = PAGE_ALIGN(p->brk), new_end = PAGE_ALIGN(brk);
    unsigned long limit = settings.limits.data;

    if (brk < start || (limit != ~0ul && brk - start > limit) || new_end < brk)
        return p->brk;
    unsigned long error = new_end > old_end ? grow_heap(p, old_end, new_end) : 0;
    if (error)
        return error == SKIP ? SKIP : p->brk;
    if (new_end < old_end) {
        if (!mapped_pages(p, new_end, old_end))
            return p->brk;
        unmap_pages(p, new_end, old_end);
    }
    p->brk = brk;
    if (new_end > old_end && (p->def_flags & VM_LOCKED))
        (void)populate_pages(p, old_end, new_end);
    return brk;
}
