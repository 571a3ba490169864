/* What the files of kernel/proc/ share among themselves. */
#ifndef KERNEL_PROC_INTERNAL_H
#define KERNEL_PROC_INTERNAL_H

#include "kernel/proc/exec.h"
#include "kernel/sched/sched.h"
#include "mm/fault.h"

/* The first argument of JOURNAL_PROCESS. */
enum { JOURNAL_PROCESS_START, JOURNAL_PROCESS_FORK, JOURNAL_PROCESS_EXEC, JOURNAL_PROCESS_EXIT };

/* execve for the running task; PATH must stay until it returns. 0 or negative errno. */
int exec_program(int dirfd, const char *path, int flags, struct string_array argv, struct string_array envp);

/* ---- exit.c ---- */

/*
 * TASK stops using its address space: wakes who waits in vfork, clears its thread number and robust
 * futexes.
 */
void mm_release(struct task *task);

/*
 * exec: ends every other thread of the process and makes this one the leader. 0, or -EAGAIN when it
 * is to die itself.
 */
int exec_end_other_threads(void);

/* Audits the machine and counts what it finds in audit_findings. */
void run_audit(void);

/* Takes a dead process out of everything and adds its accounts to PARENT's. */
void process_reap(struct process *process, struct process *parent);

/* ---- futex.c ---- */

/*
 * Wakes up to COUNT waiters of the futex at ADDRESS of the running program; how many it woke or
 * negative errno.
 */
long futex_wake_address(unsigned long address, unsigned count);
/* futex_pi.c: the running thread dies, or becomes another program: its locks go to who waits for them. */
void pi_exit(void);
/* robust_list.c: the running thread dies while it holds what its list names. */
void robust_list_exit(void);

/* ---- oom.c ---- */

/*
 * do_user_addr_fault for the running program, with half of the reserve; it dies when even that is
 * not enough.
 */
enum fault_outcome fault_from_reserve(unsigned long address, unsigned error, unsigned long ip);

/* ---- init.c ---- */

/* Becomes the first program: what the very first task does before it goes to ring 3. */
void init_first_run(void);
/* The process whose end is the machine's end has ended with wait status STATUS. */
void __noreturn machine_ends(int status);
/* True for that process. */
bool process_is_init(const struct process *process);
/* Who takes the children of those that die. */
struct process *orphan_reaper(void);

#endif
