/*
 * Signals, the receiving half: delivery into ring 3, the way back, and the system calls about them.
 */
#ifndef KERNEL_PROC_SIGNAL_H
#define KERNEL_PROC_SIGNAL_H

#include "kernel/sched/sched.h"

#define SIGSET_SIZE sizeof(sigset_t)
#define SS_ONSTACK 1u
#define SS_DISABLE 2u
#define SS_AUTODISARM (1u << 31)

/*
 * Delivers pending signals to the running task on its way to ring 3, or makes an interrupted system
 * call start again.
 */
void do_signal(struct pt_regs *regs);

/* The bodies of the system calls. Addresses are user addresses; results are the calls'. */
long do_rt_sigreturn(struct pt_regs *regs);
long do_rt_sigaction(int signal, unsigned long action, unsigned long old_action, size_t set_size);
long do_rt_sigprocmask(int how, unsigned long set, unsigned long old_set, size_t set_size);
long do_rt_sigpending(unsigned long set, size_t set_size);
long do_rt_sigsuspend(unsigned long set, size_t set_size);
long do_rt_sigtimedwait(unsigned long set, unsigned long info, unsigned long timeout, size_t set_size);
long do_rt_sigqueueinfo(int pid, int signal, unsigned long info);
long do_rt_tgsigqueueinfo(int tgid, int tid, int signal, unsigned long info);
long do_sigaltstack(unsigned long stack, unsigned long old_stack);
long do_pause(void);
long do_kill(int pid, int signal);
long do_tgkill(int tgid, int tid, int signal);
long do_tkill(int tid, int signal);
long do_restart_syscall(void);

/*
 * For ppoll and pselect: sets the mask at SET (0: leaves it) until the call ends, and the call's
 * end. INTERRUPTED is true when it ends with -EINTR or a restart: then the old mask comes back only
 * after the handler.
 */
int set_user_sigmask(unsigned long set, size_t set_size);
void restore_saved_sigmask_unless(bool interrupted);

/* Bytes that a signal frame needs at most: AT_MINSIGSTKSZ. */
unsigned signal_frame_size(void);

/* INFO as Linux's siginfo_t of 128 bytes. */
#define SIGINFO_SIZE 128
void signal_info_to_user(const struct signal_info *info, u8 bytes[SIGINFO_SIZE]);

#endif
