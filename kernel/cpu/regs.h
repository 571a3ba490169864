/* The registers of an interrupted program, as the entry stubs push them: Linux's struct pt_regs. */
#ifndef KERNEL_CPU_REGS_H
#define KERNEL_CPU_REGS_H

#include "kernel/lib/types.h"

/* Lies at the top of the task's kernel stack while a program is in the kernel. Order: Linux's. */
struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx;
    unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
    unsigned long orig_ax;      /* system call number; the processor's error code (or 0) for an exception; ~vector for an interrupt */
    unsigned long ip, cs, flags, sp, ss;    /* pushed by the processor, or made alike by the system-call entry */
};

/* orig_ax of the timer's interrupt when it has waited for the end of a page fault. */
#define ORIG_AX_TICK_IN_FAULT (-1000ul)

/* Selectors. SYSRET wants user data at STAR+8 and user code at STAR+16 (SDM vol. 2B, SYSRET). */
#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER32_CS 0x23
#define USER_DS 0x2b
#define USER_CS 0x33
#define TSS_SELECTOR 0x40

#define FLAGS_CF (1ul << 0)
#define FLAGS_FIXED (1ul << 1)
#define FLAGS_TF (1ul << 8)
#define FLAGS_IF (1ul << 9)
#define FLAGS_DF (1ul << 10)
#define FLAGS_IOPL (3ul << 12)
#define FLAGS_NT (1ul << 14)
#define FLAGS_RF (1ul << 16)
#define FLAGS_AC (1ul << 18)

static inline bool user_mode(const struct pt_regs *regs)
{
    return (regs->cs & 3) != 0;
}

#endif
