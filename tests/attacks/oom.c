/*
 * Checks who dies when memory is full (kernel/proc/oom.c), on a machine of 16 MiB: always the process that holds most,
 * by whatever it holds, and the leader of a session last.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>

#include "tests/guest/mem.h"
#include "user/common/probe.h"

#define MIB (1ul << 20)
#define MOST 6      /* MiB */
#define LITTLE 1
#define MAPPINGS 60000ul            /* nearly as many as there may be: some 8 MiB */
#define STACK_OF_THE_KERNEL 8192ul  /* for each thread */
#define LEADERS 8   /* more than is left for all others together */

static int to_parent[2];

/* Tells the parent that all is taken, and waits to be killed. */
static void hold(void)
{
    if (write(to_parent[1], "h", 1) != 1)
        _exit(9);
    for (;;)
        pause();
}

static void take_memory(long mebibytes)
{
    write_pages(anon((unsigned long)mebibytes * MIB / PAGE), (unsigned long)mebibytes * MIB / PAGE);
    hold();
}

static void take_page_tables(long mebibytes)
{
    /* One page in each 2 MiB takes a page table. */
    char *start = raw_mmap(0, (unsigned long)mebibytes * MIB / PAGE * 2 * MIB, PROT_READ, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

    for (unsigned long i = 0; i < (unsigned long)mebibytes * MIB / PAGE; i++)
        read_byte(start + i * 2 * MIB);
    hold();
}

/* Each page is another mapping than its neighbours: an object of the kernel's. */
static void take_mappings(long mebibytes)
{
    (void)mebibytes;
    for (unsigned long i = 0; i < MAPPINGS; i++)
        if (raw_mmap(0, PAGE, i % 2 ? PROT_READ : PROT_NONE, PRIVATE_ANON, -1, 0) == MAP_FAILED)
            _exit(8);
    hold();
}

static int sleep_on(void *nothing)
{
    (void)nothing;
    return pause();
}

/* All on one stack, which none of them ever uses again. */
static void take_threads(long mebibytes)
{
    static char stack[PAGE];

    for (unsigned long i = 0; i < (unsigned long)mebibytes * MIB / STACK_OF_THE_KERNEL; i++)
        if (clone(sleep_on, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL) < 0)
            _exit(8);
    hold();
}

static void take_pipes(long mebibytes)
{
    static char bytes[65536];
    int ends[2];

    for (unsigned long i = 0; i < (unsigned long)mebibytes * MIB / sizeof(bytes); i++)
        if (pipe(ends) != 0 || write(ends[1], bytes, sizeof(bytes)) != sizeof(bytes))
            _exit(8);
    hold();
}

static void take_nameless_file(long mebibytes)
{
    static char bytes[65536];
    int file = (int)syscall(SYS_memfd_create, "large", 0);

    for (unsigned long i = 0; i < (unsigned long)mebibytes * MIB / sizeof(bytes); i++)
        if (write(file, bytes, sizeof(bytes)) != sizeof(bytes))
            _exit(8);
    hold();
}

static void take_shared_memory(long mebibytes)
{
    unsigned long pages = (unsigned long)mebibytes * MIB / PAGE;

    write_pages(raw_mmap(0, pages * PAGE, READ_WRITE, SHARED_ANON, -1, 0), pages);
    hold();
}

static pid_t child_that(void (*takes)(long), long mebibytes)
{
    char byte;
    pid_t child = fork();

    if (child == 0)
        takes(mebibytes);
    if (read(to_parent[0], &byte, 1) != 1)
        bail_out("a child could not take its %ld MiB", mebibytes);
    return child;
}

/* Takes memory page by page until the kernel has killed somebody. */
static void fill_memory(void *nothing)
{
    static char text[4096];
    unsigned long before;

    (void)nothing;
    probe_file("/proc/vmstat", text, sizeof(text));
    before = probe_value(text, "oom_kill", ~0ul);
    for (;;) {
        write_pages(anon(16), 16);
        probe_file("/proc/vmstat", text, sizeof(text));
        if (probe_value(text, "oom_kill", ~0ul) != before)
            _exit(0);
    }
}

/* With one that holds most and one that holds little, and memory then running full. */
static void most_dies(void (*takes)(long), const char *what)
{
    pid_t little = child_that(take_memory, LITTLE), most = child_that(takes, MOST);
    int filled = status_of_child(fill_memory, NULL), status = -1;

    check_eq(filled, 0, "with memory full, who asks for more goes on when another one holds most by %s", what);
    check(waitpid(most, &status, WNOHANG) == most && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
          "the one that holds most by %s was killed", what);
    check_eq(waitpid(little, &status, WNOHANG), 0, "and the one that holds little was not");
    kill(little, SIGKILL);
    kill(most, SIGKILL);
    while (wait(NULL) > 0)
        continue;
}

static void asker_dies(void)
{
    pid_t little = child_that(take_memory, LITTLE);
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        for (;;)
            write_pages(anon(16), 16);
    waitpid(child, &status, 0);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "who holds most by the memory it asks for is killed itself");
    check_eq(waitpid(little, &status, WNOHANG), 0, "and nobody else");
    kill(little, SIGKILL);
    waitpid(little, &status, 0);
}

