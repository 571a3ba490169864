/*
 * Timers: a function that is called when a moment of the monotonic clock has come, at the next
 * tick.
 */
#ifndef KERNEL_SCHED_TIMER_H
#define KERNEL_SCHED_TIMER_H

#include "kernel/lib/rbtree.h"
#include "kernel/lib/types.h"

struct timer {
    struct rb_node node;                    /* in the tree of armed timers */
    u64 deadline;                           /* nanoseconds of sched_clock; 0: not armed */
    u64 last_deadline;                      /* when it was last armed for */
    void (*fire)(struct timer *timer);      /* called with the timer disarmed, interrupts off */
};

/* Arms TIMER for DEADLINE (not 0), or moves it there. O(log n). */
void timer_arm(struct timer *timer, u64 deadline);
/* Harmless when it is not armed. */
void timer_disarm(struct timer *timer);
/* Fires every timer whose deadline is not after NOW. */
void timers_run(u64 now);

#endif
