/* Checks rseq: registering, restartable sequences and what interrupts them, areas that are not what they should be. */
#define _GNU_SOURCE
#include <sched.h>
#include <stddef.h>
#include <time.h>

#include "mem.h"

enum { RSEQ = 334, UNREGISTER = 1, SIZE = 32, UNINITIALIZED = -1 };
enum { SIGNATURE = 0x53053053, OTHER_SIGNATURE = 0x12345678 };
enum { SCHED_SETAFFINITY = 203, SCHED_GETAFFINITY = 204, GETCPU = 309 };

/* Linux's struct rseq and struct rseq_cs. */
static struct area {
    int cpu_id_start, cpu_id;
    const void *sequence;
    unsigned int flags, padding[3];
} __attribute__((aligned(32))) area, elsewhere;

struct sequence {
    unsigned int version, flags;
    unsigned long start, length, abort;
};

/*
 * Announces SEQUENCE in AREA, and between section_start and section_end makes the call NUMBER, or, for -1, counts at
 * FIRST up to SECOND. 0 when it came through, 1 when it was sent to section_abort.
 */
long run_sequence(struct area *area, const struct sequence *sequence, long number, long first, long second);
extern const char section_start[], section_end[], section_abort[], section_unsigned[];

__asm__(".text\n"
        "run_sequence:\n"
        "    mov %rdi, %r9\n"
        "    mov %rdx, %rax\n"
        "    mov %rcx, %rdi\n"
        "    mov %rsi, %rdx\n"
        "    mov %r8, %rsi\n"
        "    mov %rdx, 8(%r9)\n"
        "section_start:\n"
        "    cmp $-1, %rax\n"
        "    je 1f\n"
        "    syscall\n"
        "    jmp 2f\n"
        "1:  incq (%rdi)\n"
        "    cmp %rsi, (%rdi)\n"
        "    jb 1b\n"
        "2:  nop\n"
        "section_end:\n"
        "    movq $0, 8(%r9)\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        "    .long 0x53053053\n"
        "section_abort:\n"
        "    mov $1, %eax\n"
        "    ret\n"
        "    .long 0x53053054\n"
        "section_unsigned:\n"
        "    mov $2, %eax\n"
        "    ret\n");

static struct sequence sequence;
static const struct timespec soon = {0, 20000000}; /* long enough to fall asleep on a slow machine */

static void fresh(void)
{
    memset(&area, 0, sizeof(area));
    sequence = (struct sequence){.start = (unsigned long)section_start, .abort = (unsigned long)section_abort,
                                 .length = (unsigned long)(section_end - section_start)};
}

static long rseq(void *at, unsigned long size, int flags, int signature)
{
    return syscall(RSEQ, at, size, (long)flags, (long)signature);
}

static void begin(void)
{
    fresh();
    if (rseq(&area, SIZE, 0, SIGNATURE) != 0)
        bail_out("rseq failed with errno %d", errno);
}

static void end(void)
{
    rseq(&area, SIZE, UNREGISTER, SIGNATURE);
}