/* Fills memory by a file, whose writing only fails then, and has the kernel fetch a path that is not in memory. */
static void dies_in_a_call(void *nothing)
{
    static char bytes[65536];
    int file = (int)syscall(SYS_memfd_create, "all", 0);
    const char *path = raw_mmap(0, PAGE, READ_WRITE, SHARED_ANON, -1, 0);

    (void)nothing;
    open("/nothing/here", O_RDONLY);    /* the call's own code is in memory */
    while (write(file, bytes, sizeof(bytes)) > 0)
        continue;
    open(path, O_RDONLY);
}

/* Found by tests/attacks/calls.c: the kernel tried to fetch it a second time, and somebody else was killed for that. */
static void nobody_dies_for_the_dying(void)
{
    pid_t little = child_that(take_memory, LITTLE);
    int status = -1;

    check_eq(signal_of_child(dies_in_a_call, NULL), SIGKILL, "who holds most and asks for more in a call is killed");
    check_eq(waitpid(little, &status, WNOHANG), 0, "and nobody else");
    kill(little, SIGKILL);
    waitpid(little, &status, 0);
}

/* This process leads a session and is a child of PID 1, like a shell. */
static void leader_comes_last(void)
{
    unsigned long pages = LEADERS * MIB / PAGE;
    char *own = anon(pages);
    pid_t little = child_that(take_memory, 2 * LITTLE);
    int status = -1, filled;

    write_pages(own, pages);
    syscall(SYS_madvise, own, pages * PAGE, MADV_DONTFORK);     /* or the child would hold all of it and more */
    filled = status_of_child(fill_memory, NULL);
    bool little_died = waitpid(little, &status, WNOHANG) == little && WIFSIGNALED(status);
    check((WIFSIGNALED(filled) && WTERMSIG(filled) == SIGKILL) || little_died,
          "a leader of a session that holds most is not killed while others hold anything");
    check(all_bytes_are(own, 1, 1), "and keeps its memory");
    kill(little, SIGKILL);
    raw_munmap(own, pages * PAGE);
    while (wait(NULL) > 0)
        continue;
}

int main(void)
{
    if (pipe(to_parent) != 0)
        bail_out("no pipe");
    asker_dies();
    nobody_dies_for_the_dying();
    most_dies(take_memory, "memory");
    most_dies(take_shared_memory, "shared memory");
    most_dies(take_page_tables, "page tables");
    most_dies(take_mappings, "mappings");
    most_dies(take_threads, "threads");
    most_dies(take_pipes, "bytes in pipes");
    most_dies(take_nameless_file, "a file without a name");
    leader_comes_last();
    return done();
}
