/*
 * One process of the fuzzer: makes calls with every register known, and compares the registers afterwards.
 *
 * Its calls may write to its own stack, jump anywhere by way of signal frames, and make threads that share its memory.
 * So whatever a call is judged by lies in static variables, which no argument points to, twice; a thread or a child
 * that comes back from a call ends before it touches any of it; and a number in R15 tells a frame of an earlier call.
 */
#define _GNU_SOURCE
#include "tests/attacks/fuzzer/calls.h"

#include "tests/guest/mem.h"

/* What a register holds that is no argument: its number among them, and this. */
#define FILLER 0x5a5a5a5a00000000ul
#define R15 11
/* What was noted comes before its count: the process may be killed between any two instructions. */
#define NOTED __asm__ volatile("" : : : "memory")

/* call_with's own; the assembler below knows the order. */
static struct {
    struct registers given, found;
    unsigned long rcx, r11;
    unsigned long callers[8];       /* rbx, rbp, r12 to r15, rsp, return address */
    unsigned long may_come_back;    /* the call makes others, for whom it returns 0 */
    unsigned long has_returned;
} call __attribute__((used));

/* Makes the call NUMBER with call.given; call.found gets the registers as it left them. */
long call_with(unsigned long number);
__asm__(".text\n"
        "call_with:\n"
        "    mov %rbx, call+208(%rip); mov %rbp, call+216(%rip); mov %r12, call+224(%rip); mov %r13, call+232(%rip)\n"
        "    mov %r14, call+240(%rip); mov %r15, call+248(%rip)\n"
        "    pop %rax; mov %rax, call+264(%rip); mov %rsp, call+256(%rip)\n"
        "    mov %rdi, %rax\n"
        "    mov call(%rip), %rdi; mov call+8(%rip), %rsi; mov call+16(%rip), %rdx; mov call+24(%rip), %r10\n"
        "    mov call+32(%rip), %r8; mov call+40(%rip), %r9; mov call+48(%rip), %rbx; mov call+56(%rip), %rbp\n"
        "    mov call+64(%rip), %r12; mov call+72(%rip), %r13; mov call+80(%rip), %r14; mov call+88(%rip), %r15\n"
        "    syscall\n"
        "    cmpq $0, call+272(%rip)\n"
        "    je 1f\n"
        "    test %rax, %rax\n"
        "    jnz 1f\n"
        "    mov $60, %eax; xor %edi, %edi; syscall; ud2\n"     /* exit: a thread ends alone */
        "1:  mov %rdi, call+96(%rip); mov %rsi, call+104(%rip); mov %rdx, call+112(%rip); mov %r10, call+120(%rip)\n"
        "    mov %r8, call+128(%rip); mov %r9, call+136(%rip); mov %rbx, call+144(%rip); mov %rbp, call+152(%rip)\n"
        "    mov %r12, call+160(%rip); mov %r13, call+168(%rip); mov %r14, call+176(%rip); mov %r15, call+184(%rip)\n"
        "    mov %rcx, call+192(%rip); mov %r11, call+200(%rip); movq $1, call+280(%rip)\n"
        "    mov call+208(%rip), %rbx; mov call+216(%rip), %rbp; mov call+224(%rip), %r12; mov call+232(%rip), %r13\n"
        "    mov call+240(%rip), %r14; mov call+248(%rip), %r15; mov call+256(%rip), %rsp; cld\n"
        "    jmp *call+264(%rip)\n");

static struct score *score;
static unsigned long tag, sequence;     /* R15 holds TAG and, in its lower half, the number of the call */

static void note_leak(unsigned long number, long place, unsigned long value)
{
    if (!is_kernel_address(value))
        return;
    score->leak.call = number;
    score->leak.place = (unsigned long)place;
    score->leak.value = value;
    NOTED;
    score->leaked++;
}

/* Whether what the registers are compared with, and they themselves, are those of this call. */
static bool can_be_judged(void)
{
    unsigned long r15 = call.found.of[R15];
    bool is_older = r15 != (tag | sequence) && r15 >= tag && r15 < (tag | sequence);

    return call.has_returned && !is_older && memcmp(&call.given, &score->given, sizeof(call.given)) == 0;
}

static void judge(unsigned int number, long result)
{
    if (!can_be_judged()) {
        score->destroyed++;
        return;
    }
    for (unsigned int i = 0; i < REGISTERS; i++) {
        if (call.given.of[i] == call.found.of[i])
            continue;
        score->change.call = number;
        score->change.number = i;
        score->change.given = call.given.of[i];
        score->change.found = call.found.of[i];
        NOTED;
        score->changed++;
    }
    note_leak(number, LEAK_RESULT, (unsigned long)result);
    note_leak(number, LEAK_REGISTER, call.rcx);
    note_leak(number, LEAK_REGISTER, call.r11);
}

static void one_call(bool root)
{
    static unsigned int number;
    static long result;

    sequence++;
    for (unsigned int i = 0; i < REGISTERS; i++)
        call.given.of[i] = FILLER + i;
    call.given.of[R15] = tag | sequence;
    number = choose_call(root, &call.given);
    score->given = call.given;
    call.may_come_back = makes_children(number);
    call.has_returned = 0;
    result = call_with(number | (random_bits() & 0xffffffff00000000ul));
    judge(number, result);
    score->made++;
    score->of_call[number % NUMBERS]++;
    score->hash = (score->hash ^ number ^ (unsigned long)result) * 0x100000001b3ul;
}

/* Whatever the calls have written: nothing in it may be an address of the kernel's. */
static void look_for_leaks(void)
{
    size_t count;
    const unsigned long *words = arena_data(&count);

    for (size_t i = 0; i < count; i++)
        note_leak(0, (long)i, words[i]);
}

void live(struct score *shared, unsigned int worker, unsigned long seed)
{
    struct rlimit files = {64, 64};
    static bool root;
    static int made;

    score = shared;
    random_start(seed);
    tag = random_bits() & 0x7fffffff00000000ul;
    setpgid(0, 0);
    root = below(4) == 0;
    make_arena();
    setrlimit(RLIMIT_NOFILE, &files);
    if (!root && (setgid(FIRST_USER + worker) != 0 || setuid(FIRST_USER + worker) != 0))
        _exit(1);
    for (made = 0; made < CALLS_OF_A_PROCESS; made++)
        one_call(root);
    look_for_leaks();
    _exit(0);
}
