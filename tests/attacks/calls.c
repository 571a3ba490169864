/*
 * The system-call fuzzer: random calls with random arguments, by several processes at once.
 *
 *     calls SEED COUNT [PROCESSES]
 *
 * Each of PROCESSES workers starts one short-lived process after the other, which makes calls until it has made a
 * few hundred, dies, or hangs (its worker's timer ends it then). A process that is hurt by its own calls is no
 * finding. Findings are: a register that a call may not change has changed; something that looks like an address of
 * the kernel has come out of it; the audit or the count of free frames is not what it was. Everything is a function of
 * SEED (with the kernel option jitter=SEED and a machine that counts instructions): the last line is a hash of all
 * results, by which one can tell that a run was the same.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "tests/guest/mem.h"
#include "user/common/probe.h"

#define WORKERS_MAX 16
#define CALLS_OF_A_PROCESS 400
#define LIFE_MICROSECONDS 30000
#define FIRST_USER 1000
#define ARGUMENTS 6
#define FOLDER "/tmp/calls"

static const struct {
    unsigned short number;
    unsigned char arguments;
} calls[] = {
#define SYSCALL(number, name, arguments) {number, arguments},
#define ABSENT(number, name)
#include "syscall/list.h"
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

enum { NR_OPEN = 2, NR_SIGACTION = 13, NR_SIGRETURN = 15, NR_PAUSE = 34, NR_CLONE = 56, NR_FORK = 57, NR_VFORK = 58,
       NR_EXECVE = 59, NR_EXIT = 60, NR_KILL = 62, NR_TRUNCATE = 76, NR_RENAME = 82, NR_LCHOWN = 94, NR_SETPGID = 109,
       NR_SETSID = 112, NR_QUEUEINFO = 129, NR_MKNOD = 133, NR_PRCTL = 157, NR_ARCH_PRCTL = 158, NR_REBOOT = 169,
       NR_TKILL = 200, NR_SET_TID_ADDRESS = 218, NR_EXIT_GROUP = 231, NR_TGKILL = 234, NR_OPENAT = 257, NR_MKDIRAT = 258,
       NR_FCHOWNAT = 260, NR_UNLINKAT = 263, NR_SYMLINKAT = 266, NR_FCHMODAT = 268, NR_SET_ROBUST_LIST = 273,
       NR_TGQUEUEINFO = 297, NR_PRLIMIT = 302, NR_RENAMEAT2 = 316, NR_EXECVEAT = 322, NR_CLONE3 = 435 };

/* What a process with root's rights may not call: it could hurt those who watch it. */
static const unsigned short not_for_root[] = {NR_FORK, NR_VFORK, NR_KILL, NR_SETPGID, NR_SETSID, NR_CLONE, NR_EXECVE,
                                              NR_QUEUEINFO, NR_REBOOT, NR_TKILL, NR_TGKILL, NR_TGQUEUEINFO, NR_PRLIMIT,
                                              NR_EXECVEAT, NR_CLONE3, NR_TRUNCATE, NR_MKNOD, NR_RENAMEAT2};
#define CHANGES 01103u /* O_CREAT, O_TRUNC, O_RDWR, O_WRONLY: nor may it make or change files anywhere */

/* Changes of what lies in folders: rename to lchown, and their successors with a descriptor. */
static bool changes_folders(unsigned int number)
{
    return (number >= NR_RENAME && number <= NR_LCHOWN && number != 89) ||
           (number >= NR_MKDIRAT && number <= NR_FCHOWNAT) || (number >= NR_UNLINKAT && number <= NR_SYMLINKAT) ||
           number == NR_FCHMODAT;
}

/* What ends or stops a process too often to be called as often as the rest. */
static const unsigned short rare[] = {NR_PAUSE, NR_EXIT, NR_EXIT_GROUP, NR_SIGRETURN, NR_FORK, NR_VFORK, NR_CLONE,
                                      NR_CLONE3, NR_EXECVE, NR_EXECVEAT};
