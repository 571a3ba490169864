/* Checks who runs first: policies, priorities, niceness, and priority that is lent to the owner of a lock. */
#define _GNU_SOURCE
#include <sched.h>

#include "futex_pi.h"

enum { OTHER, FIFO, RR, BATCH, IDLE = 5, RESET_ON_FORK = 0x40000000 };
enum {
    GETPRIORITY = 140, SETPRIORITY, SETPARAM, GETPARAM, SETSCHEDULER, GETSCHEDULER, PRIORITY_MAX, PRIORITY_MIN, INTERVAL,
    SETUID = 105
};

static long set(pid_t pid, int policy, int priority)
{
    return syscall(SETSCHEDULER, (long)pid, (long)policy, &priority);
}

static int priority_of(pid_t pid)
{
    int priority = -1;

    return syscall(GETPARAM, (long)pid, &priority) == 0 ? priority : -errno;
}

static int policy_of(pid_t pid)
{
    return (int)syscall(GETSCHEDULER, (long)pid);
}

/* One of the numbers of /proc/self/stat, counted from 1. */
static long field(int number)
{
    const char *text = strrchr(file_text("/proc/self/stat"), ')') + 1;

    for (int i = 3; i < number; i++)
        text = strchr(text + 1, ' ');
    return strtol(text, NULL, 10);
}

static void calls(void)
{
    struct timespec interval = {-1, -1};
    int priority = 20;

    check_eq(policy_of(0), OTHER, "a program begins with SCHED_OTHER");
    check_eq(priority_of(0), 0, "and no priority");
    check_fails(set(0, OTHER, 1), EINVAL, "which has none: EINVAL");
    check_fails(set(0, FIFO, 0), EINVAL, "SCHED_FIFO has one: EINVAL");
    check_fails(set(0, FIFO, 100), EINVAL, "of 1 to 99");
    check_fails(set(0, 4, 0), EINVAL, "there is no fourth policy");
    check_fails(set(0, -1, 0), EINVAL, "nor one below zero");
    check_fails(set(-1, OTHER, 0), EINVAL, "nor a process of a negative number: EINVAL");
    check_fails(set(32767, OTHER, 0), ESRCH, "one that there is not is ESRCH");
    check_fails(syscall(SETSCHEDULER, 0, 0, NULL), EINVAL, "no priority is EINVAL");
    check_fails(syscall(SETSCHEDULER, 0, 0, 16), EFAULT, "a bad pointer EFAULT");
    check_eq(set(0, FIFO, 10), 0, "a privileged one may have another");
    check(policy_of(0) == FIFO && priority_of(0) == 10, "and has it");
    check(field(18) == -11 && field(19) == 0 && field(40) == 10 && field(41) == FIFO, "as /proc tells");
    check_eq(syscall(SETPARAM, 0, &priority), 0, "the priority can be set alone");
    check(policy_of(0) == FIFO && priority_of(0) == 20, "and the policy stays");
    priority = 0;
    check_fails(syscall(SETPARAM, 0, &priority), EINVAL, "if they fit: EINVAL");
    syscall(INTERVAL, 0, &interval);
    check(interval.tv_sec == 0 && interval.tv_nsec == 0, "SCHED_FIFO takes no turns");
    set(0, RR, 5);
    syscall(INTERVAL, 0, &interval);
    check(interval.tv_sec == 0 && interval.tv_nsec == 100000000, "with SCHED_RR they last 100 ms");
    check_fails(syscall(INTERVAL, -1, &interval), EINVAL, "of a negative process: EINVAL");
    check_fails(syscall(INTERVAL, 32767, &interval), ESRCH, "of none: ESRCH");
    check_eq(syscall(PRIORITY_MAX, RR), 99, "99 is the highest");
    check_eq(syscall(PRIORITY_MIN, FIFO), 1, "1 the lowest");
    check_eq(syscall(PRIORITY_MIN, IDLE), 0, "where there are some");
    check_fails(syscall(PRIORITY_MAX, 4), EINVAL, "an unknown policy is EINVAL");
    check_eq(set(0, BATCH, 0), 0, "SCHED_BATCH");
    check_eq(policy_of(0), BATCH, "is told back");
    set(0, OTHER, 0);
}

