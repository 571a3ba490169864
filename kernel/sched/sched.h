/* The scheduler: who runs, who waits for what, and until when. */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "kernel/sched/task.h"

#define HZ 100

/* The idle task, the run queue, the timer. After mm/ works; the caller becomes the idle task. */
void sched_init(void);

/* The idle loop: runs others, else waits for interrupts. Never returns. */
void __noreturn sched_idle(void);

/* Gives up the processor; returns when the scheduler chooses this task again. A task that is not TASK_RUNNING is not chosen until woken. */
void schedule(void);

/* Makes TASK runnable (again). Harmless when it is. */
void sched_wake(struct task *task);

/* Nanoseconds since boot, monotonic (TSC). */
u64 sched_clock(void);
/* Nanoseconds since 1970. */
u64 wall_clock(void);
/* Timer ticks since boot. */
extern u64 jiffies;

/* ---- wait queues ---- */

struct wait_queue {
    struct list_head waiters;       /* by task->run_node */
};
#define WAIT_QUEUE(name) struct wait_queue name = { LIST_HEAD_INIT((name).waiters) }
static inline void wait_queue_init(struct wait_queue *queue) { list_init(&queue->waiters); }

/*
 * Sleeps on QUEUE until woken, a signal, or DEADLINE (sched_clock nanoseconds; 0 none). The caller checks its condition before and after, in a loop:
 * interrupts are off and nobody else runs, so nothing is missed between the check and the sleep. Returns 0 when woken, -ERESTARTSYS for a signal,
 * -ETIMEDOUT.
 */
int wait_on(struct wait_queue *queue, u64 deadline);
/* The same, but no signal but a fatal one ends it. */
int wait_on_killable(struct wait_queue *queue);
void wake_one(struct wait_queue *queue);
void wake_all(struct wait_queue *queue);

struct completion {
    bool done;
    struct wait_queue queue;
};

/* ---- tasks ---- */

/* A zeroed task with a pid, a kernel stack and an FPU area, in no list yet but the pid table; NULL: no memory or no pid. */
struct task *task_alloc(void);
/* Frees it: never the running one. */
void task_free(struct task *task);
/* Makes it findable and runnable; its kernel stack must be ready (task_prepare_stack). */
void task_start(struct task *task);
/* Lays out a new task's kernel stack so that its first schedule() goes to ENTRY with regs at the stack's top for the return to ring 3. */
void task_prepare_stack(struct task *task, const struct pt_regs *regs);

/* Calls FN for every task (threads too) in order of pid; stops when FN returns true. */
void for_each_task(bool (*fn)(struct task *task, void *context), void *context);

#endif
