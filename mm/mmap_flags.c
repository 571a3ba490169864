/* What mmap refuses for its flags alone: how files may be shared, and huge pages. */
#include "mm/mmap_flags.h"
#include "kernel/lib/errno.h"

/* Flags that a MAP_SHARED_VALIDATE mapping of a file may carry (Linux's LEGACY_MAP_MASK). */
#define LEGACY_MAP_MASK                                                                           \
    (MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE |      \
     MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |       \
     MAP_HUGETLB | MAP_32BIT | MAP_HUGE_BITS)
#define MAP_HUGE_SHIFT 26
#define MAP_HUGE_BITS (0x3ful << MAP_HUGE_SHIFT)
#define HUGE_PAGE_SHIFT_DEFAULT 21

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
    return *vm_flags & VM_GROWSDOWN ? -EINVAL : 0;
}

unsigned long refuse_huge_mapping(unsigned long address, unsigned long length, unsigned long flags)
{
    unsigned long type = flags & MAP_TYPE;
    unsigned long shift = (flags & MAP_HUGE_BITS) >> MAP_HUGE_SHIFT;

    if (shift != 0 && shift != HUGE_PAGE_SHIFT_DEFAULT)
        return (unsigned long)-EINVAL;
    if ((flags & MAP_FIXED) && !IS_ALIGNED(address, 1ul << HUGE_PAGE_SHIFT_DEFAULT))
        return (unsigned long)-EINVAL;
    /*
     * A length that rounds up to nothing is looked at before the room that there is, and that
     * before the type.
     */
    if (ALIGN_UP(length, 1ul << HUGE_PAGE_SHIFT_DEFAULT) == 0)
        return (unsigned long)-EINVAL;
    if (length <= TASK_SIZE && type != MAP_SHARED && type != MAP_PRIVATE &&
        type != MAP_SHARED_VALIDATE)
        return (unsigned long)-EINVAL;
    return (unsigned long)-ENOMEM;
}
