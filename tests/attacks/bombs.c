/*
 * Bombs: programs that take as much as they can get of one thing. After each the frames are back, the audit finds
 * nothing, and the machine still starts programs. Runs on Linux too, where nobody counts frames.
 *
 *     bombs [NAME...]      all of them, or those named
 *     bombs --soak MINUTES one bomb a minute, for so long
 *     bombs --forest       the fork bomb alone, with nobody who puts it out
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/guest/mem.h"
#include "user/common/probe.h"

#define GIB (1ul << 30)
#define MIB (1ul << 20)
#define SECONDS_OF_A_FOREST 2   /* how long a fork bomb may grow */
#define ZOMBIES 1000
#define SECONDS_OF_A_MINUTE 60
#define FILES 20000
#define CALL_RT_SIGQUEUEINFO 129
#define THREAD_FLAGS 0x50f00    /* CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM */
#define STACK_OF_A_THREAD 4096
#define WAIT_ROUNDS 300
#define FEW_ROUNDS 20
#define FRAMES_KEPT 8
#define ROUNDS 3
#define WAIT_MICROSECONDS 10000

/* ---- lazy promises ---- */

/* The one that made xv6-riscv panic (2025): 1 GiB of lazy heap, often, and one store. */
static int lazy_heap(void)
{
    unsigned long start = raw_brk(0), end = start;

    for (int i = 0; i < 1000; i++) {
        unsigned long wanted = end + GIB;
        if (raw_brk(wanted) != wanted)
            wanted = end + MIB; /* more than there is of memory is refused in one piece */
        if (raw_brk(wanted) == wanted)
            end = wanted;
    }
    if (end == start)
        return 1;
    *(volatile char *)(end - 1) = 1;
    *(volatile char *)start = 1;
    return *(volatile char *)(end - 1) + *(volatile char *)start == 2 ? 0 : 2;
}

/* The same with mmap, until the address space is full. */
static int lazy_mappings(void)
{
    char *last = NULL;
    unsigned long count = 0;

    for (;;) {
        char *map = raw_mmap(0, GIB, READ_WRITE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED)
            break;
        last = map;
        count++;
    }
    if (count < 100000)
        return 1;
    *last = 1;
    return errno == ENOMEM && *last == 1 ? 0 : 2;
}

/* ---- memory ---- */

static int memory(void)
{
    for (;;) {
        char *piece = raw_mmap(0, MIB, READ_WRITE, PRIVATE_ANON, -1, 0);
        if (piece == MAP_FAILED)
            return 1;
        write_pages(piece, MIB / PAGE);
    }
}

static int memory_of_many(void)
{
    for (int i = 0; i < 8; i++)
        if (fork() == 0)
            _exit(memory());
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    return 0;
}

static int shared_memory(void)
{
    for (;;) {
        char *piece = raw_mmap(0, MIB, READ_WRITE, SHARED_ANON, -1, 0);
        if (piece == MAP_FAILED)
            return 1;
        write_pages(piece, MIB / PAGE);
    }
}

/* Each write of a child to a page that it shares with its parent takes a frame. */
static int copies(void)
{
    char *memory_of_all = raw_mmap(0, 4 * MIB, READ_WRITE, PRIVATE_ANON, -1, 0);

    if (memory_of_all == MAP_FAILED)
        return 1;
    for (int i = 0; i < 200; i++) {
        write_pages(memory_of_all, 4 * MIB / PAGE);
        if (fork() < 0)
            break;
    }
    return 0;
}

static int recursion(volatile char *above)
{
    volatile char here[1000];

    here[0] = above[0];
    return here[0] == 0 ? 0 : recursion(here) + here[999];
}

static int endless_recursion(void)
{
    char start = 1;

    return recursion(&start);
}

/* ---- address space and page tables ---- */

static int vmas_without_end(void)
{
    unsigned long count = 0;
    char *start = raw_mmap(0, 200000 * PAGE, PROT_NONE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED)
        return 1;
    /* Every second page gets another protection: each time two VMAs more. */
    while (count < 100000 && raw_mprotect(start + 2 * count * PAGE, PAGE, PROT_READ) == 0)
        count++;
    if (count == 100000 || errno != ENOMEM)
        return 2;
    return raw_munmap(start, 200000 * PAGE) == 0 ? 0 : 3;
}

/* One page in each GiB takes two page tables. */
static int page_tables(void)
{
    for (unsigned long size = 64ul << 40; size >= GIB; size /= 2) {
        char *start = raw_mmap(0, size, PROT_READ, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
        if (start == MAP_FAILED)
            continue;
        for (unsigned long at = 0; at < size; at += GIB)
            read_byte(start + at);
    }
    return 0;
}

/* ---- processes ---- */

static int forest(void)
{
    while (fork() >= 0 || sched_yield() == 0)
        continue;
    return 1;
}

/* Leaders of sessions come last, but these are not the shell: their parent is not PID 1. */
static int sessions(void)
{
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            setsid();
            _exit(memory());
        }
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    return 0;
}

