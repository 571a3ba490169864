/* Checks timerfd: setting, reading, poll and epoll, intervals, times of day and a clock that is set. */
#define _GNU_SOURCE
#include <time.h>

#include "mem.h"

/* Spelt out here: our C library has no poll.h. */
#define POLLIN 0x001
#define POLLOUT 0x004
struct pollfd {
    int fd;
    short events, revents;
};

enum { CREATE = 283, SETTIME = 286, GETTIME, EPOLL_CREATE1 = 291, EPOLL_CTL = 233, EPOLL_WAIT = 232 };
enum { REALTIME, MONOTONIC, BOOTTIME = 7, REALTIME_ALARM, BOOTTIME_ALARM };
enum { ABSOLUTE = 1, CANCEL_ON_SET = 2, CANCELED = 125 };

struct setting {
    struct timespec interval, value;
};

static const struct setting nothing;

static int create(int clock, int flags)
{
    return (int)syscall(CREATE, (long)clock, (long)flags);
}

static long set(int fd, int flags, struct setting setting)
{
    return syscall(SETTIME, fd, (long)flags, &setting, NULL);
}

/* A setting in milliseconds. */
static struct setting milliseconds(long value, long interval)
{
    return (struct setting){.value = {value / 1000, value % 1000 * 1000000},
                            .interval = {interval / 1000, interval % 1000 * 1000000}};
}

static struct setting told(int fd)
{
    struct setting setting = {{-1, -1}, {-1, -1}};

    syscall(GETTIME, fd, &setting);
    return setting;
}

static void pass(long time)
{
    struct setting setting = milliseconds(time, 0);

    nanosleep(&setting.value, NULL);
}

/* How often it has run out, or the negative errno. */
static long ticks(int fd)
{
    unsigned long count = 0;
    ssize_t got = read(fd, &count, sizeof(count));

    return got == 8 ? (long)count : -(long)errno;
}

static short polled(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};

    syscall(SYS_poll, &one, 1L, 0L);
    return one.revents;
}

static void become_nobody(void *clock)
{
    syscall(105 /* setuid */, NOBODY);
    _exit(create((int)(long)clock, 0) < 0 ? errno : 0);
}

