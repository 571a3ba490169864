/*
 * The signal frame: built on the way to a handler, taken apart (and not trusted) by rt_sigreturn.
 */
#include "kernel/proc/sigframe.h"

#include "kernel/cpu/cpu.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/user_copy.h"

#define RED_ZONE 128            /* below RSP, still in use (System V ABI, 3.2.2) */
#define FPU_ALIGNMENT 64
#define FRAME_ALIGNMENT 16

#define UC_FP_XSTATE 1ul
#define UC_SIGCONTEXT_SS 2ul
#define UC_STRICT_RESTORE_SS 4ul

#define MINSIGSTKSZ 2048

/* What rt_sigreturn may change of the flags: the arithmetic ones, DF, TF, RF and AC. */
#define FLAGS_RESTORABLE 0x50dd5ul

/* Linux's struct sigcontext: mcontext_t of the C library. */
struct signal_context {
    u64 r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
    u16 cs, gs, fs, ss;
    u64 error_code, trap_nr, old_mask, cr2, fpstate, reserved[8];
};

struct user_context {
    u64 flags, link;
    struct signal_stack stack;
    struct signal_context registers;
    sigset_t blocked;
};

struct signal_frame {
    /* SA_RESTORER: where the handler returns to, which calls rt_sigreturn */
    u64 return_address;
    struct user_context context;
    u8 info[SIGINFO_SIZE];
};
_Static_assert(sizeof(struct signal_context) == 256, "Linux's struct sigcontext");
_Static_assert(sizeof(struct signal_frame) == 440, "Linux's struct rt_sigframe");

unsigned signal_frame_size(void)
{
    /* The frame, its paddings and the red zone, as Linux adds them up. */
    const unsigned without_fpu = 928;

    return ALIGN_UP(without_fpu + signal_fpu_size(), FRAME_ALIGNMENT);
}

/* ---- the alternate stack ---- */

static bool within_altstack(unsigned long sp)
{
    return sp > current->altstack_sp && sp - current->altstack_sp <= current->altstack_size;
}

bool on_altstack(unsigned long sp)
{
    return !(current->altstack_flags & SS_AUTODISARM) && within_altstack(sp);
}

u32 altstack_state(unsigned long sp)
{
    if (!current->altstack_size)
        return SS_DISABLE;
    return on_altstack(sp) ? SS_ONSTACK : 0;
}

int altstack_set(const struct signal_stack *stack, unsigned long sp)
{
    u32 mode = stack->flags & ~SS_AUTODISARM;

    if (on_altstack(sp))
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode != SS_DISABLE && stack->size < MINSIGSTKSZ)
        return -ENOMEM;
    current->altstack_sp = mode == SS_DISABLE ? 0 : stack->sp;
    current->altstack_size = mode == SS_DISABLE ? 0 : stack->size;
    current->altstack_flags = stack->flags;
    return 0;
}

/* ---- towards the handler ---- */

/* Where the frame goes, and in *FPSTATE its FPU part. 0: on no stack that the program may use. */
static unsigned long choose_place(const struct pt_regs *regs, const struct k_sigaction *action,
                                  unsigned long *fpstate)
{
    bool nested = on_altstack(regs->sp), entering = false;
    unsigned long sp = regs->sp - RED_ZONE;

    if ((action->flags & SA_ONSTACK) && altstack_state(sp) == 0) {
        sp = current->altstack_sp + current->altstack_size;
        entering = true;
    }
    *fpstate = ALIGN_DOWN(sp - signal_fpu_size(), FPU_ALIGNMENT);
    /* As if a call had pushed its return address on an aligned stack (System V ABI, 3.2.2). */
    sp = ALIGN_DOWN(*fpstate - sizeof(struct signal_frame), FRAME_ALIGNMENT) - sizeof(u64);
    if ((nested || entering) && !within_altstack(sp))
        return 0;
    return sp;
}

