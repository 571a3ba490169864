/* Checks epoll and eventfd: what is ready by level and by edge, once, nested; whose end it is; and the refusals. */
#define _GNU_SOURCE /* pipe2 */
#include <fcntl.h>
#include <sys/wait.h>

#include "mem.h"

/* Spelt out here: our C library has no sys/epoll.h. */
#define EPOLLIN 0x001u
#define EPOLLOUT 0x004u
#define EPOLLERR 0x008u
#define EPOLLHUP 0x010u
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
enum { ADD = 1, DEL = 2, MOD = 3, MOST = 8, SEMAPHORE = 1 };
#ifndef SYS_epoll_wait
#define SYS_epoll_create 213
#define SYS_epoll_wait 232
#define SYS_epoll_ctl 233
#define SYS_epoll_pwait 281
#define SYS_eventfd 284
#define SYS_eventfd2 290
#define SYS_epoll_create1 291
#define SYS_epoll_pwait2 441
#endif

struct event {
    unsigned int events;
    unsigned long data;
} __attribute__((packed));

static int epoll;

static long control(int operation, int fd, unsigned int events, unsigned long data)
{
    struct event event = {events, data};
    return syscall(SYS_epoll_ctl, epoll, operation, fd, &event);
}

/* What epoll_wait tells, as "data:events" in hexadecimal, in its order. */
static const char *told_by(int fd, int most, int timeout)
{
    static char text[256];
    struct event events[MOST];
    long count = syscall(SYS_epoll_wait, fd, events, most, timeout);
    size_t length = 0;

    snprintf(text, sizeof(text), count < 0 ? "errno %d" : "", errno);
    for (long i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%lx:%x", i == 0 ? "" : " ", events[i].data,
                                   events[i].events);
    return text;
}

static const char *told(void)
{
    return told_by(epoll, MOST, 0);
}

static void fresh(int ends[2])
{
    epoll = (int)syscall(SYS_epoll_create1, 0);
    if (pipe2(ends, O_NONBLOCK) != 0 || epoll < 0)
        bail_out("no pipe or no epoll: errno %d", errno);
}

static void finish(const int ends[2])
{
    close(epoll);
    close(ends[0]);
    close(ends[1]);
}

static void by_level(void)
{
    char sink[16];
    int ends[2];

    fresh(ends);
    check_eq(control(ADD, ends[0], EPOLLIN, 7), 0, "the reading end of a pipe is watched");
    check_str(told(), "", "an empty pipe is not ready");
    check_eq(write(ends[1], "ab", 2), 2, "two bytes");
    check_str(told(), "7:1", "then it is");
    check_str(told(), "7:1", "and stays so, by level");
    check_eq(read(ends[0], sink, sizeof(sink)), 2, "until they are read");
    check_str(told(), "", "then it is not");
    check_eq(control(ADD, ends[1], EPOLLOUT, 8), 0, "the writing end");
    check_str(told(), "8:4", "has room");
    check_eq(write(ends[1], "c", 1), 1, "a byte");
    check_str(told(), "8:4 7:1", "both, in the order in which they became ready");
    check_str(told_by(epoll, 1, 0), "8:4", "of which one is told");
    check_str(told_by(epoll, 1, 0), "7:1", "and the other one next");
    check_eq(close(ends[1]), 0, "without a writer");
    check_str(told(), "7:11", "there is an end, though nobody asked, and a watch ends with its file");
    finish(ends);
}

static void by_edge(void)
{
    char sink[4];
    int ends[2];

    fresh(ends);
    control(ADD, ends[0], EPOLLIN | EPOLLET, 1);
    write(ends[1], "ab", 2);
    check_str(told(), "1:1", "by edge it is told");
    check_str(told(), "", "once");
    write(ends[1], "c", 1);
    check_str(told(), "1:1", "until more comes, though it was ready all the time");
    check_eq(read(ends[0], sink, 1), 1, "a byte is read");
    check_str(told(), "", "which is not news");
    write(ends[1], "d", 1);
    read(ends[0], sink, sizeof(sink));
    check_str(told(), "", "what came and went is not told");
    write(ends[1], "e", 1);
    control(MOD, ends[0], EPOLLIN | EPOLLET, 2);
    check_str(told(), "2:1", "a changed watch looks anew");
    control(MOD, ends[0], EPOLLIN | EPOLLONESHOT, 3);
    check_str(told(), "3:1", "a watch for one event");
    write(ends[1], "f", 1);
    check_str(told(), "", "then sleeps");
    control(MOD, ends[0], EPOLLIN | EPOLLONESHOT, 4);
    check_str(told(), "4:1", "until it is changed");
    finish(ends);
}

