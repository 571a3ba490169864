/*
 * Whether the kernel gives away what happens to lie in its memory: before each call all of its free memory and its stack
 * are stained (kernel/proc/self_test.c, with the kernel option selftest), and then nothing that the call writes to the
 * program may have the stain in it, in no hole of a structure either. Nor the poison of the debug build.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include "tests/guest/mem.h"

enum {
#define SYSCALL(number, name, arguments) NR_##name = (number),
#define ABSENT(number, name)
#include "syscall/list.h"
};

#define MAGIC1 0xfee1dead
#define MAGIC2 672274793
#define COMMAND 0x5e1f7e57
#define AREA (16 * PAGE)
#define FILE_NAME "/tmp/stains"

static char *area;                          /* where results go */
static int file, folder, memory_file, terminal, pipe_ends[2];

/* Asks for both. The stack comes last, and is used by nothing but the call that follows. */
static bool stain(void)
{
    static struct {
        char name[56];
        unsigned long address;
    } orders[] = {{"stain-memory", 0}, {"stain-stack", 0}};

    return syscall(SYS_reboot, MAGIC1, MAGIC2, COMMAND, &orders[0]) == 0 &&
           syscall(SYS_reboot, MAGIC1, MAGIC2, COMMAND, &orders[1]) == 0;
}

/* The place of two equal bytes in a row that are the stain's or the poison's, or -1. */
static long first_stain(const unsigned char *bytes, size_t length)
{
    static const unsigned char dirty[] = {0xd7, 0xa5, 0x6b};

    for (size_t i = 0; i + 1 < length; i++)
        if (bytes[i] == bytes[i + 1] && memchr(dirty, bytes[i], sizeof(dirty)))
            return (long)i;
    return -1;
}

static void check_area(const char *name, bool succeeded)
{
    if (check(succeeded, "%s succeeds", name))
        check_eq(first_stain((unsigned char *)area, AREA), -1, "%s gives away nothing", name);
}

/* ---- calls ---- */

#define IN_AREA(offset) ((unsigned long)(area + (offset)))

static const struct {
    const char *name;
    long number;
    /* -1: the area; -2: 512 bytes behind its start; -3: a size of it; -4 to -8: one of the descriptors */
    long arguments[6];
} calls[] = {
    {"stat", NR_stat, {(long)FILE_NAME, -1}},
    {"fstat of a pipe", NR_fstat, {-7, -1}},
    {"lstat", NR_lstat, {(long)"/proc/self/exe", -1}},
    {"newfstatat", NR_newfstatat, {-100, (long)"/dev/null", -1, 0}},
    {"statx", NR_statx, {-100, (long)FILE_NAME, 0, 0xfff, -1}},
    {"statfs", NR_statfs, {(long)"/tmp", -1}},
    {"fstatfs", NR_fstatfs, {-4, -1}},
    {"uname", NR_uname, {-1}},
    {"sysinfo", NR_sysinfo, {-1}},
    {"getrusage", NR_getrusage, {0, -1}},
    {"times", NR_times, {-1}},
    {"gettimeofday", NR_gettimeofday, {-1, -2}},
    {"clock_gettime", NR_clock_gettime, {0, -1}},
    {"clock_getres", NR_clock_getres, {1, -1}},
    {"time", NR_time, {-1}},
    {"getitimer", NR_getitimer, {0, -1}},
    {"setitimer", NR_setitimer, {1, 0, -1}},
    {"getrlimit", NR_getrlimit, {3, -1}},
    {"prlimit", NR_prlimit64, {0, 7, 0, -1}},
    {"rt_sigaction", NR_rt_sigaction, {10, 0, -1, 8}},
    {"rt_sigprocmask", NR_rt_sigprocmask, {0, 0, -1, 8}},
    {"rt_sigpending", NR_rt_sigpending, {-1, 8}},
    {"sigaltstack", NR_sigaltstack, {0, -1}},
    {"getdents64", NR_getdents64, {-5, -1, -3}},
    {"getcwd", NR_getcwd, {-1, -3}},
    {"readlink", NR_readlink, {(long)"/proc/self/exe", -1, -3}},
    {"getgroups", NR_getgroups, {64, -1}},
    {"getresuid", NR_getresuid, {-1, -2, -2}},
    {"getresgid", NR_getresgid, {-1, -2, -2}},
    {"sched_getaffinity", NR_sched_getaffinity, {0, 1024, -1}},
    {"sched_getparam", NR_sched_getparam, {0, -1}},
    {"getcpu", NR_getcpu, {-1, -2, 0}},
    {"the terminal's settings", NR_ioctl, {-8, 0x5401, -1}},
    {"the terminal's size", NR_ioctl, {-8, 0x5413, -1}},
    {"what is ready in a pipe", NR_ioctl, {-7, 0x541b, -1}},
    {"fcntl F_GETLK", NR_fcntl, {-4, 5, -1}},
    {"pipe", NR_pipe, {-1}},
    {"mincore", NR_mincore, {-1, 4096, -2}},
    {"get_robust_list", NR_get_robust_list, {0, -1, -2}},
    {"prctl PR_GET_NAME", NR_prctl, {16, -1}},
    {"arch_prctl ARCH_GET_FS", NR_arch_prctl, {0x1003, -1}},
    {"poll", NR_poll, {-1, 4, 0}},
    {"select", NR_select, {10, -1, 0, 0, -2}},
    {"a read of a hole in a file", NR_pread64, {-4, -1, 8192, 4096}},
    {"a read over a file's end", NR_pread64, {-4, -1, 8192, 16384}},
    {"a read of a memory file", NR_pread64, {-6, -1, 8192, 0}},
};

