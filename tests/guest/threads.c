/* Checks threads made by raw clone: one address space, thread identities, futexes, and how they end. */
#define _GNU_SOURCE
#include <sched.h>

#include "mem.h"

enum { STACK_PAGES = 8, THREAD_FLAGS = 0x7d0f00, WAIT_PRIVATE = 128, WAKE_PRIVATE = 129 };

/* What a thread is given; at the top of its stack. */
struct thread {
    void (*body)(struct thread *);
    void *argument;
    long result, exit_status;
    volatile int tid;   /* set by the kernel at its start, cleared and woken at its end */
    uint64_t local[16]; /* what its FS register points at */
    char *stack;
};

/*
 * clone with the five arguments of Linux; the child continues in enter_thread(THREAD) on its new stack.
 */
long clone_thread(long flags, void *stack, volatile int *parent_tid, volatile int *child_tid, void *tls);
void enter_thread(struct thread *thread);

__asm__(".text\n"
        "clone_thread:\n"
        "    mov %rcx, %r10\n" /* the child's tid; the fifth argument stays in r8 */
        "    mov $56, %eax\n"
        "    syscall\n"
        "    test %eax, %eax\n"
        "    jz 1f\n"
        "    ret\n"
        "1:  xor %ebp, %ebp\n"
        "    pop %rdi\n"
        "    and $-16, %rsp\n"
        "    call enter_thread\n"
        "    hlt\n");

__attribute__((used)) void enter_thread(struct thread *thread)
{
    thread->body(thread);
    /* exit: this thread alone */
    __asm__ volatile("syscall" : : "a"(60L), "D"(thread->exit_status) : "rcx", "r11", "memory");
}

/* A raw system call that does not touch errno, which belongs to the C library's first thread. */
static long raw(long number, long a, long b, long c, long d)
{
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = 0, sixth __asm__("r9") = 0;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return result;
}

static long futex(volatile int *word, int operation, int value, void *timeout)
{
    return raw(SYS_futex, (long)word, operation, value, (long)timeout);
}

static void start(struct thread *thread, void (*body)(struct thread *), void *argument)
{
    uint64_t *top;
    long tid;

    memset(thread, 0, sizeof(*thread));
    thread->body = body;
    thread->argument = argument;
    thread->stack = anon(STACK_PAGES);
    thread->local[0] = (uint64_t)thread->local;
    top = (uint64_t *)(thread->stack + STACK_PAGES * PAGE) - 2;
    *top = (uint64_t)thread;
    tid = clone_thread(THREAD_FLAGS, top, &thread->tid, &thread->tid, thread->local);
    if (tid < 0)
        bail_out("clone failed with error %ld", tid);
}

/* Waits until the kernel has cleared the thread's tid. */
static void join(struct thread *thread)
{
    int tid;

    while ((tid = thread->tid) != 0)
        futex(&thread->tid, 0 /* FUTEX_WAIT, not private: so the kernel wakes it */, tid, NULL);
    raw_munmap(thread->stack, STACK_PAGES * PAGE);
}

static volatile int shared_word;
static char *shared_page;

static void writes_shared(struct thread *thread)
{
    shared_word = 77;
    shared_page = (char *)raw(SYS_mmap, 0, PAGE, READ_WRITE, PRIVATE_ANON);
    *(volatile char *)shared_page = 'x';
    thread->result = raw(SYS_getpid, 0, 0, 0, 0);
}

static void one_address_space(void)
{
    struct thread thread;

    start(&thread, writes_shared, NULL);
    join(&thread);
    check_eq(shared_word, 77, "what a thread writes is seen by the others");
    check_eq(thread.result, getpid(), "its getpid is that of the process");
    check(shared_page != NULL && (unsigned long)shared_page < USER_END && shared_page[0] == 'x',
          "what it maps is mapped for all");
    raw_munmap(shared_page, PAGE);
}

static void tells_identity(struct thread *thread)
{
    uint64_t word;

    __asm__("mov %%fs:0, %0" : "=r"(word));
    thread->result = raw(SYS_gettid, 0, 0, 0, 0) * 2 + (word == (uint64_t)thread->local);
}

