/*
 * A storm of futex calls: threads of many processes wait for, wake, lend, requeue and poke at the same few words, which hold numbers of
 * threads, garbage, or what a call has left there; they get other priorities, die in the middle of it, and leave hostile robust lists
 * behind. Whatever becomes of them, the machine is afterwards what it was.
 *
 *     futexes SEED [ROUNDS]
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "tests/attacks/machine.h"

enum { PROCESSES = 6, THREADS = 3, WORDS = 4, STEPS = 300, STACK_SIZE = 16384, DYING_ONE_IN = 150 };
/* Wait, wake, …, lock (6), unlock, try, wait with bits, wake with bits, wait for a lock (11), requeue to one (12), lock with another clock. */
enum { OPERATIONS = 14, PRIVATE = 128, SET_PRIORITY = 141, SET_ROBUST_LIST = 273, HAS_WAITERS = 1 << 31, OWNER_DIED = 1 << 30 };
#define SECONDS_OF_A_ROUND 5

static struct common {
    unsigned int words[WORDS];
    int threads[PROCESSES * (THREADS + 1)];     /* their numbers, in whatever order */
    unsigned int known;
    struct {
        unsigned long next;
        long offset;
        unsigned long pending;
    } list;
} *common;

static unsigned long random_of(unsigned long *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 8;
}

static unsigned int *some_word(unsigned long *state)
{
    return &common->words[random_of(state) % WORDS];
}

static void poke(unsigned long *state)
{
    unsigned int thread = (unsigned int)common->threads[random_of(state) % (PROCESSES * (THREADS + 1))];
    static const unsigned int bits[] = {0, HAS_WAITERS, OWNER_DIED, HAS_WAITERS | OWNER_DIED};

    switch (random_of(state) % 4) {
    case 0:
        *some_word(state) = 0;
        break;
    case 1:
        *some_word(state) = (unsigned int)random_of(state);
        break;
    default:
        *some_word(state) = thread | bits[random_of(state) % 4];
    }
}

/* One that leads into the words, into the kernel, to nowhere, or in a circle. */
static void leave_robust_list(unsigned long *state)
{
    static const unsigned long places[] = {KERNEL_ADDRESS, NON_CANONICAL, 8, USER_END - 4};

    common->list.offset = (long)(random_of(state) % 64) - 32;
    common->list.next = random_of(state) % 2 ? places[random_of(state) % 4] : (unsigned long)&common->list;
    common->list.pending = random_of(state) % 2 ? (unsigned long)some_word(state) : places[random_of(state) % 4];
    syscall(SET_ROBUST_LIST, &common->list, 24L);
}

static void step(unsigned long *state)
{
    struct timespec soon = {0, (long)(random_of(state) % 3) * 1000000};
    unsigned int *word = some_word(state);
    long operation = (long)(random_of(state) % OPERATIONS) | (random_of(state) % 4 ? 0 : PRIVATE);
    int priority = (int)(random_of(state) % 40) - 20;

    switch (random_of(state) % 16) {
    case 0:
        poke(state);
        break;
    case 1:
        leave_robust_list(state);
        break;
    case 2:
        syscall(SET_PRIORITY, 0, 0, priority);
        break;
    default:
        /* The fourth argument is a time for some, and how many to move for others. */
        syscall(SYS_futex, word, operation, random_of(state) % 4 ? *word : random_of(state) % 4,
                random_of(state) % 8 ? (long)&soon : (long)(random_of(state) % 4), some_word(state),
                random_of(state) % 4 ? (unsigned long)*word : random_of(state));
    }
}

static int storm(void *seed)
{
    unsigned long state = (unsigned long)seed;

    common->threads[common->known++ % (PROCESSES * (THREADS + 1))] = (int)syscall(SYS_gettid);
    for (int i = 0; i < STEPS && random_of(&state) % DYING_ONE_IN != 0; i++)
        step(&state);
    if (random_of(&state) % 4 == 0)
        kill(getpid(), SIGKILL);
    syscall(SYS_exit, 0L);
    return 0;
}

static void process(unsigned long seed)
{
    static char stacks[THREADS][STACK_SIZE];

    for (unsigned long i = 0; i < THREADS; i++)
        clone(storm, stacks[i] + STACK_SIZE, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
              (void *)(seed * 7919 + i * 104729 + 1));
    storm((void *)(seed * 6700417 + 3));
}

/* PROCESSES at a time; who does not end by himself is ended. */
static void round_of(unsigned long seed)
{
    pid_t of[PROCESSES];

    memset(common, 0, sizeof(*common));
    for (unsigned long i = 0; i < PROCESSES; i++) {
        of[i] = fork();
        if (of[i] == 0)
            process(seed * PROCESSES + i);
    }
    for (int i = 0; i < PROCESSES; i++)
        if (of[i] > 0)
            wait_at_most(of[i], i == 0 ? SECONDS_OF_A_ROUND * 100000 : 100000);
}

int main(int count, char **words)
{
    static struct machine before;
    unsigned long seed = count > 1 ? strtoul(words[1], NULL, 10) : 1, rounds = count > 2 ? strtoul(words[2], NULL, 10) : 20;

    common = raw_mmap(0, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    /* Whatever these take of our own memory is there from now on. */
    note("seed %lu, %lu rounds", seed, rounds);
    audit_is_clean();
    round_of(seed);
    look_at_machine_before(&before);
    for (unsigned long i = 1; i <= rounds; i++)
        round_of(seed + i);
    check(true, "a storm of futex calls goes over");
    check(machine_is_back(&before), "the machine holds no frame and no object more than before it");
    check(audit_is_clean(), "and the audit finds nothing");
    return done();
}