static void save_registers(struct signal_context *context, const struct pt_regs *regs)
{
    *context = (struct signal_context){
        .r8 = regs->r8, .r9 = regs->r9, .r10 = regs->r10, .r11 = regs->r11,
        .r12 = regs->r12, .r13 = regs->r13, .r14 = regs->r14, .r15 = regs->r15,
        .di = regs->di, .si = regs->si, .bp = regs->bp, .bx = regs->bx,
        .dx = regs->dx, .ax = regs->ax, .cx = regs->cx, .sp = regs->sp,
        .ip = regs->ip, .flags = regs->flags, .cs = (u16)regs->cs, .ss = (u16)regs->ss,
        .error_code = current->error_code, .trap_nr = current->trap_nr, .cr2 = current->cr2,
    };
}

bool signal_frame_push(struct pt_regs *regs, const struct signal_info *info,
                       const struct k_sigaction *action, sigset_t blocked)
{
    struct signal_frame frame = { .return_address = action->restorer };
    struct user_context *context = &frame.context;
    unsigned long fpstate, sp = choose_place(regs, action, &fpstate);

    /* 64-bit programs bring their own way back. */
    if (!sp || !(action->flags & SA_RESTORER))
        return false;
    context->flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (this_cpu.has_xsave ? UC_FP_XSTATE : 0);
    context->stack = (struct signal_stack){ .sp = current->altstack_sp, .flags = current->altstack_flags,
                                            .size = current->altstack_size };
    save_registers(&context->registers, regs);
    context->registers.old_mask = context->blocked = blocked;
    context->registers.fpstate = fpstate;
    signal_info_to_user(info, frame.info);
    if (!signal_fpu_save(fpstate) || copy_to_user(sp, &frame, sizeof(frame)))
        return false;
    regs->di = (unsigned long)info->signal;
    regs->si = sp + offsetof(struct signal_frame, info);
    regs->dx = sp + offsetof(struct signal_frame, context);
    regs->ax = 0;
    regs->ip = action->handler;
    regs->sp = sp;
    regs->cs = USER_CS;
    regs->ss = USER_DS;
    regs->flags &= ~(FLAGS_DF | FLAGS_RF | FLAGS_TF);
    this_cpu.work_pending |= CPU_WORK_REGISTERS;
    return true;
}

/* ---- and back ---- */

static void load_registers(struct pt_regs *regs, const struct signal_context *context)
{
    const unsigned ring3 = 3;

    regs->r8 = context->r8;
    regs->r9 = context->r9;
    regs->r10 = context->r10;
    regs->r11 = context->r11;
    regs->r12 = context->r12;
    regs->r13 = context->r13;
    regs->r14 = context->r14;
    regs->r15 = context->r15;
    regs->di = context->di;
    regs->si = context->si;
    regs->bp = context->bp;
    regs->bx = context->bx;
    regs->dx = context->dx;
    regs->ax = context->ax;
    regs->cx = context->cx;
    regs->sp = context->sp;
    regs->ip = context->ip;
    regs->flags = (regs->flags & ~FLAGS_RESTORABLE) | (context->flags & FLAGS_RESTORABLE);
    /*
     * Never the kernel's ring. Other nonsense makes IRETQ fault, which becomes the program's
     * SIGSEGV.
     */
    regs->cs = context->cs | ring3;
    regs->ss = context->ss | ring3;
    regs->orig_ax = ~0ul;       /* what was interrupted starts again by itself or not at all */
}

long do_rt_sigreturn(struct pt_regs *regs)
{
    struct signal_frame frame;
    unsigned long at = regs->sp - sizeof(frame.return_address);
    size_t size = offsetof(struct signal_frame, info);

    current->restart.go_on = NULL;
    if (copy_from_user(&frame, at, size))
        goto bad_frame;
    signal_set_blocked(frame.context.blocked);
    load_registers(regs, &frame.context.registers);
    if (!signal_fpu_restore(frame.context.registers.fpstate))
        goto bad_frame;
    (void)altstack_set(&frame.context.stack, regs->sp);     /* what can't be set stays as it is */
    this_cpu.work_pending |= CPU_WORK_REGISTERS;
    return (long)regs->ax;
bad_frame:
    regs->orig_ax = ~0ul;
    this_cpu.work_pending |= CPU_WORK_REGISTERS;
    signal_force(SIGSEGV, NULL);
    return 0;
}
