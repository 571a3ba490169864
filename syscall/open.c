/* The calls about descriptors: opening, closing, copying, and what they are told about themselves. */
#include "kernel/fs/pipe.h"
#include "kernel/fs/regular.h"
#include "syscall/locks.h"
#include "syscall/user.h"

#define O_SETTABLE (O_APPEND | O_NONBLOCK)      /* what F_SETFL changes */
#define FD_CLOEXEC 1u

#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_SETOWN 8
#define F_GETOWN 9
#define F_GETSIG 11
#define F_DUPFD_CLOEXEC 1030
#define F_GETPIPE_SZ 1032
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
#define F_SETPIPE_SZ 1031

#define FIONCLEX 0x5450
#define FIOCLEX 0x5451
#define FIONBIO 0x5421

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

#define O_DSYNC 010000
#define O_ASYNC 020000
#define O_DIRECT 040000
#define O_NOATIME 01000000
#define O_SYNC (04000000 | O_DSYNC)
#define O_VALID                                                                                       \
    (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC |    \
     O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE)

static long open_at(int dirfd, unsigned long from, int flags, u32 mode)
{
    /* Unknown bits are ignored; synchronous data goes with synchronous files. */
    flags &= O_VALID;
    if (flags & (O_SYNC & ~O_DSYNC))
        flags |= O_DSYNC;
    bool tmpfile = (flags & O_TMPFILE) == O_TMPFILE;
    bool tmpfile_alone = (flags & O_TMPFILE) == (O_TMPFILE & ~O_DIRECTORY);

    /* These are refused before the path is looked at. */
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY) && !(flags & O_PATH))
        return -EINVAL;
    if (((tmpfile && (flags & O_ACCMODE) == O_RDONLY) || tmpfile_alone) && !(flags & O_PATH))
        return -EINVAL;
    char *path = get_path(from);
    if (IS_ERR(path))
        return PTR_ERR(path);
    struct file *file = file_open(dirfd, path, flags, mode);
    kfree(path);
    if (IS_ERR(file))
        return PTR_ERR(file);
    bool is_in_memory = S_ISREG(file->inode->mode) || S_ISDIR(file->inode->mode);
    if ((flags & O_DIRECT) && !(flags & O_PATH) && is_in_memory) {
        file_put(file);
        return -EINVAL;                 /* there is no disc to go to directly */
    }
    if (!(flags & O_PATH))
        file->flags |= O_LARGEFILE;     /* as every 64-bit program's files have it */
    return fd_install(file, 0, flags & O_CLOEXEC);
}

long sys_open(unsigned long path, unsigned long flags, unsigned long mode)
{
    return open_at(AT_FDCWD, path, (int)flags, (u32)mode);
}

long sys_openat(unsigned long dirfd, unsigned long path, unsigned long flags, unsigned long mode)
{
    return open_at((int)dirfd, path, (int)flags, (u32)mode);
}

long sys_creat(unsigned long path, unsigned long mode)
{
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, (u32)mode);
}

long sys_close(unsigned long fd)
{
    return fd_close((int)fd);
}

