/* Checks the signal frame: registers in it, changes to them, the FPU state, the red zone, the mask. */
#define _GNU_SOURCE
#include "catch.h"

static volatile int handled;
static ucontext_t seen;                                 /* a copy of the last handler's frame */
static unsigned long context_at, info_at, fpu_state_at; /* where the original was */
static unsigned long seen_flags, seen_link, seen_segments, seen_stack, seen_mask, handler_flags;
static unsigned char seen_xmm[16];

static void looks(int signal, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;

    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(handler_flags));
    (void)signal;
    handled++;
    seen = *frame;
    context_at = (unsigned long)frame;
    info_at = (unsigned long)info;
    fpu_state_at = (unsigned long)frame->uc_mcontext.fpregs;
    seen_flags = frame->uc_flags;
    seen_link = (unsigned long)frame->uc_link;
    seen_segments = (unsigned long)frame->uc_mcontext.gregs[REG_CSGSFS];
    seen_stack = (unsigned long)frame->uc_mcontext.gregs[REG_RSP];
    memcpy(&seen_mask, &frame->uc_sigmask, 8);
    memcpy(seen_xmm, (char *)frame->uc_mcontext.fpregs + 160 + 7 * 16, 16);
}

/* Sends itself SIGUSR1 with known registers; stores the registers afterwards. */
static void send_with(uint64_t values[14], unsigned char xmm7[16], uint64_t *flags)
{
    long self = getpid();
    register long number __asm__("rax") = SYS_kill;
    register long process __asm__("rdi") = self;
    register long signal __asm__("rsi") = SIGUSR1;
    register uint64_t r8 __asm__("r8") = values[8], r9 __asm__("r9") = values[9],
                         r10 __asm__("r10") = values[10], r12 __asm__("r12") = values[12],
                         r13 __asm__("r13") = values[13];

    __asm__ volatile("movdqu (%[xmm]), %%xmm7\n\t"
                     "sub $128, %%rsp\n\tpushq %[flags]\n\tpopfq\n\tlea 128(%%rsp), %%rsp\n\t"
                     "syscall\n\t"
                     "movdqu %%xmm7, (%[xmm])\n\t"
                     "lea -128(%%rsp), %%rsp\n\tpushfq\n\tpopq %[flags]\n\tcld\n\tlea 128(%%rsp), %%rsp"
                     : "+r"(number), "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r12), "+r"(r13),
                       [flags] "+d"(*flags)
                     : "r"(process), "r"(signal), [xmm] "b"(xmm7)
                     : "rcx", "r11", "memory", "cc", "xmm7");
    values[8] = r8;
    values[9] = r9;
    values[10] = r10;
    values[12] = r12;
    values[13] = r13;
}

static void what_is_in_the_frame(void)
{
    uint64_t values[14], flags = 0x202 | 0x400 | 0x1;
    unsigned char xmm[16];

    set_handler(SIGUSR1, looks, 0);
    for (int i = 0; i < 14; i++)
        values[i] = 0x0101010101010101UL * (uint64_t)(i + 1);
    memset(xmm, 0x5a, sizeof(xmm));
    send_with(values, xmm, &flags);
    check_eq(handled, 1, "the handler has run");
    check_eq(seen.uc_mcontext.gregs[REG_R8], 0x0909090909090909, "r8 is in the frame");
    check_eq(seen.uc_mcontext.gregs[REG_R13], 0x0e0e0e0e0e0e0e0e, "r13 too");
    check_eq(seen.uc_mcontext.gregs[REG_RAX], 0, "rax is what the system call returned");
    check_eq(seen.uc_mcontext.gregs[REG_RDI], getpid(), "rdi its argument");
    check_eq(seen.uc_mcontext.gregs[REG_EFL] & 0x401, 0x401, "the flags are in the frame");
    check_eq(handler_flags & 0x400, 0, "the handler runs with the direction flag clear");
    check(all_bytes_are((char *)seen_xmm, 16, 0x5a), "xmm7 is in the frame's FPU area");
    check(values[8] == 0x0909090909090909 && values[13] == 0x0e0e0e0e0e0e0e0e,
          "after the handler the registers are back");
    check(all_bytes_are((char *)xmm, 16, 0x5a), "xmm7 is, too");
    check_eq(flags & 0x401, 0x401, "and the flags");
    check_eq(seen_flags & ~1UL, 6, "uc_flags has UC_SIGCONTEXT_SS and UC_STRICT_RESTORE_SS");
    check_eq(seen_link, 0, "uc_link is 0");
    check_eq(seen_segments, 0x002b000000000033, "the selectors are 33 and 2b");
    check_eq(seen_mask, 0, "the mask in the frame is the one before the handler");
}

