/*
 * Every memory call and every kind of fault with its Nth allocation failing, for every N: the call says ENOMEM and has
 * changed nothing (a fault ends the process), and in the end no frame is missing. Needs /proc/self/fail-nth: the kernel
 * option `fault-injection` in the debug build here (tests/guest/fail_nth.t), a kernel built for it on Linux.
 */
#include <sched.h>
#include <sys/uio.h>

#include "mem.h"

#define N_MAX      400 /* more than any call here allocates */
#define FAIL_NTH   "/proc/self/fail-nth"
#define RULE(name) name ": for each N the Nth allocation's failure changes nothing, and nothing is lost"

/* How a child that ran one call for one N tells what came of it. */
enum verdict { REFUSED, SERVED, SERVED_ALL_THE_SAME, WRONG_ERROR, CHANGED };

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static char *place;  /* 32 pages: written, read, untouched, read-only, a hole, untouched */
static char *shared; /* 4 pages */
static char *stack;  /* grows down */
static char *file;   /* 2 pages, private */
static char *far;    /* tables of its own */
static int control;  /* FAIL_NTH, opened */
static int anything; /* a descriptor to read from: zeroes */

static void write_number(int number)
{
    char text[16];
    int length = snprintf(text, sizeof text, "%d", number);

    if (write(control, text, (size_t)length) != length)
        _exit(99);
}

static int number_left(void)
{
    char text[16] = "";

    return pread(control, text, sizeof text - 1, 0) > 0 ? atoi(text) : -1;
}

/* ---- the stage ---- */

#define FAR_ADDRESS 0x600000000000UL
#define STACK_PAGES 2UL

