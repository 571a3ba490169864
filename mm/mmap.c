/*
 * mmap: promises a range of addresses. Only VMAs are made or changed; not one frame is allocated
 * (but by POPULATE and LOCKED).
 */
#include "mm/filemap.h"
#include "mm/limits.h"
#include "mm/mmap_flags.h"
#include "mm/page_table.h"
#include "mm/populate.h"
#include "mm/unmapped_area.h"
#include "mm/vma.h"

/* The largest offset into a file, and so the end of what can be mapped. */
#define FILE_SIZE_MAX (~0ul >> 1)

/* ---- what ---- */

unsigned long vm_flags_of_prot(unsigned long prot)
{
    _Static_assert(PROT_READ == VM_READ && PROT_WRITE == VM_WRITE && PROT_EXEC == VM_EXEC,
                   "the bits of a protection are those of vm_flags");
    return prot & VM_ACCESS_FLAGS;
}

static unsigned long vm_flags_of_map(unsigned long flags)
{
    _Static_assert(MAP_GROWSDOWN == VM_GROWSDOWN && MAP_LOCKED == VM_LOCKED,
                   "these bits are equal");
    return (flags & (VM_GROWSDOWN | VM_LOCKED)) | (unlikely(flags & MAP_SYNC) ? VM_SYNC : 0);
}

static int check_anonymous_mapping(unsigned long flags, unsigned long *vm_flags)
{
    switch (flags & MAP_TYPE) {
    case MAP_SHARED:
        if (*vm_flags & VM_GROWSDOWN)
            return -EINVAL;
        *vm_flags |= VM_SHARED | VM_MAYSHARE;
        return 0;
    case MAP_PRIVATE:
        return 0;
    default:
        return -EINVAL;
    }
}

/* ---- the mapping itself ---- */

/*
 * Pages of [start, end) that are mapped already: a MAP_FIXED mapping gives them back before it
 * takes.
 */
static unsigned long count_mapped_pages(struct mm_struct *mm, unsigned long start,
                                        unsigned long end)
{
    unsigned long pages = 0;
    struct vm_area_struct *vma = find_vma_intersection(mm, start, end);

    for (; vma && vma->vm_start < end; vma = vma->vm_next)
        pages += (MIN(vma->vm_end, end) - MAX(vma->vm_start, start)) >> PAGE_SHIFT;
    return pages;
}

/* True when the limits allow a mapping of [start, end), in place of what is there. */
static inline bool has_room(struct mm_struct *mm, unsigned long start, unsigned long end,
                            unsigned long vm_flags)
{
    unsigned long pages = (end - start) >> PAGE_SHIFT;

    return likely(may_expand_vm(mm, vm_flags, pages)) ||
           may_expand_vm(mm, vm_flags, pages - count_mapped_pages(mm, start, end));
}

/* A mapping that is wanted. */
struct request {
    const struct mmap_source *source;   /* NULL: anonymous */
    unsigned long start, end;
    unsigned long vm_flags;
    unsigned long pgoff;
};

static inline bool is_shared_anonymous(const struct request *request)
{
    return !request->source && (request->vm_flags & VM_SHARED);
}

/* Gives VMA the object that it maps: SOURCE's, or shared memory of its own. False: no memory. */
static __attribute__((noinline)) bool attach_object(struct vm_area_struct *vma,
                                                    const struct mmap_source *source)
{
    if (source) {
        vma->vm_ops = source->ops;
        vma->vm_mapping = source->mapping;
        vma->vm_file = source->file;
        if (source->mapping)
            mapping_get(source->mapping);
        return true;
    }
    vma->vm_ops = &shmem_vm_ops;
    vma->vm_mapping = shmem_create(vma->vm_end - vma->vm_start);
    return vma->vm_mapping != NULL;
}

