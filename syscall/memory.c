/* The calls about memory: each checks what is the system call's own business and asks mm/. */
#include "kernel/fs/hugetlbfs.h"
#include "kernel/fs/ramfs.h"
#include "kernel/fs/regular.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "mm/mmap_flags.h"
#include "syscall/user.h"

#define MLOCK_ONFAULT 1u
#define MFD_CLOEXEC 1u
#define MFD_ALLOW_SEALING 2u
#define MFD_HUGETLB 4u
#define MFD_HUGE_SHIFT 26
#define MFD_HUGE_BITS (0x3fu << MFD_HUGE_SHIFT)
#define MFD_NAME_MAX (NAME_MAX - 6)     /* "memfd:" comes before it */

/* mmap of a file: what the descriptor stands for decides. */
static __attribute__((noinline)) long mmap_file(unsigned long address, unsigned long length, unsigned long prot,
                      unsigned long flags, unsigned long fd, unsigned long offset)
{
    struct mmap_source source = { .mapping = NULL };

    struct file *file = get_file(fd, false);
    if (IS_ERR(file))
        return PTR_ERR(file);
    /* What can't be mapped says so late: after the length, the place and the permissions. */
    long result = 0;
    source.unmappable = !file->ops || !file->ops->mmap;
    source.readable = file_readable(file);
    source.writable = file_writable(file);
    if (length != 0 && !source.unmappable)
        result = file->ops->mmap(file, flags, length, &source);
    if (result == 0)
        result = (long)do_mmap(current->mm, &source, address, length, prot, flags, offset);
    if (source.mapping)
        mapping_put(source.mapping);
    file_put(file);
    return result;
}

/* Huge pages that nobody vouches for: as on Linux a file is made for them, which has no name and none of them. */
static __attribute__((noinline)) long mmap_huge(unsigned long address, unsigned long length, unsigned long prot,
                                                unsigned long flags, unsigned long offset)
{
    unsigned long size = huge_length(length, flags);

    if (length != 0 && size == 0)
        return -EINVAL;
    struct inode *inode = hugetlbfs_nameless("anon_hugepage", size);
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    struct mmap_source source = { .readable = true, .writable = true };
    hugetlbfs_source(inode, 0, &source);
    long result = (long)do_mmap(current->mm, &source, address, length, prot, flags, offset);
    mapping_put(source.mapping);
    inode_put(inode);
    return result;
}

long sys_mmap(unsigned long address, unsigned long length, unsigned long prot, unsigned long flags,
              unsigned long fd, unsigned long offset)
{
    if (offset & ~PAGE_MASK)
        return -EINVAL;
    if (!(flags & MAP_ANONYMOUS))
        return mmap_file(address, length, prot, flags, fd, offset);
    if (unlikely((flags & (MAP_HUGETLB | MAP_NORESERVE)) == (MAP_HUGETLB | MAP_NORESERVE)))
        return mmap_huge(address, length, prot, flags, offset);
    return (long)do_mmap(current->mm, NULL, address, length, prot, flags, offset);
}

long sys_munmap(unsigned long start, unsigned long length)
{
    return do_munmap(current->mm, start, length);
}

long sys_mprotect(unsigned long start, unsigned long length, unsigned long prot)
{
    return do_mprotect(current->mm, start, length, prot);
}

long sys_brk(unsigned long brk)
{
    return (long)do_brk(current->mm, brk);
}

long sys_mremap(unsigned long address, unsigned long old_length, unsigned long new_length,
                unsigned long flags, unsigned long new_address)
{
    return (long)do_mremap(current->mm, address, old_length, new_length, flags, new_address);
}

long sys_madvise(unsigned long start, unsigned long length, unsigned long advice)
{
    return do_madvise(current->mm, start, length, (int)advice);
}

long sys_mincore(unsigned long start, unsigned long length, unsigned long vector)
{
    return do_mincore(current->mm, start, length, vector);
}

long sys_mlock(unsigned long start, unsigned long length)
{
    return do_mlock(current->mm, start, length, false);
}

long sys_mlock2(unsigned long start, unsigned long length, unsigned long flags)
{
    if (flags & ~(unsigned long)MLOCK_ONFAULT)
        return -EINVAL;
    return do_mlock(current->mm, start, length, flags & MLOCK_ONFAULT);
}

long sys_munlock(unsigned long start, unsigned long length)
{
    return do_munlock(current->mm, start, length);
}

long sys_mlockall(unsigned long flags)
{
    return do_mlockall(current->mm, (int)flags);
}

long sys_munlockall(void)
{
    return do_munlockall(current->mm);
}

long sys_msync(unsigned long start, unsigned long length, unsigned long flags)
{
    return do_msync(current->mm, start, length, (int)flags);
}

/* The name that /proc shows: "memfd:" and what the program said. ERR_PTR as Linux has it. */
static char *get_memfd_name(unsigned long from)
{
    static const char prefix[] = "memfd:";
    char *name = kmalloc(NAME_MAX + 1);

    if (!name)
        return ERR_PTR(-ENOMEM);
    strlcpy(name, prefix, NAME_MAX + 1);
    long length = strncpy_from_user(name + sizeof(prefix) - 1, from, MFD_NAME_MAX + 1);
    if (length >= 0)
        return name;
    kfree(name);
    return ERR_PTR(length == -ENAMETOOLONG ? -EINVAL : length);
}

long sys_memfd_create(unsigned long from, unsigned long flags)
{
    u32 bits = (u32)flags;

    if (bits & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | (bits & MFD_HUGETLB ? MFD_HUGE_BITS : 0)))
        return -EINVAL;
    char *name = get_memfd_name(from);
    if (IS_ERR(name))
        return PTR_ERR(name);
    u32 shift = (bits & MFD_HUGE_BITS) >> MFD_HUGE_SHIFT;
    struct inode *inode;
    if (!(bits & MFD_HUGETLB))
        inode = ramfs_nameless(name, 0777);
    else if (shift != 0 && shift != HUGE_PAGE_SHIFT)
        inode = ERR_PTR(-ENODEV);
    else
        inode = hugetlbfs_nameless(name, 0);
    kfree(name);
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    if (!(bits & MFD_ALLOW_SEALING))
        inode->seals = F_SEAL_SEAL;
    struct file *file = file_open_inode(inode, O_RDWR | O_LARGEFILE);
    if (IS_ERR(file))
        return PTR_ERR(file);
    return fd_install(file, 0, bits & MFD_CLOEXEC);
}