static void refusals(void)
{
    static char *const nowhere = (char *)16;
    int timer = create(MONOTONIC, O_NONBLOCK), pipe_ends[2];
    struct setting bad = milliseconds(1, 0);

    if (pipe(pipe_ends) != 0)
        bail_out("no pipe");
    check_fails(create(2, 0), EINVAL, "a clock of processor time is EINVAL");
    check_fails(create(4, 0), EINVAL, "as is the raw one");
    check_fails(create(-1, 0), EINVAL, "and one that there is not");
    check_fails(create(MONOTONIC, 1), EINVAL, "an unknown flag is EINVAL");
    check_eq(status_of_child(become_nobody, (void *)REALTIME_ALARM), EPERM << 8, "to wake a machine takes privileges: EPERM");
    check_eq(status_of_child(become_nobody, (void *)BOOTTIME_ALARM), EPERM << 8, "by either clock");
    check_eq(status_of_child(become_nobody, (void *)BOOTTIME), 0, "others take none");
    check_fails(set(77, 0, bad), EBADF, "a closed descriptor is EBADF");
    check_fails(set(pipe_ends[0], 0, bad), EINVAL, "a pipe is no timer: EINVAL");
    check_fails(set(timer, 4, bad), EINVAL, "an unknown flag of settime is EINVAL");
    check_fails(syscall(SETTIME, timer, 0, nowhere, NULL), EFAULT, "a bad pointer is EFAULT");
    check_fails(syscall(SETTIME, 77, 0, nowhere, NULL), EFAULT, "before the descriptor is looked at");
    check_fails(syscall(SETTIME, timer, 0, &bad, nowhere), EFAULT, "a bad place for the old setting, too");
    pass(20);
    check_eq(ticks(timer), 1, "but the timer is set");
    check_fails(syscall(GETTIME, timer, nowhere), EFAULT, "gettime to a bad pointer is EFAULT");
    check_fails(syscall(GETTIME, 77, nowhere), EBADF, "of a closed descriptor EBADF");
    check_fails(syscall(GETTIME, pipe_ends[0], nowhere), EINVAL, "of a pipe EINVAL");
    bad.value.tv_nsec = 1000000000;
    check_fails(set(timer, 0, bad), EINVAL, "10^9 nanoseconds are EINVAL");
    bad = milliseconds(1, 0);
    bad.interval.tv_nsec = -1;
    check_fails(set(timer, 0, bad), EINVAL, "negative ones in the interval, too");
    check_fails(set(77, 0, bad), EINVAL, "before the descriptor is looked at");
    bad = milliseconds(1, 0);
    bad.value.tv_sec = -1;
    check_fails(set(timer, 0, bad), EINVAL, "and negative seconds");
    check_fails(write(timer, &bad, 8), EINVAL, "it cannot be written: EINVAL");
    check_fails(read(timer, &bad, 7), EINVAL, "seven bytes are EINVAL");
    check_eq(lseek(timer, 5, SEEK_SET), 0, "lseek does nothing");
    close(timer);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void once(void)
{
    int timer = create(MONOTONIC, O_NONBLOCK | O_CLOEXEC);
    struct setting setting;
    unsigned long count = 0;

    check_eq(fcntl(timer, F_GETFL), O_RDWR | O_NONBLOCK, "it is open for reading and writing");
    check_eq(fcntl(timer, F_GETFD), FD_CLOEXEC, "and closed at exec where that is wanted");
    setting = told(timer);
    check(memcmp(&setting, &nothing, sizeof(setting)) == 0, "a new one is not set");
    check_eq(ticks(timer), -EAGAIN, "and has nothing to read: EAGAIN");
    check_eq(polled(timer), 0, "nor for poll");
    check_eq(set(timer, 0, milliseconds(5000, 0)), 0, "it is set");
    setting = told(timer);
    check(setting.value.tv_sec == 4 && setting.interval.tv_sec == 0, "and tells how long it has still to go");
    check_eq(syscall(SETTIME, timer, 0, &nothing, &setting), 0, "it is stopped");
    check_eq(setting.value.tv_sec, 4, "which tells the setting that ends");
    setting = told(timer);
    check(memcmp(&setting, &nothing, sizeof(setting)) == 0, "and then there is none");
    set(timer, 0, milliseconds(10, 0));
    pass(40);
    check_eq(polled(timer), POLLIN, "when its time is over it can be read");
    setting = told(timer);
    check(memcmp(&setting, &nothing, sizeof(setting)) == 0, "and has none left");
    check_eq(ticks(timer), 1, "it has run out once");
    check_eq(ticks(timer), -EAGAIN, "which is told once");
    set(timer, 0, milliseconds(10, 0));
    pass(40);
    set(timer, 0, nothing);
    check_eq(ticks(timer), -EAGAIN, "and forgotten when it is set anew");
    set(timer, 0, milliseconds(10, 0));
    pass(40);
    check_fails(syscall(SYS_read, timer, 16, 8), EFAULT, "read to a bad pointer is EFAULT");
    check_eq(ticks(timer), -EAGAIN, "and takes what there was");
    fcntl(timer, F_SETFL, 0);
    set(timer, 0, milliseconds(30, 0));
    check_eq(read(timer, &count, 8), 8, "without O_NONBLOCK a reader waits");
    check_eq(count, 1, "until it runs out");
    close(timer);
}

static void intervals(void)
{
    int timer = create(BOOTTIME, O_NONBLOCK);
    struct setting setting;
    long count;

    set(timer, 0, milliseconds(50, 100));
    setting = told(timer);
    check_eq(setting.interval.tv_nsec, 100000000, "the interval is told");
    pass(100);
    check_eq(ticks(timer), 1, "the first time comes first");
    pass(300);
    count = ticks(timer);
    check(count >= 2, "then one after each interval, which are counted till they are read");
    setting = told(timer);
    check(setting.value.tv_nsec > 0 && setting.value.tv_nsec <= 100000000, "the next is never further away than one");
    pass(200);
    setting = told(timer);
    check(setting.value.tv_nsec > 0 && setting.value.tv_nsec <= 100000000, "also when some were not read");
    count = ticks(timer);
    check(count >= 1, "which gettime does not forget");
    syscall(SETTIME, timer, 0, &nothing, &setting);
    check_eq(setting.interval.tv_nsec, 100000000, "the old setting has the interval");
    set(timer, 0, milliseconds(0, 100));
    setting = told(timer);
    check(setting.value.tv_nsec == 0 && setting.interval.tv_nsec == 100000000, "an interval alone sets nothing, but is kept");
    close(timer);
}

static void absolute(void)
{
    int timer = create(MONOTONIC, O_NONBLOCK), day = create(REALTIME, O_NONBLOCK);
    struct timespec now;
    struct setting at = nothing;
    long count;

    clock_gettime(CLOCK_MONOTONIC, &now);
    at.value = (struct timespec){now.tv_sec + 2, now.tv_nsec};
    set(timer, ABSOLUTE, at);
    at = told(timer);
    check_eq(at.value.tv_sec, 1, "at a moment of its clock; what is told is how long till then");
    at.value = (struct timespec){0, 1};
    at.interval = (struct timespec){0, 0};
    set(timer, ABSOLUTE, at);
    pass(30);
    check_eq(ticks(timer), 1, "a moment that is over has come");
    clock_gettime(CLOCK_REALTIME, &now);
    at.value = (struct timespec){now.tv_sec - 10, now.tv_nsec};
    at.interval = (struct timespec){5, 0};
    set(day, ABSOLUTE, at);
    pass(30);
    count = ticks(day);
    check_eq(count, 3, "and with an interval each one since then");
    at = told(day);
    check(at.value.tv_sec == 4, "as the next one is an interval after the last");
    close(timer);
    close(day);
}

static void told_by_epoll(void)
{
    struct {
        unsigned int events;
        unsigned long data;
    } __attribute__((packed)) event = {POLLIN, 7};
    int timer = create(MONOTONIC, O_NONBLOCK), epoll = (int)syscall(EPOLL_CREATE1, 0);

    syscall(EPOLL_CTL, epoll, 1, timer, &event);
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 0), 0, "epoll has nothing to tell of it");
    set(timer, 0, milliseconds(30, 0));
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 5000), 1, "but waits till it runs out");
    check(event.events == POLLIN && event.data == 7, "and tells so");
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 0), 1, "as long as it is not read");
    check_eq(ticks(timer), 1, "and no longer");
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 0), 0, "than that");
    close(epoll);
    close(timer);
}

