/* Signals, the sending half: numbers, sets, what waits, and who is woken. Delivery is kernel/proc/signal.h. */
#ifndef KERNEL_SCHED_SIGNAL_H
#define KERNEL_SCHED_SIGNAL_H

#include "kernel/lib/list.h"
#include "kernel/lib/types.h"

typedef u64 sigset_t;       /* bit N - 1 is signal N */
#define SIGMASK(signal) (1ull << ((signal) - 1))
#define NSIG 64

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGSTKFLT 16
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGWINCH 28
#define SIGSYS 31

/* siginfo codes (Linux's). */
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_TKILL (-6)
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRERR 2
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3

/* What a signal carries; turned into Linux's siginfo_t (128 bytes) at delivery. */
struct signal_info {
    int signal, code;
    unsigned long address;      /* faults */
    int pid;                    /* sender or child */
    u32 uid;
    int status;                 /* SIGCHLD: exit code or signal */
};

/* Signals that wait for delivery, one of each kind (real-time signals 32…64 are not queued twice either). */
struct sigpending {
    sigset_t set;
    struct signal_info *info[NSIG];     /* kmalloc'ed when it carries more than its number, else NULL */
};

struct task;
struct process;

/* Sends to one thread; INFO may be NULL. Ignored signals are dropped, blocked ones kept. Wakes the thread where due. 0 or negative errno. */
int signal_send_task(struct task *task, int signal, const struct signal_info *info);
/* Sends to the process as a whole: some thread that does not block it takes it. */
int signal_send_process(struct process *process, int signal, const struct signal_info *info);
/* To every process of the group; the number of processes reached. */
int signal_send_group(int pgid, int signal, const struct signal_info *info);
/* For a fault: sent to the running thread even when blocked or ignored (then with the default action, which kills). */
void signal_force(int signal, const struct signal_info *info);

/* True when the running task has something to deliver: a sleep is to end with -ERESTARTSYS. */
bool signal_pending(void);
/* Recomputes CPU_WORK_SIGNAL for the running task, after its masks or pending sets changed. */
void signal_recalculate(void);

#endif
