/* Shared by the tests of futexes that lend priority: raw calls, and children that hold locks and wait for them. */
#ifndef TESTS_GUEST_FUTEX_PI_H
#define TESTS_GUEST_FUTEX_PI_H

#include <time.h>

#include "mem.h"

/* Linux's numbers; our library has no header for them. */
enum {
    FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_LOCK_PI, FUTEX_UNLOCK_PI,
    FUTEX_TRYLOCK_PI, FUTEX_WAIT_REQUEUE_PI = 11, FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI2, FUTEX_CLOCK_REALTIME = 256
};
#define HAS_WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u
#define TID_MASK 0x3fffffffu
#define MOST 0x7fffffffL

enum { CHILDREN = 4 };

/* Children stand for threads: what they share lies here. */
struct shared {
    unsigned int lock, second, word;
    volatile unsigned int ready, go, order[CHILDREN], arrived;
    volatile long result[CHILDREN];
    struct {
        unsigned long next;
        unsigned int lock, padding;
    } link;
    struct {
        unsigned long first;
        long offset;
        unsigned long pending;
    } head;
};

static struct shared *shared;

MAYBE_UNUSED static const struct timespec short_time = {0, 40000000};

MAYBE_UNUSED static long futex(void *address, int operation, long value, const void *timeout, void *address2, long value3)
{
    return syscall(SYS_futex, address, (long)operation, value, timeout, address2, value3);
}

/* The same, but the negative errno. */
MAYBE_UNUSED static long futex_result(void *address, int operation, long value, const void *timeout, void *address2,
                                      long value3)
{
    long result = futex(address, operation, value, timeout, address2, value3);

    return result < 0 ? -(long)errno : result;
}

/* The moment MILLISECONDS from now. */
MAYBE_UNUSED static struct timespec after(int clock, long milliseconds)
{
    struct timespec time;

    clock_gettime(clock, &time);
    time.tv_nsec += milliseconds * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

MAYBE_UNUSED static void pass_time(void)
{
    nanosleep(&short_time, NULL);
}

MAYBE_UNUSED static void wait_for(volatile unsigned int *number, unsigned int value)
{
    while (*number < value)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
}

/* Starts a child that runs BODY(NUMBER), and waits till it says that it is ready and has had time to fall asleep. */
MAYBE_UNUSED static pid_t start(void (*body)(int), int number)
{
    unsigned int before = shared->ready;
    pid_t child = fork();

    if (child == 0) {
        body(number);
        _exit(0);
    }
    wait_for(&shared->ready, before + 1);
    pass_time();
    return child;
}

MAYBE_UNUSED static void forget(void)
{
    while (wait(NULL) > 0)
        continue;
    memset(shared, 0, sizeof(*shared));
}

/* ---- what children do ---- */

/* Takes the lock as a program does that finds it free, keeps it till it is told to go, and gives it back. */
MAYBE_UNUSED static void holds(int number)
{
    (void)number;
    shared->lock = (unsigned int)getpid();
    shared->ready++;
    wait_for(&shared->go, 1);
    shared->result[0] = futex_result(&shared->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

/* The same, but dies with it. */
MAYBE_UNUSED static void dies_holding(int number)
{
    (void)number;
    shared->lock = (unsigned int)getpid();
    shared->ready++;
    wait_for(&shared->go, 1);
}

/* Waits for the lock, notes when it has it, and gives it back. */
MAYBE_UNUSED static void locks(int number)
{
    shared->ready++;
    shared->result[number] = futex_result(&shared->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    shared->order[shared->arrived++] = (unsigned int)number;
    futex(&shared->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

MAYBE_UNUSED static void share_memory(void)
{
    shared = mmap(NULL, sizeof(*shared), READ_WRITE, SHARED_ANON, -1, 0);
    if (shared == MAP_FAILED)
        bail_out("no shared memory: errno %d", errno);
}

#endif
