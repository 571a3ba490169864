/* exc_other: every exception but the page fault, as the signal that Linux makes of it. */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/die.h"
#include "kernel/lib/printf.h"
#include "kernel/proc/proc.h"
#include "mm/kstack.h"

/* Vectors (Intel SDM vol. 3A, table 6-1). */
#define VECTOR_DIVIDE 0
#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_BREAKPOINT 3
#define VECTOR_INVALID_OPCODE 6
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_COPROCESSOR_SEGMENT 9
#define VECTOR_SEGMENT_NOT_PRESENT 11
#define VECTOR_STACK_SEGMENT 12
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_X87 16
#define VECTOR_ALIGNMENT 17
#define VECTOR_SIMD 19

#define DR6_BREAKPOINTS 0xful   /* of the debug registers */
#define DR6_SINGLE_STEP (1ul << 14)
#define DR6_RESET 0xffff0ff0ul
#define NO_SYSTEM_CALL (~0ul)

/* The start of an FXSAVE area (SDM vol. 1, table 10-2). */
struct fxsave_head {
    u16 control, status;
    u8 tag, reserved;
    u16 opcode;
    u64 instruction, data;
    u32 mxcsr, mxcsr_mask;
};

static unsigned long read_and_reset_dr6(void)
{
    unsigned long value;
    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    __asm__ volatile("mov %0, %%dr6" : : "r"(DR6_RESET));
    return value;
}

/*
 * Which of the exceptions that are raised and not masked it was. The bits are the same for x87 and
 * SSE.
 */
static int fpu_code(unsigned raised)
{
    if (raised & 0x01)
        return FPE_FLTINV;
    if (raised & 0x04)
        return FPE_FLTDIV;
    if (raised & 0x08)
        return FPE_FLTOVF;
    if (raised & 0x12)      /* denormal operand, underflow */
        return FPE_FLTUND;
    if (raised & 0x20)
        return FPE_FLTRES;
    return 0;
}

static int fpu_exception_code(unsigned vector)
{
    const struct fxsave_head *state = current->fpu;
    const unsigned mxcsr_mask_shift = 7;

    fpu_save(current->fpu);
    if (vector == VECTOR_SIMD)
        return fpu_code(~(state->mxcsr >> mxcsr_mask_shift) & state->mxcsr & 0x3f);
    return fpu_code(~state->control & state->status & 0x3f);
}

/* An INT1 instruction, which Intel's processors and Bochs have, leaves no bit in DR6. */
static int debug_code(unsigned long dr6)
{
    if (dr6 & DR6_SINGLE_STEP)
        return TRAP_TRACE;
    return dr6 & DR6_BREAKPOINTS ? TRAP_HWBKPT : TRAP_BRKPT;
}

/* What the program gets. Code SI_KERNEL comes without an address. */
static struct signal_info info_of(const struct pt_regs *regs, unsigned vector, unsigned long dr6)
{
    struct signal_info info = { .signal = SIGSEGV, .code = SI_KERNEL };

    switch (vector) {
    case VECTOR_DIVIDE:
        info = (struct signal_info){ .signal = SIGFPE, .code = FPE_INTDIV, .address = regs->ip };
        break;
    case VECTOR_DEBUG:
        info = (struct signal_info){ .signal = SIGTRAP, .code = debug_code(dr6), .address = regs->ip };
        break;
    case VECTOR_BREAKPOINT:
        info.signal = SIGTRAP;
        break;
    case VECTOR_INVALID_OPCODE:
        info = (struct signal_info){ .signal = SIGILL, .code = ILL_ILLOPN, .address = regs->ip };
        break;
    case VECTOR_COPROCESSOR_SEGMENT:
        info.signal = SIGFPE;
        break;
    case VECTOR_SEGMENT_NOT_PRESENT:
    case VECTOR_STACK_SEGMENT:
        info.signal = SIGBUS;
        break;
    case VECTOR_X87:
    case VECTOR_SIMD:
        info = (struct signal_info){ .signal = SIGFPE, .code = fpu_exception_code(vector),
                                     .address = regs->ip };
        break;
    case VECTOR_ALIGNMENT:
        info = (struct signal_info){ .signal = SIGBUS, .code = BUS_ADRALN };
        break;
    default:
        break;
    }
    return info;
}

/*
 * A debug exception that a program brought about. A breakpoint on what MOV SS loads is put off to the next instruction, and if that
 * is SYSCALL, to the kernel's first (SDM vol. 3A, 6.8.3): no harm, on a stack of its own. Bochs does the same to the step over a
 * SYSCALL. But the kernel itself never runs in single steps: SFMASK and the gates clear TF.
 */
static void debug_in_kernel(struct pt_regs *regs)
{
    if (regs->flags & FLAGS_TF) {
        printk("audit: a program's single steps go on in the kernel, at %#lx\n", regs->ip);
        audit_findings++;
    }
    regs->flags &= ~FLAGS_TF;
}

/* An exception in the kernel: mended by the exception table, harmless, or the end. */
static void exception_in_kernel(struct pt_regs *regs, unsigned vector, unsigned long error)
{
    if (vector == VECTOR_NMI)
        return;
    if (vector == VECTOR_DEBUG) {
        debug_in_kernel(regs);
        return;
    }
    if (fixup_exception(regs))
        return;
    /*
     * The page fault at the guard page found no room for its own frame, but CR2 tells where it was.
     */
    if (vector == VECTOR_DOUBLE_FAULT && kstack_is_guard(read_cr2()))
        die(regs, "the kernel stack overflowed (at %#lx)", read_cr2());
    die(regs, "exception %u in the kernel (%s), error code %#lx", vector, exception_names[vector], error);
}

void exc_other(struct pt_regs *regs, unsigned vector, unsigned long error)
{
    unsigned long dr6 = vector == VECTOR_DEBUG ? read_and_reset_dr6() : 0;
    struct signal_info info;

    if (!user_mode(regs)) {
        exception_in_kernel(regs, vector, error);
        return;
    }
    regs->orig_ax = NO_SYSTEM_CALL;
    if (vector == VECTOR_NMI)
        return;
    info = info_of(regs, vector, dr6);
    current->trap_nr = vector;
    current->error_code = error;
    if (signal_force_kills(info.signal))
        printk("%s[%d]: killed by %s: %s, ip %#lx, error code %#lx\n", current->comm, current->pid,
               signal_name(info.signal), exception_names[vector], regs->ip, error);
    signal_force(info.signal, &info);
}
