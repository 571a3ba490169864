/*
 * Attacks on the processor's and the kernel's promises: each instruction that ring 3 may not execute,
 * flags that it may not set, the edges of user space, single steps into entries, code that changes.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "catch.h"

#define PROTECTION_FAULT "SEGV code 128 error 0 trap 13"
#define INVALID_OPCODE "ILL code 2 error 0 trap 6"
#define FLAG_IF 0x200ul
#define FLAG_IOPL 0x3000ul
#define RETURN 0xc3
#define CODE_MAX 12

static unsigned char *code; /* a page that may be written and executed */

static void call_code(void *with)
{
    register void *rax __asm__("rax") = with;

    __asm__ volatile("sub $128, %%rsp\n\tmov %1, %%rcx\n\txor %%edx, %%edx\n\tcall *%%rcx\n\tadd $128, %%rsp"
                     : "+a"(rax) : "r"(code) : "rcx", "rdx", "rsi", "rdi", "memory", "cc");
}

/* What becomes of these bytes as instructions, with RAX = WITH. */
static const char *run(const unsigned char *bytes, size_t length, unsigned long with)
{
    memset(code, RETURN, CODE_MAX + 1);
    memcpy(code, bytes, length);
    return fault_of(call_code, (void *)with);
}

/* ---- what only the kernel may execute ---- */