/* glibc has registered this thread before main. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));

static void leave_library(void)
{
    if (&__rseq_offset != NULL)
        rseq((char *)__builtin_thread_pointer() + __rseq_offset, SIZE, UNREGISTER, SIGNATURE);
}

static void refusals(void)
{
    fresh();
    check_fails(rseq(&area, SIZE, UNREGISTER, SIGNATURE), EINVAL, "who has no area cannot give it back: EINVAL");
    check_fails(rseq(NULL, SIZE, UNREGISTER, 0), EINVAL, "nor none");
    check_fails(rseq(&area, SIZE - 1, 0, SIGNATURE), EINVAL, "31 bytes are EINVAL");
    check_fails(rseq(&area, 2L * SIZE, 0, SIGNATURE), EINVAL, "as are 64");
    check_fails(rseq((char *)&area + 8, SIZE, 0, SIGNATURE), EINVAL, "it lies at a multiple of 32: EINVAL");
    check_fails(rseq(&area, SIZE, 2, SIGNATURE), EINVAL, "an unknown flag is EINVAL");
    check_fails(rseq((void *)KERNEL_ADDRESS, SIZE, 0, SIGNATURE), EFAULT, "an area in the kernel's half is EFAULT");
}

static void registering(void)
{
    unsigned int processor = 77;

    fresh();
    area.cpu_id = area.cpu_id_start = UNINITIALIZED;
    area.sequence = (void *)PAGE;
    check_eq(rseq(&area, SIZE, 0, SIGNATURE), 0, "an area is registered");
    check_eq((long)area.sequence, 0, "a sequence from before is forgotten");
    syscall(GETCPU, &processor, NULL, NULL);
    check_eq(area.cpu_id, processor, "and it is filled in when the call returns: the processor");
    check_eq(area.cpu_id_start, processor, "at both places");
    check_fails(rseq(&area, SIZE, 0, SIGNATURE), EBUSY, "the same again is EBUSY");
    check_fails(rseq(&area, SIZE, 0, OTHER_SIGNATURE), EPERM, "with another signature EPERM");
    check_fails(rseq(&area, 2L * SIZE, 0, SIGNATURE), EINVAL, "with another size EINVAL");
    check_fails(rseq(&elsewhere, SIZE, 0, SIGNATURE), EINVAL, "a second area is EINVAL");
    check_fails(rseq(&elsewhere, SIZE, UNREGISTER, SIGNATURE), EINVAL, "only what is registered is given back");
    check_fails(rseq(&area, 2L * SIZE, UNREGISTER, SIGNATURE), EINVAL, "with its size");
    check_fails(rseq(&area, SIZE, UNREGISTER, OTHER_SIGNATURE), EPERM, "and with its signature: EPERM");
    check_fails(rseq(&area, SIZE, UNREGISTER | 2, SIGNATURE), EINVAL, "and without unknown flags");
    check_eq(rseq(&area, SIZE, UNREGISTER, SIGNATURE), 0, "then it is");
    check(area.cpu_id == UNINITIALIZED && area.cpu_id_start == 0, "and says so");
}

static void *handled_at;
static const void *handled_sequence;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    handled_at = (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    handled_sequence = area.sequence;
}

static void on(int signal)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};

    action.sa_sigaction = handler;
    sigaction(signal, &action, NULL);
}

static void interruptions(void)
{
    begin();
    on(SIGUSR1);
    check_eq(run_sequence(&area, &sequence, SYS_getpid, 0, 0), 0, "a sequence that nothing interrupts comes through");
    check_eq(run_sequence(&area, &sequence, SYS_nanosleep, (long)&soon, 0), 1, "who slept in it goes to its abort address");
    check_eq((long)area.sequence, 0, "and is in no sequence any more");
    check_eq(run_sequence(&area, &sequence, SYS_kill, getpid(), SIGUSR1), 1, "so does who gets a signal");
    check_eq(handled_at, section_abort, "whose handler returns there");
    check_eq((long)handled_sequence, 0, "and knows of no sequence");
    area.sequence = &sequence;
    nanosleep(&soon, NULL);
    check_eq((long)area.sequence, 0, "a sequence that the thread is not in is forgotten");
    area.cpu_id = area.cpu_id_start = 99;
    nanosleep(&soon, NULL);
    check(area.cpu_id != 99 && area.cpu_id == area.cpu_id_start, "whoever was away is told the processor anew");
    end();
    check_eq(run_sequence(&area, &sequence, SYS_nanosleep, (long)&soon, 0), 0, "without an area nothing begins again");
}

/* Two processes on one processor: one of them is interrupted by the clock. */
static void preemption(void)
{
    unsigned long allowed[16] = {0}, one[16] = {0}, counter = 0;
    pid_t child;
    int i = 0;

    syscall(SCHED_GETAFFINITY, 0, sizeof(allowed), allowed);
    while (i < 1023 && !(allowed[i / 64] >> i % 64 & 1))
        i++;
    one[i / 64] = 1UL << i % 64;
    syscall(SCHED_SETAFFINITY, 0, sizeof(one), one);
    child = fork();
    while (child == 0)
        continue;
    begin();
    check_eq(run_sequence(&area, &sequence, -1, (long)&counter, 1000000000), 1, "the end of its time slice sends it there, too");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    syscall(SCHED_SETAFFINITY, 0, sizeof(allowed), allowed);
    end();
}

enum fault {
    UNSIGNED, VERSION, FLAGS, AREA_FLAGS, ABORT_WITHIN, START_HIGH, END_HIGH, ABORT_HIGH, ABORT_NOWHERE, NOWHERE,
    UNMAPPED, WITH_HANDLER, HARMLESS
};

