/* Checks signals: how handlers run, what their flags do, masks, what is pending, what is inherited. */
#define _GNU_SOURCE
#include "catch.h"
#include <time.h>

static volatile int handled, depth, deepest, last_code, last_sender;
static char *self;

static void counting(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    handled++;
    last_code = info->si_code;
    last_sender = info->si_pid;
}

static void reset(void)
{
    handled = depth = deepest = 0;
}

static void nesting(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (handled++ < 3)
        kill(getpid(), signal);
    depth--;
}

static void handlers(void)
{
    reset();
    set_handler(SIGUSR1, counting, 0);
    check_eq(kill(getpid(), SIGUSR1), 0, "a process may send itself a signal");
    check_eq(handled, 1, "the handler has run when kill returns");
    check_eq(last_code, SI_USER, "with code SI_USER");
    check_eq(last_sender, getpid(), "and the sender's number");
    raise(SIGUSR1);
    check_eq(handled, 2, "raise runs it too");
    check_eq(last_code, SI_TKILL, "with code SI_TKILL");
    signal(SIGUSR1, SIG_IGN);
    kill(getpid(), SIGUSR1);
    check_eq(handled, 2, "an ignored signal has no effect");
}

static void nested_handlers(void)
{
    reset();
    set_handler(SIGUSR1, nesting, 0);
    kill(getpid(), SIGUSR1);
    check_eq(handled, 4, "a signal sent from its own handler comes afterwards");
    check_eq(deepest, 1, "its handler does not nest");
    reset();
    set_handler(SIGUSR1, nesting, SA_NODEFER);
    kill(getpid(), SIGUSR1);
    check_eq(deepest, 4, "with SA_NODEFER it nests");
}

static volatile int other_blocked;

static void looks_at_mask(int signal, siginfo_t *info, void *context)
{
    sigset_t now;

    (void)info;
    (void)context;
    sigprocmask(SIG_BLOCK, NULL, &now);
    other_blocked = sigismember(&now, SIGUSR2) + 2 * sigismember(&now, signal);
}

static void masks_of_handlers(void)
{
    struct sigaction action;
    sigset_t now;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = looks_at_mask;
    action.sa_flags = SA_SIGINFO;
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    check_eq(other_blocked, 3, "in a handler its own signal and those of sa_mask are blocked");
    sigprocmask(SIG_BLOCK, NULL, &now);
    check_eq(sigismember(&now, SIGUSR1) + sigismember(&now, SIGUSR2), 0, "and not after it");
}

static void one_shot(void)
{
    struct sigaction old;

    reset();
    set_handler(SIGUSR1, counting, SA_RESETHAND);
    kill(getpid(), SIGUSR1);
    sigaction(SIGUSR1, NULL, &old);
    check_eq(handled, 1, "SA_RESETHAND: the handler runs once");
    check(old.sa_handler == SIG_DFL, "then the default is back");
}