/* What keeps an address that it is given, so that another call can put it into memory. */
static const unsigned short keepers[] = {NR_PRCTL, NR_ARCH_PRCTL, NR_SET_TID_ADDRESS, NR_SET_ROBUST_LIST, NR_SIGACTION};
#define RARELY 32
#define FIRST_UNKNOWN 0x1000
#define ARENA 100000       /* more than any call's number: a place in the arena */
#define WARM_UP 20000
#define FRAMES_KEPT 32     /* by small objects that happen to share a page with one in use */

/*
 * What a worker has in common with its present process, which may destroy it by what it does: then the marks are gone,
 * and the notes of this one process are worth nothing.
 */
#define MARK 0x6c6c61635f656e6ful
struct score {
    unsigned long first_mark, made, hash, changed, leaked;
    unsigned long leak_call, leak_value, change_call, change_register;
    unsigned short of_call[512];
    unsigned long last_mark;
};
static struct score *score;

/* What the workers tell at the end. Their processes never see it. */
struct total {
    unsigned long made, hash, changed, leaked, destroyed;
    unsigned long leak_call, leak_value, change_call, change_register;
    unsigned long of_call[512];
};
static struct total *totals;
#define TOTAL_PAGES ((WORKERS_MAX * sizeof(struct total) + PAGE - 1) / PAGE)

/* ---- random numbers ---- */

static unsigned long state;

static unsigned long random_bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dul;
}

static unsigned long below(unsigned long limit)
{
    return (random_bits() >> 11) % limit;
}

#define ONE_OF(list) (list)[below(sizeof(list) / sizeof((list)[0]))]

static bool is_in(const unsigned short *list, size_t count, unsigned int number)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == number)
            return true;
    return false;
}
#define IS_IN(list, number) is_in(list, sizeof(list) / sizeof((list)[0]), number)

/* ---- arguments ---- */

/*
 * The arena, by pages: 0 to 7 data, 8 a hole, 9 read-only, 10 no access, 11 a hole, 12 to 13 shared, 14 a file, 15 a
 * hole, 16 to 19 never touched, 20 a hole, 21 executable.
 */
enum { ARENA_PAGES = 24, DATA_PAGES = 8, PAGE_READ_ONLY = 9, PAGE_NO_ACCESS = 10, PAGE_SHARED = 12, PAGE_FILE = 14,
       PAGE_FRESH = 16, PAGE_EXEC = 21 };
static char *arena;

static const char *const paths[] = {
    "/", ".", "..", "", "/tmp", FOLDER "/a", FOLDER "/b", FOLDER "/c/d", FOLDER "/c", "a", "b/../a", "/dev/null",
    "/dev/zero", "/dev/full", "/dev/urandom", "/proc/self/maps", "/proc/self/mem", "/proc/self/pagemap", "/proc/1/status",
    "/proc/self/fd/3", "/proc/self/exe", "/proc/audit", "/proc/zeropage", "/proc/sys/vm/drop_caches", "/proc/self/smaps", "/proc", "/proc/self/fd",
    "/bin/echo", "/nothing/here", "/bin/echo/x", FOLDER "/link",
};

static const unsigned long outside[] = {0, 1, 8, PAGE, USER_END, USER_END - 1, USER_END - PAGE, NON_CANONICAL,
                                        0x800000000000, ~0ul, -PAGE, -PAGE - 1};
/* Passed to calls, never put into memory: what then looks like them there has come from the kernel. */
/* (By way of a signal's frame they get there nevertheless: so they differ from real ones in a byte of the upper half.) */
static const unsigned long of_the_kernel[] = {KERNEL_ADDRESS, 0xffff800000000000, 0xffff889000000000, 0xffffcaff00000000,
                                              0xffffffffff600000};
static bool filling;

static unsigned long pointer(void)
{
    unsigned long page = (unsigned long)arena + below(ARENA_PAGES) * PAGE;

    switch (below(12)) {
    case 0:
        return filling || below(2) ? ONE_OF(outside) : ONE_OF(of_the_kernel);
    case 1:
        return page;
    case 2:
        return page + PAGE - 1 - below(64);     /* at its end */
    case 3:
        return (unsigned long)ONE_OF(paths);
    case 4:
        return (unsigned long)arena + 8 * PAGE - 1 - below(256);     /* runs into the hole in mid-buffer */
    case 5:
        return page + below(PAGE);
    case 6:
        return (unsigned long)&page - below(16384);
    default:
        return (unsigned long)arena + below(DATA_PAGES * PAGE / 8) * 8;
    }
}

