/* A worker of the fuzzer: starts one short-lived process after the other, ends those that hang, and adds up. */
#define _GNU_SOURCE
#include "tests/attacks/fuzzer/calls.h"

#include "tests/attacks/machine.h"

#define LIFE_MICROSECONDS 30000

/* Kills whatever is left of a process: its children may have left its group, but not its user. */
static void sweep(unsigned int worker, pid_t group)
{
    pid_t sweeper = fork();

    kill(-group, SIGKILL);
    if (sweeper == 0) {
        if (setuid(FIRST_USER + worker) == 0)
            kill(-1, SIGKILL);
        _exit(0);
    }
    while (waitpid(sweeper, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/*
 * Whether the notes can have been made by judge() (process.c): a signal's frame made of random bytes can also have sent
 * the process into the middle of it.
 */
static bool are_sound(const struct score *score)
{
    return score->first_mark == SCORE_MARK && score->last_mark == SCORE_MARK && score->made <= CALLS_OF_A_PROCESS &&
           (score->leaked == 0 || is_kernel_address(score->leak.value)) &&
           (score->changed == 0 || (score->change.given != score->change.found && score->change.number < REGISTERS));
}

/* Adds what a process has noted to what its worker knows. */
static void add_up(struct total *total, const struct score *score)
{
    struct score *sum = &total->of_all;

    if (!are_sound(score)) {
        total->destroyed_processes++;
        return;
    }
    sum->made += score->made;
    sum->destroyed += score->destroyed;
    sum->hash = sum->hash * 31 + score->hash;
    sum->changed += score->changed;
    sum->leaked += score->leaked;
    if (score->changed)
        sum->change = score->change;
    if (score->leaked)
        sum->leak = score->leak;
    for (int i = 0; i < NUMBERS; i++)
        total->of_call[i] += score->of_call[i];
}

void work(struct total *total, unsigned int worker, unsigned long seed, unsigned long count)
{
    struct score *score = raw_mmap(0, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    unsigned long round = 0;

    _Static_assert(sizeof(*score) <= PAGE, "a score fits into a page");
    while (total->of_all.made < count) {
        memset(score, 0, sizeof(*score));
        score->first_mark = score->last_mark = SCORE_MARK;
        pid_t child = fork();
        if (child == 0)
            live(score, worker, seed + round * 0x9e3779b97f4a7c15ul);
        if (child < 0) {
            usleep(LIFE_MICROSECONDS);
            continue;
        }
        wait_at_most(child, LIFE_MICROSECONDS);
        sweep(worker, child);
        add_up(total, score);
        round++;
    }
    _exit(0);
}
