/*
 * Signals, the sending half: numbers, sets, actions, what waits, and who is woken. Delivery:
 * kernel/proc/signal.h.
 */
#ifndef KERNEL_SCHED_SIGNAL_H
#define KERNEL_SCHED_SIGNAL_H

#include "kernel/lib/list.h"
#include "kernel/lib/types.h"
#include "kernel/sched/wait.h"

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
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGIO 29
#define SIGPWR 30
#define SIGSYS 31
#define SIGRTMIN 32         /* from here on signals queue: each sending is delivered */

/* siginfo codes (Linux's). */
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_TKILL (-6)
#define ILL_ILLOPN 2
#define FPE_INTDIV 1
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define TRAP_HWBKPT 4
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_STOPPED 5
#define CLD_CONTINUED 6

/* Actions. */
#define SIG_DFL 0ul
#define SIG_IGN 1ul
#define SA_NOCLDSTOP 0x00000001ul
#define SA_NOCLDWAIT 0x00000002ul
#define SA_SIGINFO 0x00000004ul
#define SA_RESTORER 0x04000000ul
#define SA_ONSTACK 0x08000000ul
#define SA_RESTART 0x10000000ul
#define SA_NODEFER 0x40000000ul
#define SA_RESETHAND 0x80000000ul

/* Linux's struct sigaction of x86-64, as rt_sigaction takes it. */
struct k_sigaction {
    unsigned long handler;          /* SIG_DFL, SIG_IGN or a user address */
    unsigned long flags;            /* SA_… */
    unsigned long restorer;
    sigset_t mask;
};

/*
 * What a process does with each signal; shared by threads (CLONE_SIGHAND). action[N - 1] is signal
 * N's.
 */
struct sighand {
    int refcount;
    bool has_readers;               /* somebody has looked through a signalfd */
    struct wait_queue readers;      /* who reads one now */
    struct list_head watchers;      /* epoll's watches of one */
    struct k_sigaction action[NSIG];
};

struct sighand *sighand_alloc(void);                            /* all default; NULL: no memory */
struct sighand *sighand_clone(const struct sighand *sighand);
void sighand_put(struct sighand *sighand);

/* What a signal carries; turned into Linux's siginfo_t (128 bytes) at delivery. */
struct signal_info {
    int signal, code;
    unsigned long address;      /* faults */
    int pid;                    /* sender or child */
    u32 uid;
    int status;                 /* SIGCHLD: exit code or signal */
    u64 user_time, system_time; /* SIGCHLD: clock ticks of 1/100 s */
    u64 value;                  /* sigqueue, a timer */
    bool of_timer;              /* SI_TIMER from the kernel: PID is the timer's id, UID how often it ran out unnoticed */
    u32 timer_event;            /* which of the timer's events, if it goes on then */
};

/* Signals that wait for delivery: at most one of each below SIGRTMIN, any number above. */
struct sigpending {
    sigset_t set;
    /* struct queued_signal, oldest first; a signal in SET without one carries nothing */
    struct list_head queue;
};

void sigpending_init(struct sigpending *pending);
/* Forgets the signals of MASK. */
void sigpending_flush(struct sigpending *pending, sigset_t mask);
/* Adds one. False when it would have to be queued and there is no room; nothing changed. */
bool sigpending_add(struct sigpending *pending, int signal, const struct signal_info *info);
/* What a timer has sent and is not taken yet, or NULL. */
struct signal_info *sigpending_of_timer(struct sigpending *pending, int id);
/* Takes the oldest occurrence of SIGNAL, which is in the set, out into INFO. */
void sigpending_take(struct sigpending *pending, int signal, struct signal_info *info);

struct task;
struct process;

/*
 * Takes the next signal of WANTED, blocked or not, that waits for the running task or its process: what an instruction
 * caused, then the lowest number. 0: there is none.
 */
int signal_take(sigset_t wanted, struct signal_info *info);

