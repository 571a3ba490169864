/* Catches the signal of a fault, keeps what the handler was told, and goes on behind the faulting code. */
#ifndef TESTS_GUEST_CATCH_H
#define TESTS_GUEST_CATCH_H

#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include "mem.h"

/* What the last handler was told. */
static struct {
    int count, signal, code;
    unsigned long address, error, trap, cr2, instruction, flags;
} caught;

static sigjmp_buf catch_return;

MAYBE_UNUSED static void catch_handler(int signal, siginfo_t *info, void *context)
{
    const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    caught.count++;
    caught.signal = signal;
    caught.code = info->si_code;
    caught.address = (unsigned long)info->si_addr;
    caught.error = (unsigned long)registers[REG_ERR];
    caught.trap = (unsigned long)registers[REG_TRAPNO];
    caught.cr2 = (unsigned long)registers[REG_CR2];
    caught.instruction = (unsigned long)registers[REG_RIP];
    caught.flags = (unsigned long)registers[REG_EFL];
    siglongjmp(catch_return, 1);
}

MAYBE_UNUSED static void set_handler(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    if (sigaction(signal, &action, NULL) != 0)
        bail_out("sigaction for signal %d failed with errno %d", signal, errno);
}

MAYBE_UNUSED static void catch_faults(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};

    for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        set_handler(signals[i], catch_handler, 0);
}

/* Runs BODY(ARGUMENT); whether it ran to its end without a signal. */
MAYBE_UNUSED static bool goes_well(void (*body)(void *), const void *argument)
{
    memset(&caught, 0, sizeof(caught));
    if (sigsetjmp(catch_return, 1) != 0)
        return false;
    body((void *)argument);
    return true;
}

/* The signal of BODY(ARGUMENT) as text: "SEGV code 1 error 4 trap 14", or "nothing". */
MAYBE_UNUSED static const char *fault_of(void (*body)(void *), const void *argument)
{
    static const struct {
        int signal;
        const char *name;
    } names[] = {{SIGSEGV, "SEGV"}, {SIGBUS, "BUS"}, {SIGILL, "ILL"}, {SIGFPE, "FPE"},
                 {SIGTRAP, "TRAP"}};
    static char text[96];
    const char *name = "another signal";

    if (goes_well(body, argument))
        return "nothing";
    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].signal == caught.signal)
            name = names[i].name;
    snprintf(text, sizeof(text), "%s code %d error %lx trap %lu", name, caught.code, caught.error,
             caught.trap);
    return text;
}

#endif
