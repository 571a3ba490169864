/*
 * Joining VMAs that differ in nothing any more: which neighbours fit, and what becomes of the three
 * VMAs around a range.
 */
#include "kernel/lib/lab.h"
#include "kernel/lib/panic.h"
#include "mm/vma.h"
#include "mm/vma_index.h"

/* What a range is or is to become: everything that has to be equal in a neighbour. */
struct range {
    unsigned long start, end;
    unsigned long vm_flags;
    u32 anon, file;
    const struct address_space *mapping;
    unsigned long pgoff;
};

/* ---- families of anonymous pages ---- */

/*
 * True when VMA may take in a range whose pages are of family ANON. One side without pages fits,
 * but only beside a family that began in this process: Linux looks at the neighbour's list of
 * families, which must hold exactly one.
 */
static inline bool families_fit(u32 anon, const struct vm_area_struct *vma)
{
    bool neighbour_is_plain = vma->vm_anon && !(vma->vm_anon & VM_ANON_INHERITED);
    if (!anon && neighbour_is_plain)
        return true;
    return anon == vma->vm_anon;
}

static u32 last_family;

static u32 new_family(void)
{
    last_family += VM_ANON_INHERITED + 1;
    /* GCOVR_EXCL_START: after two thousand million families; 0 means none */
    if (unlikely(!last_family))
        last_family += VM_ANON_INHERITED + 1;
    /* GCOVR_EXCL_STOP */
    return last_family;
}

u32 vma_inherited_anon(void)
{
    return new_family() | VM_ANON_INHERITED;
}

/*
 * True when A and B, neighbours, differ in nothing but their protection: mprotect may make them
 * alike one day.
 */
static bool may_merge_one_day(const struct vm_area_struct *a, const struct vm_area_struct *b)
{
    return a->vm_end == b->vm_start && a->vm_mapping == b->vm_mapping && a->vm_file == b->vm_file &&
           !((a->vm_flags ^ b->vm_flags) & ~VM_ACCESS_FLAGS) &&
           b->vm_pgoff == a->vm_pgoff + vma_pages(a);
}

static bool has_plain_family(const struct vm_area_struct *vma)
{
    return vma->vm_anon && !(vma->vm_anon & VM_ANON_INHERITED);
}

void vma_prepare_anon_slow(struct vm_area_struct *vma)
{
    const struct vm_area_struct *prev = vma->vm_prev, *next = vma->vm_next;

    if (next && has_plain_family(next) && may_merge_one_day(vma, next))
        vma->vm_anon = next->vm_anon;
    else if (prev && has_plain_family(prev) && may_merge_one_day(prev, vma))
        vma->vm_anon = prev->vm_anon;
    else
        vma->vm_anon = new_family();
}

/* ---- which neighbours fit ---- */

/* The same object by the same open file; vm_ops are equal then, too. */
static inline bool is_alike(const struct vm_area_struct *vma, const struct range *range)
{
#if LAB != 2
    return vma->vm_flags == range->vm_flags && vma->vm_mapping == range->mapping &&
           vma->vm_file == range->file;
#endif
    NOT_YET_WRITTEN(2, vma, range);
}

/* True when PREV, which ends where RANGE begins, may be extended over it. */
static inline bool can_merge_after(const struct vm_area_struct *prev, const struct range *range)
{
#if LAB != 2
    return is_alike(prev, range) && families_fit(range->anon, prev) &&
           prev->vm_pgoff + vma_pages(prev) == range->pgoff;
#endif
    NOT_YET_WRITTEN(2, prev, range, is_alike, families_fit);
}

/* True when NEXT, which begins where RANGE ends, may be extended down over it. */
static inline bool can_merge_before(const struct vm_area_struct *next, const struct range *range)
{
#if LAB != 2
    return is_alike(next, range) && families_fit(range->anon, next) &&
           range->pgoff + ((range->end - range->start) >> PAGE_SHIFT) == next->vm_pgoff;
#endif
    NOT_YET_WRITTEN(2, next, range, is_alike, families_fit);
}

/* ---- joining ---- */

static struct vm_area_struct *journal_merge(struct vm_area_struct *vma)
{
    journal(JOURNAL_VMA_MERGE, vma->vm_start, vma->vm_end, vma->vm_flags);
    return vma;
}

#if LAB != 2
/*
 * Extends PREV up to END. What lies between (MID, if not NULL, begins at PREV's end) is taken in:
 * wholly when it ends at or before END, else its start moves up.
 */
static void extend_up(struct vm_area_struct *prev, struct vm_area_struct *mid, unsigned long end)
{
    if (mid && mid->vm_start < end) {
        if (mid->vm_end <= end)
            vma_absorb(prev, mid);
        else
            vma_move_start(mid, end);
    }
    vma_move_end(prev, end);
}

