/* Checks POSIX timers: clocks, the signals that they tell by, intervals and what was missed, whose they are. */
#define _GNU_SOURCE
#include <time.h>

#include "mem.h"

enum { CREATE = 222, SETTIME, GETTIME, GETOVERRUN, DELETE, SIGTIMEDWAIT = 128, CLOCK_SETTIME = 227 };
enum { REALTIME, MONOTONIC, PROCESS_TIME, THREAD_TIME, BOOTTIME = 7, TAI = 11 };
enum { BY_SIGNAL, BY_NONE, BY_THREAD, BY_THREAD_ID = 4, ABSOLUTE = 1, OF_TIMER = -2 };

struct setting {
    struct timespec interval, value;
};

/* Linux's struct sigevent and siginfo_t, as a timer's signal has it. */
struct event {
    unsigned long value;
    int signal, notify, thread;
    char rest[44];
};

static struct told {
    int signal, error, code, padding, timer, overrun;
    unsigned long value;
    char rest[96];
} told;

static const struct setting nothing;

/* A timer's number, or the negative errno. */
static int create(int clock, int notify, int signal, unsigned long value)
{
    struct event event = {.value = value, .signal = signal, .notify = notify, .thread = (int)syscall(SYS_gettid)};
    int id = -1;

    return syscall(CREATE, (long)clock, &event, &id) == 0 ? id : -errno;
}

static struct setting milliseconds(long value, long interval)
{
    return (struct setting){.value = {value / 1000, value % 1000 * 1000000},
                            .interval = {interval / 1000, interval % 1000 * 1000000}};
}

static long set(int id, int flags, struct setting setting)
{
    return syscall(SETTIME, (long)id, (long)flags, &setting, NULL);
}

static struct setting left(int id)
{
    struct setting setting = {{-1, -1}, {-1, -1}};

    syscall(GETTIME, (long)id, &setting);
    return setting;
}

static void pass(long time)
{
    struct timespec left = milliseconds(time, 0).value;

    while (nanosleep(&left, &left) != 0)
        continue;
}

/* The number of the next signal of those that are blocked, within TIME milliseconds; 0: none. */
static int next(long time)
{
    unsigned long all = ~0UL;
    struct timespec limit = milliseconds(time, 0).value;
    long signal = syscall(SIGTIMEDWAIT, &all, &told, &limit, 8L);

    return signal < 0 ? 0 : (int)signal;
}

static void block(bool blocked)
{
    unsigned long set = 1UL << (SIGALRM - 1) | 1UL << (SIGUSR1 - 1) | 1UL << (40 - 1);

    syscall(SYS_rt_sigprocmask, blocked ? 0L : 1L, &set, NULL, 8L);
}

static void refusals(void)
{
    static char *const nowhere = (char *)16;
    struct event event = {.signal = SIGUSR1, .notify = BY_THREAD_ID, .thread = 1};
    struct setting bad = milliseconds(1, 0);
    int id = create(MONOTONIC, BY_SIGNAL, SIGUSR1, 0);

    check_eq(id, 0, "a process's timers are numbered from 0 on");
    check_eq(create(4, BY_SIGNAL, SIGUSR1, 0), -EOPNOTSUPP, "the raw clock has none: EOPNOTSUPP");
    check_eq(create(5, BY_SIGNAL, SIGUSR1, 0), -EOPNOTSUPP, "nor have the coarse ones");
    check_eq(create(10, BY_SIGNAL, SIGUSR1, 0), -EINVAL, "a clock that there is not is EINVAL");
    check_eq(create(MONOTONIC, BY_SIGNAL, 0, 0), -EINVAL, "signal 0 is EINVAL");
    check_eq(create(MONOTONIC, BY_SIGNAL, 65, 0), -EINVAL, "as is 65");
    check_eq(create(MONOTONIC, 3, SIGUSR1, 0), -EINVAL, "an unknown way to tell is EINVAL");
    event.thread = 1;
    check_fails(syscall(CREATE, 1L, &event, &id), EINVAL, "another process's thread, too");
    check_fails(syscall(CREATE, 1L, nowhere, &id), EFAULT, "a bad pointer is EFAULT");
    check_fails(syscall(CREATE, 10L, nowhere, &id), EFAULT, "before the clock is looked at");
    check_fails(syscall(CREATE, 1L, NULL, nowhere), EFAULT, "a bad place for the number, too");
    check_fails(set(77, 0, bad), EINVAL, "a timer that there is not is EINVAL");
    check_fails(syscall(GETTIME, 77L, &bad), EINVAL, "to look at");
    check_fails(syscall(GETOVERRUN, 77L), EINVAL, "for what it missed");
    check_fails(syscall(DELETE, 77L), EINVAL, "and to delete");
    check_fails(syscall(SETTIME, 0L, 0L, NULL, NULL), EINVAL, "no setting is EINVAL");
    check_fails(syscall(SETTIME, 77L, 0L, nowhere, NULL), EFAULT, "a bad pointer EFAULT, before the timer is looked for");
    check_fails(syscall(GETTIME, 0L, nowhere), EFAULT, "to write to, too");
    bad.value.tv_nsec = 1000000000;
    check_fails(set(0, 0, bad), EINVAL, "10^9 nanoseconds are EINVAL");
    bad.value.tv_nsec = 0;
    bad.interval.tv_sec = -1;
    check_fails(set(0, 0, bad), EINVAL, "and negative seconds");
    check_eq(syscall(DELETE, 0L), 0, "a timer is deleted");
    check_fails(syscall(DELETE, 0L), EINVAL, "once");
}

