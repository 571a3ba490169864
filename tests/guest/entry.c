/*
 * Checks that the kernel can be entered from any state that a program can bring itself into: any
 * stack pointer, any flags, every interrupt number, bad selectors, and whatever rt_sigreturn is given.
 */
#include "catch.h"

enum { CALL_GETPPID = 110, SIZE_OF_INT = 2 };

#define FLAG_TF 0x100ul
#define FLAG_DF 0x400ul
#define FLAG_IOPL 0x3000ul
#define FLAG_NT 0x4000ul
#define FLAG_VM 0x20000ul
#define FLAG_AC 0x40000ul
#define FLAG_VIF 0x80000ul
#define KERNEL_CODE 0x10u
#define TASK_STATE 0x40u
#define USER_DATA 0x2bu
#define USER_CODE 0x33u

static const struct {
    unsigned long value;
    const char *name;
} stack_pointers[] = {
    {0, "0"},
    {7, "7"},
    {KERNEL_ADDRESS, "in the kernel"},
    {KERNEL_ADDRESS + 0x100008, "in the kernel's text"},
    {NON_CANONICAL, "that is not canonical"},
    {~0ul, "-1"},
    {USER_END, "at the end of user space"},
};

/* ---- with any stack pointer ---- */

/* getppid() with this stack pointer; *AFTER is what it was afterwards. */
static long call_with(unsigned long stack_pointer, unsigned long *after)
{
    long result;

    __asm__ volatile("mov %%rsp, %%r12\n\tmov %3, %%rsp\n\tsyscall\n\tmov %%rsp, %1\n\tmov %%r12, %%rsp"
                     : "=a"(result), "=&r"(*after)
                     : "0"((long)CALL_GETPPID), "r"(stack_pointer)
                     : "rcx", "r11", "r12", "memory");
    return result;
}

/* Writes one byte with this stack pointer. */
static void touch_with(unsigned long stack_pointer, char *address)
{
    __asm__ volatile("mov %%rsp, %%r12\n\tmov %0, %%rsp\n\tmovb $'t', (%1)\n\tmov %%r12, %%rsp"
                     : : "r"(stack_pointer), "r"(address) : "r12", "memory");
}

/* Runs through some timer interrupts with this stack pointer. */
static void spin_with(unsigned long stack_pointer)
{
    unsigned long rounds = 40000000;

    __asm__ volatile("mov %%rsp, %%r12\n\tmov %1, %%rsp\n1:\tdec %0\n\tjnz 1b\n\tmov %%r12, %%rsp"
                     : "+r"(rounds) : "r"(stack_pointer) : "r12", "memory", "cc");
}

static void trap_with(void *stack_pointer)
{
    __asm__ volatile("mov %0, %%rsp\n\tint3" : : "r"(stack_pointer) : "memory");
}

static void undefined_with(void *stack_pointer)
{
    __asm__ volatile("mov %0, %%rsp\n\tud2" : : "r"(stack_pointer) : "memory");
}

static void any_stack_pointer(void)
{
    char *memory = raw_mmap(0, 16 * PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);

    for (unsigned int i = 0; i < sizeof(stack_pointers) / sizeof(stack_pointers[0]); i++) {
        unsigned long value = stack_pointers[i].value, after = 0;
        const char *name = stack_pointers[i].name;

        check(call_with(value, &after) == getppid() && after == value,
              "a system call with a stack pointer %s", name);
        touch_with(value, memory + i * PAGE);
        check_eq(memory[i * PAGE], 't', "a page fault with a stack pointer %s", name);
        int status = status_of_child(trap_with, (void *)value);
        check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP,
              "a breakpoint with a stack pointer %s", name);
        status = status_of_child(undefined_with, (void *)value);
        check(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL,
              "an invalid instruction with a stack pointer %s", name);
    }
    spin_with(KERNEL_ADDRESS);
    spin_with(NON_CANONICAL);
    check(true, "timer interrupts with a stack pointer of no use");
    set_handler(SIGILL, catch_handler, 0);
    int status = status_of_child(undefined_with, NULL);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
          "a handler without a stack to run on: SIGSEGV");
    signal(SIGILL, SIG_DFL);
    raw_munmap(memory, 16 * PAGE);
}

