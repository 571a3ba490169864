/*
 * brk: the end of the heap. It moves in pages, is remembered in bytes, and a failure leaves it
 * where it was.
 */
#include "kernel/lib/lab.h"
#include "mm/limits.h"
#include "mm/populate.h"

#if LAB != 4
/* RLIMIT_DATA counts the heap and the program's own data. */
static bool data_limit_allows(const struct mm_struct *mm, unsigned long brk)
{
    unsigned long limit = mm->limits.data;
    return limit == ~0ul || (brk - mm->start_brk) + (mm->end_data - mm->start_data) <= limit;
}

/* Takes [old_end, new_end) into the heap. 0 or negative errno. */
static int grow_heap(struct mm_struct *mm, unsigned long old_end, unsigned long new_end)
{
    unsigned long length = new_end - old_end, pages = length >> PAGE_SHIFT;
    unsigned long vm_flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
                             VM_ACCOUNT | mm->def_flags;

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
    } else {
        struct vm_area_struct *vma = vma_alloc(mm);
        if (unlikely(!vma)) {
            vm_unacct_memory(mm, pages);
            return -ENOMEM;
        }
        vma->vm_start = old_end;
        vma->vm_end = new_end;
        vma->vm_flags = vm_flags;
        vma->vm_pgoff = old_end >> PAGE_SHIFT;
        insert_vm_struct_between(mm, vma, prev, next);
    }
    vm_stat_account(mm, vm_flags, (long)pages);
    if (unlikely(vm_flags & VM_LOCKED))
        mm->locked_vm += pages;
    return 0;
}

/*
 * Unmaps [new_end, old_end), in which the program may have made holes or mappings of its own. 0 or
 * negative errno.
 */
static int shrink_heap(struct mm_struct *mm, unsigned long old_end, unsigned long new_end)
{
    if (!find_vma_intersection(mm, new_end, old_end))
        return -EINVAL;
    return do_munmap(mm, new_end, old_end - new_end);
}
#endif

unsigned long do_brk(struct mm_struct *mm, unsigned long brk)
{
#if LAB != 4
    unsigned long old_brk = mm->brk;

    if (brk < mm->start_brk || !data_limit_allows(mm, brk))
        return old_brk;

    unsigned long new_end = PAGE_ALIGN(brk), old_end = PAGE_ALIGN(old_brk);
    if (new_end < brk)
        return old_brk;
    if (new_end != old_end) {
        int error = brk <= old_brk ? shrink_heap(mm, old_end, new_end)
                                   : grow_heap(mm, old_end, new_end);
        if (error)
            return old_brk;
    }
    mm->brk = brk;
    if (unlikely(mm->def_flags & VM_LOCKED) && new_end > old_end)
        mm_populate(mm, old_end, new_end - old_end);
    return brk;
#endif
    NOT_YET_WRITTEN_FAILS(4, mm->brk, brk);
}