static void once(void)
{
    int id = -1, other;
    struct setting setting;

    block(true);
    check_eq(syscall(CREATE, 1L, NULL, &id), 0, "without an event there is one");
    check_eq(next(0), 0, "an unset timer tells nothing");
    setting = left(id);
    check(memcmp(&setting, &nothing, sizeof(setting)) == 0, "and has no time left");
    set(id, 0, milliseconds(30, 0));
    check_eq(next(2000), SIGALRM, "it is SIGALRM");
    check(told.code == OF_TIMER && told.timer == id && told.overrun == 0, "of a timer, which says which it is");
    check_eq(*(int *)&told.value, id, "also in its value");
    setting = left(id);
    check(memcmp(&setting, &nothing, sizeof(setting)) == 0, "then it has run out");
    set(id, 0, milliseconds(5000, 0));
    setting = left(id);
    check(setting.value.tv_sec == 4 && setting.interval.tv_nsec == 0, "it tells how long it has still to go");
    setting = nothing;
    syscall(SETTIME, (long)id, 0L, &nothing, &setting);
    check_eq(setting.value.tv_sec, 4, "also who sets it anew");
    set(id, 0, milliseconds(20, 0));
    pass(50);
    set(id, 0, milliseconds(20, 0));
    pass(50);
    check_eq(next(0), SIGALRM, "a signal that waits when it runs out again");
    check_eq(told.overrun, 1, "counts that");
    check_eq(next(0), 0, "and is one");
    other = create(BOOTTIME, BY_SIGNAL, SIGALRM, 0x123456789UL);
    set(id, 0, milliseconds(20, 0));
    set(other, 0, milliseconds(30, 0));
    pass(60);
    check(next(0) == SIGALRM && told.timer == id, "two timers with one signal");
    check(next(0) == SIGALRM && told.timer == other, "are told both");
    check_eq(told.value, 0x123456789UL, "with the value of each");
    set(id, 0, milliseconds(20, 0));
    syscall(DELETE, (long)id);
    pass(50);
    check_eq(next(0), 0, "a deleted one tells nothing");
    set(other, 0, milliseconds(20, 0));
    pass(50);
    syscall(DELETE, (long)other);
    check_eq(next(0), SIGALRM, "but what it has told is told");
    block(false);
}

static void intervals(void)
{
    int id;
    long missed;
    struct setting setting;

    block(true);
    id = create(MONOTONIC, BY_SIGNAL, 40, 7);
    set(id, 0, milliseconds(20, 20));
    setting = left(id);
    check_eq(setting.interval.tv_nsec, 20000000, "the interval is told");
    pass(300);
    check_eq(next(0), 40, "after many intervals there is one signal");
    missed = told.overrun;
    check(missed >= 10, "which says how many more it stands for");
    check_eq(syscall(GETOVERRUN, (long)id), missed, "as the timer does afterwards");
    check_eq(next(2000), 40, "then it goes on");
    check(told.overrun < missed, "and counts anew");
    pass(100);
    setting = left(id);
    check(setting.value.tv_sec == 0 && setting.value.tv_nsec > 0 && setting.value.tv_nsec <= 20000000,
          "while its signal waits it looks as if it went on");
    set(id, 0, nothing);
    check_eq(next(0), 40, "a signal that waits stays when the timer is stopped");
    pass(50);
    check_eq(next(0), 0, "but nothing follows");
    check_eq(syscall(GETOVERRUN, (long)id), 0, "and what was missed is forgotten");
    syscall(DELETE, (long)id);
    block(false);
}

static volatile int handled, handled_overrun;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    handled++;
    handled_overrun = ((struct told *)info)->overrun;
}

static void handlers(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    int id;

    signal(SIGUSR1, SIG_IGN);
    id = create(MONOTONIC, BY_SIGNAL, SIGUSR1, 0);
    set(id, 0, milliseconds(20, 20));
    pass(200);
    action.sa_sigaction = handler;
    sigaction(SIGUSR1, &action, NULL);
    while (handled == 0)
        pass(5);
    check(handled_overrun >= 5, "a timer goes on while its signal is ignored, and counts");
    handled = 0;
    pass(200);
    check(handled >= 3, "a handler is called each time");
    set(id, 0, nothing);
    syscall(DELETE, (long)id);
    signal(SIGUSR1, SIG_IGN);
    block(true);
    id = create(MONOTONIC, BY_THREAD_ID, 40, 9);
    set(id, 0, milliseconds(10, 0));
    check(next(2000) == 40 && told.value == 9, "one thread can be told");
    syscall(DELETE, (long)id);
    id = create(MONOTONIC, BY_THREAD, 40, 9);
    set(id, 0, milliseconds(10, 0));
    check_eq(next(2000), 40, "the library's way with threads is a signal, too");
    syscall(DELETE, (long)id);
    block(false);
}