static int zombies(void)
{
    int count = 0;

    while (count < ZOMBIES) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        if (child < 0)
            break; /* no memory for more: a small machine */
        count++;
    }
    if (count < 100)
        return 1;
    for (int i = 0; i < count; i++) /* half of them are waited for, the rest is left to PID 1 */
        if (i % 2 == 0 && wait(NULL) < 0)
            return 2;
    return 0;
}

static int thread_body(void *nothing)
{
    (void)nothing;
    while (pause() < 0)
        continue;
    return 0;
}

static int threads(void)
{
    int count = 0;

    for (; count < 20000; count++) {
        char *stack = raw_mmap(0, STACK_OF_A_THREAD, READ_WRITE, PRIVATE_ANON, -1, 0);
        if (stack == MAP_FAILED || clone(thread_body, stack + STACK_OF_A_THREAD, THREAD_FLAGS, NULL) < 0)
            break;
    }
    return count > 50 ? 0 : 1;
}

/* ---- what the kernel keeps for a program ---- */

static int descriptors(void)
{
    int count = 0;

    while (open("/dev/null", O_RDONLY) >= 0)
        count++;
    return errno == EMFILE && count > 100 ? 0 : 1;
}

static void fill_pipes(void)
{
    static char bytes[65536];
    int ends[2];

    while (pipe2(ends, O_NONBLOCK) == 0)
        while (write(ends[1], bytes, sizeof(bytes)) > 0)
            continue;
}

static int pipes(void)
{
    for (int i = 0; i < 16; i++)
        if (fork() == 0) {
            fill_pipes();
            pause();
        }
    fill_pipes();
    return 0;
}

static int nameless_files(void)
{
    static char bytes[65536];
    int file;

    while ((file = (int)syscall(SYS_memfd_create, "bomb", 0)) >= 0)
        while (lseek(file, 0, SEEK_CUR) < (off_t)(4 * MIB) && write(file, bytes, sizeof(bytes)) > 0)
            continue;
    return 0;
}

static int files(void)
{
    static char bytes[65536];
    char name[32];
    int count = 0;

    mkdir("/tmp/bomb", 0700);
    for (; count < FILES; count++) {
        snprintf(name, sizeof(name), "/tmp/bomb/%d", count);
        int file = open(name, O_CREAT | O_WRONLY, 0600);
        if (file < 0)
            break;
        if (count < 4) /* as large as they get */
            while (write(file, bytes, sizeof(bytes)) > 0)
                continue;
        close(file);
    }
    int why = errno;
    int works = fork();
    if (works == 0)
        _exit(0);
    for (int i = count; i >= 0; i--) {
        snprintf(name, sizeof(name), "/tmp/bomb/%d", i);
        unlink(name);
    }
    if (rmdir("/tmp/bomb") != 0)
        return 1;
    if (works < 0)
        return 2;
    return count == FILES || why == ENOSPC || why == ENOMEM ? 0 : 3;
}

static int arguments(void)
{
    static char *words[4096];
    char *word = raw_mmap(0, MIB, READ_WRITE, PRIVATE_ANON, -1, 0);

    memset(word, 'x', 100 * 1024);
    for (int i = 0; i < 4095; i++)
        words[i] = word;
    return execve("/proc/self/exe", words, words) == -1 && errno == E2BIG ? 0 : 1;
}

static int signals(void)
{
    static siginfo_t info;
    sigset_t set;
    long count = 0;

    sigemptyset(&set);
    sigaddset(&set, 40);
    sigprocmask(SIG_BLOCK, &set, NULL);
    info.si_code = -1; /* SI_QUEUE */
    while (count < 1000000 && syscall(CALL_RT_SIGQUEUEINFO, getpid(), 40, &info) == 0)
        count++;
    return count < 1000000 && errno == EAGAIN ? 0 : 1;
}

/* ---- all of them ---- */

static const struct bomb {
    const char *name, *rule;
    int (*body)(void);
    bool may_be_killed; /* by the kernel, or by us when its time is over */
} bombs[] = {
    {"lazy_heap", "1 GiB of lazy heap, asked for a thousand times, and two stores", lazy_heap, false},
    {"lazy_mappings", "mappings of 1 GiB until the address space is full, and a store", lazy_mappings, true},
    {"memory", "more memory than there is", memory, true},
    {"memory_of_many", "more memory than there is, by eight processes at once", memory_of_many, true},
    {"shared_memory", "more shared memory than there is", shared_memory, true},
    {"copies", "a family that copies on write until memory is full", copies, true},
    {"endless_recursion", "a recursion without end", endless_recursion, true},
    {"vmas", "as many mappings as there may be", vmas_without_end, true},
    {"page_tables", "one page in each GiB", page_tables, true},
    {"forest", "a fork bomb", forest, true},
    {"sessions", "memory taken by processes with sessions of their own", sessions, true},
    {"zombies", "a thousand zombies", zombies, true},
    {"threads", "as many threads as there may be", threads, true},
    {"descriptors", "as many descriptors as there may be", descriptors, false},
    {"pipes", "pipes full of bytes that nobody reads", pipes, true},
    {"nameless_files", "files without a name, full of bytes", nameless_files, true},
    {"files", "as many and as large files as there may be", files, false},
    {"arguments", "arguments of hundreds of megabytes", arguments, false},
    {"signals", "signals that nobody takes", signals, false},
};

