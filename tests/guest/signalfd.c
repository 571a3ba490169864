/* Checks signalfd: which signals it tells of and what, waiting, poll and epoll, masks that change, who reads. */
#define _GNU_SOURCE
#include <sys/time.h>
#include <time.h>

#include "mem.h"

/* Spelt out here: our C library has no poll.h. */
#define POLLIN 0x001
#define POLLOUT 0x004
struct pollfd {
    int fd;
    short events, revents;
};

enum { SIGNALFD = 282, SIGNALFD4 = 289, EPOLL_CREATE1 = 291, EPOLL_CTL = 233, EPOLL_WAIT = 232, QUEUEINFO = 129 };
#define SET(signal) (1UL << ((signal) - 1))

/* Linux's struct signalfd_siginfo. */
static struct told {
    unsigned int signal;
    int error, code;
    unsigned int pid, uid;
    int fd;
    unsigned int timer, band, overrun, trap;
    int status, number;
    unsigned long value, user_time, system_time, address;
    unsigned char rest[48];
} told[3];

static const struct timespec soon = {0, 30000000};

static int create(int fd, unsigned long mask, int flags)
{
    return (int)syscall(SIGNALFD4, (long)fd, &mask, 8L, (long)flags);
}

static void block(unsigned long mask)
{
    syscall(SYS_rt_sigprocmask, 0, &mask, NULL, 8L);
}

static void unblock(unsigned long mask)
{
    syscall(SYS_rt_sigprocmask, 1, &mask, NULL, 8L);
}

/* The number of the next signal, or the negative errno. */
static long next(int fd)
{
    ssize_t got;

    memset(told, 0xaa, sizeof(told));
    got = read(fd, told, sizeof(told[0]));
    return got == sizeof(told[0]) ? (long)told[0].signal : -(long)errno;
}

static short polled(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};

    syscall(SYS_poll, &one, 1L, 0L);
    return one.revents;
}

static void refusals(void)
{
    unsigned long mask = SET(SIGUSR1);
    int fd = create(-1, mask, O_NONBLOCK | O_CLOEXEC), ends[2];

    if (pipe(ends) != 0)
        bail_out("no pipe");
    check_fails(syscall(SIGNALFD4, -1L, &mask, 4L, 0L), EINVAL, "a mask of another size is EINVAL");
    check_fails(syscall(SIGNALFD4, -1L, 16L, 8L, 0L), EFAULT, "a bad pointer is EFAULT");
    check_fails(syscall(SIGNALFD4, -1L, 16L, 8L, 1L), EFAULT, "before the flags are looked at");
    check_fails(create(-1, mask, 1), EINVAL, "an unknown flag is EINVAL");
    check_fails(create(-2, mask, 0), EBADF, "a closed descriptor is EBADF");
    check_fails(create(ends[0], mask, 0), EINVAL, "a pipe is EINVAL");
    check_eq(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK, "it is open for reading and writing");
    check_eq(fcntl(fd, F_GETFD), FD_CLOEXEC, "and closed at exec where that is wanted");
    check_fails(read(fd, told, 127), EINVAL, "127 bytes are EINVAL");
    check_fails(write(fd, told, 128), EINVAL, "it cannot be written: EINVAL");
    check_eq(next(fd), -EAGAIN, "without a signal there is nothing to read: EAGAIN");
    check_eq(polled(fd), 0, "nor for poll");
    check_eq(lseek(fd, 5, SEEK_SET), 0, "lseek does nothing");
    close(fd);
    close(ends[0]);
    close(ends[1]);
    fd = (int)syscall(SIGNALFD, -1L, &mask, 8L);
    check_eq(fcntl(fd, F_GETFL), O_RDWR, "the older call has no flags");
    close(fd);
}