/* A VMA for the new mapping, in no list yet, with the object that it maps. NULL: no memory. */
static __always_inline_fn struct vm_area_struct *make_vma(struct mm_struct *mm,
                                                          const struct request *request)
{
    struct vm_area_struct *vma = vma_alloc(mm, request->start, request->end, request->vm_flags,
                                           request->pgoff);

    if (unlikely(!vma))
        return NULL;
    if (unlikely((request->source || (request->vm_flags & VM_SHARED)) &&
                 !attach_object(vma, request->source))) {
        vma_free(vma);
        return NULL;
    }
    return vma;
}

/*
 * Enters the mapping between PREV and NEXT: by extending one of them, or as a VMA of its own (VMA,
 * if there is one already). 0 or -ENOMEM; VMA is used or freed.
 */
static __always_inline_fn int enter_mapping(struct mm_struct *mm, const struct request *request,
                                            struct vm_area_struct *prev,
                                            struct vm_area_struct *next,
                                            struct vm_area_struct *vma)
{
    bool has_neighbour = (prev && prev->vm_end == request->start) ||
                         (next && next->vm_start == request->end);

    /* A shared anonymous mapping is an object of its own: it joins nothing. */
    if (has_neighbour && !is_shared_anonymous(request) && !(request->vm_flags & VM_HUGETLB) &&
        vma_expand(prev, next, request->start, request->end, request->vm_flags, request->source,
                   request->pgoff)) {
        if (vma)
            vma_free(vma);
        return 0;
    }
    if (!vma)
        vma = make_vma(mm, request);
    if (unlikely(!vma))
        return -ENOMEM;
    if (is_shared_anonymous(request) && shmem_account(vma)) {
        vma_free(vma);
        return -ENOMEM;
    }
    vma->vm_flags = request->vm_flags;     /* one that was made early does not know VM_ACCOUNT */
    insert_vm_struct_between(mm, vma, prev, next);
    return 0;
}

/*
 * Makes the mapping, in place of whatever is there. What can fail for want of kernel memory comes
 * before anything is unmapped; refusals by the overcommit rule come after, as in Linux. The address
 * or -ENOMEM.
 */
static __always_inline_fn unsigned long mmap_region(struct mm_struct *mm, struct request *request)
{
    unsigned long pages = (request->end - request->start) >> PAGE_SHIFT;
    struct vm_area_struct *vma = NULL;

    if (unlikely(!has_room(mm, request->start, request->end, request->vm_flags)))
        return (unsigned long)-ENOMEM;

    struct vm_area_struct *prev, *next = find_vma_prev(mm, request->start, &prev);
    if (unlikely(next && next->vm_start < request->end)) {
        vma = make_vma(mm, request);
        if (!vma)
            return (unsigned long)-ENOMEM;
        if (do_munmap(mm, request->start, request->end - request->start)) {
            vma_free(vma);
            return (unsigned long)-ENOMEM;
        }
        next = find_vma_prev(mm, request->start, &prev);
    }

    bool is_accountable = accountable_mapping(request->vm_flags);
    if (is_accountable) {
        if (unlikely(vm_acct_memory(mm, pages))) {
            if (vma)
                vma_free(vma);
            return (unsigned long)-ENOMEM;
        }
        request->vm_flags |= VM_ACCOUNT;
    }
    if (unlikely(enter_mapping(mm, request, prev, next, vma))) {
        if (is_accountable)
            vm_unacct_memory(mm, pages);
        return (unsigned long)-ENOMEM;
    }
    vm_stat_account(mm, request->vm_flags, (long)pages);
    if (unlikely(request->vm_flags & VM_LOCKED))
        mm->locked_vm += pages;
    return request->start;
}

/* The same as a function, for whom its length does not matter. */
static __attribute__((noinline)) unsigned long call_mmap_region(struct mm_struct *mm, struct request *request)
{
    return mmap_region(mm, request);
}

/*
 * Where a mapping of *LENGTH bytes goes that is wanted at ADDRESS; *LENGTH becomes whole pages. The
 * address, or a negative errno, in the order in which Linux refuses.
 */
