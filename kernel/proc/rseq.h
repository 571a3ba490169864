/* rseq(2): restartable sequences, which a C library registers for each of its threads. */
#ifndef KERNEL_PROC_RSEQ_H
#define KERNEL_PROC_RSEQ_H

#include "kernel/cpu/regs.h"

/* Registers the running thread's struct rseq at the user address AREA, or takes it back. 0 or negative errno. */
long do_rseq(unsigned long area, u32 size, int flags, u32 signature);

/* On the way to ring 3 of a thread that was switched away: where it is in a sequence, it begins again. */
void rseq_resume(struct pt_regs *regs);

/* The same before a handler of SIGNAL is called, so that it returns to the beginning. */
void rseq_before_signal(struct pt_regs *regs, int signal);

/* exec: the new program has none. */
void rseq_forget(void);

#endif