static unsigned long length(void)
{
    static const unsigned long lengths[] = {0, 1, 7, 8, 16, 24, 64, 128, 4095, 4096, 4097, 8192, 65536, 0x7fffffff, 0x80000000,
                                            0xffffffff, 1ul << 32, 1ul << 47, 1ul << 62, ~0ul >> 1, 1ul << 63, ~0ul, -PAGE};

    return below(3) ? below(10000) : ONE_OF(lengths);
}

static unsigned long flags(void)
{
    switch (below(4)) {
    case 0:
        return 1ul << below(64);
    case 1:
        return 1ul << below(32) | 1ul << below(32);
    case 2:
        return random_bits() >> below(64);
    default:
        return below(64);
    }
}

static unsigned long descriptor(void)
{
    static const unsigned long descriptors[] = {-100ul, ~0ul, 255, 1023, 1024, 0x7fffffff, 0x80000000, 99};

    return below(8) ? below(16) : ONE_OF(descriptors);
}

static unsigned long argument(unsigned int position)
{
    switch (below(position == 0 ? 6 : 8)) {
    case 0:
        return flags();
    case 1:
        return below(100) ? below(80) : random_bits();
    case 2:
    case 3:
        return position == 0 ? descriptor() : pointer();
    case 4:
        return pointer();
    case 5:
        return position == 0 ? pointer() : length();
    default:
        return position % 2 ? pointer() : length();
    }
}

/* Numbers, addresses and lengths as structures of the kernel's interface may hold them. */
static void fill_some_data(void)
{
    unsigned long *words = (unsigned long *)(arena + below(DATA_PAGES) * PAGE + below(PAGE / 64) * 64);

    filling = true;
    for (int i = 0; i < 8; i++)
        words[i] = below(2) ? argument(1) : below(4096);
    filling = false;
}

/* ---- one call ---- */

struct registers {
    unsigned long rdi, rsi, rdx, r10, r8, r9, rbx, rbp, r12, r13, r14, r15;
};

/* Makes the call with all registers known; AFTER gets them as the call left them. */
long call_with(long number, const struct registers *before, struct registers *after);
__asm__(".text\n"
        "call_with:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rdx\n"
        "    mov %rdi, %rax\n"
        "    mov %rsi, %r11\n"
        "    mov 0(%r11), %rdi; mov 8(%r11), %rsi; mov 16(%r11), %rdx; mov 24(%r11), %r10\n"
        "    mov 32(%r11), %r8; mov 40(%r11), %r9; mov 48(%r11), %rbx; mov 56(%r11), %rbp\n"
        "    mov 64(%r11), %r12; mov 72(%r11), %r13; mov 80(%r11), %r14; mov 88(%r11), %r15\n"
        "    syscall\n"
        "    mov (%rsp), %r11\n"
        "    mov %rdi, 0(%r11); mov %rsi, 8(%r11); mov %rdx, 16(%r11); mov %r10, 24(%r11)\n"
        "    mov %r8, 32(%r11); mov %r9, 40(%r11); mov %rbx, 48(%r11); mov %rbp, 56(%r11)\n"
        "    mov %r12, 64(%r11); mov %r13, 72(%r11); mov %r14, 80(%r11); mov %r15, 88(%r11)\n"
        "    pop %rdx; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n");

/* Whether VALUE looks like an address of the kernel that nobody gave it: of its image, direct map or stacks. */
static bool is_kernel_address(unsigned long value)
{
    if (value < 0xffff888000000000 || value >= -PAGE - 1)
        return false;
    for (size_t i = 0; i < sizeof(of_the_kernel) / sizeof(of_the_kernel[0]); i++)
        if (value == of_the_kernel[i])
            return false;
    return (value >= 0xffffffff80100000 && value < 0xffffffff90000000) ||
           (value >= 0xffff888000000000 && value < 0xffff889000000000) ||
           (value >= 0xffffc90000000000 && value < 0xffffc91000000000);
}