static void reports(int number)
{
    shared->result[0] = policy_of(0);
    shared->result[1] = priority_of(0);
    shared->result[2] = syscall(GETPRIORITY, 0, 0);
    shared->ready++;
    (void)number;
}

static void becomes_nobody(int number)
{
    int priority = 3;

    (void)number;
    syscall(SETPRIORITY, 0, 0, 5);
    syscall(SETUID, NOBODY);
    shared->result[0] = set(0, FIFO, 1) == 0 ? 0 : errno;
    shared->result[1] = set(0, IDLE, 0);
    shared->result[2] = set(0, OTHER, 0) == 0 ? 0 : errno;
    shared->result[3] = syscall(SETPRIORITY, 0, 0, 4) == 0 ? 0 : errno;
    shared->order[0] = syscall(SETPRIORITY, 0, 0, 6) == 0 ? 0 : (unsigned int)errno;
    shared->order[1] = syscall(SETPRIORITY, 0, getppid(), 6) == 0 ? 0 : (unsigned int)errno;
    shared->order[2] = set(getppid(), OTHER, 0) == 0 ? 0 : (unsigned int)errno;
    shared->order[3] = syscall(SETPARAM, 0, &priority) == 0 ? 0 : (unsigned int)errno;
    shared->ready++;
}

static void inheritance_and_privileges(void)
{
    set(0, RR, 7);
    syscall(SETPRIORITY, 0, 0, -3);
    start(reports, 0);
    check(shared->result[0] == RR && shared->result[1] == 7 && shared->result[2] == 23, "a child inherits all that");
    set(0, RR | RESET_ON_FORK, 7);
    check_eq(policy_of(0), RR | RESET_ON_FORK, "unless the policy is for the parent alone");
    start(reports, 0);
    check(shared->result[0] == OTHER && shared->result[1] == 0 && shared->result[2] == 20, "then the child has none of it");
    set(0, OTHER, 0);
    syscall(SETPRIORITY, 0, 0, 0);
    start(becomes_nobody, 0);
    check_eq(shared->result[0], EPERM, "without privileges there is no priority: EPERM");
    check_eq(shared->result[1], 0, "SCHED_IDLE may be had");
    check_eq(shared->result[2], EPERM, "but not be left");
    check_eq(shared->result[3], EACCES, "nobody becomes less nice: EACCES");
    check_eq(shared->order[0], 0, "but nicer");
    check_eq(shared->order[1], EPERM, "others are none of its business: EPERM");
    check_eq(shared->order[2], EPERM, "in either way");
    check_eq(shared->order[3], EINVAL, "what is wrong for anybody is told first");
    forget();
}

static void niceness(void)
{
    check_eq(syscall(GETPRIORITY, 0, 0), 20, "getpriority tells 20 less the niceness");
    check_eq(syscall(SETPRIORITY, 0, 0, 5), 0, "which is set");
    check_eq(syscall(GETPRIORITY, 0, getpid()), 15, "and told back");
    check(field(18) == 25 && field(19) == 5, "as by /proc");
    syscall(SETPRIORITY, 0, 0, 100);
    check_eq(syscall(GETPRIORITY, 0, 0), 1, "it ends at 19");
    syscall(SETPRIORITY, 1 /* group */, 0, -100);
    check_eq(syscall(GETPRIORITY, 1, 0), 40, "and -20, also for a group");
    syscall(SETPRIORITY, 0, 0, 0);
    check_fails(syscall(GETPRIORITY, 3, 0), EINVAL, "there are processes, groups and users: EINVAL");
    check_fails(syscall(GETPRIORITY, 0, 32767), ESRCH, "none of them is ESRCH");
    check_fails(syscall(SETPRIORITY, 2, 4711, 0), ESRCH, "a user without processes, too");
}

/* Waits for the word with priority 10, 20, 30 …, and notes when it goes on. */
static void runs_in_order(int number)
{
    set(0, FIFO, 10 * (number + 1));
    shared->ready++;
    futex(&shared->word, FUTEX_WAIT, 0, NULL, NULL, 0);
    shared->order[shared->arrived++] = (unsigned int)number;
}

static void counts(int number)
{
    shared->ready++;
    while (!shared->go)
        shared->result[number]++;
}

