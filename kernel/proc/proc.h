/* Processes: how they begin, become something else, and end. */
#ifndef KERNEL_PROC_PROC_H
#define KERNEL_PROC_PROC_H

#include "kernel/fs/fs.h"
#include "kernel/sched/sched.h"

/*
 * Makes PID 1 from the program at PATH with ARGV and ENVP (kernel strings, NULL-ended); in run mode its descriptors are raw (see plan of
 * kernel/main.c). Panics with a sentence when that is impossible.
 */
void proc_start_init(const char *path, const char *const *argv, const char *const *envp, bool run_mode);

/* execve for the running task; ARGV and ENVP are user addresses. 0 (the registers are the new program's) or negative errno. */
long do_execve(int dirfd, const char *path, unsigned long argv, unsigned long envp);

struct clone_args_kernel {
    u64 flags;                  /* CLONE_… */
    unsigned long stack;        /* the child's stack pointer, or 0: the parent's */
    unsigned long parent_tid, child_tid, tls;
    int exit_signal;
};
/* fork, vfork, clone, clone3. The child's pid, or negative errno. */
long do_clone(const struct clone_args_kernel *args);

/* Ends the running thread (CODE is the exit code 0…255) or, with GROUP, its whole process. */
void __noreturn do_exit(int code, bool group);
/* Ends the running process as killed by SIGNAL. */
void __noreturn do_exit_signal(int signal, bool core);

long do_wait4(int pid, unsigned long status, int options, unsigned long rusage);
long do_waitid(int type, int id, unsigned long info, int options, unsigned long rusage);

/* Delivers pending signals to the running task on its way to ring 3 (kernel/proc/signal.c). */
void do_signal(struct pt_regs *regs);
long do_rt_sigreturn(struct pt_regs *regs);

/* futex(2): WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, BITSETs, private or not. */
long do_futex(unsigned long address, int operation, u32 value, unsigned long timeout_or_value2,
              unsigned long address2, u32 value3);

#endif
