/*
 * The processor: its features, its control registers, and what it needs to know of the running
 * task.
 */
#ifndef KERNEL_CPU_CPU_H
#define KERNEL_CPU_CPU_H

#include "kernel/cpu/regs.h"

/* The one processor's data. The entry stubs know the offsets of the first four fields. */
struct cpu_info {
    unsigned long kernel_stack_top;     /* of the running task: where every entry from ring 3 begins */
    unsigned long user_sp;              /* scratch for the system-call entry */
    u32 work_pending;                   /* non-zero: look at CPU_WORK_… before going back to ring 3 */
    u32 fixup_error;                    /* the error code of the last exception that was mended */
    bool has_nx, has_smep, has_smap, has_umip, has_1gib_pages, has_xsave, has_rdrand, has_fsgsbase, has_syscall;
    u32 xsave_size;                     /* bytes of the FPU state area in use (512 for FXSAVE) */
    u64 xsave_mask;                     /* XCR0 */
    u64 tsc_hz;
};
extern struct cpu_info this_cpu;

#define CPU_WORK_RESCHED (1u << 0)      /* set by the timer and by wake-ups: call schedule() */
#define CPU_WORK_SIGNAL (1u << 1)       /* the running task has something to deliver */
#define CPU_WORK_RSEQ (1u << 3)         /* the running task was away: kernel/proc/rseq.c */
#define CPU_WORK_REGISTERS (1u << 2)    /* exec, sigreturn replaced struct pt_regs: load all of it */

/*
 * CPUID checks, NX, WP, SMEP, SMAP, UMIP, FPU set-up, SYSCALL MSRs; patches CLAC/STAC where SMAP is
 * on. Before kernel_map_init.
 */
void cpu_init(void);
/* GDT, IDT, TSS with stacks of their own for double fault, NMI and machine check. */
void descriptors_init(void);

/*
 * Tells the processor which kernel stack the next entry from ring 3 uses. TOP is 16-byte aligned.
 */
void cpu_set_kernel_stack(unsigned long top);

/* The FS base of the running program (arch_prctl, thread-local storage); the GS base likewise. */
void cpu_set_fs_base(unsigned long base);
unsigned long cpu_get_fs_base(void);
void cpu_set_gs_base(unsigned long base);
unsigned long cpu_get_gs_base(void);

/*
 * FPU/SSE/AVX state. AREA is this_cpu.xsave_size bytes, 64-byte aligned, zeroed before
 * fpu_init_state.
 */
void fpu_init_state(void *area);    /* control word 0x37f, mxcsr 0x1f80 */
void fpu_save(void *area);
/*
 * False when the processor refuses AREA (a program may have filled it); the registers are then in
 * their initial state.
 */
bool fpu_restore(const void *area);
/* CPUID leaf 1, EDX: what AT_HWCAP tells a program. */
u32 cpu_feature_word(void);

static inline u64 rdtsc(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}

/*
 * cpu_random, stirred so that each of the 64 bits differs from call to call and from boot to boot: for the kernel's
 * own secrets.
 */
u64 cpu_entropy(void);

/* kernel/cpu/stack_protector.c: gives this boot its guard. To be called by a function that never returns. */
void stack_protector_init(void);

/* The address of the last page fault. */
static inline unsigned long read_cr2(void)
{
    unsigned long value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outw(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outl(u16 port, u32 value) { __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
static inline u32 inl(u16 port)
{
    u32 value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline u8 inb(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/*
 * Hooks that the entry stubs (kernel/cpu/entry.asm) call and that higher rooms implement.
 * Interrupts are off in all.
 */
/* kernel/proc/page_fault.c. CR2 is still the fault's. */
void exc_page_fault(struct pt_regs *regs, unsigned long error_code);
/*
 * kernel/proc/traps.c: every exception but the page fault; VECTOR 0…31, from ring 3 or from the
 * kernel.
 */
void exc_other(struct pt_regs *regs, unsigned vector, unsigned long error_code);
/*
 * kernel/proc/entry_work.c: called on the way to ring 3 while this_cpu.work_pending is non-zero,
 * from system calls, exceptions and interrupts.
 */
void exit_to_user_work(struct pt_regs *regs);
/*
 * syscall/entry: NUMBER is regs->orig_ax; the result goes to regs->ax. Written by the syscall room
 * with its own stub asm_syscall_entry.
 */
void asm_syscall_entry(void);

/*
 * Jumped to (never called) with RSP at a whole struct pt_regs at the top of a kernel stack: does
 * pending work and goes to ring 3 with all its registers. For new tasks, and wherever the registers
 * were replaced.
 */
void asm_return_to_user(void);

/*
 * Interrupts: HANDLER runs with interrupts off; the controller is told the end of interrupt by the
 * caller.
 */
typedef void (*irq_handler_t)(struct pt_regs *regs);
/* A NULL HANDLER closes the line again. */
void irq_set_handler(unsigned irq, irq_handler_t handler);

/* A number that nobody can foresee: the processor's own (RDRAND), or at least the time in its cycles. */
u64 cpu_random(void);

/*
 * For kernel faults inside arch_copy_user and arch_clear_user: if REGS->ip is in the exception
 * table, moves it to the landing and returns true.
 */
bool fixup_exception(struct pt_regs *regs);

#endif
