/* Checks futexes that lend priority: taking and giving back, waiting, owners that die, circles, words that are wrong. */
#define _GNU_SOURCE
#include <sched.h>

#include "futex_pi.h"

#define LOCK(word) futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0)
#define UNLOCK(word) futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0)
#define TRY(word) futex(word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0)

static unsigned int self;

static void alone(void)
{
    struct timespec bad = {0, 1000000000}, past = {1, 0};

    check_eq(LOCK(&shared->lock), 0, "a free lock is taken");
    check_eq(shared->lock, self, "and has its owner's number");
    check_fails(LOCK(&shared->lock), EDEADLK, "once: EDEADLK");
    check_fails(TRY(&shared->lock), EDEADLK, "however it is tried");
    check_eq(UNLOCK(&shared->lock), 0, "it is given back");
    check_eq(shared->lock, 0, "and free");
    check_fails(UNLOCK(&shared->lock), EPERM, "only by its owner: EPERM");
    check_eq(TRY(&shared->lock), 0, "a free lock is taken by a try, too");
    shared->lock |= HAS_WAITERS;
    check_eq(UNLOCK(&shared->lock), 0, "where nobody waits");
    check_eq(shared->lock, 0, "the word is cleared, whatever it said");
    shared->lock = OWNER_DIED;
    check_eq(LOCK(&shared->lock), 0, "a dead owner's lock is taken");
    check_eq(shared->lock, OWNER_DIED | self, "and stays marked");
    UNLOCK(&shared->lock);
    check_eq(futex(&shared->lock, FUTEX_LOCK_PI, 0, &past, NULL, 0), 0, "a free one is taken even when it is too late");
    check_fails(futex(&shared->lock, FUTEX_LOCK_PI, 0, &bad, NULL, 0), EINVAL, "10^9 nanoseconds are EINVAL");
    check_fails(futex(&shared->lock, FUTEX_TRYLOCK_PI, 0, &bad, NULL, 0), EDEADLK, "but a try has no time");
    UNLOCK(&shared->lock);
    check_fails(futex(&shared->lock, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS,
                "LOCK_PI is always by the clock on the wall: to say so is ENOSYS");
    check_fails(futex(&shared->lock, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, &bad, NULL, 0), EINVAL,
                "though the time is looked at first: EINVAL");
    check_eq(futex(&shared->lock, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0), 0, "LOCK_PI2 has the choice");
    UNLOCK(&shared->lock);
}

static void addresses(void)
{
    char *page = anon(1);
    pid_t child;

    check_fails(LOCK((char *)&shared->lock + 1), EINVAL, "a crooked address is EINVAL");
    check_fails(LOCK((void *)KERNEL_ADDRESS), EFAULT, "a kernel address EFAULT");
    check_fails(LOCK((void *)PAGE), EFAULT, "one without memory, too");
    check_fails(UNLOCK((void *)PAGE), EFAULT, "also for who gives back");
    check_fails(UNLOCK((char *)&shared->lock + 1), EPERM, "who is asked first whether it is the owner");
    raw_mprotect(page, PAGE, PROT_READ);
    check_fails(LOCK(page), EFAULT, "a word that cannot be written is EFAULT");
    check_fails(futex(page, FUTEX_LOCK_PI | 128, 0, NULL, NULL, 0), EFAULT, "private or not");
    raw_munmap(page, PAGE);
    shared->lock = TID_MASK - 1;
    check_fails(LOCK(&shared->lock), ESRCH, "an owner that there is not is ESRCH");
    check_eq(shared->lock, (TID_MASK - 1) | HAS_WAITERS, "the word says by then that somebody waits");
    child = fork();
    if (child == 0)
        _exit(0);
    pass_time();
    shared->lock = (unsigned int)child;
    check_fails(LOCK(&shared->lock), ESRCH, "one that has ended, too, though its parent has not asked yet");
    waitpid(child, NULL, 0);
    shared->lock = 0;
}

static void waiting(void)
{
    struct timespec time = after(CLOCK_REALTIME, 30);
    pid_t child = start(holds, 0);

    check_fails(TRY(&shared->lock), EAGAIN, "to try for another one's lock is EAGAIN");
    check_eq(shared->lock, (unsigned int)child | HAS_WAITERS, "which makes its owner come to the kernel");
    check_fails(futex(&shared->lock, FUTEX_LOCK_PI, 0, &time, NULL, 0), ETIMEDOUT, "waiting ends at a moment of the clock on the wall");
    time = after(CLOCK_MONOTONIC, 30);
    check_fails(futex(&shared->lock, FUTEX_LOCK_PI2, 0, &time, NULL, 0), ETIMEDOUT, "with LOCK_PI2 of the monotonic one");
    check_eq(shared->lock, (unsigned int)child | HAS_WAITERS, "and nothing has changed");
    shared->go = 1;
    check_eq(LOCK(&shared->lock), 0, "or when the owner gives it back");
    check_eq(shared->lock, self | HAS_WAITERS, "the kernel has written the next one's number");
    check_eq(shared->result[0], 0, "and told the other so");
    check_eq(UNLOCK(&shared->lock), 0, "and so on");
    check_eq(shared->lock, 0, "till nobody waits");
    forget();
}

static void order(void)
{
    LOCK(&shared->lock);
    for (int i = 0; i < CHILDREN; i++)
        start(locks, i);
    check_eq(shared->lock, self | HAS_WAITERS, "several wait");
    UNLOCK(&shared->lock);
    wait_for(&shared->arrived, CHILDREN);
    check(shared->order[0] == 0 && shared->order[1] == 1 && shared->order[2] == 2 && shared->order[3] == 3,
          "and have it in the order in which they came");
    check(shared->result[0] == 0 && shared->result[3] == 0, "each without an error");
    while (wait(NULL) > 0)
        continue;
    check_eq(shared->lock, 0, "the last one frees it");
    forget();
}

static void owners_that_die(void)
{
    start(dies_holding, 0);
    shared->go = 1;
    check_eq(LOCK(&shared->lock), 0, "when its owner dies a lock goes to who waits");
    check_eq(shared->lock, self | HAS_WAITERS | OWNER_DIED, "and says so");
    check_eq(UNLOCK(&shared->lock), 0, "until it is given back");
    check_eq(shared->lock, 0, "all at once");
    forget();
    start(dies_holding, 0);
    start(locks, 1);
    start(locks, 2);
    shared->go = 1;
    wait_for(&shared->arrived, 2);
    check(shared->order[0] == 1 && shared->order[1] == 2, "others wait on for the next owner");
    forget();
}

static void killed_while_waiting(void)
{
    pid_t first, second;

    LOCK(&shared->lock);
    first = start(locks, 0);
    second = start(locks, 1);
    kill(first, SIGKILL);
    waitpid(first, NULL, 0);
    UNLOCK(&shared->lock);
    wait_for(&shared->arrived, 1);
    waitpid(second, NULL, 0);
    check(shared->arrived == 1 && shared->order[0] == 1, "who is killed while it waits gets nothing");
    forget();
}

/* Holds the second lock and waits for the first. */
static void crosses(int number)
{
    LOCK(&shared->second);
    locks(number);
    UNLOCK(&shared->second);
}

static void circles(void)
{
    LOCK(&shared->lock);
    start(crosses, 0);
    check_fails(LOCK(&shared->second), EDEADLK, "who waits for an owner that waits for it would wait for ever: EDEADLK");
    check_fails(TRY(&shared->second), EAGAIN, "a try does not wait");
    UNLOCK(&shared->lock);
    check_eq(LOCK(&shared->second), 0, "and when the other has done its part it can be had");
    check_eq(shared->result[0], 0, "which had no trouble");
    UNLOCK(&shared->second);
    forget();
}

static volatile int handled;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

static void handles(int number)
{
    struct sigaction action = {.sa_handler = handler};

    sigaction(SIGUSR1, &action, NULL);
    locks(number);
    shared->order[3] = (unsigned int)handled;
}

static void signals(void)
{
    pid_t child;

    LOCK(&shared->lock);
    child = start(handles, 0);
    kill(child, SIGUSR1);
    pass_time();
    check_eq(shared->arrived, 0, "a handler does not end the wait");
    UNLOCK(&shared->lock);
    waitpid(child, NULL, 0);
    check_eq(shared->result[0], 0, "which goes on after it");
    check_eq(shared->order[3], 1, "and it was called");
    forget();
}

static void waits_plainly(int number)
{
    shared->ready++;
    shared->result[number] = futex_result(&shared->lock, FUTEX_WAIT, shared->lock, NULL, NULL, 0);
}

static void wrong_words(void)
{
    pid_t child;

    LOCK(&shared->lock);
    start(locks, 0);
    check_fails(futex(&shared->lock, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL, "who waits for a lock is not woken plainly: EINVAL");
    check_fails(futex(&shared->lock, FUTEX_REQUEUE, 0, (void *)1, &shared->word, 0), EINVAL, "nor moved");
    child = start(dies_holding, 0);     /* another one's number in the word */
    check_fails(LOCK(&shared->lock), EINVAL, "a word that names another owner than the kernel knows is EINVAL");
    check_fails(UNLOCK(&shared->lock), EPERM, "and is not to be given back");
    shared->go = 1;
    waitpid(child, NULL, 0);
    shared->lock = OWNER_DIED | HAS_WAITERS;
    start(locks, 1);
    shared->lock = self | HAS_WAITERS;
    UNLOCK(&shared->lock);
    wait_for(&shared->arrived, 2);
    check_eq(shared->order[0], 0, "one that names none, but a dead one, is taken for a moment on the way");
    forget();
    shared->lock = self;
    child = start(waits_plainly, 0);
    check_fails(UNLOCK(&shared->lock), EINVAL, "where somebody waits plainly nothing is handed on: EINVAL");
    shared->lock = 0;
    check_fails(LOCK(&shared->lock), EINVAL, "nor waited for");
    check_eq(futex(&shared->lock, FUTEX_WAKE, 1, NULL, NULL, 0), 1, "but woken");
    forget();
}

static void dies_with_list(int pending)
{
    shared->link.lock = (unsigned int)getpid();
    shared->link.next = (unsigned long)&shared->head;
    shared->head.first = pending ? (unsigned long)&shared->head : (unsigned long)&shared->link | 1;
    shared->head.pending = pending ? (unsigned long)&shared->link | (pending == 1) : 0;
    shared->head.offset = (long)sizeof(unsigned long);
    if (pending == 2)
        shared->link.lock = 0;
    syscall(SYS_set_robust_list, &shared->head, (long)sizeof(shared->head));
    shared->ready++;
    wait_for(&shared->go, 1);
}

static void waits_for_link(int number)
{
    shared->ready++;
    shared->result[number] = futex_result(&shared->link.lock, FUTEX_WAIT, shared->link.lock, NULL, NULL, 0);
    shared->arrived++;
}

static void robust(void)
{
    pid_t child = start(dies_with_list, 0);

    shared->go = 1;
    waitpid(child, NULL, 0);
    check_eq(shared->link.lock, OWNER_DIED, "a dying thread's list may have locks that lend priority");
    forget();
    start(dies_with_list, 0);
    shared->go = 1;
    check_eq(LOCK(&shared->link.lock), 0, "which go to who waits");
    check_eq(shared->link.lock, self | HAS_WAITERS | OWNER_DIED, "and are marked");
    UNLOCK(&shared->link.lock);
    forget();
    child = start(dies_with_list, 1);
    shared->go = 1;
    waitpid(child, NULL, 0);
    check_eq(shared->link.lock, OWNER_DIED, "so is one that it was just taking");
    forget();
    start(waits_for_link, 0);
    child = start(dies_with_list, 2);
    shared->go = 1;
    waitpid(child, NULL, 0);
    wait_for(&shared->arrived, 1);
    check_eq(shared->result[0], 0, "if it had just given back a plain one, somebody is woken for it");
    forget();
}

static void executes(int number)
{
    static char *const arguments[] = {"futex_pi", "wait", NULL}, *const environment[] = {NULL};

    (void)number;
    shared->lock = (unsigned int)getpid();
    shared->ready++;
    wait_for(&shared->go, 1);
    execve("/proc/self/exe", arguments, environment);
}

static void new_programs(void)
{
    pid_t child = start(executes, 0);

    shared->go = 1;
    check_eq(LOCK(&shared->lock), 0, "a new program has none of the old one's locks");
    check_eq(shared->lock, self | HAS_WAITERS | OWNER_DIED, "as if that had died");
    UNLOCK(&shared->lock);
    kill(child, SIGKILL);
    forget();
}

int main(int count, char **arguments)
{
    (void)arguments;
    if (count > 1)
        for (;;)
            pass_time();
    share_memory();
    self = (unsigned int)getpid();
    alone();
    addresses();
    waiting();
    order();
    owners_that_die();
    killed_while_waiting();
    circles();
    signals();
    wrong_words();
    robust();
    new_programs();
    return done();
}
