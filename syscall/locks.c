/* The calls about locks on files: fcntl's commands, and flock. */
#include "syscall/locks.h"

#include "kernel/fs/locks.h"
#include "syscall/user.h"

/* Linux's struct flock of x86-64. */
struct linux_flock {
    short type, whence;       /* F_RDLCK, F_WRLCK, F_UNLCK; SEEK_… */
    u32 padding;
    s64 start, length;
    s32 pid;
    u32 padding2;
};

/* Where WHENCE counts from, or -EINVAL. */
static s64 base_of(const struct file *file, int whence)
{
    switch (whence) {
    case SEEK_SET:
        return 0;
    case SEEK_CUR:
        return file->pos;
    case SEEK_END:
        return (s64)file->inode->mapping.size;
    default:
        return -EINVAL;
    }
}

/* The bytes that LOCK of FILE means: a length of 0 is all that follows, a negative one lies before the start. */
static int find_bytes(const struct file *file, const struct linux_flock *lock, struct lock_range *range)
{
    s64 base = base_of(file, lock->whence);
    s64 start, length = lock->length;

    if (base < 0)
        return (int)base;
    if (__builtin_add_overflow(base, lock->start, &start))
        return -EOVERFLOW;
    if (start < 0)
        return -EINVAL;
    range->start = length < 0 ? start + length : start;
    range->end = length < 0 ? start - 1 : LOCK_LAST_BYTE;
    if (length > 0 && __builtin_add_overflow(start, length - 1, &range->end))
        return -EOVERFLOW;
    if (range->start < 0 || (u16)lock->type > LOCK_NONE)
        return -EINVAL;
    range->type = (enum lock_type)lock->type;
    return 0;
}

/* The owner, for a COMMAND that says whether it is the open file or the process. */
static int find_owner(const struct file *file, int command, const struct linux_flock *lock, struct lock_range *range)
{
    bool is_of_file = command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;

    range->owner = is_of_file ? (const void *)file : current->files;
    range->pid = is_of_file ? LOCK_PID_OF_FILE : current->process->pid;
    return is_of_file && lock->pid != 0 ? -EINVAL : 0;
}

long get_lock(const struct file *file, int command, unsigned long argument)
{
    struct linux_flock lock;
    struct lock_range range;

    if (get_user(lock, argument))
        return -EFAULT;
    if (lock.type != LOCK_READ && lock.type != LOCK_WRITE)
        return -EINVAL;
    int error = find_bytes(file, &lock, &range);
    if (!error)
        error = find_owner(file, command, &lock, &range);
    if (error)
        return error;
    if (locks_find_conflict(file->inode, &range)) {
        lock.type = (short)range.type;
        lock.whence = SEEK_SET;
        lock.start = range.start;
        lock.length = range.end == LOCK_LAST_BYTE ? 0 : range.end - range.start + 1;
        lock.pid = range.pid;
    } else {
        lock.type = LOCK_NONE;
    }
    return put_user(lock, argument);
}

long set_lock(struct file *file, int fd, int command, unsigned long argument)
{
    struct linux_flock lock;
    struct lock_range range;

    if (get_user(lock, argument))
        return -EFAULT;
    int error = find_bytes(file, &lock, &range);
    if (error)
        return error;
    if ((range.type == LOCK_READ && !file_readable(file)) || (range.type == LOCK_WRITE && !file_writable(file)))
        return -EBADF;
    error = find_owner(file, command, &lock, &range);
    if (error)
        return error;

    file_get(file);
    error = locks_set_range(file->inode, &range, command == F_SETLKW || command == F_OFD_SETLKW);
    /* Another thread may have closed the descriptor meanwhile: a process that has none may have no lock either. */
    if (!error && range.type != LOCK_NONE && range.owner == current->files && fd_file(fd) != file) {
        locks_drop_ranges(file->inode, current->files);
        error = -EBADF;
    }
    file_put(file);
    return error;
}

#define LOCK_SH 1u
#define LOCK_EX 2u
#define LOCK_NB 4u
#define LOCK_UN 8u
#define LOCK_MAND 32u

long sys_flock(unsigned long fd, unsigned long operation)
{
    u32 kind = (u32)operation & ~LOCK_NB;

    if ((u32)operation & LOCK_MAND)
        return 0;                       /* no longer in use, says Linux, and accepts it */
    if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN)
        return -EINVAL;
    struct file *file = get_file(fd, false);
    if (IS_ERR(file))
        return PTR_ERR(file);
    enum lock_type type = kind == LOCK_SH ? LOCK_READ : kind == LOCK_EX ? LOCK_WRITE : LOCK_NONE;
    long result = -EBADF;
    if (type == LOCK_NONE || file_readable(file) || file_writable(file))
        result = locks_set_whole(file, type, !(operation & LOCK_NB));
    file_put(file);
    return result;
}
