/* Checks that a system call, a fault and preemption each leave the program's registers alone. */
#include "mem.h"

enum { GENERAL = 15, VECTORS = 16, CALL_NUMBER_GETPPID = 110 };

/* rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15 rflags, in this order. */
struct general {
    uint64_t value[GENERAL];
};
static const char *const general_names[GENERAL] = {"rbx", "rcx", "rdx", "rsi", "rdi",
                                                   "rbp", "r8",  "r9",  "r10", "r11",
                                                   "r12", "r13", "r14", "r15", "rflags"};

struct vectors {
    unsigned char value[VECTORS][16];
} __attribute__((aligned(16)));

/*
 * Loads every general register from IN, does one thing (a system call with number *NUMBER, or, when
 * NUMBER is NULL, a load from TOUCH), and stores every register to OUT.
 */
void around_syscall(const struct general *in, struct general *out, long number);
void around_touch(const struct general *in, struct general *out, char *touch);

__asm__(".text\n"
        ".macro SAVE_CALLEE\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    push %rsi\n" /* OUT, found again through the stack */
        ".endm\n"
        ".macro LOAD_ALL\n"
        "    pushq 112(%rdi); popfq\n"
        "    mov 0(%rdi), %rbx; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; mov 24(%rdi), %rsi\n"
        "    mov 40(%rdi), %rbp; mov 48(%rdi), %r8; mov 56(%rdi), %r9; mov 64(%rdi), %r10\n"
        "    mov 72(%rdi), %r11; mov 80(%rdi), %r12; mov 88(%rdi), %r13; mov 96(%rdi), %r14\n"
        "    mov 104(%rdi), %r15; mov 32(%rdi), %rdi\n"
        ".endm\n"
        ".macro STORE_ALL\n"
        "    mov (%rsp), %rax\n"
        "    mov %rbx, 0(%rax); mov %rcx, 8(%rax); mov %rdx, 16(%rax); mov %rsi, 24(%rax)\n"
        "    mov %rdi, 32(%rax); mov %rbp, 40(%rax); mov %r8, 48(%rax); mov %r9, 56(%rax)\n"
        "    mov %r10, 64(%rax); mov %r11, 72(%rax); mov %r12, 80(%rax); mov %r13, 88(%rax)\n"
        "    mov %r14, 96(%rax); mov %r15, 104(%rax)\n"
        "    pushfq; popq 112(%rax); cld\n"
        "    pop %rsi\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n"
        ".endm\n"
        "around_syscall:\n"
        "    SAVE_CALLEE\n"
        "    mov %rdx, %rax\n"
        "    LOAD_ALL\n"
        "    syscall\n"
        "after_the_syscall:\n"
        "    STORE_ALL\n"
        "around_touch:\n"
        "    SAVE_CALLEE\n"
        "    mov %rdx, %rax\n"
        "    LOAD_ALL\n"
        "    mov %rax, (%rax)\n"
        "    STORE_ALL\n");

extern char after_the_syscall[];

/* Carry, parity, zero, sign, direction and overflow set; interrupts on, as always; bit 1 reads 1. */
static const uint64_t loud_flags = 0x202 | 0x1 | 0x4 | 0x40 | 0x80 | 0x400 | 0x800;

static void fill(struct general *registers)
{
    for (int i = 0; i < GENERAL; i++)
        registers->value[i] = 0x1111111111111111UL * (uint64_t)(i + 1);
    registers->value[GENERAL - 1] = loud_flags;
}

static void across_a_system_call(void)
{
    struct general in, out;

    fill(&in);
    around_syscall(&in, &out, CALL_NUMBER_GETPPID);
    for (int i = 0; i < GENERAL; i++) {
        if (strcmp(general_names[i], "rcx") == 0)
            check_eq(out.value[i], (uint64_t)after_the_syscall,
                     "after a system call rcx is the address behind it");
        else if (strcmp(general_names[i], "r11") == 0)
            check_eq(out.value[i], loud_flags, "after a system call r11 is the flags before it");
        else
            check_eq(out.value[i], in.value[i], "a system call preserves %s", general_names[i]);
    }
}

static void across_a_fault(void)
{
    struct general in, out;
    char *page = anon(1);
    int equal = 0;

    fill(&in);
    around_touch(&in, &out, page);
    for (int i = 0; i < GENERAL; i++)
        equal += out.value[i] == in.value[i];
    check_eq(equal, GENERAL, "a page fault preserves every register and the flags");
    check_eq(*(uint64_t *)page, (uint64_t)page, "and the instruction has its effect");
    raw_munmap(page, PAGE);
}

static void unknown_calls(void)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(100000L) : "rcx", "r11", "memory");
    check_eq(result, -ENOSYS, "an unknown system call returns -ENOSYS");
    __asm__ volatile("syscall" : "=a"(result) : "a"(-1L) : "rcx", "r11", "memory");
    check_eq(result, -ENOSYS, "system call -1 returns -ENOSYS");
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(0xffffffff00000000UL | CALL_NUMBER_GETPPID)
                     : "rcx", "r11", "memory");
    check_eq(result, getppid(), "the number is the low 32 bits of rax");
}

