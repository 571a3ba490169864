/* Checks poll and select: what is ready, waiting for it, and the refusals. */
#define _GNU_SOURCE /* pipe2 */
#include <fcntl.h>
#include <time.h>

#include "mem.h"

/* Spelt out here: our C library has no poll.h and no select. */
#define POLLIN 0x001
#define POLLOUT 0x004
#define POLLERR 0x008
#define POLLHUP 0x010
#define POLLNVAL 0x020
#define SET_WORDS 16

struct pollfd {
    int fd;
    short events, revents;
};

static int ends[2];

static long poll_one(int fd, short events, int timeout, short *revents)
{
    struct pollfd entry = { fd, events, -1 };
    long result = syscall(SYS_poll, &entry, 1, timeout);
    *revents = entry.revents;
    return result;
}

static void check_poll(int fd, short events, short expected, const char *rule)
{
    short revents;
    check_eq(poll_one(fd, events, 0, &revents), expected != 0, "%s", rule);
    check_eq(revents, expected, "%s", rule);
}

static long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void readiness(void)
{
    static char full[65536];

    check_poll(ends[0], POLLIN, 0, "an empty pipe is not readable");
    check_poll(ends[1], POLLOUT, POLLOUT, "but writable");
    check_fails(syscall(SYS_write, ends[1], 8, 10), EFAULT, "a write from nowhere fails");
    check_poll(ends[0], POLLIN, POLLIN, "but it has taken a page of the pipe, which then seems readable");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    check_fails(read(ends[0], full, 10), EAGAIN, "though there is nothing to read");
    check_poll(ends[0], POLLIN, 0, "after which it is not");
    fcntl(ends[0], F_SETFL, 0);
    check_eq(write(ends[1], "x", 1), 1, "a byte is written");
    check_poll(ends[0], POLLIN | POLLOUT, POLLIN, "then it is readable");
    check_poll(ends[0], 0, 0, "what is not asked for is not told");
    check_eq(read(ends[0], full, 1), 1, "the byte is read");
    check_eq(write(ends[1], full, sizeof(full)), sizeof(full), "the pipe is filled");
    check_poll(ends[1], POLLOUT, 0, "a full pipe is not writable");
    check_eq(read(ends[0], full, sizeof(full)), sizeof(full), "and emptied");
    check_poll(999, POLLIN, POLLNVAL, "a bad descriptor is POLLNVAL");
    check_poll(-1, POLLIN, 0, "a negative one is passed over");
    check_poll(open("/tmp", O_RDONLY), POLLIN | POLLOUT, POLLIN | POLLOUT, "a directory is always ready");
}

static void waiting(void)
{
    short revents;
    int until[2];
    char byte;
    long start = milliseconds();

    check_eq(poll_one(ends[0], POLLIN, 60, &revents), 0, "poll gives up when its time is over");
    check(milliseconds() - start >= 60, "and not before");
    /* The child must live till poll has come back: its end would be an event as well. */
    if (pipe(until) != 0)
        bail_out("pipe failed with errno %d", errno);
    if (fork() == 0) {
        struct timespec moment = { 0, 20000000 };
        close(until[1]);
        nanosleep(&moment, NULL);
        if (write(ends[1], "y", 1) == 1)
            read(until[0], &byte, 1);
        _exit(0);
    }
    start = milliseconds();
    check_eq(poll_one(ends[0], POLLIN, 20000, &revents), 1, "a child's write ends the wait");
    check(milliseconds() - start < 10000, "before its time is over");
    check_eq(revents, POLLIN, "with POLLIN");
    close(until[0]);
    close(until[1]);
    wait4(-1, NULL, 0, NULL);
    check_fails(syscall(SYS_poll, 8, 1, 0), EFAULT, "a bad list is EFAULT");
}

static void selecting(void)
{
    unsigned long readable[SET_WORDS] = { 1ul << ends[0] }, writable[SET_WORDS] = { 1ul << ends[1] };
    long time[2] = { 0, 0 };

    check_eq(syscall(SYS_select, 64, readable, writable, NULL, time), 2, "select counts what is ready");
    check(readable[0] == 1ul << ends[0] && writable[0] == 1ul << ends[1], "and leaves it in the sets");
    char byte;
    check_eq(read(ends[0], &byte, 1), 1, "the byte is read");
    check_eq(syscall(SYS_select, 64, readable, NULL, NULL, time), 0, "then nothing is readable");
    check_eq(readable[0], 0, "and the set is empty");
    readable[0] = 1ul << 60;
    check_fails(syscall(SYS_select, 64, readable, NULL, NULL, time), EBADF, "a closed descriptor is EBADF");
    check_fails(syscall(SYS_select, -1, NULL, NULL, NULL, time), EINVAL, "a negative number is EINVAL");
    time[1] = -1;
    check_fails(syscall(SYS_select, 0, NULL, NULL, NULL, time), EINVAL, "a negative time is EINVAL");
    long pause[2] = { 0, 30000 };
    check_eq(syscall(SYS_select, 0, NULL, NULL, NULL, pause), 0, "select can just wait");
    check(pause[0] == 0 && pause[1] == 0, "and tells that no time is left");
}

static void hanging_up(void)
{
    close(ends[1]);
    check_poll(ends[0], POLLIN, POLLHUP, "without a writer a pipe hangs up");
    close(ends[0]);
    if (pipe(ends) != 0)
        bail_out("pipe failed with errno %d", errno);
    close(ends[0]);
    check_poll(ends[1], POLLOUT, POLLOUT | POLLERR, "without a reader it is an error");
    close(ends[1]);
}

int main(void)
{
    if (pipe(ends) != 0)
        bail_out("pipe failed with errno %d", errno);
    readiness();
    waiting();
    selecting();
    hanging_up();
    return done();
}
