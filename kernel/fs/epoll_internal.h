/* What epoll.c and epoll_paths.c share: an epoll and its watches. */
#ifndef KERNEL_FS_EPOLL_INTERNAL_H
#define KERNEL_FS_EPOLL_INTERNAL_H

#include "kernel/fs/epoll.h"

struct epoll {
    struct file *file;              /* whose end is this one's */
    struct list_head watches;       /* all, by watch->of_epoll */
    struct list_head ready;         /* those that may have something to tell, by watch->in_ready */
    struct list_head watchers;      /* who watches this epoll, by watch->of_source */
    struct wait_queue waiters;
    unsigned long visit;            /* the last walk (epoll_paths.c) that came by, and what it found */
    unsigned extent;
};

struct watch {
    struct epoll *epoll;
    struct file *file;              /* without a reference: its end ends the watch */
    int fd;
    struct epoll_event event;
    struct list_head of_epoll, of_file, of_source, in_ready;
};

/* True when EPOLL may not watch FILE, an epoll: it lies above EPOLL, or too many would lie one below the other. */
bool epoll_nests_too_deep(struct epoll *epoll, struct file *file);

/* True when, now that EPOLL watches FILE, a file can be told of in more ways than is allowed. */
bool epoll_has_too_many_paths(struct epoll *epoll, struct file *file);

#endif