static void load_vectors(const struct vectors *in)
{
    __asm__ volatile("movdqa 0(%0), %%xmm0; movdqa 16(%0), %%xmm1; movdqa 32(%0), %%xmm2\n\t"
                     "movdqa 48(%0), %%xmm3; movdqa 64(%0), %%xmm4; movdqa 80(%0), %%xmm5\n\t"
                     "movdqa 96(%0), %%xmm6; movdqa 112(%0), %%xmm7; movdqa 128(%0), %%xmm8\n\t"
                     "movdqa 144(%0), %%xmm9; movdqa 160(%0), %%xmm10; movdqa 176(%0), %%xmm11\n\t"
                     "movdqa 192(%0), %%xmm12; movdqa 208(%0), %%xmm13\n\t"
                     "movdqa 224(%0), %%xmm14; movdqa 240(%0), %%xmm15"
                     : : "r"(in) : "memory");
}

static void store_vectors(struct vectors *out)
{
    __asm__ volatile("movdqa %%xmm0, 0(%0); movdqa %%xmm1, 16(%0); movdqa %%xmm2, 32(%0)\n\t"
                     "movdqa %%xmm3, 48(%0); movdqa %%xmm4, 64(%0); movdqa %%xmm5, 80(%0)\n\t"
                     "movdqa %%xmm6, 96(%0); movdqa %%xmm7, 112(%0); movdqa %%xmm8, 128(%0)\n\t"
                     "movdqa %%xmm9, 144(%0); movdqa %%xmm10, 160(%0); movdqa %%xmm11, 176(%0)\n\t"
                     "movdqa %%xmm12, 192(%0); movdqa %%xmm13, 208(%0)\n\t"
                     "movdqa %%xmm14, 224(%0); movdqa %%xmm15, 240(%0)"
                     : : "r"(out) : "memory");
}

/* Spins for a while with registers of its own value; 0 when they are still its own at the end. */
static int spin_with(unsigned char mark, volatile char *stop)
{
    struct vectors in, out;
    unsigned int control = 0x1f80, seen_control;
    unsigned short x87_control = (unsigned short)(0x37f & ~(mark % 2 ? 0x300 : 0)), seen_x87;
    uint64_t x87_value = mark, seen_value;

    memset(&in, mark, sizeof(in));
    control |= mark % 2 ? 0x6000 : 0x2000; /* the rounding mode differs between the two */
    __asm__ volatile("ldmxcsr %0; fninit; fldcw %1; fildll %2"
                     : : "m"(control), "m"(x87_control), "m"(x87_value));
    load_vectors(&in);
    for (unsigned long i = 0; i < 60000000UL && !*stop; i++)
        __asm__ volatile("" : : : "memory");
    store_vectors(&out);
    __asm__ volatile("stmxcsr %0; fnstcw %1; fistpll %2"
                     : "=m"(seen_control), "=m"(seen_x87), "=m"(seen_value));
    control = 0x1f80;
    __asm__ volatile("ldmxcsr %0; fninit" : : "m"(control));
    if (memcmp(&in, &out, sizeof(in)) != 0)
        return 1;
    if ((seen_control & 0x6000) != (mark % 2 ? 0x6000U : 0x2000U))
        return 2;
    return seen_x87 != x87_control || seen_value != mark ? 3 : 0;
}

static volatile char stop_never;

static void spinning_child(void *mark)
{
    _exit(spin_with((unsigned char)(uintptr_t)mark, &stop_never));
}

static void across_preemption(void)
{
    enum { SPINNERS = 3 };
    pid_t children[SPINNERS];
    int status, good = 0;

    for (int i = 0; i < SPINNERS; i++) {
        children[i] = fork();
        if (children[i] == 0)
            spinning_child((void *)(uintptr_t)(0x51 + i));
    }
    for (int i = 0; i < SPINNERS; i++)
        good += waitpid(children[i], &status, 0) == children[i] && status == 0;
    check_eq(good, SPINNERS, "processes that take turns keep their own SSE and x87 registers");
}

static void fork_and_vectors(void)
{
    struct vectors in, out;
    int status = -1;
    long child;

    memset(&in, 0x77, sizeof(in));
    load_vectors(&in);
    __asm__ volatile("syscall" : "=a"(child) : "a"(57L) : "rcx", "r11", "memory"); /* fork */
    store_vectors(&out);
    if (child == 0)
        _exit(memcmp(&in, &out, sizeof(in)) != 0);
    check(memcmp(&in, &out, sizeof(in)) == 0, "fork preserves the parent's SSE registers");
    waitpid((pid_t)child, &status, 0);
    check_eq(status, 0, "and the child inherits them");
}

int main(void)
{
    across_a_system_call();
    across_a_fault();
    unknown_calls();
    fork_and_vectors();
    across_preemption();
    return done();
}
