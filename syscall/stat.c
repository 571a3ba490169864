/* The calls that tell what a file is. */
#include "kernel/fs/hugetlbfs.h"
#include "kernel/fs/regular.h"
#include "kernel/lib/string.h"
#include "mm/hugetlb.h"
#include "mm/page_alloc.h"
#include "syscall/user.h"

#define BLOCK 512u
#define TMPFS_MAGIC 0x01021994
#define PROC_MAGIC 0x9fa0
#define PIPEFS_MAGIC 0x50495045

/* A struct timespec. */
struct stat_time {
    s64 seconds, nanoseconds;
};

/* Linux's struct stat of x86-64. */
struct linux_stat {
    u64 device, number, nlink;
    u32 mode, uid, gid, padding;
    u64 rdev;
    s64 size, block_size, blocks;
    struct stat_time atime, mtime, ctime;
    s64 unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat of x86-64");

/*
 * Device numbers as programs see them: minor's low 8 bits, major, the rest. Ours fit into 16 bits, and the layouts
 * agree there.
 */

static struct stat_time split_time(u64 nanoseconds)
{
    return (struct stat_time){ (s64)(nanoseconds / NSEC_PER_SEC), (s64)(nanoseconds % NSEC_PER_SEC) };
}

static u64 blocks_of(const struct inode *inode)
{
    u64 bytes = MAX(inode->mapping.pages.count * PAGE_SIZE, ALIGN_UP(inode->archive_size, PAGE_SIZE));
    return S_ISREG(inode->mode) ? bytes / BLOCK : 0;
}

static s64 block_size_of(const struct inode *inode)
{
    return inode_is_huge(inode) ? (s64)HUGE_PAGE_SIZE : (s64)PAGE_SIZE;
}

static long put_stat(const struct inode *inode, unsigned long to)
{
    struct linux_stat stat = {
        .device = inode->device,
        .number = inode->number,
        .nlink = inode->nlink,
        .mode = inode->mode,
        .uid = inode->uid,
        .gid = inode->gid,
        .rdev = inode->rdev,
        .size = (s64)inode->mapping.size,
        .block_size = block_size_of(inode),
        .blocks = (s64)blocks_of(inode),
        .atime = split_time(inode->atime),
        .mtime = split_time(inode->mtime),
        .ctime = split_time(inode->ctime),
    };
    return put_user(stat, to);
}

long sys_newfstatat(unsigned long dirfd, unsigned long path, unsigned long to, unsigned long flags)
{
    if (flags & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return -EINVAL;
    struct inode *inode = get_inode((int)dirfd, path, (unsigned)flags);
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    long result = put_stat(inode, to);
    inode_put(inode);
    return result;
}

long sys_stat(unsigned long path, unsigned long to)
{
    return sys_newfstatat((unsigned long)AT_FDCWD, path, to, 0);
}

long sys_lstat(unsigned long path, unsigned long to)
{
    return sys_newfstatat((unsigned long)AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(unsigned long fd, unsigned long to)
{
    struct file *file = fd_file((int)fd);
    return file ? put_stat(file->inode, to) : -EBADF;
}

/* ---- statx ---- */

struct statx_time {
    s64 seconds;
    u32 nanoseconds, padding;
};

#define STATX_BASIC_STATS 0x7ffu
#define STATX_RESERVED 0x80000000u
#define AT_STATX_SYNC_TYPE 0x6000u

/* Linux's struct statx. */
struct linux_statx {
    u32 mask, block_size;
    u64 attributes;
    u32 nlink, uid, gid;
    u16 mode, padding;
    u64 number, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    u32 rdev_major, rdev_minor, device_major, device_minor;
    u64 spare[14];
};
_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");

static struct statx_time split_statx_time(u64 nanoseconds)
{
    struct stat_time time = split_time(nanoseconds);
    return (struct statx_time){ time.seconds, (u32)time.nanoseconds, 0 };
}

long sys_statx(unsigned long dirfd, unsigned long path, unsigned long flags, unsigned long mask,
               unsigned long to)
{
    if ((mask & STATX_RESERVED) ||
        (flags & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)))
        return -EINVAL;
    struct inode *inode = get_inode((int)dirfd, path, (unsigned)flags);
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    struct linux_statx stat = {
        .mask = STATX_BASIC_STATS,
        .block_size = (u32)block_size_of(inode),
        .nlink = inode->nlink,
        .uid = inode->uid,
        .gid = inode->gid,
        .mode = (u16)inode->mode,
        .number = inode->number,
        .size = inode->mapping.size,
        .blocks = blocks_of(inode),
        .atime = split_statx_time(inode->atime),
        .ctime = split_statx_time(inode->ctime),
        .mtime = split_statx_time(inode->mtime),
        .rdev_major = inode->rdev >> 8,
        .rdev_minor = inode->rdev & 0xff,
        .device_major = inode->device >> 8,
        .device_minor = inode->device & 0xff,
    };
    inode_put(inode);
    return put_user(stat, to);
}

/* ---- file systems ---- */

/* Linux's struct statfs of x86-64. */
struct linux_statfs {
    s64 type, block_size;
    u64 blocks, blocks_free, blocks_available, files, files_free;
    s32 id[2];
    s64 name_length, fragment_size, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs of x86-64");

static long put_statfs(const struct inode *inode, unsigned long to)
{
    struct linux_statfs stat = { .type = TMPFS_MAGIC, .block_size = PAGE_SIZE, .name_length = NAME_MAX,
                                 .fragment_size = PAGE_SIZE };

    if (inode->device == DEVICE_PROC) {
        stat.type = PROC_MAGIC;
    } else if (inode->device == DEVICE_PIPE) {
        stat.type = PIPEFS_MAGIC;
    } else {
        unsigned long limit = MIN(regular_page_limit(inode->device), total_frames);
        unsigned long used = MIN(regular_page_count(inode->device), limit);
        stat.blocks = limit;
        stat.blocks_free = stat.blocks_available = MIN(limit - used, frame_counts[PAGE_FREE]);
    }
    return put_user(stat, to);
}

long sys_statfs(unsigned long path, unsigned long to)
{
    struct inode *inode = get_inode(AT_FDCWD, path, 0);
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    long result = put_statfs(inode, to);
    inode_put(inode);
    return result;
}

long sys_fstatfs(unsigned long fd, unsigned long to)
{
    struct file *file = fd_file((int)fd);
    return file ? put_statfs(file->inode, to) : -EBADF;
}

/* ---- permission ---- */

long sys_faccessat2(unsigned long dirfd, unsigned long path, unsigned long mode, unsigned long flags)
{
    if ((mode & ~(unsigned long)(MAY_READ | MAY_WRITE | MAY_EXEC)) ||
        (flags & ~(unsigned long)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return -EINVAL;
    struct inode *inode = get_inode((int)dirfd, path, (unsigned)flags & ~AT_EACCESS);
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    long result = inode_permission(inode, (unsigned)mode, !(flags & AT_EACCESS));
    inode_put(inode);
    return result;
}

long sys_faccessat(unsigned long dirfd, unsigned long path, unsigned long mode)
{
    return sys_faccessat2(dirfd, path, mode, 0);
}

long sys_access(unsigned long path, unsigned long mode)
{
    return sys_faccessat2((unsigned long)AT_FDCWD, path, mode, 0);
}
