/* A task: one thread of a program, its place in the process tree, and everything that belongs to it. */
#ifndef KERNEL_SCHED_TASK_H
#define KERNEL_SCHED_TASK_H

#include "kernel/cpu/regs.h"
#include "kernel/lib/list.h"
#include "kernel/sched/signal.h"
#include "mm/mm.h"

struct files_struct;
struct fs_context;

enum task_state {
    TASK_RUNNING,           /* running or in the run queue */
    TASK_INTERRUPTIBLE,     /* waits; a signal wakes it */
    TASK_UNINTERRUPTIBLE,   /* waits for the kernel itself; short */
    TASK_STOPPED,           /* stopped by a signal */
    TASK_ZOMBIE,            /* dead; its parent has not asked yet */
};

#define TASK_COMM_LEN 16
#define RLIM_NLIMITS 16
#define RLIM_INFINITY (~0ul)

struct rlimit {
    unsigned long current, maximum;     /* Linux's rlim_cur, rlim_max */
};

/*
 * What the threads of one process share (Linux's signal_struct): the process proper. Reference counted by its threads; freed
 * when the last thread is reaped.
 */
struct process {
    int pid;                            /* tgid */
    int refcount;
    int pgid, sid;                      /* process group, session */
    struct task *leader;                /* the thread whose pid is the process's */
    struct list_head threads;           /* every live thread, by task->thread_node */
    int thread_count;
    struct process *parent;             /* NULL for PID 1 */
    struct list_head children;          /* by child->sibling */
    struct list_head sibling;
    struct sigpending pending;          /* signals sent to the process as a whole */
    bool exiting;                       /* exit_group or a fatal signal: every thread is to die */
    int exit_status;                    /* wait status: code << 8, or the signal (0x80: core) */
    int exit_signal;                    /* sent to the parent at death: SIGCHLD, or what clone said */
    struct rlimit limits[RLIM_NLIMITS];
    unsigned long min_flt, maj_flt;     /* of threads that are gone */
    unsigned long child_min_flt, child_maj_flt;
    u64 user_ticks, system_ticks, child_user_ticks, child_system_ticks;
    u64 start_ticks;
    u64 alarm_deadline, alarm_interval; /* ITIMER_REAL, in nanoseconds of the monotonic clock; 0 off */
    struct list_head all;               /* every process, in order of pid */
};

struct task {
    unsigned long kernel_sp;            /* saved stack pointer while not running; first, for the switch stub */
    unsigned long kernel_stack_top;
    int pid;                            /* Linux's tid */
    enum task_state state;
    struct process *process;
    struct mm_struct *mm;               /* NULL for kernel tasks (idle) */
    struct files_struct *files;         /* open files; may be shared (CLONE_FILES) */
    struct fs_context *fs;              /* working directory, umask; may be shared (CLONE_FS) */
    struct sighand *sighand;            /* signal actions; may be shared (CLONE_SIGHAND) */
    struct sigpending pending;          /* signals sent to this thread */
    sigset_t blocked, saved_blocked;
    bool restore_blocked;               /* after sigsuspend and the like: put saved_blocked back */
    unsigned long altstack_sp, altstack_size;
    int altstack_flags;
    unsigned long clear_child_tid;      /* user address; zeroed and woken at exit */
    unsigned long robust_list;
    void *fpu;                          /* this_cpu.xsave_size bytes, 64-byte aligned */
    unsigned long fs_base, gs_base;
    unsigned long min_flt, maj_flt;
    u64 user_ticks, system_ticks;
    char comm[TASK_COMM_LEN];
    char *exe_path;                     /* kmalloc'ed; what /proc/PID/exe names */
    u32 uid, euid, suid, gid, egid, sgid;
    struct list_head run_node;          /* run queue or a wait queue */
    struct list_head thread_node;       /* process->threads */
    struct list_head all;               /* every task, for lookup by pid */
    struct wait_queue *waiting_on;      /* NULL when not waiting */
    u64 wake_time;                      /* nanoseconds of the monotonic clock; 0 no time-out */
    bool kernel_killed;                 /* out of memory chose it */
    struct completion *vfork_done;      /* the parent waits in vfork */
    /* exception details of the last fault, for the signal frame (Linux's thread.trap_nr, error_code, cr2) */
    unsigned long trap_nr, error_code, cr2;
    long restart_result;                /* ERESTART_RESTARTBLOCK: see proc/signal.c */
    u64 restart_deadline;
};

/* The running task. Never NULL after sched_init. */
extern struct task *current;
extern struct list_head all_processes;  /* struct process by `all`, ascending pid */

struct task *find_task(int pid);            /* a thread, or NULL */
struct process *find_process(int pid);      /* a process (zombies too), or NULL */

static inline struct pt_regs *task_regs(const struct task *task)
{
    return (struct pt_regs *)(task->kernel_stack_top - sizeof(struct pt_regs));
}

#endif