/* ---- with any flags ---- */

/* A system call with these flags set. */
static long call_with_flags(unsigned long flags, long number, long first, const char *second, long third)
{
    long result;

    __asm__ volatile("sub $128, %%rsp\n\tpushf\n\tor %5, (%%rsp)\n\tpopf\n\tsyscall\n\t"
                     "pushf\n\tandq $~0x44500, (%%rsp)\n\tpopf\n\tadd $128, %%rsp"
                     : "=a"(result)
                     : "0"(number), "D"(first), "S"(second), "d"(third), "r"(flags)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

static volatile int signals_seen;

static void see_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    signals_seen++;
}

static void any_flags(void)
{
    static const struct {
        unsigned long flags;
        const char *name;
    } cases[] = {{FLAG_DF, "direction"}, {FLAG_AC, "alignment check"}, {FLAG_NT, "nested task"},
                 {FLAG_DF | FLAG_AC | FLAG_NT, "all three"}};
    char *memory = raw_mmap(0, 2 * PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
    int pipe_ends[2];

    if (pipe(pipe_ends) != 0)
        bail_out("pipe failed with errno %d", errno);
    set_handler(SIGUSR2, see_signal, 0);
    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char got[5] = "";
        strcpy(memory + PAGE - 2, "abcd");
        check_eq(call_with_flags(cases[i].flags, SYS_write, pipe_ends[1], memory + PAGE - 2, 4), 4,
                 "a system call with the %s flag set", cases[i].name);
        check(read(pipe_ends[0], got, 4) == 4 && strcmp(got, "abcd") == 0,
              "copies what it should, forwards");
        signals_seen = 0;
        call_with_flags(cases[i].flags, SYS_kill, getpid(), (char *)SIGUSR2, 0);
        check_eq(signals_seen, 1, "and the way back through a handler works");
    }
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    raw_munmap(memory, 2 * PAGE);
}

/* ---- single steps ---- */

static volatile int steps;

static void count_step(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    steps++;
}

static void step_over_nothing(void)
{
    __asm__ volatile("sub $128, %%rsp\n\tpushf\n\tpushf\n\torq $0x100, (%%rsp)\n\tpopf\n\t"
                     "nop\n\tpopf\n\tnop\n\tadd $128, %%rsp" : : : "memory", "cc");
}

static void step_over_a_call(void)
{
    long result = CALL_GETPPID;

    __asm__ volatile("sub $128, %%rsp\n\tpushf\n\tpushf\n\torq $0x100, (%%rsp)\n\tpopf\n\t"
                     "syscall\n\tnop\n\tpopf\n\tnop\n\tadd $128, %%rsp"
                     : "+a"(result) : : "rcx", "r11", "memory", "cc");
}

static void step_over_a_fault(char *address)
{
    __asm__ volatile("sub $128, %%rsp\n\tpushf\n\tpushf\n\torq $0x100, (%%rsp)\n\tpopf\n\t"
                     "movb $1, (%0)\n\tpopf\n\tnop\n\tadd $128, %%rsp" : : "r"(address) : "memory", "cc");
}

/* MOV SS puts off a debug exception by one instruction: to the kernel's first one, if that is SYSCALL. */
static void step_into_a_call(void)
{
    long result = CALL_GETPPID;

    __asm__ volatile("sub $128, %%rsp\n\tmov $0x2b, %%edx\n\tpushf\n\tpushf\n\torq $0x100, (%%rsp)\n\tpopf\n\t"
                     "mov %%edx, %%ss\n\tsyscall\n\tnop\n\tpopf\n\tnop\n\tadd $128, %%rsp"
                     : "+a"(result) : : "rcx", "rdx", "r11", "memory", "cc");
}

static void single_steps(void)
{
    char *memory = raw_mmap(0, PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);

    set_handler(SIGTRAP, count_step, 0);
    step_over_nothing();
    check_eq(steps, 2, "two instructions with the trap flag are two traps");
    steps = 0;
    step_over_a_call();
    check_eq(steps, 2, "the system call traps once, behind it");
    steps = 0;
    step_over_a_fault(memory);
    check_eq(steps, 2, "the instruction that faults traps once, when it is done");
    steps = 0;
    step_into_a_call();
    check(steps >= 2 && steps <= 3, "a trap that MOV SS puts off into a system call does no harm");
    signal(SIGTRAP, SIG_DFL);
    raw_munmap(memory, PAGE);
}

/* ---- interrupts by number, selectors ---- */

static void call_code(void *code)
{
    __asm__ volatile("sub $128, %%rsp\n\tcall *%0\n\tadd $128, %%rsp"
                     : : "r"(code) : "rax", "rcx", "rdx", "memory", "cc");
}

static void every_interrupt(void)
{
    unsigned char *code = raw_mmap(0, PAGE, READ_WRITE | PROT_EXEC, PRIVATE_ANON, -1, 0);
    unsigned int wrong = 0;

    for (unsigned int n = 0; n < 256; n++) {
        char expected[64], emulated[64];
        memcpy(code, (unsigned char[]){0xcd, (unsigned char)n, 0xc3}, SIZE_OF_INT + 1);
        if (n == 3 || n == 4 || n == 0x80)
            continue; /* the first two are allowed, the third is the door of 32-bit Linux */
        snprintf(expected, sizeof(expected), "SEGV code 128 error %x trap 13", n * 8 + 2);
        snprintf(emulated, sizeof(emulated), "SEGV code 128 error %x trap 13", n * 16 + 2); /* QEMU's, in error */
        const char *got = fault_of(call_code, code);
        if (strcmp(got, expected) != 0 && strcmp(got, emulated) != 0 && wrong++ == 0)
            note("int %u: %s", n, got);
    }
    check_eq(wrong, 0, "int n is a general protection fault with the vector's number in its error code");
    raw_munmap(code, PAGE);
}

static void load_ds(void *selector)
{
    __asm__ volatile("mov %0, %%ds\n\tmov %1, %%ds" : : "r"((unsigned int)(unsigned long)selector), "r"(0));
}

static void load_ss(void *selector)
{
    __asm__ volatile("mov %0, %%ss" : : "r"((unsigned int)(unsigned long)selector));
}

/* Not LRET: QEMU reads its operands as the kernel would, and SMAP forbids that. */
static void far_jump(void *selector)
{
    struct {
        unsigned int offset;
        unsigned short selector;
    } __attribute__((packed)) target = {0, (unsigned short)(unsigned long)selector};

    __asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%eax, %0\n\tljmpl *%0\n1:" : "+m"(target) : : "rax", "memory");
}

static void selectors(void)
{
    static const struct {
        unsigned long selector;
        const char *data, *stack, *code;
    } cases[] = {
        {0, "nothing", "SEGV code 128 error 0 trap 13", "SEGV code 128 error 0 trap 13"},
        {KERNEL_CODE, "SEGV code 128 error 10 trap 13", "SEGV code 128 error 10 trap 13",
         "SEGV code 128 error 10 trap 13"},
        {KERNEL_CODE | 3, "SEGV code 128 error 10 trap 13", "SEGV code 128 error 10 trap 13",
         "SEGV code 128 error 10 trap 13"},
        {USER_DATA, "nothing", "nothing", "SEGV code 128 error 28 trap 13"},
        {USER_CODE, "nothing", "SEGV code 128 error 30 trap 13", "nothing"},
        {TASK_STATE | 3, "SEGV code 128 error 40 trap 13", "SEGV code 128 error 40 trap 13",
         "SEGV code 128 error 40 trap 13"},
        {0xfffb, "SEGV code 128 error fff8 trap 13", "SEGV code 128 error fff8 trap 13",
         "SEGV code 128 error fff8 trap 13"},
    };

    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        void *selector = (void *)cases[i].selector;
        check_str(fault_of(load_ds, selector), cases[i].data, "selector %lx as data", cases[i].selector);
        check_str(fault_of(load_ss, selector), cases[i].stack, "selector %lx as stack", cases[i].selector);
        check_str(fault_of(far_jump, selector), cases[i].code, "selector %lx as code", cases[i].selector);
    }
}