/* Is interrupted in a sequence with something wrong about it. */
static void misuse(void *which)
{
    char *page = anon(1);
    struct area *own = (struct area *)page;

    fresh();
    if (rseq(own, SIZE, 0, SIGNATURE) != 0)
        _exit(1);
    switch ((enum fault)(long)which) {
    case UNSIGNED: sequence.abort = (unsigned long)section_unsigned; break;
    case VERSION: sequence.version = 1; break;
    case FLAGS: sequence.flags = 1; break;
    case AREA_FLAGS: own->flags = 1; break;
    case ABORT_WITHIN: sequence.abort = sequence.start; break;
    case START_HIGH: sequence.start = KERNEL_ADDRESS; break;
    case END_HIGH: sequence.length = -1UL; break;
    case ABORT_HIGH: sequence.abort = KERNEL_ADDRESS; break;
    case ABORT_NOWHERE: sequence.abort = PAGE; break;
    case NOWHERE: run_sequence(own, (void *)PAGE, SYS_nanosleep, (long)&soon, 0); break;
    case UNMAPPED: raw_mprotect(page, PAGE, PROT_READ); break;
    case WITH_HANDLER:
        sequence.version = 1;
        on(SIGSEGV);
        break;
    case HARMLESS:
        own->flags = 1;
        nanosleep(&soon, NULL);
        _exit(0);
    }
    if ((enum fault)(long)which == UNMAPPED)
        nanosleep(&soon, NULL);
    else
        run_sequence(own, &sequence, SYS_nanosleep, (long)&soon, 0);
}

static int misused(enum fault fault)
{
    return signal_of_child(misuse, (void *)(long)fault);
}

static void register_at(void *at)
{
    _exit(rseq(at, SIZE, 0, SIGNATURE) == 0 ? 0 : errno);
}

static void corruption(void)
{
    char *page = anon(1);

    check_eq(misused(UNSIGNED), SIGSEGV, "an abort address without the signature before it is SIGSEGV");
    check_eq(misused(VERSION), SIGSEGV, "so is an unknown version");
    check_eq(misused(FLAGS), SIGSEGV, "a flag, for all are out of use");
    check_eq(misused(AREA_FLAGS), SIGSEGV, "also in the area");
    check_eq(misused(HARMLESS), 0, "which is looked at in a sequence only");
    check_eq(misused(ABORT_WITHIN), SIGSEGV, "an abort address within the sequence");
    check_eq(misused(START_HIGH), SIGSEGV, "a beginning in the kernel's half");
    check_eq(misused(END_HIGH), SIGSEGV, "an end that wraps around");
    check_eq(misused(ABORT_HIGH), SIGSEGV, "an abort address in the kernel's half");
    check_eq(misused(ABORT_NOWHERE), SIGSEGV, "or where there is no memory");
    check_eq(misused(NOWHERE), SIGSEGV, "a sequence that cannot be read");
    check_eq(misused(UNMAPPED), SIGSEGV, "an area that cannot be written any more");
    check_eq(misused(WITH_HANDLER), SIGSEGV, "and no handler is called, as that could not go well either");
    check_eq(status_of_child(register_at, (void *)PAGE), EFAULT << 8, "an area without memory is not registered: EFAULT");
    raw_mprotect(page, PAGE, PROT_READ);
    check_eq(signal_of_child(register_at, page), SIGSEGV, "one that can only be read kills");
    raw_mprotect(page, PAGE, READ_WRITE);
    ((struct area *)page)->sequence = page;
    raw_mprotect(page, PAGE, PROT_READ);
    check_eq(status_of_child(register_at, page), EFAULT << 8, "unless there is a sequence in it to forget: EFAULT");
    raw_munmap(page, PAGE);
}

static void gives_back(void *nothing)
{
    (void)nothing;
    _exit(rseq(&area, SIZE, UNREGISTER, SIGNATURE) == 0 ? 7 : errno);
}

static void executes(void *nothing)
{
    static char *const arguments[] = {"rseq", "again", NULL}, *const environment[] = {NULL};

    (void)nothing;
    execve("/proc/self/exe", arguments, environment);
}

static void inheritance(void)
{
    int status = -1;
    pid_t child;

    begin();
    check_eq(status_of_child(gives_back, NULL), 7 << 8, "a child of fork has its copy of the area");
    child = (pid_t)vfork();
    if (child == 0)
        _exit(rseq(&area, SIZE, UNREGISTER, SIGNATURE) == 0 ? 7 : errno);
    waitpid(child, &status, 0);
    check_eq(status, EINVAL << 8, "one that shares the memory has none");
    check_eq(status_of_child(executes, NULL), 5 << 8, "a new program has none");
    end();
}

int main(int count, char **arguments)
{
    (void)arguments;
    leave_library();
    if (count > 1) {
        fresh();
        return rseq(&area, SIZE, 0, SIGNATURE) == 0 ? 5 : errno;
    }
    refusals();
    registering();
    interruptions();
    preemption();
    corruption();
    inheritance();
    return done();
}
