/*
 * A task: one thread of a program, its place in the process tree, and everything that belongs to
 * it.
 */
#ifndef KERNEL_SCHED_TASK_H
#define KERNEL_SCHED_TASK_H

#include "kernel/cpu/regs.h"
#include "kernel/lib/list.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/timer.h"
#include "kernel/sched/wait.h"
#include "mm/mm.h"

struct files_struct;
struct futex_waiter;
struct fs_context;

enum task_state {
    TASK_RUNNING,           /* running or in the run queue */
    TASK_INTERRUPTIBLE,     /* waits; a signal wakes it */
    TASK_UNINTERRUPTIBLE,   /* waits for the kernel itself; only a fatal signal wakes it */
    TASK_STOPPED,           /* stopped by a signal */
    TASK_ZOMBIE,            /* dead; its parent has not asked yet */
    TASK_DEAD,              /* dead, and nobody will ask: freed by whoever runs next */
};

#define TASK_COMM_LEN 16
#define PID_MAX 32768
#define AUXILIARY_WORDS 40  /* 20 pairs, AT_NULL included: /proc/PID/auxv */

#define RLIMIT_CPU 0
#define RLIMIT_FSIZE 1
#define RLIMIT_DATA 2
#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_RSS 5
#define RLIMIT_NPROC 6
#define RLIMIT_NOFILE 7
#define RLIMIT_MEMLOCK 8
#define RLIMIT_AS 9
#define RLIMIT_LOCKS 10
#define RLIMIT_SIGPENDING 11
#define RLIMIT_MSGQUEUE 12
#define RLIMIT_NICE 13
#define RLIMIT_RTPRIO 14
#define RLIMIT_RTTIME 15
#define RLIM_NLIMITS 16
#define RLIM_INFINITY (~0ul)

struct rlimit {
    unsigned long current, maximum;     /* Linux's rlim_cur, rlim_max */
};

/*
 * What the threads of one process share (Linux's signal_struct): the process proper. It lives from
 * fork until its parent has asked for its status.
 */
struct process {
    int pid;                            /* tgid */
    int pgid, sid;                      /* process group, session */
    /* the thread whose pid is the process's; a zombie may be it */
    struct task *leader;
    struct list_head threads;           /* every live thread, by task->thread_node */
    int thread_count;
    struct process *parent;             /* NULL for PID 1 */
    struct list_head children;          /* by child->sibling */
    struct list_head sibling;
    struct wait_queue child_wait;       /* here wait4 sleeps; woken when a child changes */
    struct sigpending pending;          /* signals sent to the process as a whole */
    bool exiting;                       /* exit_group or a fatal signal: every thread is to die */
    bool unkillable;                    /* PID 1: signals that it has no handler for are dropped */
    /* execve since fork: its parent may not move it to another group */
    bool has_executed;
    bool is_subreaper;                  /* takes in its descendants' orphans (prctl) */
    bool is_orphan_reaper;              /* a PID 1 that runs no program: see proc_start_init */
    /* the thread that is in execve and waits for the others to die */
    struct task *exec_task;
    int exit_status;                    /* wait status: code << 8, or the signal (0x80: core) */
    /* sent to the parent at death: SIGCHLD, or what clone said; 0 none */
    int exit_signal;
    int stop_signal;                    /* stopped by this signal, or on the way there; 0 not */
    int stopped_threads;
    bool stop_unreported, continue_unreported;  /* for WUNTRACED and WCONTINUED */
    struct rlimit limits[RLIM_NLIMITS];
    unsigned long min_flt, maj_flt;     /* of threads that are gone */
    unsigned long child_min_flt, child_maj_flt;
    u64 user_ticks, system_ticks, child_user_ticks, child_system_ticks;
    unsigned long voluntary_switches, involuntary_switches;     /* of threads that are gone */
    unsigned long child_voluntary_switches, child_involuntary_switches;
    u64 run_time, child_run_time;       /* TSC counts on the processor, of threads that are gone */
    u64 start_ticks;
    unsigned long max_rss, child_max_rss;   /* pages; max_rss of address spaces that are gone */
    struct timer real_timer;            /* ITIMER_REAL */
    u64 alarm_interval;                 /* nanoseconds; 0: once */
    struct list_head posix_timers;      /* kernel/proc/posix_timer.c */
    unsigned long posix_timer_count;
    int next_timer_id;
    /* ITIMER_VIRTUAL (0) and ITIMER_PROF (1), in nanoseconds; 0 off */
    struct itimer_ticks {
        u64 left, interval;
    } cpu_timers[2];
    unsigned long auxiliary[AUXILIARY_WORDS];   /* the auxiliary vector as the program got it */
    struct list_head all;               /* every process, in order of pid */
};

/* Where a system call goes on after ERESTART_RESTARTBLOCK: kernel/proc/restart.c. */
struct restart_block {
    long (*go_on)(struct restart_block *block);
    u64 deadline;                       /* sched_clock */
    unsigned long address;              /* user: the remaining time, the futex … */
    unsigned long value;
    u32 bits, flags;
};