static void counts_with_fifo(int number)
{
    set(0, FIFO, 50);
    counts(number);
}

static void counts_in_turn(int number)
{
    set(0, RR, 50);
    counts(number);
}

static void spin(long milliseconds)
{
    struct timespec end = after(CLOCK_MONOTONIC, milliseconds), now;

    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
}

static void who_runs(void)
{
    long before;
    pid_t child;

    set(0, FIFO, 90);
    for (int i = 0; i < CHILDREN; i++)
        start(runs_in_order, i);
    check_eq(futex(&shared->word, FUTEX_WAKE, 10, NULL, NULL, 0), CHILDREN, "all are woken");
    check_eq(shared->arrived, 0, "but none runs before one with a higher priority");
    while (wait(NULL) > 0)
        continue;
    check(shared->order[0] == 3 && shared->order[1] == 2 && shared->order[2] == 1 && shared->order[3] == 0,
          "then the highest first, whoever was woken first");
    forget();
    child = start(runs_in_order, 3);
    set(0, FIFO, 5);
    futex(&shared->word, FUTEX_WAKE, 1, NULL, NULL, 0);
    check_eq(shared->arrived, 1, "a higher one runs as soon as it is woken");
    waitpid(child, NULL, 0);
    forget();
    set(0, OTHER, 0);
    child = start(counts, 0);
    set(0, FIFO, 5);
    before = shared->result[0];
    spin(200);
    check_eq(shared->result[0], before, "one without priority waits for all that have one");
    set(0, OTHER, 0);
    shared->go = 1;
    forget();
}

static void among_equals(void)
{
    long before;

    set(0, FIFO, 60);
    start(counts_with_fifo, 0);
    set(0, FIFO, 50);
    before = shared->result[0];
    spin(200);
    check_eq(shared->result[0], before, "with SCHED_FIFO one waits for its equals, and who is lowered comes before them");
    shared->go = 1;
    forget();
    set(0, RR, 60);
    start(counts_in_turn, 0);
    set(0, RR, 50);
    before = shared->result[0];
    spin(400);
    check(shared->result[0] > before, "with SCHED_RR they take turns");
    shared->go = 1;
    set(0, OTHER, 0);
    forget();
}

/* Holds the lock with a low priority, and has work to do before it gives it back. */
static void low(int number)
{
    set(0, FIFO, 10);
    futex(&shared->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    shared->ready++;
    wait_for(&shared->go, 1);
    spin(100);
    shared->order[shared->arrived++] = (unsigned int)number;
    futex(&shared->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static void middle(int number)
{
    set(0, FIFO, 20);
    shared->ready++;
    wait_for(&shared->go, 1);
    spin(300);
    shared->order[shared->arrived++] = (unsigned int)number;
}

static void high(int number)
{
    set(0, FIFO, 30);
    locks(number);
}

/* The same with a link between: holds the second lock and waits for the first. */
static void links(int number)
{
    set(0, FIFO, 5);
    futex(&shared->second, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    locks(number);
    futex(&shared->second, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static void high_for_second(int number)
{
    set(0, FIFO, 30);
    shared->ready++;
    futex(&shared->second, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    shared->order[shared->arrived++] = (unsigned int)number;
    futex(&shared->second, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static void lending(void)
{
    set(0, FIFO, 90);
    start(low, 0);
    start(middle, 1);
    start(high, 2);
    shared->go = 1;
    while (wait(NULL) > 0)
        continue;
    check(shared->order[0] == 0 && shared->order[1] == 2 && shared->order[2] == 1,
          "the owner of a lock runs with the priority of who waits for it, so that none in between delays that");
    forget();
    start(low, 0);
    start(middle, 1);
    start(links, 2);
    start(high_for_second, 3);
    shared->go = 1;
    while (wait(NULL) > 0)
        continue;
    check(shared->order[0] == 0 && shared->order[1] == 2 && shared->order[2] == 3 && shared->order[3] == 1,
          "which it lends on to the owner of the lock that it waits for itself");
    forget();
    set(0, OTHER, 0);
}

int main(void)
{
    share_memory();
    calls();
    inheritance_and_privileges();
    niceness();
    who_runs();
    among_equals();
    lending();
    return done();
}
