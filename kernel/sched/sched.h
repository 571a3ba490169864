/* The scheduler: who runs, who waits for what, and until when. */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "kernel/sched/task.h"
#include "kernel/sched/wait.h"

#define HZ 100
#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_TICK (NSEC_PER_SEC / HZ)

/*
 * The idle task, the run queue, the clock, the timer interrupt. After mm/ works and pit_init has
 * measured the TSC; the caller becomes the idle task.
 */
void sched_init(void);

/* The idle loop: runs others, else waits for interrupts. Never returns. */
void __noreturn sched_idle(void);

/*
 * Gives up the processor; returns when the scheduler chooses this task again. A task that is not
 * TASK_RUNNING is not chosen until woken.
 */
void schedule(void);

/* sched_yield: lets every other runnable task run first. */
void sched_yield(void);

#define SCHED_OTHER 0
#define SCHED_FIFO 1    /* keeps the processor until it sleeps, or somebody with a higher priority wants it */
#define SCHED_RR 2      /* the same, but with its equals in turn */
#define SCHED_BATCH 3
#define SCHED_IDLE 5
/* Ticks of SCHED_RR, as on Linux. */
#define ROUND_ROBIN_SLICE (HZ / 10)
/* Ticks that TASK runs while its equals wait. */
unsigned sched_slice(const struct task *task);

/* TASK runs before all with a lower one, from now on. */
void sched_set_priority(struct task *task, unsigned priority);

/* Makes TASK runnable (again). Harmless when it is, or when it is stopped or dead. */
void sched_wake(struct task *task);

/* ---- the clock (kernel/sched/clock.c) ---- */

/* As programs name them. */
enum {
    CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM,
    CLOCK_TAI = 11,
};

/* Nanoseconds since boot, monotonic (TSC). */
u64 sched_clock(void);
/* Nanoseconds since 1970. */
u64 wall_clock(void);
/* Sets it (settimeofday). By how much it is ahead of what it was. */
s64 wall_clock_set(u64 nanoseconds);
/* Timer ticks since boot. */
extern u64 jiffies;

/* ---- tasks (kernel/sched/task.c) ---- */

/*
 * A zeroed task with a pid, a kernel stack and an FPU area, in no list yet but the pid table; NULL:
 * no memory or no pid.
 */
struct task *task_alloc(void);
/*
 * Frees it, its stack and its pid: never the running one. Mm, files, fs and sighand must be gone
 * already.
 */
void task_free(struct task *task);
/*
 * Gives the task a new thread group of its own; NULL: no memory. The task is its leader and only
 * thread.
 */
struct process *process_alloc(struct task *leader);
/* Frees a process whose tasks are all freed and that is nobody's child any more. */
void process_free(struct process *process);
/* Makes PID the number of TASK instead of its own (exec in a thread that is not the leader). */
void task_set_pid(struct task *task, int pid);
/* Makes it runnable; its kernel stack must be ready (task_prepare_stack). */
void task_start(struct task *task);
/*
 * Lays out a new task's kernel stack so that its first schedule() returns to ring 3 with REGS
 * (copied to the stack's top).
 */
void task_prepare_stack(struct task *task, const struct pt_regs *regs);

/*
 * Stores what the processor holds of the running program (FPU, segment registers and their bases)
 * in TASK.
 */
void task_save_program_state(struct task *task);

/*
 * Makes MM (NULL: the kernel's own) the loaded address space of the running task; the old one is
 * the caller's to put.
 */
void task_switch_mm(struct mm_struct *mm);

/* Calls FN for every task (threads and zombies too) in order of pid; stops when FN returns true. */
void for_each_task(bool (*fn)(struct task *task, void *context), void *context);

/*
 * Implemented by kernel/proc: the first thing that a new task does, on its own stack and in its own
 * address space.
 */
void task_first_run(struct pt_regs *regs);
/* Implemented by kernel/proc: a tick of the running program, for ITIMER_VIRTUAL and ITIMER_PROF. */
void process_account_tick(struct process *process, bool in_program);

#endif
