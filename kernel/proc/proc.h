/* Processes: how they begin, become something else, and end. */
#ifndef KERNEL_PROC_PROC_H
#define KERNEL_PROC_PROC_H

#include "kernel/fs/fs.h"
#include "kernel/fs/timerfd.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/sched.h"

/*
 * Makes the first program from the file at PATH with ARGV and ENVP (kernel strings, NULL-ended) and
 * starts it. In shell mode it is PID 1 on /dev/console. In run mode PID 1 is a process that only
 * takes in orphans, the program is PID 2 (as in tools/linux-run), and its descriptors are raw.
 * Panics with a sentence when that is impossible. Returns; sched_idle() then runs it. Its end is
 * the machine's end.
 */
void proc_start_init(const char *path, const char *const *argv, const char *const *envp, bool run_mode);

/* Set from the command line (audit=exit): the audit runs after each process's end. */
extern bool audit_at_exit;
/* How many findings there were; power-off then says so. */
extern unsigned audit_findings;

/* ---- exec (exec.c, elf.c, exec_stack.c) ---- */

/*
 * execve and execveat for the running task; PATH is a kernel string, ARGV and ENVP are user addresses,
 * FLAGS are AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW. 0 (the registers are the new program's) or negative errno.
 */
long do_execveat(int dirfd, const char *path, unsigned long argv, unsigned long envp, int flags);

/* ---- fork (fork.c) ---- */

#define CSIGNAL 0x000000ffull
#define CLONE_VM 0x00000100ull
#define CLONE_FS 0x00000200ull
#define CLONE_FILES 0x00000400ull
#define CLONE_SIGHAND 0x00000800ull
#define CLONE_PIDFD 0x00001000ull
#define CLONE_PTRACE 0x00002000ull
#define CLONE_VFORK 0x00004000ull
#define CLONE_PARENT 0x00008000ull
#define CLONE_THREAD 0x00010000ull
#define CLONE_NEWNS 0x00020000ull
#define CLONE_SYSVSEM 0x00040000ull
#define CLONE_SETTLS 0x00080000ull
#define CLONE_PARENT_SETTID 0x00100000ull
#define CLONE_CHILD_CLEARTID 0x00200000ull
#define CLONE_DETACHED 0x00400000ull
#define CLONE_UNTRACED 0x00800000ull
#define CLONE_CHILD_SETTID 0x01000000ull
#define CLONE_NEWCGROUP 0x02000000ull
#define CLONE_NEWUTS 0x04000000ull
#define CLONE_NEWIPC 0x08000000ull
#define CLONE_NEWUSER 0x10000000ull
#define CLONE_NEWPID 0x20000000ull
#define CLONE_NEWNET 0x40000000ull
#define CLONE_IO 0x80000000ull
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#define CLONE_INTO_CGROUP 0x200000000ull

struct clone_args_kernel {
    u64 flags;                  /* CLONE_…, without the signal */
    unsigned long stack;        /* the child's stack pointer, or 0: the parent's */
    unsigned long parent_tid, child_tid, tls;
    int exit_signal;
};
/* fork, vfork, clone, clone3. The child's pid, or negative errno. */
long do_clone(const struct clone_args_kernel *args);
/* clone3 from the user's struct clone_args of SIZE bytes. */
long do_clone3(unsigned long args, size_t size);

/* ---- the end (exit.c, wait.c) ---- */

/* Ends the running thread (CODE is the exit code 0…255) or, with GROUP, its whole process. */
void __noreturn do_exit(int code, bool group);
/* Ends the running process as killed by SIGNAL. */
void __noreturn do_exit_signal(int signal, bool core);

#define WNOHANG 0x00000001
#define WUNTRACED 0x00000002
#define WSTOPPED WUNTRACED
#define WEXITED 0x00000004
#define WCONTINUED 0x00000008
#define WNOWAIT 0x01000000

long do_wait4(int pid, unsigned long status, int options, unsigned long rusage);
long do_waitid(int type, int id, unsigned long info, int options, unsigned long rusage);

/* ---- futexes (futex.c) ---- */

/*
 * futex(2): all of its operations, private or not. TIMEOUT is a user address or a number.
 */
long do_futex(unsigned long address, int operation, u32 value, unsigned long timeout_or_value2,
              unsigned long address2, u32 value3);
long do_set_robust_list(unsigned long head, size_t size);
long do_get_robust_list(int pid, unsigned long head, unsigned long size);

/* ---- time (time.c) ---- */

struct kernel_timespec {
    s64 seconds, nanoseconds;
};
struct kernel_timeval {
    s64 seconds, microseconds;
};

/* Reads a struct timespec at the user address FROM as nanoseconds. 0, -EFAULT or -EINVAL. */
int get_timespec(unsigned long from, u64 *nanoseconds);
int put_timespec(unsigned long to, u64 nanoseconds);
/* The same for a struct itimerspec. */
int get_timer_setting(unsigned long from, struct timer_setting *setting);
int put_timer_setting(unsigned long to, const struct timer_setting *setting);

long do_nanosleep(unsigned long request, unsigned long remaining);
long do_clock_nanosleep(int clock, int flags, unsigned long request, unsigned long remaining);
long do_clock_gettime(int clock, unsigned long time);
long do_clock_getres(int clock, unsigned long resolution);
long do_getitimer(int which, unsigned long value);
long do_setitimer(int which, unsigned long value, unsigned long old_value);
long do_alarm(unsigned seconds);

/* ---- limits and accounts (limits.c) ---- */

long do_prlimit(int pid, unsigned resource, unsigned long new_limit, unsigned long old_limit);
/* Fills MM->limits from PROCESS's: at exec and whenever they change. */
void limits_to_mm(const struct process *process, struct mm_limits *limits);
void limits_init(struct rlimit limits[RLIM_NLIMITS]);
long do_getrusage(int who, unsigned long usage);
long do_times(unsigned long buffer);

/* ---- groups and sessions (group.c) ---- */

long do_setpgid(int pid, int pgid);
long do_getpgid(int pid);
long do_setsid(void);
long do_getsid(int pid);
/* True when nobody outside the group, but within the session, is a parent of one of its members. */
bool process_group_is_orphaned(int pgid);

/* ---- out of memory (oom.c) ---- */

/*
 * Memory is short and a fault of the running program can't be served. Chooses who dies (see oom.c),
 * says so, and kills. True: try again; a caller who MAY_WAIT has waited already. False: the running
 * program is the one that dies, on its way to ring 3.
 */
bool out_of_memory(bool may_wait);
/* Only the reserve is left. */
bool memory_is_full(void);

#endif
