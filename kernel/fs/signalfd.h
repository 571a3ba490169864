/* signalfd: a process's own signals, read from a file. */
#ifndef KERNEL_FS_SIGNALFD_H
#define KERNEL_FS_SIGNALFD_H

#include "kernel/fs/fs.h"

/* A new one with one reference that tells of the signals of MASK. Or ERR_PTR. */
struct file *signalfd_create(sigset_t mask, int flags);
/* From now on FILE tells of those of MASK. False: it is no signalfd. */
bool signalfd_change(struct file *file, sigset_t mask);

#endif