static void silent_ones(void)
{
    int id = create(MONOTONIC, BY_NONE, 0, 0);
    struct setting setting;

    set(id, 0, milliseconds(30, 0));
    setting = left(id);
    check(setting.value.tv_nsec > 0, "one that tells nobody goes all the same");
    pass(60);
    setting = left(id);
    check(memcmp(&setting, &nothing, sizeof(setting)) == 0, "and has then run out");
    set(id, 0, milliseconds(30, 50));
    pass(200);
    setting = left(id);
    check(setting.value.tv_nsec > 0 && setting.value.tv_nsec <= 50000000 && setting.interval.tv_nsec == 50000000,
          "or goes on with its interval");
    syscall(DELETE, (long)id);
}

static bool jump(long seconds)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += seconds;
    return syscall(CLOCK_SETTIME, CLOCK_REALTIME, &now) == 0;
}

static void moments(void)
{
    struct setting at = nothing;
    int id, relative, atomic;

    block(true);
    id = create(REALTIME, BY_SIGNAL, 40, 0);
    relative = create(REALTIME, BY_SIGNAL, 40, 0);
    atomic = create(TAI, BY_SIGNAL, 40, 0);
    at.value.tv_nsec = 1;
    set(id, ABSOLUTE, at);
    check_eq(next(2000), 40, "a moment that is over has come");
    clock_gettime(CLOCK_REALTIME, &at.value);
    at.value.tv_sec += 1000;
    set(id, ABSOLUTE, at);
    set(relative, 0, milliseconds(1000000, 0));
    set(atomic, 0, milliseconds(1000000, 0));
    if (jump(500)) {
        at = left(id);
        check(at.value.tv_sec > 480 && at.value.tv_sec <= 500, "when the clock is set a time of day comes by it");
        at = left(relative);
        check(at.value.tv_sec > 980, "a duration is not changed");
        at = left(atomic);
        check(at.value.tv_sec > 480 && at.value.tv_sec <= 500, "but of the atomic clock, which is set along");
        syscall(DELETE, (long)atomic);
        jump(500);
        check_eq(next(2000), 40, "a time that was jumped over has come");
        jump(-1000);
    } else {
        for (int i = 0; i < 4; i++)
            skip("a timer and a clock that is set", "this user may not set the clock");
        syscall(DELETE, (long)atomic);
    }
    syscall(DELETE, (long)id);
    syscall(DELETE, (long)relative);
    block(false);
}

static void spin_till_told(void)
{
    unsigned long waiting = 0;

    while ((waiting & 1UL << (40 - 1)) == 0)
        syscall(127 /* rt_sigpending */, &waiting, 8L);
}

static void processor_time(void)
{
    struct setting setting;
    int process, thread;

    block(true);
    process = create(PROCESS_TIME, BY_SIGNAL, 40, 1);
    thread = create(THREAD_TIME, BY_SIGNAL, 40, 2);
    set(process, 0, milliseconds(100, 0));
    pass(200);
    check_eq(next(0), 0, "time that is slept is no time on the processor");
    spin_till_told();
    check(next(0) == 40 && told.value == 1, "time that is worked is");
    set(thread, 0, milliseconds(100, 0));
    spin_till_told();
    check(next(0) == 40 && told.value == 2, "also that of a thread");
    setting = left(process);
    check(setting.value.tv_sec == 0 && setting.value.tv_nsec == 0, "then it has run out");
    syscall(DELETE, (long)process);
    syscall(DELETE, (long)thread);
    block(false);
}

static void looks(void *id)
{
    struct setting setting;

    _exit(syscall(GETTIME, (long)id, &setting) == 0 ? 0 : errno);
}

static void executes(void *nothing)
{
    static char *const arguments[] = {"posix_timer", "again", NULL}, *const environment[] = {NULL};

    (void)nothing;
    signal(SIGUSR1, SIG_IGN);
    set(create(MONOTONIC, BY_SIGNAL, SIGUSR1, 0), 0, milliseconds(100, 100));
    execve("/proc/self/exe", arguments, environment);
}

static void inheritance(void)
{
    long id = create(MONOTONIC, BY_SIGNAL, SIGUSR1, 0);

    check_eq(status_of_child(looks, (void *)id), EINVAL << 8, "a child has none of its parent's timers");
    check_eq(status_of_child(executes, NULL), 0, "a new program none of the old one's");
    syscall(DELETE, id);
}

int main(int count, char **arguments)
{
    (void)arguments;
    if (count > 1) {
        for (long id = 0; id < 10; id++)
            if (syscall(GETOVERRUN, id) == 0)
                return 1;
        return 0;
    }
    refusals();
    once();
    intervals();
    handlers();
    silent_ones();
    moments();
    processor_time();
    inheritance();
    return done();
}
