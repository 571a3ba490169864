/* What the thin functions share: a program's strings, descriptors and lists of buffers. */
#ifndef SYSCALL_USER_H
#define SYSCALL_USER_H

#include "kernel/fs/fs.h"
#include "mm/slab.h"
#include "mm/user_copy.h"
#include "syscall/table.h"

#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_REMOVEDIR 0x200u
#define AT_EACCESS 0x200u
#define AT_SYMLINK_FOLLOW 0x400u
#define AT_NO_AUTOMOUNT 0x800u
#define AT_EMPTY_PATH 0x1000u

/*
 * The path at the user address FROM as a kernel string to be given to kfree, or ERR_PTR (-EFAULT, -ENAMETOOLONG,
 * -ENOMEM).
 */
char *get_path(unsigned long from);

/*
 * The inode that (DIRFD, path at FROM) means, with a reference, or ERR_PTR. FLAGS: AT_SYMLINK_NOFOLLOW, and
 * AT_EMPTY_PATH, with which an empty path means DIRFD itself.
 */
struct inode *get_inode(int dirfd, unsigned long from, unsigned flags);

/*
 * fd_file with a reference of the caller's own; ERR_PTR(-EBADF) when there is none, or (unless ANY) when it was
 * opened with O_PATH.
 */
struct file *get_file(unsigned long fd, bool any);

/* True for -ERESTART…: results that no program sees. */
static inline bool is_interrupted(long result)
{
    return result == -EINTR || (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK);
}

#endif