static void privileged_instructions(void)
{
    static const struct {
        const char *name;
        unsigned char length, bytes[CODE_MAX];
    } cases[] = {
        {"hlt", 1, {0xf4}},
        {"cli", 1, {0xfa}},
        {"sti", 1, {0xfb}},
        {"in al, 0x60", 2, {0xe4, 0x60}},
        {"in al, dx", 1, {0xec}},
        {"in eax, dx", 1, {0xed}},
        {"out 0x80, al", 2, {0xe6, 0x80}},
        {"out dx, al", 1, {0xee}},
        {"out dx, eax", 1, {0xef}},
        {"insb", 1, {0x6c}},
        {"outsd", 1, {0x6f}},
        {"rep outsb", 2, {0xf3, 0x6e}},
        {"lgdt", 4, {0x0f, 0x01, 0x14, 0x24}},
        {"lidt", 4, {0x0f, 0x01, 0x1c, 0x24}},
        {"lldt", 3, {0x0f, 0x00, 0xd0}},
        {"ltr", 3, {0x0f, 0x00, 0xd8}},
        {"lmsw", 3, {0x0f, 0x01, 0xf0}},
        {"clts", 2, {0x0f, 0x06}},
        {"a read of CR0", 3, {0x0f, 0x20, 0xc0}},
        {"a read of CR2", 3, {0x0f, 0x20, 0xd0}},
        {"a read of CR3", 3, {0x0f, 0x20, 0xd8}},
        {"a read of CR4", 3, {0x0f, 0x20, 0xe0}},
        {"a write of CR0", 3, {0x0f, 0x22, 0xc0}},
        {"a write of CR3", 3, {0x0f, 0x22, 0xd8}},
        {"a write of CR4", 3, {0x0f, 0x22, 0xe0}},
        {"a write of CR8", 4, {0x44, 0x0f, 0x22, 0xc0}},
        {"a read of DR7", 3, {0x0f, 0x21, 0xf8}},
        {"a write of DR0", 3, {0x0f, 0x23, 0xc0}},
        {"a write of DR7", 3, {0x0f, 0x23, 0xf8}},
        {"rdmsr of EFER", 7, {0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x32}},
        {"wrmsr of EFER", 7, {0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x30}},
        {"rdmsr of LSTAR", 7, {0xb9, 0x82, 0x00, 0x00, 0xc0, 0x0f, 0x32}},
        {"wrmsr of LSTAR", 7, {0xb9, 0x82, 0x00, 0x00, 0xc0, 0x0f, 0x30}},
        {"wrmsr of the GS base", 7, {0xb9, 0x01, 0x01, 0x00, 0xc0, 0x0f, 0x30}},
        {"rdpmc", 2, {0x0f, 0x33}},
        {"invlpg", 4, {0x0f, 0x01, 0x3c, 0x24}},
        {"invd", 2, {0x0f, 0x08}},
        {"wbinvd", 2, {0x0f, 0x09}},
        {"swapgs", 3, {0x0f, 0x01, 0xf8}},
        {"sysret", 3, {0x48, 0x0f, 0x07}},
        {"sysret to 32 bits", 2, {0x0f, 0x07}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_str(run(cases[i].bytes, cases[i].length, 0), PROTECTION_FAULT, "%s is for the kernel only",
                  cases[i].name);
    check_str(run((unsigned char[]){0x0f, 0x01, 0xcb}, 3, 0), INVALID_OPCODE, "stac is no instruction of a program's");
    check_str(run((unsigned char[]){0x0f, 0x01, 0xca}, 3, 0), INVALID_OPCODE, "nor is clac");
    check_str(run((unsigned char[]){0x0f, 0xaa}, 2, 0), INVALID_OPCODE, "nor is rsm");
    check_str(run((unsigned char[]){0x0f, 0xff, 0xc0}, 3, 0), INVALID_OPCODE, "nor what has never been one");
    check_str(run((unsigned char[]){0xf0, 0x90}, 2, 0), INVALID_OPCODE, "nor one with a LOCK that it can't have");
    const char *int1 = run((unsigned char[]){0xf1}, 1, 0); /* QEMU does not know it, Bochs does */
    check(strcmp(int1, INVALID_OPCODE) == 0 || strcmp(int1, "TRAP code 1 error 0 trap 1") == 0,
          "int1 is a trap of the program's, if the processor has it");
}

/* ---- flags ---- */

static unsigned long flags_after_popf(unsigned long set, unsigned long clear)
{
    unsigned long flags, before;

    __asm__ volatile("sub $128, %%rsp\n\tpushfq\n\tpop %1\n\tmov %1, %0\n\tor %2, %0\n\tnot %3\n\tand %3, %0\n\t"
                     "push %0\n\tpopfq\n\tpushfq\n\tpop %0\n\tpush %1\n\tpopfq\n\tadd $128, %%rsp"
                     : "=&r"(flags), "=&r"(before), "+r"(set), "+r"(clear) : : "memory", "cc");
    return flags;
}

/* IRETQ in ring 3 is in tests/attacks/returns.c: QEMU reads its operands as the kernel would, and SMAP forbids that. */
static void popf(void)
{
    check(flags_after_popf(0, FLAG_IF) & FLAG_IF, "popf can't switch interrupts off");
    check_eq(flags_after_popf(FLAG_IOPL, 0) & FLAG_IOPL, 0, "popf can't give the program the ports");
}

/* ---- single steps into every entry ---- */

static void ignore_step(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
}

/*
 * MOV SS puts off a debug exception by one instruction, and when that one enters the kernel the exception comes
 * there, in ring 0. Hardware breakpoints do it best, but ring 3 can't set one (above), and there is no ptrace to
 * set it for a program: the trap flag is what is left.
 */
static void step_over_mov_ss(const unsigned char *bytes, size_t length, const char *name)
{
    /* pushf; pushf; or qword [rsp], 0x100; popf; mov ss, edx; BYTES; nop; popf; ret */
    static const unsigned char before[] = {0x9c, 0x9c, 0x48, 0x81, 0x0c, 0x24, 0x00, 0x01, 0x00, 0x00, 0x9d, 0x8e, 0xd2};
    static const unsigned char after[] = {0x90, 0x9d, 0xc3};
    pid_t child;
    int status = -1;

    memcpy(code, before, sizeof(before));
    memcpy(code + sizeof(before), bytes, length);
    memcpy(code + sizeof(before) + length, after, sizeof(after));
    child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGILL, SIG_DFL);
        set_handler(SIGTRAP, ignore_step, 0);
        __asm__ volatile("sub $128, %%rsp\n\tcall *%1\n\tadd $128, %%rsp"
                         : : "a"((long)SYS_getppid), "r"(code), "d"(0x2b) : "rcx", "r11", "memory", "cc");
        _exit(0);
    }
    waitpid(child, &status, 0);
    check((WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGILL)) || status == 0, "%s behind MOV SS with the trap flag set does no harm", name);
}

static void steps_into_entries(void)
{
    step_over_mov_ss((unsigned char[]){0x0f, 0x05}, 2, "syscall");
    step_over_mov_ss((unsigned char[]){0xcc}, 1, "int3");
    step_over_mov_ss((unsigned char[]){0xcd, 0x03}, 2, "int 3");
    step_over_mov_ss((unsigned char[]){0xcd, 0x04}, 2, "int 4");
    step_over_mov_ss((unsigned char[]){0xf1}, 1, "int1");
    step_over_mov_ss((unsigned char[]){0xcd, 0x20}, 2, "an interrupt that is not for programs");
    step_over_mov_ss((unsigned char[]){0x0f, 0x0b}, 2, "an invalid instruction");
    step_over_mov_ss((unsigned char[]){0xa1, 0, 0, 0, 0, 0, 0, 0, 0}, 9, "a page fault");
    step_over_mov_ss((unsigned char[]){0xf4}, 1, "a protection fault");
}

