/* Checks what a program says about itself: barriers it registers for, its parent's death, orphans, privileges, slack. */
#define _GNU_SOURCE
#include <time.h>

#include "mem.h"

enum {
    PRCTL = 157, MEMBARRIER = 324, SET_PDEATHSIG = 1, GET_PDEATHSIG = 2, SET_SLACK = 29, GET_SLACK = 30, SET_SUBREAPER = 36,
    GET_SUBREAPER = 37, SET_NO_NEW_PRIVS = 38, GET_NO_NEW_PRIVS = 39
};
enum {
    QUERY = 0, GLOBAL = 1, GLOBAL_EXPEDITED = 2, REGISTER_GLOBAL = 4, PRIVATE = 8, REGISTER_PRIVATE = 16, SYNC_CORE = 32,
    REGISTER_SYNC_CORE = 64, RSEQ = 128, REGISTER_RSEQ = 256, FLAG_CPU = 1
};

static volatile int *shared;
static const struct timespec soon = {0, 30000000};

static long prctl_of(long option, long a, long b)
{
    return syscall(PRCTL, option, a, b, 0L, 0L);
}

static long barrier(long command, long flags)
{
    return syscall(MEMBARRIER, command, flags, 0L);
}

static int number_of(long option)
{
    int value = -1;

    prctl_of(option, (long)&value, 0);
    return value;
}

static void tries_barriers(void *nothing)
{
    (void)nothing;
    _exit((barrier(PRIVATE, 0) == 0) | (barrier(SYNC_CORE, 0) == 0) << 1 | (barrier(RSEQ, FLAG_CPU) == 0) << 2 |
          (barrier(GLOBAL_EXPEDITED, 0) == 0) << 3);
}

static void executes(void *what)
{
    char *const arguments[] = {"prctl", what, NULL}, *const environment[] = {NULL};

    execve("/proc/self/exe", arguments, environment);
}

static void barriers(void)
{
    check_eq(barrier(QUERY, 0), 0x1ff, "nine commands of membarrier are there");
    check_eq(barrier(GLOBAL, 0), 0, "a barrier for all processes");
    check_eq(barrier(GLOBAL_EXPEDITED, 0), 0, "one for those that have registered");
    check_fails(barrier(PRIVATE, 0), EPERM, "one for one's own threads wants to be registered for: EPERM");
    check_fails(barrier(SYNC_CORE, 0), EPERM, "each of its kinds");
    check_fails(barrier(RSEQ, 0), EPERM, "by itself");
    check_eq(barrier(REGISTER_PRIVATE, 0), 0, "one registers");
    check_eq(barrier(REGISTER_GLOBAL, 0), 0, "for what there is");
    check_eq(barrier(PRIVATE, 0), 0, "and then may");
    check_fails(barrier(SYNC_CORE, 0), EPERM, "but that alone");
    barrier(REGISTER_SYNC_CORE, 0);
    barrier(REGISTER_RSEQ, 0);
    check_eq(barrier(SYNC_CORE, 0), 0, "until one has registered for all");
    check_fails(barrier(PRIVATE, FLAG_CPU), EINVAL, "a processor is named");
    check_eq(barrier(RSEQ, FLAG_CPU), 0, "with restartable sequences only");
    check_fails(barrier(3, 0), EINVAL, "two commands at once are EINVAL");
    check_fails(barrier(512, 0), EINVAL, "as is one that there is not");
    check_eq(status_of_child(tries_barriers, NULL), 15 << 8, "a child is registered, too");
    check_eq(status_of_child(executes, "barriers"), 8 << 8, "a new program is not");
}

/* Starts a child that lives longer than this process, asks to be told of that, and says what it was told. */
static void leaves_child(void *signal)
{
    unsigned long mask = 1UL << (SIGUSR1 - 1);
    struct timespec patience = {2, 0};
    long parent = getpid(), told;

    syscall(SYS_rt_sigprocmask, 0L, &mask, NULL, 8L);
    if (fork() != 0) {
        while (shared[0] == 0)
            nanosleep(&soon, NULL);
        _exit(0);
    }
    prctl_of(SET_PDEATHSIG, (long)signal, 0);
    shared[0] = 1;
    told = syscall(128 /* rt_sigtimedwait */, &mask, NULL, &patience, 8L);
    shared[2] = getppid() != parent;
    shared[1] = told == SIGUSR1 ? 1 : 2;
    _exit(7);
}