static void where_the_frame_is(void)
{
    check_eq(context_at & 15, 0, "the ucontext lies at a multiple of 16");
    check_eq(info_at - context_at, 304, "the siginfo follows its 304 bytes");
    check_eq(fpu_state_at & 63, 0, "the FPU area lies at a multiple of 64");
    check(fpu_state_at >= info_at + 128, "above them");
    check(fpu_state_at + 512 <= seen_stack - 128,
          "all of it below the interrupted red zone of 128 bytes");
}

static void skips(int signal, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)signal;
    (void)info;
    handled++;
    registers[REG_RIP] += 2; /* mov (%rax), %eax */
    registers[REG_RBX] = 0x1234567;
}

static void a_changed_frame(void)
{
    unsigned long result;

    handled = 0;
    set_handler(SIGSEGV, skips, 0);
    __asm__ volatile("xor %%eax, %%eax\n\txor %%ebx, %%ebx\n\t.byte 0x8b, 0x00\n\tmov %%rbx, %0"
                     : "=r"(result) : : "rax", "rbx", "memory");
    check_eq(handled, 1, "a handler may move the instruction pointer on");
    check_eq(result, 0x1234567, "and change a register");
}

static void changes_fpu(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    memset((char *)((ucontext_t *)context)->uc_mcontext.fpregs + 160, 0x77, 16);
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm1, %%xmm1" : : : "xmm0", "xmm1");
    __asm__ volatile("fninit\n\tfld1");
}

static void changed_fpu_state(void)
{
    unsigned char zero[16], one[16];
    long number = SYS_kill, process = getpid();

    set_handler(SIGUSR1, changes_fpu, 0);
    __asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tsyscall\n\t"
                     "movdqu %%xmm0, (%1)\n\tmovdqu %%xmm1, (%2)"
                     : "+a"(number) : "r"(zero), "r"(one), "D"(process), "S"((long)SIGUSR1)
                     : "rcx", "r11", "memory", "xmm0", "xmm1");
    check(all_bytes_are((char *)zero, 16, 0x77), "what a handler writes to the FPU area is loaded");
    check(all_bytes_are((char *)one, 16, 0), "what it does with SSE registers itself is not kept");
}

static void nothing_special(int signal, siginfo_t *info, void *context)
{
    volatile char room[512];

    (void)signal;
    (void)info;
    (void)context;
    memset((char *)room, 0xee, sizeof(room));
    handled++;
}

static void the_red_zone(void)
{
    uint64_t value = 0;
    long number = SYS_kill, process = getpid();

    handled = 0;
    set_handler(SIGUSR1, nothing_special, 0);
    __asm__ volatile("movq $0x1122, -120(%%rsp)\n\tmovq $0x3344, -8(%%rsp)\n\tsyscall\n\t"
                     "mov -120(%%rsp), %1\n\tshl $16, %1\n\tadd -8(%%rsp), %1"
                     : "+a"(number), "=&r"(value) : "D"(process), "S"((long)SIGUSR1)
                     : "rcx", "r11", "memory", "cc");
    check_eq(handled, 1, "the handler has used its stack");
    check_eq(value, 0x11223344, "the red zone of what it interrupted is untouched");
}

static void masks_itself(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

static void the_mask_of_the_frame(void)
{
    sigset_t now;

    set_handler(SIGUSR1, masks_itself, 0);
    kill(getpid(), SIGUSR1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    check_eq(sigismember(&now, SIGUSR2), 1, "a handler may change the mask that is put back");
    sigemptyset(&now);
    sigprocmask(SIG_SETMASK, &now, NULL);
}

static void returns_to_nowhere(void *stack)
{
    __asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall" : : "r"(stack) : "memory");
}

static void bad_frames(void)
{
    char *page = anon(2);

    signal(SIGSEGV, SIG_DFL);
    check_eq(signal_of_child(returns_to_nowhere, (void *)64), SIGSEGV,
             "rt_sigreturn with a bad stack kills");
    check_eq(signal_of_child(returns_to_nowhere, page + PAGE), SIGSEGV,
             "rt_sigreturn with a frame of zeros kills");
    raw_munmap(page, 2 * PAGE);
}

static void handler_below_the_stack(void *nothing)
{
    (void)nothing;
    set_handler(SIGUSR1, nothing_special, 0);
    __asm__ volatile("mov $4096, %%rsp\n\tsyscall" : : "a"((long)SYS_kill), "D"((long)getpid()),
                     "S"((long)SIGUSR1) : "rcx", "r11", "memory");
}

static void no_room_for_a_frame(void)
{
    check_eq(signal_of_child(handler_below_the_stack, NULL), SIGSEGV,
             "a signal whose frame cannot be written kills with SIGSEGV");
}

int main(void)
{
    what_is_in_the_frame();
    where_the_frame_is();
    a_changed_frame();
    changed_fpu_state();
    the_red_zone();
    the_mask_of_the_frame();
    bad_frames();
    no_room_for_a_frame();
    return done();
}
