/* Clocks for programs, and sleeping by them. */
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"
#include "mm/user_copy.h"

#define TIMER_ABSTIME 1
#define MAX_SECONDS (~0ull / NSEC_PER_SEC / 2)  /* about 290 years: as good as for ever */

static int check_timespec(const struct kernel_timespec *time, u64 *nanoseconds)
{
    if (time->seconds < 0 || (u64)time->nanoseconds >= NSEC_PER_SEC)
        return -EINVAL;
    *nanoseconds = MIN((u64)time->seconds, MAX_SECONDS) * NSEC_PER_SEC + (u64)time->nanoseconds;
    return 0;
}

static struct kernel_timespec timespec_of(u64 nanoseconds)
{
    return (struct kernel_timespec){ (s64)(nanoseconds / NSEC_PER_SEC), (s64)(nanoseconds % NSEC_PER_SEC) };
}

int get_timespec(unsigned long from, u64 *nanoseconds)
{
    struct kernel_timespec time;

    return copy_from_user(&time, from, sizeof(time)) ? -EFAULT : check_timespec(&time, nanoseconds);
}

int put_timespec(unsigned long to, u64 nanoseconds)
{
    struct kernel_timespec time = timespec_of(nanoseconds);

    return copy_to_user(to, &time, sizeof(time)) ? -EFAULT : 0;
}

int get_timer_setting(unsigned long from, struct timer_setting *setting)
{
    struct kernel_timespec times[2];

    if (copy_from_user(times, from, sizeof(times)))
        return -EFAULT;
    int error = check_timespec(&times[0], &setting->interval);
    return error ? error : check_timespec(&times[1], &setting->value);
}

int put_timer_setting(unsigned long to, const struct timer_setting *setting)
{
    struct kernel_timespec times[2] = { timespec_of(setting->interval), timespec_of(setting->value) };

    return copy_to_user(to, times, sizeof(times)) ? -EFAULT : 0;
}

/* ---- reading ---- */

/* False when there is no such clock. */
static bool read_clock(int clock, u64 *now)
{
    struct process_usage usage;

    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        *now = wall_clock();
        return true;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *now = sched_clock();
        return true;
    case CLOCK_PROCESS_CPUTIME_ID:
        process_usage(current->process, &usage);
        *now = usage.run_time;
        return true;
    case CLOCK_THREAD_CPUTIME_ID:
        *now = task_run_time(current);
        return true;
    default:
        return false;
    }
}

long do_clock_gettime(int clock, unsigned long time)
{
    u64 now;

    return read_clock(clock, &now) ? put_timespec(time, now) : -EINVAL;
}

long do_clock_getres(int clock, unsigned long resolution)
{
    bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
    u64 now;

    if (!read_clock(clock, &now))
        return -EINVAL;
    return resolution ? put_timespec(resolution, coarse ? NSEC_PER_TICK : 1) : 0;
}

/* ---- sleeping ---- */

static long sleep_on_restart(struct restart_block *block);

/*
 * Sleeps until DEADLINE of the monotonic clock. REMAINING (0: none) gets what is left when a signal
 * ends it.
 */
static long sleep_till(u64 deadline, unsigned long remaining, bool absolute)
{
    int error;
    u64 now;

    do
        error = sleep_until(deadline);
    while (error == 0);
    if (error == -ETIMEDOUT)
        return 0;
    if (absolute)
        return -ERESTARTNOHAND;
    now = sched_clock();
    if (remaining && put_timespec(remaining, deadline > now ? deadline - now : 0))
        return -EFAULT;
    current->restart = (struct restart_block){ .go_on = sleep_on_restart, .deadline = deadline,
                                               .address = remaining };
    return -ERESTART_RESTARTBLOCK;
}

static long sleep_on_restart(struct restart_block *block)
{
    return sleep_till(block->deadline, block->address, false);
}

static bool can_sleep_on(int clock)
{
    return clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID && clock != CLOCK_MONOTONIC_RAW &&
           clock != CLOCK_REALTIME_COARSE && clock != CLOCK_MONOTONIC_COARSE;
}

long do_clock_nanosleep(int clock, int flags, unsigned long request, unsigned long remaining)
{
    bool absolute = (flags & TIMER_ABSTIME) != 0;
    u64 time, deadline, now;
    int error;

    if (!read_clock(clock, &now)) {
        error = clock < 0 ? get_timespec(request, &time) : 0;   /* another process's clock */
        return error ? error : -EINVAL;
    }
    if (!can_sleep_on(clock))
        return -EOPNOTSUPP;
    error = get_timespec(request, &time);
    if (error)
        return error;
    deadline = sched_clock();
    if (!absolute)
        deadline += time;
    else
        deadline += time > now ? time - now : 0;
    return sleep_till(deadline, remaining, absolute);
}

long do_nanosleep(unsigned long request, unsigned long remaining)
{
    return do_clock_nanosleep(CLOCK_MONOTONIC, 0, request, remaining);
}