static void blocking(void)
{
    sigset_t set, pending, old;

    reset();
    set_handler(SIGUSR1, counting, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    check_eq(handled, 0, "a blocked signal waits");
    sigpending(&pending);
    check_eq(sigismember(&pending, SIGUSR1), 1, "it is pending");
    sigprocmask(SIG_SETMASK, &old, NULL);
    check_eq(handled, 1, "unblocked it is delivered, once though it was sent twice");
    sigpending(&pending);
    check_eq(sigismember(&pending, SIGUSR1), 0, "and is no longer pending");
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    sigpending(&pending);
    check_eq(sigismember(&pending, SIGUSR1), 0, "ignoring a pending signal discards it");
    sigprocmask(SIG_SETMASK, &old, NULL);
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigprocmask(SIG_BLOCK, NULL, &set);
    check_eq(sigismember(&set, SIGKILL) + sigismember(&set, SIGSTOP), 0,
             "KILL and STOP cannot be blocked");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void suspended(void)
{
    sigset_t set, old;

    reset();
    set_handler(SIGUSR1, counting, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    kill(getpid(), SIGUSR1);
    sigemptyset(&set);
    check_fails(sigsuspend(&set), EINTR, "sigsuspend returns EINTR after a handler");
    check_eq(handled, 1, "which it let run");
    sigprocmask(SIG_BLOCK, NULL, &set);
    check_eq(sigismember(&set, SIGUSR1), 1, "and puts the mask back");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void sleeps_forever(void *signals)
{
    sigset_t set;

    (void)signals;
    sigemptyset(&set);
    for (;;)
        sigsuspend(&set);
}

static int status_after(int signal)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        sleeps_forever(NULL);
    kill(child, signal);
    waitpid(child, &status, 0);
    return status & ~0x80;
}

static void defaults(void)
{
    static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
                                 SIGKILL, SIGUSR2, SIGSEGV, SIGPIPE, SIGALRM, SIGTERM};
    int right = 0, status;
    pid_t child;

    signal(SIGUSR1, SIG_DFL);
    for (unsigned int i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        signal(deadly[i], SIG_DFL);
        right += status_after(deadly[i]) == deadly[i];
    }
    check_eq(right, (long)(sizeof(deadly) / sizeof(deadly[0])),
             "14 signals end a process by default, with their number");
    child = fork();
    if (child == 0)
        sleeps_forever(NULL);
    kill(child, SIGCHLD);
    kill(child, SIGWINCH);
    kill(child, SIGURG);
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    check_eq(status, SIGTERM, "CHLD, WINCH and URG do not");
}

static void refusals(void)
{
    struct sigaction action;
    int status;
    pid_t gone = fork();

    if (gone == 0)
        _exit(0);
    memset(&action, 0, sizeof(action));
    check_fails(syscall(SYS_rt_sigaction, SIGKILL, &action, NULL, 8), EINVAL,
                "SIGKILL's action cannot be set");
    check_fails(syscall(SYS_rt_sigaction, SIGSTOP, &action, NULL, 8), EINVAL, "nor SIGSTOP's");
    check_fails(syscall(SYS_rt_sigaction, 65, &action, NULL, 8), EINVAL,
                "signal 65 does not exist");
    check_fails(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8), EINVAL, "nor does signal 0");
    check_fails(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 16), EINVAL, "a set has 8 bytes");
    check_fails(syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, 8), EFAULT, "a bad pointer is EFAULT");
    check_fails(syscall(SYS_rt_sigprocmask, 9, &action, NULL, 8), EINVAL,
                "an unknown way to change a mask is EINVAL");
    check_eq(kill(getpid(), 0), 0, "signal 0 only asks whether the process is there");
    check_fails(kill(getpid(), 65), EINVAL, "sending signal 65 is EINVAL");
    waitpid(gone, &status, 0);
    check_fails(kill(gone, 0), ESRCH, "a process that is gone is ESRCH");
    check_fails(syscall(SYS_tgkill, getpid(), gone, SIGUSR1), ESRCH,
                "tgkill of a thread that is gone too");
    check_fails(syscall(SYS_tgkill, 0, getpid(), SIGUSR1), EINVAL, "tgkill of process 0 is EINVAL");
}

static volatile int child_code, child_status, child_number;

static void child_ended(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    handled++;
    child_code = info->si_code;
    child_status = info->si_status;
    child_number = info->si_pid;
}

static void children(void)
{
    pid_t child;
    int status;

    reset();
    set_handler(SIGCHLD, child_ended, 0);
    child = fork();
    if (child == 0)
        _exit(7);
    while (waitpid(child, &status, 0) < 0)
        continue;
    check_eq(handled, 1, "a child's end sends SIGCHLD");
    check(child_code == CLD_EXITED && child_status == 7 && child_number == child,
          "which tells that it exited, its status and its number");
    child = fork();
    if (child == 0)
        sleeps_forever(NULL);
    kill(child, SIGTERM);
    while (waitpid(child, &status, 0) < 0)
        continue;
    check(child_code == CLD_KILLED && child_status == SIGTERM,
          "or that it was killed, and by what");
    signal(SIGCHLD, SIG_IGN);
    child = fork();
    if (child == 0)
        _exit(0);
    check_fails(waitpid(child, &status, 0), ECHILD,
                "with SIGCHLD ignored a child leaves no zombie");
    signal(SIGCHLD, SIG_DFL);
}

