/* eventfd: a number in a file, which one thread adds to and another waits for. */
#ifndef KERNEL_FS_EVENTFD_H
#define KERNEL_FS_EVENTFD_H

#include "kernel/fs/fs.h"

/* A new one with one reference that begins at COUNT; as a SEMAPHORE each read takes 1, not all. Or ERR_PTR. */
struct file *eventfd_create(u64 count, bool semaphore, int flags);

#endif