struct task {
    /* saved stack pointer while not running; first, for the switch stub */
    unsigned long kernel_sp;
    unsigned long kernel_stack_top;     /* 0: already given back */
    int pid;                            /* Linux's tid */
    enum task_state state;
    struct process *process;
    struct mm_struct *mm;               /* NULL for kernel tasks (idle) and the dead */
    struct files_struct *files;         /* open files; may be shared (CLONE_FILES) */
    struct fs_context *fs;              /* working directory, umask; may be shared (CLONE_FS) */
    struct sighand *sighand;            /* signal actions; may be shared (CLONE_SIGHAND) */
    struct sigpending pending;          /* signals sent to this thread */
    bool signal_waiting;                /* perhaps something to deliver (Linux's TIF_SIGPENDING) */
    sigset_t blocked, saved_blocked;
    /* rt_sigtimedwait unblocked them for the wait: neither ignored nor fatal */
    sigset_t awaited;
    bool restore_blocked;               /* after sigsuspend and the like: put saved_blocked back */
    unsigned long altstack_sp, altstack_size;
    u32 altstack_flags;
    /* user address: where the new thread writes its number, or 0 */
    unsigned long set_child_tid;
    unsigned long clear_child_tid;      /* user address; zeroed and woken at exit */
    unsigned long robust_list;          /* user address of the list of robust futexes, or 0 */
    unsigned long rseq;                 /* user address of its struct rseq, or 0 (kernel/proc/rseq.c) */
    u32 rseq_signature;
    int death_signal;                   /* sent to it when its parent dies; 0 none (prctl) */
    bool no_new_privileges;             /* as it asked to be known (prctl) */
    u64 timer_slack, default_timer_slack;   /* nanoseconds (prctl) */
    u32 resume_work;                    /* CPU_WORK_… that begins when it runs again */
    /* this_cpu.xsave_size bytes, 64-byte aligned; NULL for kernel tasks */
    void *fpu;
    unsigned long fs_base, gs_base;     /* valid while it does not run */
    u16 ds, es, fs_selector, gs_selector;
    unsigned long min_flt, maj_flt;
    u64 user_ticks, system_ticks;
    unsigned long voluntary_switches, involuntary_switches;
    u64 run_time, started_running;      /* TSC counts on the processor; since when now */
    unsigned slice;                     /* ticks until others get their turn */
    /* 0 for SCHED_OTHER and its like, else 1 to 99; the first may be lent by who waits for a lock of its */
    unsigned priority, own_priority;
    u8 policy;                          /* SCHED_… */
    bool reset_on_fork;                 /* children are SCHED_OTHER */
    s32 nice;                           /* -20 to 19: lengthens or shortens its turns */
    struct list_head locks;             /* futexes that it owns and others wait for: struct pi_state */
    struct futex_waiter *lock_waiter;   /* how it waits for one itself, or NULL */
    char comm[TASK_COMM_LEN];
    char *exe_path;                     /* kmalloc'ed; what /proc/PID/exe names */
    u32 uid, euid, suid, gid, egid, sgid;
    struct list_head run_node;          /* run queue or a wait queue */
    struct list_head thread_node;       /* process->threads */
    struct list_head all;               /* every task, in order of pid */
    struct task *pid_next;              /* the next in its bucket of the pid table */
    struct wait_queue *waiting_on;      /* NULL when not waiting */
    struct timer sleep_timer;
    bool timed_out;                     /* the sleep timer ended the sleep */
    struct completion *vfork_done;      /* the parent waits in vfork */
    /*
     * exception details of the last fault, for the signal frame (Linux's thread.trap_nr,
     * error_code, cr2)
     */
    unsigned long trap_nr, error_code, cr2;
    struct restart_block restart;
};

/* The running task. Never NULL after sched_init. */
extern struct task *current;
extern struct list_head all_processes;  /* struct process by `all`, ascending pid */
extern int task_count, process_count;
/* How many processes were killed because memory was full. */
extern unsigned long oom_kills;
extern int stopped_process_count;

/* Notes that PROCESS is stopped by SIGNAL (or about to be), or with 0 that it is not. */
static inline void process_set_stop(struct process *process, int signal)
{
    stopped_process_count += (signal != 0) - (process->stop_signal != 0);
    process->stop_signal = signal;
}

struct task *find_task(int pid);            /* a thread (zombies too), or NULL */
struct process *find_process(int pid);      /* a process (zombies too), or NULL */

/* True when every thread is dead and the parent has not asked yet. */
static inline bool process_is_zombie(const struct process *process)
{
    return process->thread_count == 0;
}

static inline struct pt_regs *task_regs(const struct task *task)
{
    return (struct pt_regs *)(task->kernel_stack_top - sizeof(struct pt_regs));
}

/* The most pages that MM ever had at once. */
static inline unsigned long mm_peak_rss(const struct mm_struct *mm)
{
    long now = mm->rss[MM_FILEPAGES] + mm->rss[MM_ANONPAGES] + mm->rss[MM_SHMEMPAGES];
    return MAX(mm->hiwater_rss, (unsigned long)now);
}

/* Adds up over live and gone threads. */
struct process_usage {
    unsigned long min_flt, maj_flt, voluntary_switches, involuntary_switches;
    u64 user_ticks, system_ticks;
    u64 run_time;                       /* nanoseconds */
    unsigned long max_rss;              /* pages */
};
/* Nanoseconds that TASK was on the processor, till now. */
u64 task_run_time(const struct task *task);
void process_usage(const struct process *process, struct process_usage *usage);

#endif