static void queue(int signal, int code, unsigned long value)
{
    struct {
        int signal, error, code, padding, pid, uid;
        unsigned long value;
        char rest[96];
    } info = {signal, 0, code, 0, 123, 456, value, ""};

    syscall(QUEUEINFO, getpid(), (long)signal, &info);
}

static void what_it_tells(void)
{
    int fd = create(-1, SET(SIGUSR1) | SET(SIGUSR2) | SET(40) | SET(SIGCHLD), O_NONBLOCK), status;

    block(SET(SIGUSR1) | SET(SIGUSR2) | SET(40) | SET(SIGCHLD) | SET(SIGHUP));
    kill(getpid(), SIGHUP);
    check_eq(next(fd), -EAGAIN, "a signal that is not in its mask is none of its");
    kill(getpid(), SIGUSR1);
    check_eq(polled(fd), POLLIN, "one that is can be read");
    check_eq(next(fd), SIGUSR1, "with its number");
    check(told[0].code == 0 && told[0].pid == (unsigned int)getpid() && told[0].uid == (unsigned int)getuid(),
          "and who sent it");
    check(told[0].error == 0 && told[0].value == 0 && told[0].status == 0 && all_bytes_are((char *)told[0].rest, 48, 0),
          "all else is zero");
    check_eq(next(fd), -EAGAIN, "then it is gone");
    queue(SIGUSR2, -1, 0x123456789abcUL);
    check_eq(next(fd), SIGUSR2, "one with a value");
    check(told[0].code == -1 && told[0].pid == 123 && told[0].uid == 456, "tells who says to have sent it");
    check(told[0].value == 0x123456789abcUL && told[0].number == 0x56789abc, "and the value, also as a number");
    queue(40, -2, 77);
    check_eq(next(fd), 40, "one like a timer's");
    check(told[0].timer == 123 && told[0].overrun == 456 && told[0].pid == 0 && told[0].uid == 0 && told[0].value == 77,
          "tells which, and what it missed");
    queue(40, -1, 1);
    queue(40, -1, 2);
    kill(getpid(), SIGUSR2);
    check_eq(read(fd, told, sizeof(told)), sizeof(told), "several are read at once");
    check(told[0].signal == SIGUSR2 && told[1].value == 1 && told[2].value == 2, "in the order of their numbers and sending");
    if (fork() == 0)
        _exit(5);
    fcntl(fd, F_SETFL, 0);
    check_eq(next(fd), SIGCHLD, "a child's end is waited for");
    check(told[0].code == 1 && told[0].status == 5 && told[0].pid > 0, "with its status");
    wait(&status);
    queue(40, -1, 3);
    check_eq(read(fd, told, sizeof(told)), sizeof(told[0]), "but not for as many as there is room for");
    raise(SIGUSR1);
    check_eq(next(fd), SIGUSR1, "one that was sent to the thread");
    check_eq(told[0].code, -6, "says so");
    close(fd);
    signal(SIGHUP, SIG_IGN);
    signal(SIGHUP, SIG_DFL);
    unblock(~0UL);
}

static volatile int handled;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

static void masks(void)
{
    struct sigaction action = {.sa_handler = handler};
    int fd = create(-1, ~0UL, O_NONBLOCK);

    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    check_eq(handled, 1, "a signal that is not blocked is delivered");
    check_eq(next(fd), -EAGAIN, "and not read");
    block(SET(SIGUSR1) | SET(SIGUSR2));
    kill(getpid(), SIGUSR1);
    check_eq(create(fd, SET(SIGUSR2), 0), fd, "the mask can be changed");
    check_eq(next(fd), -EAGAIN, "then others are told of");
    check_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK, "the flags stay");
    unblock(SET(SIGUSR1));
    check_eq(handled, 2, "what was not read is delivered when it may be");
    kill(getpid(), SIGUSR2);
    check_eq(syscall(SYS_read, fd, 16, 128), -1, "read to a bad pointer fails");
    check_eq(next(fd), -EAGAIN, "and takes the signal");
    unblock(SET(SIGUSR2));
    close(fd);
}