static void note_result(unsigned int number, long result, const struct registers *before, const struct registers *after)
{
    score->made++;
    score->of_call[number & 511]++;
    score->hash = (score->hash ^ number ^ (unsigned long)result) * 0x100000001b3ul;
    for (int i = 0; i < 12; i++) {
        if (((const unsigned long *)before)[i] != ((const unsigned long *)after)[i]) {
            score->changed++;
            score->change_call = number;
            score->change_register = (unsigned long)i;
        }
    }
    if (is_kernel_address((unsigned long)result)) {
        score->leaked++;
        score->leak_call = number;
        score->leak_value = (unsigned long)result;
    }
}

static unsigned int choose_call(bool root, unsigned int *arguments)
{
    for (;;) {
        size_t i = below(CALLS);
        *arguments = calls[i].arguments;
        if (below(64) == 0)
            return (unsigned int)(below(2) ? below(1000) : random_bits()) | (root ? FIRST_UNKNOWN : 0);
        if (root && (IS_IN(not_for_root, calls[i].number) || changes_folders(calls[i].number)))
            continue;
        if (IS_IN(rare, calls[i].number) && below(RARELY))
            continue;
        return calls[i].number;
    }
}

static void one_call(bool root)
{
    static struct registers before, after;   /* where no argument points */
    unsigned int arguments, number = choose_call(root, &arguments);
    long self = syscall(SYS_gettid);
    long result;

    filling = IS_IN(keepers, number);
    for (unsigned int i = 0; i < 12; i++)
        ((unsigned long *)&before)[i] = i < arguments ? argument(i) : 0x5a5a5a5a00000000ul + i;
    filling = false;
    if (root && number == NR_OPEN)
        before.rsi &= ~(unsigned long)CHANGES;
    if (root && number == NR_OPENAT)
        before.rdx &= ~(unsigned long)CHANGES;
    if (below(4) == 0)
        fill_some_data();
    result = call_with((long)(number | (random_bits() & 0xffffffff00000000ul)), &before, &after);
    if (syscall(SYS_gettid) != self)
        _exit(0);       /* a child, or a thread: it is no part of this, and its memory may be ours */
    note_result(number, result, &before, &after);
}

/* Whatever the calls have written: nothing in it may be an address of the kernel's. */
static void look_for_leaks(void)
{
    const unsigned long *words = (const unsigned long *)arena;

    for (size_t i = 0; i < DATA_PAGES * PAGE / 8; i++) {
        if (is_kernel_address(words[i])) {
            score->leaked++;
            score->leak_call = ARENA + i;
            score->leak_value = words[i];
        }
    }
}

/* ---- one process ---- */

