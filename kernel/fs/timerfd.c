/*
 * timerfd: a timer in a file, which is read for how often it has run out. One with an interval is not armed again
 * before it is read, so nobody keeps the kernel busy with it: the times in between are counted then.
 */
#include "kernel/fs/timerfd.h"

#include "mm/slab.h"

struct timer_file {
    struct timer timer;
    s64 expires;                /* sched_clock: when it ran out or will; 0: unset */
    u64 interval;               /* nanoseconds; 0: once */
    u64 ticks;                  /* how often it has run out since it was read */
    bool has_expired;           /* and, with an interval, is not armed */
    bool by_wall_clock;
    bool at_time_of_day;        /* EXPIRES moves when the clock is set */
    bool cancel_on_set, canceled;
    struct wait_queue readers;
    struct list_head watchers;
    struct list_head all;       /* those that run by the clock on the wall */
};

static LIST_HEAD(wall_timers);
static const struct file_operations timerfd_file_ops;

bool file_is_timer(const struct file *file)
{
    return file->ops == &timerfd_file_ops;
}

static void tell(struct timer_file *timer)
{
    wake_all(&timer->readers);
    poll_notify(&timer->watchers, POLLIN | POLLRDNORM);
}

static void timer_fired(struct timer *fired)
{
    struct timer_file *timer = container_of(fired, struct timer_file, timer);

    timer->has_expired = true;
    timer->ticks++;
    tell(timer);
}

static void arm(struct timer_file *timer)
{
    timer_arm(&timer->timer, (u64)MAX(timer->expires, (s64)1));
}

/* Counts the times that an interval went by since EXPIRES, and arms the timer for the next. */
static u64 go_on(struct timer_file *timer)
{
    u64 late = sched_clock() - (u64)timer->expires;
    u64 times = late / timer->interval + 1;

    timer->expires += (s64)(times * timer->interval);
    timer->has_expired = false;
    arm(timer);
    return times;
}

/* True once after the clock was set. */
static bool take_cancellation(struct timer_file *timer)
{
    bool canceled = timer->canceled;

    timer->canceled = false;
    return canceled && timer->cancel_on_set;
}

static long timerfd_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    struct timer_file *timer = file->private;
    u64 ticks;

    (void)pos;
    if (iter->count < sizeof(ticks))
        return -EINVAL;
    while (timer->ticks == 0 && !(file->flags & O_NONBLOCK)) {
        int error = wait_on(&timer->readers, 0);
        if (error)
            return error;
    }
    if (take_cancellation(timer)) {
        timer->ticks = 0;
        timer->has_expired = false;
        return -ECANCELED;
    }
    ticks = timer->ticks;
    if (!ticks)
        return -EAGAIN;
    if (timer->has_expired && timer->interval)
        ticks += go_on(timer) - 1;
    timer->has_expired = false;
    timer->ticks = 0;
    return copy_to_iter(iter, &ticks, sizeof(ticks)) < sizeof(ticks) ? -EFAULT : (long)sizeof(ticks);
}

static unsigned timerfd_poll(struct file *file)
{
    const struct timer_file *timer = file->private;
    return timer->ticks ? POLLIN : 0;
}

static struct list_head *timerfd_watchers(struct file *file)
{
    struct timer_file *timer = file->private;
    return &timer->watchers;
}

static void timerfd_release(struct file *file)
{
    struct timer_file *timer = file->private;

    timer_disarm(&timer->timer);
    list_del(&timer->all);
    kfree(timer);
}

static const struct file_operations timerfd_file_ops = {
    .read = timerfd_read, .lseek = lseek_nothing, .poll = timerfd_poll, .watchers = timerfd_watchers,
    .release = timerfd_release,
};

/* ---- setting ---- */

static void look(const struct timer_file *timer, struct timer_setting *setting)
{
    s64 left = timer->expires - (s64)sched_clock();

    *setting = (struct timer_setting){ .interval = timer->interval, .value = left > 0 ? (u64)left : 0 };
}

void timerfd_get(struct file *file, struct timer_setting *setting)
{
    struct timer_file *timer = file->private;

    if (timer->has_expired && timer->interval)
        timer->ticks += go_on(timer) - 1;
    look(timer, setting);
}

/* The moment of sched_clock that VALUE means. */
static s64 moment(const struct timer_file *timer, u64 value, bool absolute)
{
    if (absolute && timer->by_wall_clock)
        return (s64)(value - (wall_clock() - sched_clock()));
    return (s64)MIN(absolute ? value : sched_clock() + value, (u64)INT64_MAX);
}

int timerfd_set(struct file *file, unsigned flags, const struct timer_setting *new, struct timer_setting *old)
{
    struct timer_file *timer = file->private;
    bool absolute = (flags & TFD_TIMER_ABSTIME) != 0;

    timer->at_time_of_day = absolute && timer->by_wall_clock;
    timer->cancel_on_set = timer->at_time_of_day && (flags & TFD_TIMER_CANCEL_ON_SET);
    timer_disarm(&timer->timer);
    if (timer->has_expired && timer->interval)
        go_on(timer);
    look(timer, old);
    timer_disarm(&timer->timer);
    timer->has_expired = false;
    timer->ticks = 0;
    timer->interval = new->interval;
    timer->expires = 0;
    if (!new->value)
        return 0;
    timer->expires = moment(timer, new->value, absolute);
    arm(timer);
    return take_cancellation(timer) ? -ECANCELED : 0;
}

void timerfd_clock_was_set(s64 change)
{
    struct timer_file *timer;

    list_for_each_entry(timer, &wall_timers, all) {
        if (timer->at_time_of_day && timer->expires) {
            timer->expires -= change;
            if (timer->timer.deadline)
                arm(timer);
        }
        if (timer->cancel_on_set && change) {
            timer->canceled = true;
            timer->ticks++;
            tell(timer);
        }
    }
}

struct file *timerfd_create(int clock, int flags)
{
    bool alarm = clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;

    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && !alarm)
        return ERR_PTR(-EINVAL);
    if (alarm && current->euid != 0)
        return ERR_PTR(-EPERM);
    struct timer_file *timer = kzalloc(sizeof(*timer));
    if (!timer)
        return ERR_PTR(-ENOMEM);
    timer->timer.fire = timer_fired;
    timer->by_wall_clock = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
    wait_queue_init(&timer->readers);
    list_init(&timer->watchers);
    list_init(&timer->all);
    struct file *file = anon_file("[timerfd]", &timerfd_file_ops, O_RDWR | flags, timer);
    if (IS_ERR(file))
        kfree(timer);
    else if (timer->by_wall_clock)
        list_add_tail(&timer->all, &wall_timers);
    return file;
}