static unsigned long place_mapping(struct mm_struct *mm, const struct mmap_source *source,
                                   unsigned long address, unsigned long *length,
                                   unsigned long flags)
{
    bool is_huge = source ? source->is_huge : (flags & MAP_HUGETLB) != 0;

    if (!*length)
        return (unsigned long)-EINVAL;
    if (flags & MAP_FIXED_NOREPLACE)
        flags |= MAP_FIXED;
    address = round_hint(address, flags);
    if (unlikely(is_huge)) {
        *length = huge_length(*length, source ? 0 : flags);
        if (!*length)
            return (unsigned long)-EINVAL;
    }
    *length = PAGE_ALIGN(*length);
    if (!*length || unlikely(mm->map_count > sysctl_max_map_count))
        return (unsigned long)-ENOMEM;
    if (unlikely((flags & MAP_HUGETLB) && source && !is_huge))
        return (unsigned long)-EINVAL;

    if (unlikely(is_huge && *length <= TASK_SIZE)) {
        if (!is_huge_place(address, flags))
            return (unsigned long)-EINVAL;
        address = get_huge_unmapped_area(mm, address, *length, &flags);
    } else {
        address = get_unmapped_area(mm, address, *length, flags);
    }
    if ((flags & MAP_FIXED_NOREPLACE) && !IS_ERR_VALUE(address) &&
        find_vma_intersection(mm, address, address + *length))
        return (unsigned long)-EEXIST;
    return address;
}

/*
 * The rest of map_any for SOURCE, a file of huge pages: only what promises nothing gets an address,
 * and a file that may be written is as long as its mapping.
 */
static __attribute__((noinline)) unsigned long map_huge_file(struct mm_struct *mm,
                                                             struct request *request,
                                                             unsigned long flags)
{
    unsigned long length = request->end - request->start;
    struct address_space *mapping = request->source->mapping;
    bool is_misplaced = !IS_ALIGNED(request->pgoff << PAGE_SHIFT, HUGE_PAGE_SIZE);

    request->vm_flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
    if (is_misplaced || !(flags & MAP_NORESERVE)) {
        if (!has_room(mm, request->start, request->end, request->vm_flags) ||
            do_munmap(mm, request->start, length))
            return (unsigned long)-ENOMEM;
        return (unsigned long)(is_misplaced ? -EINVAL : -ENOMEM);
    }
    request->vm_flags |= VM_HUGETLB | VM_DONTEXPAND | VM_NORESERVE;
    unsigned long address = call_mmap_region(mm, request);
    if (IS_ERR_VALUE(address))
        return address;
    mm->has_huge_pages = true;
    if (request->vm_flags & VM_WRITE)
        mapping->size = MAX(mapping->size, (request->pgoff << PAGE_SHIFT) + length);
    if ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
        mm_populate(mm, address, length);
    return address;
}

