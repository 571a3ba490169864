/*
 * Advisory locks on files, which keep out nobody who does not ask. There are two families that do not see each other:
 *
 *   - ranges of bytes (fcntl). They belong to a process, which loses them when it closes *any* descriptor of the file,
 *     or (F_OFD_…) to an open file, like those of flock.
 *   - whole files (flock). They belong to an open file, and end with it.
 *
 * An owner is only compared: a process's is its table of descriptors, so threads share their locks and a child of fork
 * has none.
 */
#ifndef KERNEL_FS_LOCKS_H
#define KERNEL_FS_LOCKS_H

#include "kernel/fs/fs.h"

#define LOCK_LAST_BYTE ((s64)(~0ull >> 1))

/* Linux's F_RDLCK, F_WRLCK, F_UNLCK. */
enum lock_type { LOCK_READ, LOCK_WRITE, LOCK_NONE };

struct lock_range {
    s64 start, end;         /* the first byte and the last one; LOCK_LAST_BYTE: and all behind it */
    enum lock_type type;
    const void *owner;
    int pid;                /* what F_GETLK shows of the owner; -1: an open file */
};

/* The owner's pid of a range that belongs to an open file. */
#define LOCK_PID_OF_FILE (-1)

/*
 * Locks or unlocks RANGE of INODE, which the caller holds: what its owner had there before is replaced. 0, -EAGAIN
 * when another owner's lock is in the way; if it MAY_WAIT for that one instead -ERESTARTSYS for a signal and, if the
 * two would wait for each other, -EDEADLK; -ENOLCK without memory, or when all locks together take too much of it.
 */
int locks_set_range(struct inode *inode, const struct lock_range *range, bool may_wait);

/* True when a lock of another owner is in RANGE's way: then RANGE becomes that lock. */
bool locks_find_conflict(const struct inode *inode, struct lock_range *range);

/*
 * Locks FILE as a whole. A lock that it has already is given up first, so that an upgrade that fails leaves none. 0,
 * -EAGAIN, -ERESTARTSYS or -ENOMEM.
 */
int locks_set_whole(struct file *file, enum lock_type type, bool may_wait);

/* How the locks of an owner end; called by the two below. */
void locks_drop_ranges(struct inode *inode, const void *owner);
void locks_drop_whole(struct inode *inode, const struct file *file);

/* The process of FILES closes a descriptor of FILE. */
static inline void locks_descriptor_closed(const struct file *file, const struct files_struct *files)
{
    if (unlikely(file->inode->locks) && !(file->flags & O_PATH))
        locks_drop_ranges(file->inode, files);
}

/* FILE, whose inode is still there, has no descriptor any more. */
static inline void locks_file_closed(const struct file *file)
{
    if (unlikely(file->inode->locks)) {
        locks_drop_ranges(file->inode, file);
        locks_drop_whole(file->inode, file);
    }
}

#endif
