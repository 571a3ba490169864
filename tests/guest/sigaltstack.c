/* Checks the alternate signal stack: when it is used, what it survives, and its refusals. */
#define _GNU_SOURCE
#include "catch.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

enum { STACK_SIZE = 16 * 4096 };

static char *alternate;
static volatile unsigned long handler_stack;
static volatile int handler_flags, handled;

static long set_stack(void *start, int flags, unsigned long size)
{
    stack_t stack;

    memset(&stack, 0, sizeof(stack));
    stack.ss_sp = start;
    stack.ss_flags = flags;
    stack.ss_size = size;
    return syscall(SYS_sigaltstack, &stack, NULL);
}

static bool on_alternate(unsigned long address)
{
    return address >= (unsigned long)alternate && address < (unsigned long)alternate + STACK_SIZE;
}

static void looks(int signal, siginfo_t *info, void *context)
{
    stack_t now;
    char here;

    (void)signal;
    (void)info;
    (void)context;
    handled++;
    handler_stack = (unsigned long)&here;
    syscall(SYS_sigaltstack, NULL, &now);
    handler_flags = now.ss_flags;
}

static void when_it_is_used(void)
{
    stack_t now;

    syscall(SYS_sigaltstack, NULL, &now);
    check(now.ss_flags == SS_DISABLE && now.ss_size == 0, "at first there is none");
    check_eq(set_stack(alternate, 0, STACK_SIZE), 0, "one can be set");
    syscall(SYS_sigaltstack, NULL, &now);
    check(now.ss_sp == alternate && now.ss_size == STACK_SIZE && now.ss_flags == 0,
          "and is told back");
    set_handler(SIGUSR1, looks, 0);
    kill(getpid(), SIGUSR1);
    check(!on_alternate(handler_stack), "a handler without SA_ONSTACK does not use it");
    check_eq(handler_flags, 0, "and is not on it");
    set_handler(SIGUSR1, looks, SA_ONSTACK);
    kill(getpid(), SIGUSR1);
    check(on_alternate(handler_stack), "a handler with SA_ONSTACK runs on it");
    check_eq(handler_flags, SS_ONSTACK, "and is told so");
    syscall(SYS_sigaltstack, NULL, &now);
    check_eq(now.ss_flags, 0, "after the handler it is free again");
}

static void refusals(void)
{
    check_fails(set_stack(alternate, 0, 2047), ENOMEM, "one of less than 2048 bytes is ENOMEM");
    check_fails(set_stack(alternate, 4, STACK_SIZE), EINVAL, "an unknown flag is EINVAL");
    check_fails(syscall(SYS_sigaltstack, 8, NULL), EFAULT, "a bad pointer is EFAULT");
    check_eq(set_stack(alternate, SS_ONSTACK, STACK_SIZE), 0, "the flag SS_ONSTACK is accepted");
    check_eq(set_stack((void *)8, SS_DISABLE, 1), 0, "it can be switched off");
    set_handler(SIGUSR1, looks, SA_ONSTACK);
    kill(getpid(), SIGUSR1);
    check(!on_alternate(handler_stack), "then handlers run on the ordinary stack");
    set_stack(alternate, 0, STACK_SIZE);
}

static volatile long change_errno;

static void changes_it(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    errno = 0;
    set_stack(alternate, 0, STACK_SIZE / 2);
    change_errno = errno;
}

static void while_in_use(void)
{
    set_handler(SIGUSR1, changes_it, SA_ONSTACK);
    kill(getpid(), SIGUSR1);
    check_eq(change_errno, EPERM, "it cannot be changed by a handler that runs on it");
    set_stack(alternate, (int)SS_AUTODISARM, STACK_SIZE);
    kill(getpid(), SIGUSR1);
    check_eq(change_errno, 0, "but with SS_AUTODISARM it can");
    set_stack(alternate, 0, STACK_SIZE);
}

static sigjmp_buf out;
static volatile unsigned long fault_address;

static void jumps_out(int signal, siginfo_t *info, void *context)
{
    char here;

    (void)signal;
    (void)context;
    handler_stack = (unsigned long)&here;
    fault_address = (unsigned long)info->si_addr;
    siglongjmp(out, 1);
}

static volatile bool never;

__attribute__((noinline)) static int endless(volatile char *previous)
{
    volatile char frame[2000];

    frame[0] = previous[0];
    return never ? 0 : endless(frame) + frame[0];
}

static void stack_overflow(void)
{
    volatile char first = 1;
    int status;

    set_handler(SIGSEGV, jumps_out, SA_ONSTACK);
    if (sigsetjmp(out, 1) == 0) {
        endless(&first);
        status = 0;
    } else {
        status = 1;
    }
    check_eq(status, 1, "a stack overflow is caught on the alternate stack");
    check(on_alternate(handler_stack), "where the handler ran");
    check((unsigned long)&first - fault_address > (7UL << 20), "the fault was about 8 MiB below");
}

static void overflows_with_handler(void *flags)
{
    volatile char first = 1;

    if (flags == NULL)
        set_stack(NULL, SS_DISABLE, 0);
    set_handler(SIGSEGV, looks, flags == NULL ? SA_ONSTACK : 0);
    endless(&first);
}

static void overflow_without_it(void)
{
    check_eq(signal_of_child(overflows_with_handler, NULL), SIGSEGV,
             "an overflow with a handler but no alternate stack kills");
    check_eq(signal_of_child(overflows_with_handler, alternate), SIGSEGV,
             "one whose handler is not for the alternate stack too");
}

static void looks_in_child(void *nothing)
{
    stack_t now;

    (void)nothing;
    syscall(SYS_sigaltstack, NULL, &now);
    _exit(now.ss_sp == alternate ? 0 : 1);
}

static void nested(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    if (signal == SIGUSR1) {
        kill(getpid(), SIGUSR2);
        handled += on_alternate(handler_stack);
    } else {
        char here;

        handler_stack = (unsigned long)&here;
    }
}

int main(void)
{
    alternate = anon(STACK_SIZE / PAGE);
    when_it_is_used();
    refusals();
    while_in_use();
    stack_overflow();
    overflow_without_it();
    set_stack(alternate, 0, STACK_SIZE);
    check_eq(status_of_child(looks_in_child, NULL), 0, "a child inherits it");
    handled = 0;
    set_handler(SIGUSR1, nested, SA_ONSTACK);
    set_handler(SIGUSR2, nested, SA_ONSTACK);
    kill(getpid(), SIGUSR1);
    check_eq(handled, 1, "a second signal during a handler on it continues on it");
    return done();
}