static void waiting(void)
{
    int fd = create(-1, SET(SIGUSR1), 0), status;
    struct itimerval once = {{0, 0}, {0, 30000}};
    pid_t parent = getpid();
    struct sigaction action = {.sa_handler = handler};

    block(SET(SIGUSR1));
    if (fork() == 0) {
        nanosleep(&soon, NULL);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    check_eq(next(fd), SIGUSR1, "a reader waits for a signal");
    wait(&status);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &once, NULL);
    check_eq(next(fd), -EINTR, "another one's handler ends the wait");
    if (fork() == 0) {
        kill(getpid(), SIGUSR1);
        _exit(next(fd) == SIGUSR1 && told[0].pid == (unsigned int)getpid() ? 3 : 4);
    }
    wait(&status);
    check_eq(status, 3 << 8, "it tells of the signals of who reads");
    unblock(SET(SIGUSR1));
    close(fd);
}

static void told_by_epoll(void)
{
    struct {
        unsigned int events;
        unsigned long data;
    } __attribute__((packed)) event = {POLLIN, 7};
    int fd = create(-1, SET(SIGUSR1), O_NONBLOCK), epoll = (int)syscall(EPOLL_CREATE1, 0), status;
    pid_t parent = getpid();
    struct pollfd one = {.fd = fd, .events = POLLIN};

    block(SET(SIGUSR1));
    syscall(EPOLL_CTL, epoll, 1, fd, &event);
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 0), 0, "epoll has nothing to tell of it");
    if (fork() == 0) {
        nanosleep(&soon, NULL);
        kill(parent, SIGUSR1);
        nanosleep(&soon, NULL);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 5000), 1, "but waits for a signal");
    check(event.events == POLLIN && event.data == 7, "and tells so");
    check_eq(next(fd), SIGUSR1, "it is read");
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 0), 0, "and then no more");
    check_eq(syscall(SYS_poll, &one, 1L, 5000L), 1, "poll waits as well");
    check_eq(next(fd), SIGUSR1, "for the second");
    wait(&status);
    close(fd);
    kill(getpid(), SIGUSR1);
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 0), 0, "a closed one is told of no more");
    signal(SIGUSR1, SIG_IGN);
    unblock(SET(SIGUSR1));
    close(epoll);
}

/* An epoll's watch outlives the process whose signals it was about. */
static void end_of_a_process(void)
{
    struct {
        unsigned int events;
        unsigned long data;
    } __attribute__((packed)) event = {POLLIN, 7};
    int fd = create(-1, SET(SIGUSR1), O_NONBLOCK), epoll = (int)syscall(EPOLL_CREATE1, 0), status;

    if (fork() == 0) {
        syscall(EPOLL_CTL, epoll, 1, fd, &event);
        _exit(0);
    }
    wait(&status);
    block(SET(SIGUSR1));
    signal(SIGUSR1, SIG_DFL);
    kill(getpid(), SIGUSR1);
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 0), 1, "when a process that watched ends, epoll looks once more");
    check_eq(next(fd), SIGUSR1, "at the signals of who waits");
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 0), 0, "when there is none");
    kill(getpid(), SIGUSR1);
    check_eq(syscall(EPOLL_WAIT, epoll, &event, 1, 0), 0, "it never looks again");
    check_eq(next(fd), SIGUSR1, "whatever there is to read");
    close(fd);
    close(epoll);
}

int main(void)
{
    char path[32], text[64] = "";
    int fd = create(-1, SET(SIGUSR1), 0);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    check_eq(readlink(path, text, sizeof(text) - 1), 21, "/proc/self/fd names it");
    check_str(text, "anon_inode:[signalfd]", "by its kind");
    close(fd);
    refusals();
    what_it_tells();
    masks();
    waiting();
    told_by_epoll();
    end_of_a_process();
    return done();
}
