/* Signals: the kernel's structures differ a little from those of C programs. */
#include "internal.h"

#include <signal.h>
#include <unistd.h>

#define SIGNAL_COUNT 64

/* struct sigaction as rt_sigaction takes it. */
struct kernel_sigaction {
    sighandler_t handler;
    unsigned long flags;
    void (*restorer)(void);
    sigset_t mask;
};

void __restore_rt(void); /* in crt0.asm: what a handler returns to */

int sigaction(int signal, const struct sigaction *restrict action, struct sigaction *restrict old)
{
    struct kernel_sigaction new_kernel = {0}, old_kernel = {0};
    if (action != NULL) {
        new_kernel = (struct kernel_sigaction){
            .handler = action->sa_handler,
            .flags = (unsigned)action->sa_flags | SA_RESTORER,
            .restorer = __restore_rt,
            .mask = action->sa_mask,
        };
    }
    int result = (int)CALL4(rt_sigaction, signal, action != NULL ? &new_kernel : NULL,
                            old != NULL ? &old_kernel : NULL, sizeof(sigset_t));
    if (result == 0 && old != NULL) {
        old->sa_handler = old_kernel.handler;
        old->sa_mask = old_kernel.mask;
        old->sa_flags = (int)(old_kernel.flags & ~(unsigned long)SA_RESTORER);
        old->sa_restorer = old_kernel.restorer;
    }
    return result;
}

sighandler_t signal(int signal, sighandler_t handler)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigaction old = {.sa_handler = SIG_ERR};
    return sigaction(signal, &action, &old) < 0 ? SIG_ERR : old.sa_handler;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    return (int)CALL4(rt_sigprocmask, how, set, old, sizeof(sigset_t));
}

int sigaltstack(const stack_t *restrict stack, stack_t *restrict old)
{
    return (int)CALL2(sigaltstack, stack, old);
}

int sigsuspend(const sigset_t *mask)
{
    return (int)CALL2(rt_sigsuspend, mask, sizeof(sigset_t));
}

int sigpending(sigset_t *set)
{
    return (int)CALL2(rt_sigpending, set, sizeof(sigset_t));
}

int kill(pid_t process, int signal)
{
    return (int)CALL2(kill, process, signal);
}

int raise(int signal)
{
    return (int)CALL3(tgkill, getpid(), gettid(), signal);
}

int sigemptyset(sigset_t *set)
{
    *set = 0;
    return 0;
}

int sigfillset(sigset_t *set)
{
    *set = ~0UL;
    return 0;
}

static int is_signal(int signal)
{
    if (signal >= 1 && signal <= SIGNAL_COUNT)
        return 1;
    errno = EINVAL;
    return 0;
}

int sigaddset(sigset_t *set, int signal)
{
    if (!is_signal(signal))
        return -1;
    *set |= 1UL << (signal - 1);
    return 0;
}

int sigdelset(sigset_t *set, int signal)
{
    if (!is_signal(signal))
        return -1;
    *set &= ~(1UL << (signal - 1));
    return 0;
}

int sigismember(const sigset_t *set, int signal)
{
    return is_signal(signal) ? (int)(*set >> (signal - 1) & 1) : -1;
}
