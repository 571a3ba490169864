/* Pipes and FIFOs. */
#ifndef KERNEL_FS_PIPE_H
#define KERNEL_FS_PIPE_H

#include "kernel/fs/fs.h"

/* Two ends of a new pipe, each a file with one reference; FLAGS may have O_NONBLOCK. 0 or negative errno. */
int pipe_create(struct file *ends[2], int flags);

/* A FIFO's node: opening it waits for the other side, as on Linux. */
extern const struct inode_operations fifo_inode_ops;

/* True when INODE is a nameless pipe: then /proc shows it as pipe:[NUMBER]. */
bool inode_is_pipe(const struct inode *inode);

/* Frames that hold what nobody has read yet; 0 when INODE is no pipe. */
unsigned long pipe_pages_held(const struct inode *inode);

/* fcntl's F_GETPIPE_SZ: bytes, or -EBADF. */
long pipe_capacity(const struct file *file);

#endif
