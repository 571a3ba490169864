/* Checks futex: waiting, time-outs, bits, requeueing, WAKE_OP, between processes, and robust lists. */
#define _GNU_SOURCE
#include <sched.h>
#include <time.h>

#include "mem.h"

/* Linux's numbers; our library has no header for them. */
enum {
    FUTEX_WAIT,
    FUTEX_WAKE,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAKE_OP,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET,
    FUTEX_CLOCK_REALTIME = 256
};
enum { FUTEX_OP_ADD = 1, FUTEX_OP_OR, FUTEX_OP_CMP_EQ = 0, FUTEX_OP_CMP_GT = 4 };
#define FUTEX_OP(operation, argument, comparison, other) \
    ((unsigned int)(operation) << 28 | (unsigned int)(comparison) << 24 | (argument) << 12 | (other))

/* In shared memory: children stand for threads. */
static struct shared {
    unsigned int word, other, ready, woken[8];
    long result[8];
    int error[8];
    struct {
        unsigned long next, futex;
    } link;
    struct {
        unsigned long first;
        long offset;
        unsigned long pending;
    } head;
} *shared;

static const struct timespec short_time = {0, 30000000}, long_time = {5, 0};

static long futex(void *address, int operation, unsigned int value, const void *timeout, void *address2, unsigned int value3)
{
    return syscall(SYS_futex, address, (long)operation, (long)value, timeout, address2, (long)value3);
}

static void refusals(void)
{
    shared->word = 1;
    check_fails(futex(&shared->word, FUTEX_WAIT, 2, &long_time, NULL, 0), EAGAIN, "WAIT for another value is EAGAIN");
    check_fails(futex((char *)&shared->word + 1, FUTEX_WAIT, 1, &long_time, NULL, 0), EINVAL, "a crooked address is EINVAL");
    check_fails(futex((void *)KERNEL_ADDRESS, FUTEX_WAIT, 1, &long_time, NULL, 0), EFAULT, "a kernel address is EFAULT");
    check_fails(futex((void *)PAGE, FUTEX_WAIT, 1, &long_time, NULL, 0), EFAULT, "an address without memory is EFAULT");
    check_fails(futex(&shared->word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0), EINVAL, "WAIT for no bit is EINVAL");
    check_fails(futex(&shared->word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL, "and WAKE of none");
    check_fails(futex(&shared->word, 77, 1, NULL, NULL, 0), ENOSYS, "an unknown operation is ENOSYS");
    check_eq(futex(&shared->word, FUTEX_WAKE, 10, NULL, NULL, 0), 0, "where nobody waits nobody is woken");
}

static void timeouts(void)
{
    struct timespec now, bad = {0, 1000000000}, negative = {-1, 0};

    shared->word = 1;
    check_fails(futex(&shared->word, FUTEX_WAIT, 1, &short_time, NULL, 0), ETIMEDOUT, "a WAIT ends with its time");
    check_fails(futex(&shared->word, FUTEX_WAIT, 1, &bad, NULL, 0), EINVAL, "10^9 nanoseconds are EINVAL");
    check_fails(futex(&shared->word, FUTEX_WAIT, 1, &negative, NULL, 0), EINVAL, "negative seconds too");
    clock_gettime(CLOCK_MONOTONIC, &now);
    check_fails(futex(&shared->word, FUTEX_WAIT_BITSET, 1, &now, NULL, ~0u), ETIMEDOUT, "WAIT_BITSET takes a moment, not a duration");
    now.tv_sec += 1;
    now.tv_nsec = 0;
    check_fails(futex(&shared->word, FUTEX_WAIT_BITSET, 1, &now, NULL, ~0u), ETIMEDOUT, "of the monotonic clock");
    clock_gettime(CLOCK_REALTIME, &now);
    check_fails(futex(&shared->word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, &now, NULL, ~0u), ETIMEDOUT,
                "or of the one on the wall");
}

/* Starts child NUMBER, which waits on ADDRESS with BITS. */
static void start_waiter(int number, unsigned int *address, unsigned int bits)
{
    if (fork() == 0) {
        shared->ready++;
        shared->result[number] = futex(address, FUTEX_WAIT_BITSET, *address, NULL, NULL, bits);
        shared->error[number] = errno;
        shared->woken[number] = 1;
        _exit(0);
    }
}

static void pass_time(void)
{
    nanosleep(&short_time, NULL);
}

/* Waits till waiter NUMBER has been woken; the checks say so if it never is. */
static void wait_for_woken(int number)
{
    for (int round = 0; round < 1000 && !*(volatile unsigned int *)&shared->woken[number]; round++)
        pass_time();
}

/* Waits till COUNT waiters have begun, and gives them time to fall asleep. */
static void wait_for_waiters(unsigned int count)
{
    while (*(volatile unsigned int *)&shared->ready < count)
        sched_yield();
    pass_time();
}

static void forget_waiters(void)
{
    futex(&shared->word, FUTEX_WAKE, 100, NULL, NULL, 0);
    futex(&shared->other, FUTEX_WAKE, 100, NULL, NULL, 0);
    while (wait(NULL) > 0)
        continue;
    memset(shared, 0, sizeof(*shared));
}

static void waking(void)
{
    memset(shared, 0, sizeof(*shared));
    for (int i = 0; i < 3; i++) {
        start_waiter(i, &shared->word, i == 1 ? 2 : 1);
        wait_for_waiters((unsigned int)i + 1);
    }
    check_eq(futex(&shared->word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 2), 1, "WAKE_BITSET wakes those who wait for one of the bits");
    wait_for_woken(1);
    pass_time();
    check(shared->woken[1] && !shared->woken[0] && !shared->woken[2], "and no others");
    check_eq(futex(&shared->word, FUTEX_WAKE, 1, NULL, NULL, 0), 1, "WAKE wakes as many as it is told");
    wait_for_woken(0);
    pass_time();
    check(shared->woken[0] && !shared->woken[2], "the one first that has waited longest");
    check_eq(shared->result[0], 0, "whose WAIT returns 0");
    forget_waiters();
}

static void requeueing(void)
{
    memset(shared, 0, sizeof(*shared));
    for (int i = 0; i < 4; i++) {
        start_waiter(i, &shared->word, ~0u);
        wait_for_waiters((unsigned int)i + 1);
    }
    check_fails(futex(&shared->word, FUTEX_CMP_REQUEUE, 1, (void *)2, &shared->other, 7), EAGAIN,
                "CMP_REQUEUE with another value is EAGAIN");
    check_eq(futex(&shared->word, FUTEX_CMP_REQUEUE, 1, (void *)2, &shared->other, 0), 3,
             "CMP_REQUEUE counts those that it wakes and those that it moves");
    wait_for_woken(0);
    pass_time();
    check(shared->woken[0] && !shared->woken[1], "it wakes the first");
    check_eq(futex(&shared->word, FUTEX_WAKE, 10, NULL, NULL, 0), 1, "leaves the last");
    check_eq(futex(&shared->other, FUTEX_WAKE, 10, NULL, NULL, 0), 2, "and two wait on the other word now");
    forget_waiters();
}

static void wake_op(void)
{
    memset(shared, 0, sizeof(*shared));
    start_waiter(0, &shared->word, ~0u);
    wait_for_waiters(1);
    start_waiter(1, &shared->other, ~0u);
    wait_for_waiters(2);
    check_eq(futex(&shared->word, FUTEX_WAKE_OP, 1, (void *)1, &shared->other, FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_GT, 0)), 1,
             "WAKE_OP wakes on the first word, and on the second if the comparison holds");
    check_eq(shared->other, 5, "and changes the second");
    check_eq(futex(&shared->word, FUTEX_WAKE_OP, 1, (void *)1, &shared->other, FUTEX_OP(FUTEX_OP_OR, 8, FUTEX_OP_CMP_EQ, 5)), 1,
             "it compares the value from before");
    check_eq(shared->other, 13, "with each of the operations");
    forget_waiters();
}