static void set_stage(void)
{
    int program = open("/proc/self/exe", O_RDONLY);

    place = free_range(32);
    anon_at(place, 8, READ_WRITE);
    write_pages(place, 4);
    read_pages(place + 4 * PAGE, 1);
    anon_at(place + 16 * PAGE, 4, PROT_READ);
    far = anon_at((char *)FAR_ADDRESS, 4, READ_WRITE);
    shared = raw_mmap(0, 4 * PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    write_pages(shared, 1);
    file = raw_mmap(0, 2 * PAGE, READ_WRITE, MAP_PRIVATE, program, 0);
    char *room = free_range(300);
    stack = raw_mmap((unsigned long)room + 290 * PAGE, STACK_PAGES * PAGE, READ_WRITE,
                     PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    write_pages(stack, STACK_PAGES);
    close(program);
    anything = open("/dev/zero", O_RDONLY);
    control = open(FAIL_NTH, O_RDWR);
}

/* What a program can see of itself: its mappings, and what its pages hold. */
static unsigned long long fingerprint(void)
{
    unsigned long long hash = 14695981039346656037ULL;

    for (const char *c = file_text("/proc/self/maps"); *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211ULL;
    for (unsigned long i = 0; i < 4; i++)
        hash = (hash ^ (unsigned char)place[i * PAGE]) * 1099511628211ULL;
    return hash ^ (unsigned char)shared[0];
}

/* ---- the calls: 0, or -1 with errno ---- */

static long failed(const void *address)
{
    return address == MAP_FAILED ? -1 : 0;
}

static long call_mmap(void)
{
    return failed(raw_mmap(0, 2 * PAGE, PROT_EXEC, PRIVATE_ANON, -1, 0));
}
static long call_mmap_shared(void)
{
    return failed(raw_mmap(0, 2 * PAGE, READ_WRITE, SHARED_ANON, -1, 0));
}
static long call_mmap_over(void)
{
    return failed(raw_mmap((unsigned long)place + PAGE, 2 * PAGE, PROT_READ, PRIVATE_ANON | MAP_FIXED, -1, 0));
}
static long call_munmap(void)
{
    return raw_munmap(place + PAGE, PAGE);
}
static long call_mprotect(void)
{
    return raw_mprotect(place + PAGE, PAGE, PROT_READ);
}
static long call_brk(void)
{
    unsigned long now = raw_brk(0), wanted = now + 64 * PAGE;

    errno = ENOMEM;
    return raw_brk(wanted) == wanted ? 0 : -1;
}
static long remap(char *from, unsigned long old, unsigned long new, int flags, unsigned long to)
{
    return failed((void *)syscall(SYS_mremap, from, old, new, flags, to));
}
static long call_mremap_move(void)
{
    return remap(place, 8 * PAGE, 40 * PAGE, MREMAP_MAYMOVE, 0);
}
static long call_mremap_fixed(void)
{
    return remap(place + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, FAR_ADDRESS + (700UL << 30));
}
static long call_mremap_keep(void)
{
    return remap(place, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
}
static long call_mremap_alias(void)
{
    return remap(shared, 0, 4 * PAGE, MREMAP_MAYMOVE, 0);
}
static long call_madvise(void)
{
    long result = madvise(place + PAGE, PAGE, MADV_DONTFORK);

    errno = errno == EAGAIN ? ENOMEM : errno; /* as Linux says it there */
    return result;
}
static long call_mlock(void)
{
    long result = mlock(place + PAGE, PAGE);

    errno = errno == EAGAIN ? ENOMEM : errno;
    return result;
}
static long call_fork(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    errno = errno == EAGAIN ? ENOMEM : errno;
    return child < 0 ? -1 : waitpid(child, NULL, 0) == child ? 0 : -1;
}
static int end_at_once(void *unused)
{
    (void)unused;
    return 0;
}
static long call_clone_vm(void)
{
    /* In the same memory, on a stack that is there already. */
    int child = clone(end_at_once, place + 4 * PAGE, CLONE_VM | SIGCHLD, NULL);

    errno = errno == EAGAIN ? ENOMEM : errno;
    return child < 0 ? -1 : waitpid(child, NULL, 0) == child ? 0 : -1;
}
static long call_open(void)
{
    int fd = open("/dev/null", O_RDWR);

    return fd < 0 ? -1 : close(fd);
}
static long call_pipe(void)
{
    int ends[2];

    if (pipe(ends) != 0) {
        errno = errno == ENFILE ? ENOMEM : errno;
        return -1;
    }
    return close(ends[0]) | close(ends[1]);
}
/* When the old program has gone, nobody is left to be told: Linux sends SIGSEGV then. */
static long call_execve(void)
{
    static char *const arguments[] = {(char *)"fail_nth", (char *)"served", NULL};

    return syscall(SYS_execve, "/proc/self/exe", arguments, arguments + 2);
}

/* ---- the faults ---- */

static long touch_new(void)
{
    return write_pages(far, 1), 0;
}
static long touch_read(void)
{
    return read_pages(far, 1), 0;
}
static long touch_zero(void)
{
    return write_pages(place + 4 * PAGE, 1), 0;
}
static long touch_shared(void)
{
    return write_pages(shared + 2 * PAGE, 1), 0;
}
static long touch_file(void)
{
    return write_pages(file, 1), 0;
}
static long touch_file_read(void)
{
    return read_pages(file + PAGE, 1), 0;
}
static long touch_stack(void)
{
    return write_pages(stack - 3 * PAGE, 1), 0;
}
static long touch_in_read(void)
{
    return read(anything, far, 100) == 100 ? 0 : -1;
}

static const struct {
    const char *rule;
    long (*call)(void);
    int may_die_of; /* a fault can't be refused */
    int at_least;   /* allocations, so that the test notices when there are none */
} scenarios[] = {
    {RULE("mmap"), call_mmap, 0, 1},
    {RULE("mmap of shared memory"), call_mmap_shared, 0, 2},
    {RULE("mmap over a middle"), call_mmap_over, 0, 2},
    {RULE("munmap of a middle"), call_munmap, 0, 1},
    {RULE("mprotect of a middle"), call_mprotect, 0, 2},
    {RULE("brk"), call_brk, 0, 1},
    {RULE("mremap that moves"), call_mremap_move, 0, 1},
    {RULE("mremap of a middle"), call_mremap_fixed, 0, 2},
    {RULE("mremap with DONTUNMAP"), call_mremap_keep, 0, 1},
    {RULE("mremap that makes an alias"), call_mremap_alias, 0, 1},
    {RULE("madvise of a middle"), call_madvise, 0, 2},
    {RULE("mlock of a middle"), call_mlock, 0, 2},
    {RULE("fork"), call_fork, SIGKILL, 10}, /* which also counts the first writes behind it */
    {RULE("clone within the same memory"), call_clone_vm, 0, 3},
    {RULE("open"), call_open, 0, 1},
    {RULE("pipe"), call_pipe, 0, 2},
    {RULE("execve"), call_execve, SIGSEGV, 10},
    {RULE("a first write"), touch_new, SIGKILL, 1},
    {RULE("a first read"), touch_read, SIGKILL, 1},
    {RULE("a write over the zero frame"), touch_zero, SIGKILL, 1},
    {RULE("a write to shared memory"), touch_shared, SIGKILL, 1},
    {RULE("a write to a private file page"), touch_file, SIGKILL, 1},
    {RULE("a read of a file page"), touch_file_read, SIGKILL, 0},
    {RULE("a stack that grows"), touch_stack, SIGKILL, 1},
    {RULE("read into an untouched page"), touch_in_read, SIGKILL, 1},
};
#define SCENARIOS (int)(sizeof scenarios / sizeof scenarios[0])

/* ---- one scenario ---- */

static int scenario, nth;

static void run_once(void *unused)
{
    (void)unused;
    set_stage();
    write_number(0);
    errno = 0;
    (void)number_left(); /* the code and the stack below are there now */
    unsigned long long before = fingerprint();
    write_number(nth);
    long result = scenarios[scenario].call();
    int error = errno, left = number_left();
    write_number(0);
    if (result != 0 && error != ENOMEM)
        _exit(WRONG_ERROR);
    if (result != 0)
        _exit(fingerprint() == before ? REFUSED : CHANGED);
    _exit(left == 0 ? SERVED_ALL_THE_SAME : SERVED);
}

/* A number of /proc/zeropage; 0 where there is none. */
static unsigned long machine_number(const char *key)
{
    const char *at = access("/proc/zeropage", R_OK) == 0 ? strstr(file_text("/proc/zeropage"), key) : NULL;

    return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

/* All N for one call; the sentence about what went wrong, or NULL. */
static const char *try_all(void)
{
    static char sentence[200];

    for (nth = 1; nth < N_MAX; nth++) {
        int status = status_of_child(run_once, NULL);
        bool is_death = WIFSIGNALED(status) && scenarios[scenario].may_die_of &&
                        (WTERMSIG(status) == scenarios[scenario].may_die_of || WTERMSIG(status) == SIGKILL);
        int verdict = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

        if (is_death)
            continue;
        if (verdict == SERVED)
            break;
        if (verdict == REFUSED || verdict == SERVED_ALL_THE_SAME)
            continue;
        snprintf(sentence, sizeof sentence, "N = %d: %s (status 0x%x)", nth,
                 verdict == WRONG_ERROR ? "it fails, but not with ENOMEM"
                 : verdict == CHANGED   ? "it fails, but has changed something"
                                        : "it ends in another way",
                 status);
        return sentence;
    }
    if (nth == N_MAX)
        return "the failures do not come to an end";
    if (nth - 1 < scenarios[scenario].at_least)
        return "it allocates less often than it was thought to";
    return NULL;
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return SERVED; /* by call_execve */
    plan(SCENARIOS);
    (void)machine_number(""); /* its buffer takes frames, too */
    for (scenario = 0; scenario < SCENARIOS; scenario++) {
        if (access(FAIL_NTH, W_OK) != 0) {
            skip(scenarios[scenario].rule, "there is no " FAIL_NTH);
            continue;
        }
        (void)try_all(); /* so that what is kept for later use is there in both counts */
        unsigned long free_before = machine_number("frames_free ");
        const char *wrong = try_all();
        unsigned long free_after = machine_number("frames_free ");
        if (!check(!wrong && free_after == free_before, "%s", scenarios[scenario].rule))
            note("%s; free frames before %lu, after %lu", wrong ? wrong : "nothing else is wrong", free_before,
                 free_after);
    }
    return done();
}
