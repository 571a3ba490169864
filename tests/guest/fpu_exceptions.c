/* Attacks by way of the FPU: its exceptions, one that waits while others run, and states that no processor loads. */
#define _GNU_SOURCE
#include <sched.h>

#include "catch.h"

#define PROTECTION_FAULT "SEGV code 128 error 0 trap 13"

static void sse(unsigned int unmasked, float first, float second)
{
    unsigned int control = 0x1f80 & ~(unmasked << 7), standard = 0x1f80;
    volatile float a = first, b = second;

    __asm__ volatile("ldmxcsr %0\n\tmovss %1, %%xmm0\n\tdivss %2, %%xmm0\n\tldmxcsr %3"
                     : : "m"(control), "m"(a), "m"(b), "m"(standard) : "xmm0");
}

static void sse_by_zero(void *nothing) { (void)nothing; sse(1 << 2, 1.0f, 0.0f); }
static void sse_invalid(void *nothing) { (void)nothing; sse(1 << 0, 0.0f, 0.0f); }
static void sse_overflow(void *nothing) { (void)nothing; sse(1 << 3, 3e38f, 1e-38f); }
static void sse_underflow(void *nothing) { (void)nothing; sse(1 << 4, 1e-38f, 3e38f); }
static void sse_inexact(void *nothing) { (void)nothing; sse(1 << 5, 1.0f, 3.0f); }
static void sse_reserved(void *nothing)
{
    unsigned int control = 0xffff0000;

    (void)nothing;
    __asm__ volatile("ldmxcsr %0" : : "m"(control));
}

/* Leaves an x87 exception waiting; the next waiting instruction gets it. */
static void raise_late(void)
{
    unsigned short control = 0x37b; /* division by zero is not masked */

    __asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp" : : "m"(control));
}

static void late_exception(void *nothing)
{
    (void)nothing;
    raise_late();
    for (int i = 0; i < 20; i++)
        sched_yield();
    getppid();
    __asm__ volatile("fwait");
}

static void dies_with_one_waiting(void *nothing)
{
    (void)nothing;
    raise_late();
    if (fork() == 0)
        _exit(0);
    wait(NULL);
}

static void spoils_mxcsr(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    memset((char *)((ucontext_t *)context)->uc_mcontext.fpregs + 24, 0xff, 4);
}

static void returns_with_bad_mxcsr(void *nothing)
{
    (void)nothing;
    signal(SIGSEGV, SIG_DFL);
    set_handler(SIGUSR1, spoils_mxcsr, 0);
    raise(SIGUSR1);
}

static bool is(void (*body)(void *), const char *expected)
{
    const char *got = fault_of(body, NULL);

    return strcmp(got, "nothing") == 0 || strcmp(got, expected) == 0;
}

static void fpu_exceptions(void)
{
    /* QEMU's own SSE raises no exceptions and takes any MXCSR: then nothing happens. */
    check(is(sse_by_zero, "FPE code 3 error 0 trap 19"), "an SSE division by zero is FLTDIV, if anything");
    check(is(sse_invalid, "FPE code 7 error 0 trap 19"), "an invalid one FLTINV");
    check(is(sse_overflow, "FPE code 4 error 0 trap 19"), "an overflow FLTOVF");
    check(is(sse_underflow, "FPE code 5 error 0 trap 19"), "an underflow FLTUND");
    check(is(sse_inexact, "FPE code 6 error 0 trap 19"), "an inexact result FLTRES");
    check(is(sse_reserved, PROTECTION_FAULT), "reserved bits of MXCSR are refused, if anything");
    __asm__ volatile("ldmxcsr %0" : : "m"((const unsigned int){0x1f80}));
    check_str(fault_of(late_exception, NULL), "FPE code 3 error 0 trap 16",
              "an x87 exception that waits outlives system calls and switches");
    __asm__ volatile("fninit");
    check_eq(status_of_child(dies_with_one_waiting, NULL), 0, "a process may fork and end while one waits");
    int status = status_of_child(returns_with_bad_mxcsr, NULL);
    /* Processors refuse such a state; QEMU loads it. */
    check(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV),
          "a handler's return with reserved bits of MXCSR set ends well or by SIGSEGV");
}

int main(void)
{
    catch_faults();
    fpu_exceptions();
    return done();
}
