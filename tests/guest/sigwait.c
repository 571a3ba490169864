/* Checks waiting for signals without handlers, queued signals and their values, and who may send. */
#define _GNU_SOURCE
#include <time.h>

#include "catch.h"

#define REAL_TIME 34 /* the first that no C library keeps for itself */
#ifndef SYS_rt_sigqueueinfo
#define SYS_rt_sigqueueinfo 129
#endif
#define KERNEL_SET 8 /* bytes of the kernel's signal set */

/* Linux's siginfo_t as far as it is looked at here. */
struct information {
    int signal, error, code, padding;
    int pid;
    unsigned int uid;
    union {
        unsigned long value;
        int status;
    };
    char rest[96];
};

static unsigned long set_of(int first, int second)
{
    return 1UL << (first - 1) | (second ? 1UL << (second - 1) : 0);
}

static void block(unsigned long set)
{
    syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, &set, NULL, (long)KERNEL_SET);
}

static long wait_for(unsigned long set, struct information *information, long nanoseconds)
{
    struct timespec time = {0, nanoseconds};

    return syscall(SYS_rt_sigtimedwait, &set, information, &time, (long)KERNEL_SET);
}

static void queue(int signal, unsigned long value)
{
    struct information information;

    memset(&information, 0, sizeof(information));
    information.code = -1; /* SI_QUEUE */
    information.pid = getpid();
    information.value = value;
    syscall(SYS_rt_sigqueueinfo, (long)getpid(), (long)signal, &information);
}

static void waiting(void)
{
    struct information information;
    pid_t child;

    check_fails(wait_for(set_of(SIGUSR1, 0), NULL, 0), EAGAIN, "without a signal and without time it is EAGAIN");
    check_fails(wait_for(set_of(SIGUSR1, 0), NULL, 20000000), EAGAIN, "and when the time is over");
    check_fails(wait_for(set_of(SIGUSR1, 0), NULL, 1000000000), EINVAL, "10^9 nanoseconds are EINVAL");

    block(set_of(SIGUSR1, SIGCHLD));
    kill(getpid(), SIGUSR1);
    check_eq(wait_for(set_of(SIGUSR1, 0), &information, 0), SIGUSR1, "a signal that waits is taken at once");
    check(information.signal == SIGUSR1 && information.code == 0 && information.pid == getpid(), "with what it carries");
    check_fails(wait_for(set_of(SIGUSR1, 0), NULL, 0), EAGAIN, "and is gone then");

    child = fork();
    if (child == 0)
        _exit(9);
    check_eq(wait_for(set_of(SIGCHLD, 0), &information, 900000000), SIGCHLD, "a signal whose default is to be ignored is kept while blocked");
    check(information.code == 1 && information.pid == child && information.status == 9, "SIGCHLD tells who ended, and how");
    waitpid(child, NULL, 0);
    block(0);
}

static void waits_for_term(void *blocked)
{
    if (blocked != NULL)
        block(set_of(SIGTERM, 0));
    if (fork() == 0) {
        const struct timespec while_it_waits = {0, 50000000};
        nanosleep(&while_it_waits, NULL);
        kill(getppid(), SIGTERM);
        _exit(0);
    }
    _exit(wait_for(set_of(SIGTERM, 0), NULL, 900000000) == SIGTERM ? 5 : 1);
}

static void deadly_signals(void)
{
    check_eq(status_of_child(waits_for_term, "blocked"), 5 << 8, "a blocked signal that is waited for does not kill");
    check_eq(status_of_child(waits_for_term, NULL), SIGTERM, "one that was not blocked does");
}

static void queued(void)
{
    struct information information;
    unsigned long set = set_of(REAL_TIME, REAL_TIME + 1), all = set | set_of(SIGUSR2, 0);
    int right = 0;

    block(all);
    for (unsigned long i = 0; i < 3; i++) {
        queue(REAL_TIME + 1, 100 + i);
        queue(REAL_TIME, i);
        queue(SIGUSR2, i);
    }
    for (unsigned long i = 0; i < 3; i++)
        right += wait_for(set, &information, 0) == REAL_TIME && information.value == i;
    check_eq(right, 3, "real-time signals queue, oldest first, lowest number first");
    for (unsigned long i = 0; i < 3; i++)
        right += wait_for(set, &information, 0) == REAL_TIME + 1 && information.value == 100 + i;
    check_eq(right, 6, "each with its value");
    check(wait_for(all, &information, 0) == SIGUSR2 && information.value == 0, "of an ordinary signal the first is kept");
    check_fails(wait_for(all, NULL, 0), EAGAIN, "and no other");
    block(0);
}

static void sends_to_parent(void *signal)
{
    EXIT_WITH_ERRNO(kill(getppid(), (int)(long)signal));
}

static void pretends(void *code)
{
    struct information information;

    memset(&information, 0, sizeof(information));
    information.code = (int)(long)code;
    EXIT_WITH_ERRNO(syscall(SYS_rt_sigqueueinfo, (long)getppid(), 0L, &information));
}

static void who_may_send(void)
{
    check_eq(status_as_nobody(sends_to_parent, (void *)0L), EPERM << 8, "another user's process cannot be sent signals");
    check_eq(status_as_nobody(sends_to_parent, (void *)(long)SIGTERM), EPERM << 8, "not SIGTERM either");
    check_eq(status_as_nobody(sends_to_parent, (void *)(long)SIGCONT), 0, "but SIGCONT within a session");
    check_eq(status_of_child(pretends, (void *)-1L), 0, "a program may queue a signal with a code below 0");
    check_eq(status_of_child(pretends, (void *)0L), EPERM << 8, "but not pretend that kill sent it");
    check_eq(status_of_child(pretends, (void *)128L), EPERM << 8, "nor the kernel");
    check_fails(kill(getpid(), 65), EINVAL, "signal 65 is EINVAL");
    check_fails(kill(getpid(), -1), EINVAL, "so is -1");
    check_fails(kill(0x7ffffffe, 0), ESRCH, "a process that does not exist is ESRCH");
}

int main(void)
{
    waiting();
    deadly_signals();
    queued();
    who_may_send();
    return done();
}
