/* Giving up the processor, and threads in the raw. */
#ifndef _SCHED_H
#define _SCHED_H

#include <sys/types.h>

#define CSIGNAL              0x000000ff
#define CLONE_VM             0x00000100
#define CLONE_FS             0x00000200
#define CLONE_FILES          0x00000400
#define CLONE_SIGHAND        0x00000800
#define CLONE_VFORK          0x00004000
#define CLONE_PARENT         0x00008000
#define CLONE_THREAD         0x00010000
#define CLONE_SYSVSEM        0x00040000
#define CLONE_SETTLS         0x00080000
#define CLONE_PARENT_SETTID  0x00100000
#define CLONE_CHILD_CLEARTID 0x00200000
#define CLONE_CHILD_SETTID   0x01000000

int sched_yield(void);

/*
 * Run BODY(ARGUMENT) in a new task on the stack that ends at STACK_END; its result is the exit
 * status. Up to three more arguments: pid_t *parent_tid, void *tls, pid_t *child_tid. Returns the
 * task's id, or -1 and errno.
 */
int clone(int (*body)(void *), void *stack_end, int flags, void *argument, ...);

#endif