static long value_of(long argument)
{
    switch (argument) {
    case -1:
        return (long)area;
    case -2:
        return (long)area + 512;
    case -3:
        return AREA - PAGE;
    case -4:
        return file;
    case -5:
        return folder;
    case -6:
        return memory_file;
    case -7:
        return pipe_ends[0];
    case -8:
        return terminal;
    default:
        return argument;
    }
}

static void out_structures(void)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        const long *a = calls[i].arguments;
        long v[6], result;

        memset(area, 0, AREA);
        for (int k = 0; k < 6; k++)
            v[k] = value_of(a[k]);
        stain();
        result = syscall(calls[i].number, v[0], v[1], v[2], v[3], v[4], v[5]);
        check_area(calls[i].name, result >= 0);
    }
}

/* ---- what comes with a signal, a child, a new program, a fault ---- */

static int handled;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    handled++;
}

static void deliver(const char *what, void (*cause)(void))
{
    stack_t stack = {.ss_sp = area, .ss_size = AREA}, none = {.ss_flags = SS_DISABLE};

    memset(area, 0, AREA);
    handled = 0;
    sigaltstack(&stack, NULL);
    stain();
    cause();
    sigaltstack(&none, NULL);
    check_area(what, handled == 1);
}

static void by_raise(void) { raise(SIGUSR1); }

static void by_queue(void)
{
    static siginfo_t info = {.si_code = -1};

    syscall(NR_rt_sigqueueinfo, getpid(), SIGUSR1, &info);
}

static void by_fault(void)
{
    static char *page;

    page = raw_mmap(0, PAGE, PROT_READ, PRIVATE_ANON, -1, 0);
    stain();
    *(volatile char *)page = 1;
}

/* Puts right what by_fault did. */
static void mends(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    handled++;
    raw_mprotect((void *)((unsigned long)info->si_addr & -PAGE), PAGE, READ_WRITE);
}

static void by_timer(void)
{
    struct itimerval soon = {{0, 0}, {0, 1000}};

    setitimer(ITIMER_REAL, &soon, NULL);
    pause();
}

static void signal_frames(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    action.sa_sigaction = mends;
    sigaction(SIGSEGV, &action, NULL);
    deliver("the frame of a signal", by_raise);
    deliver("the frame of a queued signal", by_queue);
    deliver("the frame of a fault's signal", by_fault);
    deliver("the frame of a timer's signal", by_timer);
}

