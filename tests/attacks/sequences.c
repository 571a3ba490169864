/*
 * Hostile restartable sequences: each time that somebody else has run, or a handler is called, the kernel reads the thread's area,
 * the sequence that it points to and the signature before its end, and writes to the area. Here all of that lies in the kernel, nowhere, at
 * the end of user space, across a page that is not there, or in a page that is read-only or that nobody has touched. The process may die of
 * it; nothing else may happen, and never does it go on at an address of the kernel's.
 *
 *     sequences SEED [COUNT]
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>

#include "tests/attacks/machine.h"

enum { RSEQ = 334, AREA_SIZE = 32, SIGNATURE = 0x53053053, ROUNDS = 40, MICROSECONDS = 50000, AREA_POINTER = 1 };

static const unsigned long places[] = {0, 8, KERNEL_ADDRESS, KERNEL_ADDRESS + 0x100000, 0xffff888000000000, NON_CANONICAL, ~0ul, ~0ul - 31,
                                       USER_END - 1, USER_END - 16, USER_END - 32, USER_END, 0x8000, 4};
#define PLACES (sizeof(places) / sizeof(places[0]))

static unsigned long state;

static unsigned long below(unsigned long limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 8) % limit;
}

static void handle(int signal)
{
    (void)signal;
}

static unsigned long some_place(unsigned long near)
{
    return below(2) ? places[below(PLACES)] : near + below(2 * PAGE) - PAGE;
}

/* A sequence at AT, whose parts may be anywhere; many hold the code that runs now. */
static void write_sequence(unsigned long *at)
{
    unsigned long here = (unsigned long)&handle & ~(PAGE - 1);

    at[0] = below(8) ? 0 : below(16);
    at[1] = below(2) ? here : some_place(here);                    /* start */
    at[2] = below(2) ? 16 * PAGE : some_place(PAGE);                /* length */
    at[3] = below(2) ? (unsigned long)at + 40 : some_place(here);   /* abort: data, which can't be executed */
    *(unsigned int *)((char *)at + 36) = below(4) ? SIGNATURE : 0;
}

static void hostile(void *seed)
{
    char *pages = anon(4);
    unsigned long *area;

    state = (unsigned long)seed * 0x9e3779b97f4a7c15ul | 1;
    area = (unsigned long *)(pages + PAGE - AREA_SIZE * (1 + below(3)));
    signal(SIGUSR1, handle);
    if (syscall(RSEQ, below(16) ? (unsigned long)area : places[below(PLACES)] & ~31ul, AREA_SIZE, 0, SIGNATURE) != 0)
        _exit(0);
    for (int i = 0; i < ROUNDS; i++) {
        unsigned long *sequence = (unsigned long *)(pages + below(2) * PAGE + PAGE - 8 * below(8));
        write_sequence(sequence);
        area[AREA_POINTER] = below(4) ? (unsigned long)sequence : some_place((unsigned long)pages + PAGE);
        switch (below(8)) {
        case 0:
            raw_munmap(pages + PAGE, PAGE);
            raw_mmap((unsigned long)pages + PAGE, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1, 0);
            break;
        case 1:
            raw_mprotect(pages, PAGE, PROT_READ);
            break;
        case 2:
            raw_munmap(pages, PAGE);
            break;
        case 3:
            kill(getpid(), SIGUSR1);
            break;
        default:
            sched_yield();
        }
    }
    _exit(0);
}

int main(int count, char **words)
{
    static struct machine before;
    unsigned long seed = count > 1 ? strtoul(words[1], NULL, 10) : 1, children = count > 2 ? strtoul(words[2], NULL, 10) : 300;
    unsigned long died = 0, wrong = 0;

    note("seed %lu, %lu processes", seed, children);
    audit_is_clean();
    status_of_child(hostile, (void *)seed);
    look_at_machine_before(&before);
    for (unsigned long i = 1; i <= children; i += 2) {
        /* Two at a time, so that each is interrupted by the other. */
        pid_t other = fork();
        if (other == 0)
            hostile((void *)(seed * children + i + 1));
        int status = status_of_child(hostile, (void *)(seed * children + i));
        wait_at_most(other, MICROSECONDS);
        died += WIFSIGNALED(status);
        wrong += WIFSIGNALED(status) && WTERMSIG(status) != SIGSEGV && WTERMSIG(status) != SIGILL && WTERMSIG(status) != SIGTRAP;
    }
    check(died > children / 20, "hostile sequences are deadly for who has them");
    check_eq(wrong, 0, "by no other signal than that of a bad access or instruction");
    check(machine_is_back(&before), "the machine holds no frame and no object more than before");
    check(audit_is_clean(), "and the audit finds nothing");
    return done();
}
