/*
 * POSIX timers. Each tells by a signal of its choice; one with an interval goes on when that is delivered, and what it
 * missed meanwhile is counted, so nobody is flooded with signals and no queue of them grows.
 */
#include "kernel/proc/posix_timer.h"

#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

#define TIMER_ABSTIME 1

enum { SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID = 4 };

/* Linux's struct sigevent, as far as the kernel reads it. */
struct signal_event {
    u64 value;
    s32 signal, notify, thread;
    u8 unused[44];
};
_Static_assert(sizeof(struct signal_event) == 64, "Linux's struct sigevent");

struct posix_timer {
    struct list_head node;          /* process->posix_timers */
    struct process *process;
    struct timer timer;
    int id, clock;
    int notify, signal, thread;
    int clock_thread;               /* whose time on the processor, for that clock */
    u64 value;
    s64 expires;                    /* of its clock's own time, but of sched_clock for all that go on in sleep */
    u64 interval;                   /* 0: once */
    s64 overrun, overrun_last;      /* of the signal to come, and of the last one that was delivered */
    u32 generation;                 /* odd: waits for its signal to be delivered */
    bool active;
    bool at_time_of_day;
};

/* ---- clocks ---- */

static bool by_processor(const struct posix_timer *timer)
{
    return timer->clock == CLOCK_PROCESS_CPUTIME_ID || timer->clock == CLOCK_THREAD_CPUTIME_ID;
}

static bool by_wall_clock(const struct posix_timer *timer)
{
    return timer->clock == CLOCK_REALTIME || timer->clock == CLOCK_TAI;
}

static s64 now_of(const struct posix_timer *timer)
{
    struct process_usage usage;
    const struct task *thread;

    if (timer->clock == CLOCK_THREAD_CPUTIME_ID) {
        thread = find_task(timer->clock_thread);
        return thread && thread->process == timer->process ? (s64)task_run_time(thread) : 0;
    }
    if (timer->clock != CLOCK_PROCESS_CPUTIME_ID)
        return (s64)sched_clock();
    process_usage(timer->process, &usage);
    return (s64)usage.run_time;
}