static void identities(void)
{
    struct thread thread;
    long tid;

    start(&thread, tells_identity, NULL);
    join(&thread);
    tid = thread.result / 2;
    check(tid != getpid() && tid > 0, "a thread has a number of its own");
    check_eq(thread.result % 2, 1, "its FS register is what clone was given");
    check_eq(raw(SYS_gettid, 0, 0, 0, 0), getpid(), "the first thread's number is the process's");
    for (int i = 0; i < 100000 && raw(SYS_tgkill, getpid(), tid, 0, 0) == 0; i++)
        sched_yield();
    check_eq(raw(SYS_tgkill, getpid(), tid, 0, 0), -ESRCH, "a thread that has ended is soon gone");
}

static volatile int lock_word;
static volatile long counter;

/* A lock after Drepper: 0 free, 1 taken, 2 taken and somebody waits. */
static void take_lock(void)
{
    int seen = __sync_val_compare_and_swap(&lock_word, 0, 1);

    if (seen == 0)
        return;
    do {
        if (seen == 2 || __sync_val_compare_and_swap(&lock_word, 1, 2) != 0)
            futex(&lock_word, WAIT_PRIVATE, 2, NULL);
    } while ((seen = __sync_val_compare_and_swap(&lock_word, 0, 2)) != 0);
}

static void free_lock(void)
{
    if (__sync_fetch_and_sub(&lock_word, 1) != 1) {
        lock_word = 0;
        futex(&lock_word, WAKE_PRIVATE, 1, NULL);
    }
}

static void counts(struct thread *thread)
{
    for (int i = 0; i < 5000; i++) {
        long seen;

        take_lock();
        seen = counter;
        if (i % 1000 == 0)
            raw(SYS_sched_yield, 0, 0, 0, 0);
        counter = seen + 1;
        free_lock();
    }
    thread->result = 1;
}

static void a_lock(void)
{
    struct thread threads[4];

    for (int i = 0; i < 4; i++)
        start(&threads[i], counts, NULL);
    for (int i = 0; i < 4; i++)
        join(&threads[i]);
    check_eq(counter, 20000, "four threads count under a lock made of a futex, and miss nothing");
}

static void futex_corners(void)
{
    struct {
        long seconds, nanoseconds;
    } soon = {0, 1000000}, bad = {0, 1000000000};
    volatile int word = 5;
    char *read_only = raw_mmap(0, PAGE, PROT_READ, PRIVATE_ANON, -1, 0);

    check_eq(futex(&word, WAIT_PRIVATE, 6, NULL), -EAGAIN, "waiting for another value is EAGAIN");
    check_eq(futex(&word, WAIT_PRIVATE, 5, &soon), -ETIMEDOUT, "a time limit ends in ETIMEDOUT");
    check_eq(futex(&word, WAIT_PRIVATE, 5, &bad), -EINVAL, "a bad time limit is EINVAL");
    check_eq(futex(&word, WAKE_PRIVATE, 1, NULL), 0, "waking nobody wakes 0");
    check_eq(futex((int *)((char *)&word + 1), WAKE_PRIVATE, 1, NULL), -EINVAL,
             "unaligned is EINVAL");
    check_eq(futex((int *)8, WAIT_PRIVATE, 0, NULL), -EFAULT, "a bad address is EFAULT");
    check_eq(futex((int *)KERNEL_ADDRESS, WAIT_PRIVATE, 0, NULL), -EFAULT, "a kernel address too");
    check_eq(futex(&word, 99, 0, NULL), -ENOSYS, "an unknown operation is ENOSYS");
    check_eq(futex((int *)read_only, WAIT_PRIVATE, 1, NULL), -EAGAIN,
             "a read-only word can be waited for");
    raw_munmap(read_only, PAGE);
}

static volatile int gate, through;

static void waits_at_gate(struct thread *thread)
{
    (void)thread;
    while (gate == 0)
        futex(&gate, WAIT_PRIVATE, 0, NULL);
    __sync_fetch_and_add(&through, 1);
}

