/*
 * Waiting: a queue of tasks that sleep until somebody wakes them, a signal comes, or a time is
 * reached.
 */
#ifndef KERNEL_SCHED_WAIT_H
#define KERNEL_SCHED_WAIT_H

#include "kernel/lib/list.h"
#include "kernel/lib/types.h"

struct wait_queue {
    struct list_head waiters;       /* by task->run_node */
};
#define WAIT_QUEUE(name) struct wait_queue name = { LIST_HEAD_INIT((name).waiters) }

static inline void wait_queue_init(struct wait_queue *queue)
{
    list_init(&queue->waiters);
}

/*
 * Sleeps on QUEUE until woken, a signal, or DEADLINE (nanoseconds of sched_clock; 0 none). The
 * caller checks its condition before and after, in a loop: interrupts are off and nobody else runs,
 * so nothing is missed between the check and the sleep. Returns 0 when woken, -ERESTARTSYS for a
 * signal, -ETIMEDOUT.
 */
int wait_on(struct wait_queue *queue, u64 deadline);

/* The same, but no signal but a fatal one ends it. */
int wait_on_killable(struct wait_queue *queue);

/* The same, on no queue at all: until sched_wake(), a signal or DEADLINE. */
int sleep_until(u64 deadline);

/* Sleeps until sched_wake(); only a fatal signal ends it before. */
void sleep_killable(void);

/* Wakes the task that waits longest, or all of them. */
void wake_one(struct wait_queue *queue);
void wake_all(struct wait_queue *queue);

/* Something that happens once, and somebody who waits for it. */
struct completion {
    bool done;
    struct wait_queue queue;
};

void completion_init(struct completion *completion);
void complete(struct completion *completion);
/* 0, or -ERESTARTSYS when the waiter is to die: then nobody may call complete() any more. */
int wait_for_completion_killable(struct completion *completion);

#endif