/*
 * Sends to one thread; INFO NULL means from the kernel (SI_KERNEL). Ignored signals are dropped,
 * blocked ones kept. Wakes the thread where due. 0, or -EAGAIN when a queued signal finds no
 * memory.
 */
int signal_send_task(struct task *task, int signal, const struct signal_info *info);

/* Sends to the process as a whole: some thread that does not block it takes it. */
int signal_send_process(struct process *process, int signal, const struct signal_info *info);

/* To every process of the group; the number of processes reached. */
int signal_send_group(int pgid, int signal, const struct signal_info *info);

/*
 * A timer's, to THREAD or, NULL, to PROCESS: it is queued beside others with its number, but one that waits already
 * only counts it. False: nobody gets it.
 */
bool signal_send_timer(struct process *process, struct task *thread, const struct signal_info *info);
/* Implemented by kernel/proc: the running task takes a signal of a timer of its process. */
void posix_timer_delivered(struct signal_info *info);

/* Implemented by kernel/fs (signalfd.c): a signal waits for those who share SIGHAND. */
void signalfd_notify(struct sighand *sighand);
/* Also there: nobody shares SIGHAND any more. */
void signalfd_end(struct sighand *sighand);

/*
 * For a fault: sent to the running thread even when blocked or ignored (then with the default
 * action, which kills).
 */
void signal_force(int signal, const struct signal_info *info);
/* As signal_force, but no handler is asked. */
void signal_force_fatal(int signal);
/* True when signal_force(SIGNAL) will kill the running process: no handler, or blocked. */
bool signal_force_kills(int signal);

/*
 * Ends every thread of PROCESS as soon as it next looks; STATUS is the wait status (only the first
 * call counts).
 */
void process_kill_threads(struct process *process, int status);

/* Ends one thread: it dies as soon as it next looks. */
void signal_kill_thread(struct task *thread);

/* Makes every thread of PROCESS look at its signals (for a stop). */
void signal_notice_all(struct process *process);

/* True when a signal waits that the running task does not block. */
bool signal_can_be_taken(void);
/* True when the running task has something to deliver: a sleep is to end with -ERESTARTSYS. */
bool signal_pending(void);
/* True when the running task is about to die. */
bool fatal_signal_pending(void);
/*
 * Recomputes signal_waiting of the running task and CPU_WORK_SIGNAL, after its masks or pending
 * sets changed.
 */
void signal_recalculate(void);
/* Sets the mask of the running task (never SIGKILL and SIGSTOP) and recalculates. */
void signal_set_blocked(sigset_t blocked);

/*
 * Tells the parent of PROCESS that it stopped, went on (CODE CLD_…, STATUS the signal) or died:
 * wakes its wait4 and sends SIGCHLD where it wants one. Returns true when the parent does not want
 * to be asked (a dead child is then reaped at once).
 */
bool process_notify_parent(struct process *process, int code, int status);

/* What the default action of a signal is. */
#define SIGNALS_STOP (SIGMASK(SIGSTOP) | SIGMASK(SIGTSTP) | SIGMASK(SIGTTIN) | SIGMASK(SIGTTOU))
#define SIGNALS_IGNORE (SIGMASK(SIGCONT) | SIGMASK(SIGCHLD) | SIGMASK(SIGWINCH) | SIGMASK(SIGURG))
#define SIGNALS_CORE                                                                                    \
    (SIGMASK(SIGQUIT) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) | SIGMASK(SIGABRT) | SIGMASK(SIGFPE) |        \
     SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGSYS) | SIGMASK(SIGXCPU) | SIGMASK(SIGXFSZ))
/* Those that an instruction causes: delivered before all others. */
#define SIGNALS_SYNCHRONOUS                                                                             \
    (SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) | SIGMASK(SIGFPE) |         \
     SIGMASK(SIGSYS))
#define SIGNALS_UNBLOCKABLE (SIGMASK(SIGKILL) | SIGMASK(SIGSTOP))

/* "SIGSEGV" … for messages; "signal N" names are "SIG34" and the like. */
const char *signal_name(int signal);

#endif