static void interrupted(int signal)
{
    (void)signal;
}

static void signals(void)
{
    struct sigaction action = {.sa_handler = interrupted};

    shared->word = 1;
    sigaction(SIGALRM, &action, NULL);
    alarm(1);
    check_fails(futex(&shared->word, FUTEX_WAIT, 1, &long_time, NULL, 0), EINTR, "a handler ends a WAIT with a time-out, SA_RESTART or not");
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    alarm(1);
    check_fails(futex(&shared->word, FUTEX_WAIT, 1, &long_time, NULL, 0), EINTR, "(as it is measured from the beginning)");
}

#define OWNER_DIED 0x40000000u
#define HAS_WAITERS 0x80000000u

static void dies_with_a_lock(void *nothing)
{
    (void)nothing;
    shared->link.futex = (unsigned long)getpid() | HAS_WAITERS;
    shared->link.next = (unsigned long)&shared->head;
    shared->head.first = (unsigned long)&shared->link;
    shared->head.offset = (long)sizeof(unsigned long);
    shared->head.pending = 0;
    syscall(SYS_set_robust_list, &shared->head, (long)sizeof(shared->head));
}

static void dies_in_a_circle(void *nothing)
{
    dies_with_a_lock(nothing);
    shared->link.next = (unsigned long)&shared->link;
}

static void robust_lists(void)
{
    memset(shared, 0, sizeof(*shared));
    check_fails(syscall(SYS_set_robust_list, &shared->head, 8), EINVAL, "a robust list of another size is EINVAL");
    status_of_child(dies_with_a_lock, NULL);
    check_eq((unsigned int)shared->link.futex, OWNER_DIED | HAS_WAITERS, "a dying thread's locks are marked");
    check_eq(status_of_child(dies_in_a_circle, NULL), 0, "a list without an end does no harm");
}

int main(void)
{
    shared = mmap(NULL, sizeof(*shared), READ_WRITE, SHARED_ANON, -1, 0);
    if (shared == MAP_FAILED)
        bail_out("no shared memory: errno %d", errno);
    refusals();
    timeouts();
    waking();
    requeueing();
    wake_op();
    signals();
    robust_lists();
    return done();
}
