/* The calls that change what a file is: mode, owner, size, times. */
#include "kernel/fs/hugetlbfs.h"
#include "kernel/fs/regular.h"
#include "syscall/user.h"

#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe
#define UNCHANGED (~0u)         /* an owner that chown leaves alone */

/* A struct timespec. */
struct stat_time {
    s64 seconds, nanoseconds;
};

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

#define FALLOC_FL_KEEP_SIZE 1u
#define FALLOC_FL_PUNCH_HOLE 2u

static long allocate(struct file *file, unsigned mode, s64 offset, s64 length)
{
    u32 type = file->inode->mode & S_IFMT;
    bool punches = mode & FALLOC_FL_PUNCH_HOLE;

    if (offset < 0 || length <= 0)
        return -EINVAL;
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) || (punches && !(mode & FALLOC_FL_KEEP_SIZE)))
        return -EOPNOTSUPP;
    if (!file_writable(file))
        return -EBADF;
    if (type == S_IFIFO)
        return -ESPIPE;
    if (type != S_IFREG)
        return type == S_IFDIR ? -EISDIR : -ENODEV;
    if (length > INT64_MAX - offset)
        return -EFBIG;
    if (inode_is_huge(file->inode))
        return punches ? 0 : hugetlbfs_allocate(file->inode, (u64)offset, (u64)length, mode & FALLOC_FL_KEEP_SIZE);
    if (punches)
        return regular_punch_hole(file->inode, (u64)offset, (u64)length);
    return regular_allocate(file->inode, (u64)offset, (u64)length, mode & FALLOC_FL_KEEP_SIZE);
}

long sys_fallocate(unsigned long fd, unsigned long mode, unsigned long offset, unsigned long length)
{
    struct file *file = get_file(fd, false);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long result = allocate(file, (unsigned)mode, (s64)offset, (s64)length);
    file_put(file);
    return result;
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

    if (from && copy_from_user(times, from, sizeof(times)))
        return -EFAULT;
    if (flags & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
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
    bool is_descriptor = path == 0 && (int)dirfd != AT_FDCWD;
    return change_times(is_descriptor ? inode_of(dirfd) : get_inode((int)dirfd, path, 0), times);
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
