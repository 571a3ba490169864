/* Checks waiting for a word and then for a lock in one call: who is moved, who has the lock at once, how it ends. */
#define _GNU_SOURCE
#include <sched.h>

#include "futex_pi.h"

#define LOCK(word) futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0)
#define UNLOCK(word) futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0)

static unsigned int self;

/* Wakes the first who waits for the word with the lock, and moves up to MOVE others to it. */
static long signal_waiters(long move)
{
    return futex(&shared->word, FUTEX_CMP_REQUEUE_PI, 1, (void *)move, &shared->lock, shared->word);
}

static long wait_until(const struct timespec *time)
{
    return futex_result(&shared->word, FUTEX_WAIT_REQUEUE_PI, shared->word, time, &shared->lock, 0);
}

/* Waits as a condition variable does, and gives the lock back when told to. */
static void waits(int number)
{
    shared->ready++;
    shared->result[number] = wait_until(NULL);
    shared->order[shared->arrived++] = (unsigned int)number;
    wait_for(&shared->go, (unsigned int)number + 1);
    if ((shared->lock & TID_MASK) == (unsigned int)getpid())
        UNLOCK(&shared->lock);
}

static void refusals(void)
{
    struct timespec time = after(CLOCK_MONOTONIC, 30), past = {1, 0};

    check_fails(futex(&shared->word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &shared->word, 0), EINVAL,
                "the word and the lock are two: EINVAL");
    check_fails(futex(&shared->word, FUTEX_WAIT_REQUEUE_PI, 1, NULL, &shared->lock, 0), EAGAIN, "another value is EAGAIN");
    check_fails(futex((char *)&shared->word + 1, FUTEX_WAIT_REQUEUE_PI, 1, NULL, &shared->lock, 0), EINVAL,
                "a crooked address is EINVAL");
    check_fails(futex(&shared->word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, (void *)PAGE, 0), EFAULT, "a lock without memory EFAULT");
    check_fails(futex((void *)PAGE, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &shared->lock, 0), EFAULT, "as is a word");
    check_eq(wait_until(&time), -ETIMEDOUT, "the wait ends at a moment of the monotonic clock");
    check_fails(futex(&shared->word, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 0, &past, &shared->lock, 0), ETIMEDOUT,
                "or of the one on the wall");
    check_fails(futex(&shared->word, FUTEX_CMP_REQUEUE_PI, 1, NULL, &shared->word, 0), EINVAL,
                "nobody is moved from a word to itself: EINVAL");
    check_fails(futex(&shared->word, FUTEX_CMP_REQUEUE_PI, 2, NULL, &shared->lock, 0), EINVAL, "one alone is woken: EINVAL");
    check_fails(futex(&shared->word, FUTEX_CMP_REQUEUE_PI, 0, NULL, &shared->lock, 0), EINVAL, "neither more nor less");
    check_fails(futex(&shared->word, FUTEX_CMP_REQUEUE_PI, 1, (void *)-1L, &shared->lock, 0), EINVAL, "-1 to be moved are EINVAL");
    check_fails(futex(&shared->word, FUTEX_CMP_REQUEUE_PI, 1, NULL, &shared->lock, 7), EAGAIN, "another value is EAGAIN");
    check_fails(futex(&shared->word, FUTEX_CMP_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 1, NULL, &shared->lock, 0), ENOSYS,
                "it has no clock: ENOSYS");
    check_eq(signal_waiters(MOST), 0, "where nobody waits nobody is moved");
    check_eq(shared->lock, 0, "and the lock stays free");
}

static void a_free_lock(void)
{
    pid_t child = start(waits, 0);

    check_eq(signal_waiters(0), 1, "when the lock is free one waiter has it at once");
    wait_for(&shared->arrived, 1);
    check_eq(shared->lock, (unsigned int)child, "and its number is in the word");
    check_eq(shared->result[0], 0, "its wait returns 0");
    shared->go = CHILDREN;
    forget();
    child = start(waits, 0);
    check_eq(signal_waiters(MOST), 1, "if more might be moved");
    wait_for(&shared->arrived, 1);
    check_eq(shared->lock, (unsigned int)child | HAS_WAITERS, "the word says that some wait");
    shared->go = CHILDREN;
    forget();
}

static void several(void)
{
    pid_t first;

    first = start(waits, 0);
    for (int i = 1; i < CHILDREN; i++)
        start(waits, i);
    check_eq(signal_waiters(2), 3, "it counts the one that has the lock and those that are moved");
    wait_for(&shared->arrived, 1);
    check_eq(shared->lock, (unsigned int)first | HAS_WAITERS, "the first has it");
    shared->go = 1;
    wait_for(&shared->arrived, 2);
    pass_time();
    check(shared->arrived == 2 && shared->order[1] == 1, "then the second");
    shared->go = 3;
    wait_for(&shared->arrived, 3);
    waitpid(first, NULL, 0);
    pass_time();
    check_eq(shared->lock, 0, "and when all who were moved have had it");
    check_eq(shared->arrived, 3, "one still waits for the word");
    check_eq(signal_waiters(0), 1, "until it is signalled");
    shared->go = CHILDREN;
    wait_for(&shared->arrived, 4);
    check(shared->result[0] == 0 && shared->result[1] == 0 && shared->result[2] == 0 && shared->result[3] == 0,
          "all return 0");
    forget();
}