static void copies_and_ends(void)
{
    int ends[2], copy, status;

    fresh(ends);
    copy = dup(ends[0]);
    control(ADD, ends[0], EPOLLIN, 1);
    check_eq(control(ADD, copy, EPOLLIN, 2), 0, "a copy of the descriptor is another watch");
    write(ends[1], "x", 1);
    check_str(told(), "2:1 1:1", "of the same file, told first");
    close(ends[0]);
    check_str(told(), "2:1 1:1", "which lives as long as one of them");
    close(copy);
    check_str(told(), "", "and takes its watches along");
    if (pipe2(ends, 0) != 0)
        bail_out("no pipe");
    control(ADD, ends[0], EPOLLIN, 5);
    if (fork() == 0) {
        write(ends[1], "y", 1);
        _exit(0);
    }
    check_str(told_by(epoll, MOST, -1), "5:1", "waiting ends when a child writes");
    wait(&status);
    check_str(told_by(ends[0], MOST, 0), "errno 22", "a pipe is no epoll: EINVAL");
    finish(ends);
}

static void nested(void)
{
    int ends[2], outer = (int)syscall(SYS_epoll_create, 1), inner;

    fresh(ends);
    inner = epoll;
    control(ADD, ends[0], EPOLLIN, 1);
    epoll = outer;
    check_eq(control(ADD, inner, EPOLLIN, 9), 0, "an epoll may watch another one");
    check_str(told(), "", "of which nothing is ready");
    write(ends[1], "x", 1);
    check_str(told(), "9:1", "and then something is");
    epoll = inner;
    check_fails(control(ADD, outer, EPOLLIN, 1), ELOOP, "but not in a circle: ELOOP");
    check_fails(control(ADD, inner, EPOLLIN, 1), EINVAL, "nor itself: EINVAL");
    close(outer);
    finish(ends);
}

/* How many of WATCHERS by WATCHED watches there can be. */
static int watch_all(const int *watchers, const int *watched, int count)
{
    int made = 0;

    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++) {
            epoll = watchers[i];
            made += control(ADD, watched[j], EPOLLIN, 0) == 0;
        }
    return made;
}

/* What happens to a file is told on every way up: without limits some epolls could keep a kernel busy for hours. */
static void many_ways(void)
{
    enum { LEVELS = 4, OF_A_LEVEL = 30 };
    static int of[LEVELS][OF_A_LEVEL];
    int ends[2];

    fresh(ends);
    close(epoll);
    for (int level = 0; level < LEVELS; level++)
        for (int i = 0; i < OF_A_LEVEL; i++)
            of[level][i] = (int)syscall(SYS_epoll_create1, 0);
    for (int i = 0; i < OF_A_LEVEL; i++) {
        epoll = of[0][i];
        control(ADD, ends[0], EPOLLIN, 0);
    }
    check_eq(watch_all(of[1], of[0], OF_A_LEVEL), 500, "500 ways lead from a file to an epoll over one other");
    check_fails(control(ADD, of[0][OF_A_LEVEL - 1], EPOLLIN, 0), EINVAL, "and no more: EINVAL");
    check_eq(watch_all(of[2], of[1], OF_A_LEVEL), 393, "over two the ways are fewer");
    check_eq(watch_all(of[3], of[2], OF_A_LEVEL), 870, "over three still fewer");
    check_eq(write(ends[1], "x", 1), 1, "all are told");
    check_str(told_by(of[1][0], MOST, 0), "0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1", "whatever way it comes");
    for (int level = 0; level < LEVELS; level++)
        for (int i = 0; i < OF_A_LEVEL; i++)
            close(of[level][i]);
    close(ends[0]);
    close(ends[1]);
}

