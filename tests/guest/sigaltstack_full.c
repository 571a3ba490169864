/* Checks what happens when a signal frame has no room on the alternate stack. */
#define _GNU_SOURCE
#include <sys/auxv.h>

#include "catch.h"

#define GUARD_BYTES (16 * PAGE)

static char *memory; /* shared: the guard bytes, then the stack */
static unsigned long stack_size;
static volatile int *depth;

static void nests(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    ++*depth;
    raise(SIGUSR1);
}

static void nests_without_end(void *nothing)
{
    stack_t stack = {.ss_sp = memory + GUARD_BYTES, .ss_size = stack_size};

    (void)nothing;
    if (sigaltstack(&stack, NULL) != 0)
        _exit(1);
    set_handler(SIGUSR1, nests, SA_ONSTACK | SA_NODEFER);
    raise(SIGUSR1);
}

static void looks_once(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    _exit(7);
}

static void signal_on_smallest(void *nothing)
{
    stack_t stack = {.ss_sp = memory + GUARD_BYTES, .ss_size = stack_size};

    (void)nothing;
    if (sigaltstack(&stack, NULL) != 0)
        _exit(errno);
    set_handler(SIGUSR1, looks_once, SA_ONSTACK);
    raise(SIGUSR1);
    _exit(0);
}

int main(void)
{
    memory = mmap(NULL, GUARD_BYTES + 64 * PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    depth = mmap(NULL, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    if (memory == MAP_FAILED || depth == MAP_FAILED)
        bail_out("no shared memory: errno %d", errno);
    memset(memory, 0x5a, GUARD_BYTES);

    stack_size = 32 * 1024;
    check_eq(signal_of_child(nests_without_end, NULL), SIGSEGV, "handlers that fill the alternate stack end with SIGSEGV");
    check(*depth >= 2 && *depth < 32, "after those that fit");
    check(all_bytes_are(memory, GUARD_BYTES, 0x5a), "and nothing below the stack was written");

    stack_size = 2047;
    check_eq(status_of_child(signal_on_smallest, NULL), ENOMEM << 8, "a stack below MINSIGSTKSZ is ENOMEM");
    /* The frame, and the little that the handler itself needs. */
    stack_size = getauxval(51 /* AT_MINSIGSTKSZ */) + 1024;
    check_eq(status_of_child(signal_on_smallest, NULL), 7 << 8, "a stack of AT_MINSIGSTKSZ and a little more is enough");
    return done();
}