static void names(void)
{
    char path[32], text[64] = "";
    int timer = create(MONOTONIC, 0);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", timer);
    check_eq(readlink(path, text, sizeof(text) - 1), 20, "/proc/self/fd names it");
    check_str(text, "anon_inode:[timerfd]", "by its kind");
    close(timer);
}

/* Sets the clock on the wall forward; false: it may not. */
static bool jump(long seconds)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += seconds;
    return syscall(227 /* clock_settime */, CLOCK_REALTIME, &now) == 0;
}

static void a_clock_that_is_set(void)
{
    int plain = create(REALTIME, O_NONBLOCK), canceled = create(REALTIME, O_NONBLOCK), relative = create(REALTIME, O_NONBLOCK);
    struct setting at = nothing;

    clock_gettime(CLOCK_REALTIME, &at.value);
    at.value.tv_sec += 1000;
    set(plain, ABSOLUTE, at);
    set(canceled, ABSOLUTE | CANCEL_ON_SET, at);
    set(relative, CANCEL_ON_SET, milliseconds(1000000, 0));
    check(jump(500), "the clock is set");
    at = told(plain);
    check(at.value.tv_sec > 480 && at.value.tv_sec <= 500, "a timer at a time of day runs out by it");
    at = told(relative);
    check(at.value.tv_sec > 980, "one after a duration does not");
    check_eq(polled(canceled), POLLIN, "one that is to be told");
    check_eq(ticks(canceled), -CANCELED, "is: ECANCELED");
    check_eq(ticks(canceled), -EAGAIN, "once");
    at = told(canceled);
    check(at.value.tv_sec > 480 && at.value.tv_sec <= 500, "and still goes");
    check_eq(ticks(relative), -EAGAIN, "only at a time of day is it told");
    jump(500);
    pass(30);
    check_eq(ticks(plain), 1, "when the clock is set past the time, that has come");
    at = told(canceled);
    at.value.tv_sec += 5000;
    check_fails(set(canceled, ABSOLUTE | CANCEL_ON_SET, at), CANCELED, "also who sets it is told: ECANCELED");
    jump(-1000);
    close(plain);
    close(canceled);
    close(relative);
}

int main(void)
{
    refusals();
    once();
    intervals();
    absolute();
    told_by_epoll();
    names();
    if (jump(0))
        a_clock_that_is_set();
    else
        skip("a timer and a clock that is set", "this user may not set the clock");
    return done();
}