/* ---- the end of user space ---- */

static unsigned char *last_page(void)
{
    unsigned char *page = (unsigned char *)USER_END - PAGE;

    /* The stack lies there, or (where addresses are random) nothing. */
    if (raw_mprotect(page, PAGE, READ_WRITE | PROT_EXEC) != 0)
        raw_mmap((unsigned long)page, PAGE, READ_WRITE | PROT_EXEC, PRIVATE_ANON | MAP_FIXED, -1, 0);
    return page;
}

static void jump_to(void *address)
{
    __asm__ volatile("jmp *%0" : : "r"(address) : "memory");
}

static void the_end_of_user_space(void)
{
    unsigned char *end = last_page() + PAGE;

    end[-1] = 0x90;
    check_str(fault_of(jump_to, end - 1), "SEGV code 1 error 15 trap 14", "running over the end of user space faults");
    check_eq(caught.instruction, USER_END, "there");
    end[-1] = 0x48; /* the first byte of a longer instruction */
    check_str(fault_of(jump_to, end - 1), "SEGV code 1 error 15 trap 14", "so does an instruction across it");
    end[-2] = 0xcd;
    end[-1] = 0x03;
    check_str(fault_of(jump_to, end - 2), "TRAP code 128 error 0 trap 3", "int 3 as the last instruction is a trap");
    check_eq(caught.instruction, USER_END, "whose return address lies behind user space");
    check_str(fault_of(jump_to, (void *)0x7ffffffff000), "SEGV code 1 error 15 trap 14", "a jump behind it faults");
    check_str(fault_of(jump_to, (void *)0x800000000000), PROTECTION_FAULT, "one to a non-canonical address, too");
}

/* ---- code on the stack, code that changes itself ---- */

/* mov eax, VALUE; ret */
static void write_function(unsigned char *at, int value)
{
    at[0] = 0xb8;
    memcpy(at + 1, &value, sizeof(value));
    at[5] = RETURN;
}

static int call_function(const unsigned char *at)
{
    return ((int (*)(void))(uintptr_t)at)();
}

static void changing_code(void)
{
    enum { ROUNDS = 200 };
    unsigned char *shared = raw_mmap(0, PAGE, READ_WRITE, SHARED_ANON, -1, 0), *stack = last_page(), *alias;
    int right = 0;

    write_function(stack + PAGE - 64, 7);
    check_eq(call_function(stack + PAGE - 64), 7, "a stack made executable runs code");
    for (int i = 0; i < ROUNDS; i++) {
        write_function(code, i);
        right += call_function(code) == i;
    }
    check_eq(right, ROUNDS, "code that is rewritten in place runs as last written");
    right = 0;
    for (int i = 0; i < ROUNDS; i++) {
        raw_mprotect(code, PAGE, READ_WRITE);
        write_function(code, i);
        raw_mprotect(code, PAGE, PROT_READ | PROT_EXEC);
        right += call_function(code) == i && (i % 50 != 0 || strcmp(fault_of(write_byte, code), "SEGV code 2 error 7 trap 14") == 0);
    }
    check_eq(right, ROUNDS, "likewise when it is never writable and executable at once");
    raw_mprotect(code, PAGE, READ_WRITE | PROT_EXEC);
    alias = (unsigned char *)syscall(SYS_mremap, shared, 0, PAGE, MREMAP_MAYMOVE, 0);
    raw_mprotect(alias, PAGE, PROT_READ | PROT_EXEC);
    right = 0;
    for (int i = 0; i < ROUNDS; i++) {
        write_function(shared, i);
        right += call_function(alias) == i;
    }
    check_eq(right, ROUNDS, "and when it is written through another mapping");
    raw_munmap(shared, PAGE);
    raw_munmap(alias, PAGE);
}

int main(void)
{
    code = raw_mmap(0, PAGE, READ_WRITE | PROT_EXEC, PRIVATE_ANON, -1, 0);
    if (code == MAP_FAILED)
        bail_out("mmap failed with errno %d", errno);
    catch_faults();
    privileged_instructions();
    popf();
    steps_into_entries();
    the_end_of_user_space();
    changing_code();
    return done();
}