static void children(void)
{
    sigset_t set;
    long result;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    memset(area, 0, AREA);
    if (fork() == 0)
        _exit(3);
    stain();
    result = syscall(SYS_waitid, 0, 0, IN_AREA(0), 4 /* WEXITED */, IN_AREA(512));
    check_area("waitid", result == 0);
    stain();
    result = syscall(SYS_rt_sigtimedwait, &set, IN_AREA(1024), NULL, 8);
    check_area("sigtimedwait", result == SIGCHLD);
    if (fork() == 0)
        _exit(3);
    stain();
    result = syscall(SYS_wait4, -1, IN_AREA(2048), 0, IN_AREA(2056));
    check_area("wait4", result > 0);
}

/* ---- memory ---- */

static bool is_clean(const unsigned char *bytes, size_t length)
{
    return first_stain(bytes, length) < 0;
}

static void fresh_memory(void)
{
    unsigned char *memory;
    unsigned long start = raw_brk(0);

    stain();
    memory = raw_mmap(0, 32 * PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
    write_pages((char *)memory, 32);
    check(is_clean(memory, 32 * PAGE), "new memory holds no stain");
    stain();
    raw_brk(start + 32 * PAGE);
    write_pages((char *)(start & -PAGE) + PAGE, 30);
    check(is_clean((unsigned char *)(start & -PAGE) + PAGE, 30 * PAGE), "nor does a longer heap");
    stain();
    memory = raw_mmap(0, 32 * PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    write_pages((char *)memory, 32);
    check(is_clean(memory, 32 * PAGE), "nor does shared memory");
    stain();
    memory = raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
    check(is_clean(memory, PAGE), "nor does the last page of a file behind its end");
    stain();
    ftruncate(memory_file, 0);
    ftruncate(memory_file, 4 * PAGE);
    memory = raw_mmap(0, 4 * PAGE, READ_WRITE, MAP_SHARED, memory_file, 0);
    check(is_clean(memory, 4 * PAGE), "nor a memory file that was made longer");
}

/* A new program: its stack from the arguments down, and behind its variables. */
static int look_as_new_program(char **words)
{
    unsigned char *top = (unsigned char *)USER_END, *stack = (unsigned char *)((unsigned long)words & -PAGE);
    static unsigned char variable[3 * PAGE];

    return !is_clean(stack, (size_t)(top - stack)) || !is_clean(variable, sizeof(variable));
}

static void exec_it(void *nothing)
{
    (void)nothing;
    stain();
    execve("/proc/self/exe", (char *[]){"stains", "new", NULL}, (char *[]){NULL});
    _exit(9);
}

/* ---- files of /proc ---- */

static void proc_files(void)
{
    static const char *const names[] = {"maps", "smaps", "status", "stat", "statm", "limits", "pagemap", "auxv", "cmdline",
                                        "environ", "comm", "mounts"};
    char path[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "/proc/self/%s", names[i]);
        int text = open(path, O_RDONLY);
        memset(area, 0, AREA);
        stain();
        check_area(path, read(text, area, AREA) >= 0);
        close(text);
    }
}

int main(int count, char **words)
{
    if (count == 2)
        return look_as_new_program(words);
    area = anon(AREA / PAGE);
    memset(area, 0, AREA);
    file = open(FILE_NAME, O_RDWR | O_CREAT, 0600);
    folder = open("/proc/self", O_RDONLY);
    terminal = open("/dev/console", O_RDWR);
    memory_file = (int)syscall(SYS_memfd_create, "stains", 0);
    if (pipe(pipe_ends) != 0 || !stain())
        bail_out("this needs the kernel option selftest");
    pwrite(file, "x", 1, 3 * PAGE + 100);
    ftruncate(memory_file, 2 * PAGE);
    out_structures();
    signal_frames();
    children();
    fresh_memory();
    proc_files();
    check_eq(status_of_child(exec_it, NULL), 0, "a new program finds no stain on its stack or in its variables");
    return done();
}
