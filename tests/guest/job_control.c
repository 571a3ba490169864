/* Checks stopping and continuing: who stops, who tells whom, and what cancels what. */
#define _GNU_SOURCE
#include <time.h>

#include "catch.h"

static volatile int continued;

static void note_continue(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    continued++;
}

/* Forks a child in a group of its own; BODY's result is its exit status. */
static pid_t start(int (*body)(void))
{
    pid_t child = fork();

    if (child < 0)
        bail_out("fork failed with errno %d", errno);
    if (child == 0) {
        setpgid(0, 0);
        _exit(body());
    }
    return child;
}

static int status_after(pid_t child, int options)
{
    int status = -1;

    if (waitpid(child, &status, options) != child)
        return -1;
    return status;
}

#define STOPPED(signal) ((signal) << 8 | 0x7f)

static int stops_itself(void)
{
    const struct timespec a_while = {0, 100000000};

    raise(SIGSTOP);
    nanosleep(&a_while, NULL); /* so that the parent finds it continued, and not ended already */
    return 3;
}

static int stops_like_ctrl_z(void)
{
    raise(SIGTSTP);
    return 4;
}

static void stop_and_continue(void)
{
    pid_t child = start(stops_itself);

    check_eq(status_after(child, WUNTRACED), STOPPED(SIGSTOP), "WUNTRACED reports a stop by SIGSTOP");
    check_eq(waitpid(child, NULL, WUNTRACED | WNOHANG), 0, "once");
    kill(child, SIGCONT);
    check_eq(status_after(child, WCONTINUED), 0xffff, "WCONTINUED reports that it goes on");
    check_eq(status_after(child, 0), 3 << 8, "and then it does");

    child = start(stops_like_ctrl_z);
    check_eq(status_after(child, WUNTRACED), STOPPED(SIGTSTP), "SIGTSTP stops a group whose parent can continue it");
    kill(child, SIGKILL);
    check_eq(status_after(child, 0), SIGKILL, "SIGKILL kills what is stopped");
}

static int in_a_session_of_its_own(void)
{
    if (setsid() < 0 && errno == EPERM) { /* a group's leader can't: its child can */
        pid_t child = fork();
        if (child == 0) {
            setsid();
            raise(SIGTSTP);
            raise(SIGTTIN);
            raise(SIGTTOU);
            _exit(5);
        }
        return status_after(child, WUNTRACED) >> 8;
    }
    return 0;
}

static void orphaned_groups(void)
{
    check_eq(status_after(start(in_a_session_of_its_own), 0), 5 << 8,
             "SIGTSTP, SIGTTIN and SIGTTOU do not stop an orphaned group");
}

static volatile int *told; /* shared: the signals that the orphan got, as bits */

static void note_signal(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    *told |= 1 << signal;
}

/* Leaves a stopped child in a group of its own behind. */
static int leaves_a_stopped_child(void)
{
    pid_t child = fork();

    if (child == 0) {
        setpgid(0, 0);
        set_handler(SIGHUP, note_signal, 0);
        set_handler(SIGCONT, note_signal, 0);
        raise(SIGSTOP);
        _exit(0);
    }
    waitpid(child, NULL, WUNTRACED);
    return 0;
}

static int in_a_new_session(void)
{
    pid_t child = fork();

    if (child == 0) {
        setsid();
        _exit(leaves_a_stopped_child());
    }
    return status_after(child, 0);
}

static void groups_that_become_orphans(void)
{
    told = mmap(NULL, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    check_eq(status_after(start(in_a_new_session), 0), 0, "a parent may end while its child is stopped");
    for (int i = 0; i < 50 && *told == 0; i++) {
        const struct timespec a_while = {0, 20000000};
        nanosleep(&a_while, NULL);
    }
    check_eq(*told, 1 << SIGHUP | 1 << SIGCONT, "a stopped group that becomes an orphan gets SIGHUP and SIGCONT");
}

static int cancels_a_stop(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGTSTP);
    raise(SIGCONT);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return 6;
}

static int cancels_a_continue(void)
{
    sigset_t set, waiting;

    set_handler(SIGCONT, note_continue, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGCONT);
    sigaddset(&set, SIGTSTP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGCONT);
    raise(SIGTSTP);
    sigpending(&waiting);
    return sigismember(&waiting, SIGCONT) == 0 && sigismember(&waiting, SIGTSTP) == 1 ? 7 : 0;
}

static int catches_continue(void)
{
    set_handler(SIGCONT, note_continue, 0);
    raise(SIGSTOP);
    return continued == 1 ? 8 : 0;
}

static void what_cancels_what(void)
{
    pid_t child;

    check_eq(status_after(start(cancels_a_stop), WUNTRACED), 6 << 8, "SIGCONT cancels a stop signal that waits");
    check_eq(status_after(start(cancels_a_continue), WUNTRACED), 7 << 8, "a stop signal cancels a SIGCONT that waits");
    child = start(catches_continue);
    check_eq(status_after(child, WUNTRACED), STOPPED(SIGSTOP), "a process with a handler for SIGCONT stops");
    kill(child, SIGCONT);
    check_eq(status_after(child, 0), 8 << 8, "goes on, and its handler runs");
}

/* ---- groups ---- */

static int executes_sleep(void)
{
    char *argv[] = {"job_control", "wait", NULL};

    execv("/proc/self/exe", argv);
    return 1;
}

static void groups(void)
{
    const struct timespec a_while = {0, 100000000};
    pid_t child = fork();

    if (child == 0)
        _exit(executes_sleep());
    nanosleep(&a_while, NULL);
    check_fails(setpgid(child, child), EACCES, "a child that has executed a program keeps its group");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    check_fails(setpgid(1, 0), ESRCH, "another's process cannot be moved");
    check_fails(setpgid(0, -1), EINVAL, "a group below 0 is EINVAL");
    check_fails(setpgid(0, 0x7ffffffe), EPERM, "a group that does not exist is EPERM");
}

/* ---- the order of delivery: every handler blocks all others, so they run one after the other ---- */

static int order[8], count;

static void note_order(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    if (count < 8)
        order[count++] = signal;
}

static void deliver_together(const int *signals, int number)
{
    struct sigaction action = { 0 };
    sigset_t all, old;

    count = 0;
    action.sa_sigaction = note_order;
    action.sa_flags = SA_SIGINFO;
    sigfillset(&action.sa_mask);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    for (int i = 0; i < number; i++) {
        sigaction(signals[i], &action, NULL);
        syscall(SYS_tgkill, getpid(), (long)syscall(SYS_gettid), (long)signals[i]);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void order_of_delivery(void)
{
    static const int ordinary[] = { SIGTERM, SIGHUP, SIGUSR2 }, faults[] = { SIGUSR1, SIGHUP, SIGSEGV };

    deliver_together(ordinary, 3);
    check_eq(count, 3, "signals that waited are all delivered");
    check(order[0] == SIGHUP && order[1] == SIGUSR2 && order[2] == SIGTERM, "the lowest number first");
    deliver_together(faults, 3);
    check(count == 3 && order[0] == SIGSEGV && order[1] == SIGHUP && order[2] == SIGUSR1,
          "but what an instruction can cause comes before all others");
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        pause();
        return 0;
    }
    stop_and_continue();
    orphaned_groups();
    groups_that_become_orphans();
    what_cancels_what();
    groups();
    order_of_delivery();
    return done();
}
