/* Files of huge pages, which never have any: they read as zeroes, cannot be written, and are whole huge pages long. */
#include "kernel/fs/hugetlbfs.h"

#include "kernel/fs/ramfs.h"
#include "kernel/fs/regular.h"
#include "mm/hugetlb.h"
#include "mm/page_alloc.h"

static const struct inode_operations hugetlbfs_inode_ops;

static long hugetlbfs_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    static const u8 zeroes[128];
    u64 size = file->inode->mapping.size;
    long done = 0;

    while (iter->count > 0 && (u64)*pos < size) {
        size_t n = MIN(MIN(iter->count, sizeof(zeroes)), size - (u64)*pos);
        size_t copied = copy_to_iter(iter, zeroes, n);
        done += (long)copied;
        *pos += (s64)copied;
        if (copied < n)
            return done ? done : -EFAULT;
    }
    return done;
}

/* To SEEK_DATA all of it is data. */
static s64 hugetlbfs_lseek(struct file *file, s64 offset, int whence)
{
    u64 size = file->inode->mapping.size;

    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return lseek_within(file, offset, whence, size);
    if (offset < 0 || (u64)offset >= size)
        return -ENXIO;
    file->pos = whence == SEEK_DATA ? offset : (s64)size;
    return file->pos;
}

void hugetlbfs_source(struct inode *inode, u32 number, struct mmap_source *source)
{
    mapping_get(&inode->mapping);
    source->mapping = &inode->mapping;
    source->ops = &hugetlb_vm_ops;
    source->is_huge = true;
    source->file = number;
}

static int hugetlbfs_mmap(struct file *file, unsigned long flags, unsigned long length, struct mmap_source *source)
{
    (void)flags;
    (void)length;
    hugetlbfs_source(file->inode, file->number, source);
    source->readable = file_readable(file);
    source->writable = file_writable(file);
    return 0;
}

static int hugetlbfs_truncate(struct inode *inode, u64 size)
{
    u64 old_size = inode->mapping.size;

    if (!IS_ALIGNED(size, HUGE_PAGE_SIZE))
        return -EINVAL;
    if (((inode->seals & F_SEAL_SHRINK) && size < old_size) || ((inode->seals & F_SEAL_GROW) && size > old_size))
        return -EPERM;
    inode->mapping.size = size;
    inode->mtime = inode->ctime = wall_clock();
    return 0;
}

int hugetlbfs_allocate(struct inode *inode, u64 offset, u64 length, bool keep_size)
{
    if ((inode->seals & F_SEAL_GROW) && !keep_size && offset + length > inode->mapping.size)
        return -EPERM;
    return -ENOSPC;
}

static const struct inode_operations hugetlbfs_inode_ops = { .truncate = hugetlbfs_truncate };

static const struct file_operations hugetlbfs_file_ops = {
    .read = hugetlbfs_read,
    .lseek = hugetlbfs_lseek,
    .mmap = hugetlbfs_mmap,
};

bool inode_is_huge(const struct inode *inode)
{
    return inode->ops == &hugetlbfs_inode_ops;
}

struct inode *hugetlbfs_nameless(const char *name, u64 size)
{
    struct inode *inode = ramfs_nameless(name, 0777);
    if (IS_ERR(inode))
        return inode;
    inode->ops = &hugetlbfs_inode_ops;
    inode->file_ops = &hugetlbfs_file_ops;
    inode->mapping.size = size;
    return inode;
}