/* ---- rt_sigreturn with bad registers ---- */

static struct {
    unsigned int code, stack; /* selectors, when not 0xffff */
    unsigned long instruction;
    unsigned long flags;
} wish;

static void spoil(int signal, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    unsigned long selectors = (unsigned long)registers[REG_CSGSFS];

    (void)signal, (void)info;
    if (wish.code != 0xffff)
        selectors = (selectors & ~0xfffful) | wish.code;
    if (wish.stack != 0xffff)
        selectors = (selectors & ~(0xfffful << 48)) | (unsigned long)wish.stack << 48;
    registers[REG_CSGSFS] = (greg_t)selectors;
    if (wish.instruction != 0)
        registers[REG_RIP] = (greg_t)wish.instruction;
    registers[REG_EFL] |= (greg_t)wish.flags;
}

static void return_spoilt(void *nothing)
{
    (void)nothing;
    syscall(SYS_kill, getpid(), SIGUSR1);
}

static unsigned long flags_now(void)
{
    unsigned long flags;

    __asm__ volatile("pushf\n\tpop %0\n\tcld" : "=r"(flags));
    return flags;
}

static void bad_returns(void)
{
    static const struct {
        unsigned int code, stack;
        unsigned long instruction;
        const char *expected, *rule;
    } cases[] = {
        {0, 0xffff, 0, "SEGV code 128 error 0 trap 13", "no code selector"},
        {KERNEL_CODE, 0xffff, 0, "SEGV code 128 error 10 trap 13", "the kernel's code selector"},
        {USER_DATA, 0xffff, 0, "SEGV code 128 error 28 trap 13", "a data segment as code"},
        {TASK_STATE, 0xffff, 0, "SEGV code 128 error 40 trap 13", "the task state as code"},
        {0xfff8, 0xffff, 0, "SEGV code 128 error fff8 trap 13", "a selector beyond the table"},
        {0xffff, 0, 0, "SEGV code 128 error 0 trap 13", "no stack selector"},
        {0xffff, USER_CODE, 0, "SEGV code 128 error 30 trap 13", "a code segment as stack"},
        {0xffff, 0xffff, NON_CANONICAL, "SEGV code 128 error 0 trap 13", "a non-canonical address"},
        {0xffff, 0xffff, KERNEL_ADDRESS, "SEGV code 1 error 15 trap 14", "a kernel address"},
    };

    set_handler(SIGUSR1, spoil, 0);
    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        wish.code = cases[i].code;
        wish.stack = cases[i].stack;
        wish.instruction = cases[i].instruction;
        check_str(fault_of(return_spoilt, NULL), cases[i].expected, "a return from a handler to %s", cases[i].rule);
    }
    wish.code = wish.stack = 0xffff;
    wish.instruction = 0;
    wish.flags = FLAG_IOPL | FLAG_NT | FLAG_VM | FLAG_VIF | FLAG_DF;
    return_spoilt(NULL);
    check_eq(flags_now() & (FLAG_IOPL | FLAG_NT | FLAG_VM | FLAG_VIF), 0,
             "a return from a handler gives no flag that a program may not set");
    signal(SIGUSR1, SIG_DFL);
}

/* ---- the last instruction of user space ---- */

static void call_at_the_end(void *nothing)
{
    unsigned char *end = (unsigned char *)USER_END;

    (void)nothing;
    /* The stack lies there, or (where addresses are random) nothing. */
    if (raw_mprotect(end - PAGE, PAGE, READ_WRITE | PROT_EXEC) != 0)
        raw_mmap((unsigned long)end - PAGE, PAGE, READ_WRITE | PROT_EXEC, PRIVATE_ANON | MAP_FIXED, -1, 0);
    end[-2] = 0x0f;
    end[-1] = 0x05;
    __asm__ volatile("jmp *%1" : : "a"((long)CALL_GETPPID), "r"(end - 2) : "rcx", "r11", "memory");
}

int main(void)
{
    any_stack_pointer();
    any_flags();
    single_steps();
    catch_faults();
    every_interrupt();
    selectors();
    bad_returns();
    check_str(fault_of(call_at_the_end, NULL), "SEGV code 1 error 15 trap 14",
              "SYSCALL as the last instruction of user space: the fault is the program's");
    return done();
}
