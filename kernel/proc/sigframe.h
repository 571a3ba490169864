/*
 * What a signal handler finds on its stack: Linux's struct rt_sigframe of x86-64, and the way there
 * and back.
 */
#ifndef KERNEL_PROC_SIGFRAME_H
#define KERNEL_PROC_SIGFRAME_H

#include "kernel/proc/signal.h"

/* Linux's stack_t. */
struct signal_stack {
    u64 sp;
    u32 flags, padding;
    u64 size;
};

/*
 * Puts a frame on the program's stack (or its alternate one) and points REGS at the handler.
 * BLOCKED is what rt_sigreturn brings back. False when the frame can't be written.
 */
bool signal_frame_push(struct pt_regs *regs, const struct signal_info *info,
                       const struct k_sigaction *action, sigset_t blocked);

/* True when SP lies on the running thread's alternate stack. */
bool on_altstack(unsigned long sp);
/* SS_ONSTACK, SS_DISABLE or 0. */
u32 altstack_state(unsigned long sp);
/*
 * sigaltstack(2) without the copying. SP is the program's stack pointer. 0, -EPERM, -EINVAL or
 * -ENOMEM.
 */
int altstack_set(const struct signal_stack *stack, unsigned long sp);

/* ---- the FPU part (sigframe_fpu.c) ---- */

/* Bytes of the FPU part of a frame. */
unsigned signal_fpu_size(void);
/*
 * Writes the running program's FPU state to ADDRESS and gives it a fresh one. False when ADDRESS
 * can't be written.
 */
bool signal_fpu_save(unsigned long address);
/*
 * Loads the FPU state at ADDRESS (0: a fresh one). False when it can't be read or the processor
 * refuses it.
 */
bool signal_fpu_restore(unsigned long address);

#endif
