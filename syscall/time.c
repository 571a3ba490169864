/* The calls about time. */
#include "kernel/fs/timerfd.h"
#include "kernel/proc/posix_timer.h"
#include "kernel/proc/proc.h"
#include "syscall/user.h"

#define USEC_PER_SEC 1000000ull
#define NSEC_PER_USEC 1000ull

long sys_clock_gettime(unsigned long clock, unsigned long time)
{
    return do_clock_gettime((int)clock, time);
}

long sys_clock_getres(unsigned long clock, unsigned long resolution)
{
    return do_clock_getres((int)clock, resolution);
}

static long set_wall_clock(u64 nanoseconds)
{
    if (current->euid != 0)
        return -EPERM;
    s64 change = wall_clock_set(nanoseconds);

    timerfd_clock_was_set(change);
    posix_timers_clock_was_set(change);
    return 0;
}

long sys_clock_settime(unsigned long clock, unsigned long time)
{
    u64 nanoseconds;

    /* A negative number is a process's clock, which exists, so the time is read first. */
    if ((int)clock > CLOCK_REALTIME)
        return -EINVAL;
    int error = get_timespec(time, &nanoseconds);
    if (!error && (int)clock != CLOCK_REALTIME)
        error = -EINVAL;
    return error ? error : set_wall_clock(nanoseconds);
}

long sys_gettimeofday(unsigned long time, unsigned long zone)
{
    u64 now = wall_clock();
    struct kernel_timeval value = { (s64)(now / NSEC_PER_SEC), (s64)(now % NSEC_PER_SEC / NSEC_PER_USEC) };
    s32 no_zone[2] = { 0, 0 };

    if (time && put_user(value, time))
        return -EFAULT;
    if (zone && copy_to_user(zone, no_zone, sizeof(no_zone)))
        return -EFAULT;
    return 0;
}

long sys_settimeofday(unsigned long time, unsigned long zone)
{
    struct kernel_timeval value;

    s64 no_zone;

    if (time && get_user(value, time))
        return -EFAULT;
    if (zone && get_user(no_zone, zone))
        return -EFAULT;
    if (!time)
        return 0;
    if (value.seconds < 0 || (u64)value.microseconds >= USEC_PER_SEC)
        return -EINVAL;
    return set_wall_clock((u64)value.seconds * NSEC_PER_SEC + (u64)value.microseconds * NSEC_PER_USEC);
}

long sys_time(unsigned long to)
{
    s64 now = (s64)(wall_clock() / NSEC_PER_SEC);
    return to && put_user(now, to) ? -EFAULT : now;
}

long sys_nanosleep(unsigned long request, unsigned long remaining)
{
    return do_nanosleep(request, remaining);
}

long sys_clock_nanosleep(unsigned long clock, unsigned long flags, unsigned long request, unsigned long remaining)
{
    return do_clock_nanosleep((int)clock, (int)flags, request, remaining);
}

long sys_alarm(unsigned long seconds)
{
    return do_alarm((unsigned)seconds);
}

long sys_getitimer(unsigned long which, unsigned long value)
{
    return do_getitimer((int)which, value);
}

long sys_setitimer(unsigned long which, unsigned long value, unsigned long old_value)
{
    return do_setitimer((int)which, value, old_value);
}

long sys_times(unsigned long buffer)
{
    return do_times(buffer);
}

long sys_getrusage(unsigned long who, unsigned long usage)
{
    return do_getrusage((int)who, usage);
}

/* ---- POSIX timers ---- */

long sys_timer_create(unsigned long clock, unsigned long event, unsigned long id)
{
    return do_timer_create((int)clock, event, id);
}

long sys_timer_settime(unsigned long id, unsigned long flags, unsigned long new_setting, unsigned long old_setting)
{
    return do_timer_settime((int)id, (int)flags, new_setting, old_setting);
}

long sys_timer_gettime(unsigned long id, unsigned long setting)
{
    return do_timer_gettime((int)id, setting);
}

long sys_timer_getoverrun(unsigned long id)
{
    return do_timer_getoverrun((int)id);
}

long sys_timer_delete(unsigned long id)
{
    return do_timer_delete((int)id);
}