/* The frames that are free once the kernel has let go of what it only keeps for later; 0 on Linux. */
static long free_frames(void)
{
    struct frame_counts frames;

    if (!probe_frames(&frames))
        return 0;
    int caches = open("/proc/sys/vm/drop_caches", O_WRONLY);
    if (caches >= 0) {
        write(caches, "3\n", 2);
        close(caches);
    }
    probe_frames(&frames);
    return frames.free;
}

static bool audit_is_clean(void)
{
    static char findings[4096];

    if (probe_file("/proc/audit", findings, sizeof(findings)) <= 0 || strcmp(findings, "ok\n") == 0)
        return true;
    note("%s", findings);
    return false;
}

static void ends(void *nothing)
{
    (void)nothing;
}

/* Lights the bomb in a group of its own, and puts out what is left of it when its time is over. */
static int explode(const struct bomb *bomb)
{
    int status = -1;
    pid_t child = fork();

    if (child < 0)
        return -1;
    if (child == 0) {
        setpgid(0, 0);
        _exit(bomb->body());
    }
    setpgid(child, child);
    if (bomb->body == forest || bomb->body == copies) {
        sleep(SECONDS_OF_A_FOREST);
        kill(-child, SIGKILL);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    for (int i = 0; i < WAIT_ROUNDS && kill(-child, SIGKILL) == 0; i++)
        usleep(WAIT_MICROSECONDS);
    return status;
}

static bool ended_as_it_may(const struct bomb *bomb, int status)
{
    if (status == 0)
        return true;
    if (bomb->may_be_killed && WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGSEGV))
        return true;
    note("%s: wait status %x", bomb->name, status);
    return false;
}

/*
 * Whether the frames are back. The kernel may keep a few pages of small objects that are in use somewhere: when frames
 * are missing the bomb goes off again, and only what is missing each time is lost.
 */
static bool frames_are_back(const struct bomb *bomb, long before)
{
    for (int round = 0; round < ROUNDS; round++) {
        long now = free_frames();
        for (int i = 0; i < WAIT_ROUNDS && now < before; i++) {
            if (i == FEW_ROUNDS && before - now <= FRAMES_KEPT)
                break;
            usleep(WAIT_MICROSECONDS);
            now = free_frames();
        }
        if (now >= before)
            return true;
        if (before - now > FRAMES_KEPT || round == ROUNDS - 1) {
            note("%s: %ld free frames before, %ld after", bomb->name, before, now);
            return false;
        }
        before = now;
        explode(bomb);
    }
    return false;
}

static void run(const struct bomb *bomb)
{
    long before = free_frames();

    check(ended_as_it_may(bomb, explode(bomb)), "%s", bomb->rule);
    check(frames_are_back(bomb, before), "%s: the count of free frames is what it was", bomb->name);
    check(audit_is_clean(), "%s: the audit finds nothing", bomb->name);
    check_eq(status_of_child(ends, NULL), 0, "%s: processes start as before", bomb->name);
}

/* One bomb after the other, one each minute of the guest's time: nothing may pile up. */
static void soak(long minutes)
{
    long before = free_frames(), wrong_ends = 0, findings = 0, lost = 0;
    time_t start = time(NULL);

    for (long minute = 0; minute < minutes; minute++) {
        const struct bomb *bomb = &bombs[(size_t)minute % (sizeof(bombs) / sizeof(bombs[0]))];
        wrong_ends += !ended_as_it_may(bomb, explode(bomb));
        findings += !audit_is_clean();
        while (time(NULL) < start + (minute + 1) * SECONDS_OF_A_MINUTE)
            sleep(1);
    }
    for (int i = 0; i < WAIT_ROUNDS && (lost = before - free_frames()) > FRAMES_KEPT; i++)
        usleep(WAIT_MICROSECONDS);
    check(time(NULL) - start >= minutes * SECONDS_OF_A_MINUTE, "a bomb was lit each minute, for as long as was asked for");
    check_eq(wrong_ends, 0, "each ended as it may");
    check_eq(findings, 0, "the audit never found anything");
    check(lost <= FRAMES_KEPT, "in the end the count of free frames is what it was");
    check_eq(status_of_child(ends, NULL), 0, "and processes start as before");
    note("%ld minutes, %ld frames fewer than at the start", minutes, lost);
}

static bool is_wanted(const char *name, int count, char **names)
{
    for (int i = 1; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return count == 1;
}

int main(int count, char **names)
{
    if (count == 2 && strcmp(names[1], "--forest") == 0)
        return forest();
    free_frames(); /* warm up: the first look may itself take a frame */
    audit_is_clean();
    if (count == 3 && strcmp(names[1], "--soak") == 0) {
        soak(strtol(names[2], NULL, 10));
        return done();
    }
    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++)
        if (is_wanted(bombs[i].name, count, names))
            run(&bombs[i]);
    return done();
}