static void interrupts_read(void *restart)
{
    int ends[2];
    char byte;
    pid_t self_pid = getpid();
    /* Signals until one meets the read; a busy machine may let some come too early. */
    int signals = restart != NULL ? 3 : 200;
    const struct timespec pause = {.tv_nsec = 10000000};

    if (pipe(ends) != 0)
        _exit(90);
    set_handler(SIGUSR1, counting, restart != NULL ? SA_RESTART : 0);
    if (fork() == 0) {
        for (int i = 0; i < signals && getppid() == self_pid; i++) {
            kill(self_pid, SIGUSR1);
            nanosleep(&pause, NULL);
        }
        _exit(write(ends[1], "x", 1) != 1);
    }
    if (restart == NULL)
        _exit(read(ends[0], &byte, 1) == -1 && errno == EINTR ? 0 : 1);
    _exit(read(ends[0], &byte, 1) == 1 && byte == 'x' && handled > 0 ? 0 : 1);
}

static void interrupted_calls(void)
{
    check_eq(status_of_child(interrupts_read, NULL), 0,
             "a read that waits ends with EINTR when a handler has run");
    check_eq(status_of_child(interrupts_read, self), 0, "with SA_RESTART it goes on waiting");
}

static void inherited_by_fork(void *nothing)
{
    sigset_t now, pending;

    (void)nothing;
    sigprocmask(SIG_BLOCK, NULL, &now);
    sigpending(&pending);
    if (!sigismember(&now, SIGUSR2) || sigismember(&pending, SIGUSR2))
        _exit(1);
    reset();
    kill(getpid(), SIGUSR1);
    _exit(handled == 1 ? 0 : 2);
}

static void inherited_by_exec(void *nothing)
{
    char *argv[] = {self, "look", NULL}, *envp[] = {NULL};

    (void)nothing;
    signal(SIGTERM, SIG_IGN);
    execve(self, argv, envp);
    _exit(90);
}

/* In the executed program: handlers are gone, ignored signals stay ignored, the mask is kept. */
static int look_around(void)
{
    struct sigaction one, two;
    sigset_t now, pending;

    sigaction(SIGUSR1, NULL, &one);
    sigaction(SIGTERM, NULL, &two);
    sigprocmask(SIG_BLOCK, NULL, &now);
    sigpending(&pending);
    return (one.sa_handler == SIG_DFL ? 0 : 1) + (two.sa_handler == SIG_IGN ? 0 : 2) +
           (sigismember(&now, SIGUSR2) ? 0 : 4);
}

static void inheritance(void)
{
    sigset_t set, old;

    set_handler(SIGUSR1, counting, 0);
    signal(SIGUSR2, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, &old);
    check_eq(status_of_child(inherited_by_fork, NULL), 0, "a child inherits handlers and mask");
    check_eq(status_of_child(inherited_by_exec, NULL), 0,
             "exec keeps mask and ignored signals, and drops handlers");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void blocked_fault(void *how)
{
    sigset_t set;

    if (how == NULL) {
        sigemptyset(&set);
        sigaddset(&set, SIGSEGV);
        set_handler(SIGSEGV, catch_handler, 0);
        sigprocmask(SIG_BLOCK, &set, NULL);
    } else {
        signal(SIGSEGV, SIG_IGN);
    }
    write_byte(NULL);
}

static void forced_signals(void)
{
    check_eq(signal_of_child(blocked_fault, NULL), SIGSEGV,
             "a fault with SIGSEGV blocked kills, though there is a handler");
    check_eq(signal_of_child(blocked_fault, self), SIGSEGV, "with SIGSEGV ignored it kills too");
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1)
        return look_around();
    handlers();
    nested_handlers();
    masks_of_handlers();
    one_shot();
    blocking();
    suspended();
    defaults();
    refusals();
    children();
    interrupted_calls();
    inheritance();
    forced_signals();
    return done();
}