static void a_taken_lock(void)
{
    LOCK(&shared->lock);
    start(waits, 0);
    start(waits, 1);
    check_eq(signal_waiters(MOST), 2, "when the lock is taken all are moved");
    pass_time();
    check_eq(shared->arrived, 0, "and wait for it");
    check_eq(shared->lock, self | HAS_WAITERS, "as it says");
    UNLOCK(&shared->lock);
    shared->go = CHILDREN;
    wait_for(&shared->arrived, 2);
    check(shared->order[0] == 0 && shared->order[1] == 1, "one after the other");
    forget();
    LOCK(&shared->lock);
    start(waits, 0);
    start(waits, 1);
    check_eq(signal_waiters(0), 1, "one alone is moved when it is one alone");
    UNLOCK(&shared->lock);
    shared->go = CHILDREN;
    wait_for(&shared->arrived, 1);
    signal_waiters(0);
    forget();
}

static void waits_plainly(int number)
{
    shared->ready++;
    shared->result[number] = futex_result(&shared->word, FUTEX_WAIT, shared->word, NULL, NULL, 0);
}

static void misuse(void)
{
    start(waits, 0);
    check_fails(futex(&shared->word, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL, "who waits so is not woken plainly: EINVAL");
    check_fails(futex(&shared->word, FUTEX_CMP_REQUEUE, 0, (void *)1, &shared->lock, 0), EINVAL, "nor moved plainly");
    check_fails(futex(&shared->word, FUTEX_CMP_REQUEUE_PI, 1, NULL, &shared->second, 0), EINVAL,
                "nor to another lock than it has named");
    shared->lock = TID_MASK - 1;
    check_fails(signal_waiters(1), ESRCH, "nor to one whose owner there is not: ESRCH");
    shared->lock = 0;
    check_eq(signal_waiters(1), 1, "but properly");
    shared->go = 1;
    forget();
    start(waits_plainly, 0);
    check_fails(signal_waiters(1), EINVAL, "who waits plainly is not moved to a lock: EINVAL");
    futex(&shared->word, FUTEX_WAKE, 1, NULL, NULL, 0);
    forget();
}

static void waits_shortly(int number)
{
    struct timespec time = after(CLOCK_MONOTONIC, 200);

    shared->ready++;
    shared->result[number] = wait_until(&time);
    shared->arrived++;
}

static volatile int handled;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

static void waits_with_handler(int number)
{
    struct sigaction action = {.sa_handler = handler};

    sigaction(SIGUSR1, &action, NULL);
    waits(number);
    shared->order[3] = (unsigned int)handled;
}

static void endings(void)
{
    pid_t child;

    LOCK(&shared->lock);
    start(waits_shortly, 0);
    signal_waiters(0);
    wait_for(&shared->arrived, 1);
    check_eq(shared->result[0], -ETIMEDOUT, "the time counts for the lock as well");
    UNLOCK(&shared->lock);
    forget();
    LOCK(&shared->lock);
    child = start(waits_with_handler, 0);
    signal_waiters(0);
    kill(child, SIGUSR1);
    wait_for(&shared->arrived, 1);
    check_eq(shared->result[0], -EAGAIN, "a handler ends the wait for the lock: EAGAIN");
    UNLOCK(&shared->lock);
    shared->go = 1;
    forget();
    child = start(waits_with_handler, 0);
    kill(child, SIGUSR1);
    pass_time();
    check_eq(shared->arrived, 0, "but not that for the word");
    check_eq(signal_waiters(0), 1, "which begins anew");
    shared->go = 1;
    waitpid(child, NULL, 0);
    check(shared->result[0] == 0 && shared->order[3] == 1, "after the handler was called");
    forget();
    start(dies_holding, 0);
    start(waits, 1);
    signal_waiters(0);
    shared->go = CHILDREN;
    wait_for(&shared->arrived, 1);
    check_eq(shared->result[1], 0, "an owner that dies leaves the lock to who was moved to it");
    forget();
    child = start(waits, 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    check_eq(signal_waiters(1), 0, "who is killed waits no more");
    forget();
}

int main(void)
{
    share_memory();
    self = (unsigned int)getpid();
    refusals();
    a_free_lock();
    several();
    a_taken_lock();
    misuse();
    endings();
    return done();
}