static void prepare(void)
{
    int ends[2], file, null = open("/dev/null", O_RDWR);

    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    if (pipe(ends) == 0)
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
    file = open(FOLDER "/a", O_RDWR | O_CREAT, 0666);
    open("/dev/zero", O_RDWR);
    open("/proc/self/maps", O_RDONLY);
    open(FOLDER, O_RDONLY);
    syscall(SYS_memfd_create, "calls", 0);
    /* Behind it there is a hole too: what is up there is not for the calls. */
    arena = raw_mmap(0, (ARENA_PAGES + 1) * PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
    for (int i = 0; i < 200; i++)
        fill_some_data();
    raw_munmap(arena + ARENA_PAGES * PAGE, PAGE);
    raw_munmap(arena + 8 * PAGE, PAGE);
    raw_mprotect(arena + PAGE_READ_ONLY * PAGE, PAGE, PROT_READ);
    raw_mprotect(arena + PAGE_NO_ACCESS * PAGE, PAGE, PROT_NONE);
    raw_munmap(arena + 11 * PAGE, PAGE);
    raw_mmap((unsigned long)arena + PAGE_SHARED * PAGE, 2 * PAGE, READ_WRITE, SHARED_ANON | MAP_FIXED, -1, 0);
    raw_mmap((unsigned long)arena + PAGE_FILE * PAGE, PAGE, READ_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
    raw_munmap(arena + 15 * PAGE, PAGE);
    raw_munmap(arena + 20 * PAGE, PAGE);
    raw_mprotect(arena + PAGE_EXEC * PAGE, PAGE, PROT_READ | PROT_EXEC);
}

static void live(unsigned int worker, unsigned long seed)
{
    struct rlimit files = {64, 64};
    bool root;

    state = seed | 1;
    for (int i = 0; i < 8; i++)
        random_bits();
    setpgid(0, 0);
    root = below(4) == 0;
    prepare();
    setrlimit(RLIMIT_NOFILE, &files);
    if (!root && (setgid(FIRST_USER + worker) != 0 || setuid(FIRST_USER + worker) != 0))
        _exit(1);
    for (int i = 0; i < CALLS_OF_A_PROCESS; i++)
        one_call(root);
    look_for_leaks();
    _exit(0);
}

/* ---- a worker ---- */

static volatile pid_t living;

static void end_its_life(int signal)
{
    (void)signal;
    if (living > 0)
        kill(living, SIGKILL);
}

/* Kills whatever is left of a process: its children may have left its group, but not its user. */
static void sweep(unsigned int worker, pid_t group)
{
    pid_t sweeper = fork();

    kill(-group, SIGKILL);
    if (sweeper == 0) {
        if (setuid(FIRST_USER + worker) == 0)
            kill(-1, SIGKILL);
        _exit(0);
    }
    while (waitpid(sweeper, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* Adds what a process has noted to what its worker knows. */
static void add_up(struct total *total)
{
    if (score->first_mark != MARK || score->last_mark != MARK || score->made > CALLS_OF_A_PROCESS) {
        total->destroyed++;
        return;
    }
    total->made += score->made;
    total->hash = total->hash * 31 + score->hash;
    total->changed += score->changed;
    total->leaked += score->leaked;
    if (score->changed) {
        total->change_call = score->change_call;
        total->change_register = score->change_register;
    }
    if (score->leaked) {
        total->leak_call = score->leak_call;
        total->leak_value = score->leak_value;
    }
    for (int i = 0; i < 512; i++)
        total->of_call[i] += score->of_call[i];
}

static void work(unsigned int worker, unsigned long seed, unsigned long count)
{
    struct itimerval life = {{0, LIFE_MICROSECONDS}, {0, LIFE_MICROSECONDS}};
    unsigned long round = 0;

    signal(SIGALRM, end_its_life);
    syscall(SYS_madvise, totals, TOTAL_PAGES * PAGE, MADV_DONTFORK);
    score = raw_mmap(0, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    while (totals[worker].made < count) {
        memset(score, 0, sizeof(*score));
        score->first_mark = score->last_mark = MARK;
        pid_t child = fork();
        if (child == 0)
            live(worker, seed + round * 0x9e3779b97f4a7c15ul);
        if (child < 0) {
            usleep(LIFE_MICROSECONDS);
            continue;
        }
        living = child;
        setitimer(ITIMER_REAL, &life, NULL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            continue;
        living = 0;
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
        sweep(worker, child);
        add_up(&totals[worker]);
        round++;
    }
    _exit(0);
}

/* ---- all of it ---- */

static long free_frames(void)
{
    struct frame_counts frames;
    int caches = open("/proc/sys/vm/drop_caches", O_WRONLY);

    if (caches >= 0) {
        write(caches, "3\n", 2);
        close(caches);
    }
    return probe_frames(&frames) ? frames.free : 0;
}

/* Removes what is in a folder, and then (where that may be) the folder. */
static void remove_all(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char name[1024];

    while (folder && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (unlink(name) != 0)
            remove_all(name);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static void start_over(void)
{
    mkdir(FOLDER, 0777);
    chmod(FOLDER, 0777);
    mkdir(FOLDER "/c", 0777);
    chmod(FOLDER "/c", 0777);
    symlink("a", FOLDER "/link");
    chdir(FOLDER);
}

static pid_t start_worker(unsigned int worker, unsigned long seed, unsigned long count)
{
    pid_t child = fork();

    if (child == 0)
        work(worker, seed * 1000003 + worker * 7919 + 1 + totals[worker].made, count);
    return child;
}

/* A worker that was killed (memory was full) is replaced. */
static void run_all(unsigned int workers, unsigned long seed, unsigned long count)
{
    pid_t of[WORKERS_MAX], child;

    start_over();
    for (unsigned int i = 0; i < workers; i++)
        of[i] = start_worker(i, seed, count / workers);
    while ((child = wait(NULL)) > 0 || errno == EINTR)
        for (unsigned int i = 0; i < workers; i++)
            if (child > 0 && child == of[i] && totals[i].made < count / workers)
                of[i] = start_worker(i, seed, count / workers);
    chdir("/");
    remove_all("/tmp");
}

static bool audit_is_clean(void)
{
    static char findings[4096];

    if (probe_file("/proc/audit", findings, sizeof(findings)) <= 0 || strcmp(findings, "ok\n") == 0)
        return true;
    note("%s", findings);
    return false;
}

static bool frames_came_back(const struct frame_counts *before)
{
    struct frame_counts after;

    for (int i = 0; i < 100 && before->free - free_frames() > FRAMES_KEPT; i++)
        usleep(10000);
    if (before->free - free_frames() <= FRAMES_KEPT)
        return true;
    probe_frames(&after);
    note("frames fewer: %ld; more of page tables %ld, anonymous %ld, files %ld, objects %ld, kernel %ld",
         before->free - after.free, after.page_table - before->page_table, after.anonymous - before->anonymous,
         after.cache - before->cache, after.slab - before->slab, after.kernel - before->kernel);
    if (fork() == 0)    /* perhaps somebody is still there */
        execv("/bin/ps", (char *[]){"ps", NULL});
    wait(NULL);
    return false;
}

/* The workers' totals in one; says what was found. */
static void sum_up(unsigned int workers, struct total *sum)
{
    memset(sum, 0, sizeof(*sum));
    for (unsigned int i = 0; i < workers; i++) {
        const struct total *total = &totals[i];

        sum->made += total->made;
        sum->hash = sum->hash * 31 + total->hash;
        sum->changed += total->changed;
        sum->leaked += total->leaked;
        sum->destroyed += total->destroyed;
        if (total->changed)
            note("call %lu changed register %lu", total->change_call, total->change_register);
        if (total->leaked)
            note("%s %lu gave away %lx", total->leak_call < ARENA ? "call" : "word", total->leak_call % ARENA,
                 total->leak_value);
        for (unsigned int call = 0; call < 512; call++)
            sum->of_call[call] += total->of_call[call];
    }
}

int main(int count, char **words)
{
    unsigned long seed = count > 2 ? strtoul(words[1], NULL, 0) : 0, wanted = count > 2 ? strtoul(words[2], NULL, 0) : 0;
    unsigned int workers = count > 3 ? (unsigned int)strtoul(words[3], NULL, 0) : 4, never = 0;
    static struct total sum;
    static struct frame_counts before;

    totals = raw_mmap(0, TOTAL_PAGES * PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    if (seed == 0 || wanted == 0 || workers == 0 || workers > WORKERS_MAX || totals == MAP_FAILED)
        bail_out("usage: calls SEED COUNT [PROCESSES], at most %d processes", WORKERS_MAX);
    write_pages((char *)totals, TOTAL_PAGES);
    memset(totals, 0, TOTAL_PAGES * PAGE);
    run_all(workers, seed + 1, WARM_UP);    /* what is kept for later is there before frames are counted */
    memset(totals, 0, TOTAL_PAGES * PAGE);
    memset(&sum, 0, sizeof(sum));
    free_frames();
    probe_frames(&before);
    run_all(workers, seed, wanted);
    sum_up(workers, &sum);
    for (size_t i = 0; i < CALLS; i++)
        never += sum.of_call[calls[i].number] == 0 && !IS_IN(rare, calls[i].number);
    check(sum.made >= wanted, "as many random calls were made as were asked for");
    check_eq(never, 0, "every system call was among them");
    check_eq(sum.changed, 0, "none changed a register that it has to preserve");
    check_eq(sum.leaked, 0, "none gave away an address of the kernel");
    check(audit_is_clean(), "the audit finds nothing");
    check(frames_came_back(&before), "the frames are back");
    note("seed %lu: %lu calls, hash %016lx, %lu processes destroyed their notes", seed, sum.made, sum.hash, sum.destroyed);
    return done();
}