static void waking_many(void)
{
    struct thread threads[3];

    for (int i = 0; i < 3; i++)
        start(&threads[i], waits_at_gate, NULL);
    for (int i = 0; i < 100; i++)
        raw(SYS_sched_yield, 0, 0, 0, 0);
    check_eq(through, 0, "threads that wait do not go on");
    gate = 1;
    futex(&gate, WAKE_PRIVATE, 0x7fffffff, NULL);
    for (int i = 0; i < 3; i++)
        join(&threads[i]);
    check_eq(through, 3, "one call wakes them all");
}

static void waits_in_shared_memory(void *memory)
{
    volatile int *word = memory;

    while (*word == 0)
        futex(word, 0 /* FUTEX_WAIT */, 0, NULL);
    word[1] = 1;
}

static void between_processes(void)
{
    volatile int *word = raw_mmap(0, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        waits_in_shared_memory((void *)word);
        _exit(0);
    }
    for (int i = 0; i < 50; i++)
        sched_yield();
    *word = 1;
    futex(word, 1 /* FUTEX_WAKE */, 1, NULL);
    waitpid(child, &status, 0);
    check(status == 0 && word[1] == 1, "a futex in shared memory wakes another process");
    raw_munmap((void *)word, PAGE);
}

static void sleeps(struct thread *thread)
{
    (void)thread;
    for (;;)
        futex(&shared_word, WAIT_PRIVATE, 77, NULL);
}

static void leaves_group(void *by_fault)
{
    static struct thread thread;

    start(&thread, sleeps, NULL);
    if (by_fault == NULL)
        syscall(SYS_exit_group, 9);
    write_byte(NULL);
}

static void faults(struct thread *thread)
{
    (void)thread;
    write_byte(NULL);
}

static void thread_faults(void *nothing)
{
    static struct thread thread;

    (void)nothing;
    start(&thread, faults, NULL);
    for (;;)
        sched_yield();
}

static void exits_later(struct thread *thread)
{
    for (int i = 0; i < 1000; i++)
        raw(SYS_sched_yield, 0, 0, 0, 0);
    thread->exit_status = 5;
}

static void first_thread_exits(void *nothing)
{
    static struct thread thread;

    (void)nothing;
    start(&thread, exits_later, NULL);
    syscall(SYS_exit, 3);
}

static void ends(void)
{
    check_eq(status_of_child(leaves_group, NULL), 9 << 8, "exit_group ends all threads");
    check_eq(signal_of_child(leaves_group, "fault"), SIGSEGV, "a fault in one thread kills all");
    check_eq(signal_of_child(thread_faults, NULL), SIGSEGV, "whichever it is");
    check_eq(status_of_child(first_thread_exits, NULL), 5 << 8,
             "when the first thread exits, the process ends with the last, and with its status");
}

static void forks(struct thread *thread)
{
    long child = raw(SYS_fork, 0, 0, 0, 0);
    int status = -1;

    if (child == 0)
        raw(SYS_exit_group, shared_word == 77 ? 4 : 5, 0, 0, 0);
    raw(SYS_wait4, child, (long)&status, 0, 0);
    thread->result = status;
}

static void fork_in_a_thread(void)
{
    struct thread thread;

    start(&thread, forks, NULL);
    join(&thread);
    check_eq(thread.result, 4 << 8, "a thread may fork, and wait for its child");
}

static void clone_refusals(void)
{
    check_eq(clone_thread(0x10000 /* THREAD */, NULL, NULL, NULL, NULL), -EINVAL,
             "CLONE_THREAD without CLONE_SIGHAND is EINVAL");
    check_eq(clone_thread(0x800 /* SIGHAND */, NULL, NULL, NULL, NULL), -EINVAL,
             "CLONE_SIGHAND without CLONE_VM is EINVAL");
}

int main(void)
{
    one_address_space();
    identities();
    a_lock();
    futex_corners();
    waking_many();
    between_processes();
    ends();
    fork_in_a_thread();
    clone_refusals();
    return done();
}