static void refusals(void)
{
    static char *const nowhere = (char *)16;
    int ends[2], file = open("/proc/self/maps", O_RDONLY), directory = open("/", O_RDONLY);

    fresh(ends);
    check_fails(syscall(SYS_epoll_create, 0), EINVAL, "epoll_create(0) is EINVAL");
    check_fails(syscall(SYS_epoll_create1, 1), EINVAL, "an unknown flag is EINVAL");
    check_fails(control(ADD, file, EPOLLIN, 0), EPERM, "a file that is always ready is EPERM");
    check_fails(control(ADD, directory, EPOLLIN, 0), EPERM, "a directory, too");
    check_fails(control(ADD, 77, EPOLLIN, 0), EBADF, "a closed descriptor is EBADF");
    check_fails(control(MOD, ends[0], EPOLLIN, 0), ENOENT, "what is not watched cannot be changed: ENOENT");
    check_fails(control(DEL, ends[0], EPOLLIN, 0), ENOENT, "nor left alone");
    control(ADD, ends[0], EPOLLIN, 0);
    check_fails(control(ADD, ends[0], EPOLLIN, 0), EEXIST, "nor watched twice: EEXIST");
    check_fails(control(4, ends[0], EPOLLIN, 0), EINVAL, "a fourth operation is EINVAL");
    check_fails(syscall(SYS_epoll_ctl, epoll, ADD, ends[1], nowhere), EFAULT, "a bad pointer is EFAULT");
    check_eq(syscall(SYS_epoll_ctl, epoll, DEL, ends[0], nowhere), 0, "but for DEL, which needs none");
    check_fails(control(ADD, ends[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0), EINVAL,
                "EXCLUSIVE goes with few others");
    check_eq(control(ADD, ends[0], EPOLLIN | EPOLLEXCLUSIVE, 0), 0, "but alone");
    check_fails(control(MOD, ends[0], EPOLLIN, 0), EINVAL, "and is for ever");
    check_str(told_by(epoll, 0, 0), "errno 22", "no events are EINVAL");
    check_fails(syscall(SYS_epoll_wait, epoll, USER_END, 1, 0), EFAULT, "events in the kernel's half are EFAULT");
    write(ends[1], "x", 1);
    check_fails(syscall(SYS_epoll_wait, epoll, nowhere, 1, 0), EFAULT,
                "so is a bad pointer when there is something to tell");
    check_str(told(), "0:1", "which is not lost");
    close(file);
    close(directory);
    finish(ends);
}

static void waiting(void)
{
    struct {
        long seconds, nanoseconds;
    } soon = {0, 1000000}, bad = {0, 1000000000};
    struct event event;
    int ends[2];

    fresh(ends);
    check_eq(syscall(SYS_epoll_wait, epoll, &event, 1, 5), 0, "waiting ends with the time");
    check_eq(syscall(SYS_epoll_pwait2, epoll, &event, 1, &soon, NULL, 0), 0, "also to the nanosecond");
    check_fails(syscall(SYS_epoll_pwait2, epoll, &event, 1, &bad, NULL, 0), EINVAL,
                "of which there are less than a milliard");
    check_fails(syscall(SYS_epoll_pwait, epoll, &event, 1, 0, &event, 3), EINVAL, "a mask of another size is EINVAL");
    finish(ends);
}

static void event_counters(void)
{
    unsigned long value = 0;
    int ends[2], counter = (int)syscall(SYS_eventfd2, 3, O_NONBLOCK), semaphore;

    fresh(ends);
    control(ADD, counter, EPOLLIN | EPOLLOUT, 1);
    check_str(told(), "1:5", "a number above zero can be read, and written");
    check_eq(read(counter, &value, 8), 8, "reading takes");
    check_eq(value, 3, "all of it");
    check_fails(read(counter, &value, 8), EAGAIN, "then there is nothing: EAGAIN");
    check_fails(read(counter, &value, 7), EINVAL, "seven bytes are EINVAL");
    value = -2UL;
    check_eq(write(counter, &value, 8), 8, "the largest number");
    check_str(told(), "1:1", "leaves no room");
    value = 1;
    check_fails(write(counter, &value, 8), EAGAIN, "for one more: EAGAIN");
    value = -1UL;
    check_fails(write(counter, &value, 8), EINVAL, "all ones are EINVAL");
    semaphore = (int)syscall(SYS_eventfd2, 2, SEMAPHORE | O_NONBLOCK);
    read(semaphore, &value, 8);
    check_eq(value, 1, "a semaphore gives one");
    check_eq(read(semaphore, &value, 8), 8, "at a time");
    check_fails(read(semaphore, &value, 8), EAGAIN, "as often as there are");
    check_fails(syscall(SYS_eventfd2, 0, 2), EINVAL, "an unknown flag is EINVAL");
    close(counter);
    close(semaphore);
    counter = (int)syscall(SYS_eventfd, 0);
    if (fork() == 0) {
        value = 6;
        write(counter, &value, 8);
        _exit(0);
    }
    check_eq(read(counter, &value, 8), 8, "a reader waits for a child");
    check_eq(value, 6, "and has its number");
    wait(NULL);
    close(counter);
    finish(ends);
}

static void names(void)
{
    char text[64] = "";
    int ends[2];
    char path[32];

    fresh(ends);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", epoll);
    check_eq(readlink(path, text, sizeof(text) - 1), 22, "/proc/self/fd names it");
    check_str(text, "anon_inode:[eventpoll]", "by its kind");
    check_fails(open(path, O_RDONLY), ENXIO, "but cannot open it: ENXIO");
    check_fails(read(epoll, text, 1), EINVAL, "nor can it be read: EINVAL");
    finish(ends);
}

int main(void)
{
    warm_up();
    by_level();
    by_edge();
    copies_and_ends();
    nested();
    many_ways();
    refusals();
    waiting();
    event_counters();
    names();
    return done();
}
