/* fcntl's commands about locks. */
#ifndef SYSCALL_LOCKS_H
#define SYSCALL_LOCKS_H

#include "kernel/fs/fs.h"

#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38

/* F_GETLK and F_OFD_GETLK of FILE; ARGUMENT is the user address of a struct flock. 0 or negative errno. */
long get_lock(const struct file *file, int command, unsigned long argument);
/* F_SETLK, F_SETLKW and their two relatives of FILE, which is descriptor FD. */
long set_lock(struct file *file, int fd, int command, unsigned long argument);

#endif
