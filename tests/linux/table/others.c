/* Tries the flags, commands and options of the other calls that programs on anonymous memory use, for docs/linux.md. */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <time.h>

#include "row.h"

enum { HIGHEST_BIT = 31 };

/* Runs ROW in a child, so that it changes nothing for those that follow. */
static void in_child(void (*row)(long), long value)
{
    pid_t child = fork();

    if (child == 0) {
        alarm(2);
        row(value);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* Only whether it went well: numbers of processes and times differ. */
static void add_result(const char *what, long result)
{
    add(" %s%s", what, result == -1 ? outcome(result) : result == 0 ? "0" : "+");
}

/* --- clone --- */

static const struct named clone_flags[] = {
    {0, "0"}, {0x100, "CLONE_VM"}, {0x200, "CLONE_FS"}, {0x400, "CLONE_FILES"}, {0x800, "CLONE_SIGHAND"},
    {0x1000, "CLONE_PIDFD"}, {0x2000, "CLONE_PTRACE"}, {0x4000, "CLONE_VFORK"}, {0x8000, "CLONE_PARENT"},
    {0x10000, "CLONE_THREAD"}, {0x20000, "CLONE_NEWNS"}, {0x40000, "CLONE_SYSVSEM"}, {0x80000, "CLONE_SETTLS"},
    {0x100000, "CLONE_PARENT_SETTID"}, {0x200000, "CLONE_CHILD_CLEARTID"}, {0x400000, "CLONE_DETACHED"},
    {0x800000, "CLONE_UNTRACED"}, {0x1000000, "CLONE_CHILD_SETTID"}, {0x2000000, "CLONE_NEWCGROUP"},
    {0x4000000, "CLONE_NEWUTS"}, {0x8000000, "CLONE_NEWIPC"}, {0x10000000, "CLONE_NEWUSER"},
    {0x20000000, "CLONE_NEWPID"}, {0x40000000, "CLONE_NEWNET"}, {0x80000000, "CLONE_IO"}, {0, NULL}};

static void clone_row(long flag)
{
    static char words[64];
    int status = -1;
    long child, self = syscall(SYS_getpid);

    /* Of CLONE_VM without a stack of its own only the parent may go on. */
    if (flag == 0x100)
        flag |= 0x4000;
    child = syscall(SYS_clone, flag | SIGCHLD, 0, words, words + 8, 0);
    if (child == 0)
        syscall(SYS_exit_group, 7);
    add_result("", child);
    if (child > 0 && syscall(SYS_getpid) == self) {
        waitpid((pid_t)child, &status, 0);
        add(" status %x", status);
    }
    add(" words %d %d", *(int *)words != 0, *(int *)(words + 8) != 0);
    end_row("clone flags", "%s", name_of(clone_flags, flag == 0x4100 ? 0x100 : flag));
}

/* --- futex --- */

static const struct named futex_operations[] = {
    {0, "FUTEX_WAIT"}, {1, "FUTEX_WAKE"}, {2, "FUTEX_FD"}, {3, "FUTEX_REQUEUE"}, {4, "FUTEX_CMP_REQUEUE"},
    {5, "FUTEX_WAKE_OP"}, {6, "FUTEX_LOCK_PI"}, {7, "FUTEX_UNLOCK_PI"}, {8, "FUTEX_TRYLOCK_PI"},
    {9, "FUTEX_WAIT_BITSET"}, {10, "FUTEX_WAKE_BITSET"}, {11, "FUTEX_WAIT_REQUEUE_PI"},
    {12, "FUTEX_CMP_REQUEUE_PI"}, {13, "FUTEX_LOCK_PI2"}, {0, NULL}};

static void futex_row(long operation)
{
    static unsigned int words[2];
    static const struct timespec soon = {0, 1000000};
    static const int modifiers[] = {0, 128, 256, 384};

    for (int i = 0; i < 4; i++) {
        words[0] = words[1] = 5;
        add_result("", syscall(SYS_futex, words, operation | modifiers[i], 5, &soon, words + 1, 5));
        words[0] = words[1] = 5;
        add_result("", syscall(SYS_futex, words, operation | modifiers[i], 6, &soon, words + 1, 0));
    }
    end_row("futex operations", "%s", name_of(futex_operations, operation));
}

/* --- Signals --- */

static void ignore_it(int signal)
{
    (void)signal;
}

static void sigaction_row(long flag)
{
    static const struct named names[] = {
        {1, "SA_NOCLDSTOP"}, {2, "SA_NOCLDWAIT"}, {4, "SA_SIGINFO"}, {0x400, "SA_UNSUPPORTED"},
        {0x800, "SA_EXPOSE_TAGBITS"}, {0x04000000, "SA_RESTORER"}, {0x08000000, "SA_ONSTACK"},
        {0x10000000, "SA_RESTART"}, {0x40000000, "SA_NODEFER"}, {0x80000000, "SA_RESETHAND"}, {0, NULL}};
    struct {
        void (*handler)(int);
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } action = {ignore_it, (unsigned long)flag, NULL, 0x100}, told;

    memset(&told, 0, sizeof(told));
    add_result("", syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8));
    add_result("", syscall(SYS_rt_sigaction, SIGUSR1, NULL, &told, 8));
    add(" flags %lx mask %lx", told.flags, told.mask);
    end_row("sigaction flags", "%s", name_of(names, flag));
}

/* --- Files --- */

static void open_row(long flag)
{
    static const struct named names[] = {
        {1, "O_WRONLY"}, {2, "O_RDWR"}, {0100, "O_CREAT"}, {0200, "O_EXCL"}, {0400, "O_NOCTTY"}, {01000, "O_TRUNC"},
        {02000, "O_APPEND"}, {04000, "O_NONBLOCK"}, {010000, "O_DSYNC"}, {020000, "O_ASYNC"}, {040000, "O_DIRECT"},
        {0100000, "O_LARGEFILE"}, {0200000, "O_DIRECTORY"}, {0400000, "O_NOFOLLOW"}, {01000000, "O_NOATIME"},
        {02000000, "O_CLOEXEC"}, {04000000, "O_SYNC"}, {010000000, "O_PATH"}, {020000000, "O_TMPFILE"}, {0, NULL}};
    int file = open("/tmp/table", O_RDWR | O_CREAT, 0600);

    close(file);
    file = open("/tmp/table", (int)flag, 0600);
    add(" file %s", file < 0 ? outcome(file) : "opened");
    if (file >= 0)
        add(" flags %x %d", fcntl(file, F_GETFL), fcntl(file, F_GETFD));
    close(file);
    file = open("/tmp", (int)flag, 0600);
    add(" directory %s", file < 0 ? outcome(file) : "opened");
    close(file);
    file = open("/tmp/table-none", (int)flag, 0600);
    add(" none %s", file < 0 ? outcome(file) : "opened");
    close(file);
    unlink("/tmp/table-none");
    unlink("/tmp/table");
    end_row("open flags", "%s", name_of(names, flag));
}

static void fcntl_row(long command)
{
    static const struct named names[] = {
        {0, "F_DUPFD"}, {1, "F_GETFD"}, {2, "F_SETFD"}, {3, "F_GETFL"}, {4, "F_SETFL"}, {5, "F_GETLK"}, {6, "F_SETLK"},
        {7, "F_SETLKW"}, {8, "F_SETOWN"}, {9, "F_GETOWN"}, {10, "F_SETSIG"}, {11, "F_GETSIG"}, {15, "F_SETOWN_EX"},
        {16, "F_GETOWN_EX"}, {36, "F_OFD_GETLK"}, {37, "F_OFD_SETLK"}, {38, "F_OFD_SETLKW"}, {1024, "F_SETLEASE"},
        {1025, "F_GETLEASE"}, {1026, "F_NOTIFY"}, {1030, "F_DUPFD_CLOEXEC"}, {1031, "F_SETPIPE_SZ"},
        {1032, "F_GETPIPE_SZ"}, {1033, "F_ADD_SEALS"}, {1034, "F_GET_SEALS"}, {0, NULL}};
    static char lock[64];
    int ends[2], file = open("/tmp/table", O_RDWR | O_CREAT, 0600);

    if (pipe(ends) != 0)
        bail_out("no pipe");
    memset(lock, 0, sizeof(lock));
    add_result("file ", syscall(SYS_fcntl, file, command, 0));
    if ((command >= 5 && command <= 7) || (command >= 36 && command <= 38))
        add_result("lock ", syscall(SYS_fcntl, file, command, lock));
    add_result("pipe ", syscall(SYS_fcntl, ends[0], command, 4096));
    unlink("/tmp/table");
    end_row("fcntl commands", "%s", name_of(names, command));
}

/* Two open files of one file: is the second one kept out? */
static void locks(void)
{
    static struct {
        short type, whence;
        long start, length;
        int pid;
    } lock;
    int first = open("/tmp/table", O_RDWR | O_CREAT, 0600), second = open("/tmp/table", O_RDWR);
    pid_t child;
    int status = -1;

    add(" %s", outcome(syscall(73, first, 2 /* LOCK_EX */)));
    add(" second %s", outcome(syscall(73, second, 2 | 4 /* LOCK_NB */)));
    end_row("locks", "flock of a file that is locked already");
    lock.type = 1; /* F_WRLCK */
    add(" %s", outcome(syscall(SYS_fcntl, first, 6 /* F_SETLK */, &lock)));
    child = fork();
    if (child == 0)
        _exit(syscall(SYS_fcntl, second, 6, &lock) == 0 ? 0 : errno);
    waitpid(child, &status, 0);
    add(" other process %s", error_name(status >> 8));
    end_row("locks", "F_SETLK of a range that is locked already");
    add(" %s", outcome(syscall(86, "/tmp/table", "/tmp/table-2")));
    end_row("links", "link: a second name for a file");
    add(" %s", outcome(syscall(88, "/tmp/table", "/tmp/table-3")));
    end_row("links", "symlink: a name that leads to another");
    unlink("/tmp/table-3");
    unlink("/tmp/table-2");
    unlink("/tmp/table");
}

static void lseek_row(long whence)
{
    static const struct named names[] = {{0, "SEEK_SET"}, {1, "SEEK_CUR"}, {2, "SEEK_END"}, {3, "SEEK_DATA"},
                                         {4, "SEEK_HOLE"}, {0, NULL}};
    int file = (int)syscall(SYS_memfd_create, "table", 0);

    if (pwrite(file, "x", 1, 3 * PAGE) != 1)
        bail_out("the memory file cannot be written");
    for (long offset = -1; offset <= 5; offset++)
        add(" %s", outcome(syscall(SYS_lseek, file, offset * (long)PAGE, whence)));
    end_row("lseek", "%s", name_of(names, whence));
}

static void fallocate_row(long mode)
{
    static const struct named names[] = {
        {0, "0"}, {1, "FALLOC_FL_KEEP_SIZE"}, {2, "FALLOC_FL_PUNCH_HOLE"}, {3, "PUNCH_HOLE with KEEP_SIZE"},
        {8, "FALLOC_FL_COLLAPSE_RANGE"}, {16, "FALLOC_FL_ZERO_RANGE"}, {32, "FALLOC_FL_INSERT_RANGE"},
        {64, "FALLOC_FL_UNSHARE_RANGE"}, {0, NULL}};
    int file = (int)syscall(SYS_memfd_create, "table", 0);
    struct stat status;

    add(" %s", outcome(syscall(285, file, mode, PAGE, 2 * PAGE)));
    fstat(file, &status);
    add(" size %ld", (long)status.st_size);
    end_row("fallocate modes", "%s", name_of(names, mode));
}

/* --- Processes, time, limits --- */

static void prctl_row(long option)
{
    static const struct named names[] = {
        {1, "PR_SET_PDEATHSIG"}, {2, "PR_GET_PDEATHSIG"}, {3, "PR_GET_DUMPABLE"}, {4, "PR_SET_DUMPABLE"},
        {7, "PR_GET_KEEPCAPS"}, {8, "PR_SET_KEEPCAPS"}, {13, "PR_GET_TIMING"}, {15, "PR_SET_NAME"},
        {16, "PR_GET_NAME"}, {21, "PR_GET_SECCOMP"}, {22, "PR_SET_SECCOMP"}, {23, "PR_CAPBSET_READ"},
        {25, "PR_GET_TSC"}, {26, "PR_SET_TSC"}, {29, "PR_SET_TIMERSLACK"}, {30, "PR_GET_TIMERSLACK"},
        {35, "PR_SET_MM"}, {36, "PR_SET_CHILD_SUBREAPER"}, {37, "PR_GET_CHILD_SUBREAPER"},
        {38, "PR_SET_NO_NEW_PRIVS"}, {39, "PR_GET_NO_NEW_PRIVS"}, {40, "PR_GET_TID_ADDRESS"},
        {41, "PR_SET_THP_DISABLE"}, {42, "PR_GET_THP_DISABLE"}, {0x53564d41, "PR_SET_VMA"}, {0, NULL}};
    static char buffer[64];

    add_result("", syscall(SYS_prctl, option, 0, 0, 0, 0));
    add_result("", syscall(SYS_prctl, option, buffer, 0, 0, 0));
    end_row("prctl options", "%s", name_of(names, option));
}

static void arch_prctl_row(long code)
{
    static const struct named names[] = {
        {0x1001, "ARCH_SET_GS"}, {0x1002, "ARCH_SET_FS"}, {0x1003, "ARCH_GET_FS"}, {0x1004, "ARCH_GET_GS"},
        {0x1011, "ARCH_GET_CPUID"}, {0x1012, "ARCH_SET_CPUID"}, {0x1021, "ARCH_GET_XCOMP_SUPP"},
        {0x1022, "ARCH_GET_XCOMP_PERM"}, {0, NULL}};
    static unsigned long buffer;

    add_result("", syscall(SYS_arch_prctl, code, &buffer));
    add_result("", syscall(SYS_arch_prctl, code, -1UL));
    end_row("arch_prctl codes", "%s", name_of(names, code));
}

static void clock_row(long clock)
{
    static const struct named names[] = {
        {0, "CLOCK_REALTIME"}, {1, "CLOCK_MONOTONIC"}, {2, "CLOCK_PROCESS_CPUTIME_ID"}, {3, "CLOCK_THREAD_CPUTIME_ID"},
        {4, "CLOCK_MONOTONIC_RAW"}, {5, "CLOCK_REALTIME_COARSE"}, {6, "CLOCK_MONOTONIC_COARSE"},
        {7, "CLOCK_BOOTTIME"}, {8, "CLOCK_REALTIME_ALARM"}, {9, "CLOCK_BOOTTIME_ALARM"}, {11, "CLOCK_TAI"},
        {0, NULL}};
    static const struct timespec soon = {0, 1000};
    struct timespec time;

    add_result("get ", syscall(SYS_clock_gettime, clock, &time));
    add_result("resolution ", syscall(229, clock, &time));
    if (clock != 2) /* this one may last for ever: asleep, a process uses no time */
        add_result("sleep ", syscall(230, clock, 0, &soon, NULL));
    end_row("clocks", "%s", name_of(names, clock));
}

static void timer_row(long which)
{
    static const struct named names[] = {{0, "ITIMER_REAL"}, {1, "ITIMER_VIRTUAL"}, {2, "ITIMER_PROF"}, {0, NULL}};
    static long value[4];

    add_result("get ", syscall(36, which, value));
    add_result("set ", syscall(38, which, value, NULL));
    end_row("interval timers", "%s", name_of(names, which));
}

static void limit_row(long resource)
{
    static const struct named names[] = {
        {0, "RLIMIT_CPU"}, {1, "RLIMIT_FSIZE"}, {2, "RLIMIT_DATA"}, {3, "RLIMIT_STACK"}, {4, "RLIMIT_CORE"},
        {5, "RLIMIT_RSS"}, {6, "RLIMIT_NPROC"}, {7, "RLIMIT_NOFILE"}, {8, "RLIMIT_MEMLOCK"}, {9, "RLIMIT_AS"},
        {10, "RLIMIT_LOCKS"}, {11, "RLIMIT_SIGPENDING"}, {12, "RLIMIT_MSGQUEUE"}, {13, "RLIMIT_NICE"},
        {14, "RLIMIT_RTPRIO"}, {15, "RLIMIT_RTTIME"}, {0, NULL}};
    unsigned long limit[2] = {0, 0};

    add_result("get ", syscall(SYS_prlimit64, 0, resource, NULL, limit));
    /* The number of processes and of pending signals depends on the memory of the machine. */
    if (resource != 6 && resource != 11)
        add(" %lx %lx", limit[0], limit[1]);
    add_result("set ", syscall(SYS_prlimit64, 0, resource, limit, NULL));
    limit[0] = 1;
    limit[1] = 0;
    add_result("soft above hard ", syscall(SYS_prlimit64, 0, resource, limit, NULL));
    end_row("resource limits", "%s", name_of(names, resource));
}

static void wait_row(long option)
{
    static const struct named names[] = {
        {1, "WNOHANG"}, {2, "WUNTRACED, WSTOPPED"}, {4, "WEXITED"}, {8, "WCONTINUED"}, {0x1000000, "WNOWAIT"},
        {0x20000000, "__WNOTHREAD"}, {0x40000000, "__WALL"}, {0x80000000, "__WCLONE"}, {0, NULL}};
    static char info[128];
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(3);
    add_result("wait4 ", syscall(SYS_wait4, child, &status, option | 1, NULL));
    add_result("waitid ", syscall(247, 1, child, info, option | 4, NULL));
    waitpid(child, &status, 0);
    end_row("wait options", "%s", name_of(names, option));
}

static void getrandom_row(long flags)
{
    static char buffer[8];

    add_result("", syscall(318, buffer, 8, flags));
    end_row("getrandom flags", "%ld", flags);
}

/* --- /proc --- */

static void proc_rows(void)
{
    static const char *const names[] = {
        "arch_status", "attr", "autogroup", "auxv", "cgroup", "clear_refs", "cmdline", "comm", "coredump_filter",
        "cpuset", "cwd", "environ", "exe", "fd", "fdinfo", "io", "limits", "loginuid", "map_files", "maps", "mem",
        "mountinfo", "mounts", "mountstats", "net", "ns", "numa_maps", "oom_adj", "oom_score", "oom_score_adj",
        "pagemap", "personality", "root", "sched", "schedstat", "sessionid", "setgroups", "smaps", "smaps_rollup",
        "stack", "stat", "statm", "status", "syscall", "task", "timerslack_ns", "wchan"};
    char path[64];
    struct stat status;

    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "/proc/self/%s", names[i]);
        if (lstat(path, &status) != 0)
            add(" %s", outcome(-1));
        else
            add(" mode %o", status.st_mode);
        end_row("/proc/self", "%s", names[i]);
    }
}