/* Any request. The address, or a negative errno. */
static __attribute__((noinline)) unsigned long
map_any(struct mm_struct *mm, const struct mmap_source *source, unsigned long address,
        unsigned long length, unsigned long prot, unsigned long flags, unsigned long offset)
{
    unsigned long pgoff = offset >> PAGE_SHIFT;
    int error;

    if (!IS_ALIGNED(offset, PAGE_SIZE))
        return (unsigned long)-EINVAL;
    address = place_mapping(mm, source, address, &length, flags);
    if (IS_ERR_VALUE(address))
        return address;

    unsigned long vm_flags = vm_flags_of_prot(prot) | vm_flags_of_map(flags) | mm->def_flags |
                             VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
    if (unlikely(flags & MAP_LOCKED) && !can_do_mlock(mm))
        return (unsigned long)-EPERM;
    if (mlock_future_check(mm, vm_flags, length))
        return (unsigned long)-EAGAIN;

    if (unlikely((flags & MAP_HUGETLB) && !source)) {
        vm_flags |= (flags & MAP_TYPE) == MAP_PRIVATE ? 0 : VM_SHARED;
        return refuse_huge_mapping(mm, address, length, flags,
                                   has_room(mm, address, address + length, vm_flags));
    }
    if (source) {
        if (pgoff > (FILE_SIZE_MAX - length) >> PAGE_SHIFT)
            return (unsigned long)-EOVERFLOW;
        error = check_file_mapping(source, prot, flags, &vm_flags);
    } else {
        error = check_anonymous_mapping(flags, &vm_flags);
        pgoff = vm_flags & VM_SHARED ? 0 : address >> PAGE_SHIFT;
    }
    if (unlikely(error))
        return (unsigned long)(long)error;
    if ((flags & MAP_NORESERVE) && sysctl_overcommit_memory != OVERCOMMIT_NEVER)
        vm_flags |= VM_NORESERVE;

    struct request request = { source, address, address + length, vm_flags, pgoff };
    if (unlikely(source && source->is_huge))
        return map_huge_file(mm, &request, flags);
    address = mmap_region(mm, &request);
    if (!IS_ERR_VALUE(address) &&
        ((vm_flags & VM_LOCKED) || (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE))
        mm_populate(mm, address, length);
    return address;
}

#define ANYWHERE_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS)

/*
 * The usual request, private memory anywhere, in its usual case: there is room where there was room
 * the last time, no limit is near, and nothing is locked. Else map_any has to look closer.
 */
static __attribute__((noinline)) unsigned long
map_anywhere(struct mm_struct *mm, unsigned long length, unsigned long prot)
{
    unsigned long size = PAGE_ALIGN(length), pages = size >> PAGE_SHIFT;
    unsigned long vm_flags = vm_flags_of_prot(prot) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
    unsigned long start = next_hole(mm, size), end = start + size, pgoff = start >> PAGE_SHIFT;

    if (unlikely(!size || start < mmap_min_addr || mm->def_flags ||
                 mm->map_count > sysctl_max_map_count || !may_expand_plainly(mm, pages) ||
                 !vm_commit_is_plain(pages)))
        return map_any(mm, NULL, 0, length, prot, ANYWHERE_FLAGS, 0);

    if (accountable_mapping(vm_flags))
        vm_flags |= VM_ACCOUNT;
    struct vm_area_struct *next = mm->hole_below, *prev = next->vm_prev;
    bool has_neighbour = next->vm_start == end || prev->vm_end == start;
    if (!has_neighbour || !vma_expand(prev, next, start, end, vm_flags, NULL, pgoff)) {
        struct vm_area_struct *vma = vma_alloc(mm, start, end, vm_flags, pgoff);
        if (unlikely(!vma))
            return (unsigned long)-ENOMEM;
        insert_vm_struct_between(mm, vma, prev, next);
    }
    if (vm_flags & VM_ACCOUNT)
        vm_commit(mm, pages);
    vm_stat_account(mm, vm_flags, (long)pages);
    return start;
}

unsigned long do_mmap(struct mm_struct *mm, const struct mmap_source *source, unsigned long address,
                      unsigned long length, unsigned long prot, unsigned long flags,
                      unsigned long offset)
{
    if (flags == ANYWHERE_FLAGS && !source && !address && !offset)
        return map_anywhere(mm, length, prot);
    return map_any(mm, source, address, length, prot, flags, offset);
}

int vm_brk_flags(struct mm_struct *mm, unsigned long start, unsigned long length,
                 unsigned long vm_flags)
{
    struct request request = {
        NULL, start, start + PAGE_ALIGN(length), vm_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC,
        start >> PAGE_SHIFT,
    };
    unsigned long address = get_unmapped_area(mm, start, PAGE_ALIGN(length), MAP_FIXED);

    if (!IS_ERR_VALUE(address))
        address = call_mmap_region(mm, &request);
    return IS_ERR_VALUE(address) ? (int)(long)address : 0;
}