long sys_close_range(unsigned long first, unsigned long last, unsigned long flags)
{
    u32 from = (u32)first, to = (u32)last;

    if (from > to || (flags & ~(unsigned long)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
        return -EINVAL;
    if ((flags & CLOSE_RANGE_UNSHARE) && files_are_shared(current->files)) {
        struct files_struct *own = files_clone(current->files);
        if (!own)
            return -ENOMEM;
        files_put(current->files);
        current->files = own;
    }
    to = MIN(to, (u32)files_capacity(current->files) - 1);
    for (u32 fd = from; fd <= to && from <= to; fd++) {
        if ((flags & CLOSE_RANGE_CLOEXEC) && fd_file((int)fd))
            fd_set_close_on_exec((int)fd, true);
        else
            fd_close((int)fd);
    }
    return 0;
}

/* ---- copies ---- */

long sys_dup(unsigned long fd)
{
    struct file *file = get_file(fd, true);
    return IS_ERR(file) ? PTR_ERR(file) : fd_install(file, 0, false);
}

long sys_dup2(unsigned long old_fd, unsigned long new_fd)
{
    if ((int)old_fd == (int)new_fd)
        return fd_file((int)old_fd) ? (int)new_fd : -EBADF;
    struct file *file = get_file(old_fd, true);
    return IS_ERR(file) ? PTR_ERR(file) : fd_replace((int)new_fd, file, false);
}

long sys_dup3(unsigned long old_fd, unsigned long new_fd, unsigned long flags)
{
    if (flags & ~(unsigned long)O_CLOEXEC || (int)old_fd == (int)new_fd)
        return -EINVAL;
    struct file *file = get_file(old_fd, true);
    return IS_ERR(file) ? PTR_ERR(file) : fd_replace((int)new_fd, file, flags & O_CLOEXEC);
}

long sys_pipe2(unsigned long fds, unsigned long flags)
{
    struct file *ends[2];
    int numbers[2];

    if (flags & ~(unsigned long)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    int error = pipe_create(ends, (int)flags & O_NONBLOCK);
    if (error)
        return error;
    numbers[0] = fd_install(ends[0], 0, flags & O_CLOEXEC);
    if (numbers[0] < 0) {
        file_put(ends[1]);
        return numbers[0];
    }
    numbers[1] = fd_install(ends[1], 0, flags & O_CLOEXEC);
    if (numbers[1] >= 0 && copy_to_user(fds, numbers, sizeof(numbers)) == 0)
        return 0;
    if (numbers[1] >= 0)
        fd_close(numbers[1]);
    fd_close(numbers[0]);
    return numbers[1] < 0 ? numbers[1] : -EFAULT;
}

long sys_pipe(unsigned long fds)
{
    return sys_pipe2(fds, 0);
}

/* ---- fcntl, ioctl ---- */

static long duplicate_from(struct file *file, unsigned long lowest, bool close_on_exec)
{
    if (lowest >= current->process->limits[RLIMIT_NOFILE].current)
        return -EINVAL;
    return fd_install(file_get(file), (int)lowest, close_on_exec);
}

/* Memory files can; files of /tmp, which are the same kind, were sealed against it at birth. */
static bool can_be_sealed(const struct inode *inode)
{
    return S_ISREG(inode->mode) && (inode->device == DEVICE_SHMEM || inode->device == DEVICE_TMP);
}

static long get_seals(const struct inode *inode)
{
    if (!can_be_sealed(inode))
        return -EINVAL;
    return inode->device == DEVICE_SHMEM ? (long)inode->seals : F_SEAL_SEAL;
}

static long add_seals(struct file *file, unsigned long seals)
{
    struct inode *inode = file->inode;

    if (!file_writable(file))
        return -EPERM;
    if ((seals & ~(unsigned long)F_ALL_SEALS) || !can_be_sealed(inode))
        return -EINVAL;
    if (inode->seals & F_SEAL_SEAL || inode->device != DEVICE_SHMEM)
        return -EPERM;
    if ((seals & F_SEAL_WRITE) && !list_empty(&inode->mapping.i_mmap))
        return -EBUSY;
    inode->seals |= (u32)seals;
    return 0;
}

/* A list of cases. */
static long control(struct file *file, int fd, int command, unsigned long argument)
{
    switch (command) {
    case F_DUPFD:
        return duplicate_from(file, argument, false);
    case F_DUPFD_CLOEXEC:
        return duplicate_from(file, argument, true);
    case F_GETFD:
        return fd_close_on_exec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
        fd_set_close_on_exec(fd, argument & FD_CLOEXEC);
        return 0;
    case F_GETFL:
        return file->flags;
    case F_SETFL:
        file->flags = (file->flags & ~O_SETTABLE) | ((int)argument & O_SETTABLE);
        return 0;
    case F_GETLK:
    case F_OFD_GETLK:
        return get_lock(file, command, argument);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return set_lock(file, fd, command, argument);
    case F_SETPIPE_SZ:
        return S_ISFIFO(file->inode->mode) ? -EINVAL : -EBADF;
    case F_SETOWN:                      /* nothing here ever sends SIGIO */
        return (int)argument > 0 && !find_task((int)argument) ? -ESRCH : 0;
    case F_GETOWN:
    case F_GETSIG:
        return 0;
    case F_GETPIPE_SZ:
        return pipe_capacity(file);
    case F_ADD_SEALS:
        return add_seals(file, argument);
    case F_GET_SEALS:
        return get_seals(file->inode);
    default:
        return -EINVAL;
    }
}

long sys_fcntl(unsigned long fd, unsigned long command, unsigned long argument)
{
    struct file *file = fd_file((int)fd);
    int number = (int)command;

    if (!file)
        return -EBADF;
    bool about_descriptor = number == F_DUPFD || number == F_DUPFD_CLOEXEC || number == F_GETFD ||
                            number == F_SETFD || number == F_GETFL;
    if ((file->flags & O_PATH) && !about_descriptor)
        return -EBADF;
    return control(file, (int)fd, number, argument);
}

long sys_ioctl(unsigned long fd, unsigned long request, unsigned long argument)
{
    int on;

    struct file *file = get_file(fd, false);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long result = -ENOTTY;
    if (request == FIOCLEX || request == FIONCLEX) {
        fd_set_close_on_exec((int)fd, request == FIOCLEX);
        result = 0;
    } else if (request == FIONBIO) {
        result = get_user(on, argument);
        if (!result)
            file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK;
    } else if (file->ops && file->ops->ioctl) {
        result = file->ops->ioctl(file, (u32)request, argument);
    }
    file_put(file);
    return result;
}