static void each(void (*row)(long), long first, long last)
{
    for (long value = first; value <= last; value++)
        in_child(row, value);
}

static void each_bit(void (*row)(long), int first)
{
    for (int bit = first; bit <= HIGHEST_BIT; bit++)
        in_child(row, (long)(1UL << bit));
}

int main(void)
{
    in_child(clone_row, 0);
    each_bit(clone_row, 8);
    each(futex_row, 0, 14);
    each_bit(sigaction_row, 0);
    each_bit(open_row, 0);
    each(fcntl_row, 0, 17);
    each(fcntl_row, 36, 38);
    each(fcntl_row, 1024, 1034);
    locks();
    each(lseek_row, 0, 5);
    each(fallocate_row, 0, 3);
    each_bit(fallocate_row, 3);
    each(prctl_row, 0, 65);
    in_child(prctl_row, 0x53564d41);
    each(arch_prctl_row, 0x1000, 0x1005);
    each(arch_prctl_row, 0x1011, 0x1012);
    each(arch_prctl_row, 0x1021, 0x1022);
    each(clock_row, 0, 12);
    each(timer_row, 0, 3);
    each(limit_row, 0, 16);
    each_bit(wait_row, 0);
    each(getrandom_row, 0, 8);
    proc_rows();
    return 0;
}
