/*
 * Sleeping and waking. Interrupts are off throughout, so a check and the sleep after it can't be
 * separated.
 */
#include "kernel/sched/sched.h"

#include "kernel/lib/errno.h"

static void sleep_timer_fired(struct timer *timer)
{
    struct task *task = container_of(timer, struct task, sleep_timer);

    task->timed_out = true;
    sched_wake(task);
}

/* Sleeps in STATE on QUEUE (NULL: on none) until woken or DEADLINE (0: none). */
static void sleep_on(struct wait_queue *queue, enum task_state state, u64 deadline)
{
    struct task *self = current;

    self->timed_out = false;
    if (deadline) {
        self->sleep_timer.fire = sleep_timer_fired;
        timer_arm(&self->sleep_timer, deadline);
    }
    self->state = state;
    self->waiting_on = queue;
    if (queue)
        list_add_tail(&self->run_node, &queue->waiters);
    schedule();
    timer_disarm(&self->sleep_timer);
}

int wait_on(struct wait_queue *queue, u64 deadline)
{
    if (signal_pending())
        return -ERESTARTSYS;
    if (deadline && sched_clock() >= deadline)
        return -ETIMEDOUT;
    sleep_on(queue, TASK_INTERRUPTIBLE, deadline);
    if (current->timed_out)
        return -ETIMEDOUT;
    return signal_pending() ? -ERESTARTSYS : 0;
}

int wait_on_killable(struct wait_queue *queue)
{
    if (fatal_signal_pending())
        return -ERESTARTSYS;
    sleep_on(queue, TASK_UNINTERRUPTIBLE, 0);
    return fatal_signal_pending() ? -ERESTARTSYS : 0;
}

int sleep_until(u64 deadline)
{
    return wait_on(NULL, deadline);
}

void sleep_killable(void)
{
    sleep_on(NULL, TASK_UNINTERRUPTIBLE, 0);
}

void wake_one(struct wait_queue *queue)
{
    if (!list_empty(&queue->waiters))
        sched_wake(list_first_entry(&queue->waiters, struct task, run_node));
}

void wake_all(struct wait_queue *queue)
{
    while (!list_empty(&queue->waiters))
        wake_one(queue);
}

void completion_init(struct completion *completion)
{
    completion->done = false;
    wait_queue_init(&completion->queue);
}

void complete(struct completion *completion)
{
    completion->done = true;
    wake_all(&completion->queue);
}

int wait_for_completion_killable(struct completion *completion)
{
    while (!completion->done) {
        int error = wait_on_killable(&completion->queue);
        if (error && !completion->done)
            return error;
    }
    return 0;
}