static int check_clock(int clock)
{
    switch (clock) {
    case CLOCK_REALTIME: case CLOCK_MONOTONIC: case CLOCK_BOOTTIME: case CLOCK_TAI:
    case CLOCK_PROCESS_CPUTIME_ID: case CLOCK_THREAD_CPUTIME_ID:
        return 0;
    case CLOCK_MONOTONIC_RAW: case CLOCK_REALTIME_COARSE: case CLOCK_MONOTONIC_COARSE:
    case CLOCK_REALTIME_ALARM: case CLOCK_BOOTTIME_ALARM:   /* there is nothing that could wake this machine */
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

/* ---- running ---- */

static void arm(struct posix_timer *timer)
{
    timer->active = true;
    if (!by_processor(timer))
        timer_arm(&timer->timer, (u64)MAX(timer->expires, (s64)1));
}

/* Moves the time on by intervals until it lies ahead; how many. */
static s64 forward(struct posix_timer *timer)
{
    s64 late = now_of(timer) - timer->expires;

    if (late < 0)
        return 0;
    s64 times = late / (s64)timer->interval + 1;
    timer->expires += times * (s64)timer->interval;
    return times;
}

/* False: nobody gets it. */
static bool tell(struct posix_timer *timer, u32 event)
{
    struct signal_info info = { .signal = timer->signal, .code = SI_TIMER, .pid = timer->id, .value = timer->value,
                                .of_timer = true, .timer_event = event };
    struct task *thread = NULL;

    if (timer->notify == SIGEV_THREAD_ID) {
        thread = find_task(timer->thread);
        if (!thread || thread->process != timer->process)
            return false;
    }
    return signal_send_timer(timer->process, thread, &info);
}

static void expire(struct posix_timer *timer)
{
    timer->active = false;
    if (timer->interval)
        timer->generation++;
    if (tell(timer, timer->interval ? timer->generation : 0) || !timer->interval)
        return;
    timer->overrun += forward(timer);
    timer->generation++;
    arm(timer);
}

static void timer_fired(struct timer *fired)
{
    expire(container_of(fired, struct posix_timer, timer));
}

void posix_timers_tick(void)
{
    struct posix_timer *timer, *following;

    list_for_each_entry_safe(timer, following, &current->process->posix_timers, node)
        if (timer->active && by_processor(timer) && timer->notify != SIGEV_NONE && now_of(timer) >= timer->expires)
            expire(timer);
}

void posix_timers_clock_was_set(s64 change)
{
    struct process *process;
    struct posix_timer *timer;

    list_for_each_entry(process, &all_processes, all)
        list_for_each_entry(timer, &process->posix_timers, node) {
            if (!timer->at_time_of_day)
                continue;
            timer->expires -= change;
            if (timer->timer.deadline)
                arm(timer);
        }
}

static struct posix_timer *find(int id)
{
    struct posix_timer *timer;

    list_for_each_entry(timer, &current->process->posix_timers, node)
        if (timer->id == id)
            return timer;
    return NULL;
}

void posix_timer_delivered(struct signal_info *info)
{
    struct posix_timer *timer = info->timer_event ? find(info->pid) : NULL;

    if (!timer || !timer->interval || timer->generation != info->timer_event)
        return;
    timer->overrun += forward(timer);
    timer->overrun_last = timer->overrun;
    timer->overrun = -1;
    timer->generation++;
    arm(timer);
    info->uid += (u32)MIN(timer->overrun_last, (s64)INT32_MAX);
}

/* ---- making and unmaking ---- */

static int choose_event(unsigned long from, struct posix_timer *timer)
{
    struct signal_event event = { .signal = SIGALRM, .notify = SIGEV_SIGNAL, .value = (u64)timer->id };
    const struct task *thread;

    if (from && copy_from_user(&event, from, sizeof(event)))
        return -EFAULT;
    if (event.notify == SIGEV_THREAD_ID) {
        thread = find_task(event.thread);
        if (!thread || thread->process != current->process)
            return -EINVAL;
    } else if (event.notify != SIGEV_SIGNAL && event.notify != SIGEV_NONE && event.notify != SIGEV_THREAD) {
        return -EINVAL;
    }
    if (event.notify != SIGEV_NONE && (event.signal <= 0 || event.signal > NSIG))
        return -EINVAL;
    timer->notify = event.notify;
    timer->signal = event.signal;
    timer->thread = event.thread;
    timer->value = event.value;
    return 0;
}

static void end_timer(struct posix_timer *timer)
{
    timer_disarm(&timer->timer);
    list_del(&timer->node);
    timer->process->posix_timer_count--;
    kfree(timer);
}

void posix_timers_end(struct process *process)
{
    while (!list_empty(&process->posix_timers))
        end_timer(list_first_entry(&process->posix_timers, struct posix_timer, node));
}

long do_timer_create(int clock, unsigned long event, unsigned long id_to)
{
    struct process *process = current->process;
    struct signal_event unused;

    if (event && copy_from_user(&unused, event, sizeof(unused)))
        return -EFAULT;
    int error = check_clock(clock);
    if (error)
        return error;
    if (process->posix_timer_count >= process->limits[RLIMIT_SIGPENDING].current)
        return -EAGAIN;
    struct posix_timer *timer = kzalloc(sizeof(*timer));
    if (!timer)
        return -EAGAIN;
    *timer = (struct posix_timer){ .process = process, .id = process->next_timer_id, .clock = clock, .overrun = -1,
                                   .clock_thread = current->pid };
    timer->timer.fire = timer_fired;
    process->next_timer_id = (process->next_timer_id + 1) & INT32_MAX;
    error = choose_event(event, timer);
    if (!error && put_user(timer->id, id_to))
        error = -EFAULT;
    if (error) {
        kfree(timer);
        return error;
    }
    list_add_tail(&timer->node, &process->posix_timers);
    process->posix_timer_count++;
    return 0;
}

long do_timer_delete(int id)
{
    struct posix_timer *timer = find(id);

    if (!timer)
        return -EINVAL;
    end_timer(timer);
    return 0;
}

/* ---- setting ---- */

static void look(struct posix_timer *timer, struct timer_setting *setting)
{
    bool tells_nobody = timer->notify == SIGEV_NONE;
    s64 left;

    *setting = (struct timer_setting){ .interval = timer->interval };
    if (!timer->interval && !timer->active && !tells_nobody)
        return;
    if (timer->interval && ((timer->generation & 1) || tells_nobody))
        timer->overrun += forward(timer);
    left = timer->expires - now_of(timer);
    /* 0 means that it has run out, so as long as that is not told there is a little left. */
    setting->value = left > 0 ? (u64)left : tells_nobody ? 0 : 1;
}

static void set(struct posix_timer *timer, bool absolute, const struct timer_setting *new)
{
    timer_disarm(&timer->timer);
    timer->active = false;
    timer->interval = 0;
    timer->generation = (timer->generation + 2) & ~1u;
    timer->overrun_last = 0;
    timer->expires = 0;
    /* On Linux a duration of the atomic clock is a moment of it. */
    timer->at_time_of_day = by_wall_clock(timer) && (absolute || timer->clock == CLOCK_TAI);
    if (!new->value)
        return;
    timer->interval = new->interval;
    if (absolute && timer->at_time_of_day)
        timer->expires = (s64)(new->value - (wall_clock() - sched_clock()));
    else
        timer->expires = (s64)MIN(absolute ? new->value : (u64)now_of(timer) + new->value, (u64)INT64_MAX);
    if (timer->notify != SIGEV_NONE)
        arm(timer);
}

long do_timer_settime(int id, int flags, unsigned long new_from, unsigned long old_to)
{
    struct timer_setting new, old;

    if (!new_from)
        return -EINVAL;
    int error = get_timer_setting(new_from, &new);
    if (error)
        return error;
    struct posix_timer *timer = find(id);
    if (!timer)
        return -EINVAL;
    look(timer, &old);
    set(timer, (flags & TIMER_ABSTIME) != 0, &new);
    return old_to ? put_timer_setting(old_to, &old) : 0;
}

long do_timer_gettime(int id, unsigned long to)
{
    struct posix_timer *timer = find(id);
    struct timer_setting setting;

    if (!timer)
        return -EINVAL;
    look(timer, &setting);
    return put_timer_setting(to, &setting);
}

long do_timer_getoverrun(int id)
{
    const struct posix_timer *timer = find(id);

    return timer ? (long)MIN(timer->overrun_last, (s64)INT32_MAX) : -EINVAL;
}
