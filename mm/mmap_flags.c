/* What mmap refuses for its flags alone: how files may be shared, and huge pages. */
#include "mm/mmap_flags.h"
#include "kernel/lib/errno.h"

/* Flags that a MAP_SHARED_VALIDATE mapping of a file may carry (Linux's LEGACY_MAP_MASK). */
#define LEGACY_MAP_MASK                                                                           \
    (MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE |      \
     MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |       \
     MAP_HUGETLB | MAP_32BIT | MAP_HUGE_2MB | MAP_HUGE_1GB)
#define MAP_HUGE_SHIFT 26
#define MAP_HUGE_2MB (21ul << MAP_HUGE_SHIFT)
#define MAP_HUGE_1GB (30ul << MAP_HUGE_SHIFT)
#define MAP_HUGE_BITS (0x3ful << MAP_HUGE_SHIFT)

int check_file_mapping(const struct mmap_source *source, unsigned long prot, unsigned long flags,
                       unsigned long *vm_flags)
{
    switch (flags & MAP_TYPE) {
    case MAP_SHARED_VALIDATE:
        if (flags & ~(unsigned long)LEGACY_MAP_MASK)
            return -EOPNOTSUPP;
        /* fallthrough */
    case MAP_SHARED:
        if ((prot & PROT_WRITE) && !source->writable)
            return -EACCES;
        *vm_flags |= VM_SHARED | VM_MAYSHARE;
        if (!source->writable)
            *vm_flags &= ~(VM_MAYWRITE | VM_SHARED);
        break;
    case MAP_PRIVATE:
        break;
    default:
        return -EINVAL;
    }

    if (!source->readable)
        return -EACCES;
    if (source->no_exec) {
        if (*vm_flags & VM_EXEC)
            return -EPERM;
        *vm_flags &= ~VM_MAYEXEC;
    }
    if (source->unmappable)
        return -ENODEV;
    return *vm_flags & VM_GROWSDOWN ? -EINVAL : 0;
}

unsigned long huge_length(unsigned long length, unsigned long flags)
{
    unsigned long shift = (flags & MAP_HUGE_BITS) >> MAP_HUGE_SHIFT;

    if (shift != 0 && shift != HUGE_PAGE_SHIFT)
        return 0;
    return ALIGN_UP(length, HUGE_PAGE_SIZE);
}

bool is_huge_place(unsigned long address, unsigned long flags)
{
    return !(flags & MAP_FIXED) || IS_ALIGNED(address, HUGE_PAGE_SIZE);
}

unsigned long refuse_huge_mapping(struct mm_struct *mm, unsigned long address, unsigned long length,
                                  unsigned long flags, bool has_room)
{
    unsigned long type = flags & MAP_TYPE;

    if (type == MAP_SHARED_VALIDATE && (flags & ~(unsigned long)LEGACY_MAP_MASK))
        return (unsigned long)-EOPNOTSUPP;
    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return (unsigned long)-EINVAL;
    if (flags & MAP_GROWSDOWN)
        return (unsigned long)-EINVAL;
    /* As on Linux, what the mapping was to replace is gone when it turns out that there is no huge page. */
    if ((flags & MAP_FIXED) && has_room)
        (void)do_munmap(mm, address, length);
    return (unsigned long)-ENOMEM;
}
