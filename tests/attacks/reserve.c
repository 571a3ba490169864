/*
 * Checks that memory that is full for programs is not full for the kernel (mm/page_alloc.c): a file takes all that a program
 * may have, and then the kernel does work of its own, for which it needs frames: page tables, stacks, objects, and a copy
 * that can't wait. Each piece is done by a process of its own, which rehearses it, so that all it touches itself is there, then fills
 * memory, and must outlive doing it again.
 *
 * Nothing here knows how many frames are free: only that each piece needs some, and fewer than the smallest reserve.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>

#include "tests/guest/mem.h"
#include "user/common/probe.h"

#define GIB (1ul << 30)
#define SPREAD 3ul          /* pages, each in a GiB of its own: two page tables each */
#define ROUNDS 2ul          /* the rehearsal, and the real one */
#define STARTS 100
#define AT_ONCE 5           /* processes, of which each has a kernel stack */
#define STACK_SIZE 4096
#define OBJECTS 100         /* mappings */
#define POPULATE_READ 22

static char *spread, *ahead;    /* a page in each GiB; two pages side by side */
static unsigned long turn;
static char stacks[AT_ONCE][STACK_SIZE];

/* The stacks and objects that the kernel keeps for the next ones. */
static void drop_what_is_kept(void)
{
    int file = open("/proc/sys/vm/drop_caches", O_WRONLY);

    if (file < 0 || write(file, "2", 1) != 1)
        _exit(3);
    close(file);
}

/* A write to a file only fails when memory is full; nobody is killed for it. */
static void fill_memory(void)
{
    static char bytes[65536];
    int file = (int)syscall(SYS_memfd_create, "all", 0);

    for (size_t size = sizeof(bytes); size >= PAGE; size /= 2)
        while (write(file, bytes, size) > 0)
            continue;
}

static bool page_tables(void)
{
    for (unsigned long i = 0; i < SPREAD; i++)
        if (syscall(SYS_madvise, spread + (turn * SPREAD + i) * GIB, PAGE, POPULATE_READ) != 0)
            return false;
    return true;
}

static int ends_at_once(void *nothing)
{
    (void)nothing;
    return 0;
}

static int waits(void *nothing)
{
    (void)nothing;
    return pause();     /* only SIGKILL comes */
}

static pid_t start(int (*body)(void *), unsigned int stack)
{
    return clone(body, stacks[stack] + STACK_SIZE, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, NULL);
}

/* Processes that share all memory with us, so that only the kernel needs some for them. */
static bool processes_after_each_other(void)
{
    for (int i = 0; i < STARTS; i++) {
        pid_t child = start(ends_at_once, 0);
        if (child < 0 || waitpid(child, NULL, 0) != child)
            return false;
    }
    return true;
}

static bool processes_at_once(void)
{
    pid_t children[AT_ONCE];
    int started = 0;

    while (started < AT_ONCE && (children[started] = start(waits, (unsigned int)started)) > 0)
        started++;
    for (int i = 0; i < started; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    return started == AT_ONCE;
}

static bool objects(void)
{
    for (int i = 0; i < OBJECTS; i++)
        if (raw_mmap(0, PAGE, i % 2 ? PROT_READ : PROT_NONE, PRIVATE_ANON, -1, 0) == MAP_FAILED)
            return false;
    return true;
}


static void do_the_work(void *work)
{
    bool (*body)(void) = *(bool (**)(void))work;

    if (!body())
        _exit(2);
    turn++;
    drop_what_is_kept();
    fill_memory();
    _exit(body() ? 0 : 1);
}

/* ---- a copy ---- */

static bool copy_to(char *page)
{
    return syscall(SYS_getcwd, page, PAGE) == sizeof("/") && strcmp(page, "/") == 0;
}

/*
 * The kernel copies to a page that nobody has touched. Another process holds memory and is killed for it; but in the middle of a
 * copy the kernel can't wait until that one has died.
 */
static void copy_while_another_dies(void *nothing)
{
    volatile int *turns = raw_mmap(0, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    pid_t filler = fork();
    int status = 0;

    (void)nothing;
    errno = 0;      /* each side now has its own page of what it writes to later */
    if (filler == 0) {
        while (turns[0] == 0)
            sched_yield();
        fill_memory();
        turns[1] = 1;
        waits(NULL);
    }
    bool rehearsed = copy_to(ahead);
    turns[0] = 1;
    while (turns[1] == 0)
        if (waitpid(filler, &status, WNOHANG) != 0)
            _exit(2);
    bool copied = copy_to(ahead + PAGE);
    waitpid(filler, &status, 0);
    _exit(rehearsed && copied && WIFSIGNALED(status) ? 0 : 1);
}

int main(void)
{
    static struct {
        bool (*body)(void);
        const char *rule;
    } works[] = {
        {page_tables, "page tables are made out of the reserve"},
        {processes_after_each_other, "processes start and end"},
        {processes_at_once, "their stacks come out of the reserve"},
        {objects, "objects of the kernel come out of the reserve"},
    };
    char text[4096];

    spread = raw_mmap(0, ROUNDS * SPREAD * GIB, READ_WRITE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
    ahead = anon(2);
    if (spread == MAP_FAILED)
        bail_out("no room");
    memset(stacks, 1, sizeof(stacks));
    for (unsigned int i = 0; i < sizeof(works) / sizeof(works[0]); i++)
        check_eq(status_of_child(do_the_work, &works[i].body), 0, "with memory full %s", works[i].rule);
    check_eq(status_of_child(copy_while_another_dies, NULL), 0,
             "with memory full a copy to a page that is not there yet is finished out of the reserve");
    check(probe_file("/proc/audit", text, sizeof(text)) > 0 && strcmp(text, "ok\n") == 0, "and the audit finds nothing");
    return done();
}
