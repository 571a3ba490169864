/* timerfd: a timer in a file, which is read for how often it has run out. */
#ifndef KERNEL_FS_TIMERFD_H
#define KERNEL_FS_TIMERFD_H

#include "kernel/fs/fs.h"

/* Linux's struct itimerspec, in nanoseconds. */
struct timer_setting {
    u64 interval, value;
};

#define TFD_TIMER_ABSTIME 1u
#define TFD_TIMER_CANCEL_ON_SET 2u

/* A new one with one reference that runs by CLOCK, unset. Or ERR_PTR. */
struct file *timerfd_create(int clock, int flags);
bool file_is_timer(const struct file *file);

/* Sets FILE's timer; *OLD is what timerfd_get would have said. 0 or -ECANCELED. */
int timerfd_set(struct file *file, unsigned flags, const struct timer_setting *new, struct timer_setting *old);
/* How long until it runs out (0: unset, or it has). */
void timerfd_get(struct file *file, struct timer_setting *setting);

/* The clock on the wall was set forward by CHANGE nanoseconds: timers at a time of day run out by it. */
void timerfd_clock_was_set(s64 change);

#endif
