/*
 * Interval timers: SIGALRM by the clock on the wall, SIGVTALRM and SIGPROF by the time on the
 * processor.
 */
#include "kernel/lib/errno.h"
#include "kernel/proc/posix_timer.h"
#include "kernel/proc/proc.h"
#include "mm/user_copy.h"

#define USEC_PER_SEC 1000000
#define NSEC_PER_USEC 1000ull
#define MAX_SECONDS ((s64)(~0ull / NSEC_PER_SEC / 2))

enum { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

/* Linux's struct itimerval, in nanoseconds. */
struct interval {
    u64 every, next;
};

static int read_timeval(const struct kernel_timeval *time, u64 *nanoseconds)
{
    if (time->seconds < 0 || time->microseconds < 0 || time->microseconds >= USEC_PER_SEC)
        return -EINVAL;
    *nanoseconds = (u64)MIN(time->seconds, MAX_SECONDS) * NSEC_PER_SEC + (u64)time->microseconds * NSEC_PER_USEC;
    return 0;
}

static struct kernel_timeval timeval_of(u64 nanoseconds)
{
    return (struct kernel_timeval){ (s64)(nanoseconds / NSEC_PER_SEC),
                                    (s64)(nanoseconds % NSEC_PER_SEC / NSEC_PER_USEC) };
}

/* ---- ITIMER_REAL ---- */

static void real_timer_fired(struct timer *timer)
{
    struct process *process = container_of(timer, struct process, real_timer);
    u64 now = sched_clock();

    signal_send_process(process, SIGALRM, NULL);
    if (process->alarm_interval) {
        /* The missed ones are not made up for. */
        u64 late = now - timer->last_deadline;
        timer_arm(timer, now + process->alarm_interval - late % process->alarm_interval);
    }
}

static struct interval get_real(void)
{
    struct process *process = current->process;
    u64 deadline = process->real_timer.deadline, now = sched_clock();
    struct interval interval = { .every = process->alarm_interval };

    if (deadline)
        interval.next = deadline > now ? deadline - now : NSEC_PER_USEC;
    else
        interval.every = 0;
    return interval;
}

static void set_real(const struct interval *interval)
{
    struct process *process = current->process;

    timer_disarm(&process->real_timer);
    process->real_timer.fire = real_timer_fired;
    process->alarm_interval = interval->every;
    if (interval->next)
        timer_arm(&process->real_timer, sched_clock() + interval->next);
}

/* ---- the other two, which only run while the program does: tick by tick ---- */

static void count_down(struct process *process, int which, int signal)
{
    struct itimer_ticks *timer = &process->cpu_timers[which - ITIMER_VIRTUAL];

    if (!timer->left)
        return;
    if (timer->left > NSEC_PER_TICK) {
        timer->left -= NSEC_PER_TICK;
        return;
    }
    timer->left = timer->interval;
    signal_send_process(process, signal, NULL);
}

void process_account_tick(struct process *process, bool in_program)
{
    if (in_program)
        count_down(process, ITIMER_VIRTUAL, SIGVTALRM);
    count_down(process, ITIMER_PROF, SIGPROF);
    if (!list_empty(&process->posix_timers))
        posix_timers_tick();
}

/* ---- the calls ---- */

static struct interval get_interval(int which)
{
    const struct itimer_ticks *timer;

    if (which == ITIMER_REAL)
        return get_real();
    timer = &current->process->cpu_timers[which - ITIMER_VIRTUAL];
    return (struct interval){ .every = timer->interval, .next = timer->left };
}

static void set_interval(int which, const struct interval *interval)
{
    if (which == ITIMER_REAL)
        set_real(interval);
    else
        current->process->cpu_timers[which - ITIMER_VIRTUAL] =
            (struct itimer_ticks){ .left = interval->next, .interval = interval->every };
}

static int write_interval(unsigned long to, const struct interval *interval)
{
    struct kernel_timeval times[2] = { timeval_of(interval->every), timeval_of(interval->next) };

    return copy_to_user(to, times, sizeof(times)) ? -EFAULT : 0;
}

long do_getitimer(int which, unsigned long value)
{
    struct interval interval;

    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    interval = get_interval(which);
    return write_interval(value, &interval);
}

long do_setitimer(int which, unsigned long value, unsigned long old_value)
{
    struct kernel_timeval times[2] = { { 0 } };
    struct interval interval, old;

    if (value && copy_from_user(times, value, sizeof(times)))
        return -EFAULT;
    if (read_timeval(&times[0], &interval.every) || read_timeval(&times[1], &interval.next))
        return -EINVAL;
    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    old = get_interval(which);
    set_interval(which, &interval);
    return old_value ? write_interval(old_value, &old) : 0;
}

long do_alarm(unsigned seconds)
{
    struct interval interval = { .next = seconds * NSEC_PER_SEC };
    struct interval old = get_real();
    u64 left = old.next / NSEC_PER_SEC, rest = old.next % NSEC_PER_SEC;

    set_real(&interval);
    /* Rounded to the nearest second, but never to none. */
    if (rest >= NSEC_PER_SEC / 2 || (left == 0 && rest))
        left++;
    return (long)left;
}
