/* Bombs of processes and threads. */
#define _GNU_SOURCE
#include "tests/attacks/charges/charges.h"

#include <sched.h>

#include "tests/guest/mem.h"

#define ZOMBIES 1000
#define THREAD_FLAGS 0x50f00    /* CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM */
#define STACK_OF_A_THREAD 4096

int forest(void)
{
    while (fork() >= 0 || sched_yield() == 0)
        continue;
    return 1;
}

/* Leaders of sessions come last, but these are not the shell: their parent is not PID 1. */
int sessions(void)
{
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            setsid();
            _exit(memory());
        }
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    return 0;
}

int zombies(void)
{
    int count = 0;

    while (count < ZOMBIES) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        if (child < 0)
            break; /* no memory for more: a small machine */
        count++;
    }
    if (count < 100)
        return 1;
    for (int i = 0; i < count; i++) /* half of them are waited for, the rest is left to PID 1 */
        if (i % 2 == 0 && wait(NULL) < 0)
            return 2;
    return 0;
}

static int thread_body(void *nothing)
{
    (void)nothing;
    while (pause() < 0)
        continue;
    return 0;
}

int threads(void)
{
    int count = 0;

    for (; count < 20000; count++) {
        char *stack = raw_mmap(0, STACK_OF_A_THREAD, READ_WRITE, PRIVATE_ANON, -1, 0);
        if (stack == MAP_FAILED || clone(thread_body, stack + STACK_OF_A_THREAD, THREAD_FLAGS, NULL) < 0)
            break;
    }
    return count > 50 ? 0 : 1;
}