/*
 * Extends NEXT down to START; MID, the VMA that ends where NEXT begins (or NULL), gives up what it
 * has there.
 */
static void extend_down(struct vm_area_struct *next, struct vm_area_struct *mid,
                        unsigned long start)
{
    if (mid && mid->vm_end > start) {
        if (mid->vm_start >= start)
            vma_absorb(next, mid);
        else
            vma_move_end(mid, start);
    }
    vma_move_start(next, start);
}
#endif

struct vm_area_struct *vma_merge(struct mm_struct *mm, struct vm_area_struct *prev,
                                 unsigned long start, unsigned long end, unsigned long vm_flags,
                                 const struct vm_area_struct *like, unsigned long pgoff)
{
#if LAB != 2
    const struct range range = {
        start, end, vm_flags, like->vm_anon, like->vm_file, like->vm_mapping, pgoff,
    };
    struct vm_area_struct *mid = prev ? prev->vm_next : mm->mmap;
    struct vm_area_struct *next = mid && mid->vm_end == end ? mid->vm_next : mid;

    bool joins_prev = prev && prev->vm_end == start && can_merge_after(prev, &range);
    bool joins_next = next && next->vm_start == end && can_merge_before(next, &range);
    if (!joins_prev && !joins_next)
        return NULL;

    bool families_join = joins_prev && joins_next &&
                         (!prev->vm_anon || !next->vm_anon || prev->vm_anon == next->vm_anon);
    if (families_join) {
        extend_up(prev, mid != next ? mid : NULL, end);
        unsigned long new_end = next->vm_end;
        vma_absorb(prev, next);
        vma_move_end(prev, new_end);
        return journal_merge(prev);
    }
    if (joins_prev) {
        extend_up(prev, mid, end);
        return journal_merge(prev);
    }
    /* The range is the tail of PREV, or all of MID, or free. */
    bool is_tail_of_prev = prev && prev->vm_end > start;
    extend_down(next, is_tail_of_prev ? prev : mid != next ? mid : NULL, start);
    return journal_merge(next);
#endif
    NOT_YET_WRITTEN(2, mm, prev, start, end, vm_flags, like, pgoff);
}

struct vm_area_struct *vma_expand(struct vm_area_struct *prev, struct vm_area_struct *next,
                                  unsigned long start, unsigned long end, unsigned long vm_flags,
                                  const struct mmap_source *source, unsigned long pgoff)
{
#if LAB != 2
    bool touches_prev = prev && prev->vm_end == start, touches_next = next && next->vm_start == end;

    struct range range = {
        .start = start, .end = end, .vm_flags = vm_flags, .pgoff = pgoff,
        .file = source ? source->file : 0, .mapping = source ? source->mapping : NULL,
    };
    bool joins_next = touches_next && can_merge_before(next, &range);
    /* PREV must fit what the range will be once NEXT has taken it. */
    if (joins_next)
        range.anon = next->vm_anon;
    bool joins_prev = touches_prev && can_merge_after(prev, &range);

    if (joins_prev) {
        unsigned long new_end = joins_next ? next->vm_end : end;
        if (joins_next)
            vma_absorb(prev, next);
        vma_move_end(prev, new_end);
        return journal_merge(prev);
    }
    if (joins_next) {
        vma_move_start(next, start);
        return journal_merge(next);
    }
    return NULL;
#endif
    NOT_YET_WRITTEN(2, prev, next, start, end, vm_flags, source, pgoff, can_merge_after, can_merge_before, journal_merge);
}

struct vm_area_struct *vma_isolate(struct vm_area_struct *vma, struct vm_area_struct *prev,
                                   unsigned long start, unsigned long end, unsigned long vm_flags,
                                   int *error)
{
    struct mm_struct *mm = vma->vm_mm;
    bool may_merge = !(vm_flags & VM_HUGETLB);
    struct vm_area_struct *merged = NULL;

    if (likely(may_merge))
        merged = vma_merge(mm, prev, start, end, vm_flags, vma,
                           vma->vm_pgoff + ((start - vma->vm_start) >> PAGE_SHIFT));
    if (merged)
        return merged;

    bool splits_start = start != vma->vm_start;
    if (splits_start) {
        *error = split_vma(mm, vma, start, true);
        if (*error)
            return NULL;
    }
    if (end != vma->vm_end) {
        *error = split_vma(mm, vma, end, false);
        if (*error) {
            /*
             * At the limit of mappings Linux leaves the first split, which programs can see;
             * without memory nothing is to change.
             */
            if (splits_start && may_merge && mm->map_count < sysctl_max_map_count)
                (void)vma_merge(mm, vma->vm_prev, vma->vm_start, vma->vm_end, vma->vm_flags, vma,
                                vma->vm_pgoff);
            return NULL;
        }
    }
    vma_set_flags(vma, vm_flags);
    return vma;
}
