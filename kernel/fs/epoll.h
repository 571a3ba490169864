/* epoll: a file that waits for many others. */
#ifndef KERNEL_FS_EPOLL_H
#define KERNEL_FS_EPOLL_H

#include "kernel/fs/fs.h"

/* What a program is told, and says; Linux packs it on x86-64. */
struct epoll_event {
    u32 events;
    u64 data;
} __attribute__((packed));

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

/* A new epoll file with one reference, or ERR_PTR. */
struct file *epoll_create_file(void);
bool file_is_epoll(const struct file *file);

/* epoll_ctl of TARGET, which is descriptor FD; EVENT is unused for EPOLL_CTL_DEL. 0 or negative errno. */
long epoll_control(struct file *epoll, int operation, int fd, struct file *target, const struct epoll_event *event);

/*
 * Waits till DEADLINE (sched_clock; 0 none; 1 not at all) and writes up to COUNT events to the user address TO. How
 * many, or negative errno.
 */
long epoll_wait_for(struct file *epoll, unsigned long to, unsigned count, u64 deadline);

/* The last reference to FILE goes: no epoll watches it any more. */
void epoll_forget(struct file *file);

#endif
