/* Checks that the FPU and SSE state is everyone's own: handlers begin with a fresh one, and nothing leaks or is lost. */
#define _GNU_SOURCE
#include <sched.h>

#include "catch.h"

#define DEFAULT_MXCSR 0x1f80u
#define DEFAULT_CONTROL 0x37fu
#define ROUND_TO_ZERO_MXCSR 0x7f80u
#define SINGLE_PRECISION_CONTROL 0x07fu

static unsigned int read_mxcsr(void)
{
    unsigned int value;

    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

static unsigned short read_control(void)
{
    unsigned short value;

    __asm__ volatile("fnstcw %0" : "=m"(value));
    return value;
}

static void set_state(unsigned int mxcsr, unsigned short control)
{
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(control));
}

static volatile unsigned int handler_mxcsr, handler_control;
static unsigned char handler_xmm[16];

static void looks(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    __asm__ volatile("movdqu %%xmm9, %0" : "=m"(handler_xmm));
    handler_mxcsr = read_mxcsr();
    handler_control = read_control();
    set_state(DEFAULT_MXCSR | 0x2000, DEFAULT_CONTROL);
}

static void handlers(void)
{
    unsigned char xmm[16];

    set_handler(SIGUSR1, looks, 0);
    set_state(ROUND_TO_ZERO_MXCSR, SINGLE_PRECISION_CONTROL);
    memset(xmm, 0x77, sizeof(xmm));
    __asm__ volatile("movdqu %0, %%xmm9" : : "m"(xmm) : "xmm9");
    raise(SIGUSR1);
    unsigned int mxcsr = read_mxcsr(), control = read_control();
    set_state(DEFAULT_MXCSR, DEFAULT_CONTROL);
    check_eq(handler_mxcsr, DEFAULT_MXCSR, "a handler begins with the default MXCSR");
    check_eq(handler_control, DEFAULT_CONTROL, "the default x87 control word");
    check(all_bytes_are((char *)handler_xmm, 16, 0), "and cleared SSE registers");
    check_eq(mxcsr, ROUND_TO_ZERO_MXCSR, "after it the program's MXCSR is back");
    check_eq(control, SINGLE_PRECISION_CONTROL, "and its control word");
}

/* A state that the processor refuses, where it has XSAVE: the header behind the first 512 bytes must not be full of ones. */
static void breaks_its_frame(int signal, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;
    unsigned long features;

    (void)signal, (void)info;
    __asm__ volatile("mov %1, %0" : "=r"(features) : "m"(frame->uc_flags));
    if (features & 1)
        memset((char *)frame->uc_mcontext.fpregs + 512, 0xff, 64);
    else
        frame->uc_mcontext.fpregs = (void *)1;
}

static void returns_to_a_broken_state(void *nothing)
{
    (void)nothing;
    set_handler(SIGUSR1, breaks_its_frame, 0);
    raise(SIGUSR1);
}

/* Keeps a value in a register while others run. */
static void keeps_its_register(void *value)
{
    unsigned char xmm[16], after[16];

    memset(xmm, (int)(long)value, sizeof(xmm));
    for (int i = 0; i < 50; i++) {
        register long number __asm__("rax") = SYS_sched_yield;
        __asm__ volatile("movdqu %[xmm], %%xmm12\n\tsyscall\n\tmovdqu %%xmm12, %[after]"
                         : [after] "=m"(after), "+r"(number)
                         : [xmm] "m"(xmm)
                         : "rcx", "r11", "memory", "xmm12");
        if (memcmp(xmm, after, sizeof(xmm)) != 0)
            _exit(1);
    }
}

static void refused_states(void)
{
    pid_t children[8];
    int wrong = 0;

    for (int i = 0; i < 4; i++)
        check_eq(signal_of_child(returns_to_a_broken_state, NULL), SIGSEGV,
                 "a frame whose FPU state is refused kills with SIGSEGV");
    /* These get the memory in which the dead kept their states. */
    for (int i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            keeps_its_register((void *)(long)(i + 1));
            _exit(0);
        }
    }
    for (int i = 0; i < 8; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        wrong += status != 0;
    }
    check_eq(wrong, 0, "later processes keep their registers over switches nevertheless");
}

int main(void)
{
    handlers();
    refused_states();
    return done();
}
