/* The calls about what a file is: its attributes, and changing them. */
#include "kernel/lib/string.h"
#include "mm/page_alloc.h"
#include "syscall/user.h"

#define BLOCK 512u
#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe
#define UNCHANGED (~0u)         /* an owner that chown leaves alone */
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

/* Device numbers as programs see them: minor's low 8 bits, major, the rest. Ours fit into 16 bits, and the layouts agree there. */

static struct stat_time split_time(u64 nanoseconds)
{
    return (struct stat_time){ (s64)(nanoseconds / NSEC_PER_SEC), (s64)(nanoseconds % NSEC_PER_SEC) };
}

static u64 blocks_of(const struct inode *inode)
{
    u64 bytes = MAX(inode->mapping.pages.count * PAGE_SIZE, ALIGN_UP(inode->archive_size, PAGE_SIZE));
    return S_ISREG(inode->mode) ? bytes / BLOCK : 0;
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
        .block_size = PAGE_SIZE,
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
        .block_size = PAGE_SIZE,
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
        stat.blocks = total_frames;
        stat.blocks_free = stat.blocks_available = frame_counts[PAGE_FREE];
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

/* ---- changing attributes; each takes over the reference to INODE, which may be an ERR_PTR ---- */

static struct inode *inode_of(unsigned long fd)
{
    struct file *file = fd_file((int)fd);
    return file && !(file->flags & O_PATH) ? inode_get(file->inode) : ERR_PTR(-EBADF);
}

static long change_mode(struct inode *inode, u32 mode)
{
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    long result = current->euid != 0 && current->euid != inode->uid ? -EPERM : 0;
    if (result == 0) {
        inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
        inode->ctime = wall_clock();
    }
    inode_put(inode);
    return result;
}

static long change_owner(struct inode *inode, u32 uid, u32 gid)
{
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    bool keeps_uid = uid == UNCHANGED || uid == inode->uid;
    bool keeps_gid = gid == UNCHANGED || gid == inode->gid;
    bool own_group = current->euid == inode->uid && gid == current->egid;
    long result = current->euid == 0 || (keeps_uid && (keeps_gid || own_group)) ? 0 : -EPERM;
    if (result == 0) {
        inode->uid = uid == UNCHANGED ? inode->uid : uid;
        inode->gid = gid == UNCHANGED ? inode->gid : gid;
        if (S_ISREG(inode->mode))
            inode->mode &= ~(S_ISUID | S_ISGID);
        inode->ctime = wall_clock();
    }
    inode_put(inode);
    return result;
}

static long change_size(struct inode *inode, s64 size)
{
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    long result = inode_permission(inode, MAY_WRITE, false);
    if (result == 0)
        result = inode_truncate(inode, (u64)size);
    inode_put(inode);
    return result;
}

long sys_fchmodat(unsigned long dirfd, unsigned long path, unsigned long mode)
{
    return change_mode(get_inode((int)dirfd, path, 0), (u32)mode);
}

long sys_chmod(unsigned long path, unsigned long mode)
{
    return change_mode(get_inode(AT_FDCWD, path, 0), (u32)mode);
}

long sys_fchmod(unsigned long fd, unsigned long mode)
{
    return change_mode(inode_of(fd), (u32)mode);
}

long sys_fchownat(unsigned long dirfd, unsigned long path, unsigned long uid, unsigned long gid,
                  unsigned long flags)
{
    if (flags & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_owner(get_inode((int)dirfd, path, (unsigned)flags), (u32)uid, (u32)gid);
}

long sys_chown(unsigned long path, unsigned long uid, unsigned long gid)
{
    return change_owner(get_inode(AT_FDCWD, path, 0), (u32)uid, (u32)gid);
}

long sys_lchown(unsigned long path, unsigned long uid, unsigned long gid)
{
    return change_owner(get_inode(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), (u32)uid, (u32)gid);
}

long sys_fchown(unsigned long fd, unsigned long uid, unsigned long gid)
{
    return change_owner(inode_of(fd), (u32)uid, (u32)gid);
}

long sys_truncate(unsigned long path, unsigned long size)
{
    if ((s64)size < 0)
        return -EINVAL;
    return change_size(get_inode(AT_FDCWD, path, 0), (s64)size);
}

long sys_ftruncate(unsigned long fd, unsigned long size)
{
    if ((s64)size < 0)
        return -EINVAL;
    struct file *file = fd_file((int)fd);
    if (!file || (file->flags & O_PATH))
        return -EBADF;
    if (!file_writable(file) || !S_ISREG(file->inode->mode))
        return -EINVAL;
    return inode_truncate(file->inode, (u64)size);
}

long sys_fallocate(unsigned long fd, unsigned long mode, unsigned long offset, unsigned long length)
{
    struct file *file = fd_file((int)fd);
    u64 end = offset + length;

    if (!file)
        return -EBADF;
    if ((s64)offset < 0 || (s64)length <= 0)
        return -EINVAL;
    if (mode != 0)
        return -EOPNOTSUPP;
    if (!file_writable(file))
        return -EBADF;
    if (!S_ISREG(file->inode->mode))
        return S_ISFIFO(file->inode->mode) ? -ESPIPE : S_ISDIR(file->inode->mode) ? -EISDIR : -ENODEV;
    if ((s64)end < 0)
        return -EFBIG;
    return end > file->inode->mapping.size ? inode_truncate(file->inode, end) : 0;
}

/* ---- times ---- */

static u64 chosen_time(const struct stat_time *time, u64 now, u64 old)
{
    if (time->nanoseconds == UTIME_NOW)
        return now;
    if (time->nanoseconds == UTIME_OMIT)
        return old;
    return (u64)time->seconds * NSEC_PER_SEC + (u64)time->nanoseconds;
}

/* Takes over the reference to INODE, which may be an ERR_PTR. */
static long change_times(struct inode *inode, const struct stat_time times[2])
{
    u64 now = wall_clock();

    if (IS_ERR(inode))
        return PTR_ERR(inode);
    bool owner = current->euid == 0 || current->euid == inode->uid;
    long result = owner ? 0 : inode_permission(inode, MAY_WRITE, false);
    if (result == 0) {
        inode->atime = chosen_time(&times[0], now, inode->atime);
        inode->mtime = chosen_time(&times[1], now, inode->mtime);
        inode->ctime = now;
    }
    inode_put(inode);
    return result;
}

long sys_utimensat(unsigned long dirfd, unsigned long path, unsigned long from, unsigned long flags)
{
    struct stat_time times[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };

    if (flags & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (from && copy_from_user(times, from, sizeof(times)))
        return -EFAULT;
    for (int i = 0; i < 2; i++) {
        u64 part = (u64)times[i].nanoseconds;
        if (part >= NSEC_PER_SEC && part != UTIME_NOW && part != UTIME_OMIT)
            return -EINVAL;
    }
    if (path == 0)
        return change_times(inode_of(dirfd), times);
    return change_times(get_inode((int)dirfd, path, (unsigned)flags), times);
}

/* Times in seconds and microseconds. */
long sys_futimesat(unsigned long dirfd, unsigned long path, unsigned long from)
{
    struct stat_time times[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };

    if (from) {
        if (copy_from_user(times, from, sizeof(times)))
            return -EFAULT;
        for (int i = 0; i < 2; i++) {
            if ((u64)times[i].nanoseconds >= 1000000)
                return -EINVAL;
            times[i].nanoseconds *= 1000;
        }
    }
    return change_times(path ? get_inode((int)dirfd, path, 0) : inode_of(dirfd), times);
}

long sys_utimes(unsigned long path, unsigned long from)
{
    return sys_futimesat((unsigned long)AT_FDCWD, path, from);
}

long sys_utime(unsigned long path, unsigned long from)
{
    struct stat_time times[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
    s64 seconds[2];

    if (from) {
        if (copy_from_user(seconds, from, sizeof(seconds)))
            return -EFAULT;
        times[0] = (struct stat_time){ seconds[0], 0 };
        times[1] = (struct stat_time){ seconds[1], 0 };
    }
    return change_times(get_inode(AT_FDCWD, path, 0), times);
}

/* ---- everything is in memory: nothing is ever behind ---- */

long sys_sync(void)
{
    return 0;
}

long sys_fsync(unsigned long fd)
{
    struct file *file = fd_file((int)fd);
    if (!file || (file->flags & O_PATH))
        return -EBADF;
    return S_ISREG(file->inode->mode) || S_ISDIR(file->inode->mode) ? 0 : -EINVAL;
}

long sys_fdatasync(unsigned long fd)
{
    return sys_fsync(fd);
}

long sys_syncfs(unsigned long fd)
{
    return fd_file((int)fd) ? 0 : -EBADF;
}

long sys_fadvise64(unsigned long fd, unsigned long offset, unsigned long length, unsigned long advice)
{
    struct file *file = fd_file((int)fd);

    (void)offset;
    if (!file)
        return -EBADF;
    if (S_ISFIFO(file->inode->mode))
        return -ESPIPE;
    return (s64)length < 0 || advice > 5 ? -EINVAL : 0;
}