static void parents_that_die(void)
{
    int status;

    check_fails(prctl_of(SET_PDEATHSIG, 65, 0), EINVAL, "signal 65 is EINVAL");
    check_eq(prctl_of(SET_PDEATHSIG, SIGUSR1, 0), 0, "one may ask for a signal when one's parent dies");
    check_eq(number_of(GET_PDEATHSIG), SIGUSR1, "which is told back");
    if (fork() == 0)
        _exit(number_of(GET_PDEATHSIG));
    wait(&status);
    check_eq(status, 0, "a child begins without");
    check_eq(status_of_child(executes, "death"), 0, "as it was a child's");
    prctl_of(SET_PDEATHSIG, 0, 0);
    check_eq(prctl_of(SET_SUBREAPER, 1, 0), 0, "one may take in one's descendants' orphans");
    check_eq(number_of(GET_SUBREAPER), 1, "and is known for it");
    shared[0] = shared[1] = 0;
    status_of_child(leaves_child, (void *)(long)SIGUSR1);
    check_eq(wait(&status) > 0, 1, "then they are children");
    check_eq(status, 7 << 8, "whose end is told");
    check_eq(shared[1], 1, "and had the signal that they asked for");
    check_eq(shared[2], 1, "from the change of parents on");
    if (fork() == 0)
        _exit(number_of(GET_SUBREAPER));
    wait(&status);
    check_eq(status, 0, "a child does not do the same by itself");
    prctl_of(SET_SUBREAPER, 0, 0);
    check_eq(number_of(GET_SUBREAPER), 0, "it can be left");
    shared[0] = shared[1] = 0;
    status_of_child(leaves_child, (void *)(long)SIGUSR1);
    while (shared[1] == 0)
        nanosleep(&soon, NULL);
    check_fails(wait(&status), ECHILD, "then orphans go to the first process");
}

static void the_rest(void)
{
    int status;

    check_eq(prctl_of(GET_NO_NEW_PRIVS, 0, 0), 0, "new privileges may be had");
    check_fails(prctl_of(SET_NO_NEW_PRIVS, 0, 0), EINVAL, "which is not to be asked for: EINVAL");
    check_fails(prctl_of(SET_NO_NEW_PRIVS, 1, 1), EINVAL, "nor with more words");
    check_eq(prctl_of(SET_NO_NEW_PRIVS, 1, 0), 0, "but waived");
    check_eq(prctl_of(GET_NO_NEW_PRIVS, 0, 0), 1, "for good");
    check(strstr(file_text("/proc/self/status"), "NoNewPrivs:\t1") != NULL, "as /proc tells");
    check_eq(status_of_child(executes, "privileges"), 1 << 8, "also by the programs that follow");
    check_eq(prctl_of(GET_SLACK, 0, 0), 50000, "timers may be late by 50 microseconds");
    prctl_of(SET_SLACK, 1234, 0);
    check_eq(prctl_of(GET_SLACK, 0, 0), 1234, "or by what is said");
    if (fork() == 0) {
        prctl_of(SET_SLACK, 77, 0);
        prctl_of(SET_SLACK, 0, 0);
        _exit(prctl_of(GET_SLACK, 0, 0) == 1234 ? 3 : 4);
    }
    wait(&status);
    check_eq(status, 3 << 8, "which is what a child goes back to");
    prctl_of(SET_SLACK, 0, 0);
    check_eq(prctl_of(GET_SLACK, 0, 0), 50000, "as its parent to what it began with");
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "barriers") == 0)
        tries_barriers(NULL);
    if (count > 1 && strcmp(arguments[1], "death") == 0)
        return number_of(GET_PDEATHSIG);
    if (count > 1)
        return (int)prctl_of(GET_NO_NEW_PRIVS, 0, 0);
    shared = raw_mmap(0, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    barriers();
    parents_that_die();
    the_rest();
    return done();
}
