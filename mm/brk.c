/*
 * brk: the end of the heap. It moves in pages, is remembered in bytes, and a failure leaves it
 * where it was.
 */
#include "kernel/lib/lab.h"
#include "mm/limits.h"
#include "mm/populate.h"
#include "mm/unmap.h"
#include "mm/vma.h"

/* What a heap is when nothing is locked. */
#define HEAP_FLAGS (VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT)

#if LAB != 4
/* RLIMIT_DATA counts the heap and the program's own data. */
static bool data_limit_allows(const struct mm_struct *mm, unsigned long brk)
{
    unsigned long limit = mm->limits.data;
    return limit == ~0ul || (brk - mm->start_brk) + (mm->end_data - mm->start_data) <= limit;
}

/* A VMA of its own for [start, end), which is free. 0 or -ENOMEM. */
static int add_heap_vma(struct mm_struct *mm, unsigned long start, unsigned long end,
                        unsigned long vm_flags)
{
    struct vm_area_struct *vma = vma_alloc(mm, start, end, vm_flags, start >> PAGE_SHIFT);

    if (unlikely(!vma))
        return -ENOMEM;
    insert_vm_struct(mm, vma);
    return 0;
}

/* Takes [old_end, new_end) into the heap. 0 or negative errno. */
static __attribute__((noinline)) int grow_heap(struct mm_struct *mm, unsigned long old_end,
                                               unsigned long new_end)
{
    unsigned long length = new_end - old_end, pages = length >> PAGE_SHIFT;
    unsigned long vm_flags = HEAP_FLAGS | mm->def_flags;

    if (new_end > TASK_SIZE || mlock_future_check(mm, mm->def_flags, length))
        return -ENOMEM;

    /* One free page stays below the next mapping, and its guard gap when it grows down. */
    struct vm_area_struct *prev, *next = find_vma_prev(mm, old_end, &prev);
    if (next && new_end + PAGE_SIZE > vm_start_gap(next))
        return -ENOMEM;

    if (!may_expand_vm(mm, vm_flags, pages) || mm->map_count > sysctl_max_map_count ||
        vm_acct_memory(mm, pages))
        return -ENOMEM;

    /*
     * Only the heap grows: a program's data that ends where the heap begins stays a VMA of its own.
     */
    if (prev && prev->vm_end > mm->start_brk && vma_can_grow(prev, old_end, vm_flags)) {
        vma_set_end(prev, new_end);
        mm->mmap_cache = prev;
    } else if (add_heap_vma(mm, old_end, new_end, vm_flags)) {
        vm_unacct_memory(mm, pages);
        return -ENOMEM;
    }
    vm_stat_account(mm, vm_flags, (long)pages);
    if (unlikely(vm_flags & VM_LOCKED)) {
        mm->locked_vm += pages;
        mm_populate(mm, old_end, length);
    }
    return 0;
}

/*
 * The usual case of it: the heap was the last VMA found, no other is near, no limit is, and nothing
 * is locked. False: grow_heap has to look closer.
 */
static inline bool grow_in_place(struct mm_struct *mm, unsigned long old_end, unsigned long new_end)
{
    struct vm_area_struct *heap = mm->mmap_cache;
    unsigned long pages = (new_end - old_end) >> PAGE_SHIFT;

    if (!heap || old_end <= mm->start_brk || !vma_can_grow(heap, old_end, HEAP_FLAGS) ||
        mm->def_flags)
        return false;
    if (!heap->vm_next || new_end + STACK_GUARD_GAP + PAGE_SIZE > heap->vm_next->vm_start)
        return false;
    if (!may_expand_plainly(mm, pages) || mm->map_count > sysctl_max_map_count ||
        !vm_commit_is_plain(pages))
        return false;

    vm_commit(mm, pages);
    vm_stat_account(mm, HEAP_FLAGS, (long)pages);
    vma_set_end(heap, new_end);
    return true;
}

/*
 * Unmaps [new_end, old_end), in which the program may have made holes or mappings of its own. 0 or
 * negative errno.
 */
static int shrink_heap(struct mm_struct *mm, unsigned long old_end, unsigned long new_end)
{
    struct vm_area_struct *first = find_vma_intersection(mm, new_end, old_end);

    return first ? unmap_from(first, new_end, old_end) : -EINVAL;
}

/* The two ways to another last page. The break afterwards: BRK, or as it was. */
static __attribute__((noinline)) unsigned long shrink_heap_to(struct mm_struct *mm,
                                                              unsigned long old_end,
                                                              unsigned long new_end,
                                                              unsigned long brk)
{
    if (unlikely(shrink_heap(mm, old_end, new_end)))
        return mm->brk;
    mm->brk = brk;
    return brk;
}

static __attribute__((noinline)) unsigned long grow_heap_to(struct mm_struct *mm,
                                                            unsigned long old_end,
                                                            unsigned long new_end,
                                                            unsigned long brk)
{
    if (!grow_in_place(mm, old_end, new_end) && grow_heap(mm, old_end, new_end))
        return mm->brk;
    mm->brk = brk;
    return brk;
}
#endif

unsigned long do_brk(struct mm_struct *mm, unsigned long brk)
{
#if LAB != 4
    unsigned long old_end = PAGE_ALIGN(mm->brk), new_end = PAGE_ALIGN(brk);

    if (brk < mm->start_brk || !data_limit_allows(mm, brk) || new_end < brk)
        return mm->brk;
    if (new_end < old_end)
        return shrink_heap_to(mm, old_end, new_end, brk);
    if (new_end > old_end)
        return grow_heap_to(mm, old_end, new_end, brk);
    mm->brk = brk;
    return brk;
#endif
    NOT_YET_WRITTEN_FAILS(4, mm->brk, brk);
}
