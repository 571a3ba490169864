/*
 * The benchmark: what each operation on anonymous memory costs, counted by RDTSC. Under QEMU's `-icount shift=0` that counts guest
 * instructions exactly. The same file runs on Linux. Prints one line per figure: NAME OPERATIONS TOTAL.
 *
 * `bench` measures each operation once (`bench small`: without the 60,000 VMAs), `bench huge` 64 TiB of promises;
 * `bench vmas`, `bench pages` and `bench processes` measure how the cost grows with their number: there the name
 * is followed by @NUMBER.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define PAGES 1024ul
#define ROUNDS 1000ul
#define PLACES 8
#define FORK_ROUNDS 100ul
#define FEW_VMAS 16ul
#define MANY_VMAS 60000ul

typedef unsigned long long count_t;

static inline count_t now(void)
{
    unsigned low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (count_t)high << 32 | low;
}

/* A system call without a library in between: the figure is the kernel's. */
static inline long call(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void __attribute__((noreturn)) fail(const char *what)
{
    printf("bench: %s failed\n", what);
    exit(1);
}

static volatile char *map(unsigned long pages)
{
    long address = call(SYS_mmap, 0, (long)(pages * PAGE), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address < 0 && address > -4096)
        fail("mmap");
    return (volatile char *)address;
}

static void unmap(volatile char *address, unsigned long pages)
{
    if (call(SYS_munmap, (long)address, (long)(pages * PAGE), 0, 0, 0, 0) != 0)
        fail("munmap");
}

static void touch(volatile char *region, unsigned long pages)
{
    for (unsigned long i = 0; i < pages; i++)
        region[i * PAGE] = 1;
}

static void protect_from_writes(volatile char *address, unsigned long pages)
{
    if (call(SYS_mprotect, (long)address, (long)(pages * PAGE), PROT_READ, 0, 0, 0) != 0)
        fail("mprotect");
}

static void report(const char *name, unsigned long operations, count_t total)
{
    printf("%s %lu %llu\n", name, operations, total);
}

static void bench_null_call(void)
{
    count_t start = now();
    for (unsigned long i = 0; i < ROUNDS; i++)
        call(SYS_getppid, 0, 0, 0, 0, 0, 0);
    report("null-call", ROUNDS, now() - start);
}

static void bench_faults(void)
{
    char sink;
    volatile char *region = map(PAGES);
    count_t start = now();
    for (unsigned long i = 0; i < PAGES; i++)
        sink = region[i * PAGE];
    report("read-fault", PAGES, now() - start);
    (void)sink;

    start = now();
    touch(region, PAGES);
    report("write-after-read", PAGES, now() - start);
    unmap(region, PAGES);

    region = map(PAGES);
    start = now();
    touch(region, PAGES);
    report("write-fault", PAGES, now() - start);

    unmap(region, PAGES);
}

/*
 * What freeing a frame costs depends on where it lies, for free neighbours become one block. So the pages are at
 * several places: between two measurements 1, 2, 4 … frames are taken and kept.
 */
static void bench_munmap(void)
{
    volatile char *kept = map(1ul << PLACES), *next = kept + PAGE;
    count_t total = 0;

    protect_from_writes(kept, 1);       /* lest the VMAs below become one with it */
    for (unsigned place = 0; place < PLACES; place++) {
        volatile char *region = map(PAGES);
        touch(region, PAGES);
        count_t start = now();
        unmap(region, PAGES);
        total += now() - start;
        touch(next, 1ul << place);
        next += PAGE << place;
    }
    report("munmap-page", PLACES * PAGES, total);
    unmap(kept, 1ul << PLACES);
}

static void bench_map_unmap(const char *name)
{
    count_t start = now();
    for (unsigned long i = 0; i < ROUNDS; i++)
        unmap(map(1), 1);
    report(name, ROUNDS, now() - start);
}

/* The heap is there before, as in any program that has called malloc. */
static void bench_brk(void)
{
    unsigned long base = (unsigned long)call(SYS_brk, 0, 0, 0, 0, 0, 0);
    count_t start;
    base = (base + 2 * PAGE - 1) & ~(PAGE - 1);
    call(SYS_brk, (long)base, 0, 0, 0, 0, 0);
    start = now();
    for (unsigned long i = 0; i < ROUNDS; i++) {
        call(SYS_brk, (long)(base + PAGE), 0, 0, 0, 0, 0);
        call(SYS_brk, (long)base, 0, 0, 0, 0, 0);
    }
    report("brk-up-down", ROUNDS, now() - start);
}

static count_t fork_exit_wait(void)
{
    int status;
    count_t start = now();
    long child = call(SYS_fork, 0, 0, 0, 0, 0, 0);
    if (child == 0)
        call(SYS_exit_group, 0, 0, 0, 0, 0, 0);
    if (child < 0 || call(SYS_wait4, child, (long)&status, 0, 0, 0, 0) != child)
        fail("fork");
    return now() - start;
}

/* PAGES are written before: each is one more that fork shares and the child gives back. */
static void bench_fork(const char *name, unsigned long pages)
{
    volatile char *region = map(pages + 1);
    count_t total = 0;
    touch(region, pages);
    for (unsigned long round = 0; round < FORK_ROUNDS; round++)
        total += fork_exit_wait();
    report(name, FORK_ROUNDS, total);
    unmap(region, pages + 1);
}

/* COUNT one-page (or EACH-page) VMAs side by side: every second one read-only, so that none merge. */
static volatile char *map_vmas(unsigned long count, unsigned long each)
{
    volatile char *region = map(count * each);
    for (unsigned long i = 1; i < count; i += 2)
        protect_from_writes(region + i * each * PAGE, each);
    return region;
}

/* 1,024 first writes, each to another VMA than the one before it. */
static void bench_fault_among(const char *name, unsigned long vmas)
{
    unsigned long writable = vmas / 2;
    unsigned long used = writable < PAGES ? writable : PAGES;
    unsigned long each = PAGES / used;
    volatile char *region = map_vmas(vmas, each);
    count_t start = now();
    for (unsigned long page = 0; page < each; page++)
        for (unsigned long i = 0; i < used; i++)
            region[(2 * i * each + page) * PAGE] = 1;
    report(name, each * used, now() - start);
    unmap(region, vmas * each);
}

static void bench_calls_among(unsigned long vmas, const char *map_name, const char *split_name)
{
    volatile char *region = map_vmas(vmas, 3);
    count_t total = 0;
    bench_map_unmap(map_name);
    for (unsigned long i = 0; split_name && i < ROUNDS; i++) {
        long middle = (long)(region + (2 * 3 * (i * 7 % (vmas / 2)) + 1) * PAGE);
        count_t start = now();
        if (call(SYS_mprotect, middle, PAGE, PROT_READ, 0, 0, 0) != 0)
            fail("mprotect");
        total += now() - start;
        call(SYS_mprotect, middle, PAGE, PROT_READ | PROT_WRITE, 0, 0, 0);
    }
    if (split_name)
        report(split_name, ROUNDS, total);
    unmap(region, vmas * 3);
}

/* ---- how the cost grows ---- */

static const char *name_at(const char *name, unsigned long number)
{
    static char text[64];
    snprintf(text, sizeof text, "%s@%lu", name, number);
    return text;
}

static void sweep_vmas(void)
{
    static const unsigned long counts[] = {16, 64, 256, 1024, 4096, 16384, 65530};
    char fault[64], pair[64], split[64];
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        /* The program's own VMAs and the splits need room below the limit of 65,530. */
        unsigned long count = counts[i] > MANY_VMAS ? counts[i] - 16 : counts[i];
        strcpy(fault, name_at("write-fault", counts[i]));
        strcpy(pair, name_at("map-unmap", counts[i]));
        strcpy(split, name_at("mprotect-split", counts[i]));
        bench_fault_among(fault, count);
        bench_calls_among(count, pair, split);
    }
}

static void sweep_pages(void)
{
    for (unsigned long pages = 1; pages <= 1000000; pages *= 10) {
        volatile char *region = map(pages);
        count_t start = now();
        touch(region, pages);
        report(name_at("write-fault", pages), pages, now() - start);
        start = now();
        unmap(region, pages);
        report(name_at("munmap-page", pages), pages, now() - start);
    }
}

/* A child that waits until it is killed. */
static long idle_child(void)
{
    long child = call(SYS_fork, 0, 0, 0, 0, 0, 0);
    while (child == 0)
        call(SYS_pause, 0, 0, 0, 0, 0, 0);
    if (child < 0)
        fail("fork");
    return child;
}

static void sweep_processes(void)
{
    static long children[1000];
    unsigned long alive = 0;
    char name[64];
    for (unsigned long count = 1; count <= 1000; count *= 10) {
        while (alive < count)
            children[alive++] = idle_child();
        fork_exit_wait();       /* meanwhile all of them have come to their pause */
        strcpy(name, name_at("fork-exit-wait", count));
        bench_fork(name, 0);
        bench_map_unmap(name_at("map-unmap", count));
    }
    while (alive > 0) {
        call(SYS_kill, children[--alive], SIGKILL, 0, 0, 0, 0);
        call(SYS_wait4, children[alive], 0, 0, 0, 0, 0);
    }
}

/* 64 TiB are promised, and 100 pages of them touched, STEP bytes from each other. */
static void bench_huge(unsigned long step, const char *map_name, const char *touch_name, const char *fork_name,
                       const char *unmap_name)
{
    const unsigned long touched = 100, size = 64ul << 40;
    count_t start = now();
    long address = call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address < 0 && address > -4096)
        fail("mmap of 64 TiB");
    report(map_name, 1, now() - start);

    start = now();
    for (unsigned long i = 0; i < touched; i++)
        ((volatile char *)address)[i * step] = 1;
    report(touch_name, touched, now() - start);
    report(fork_name, 1, fork_exit_wait());

    start = now();
    if (call(SYS_munmap, address, (long)size, 0, 0, 0, 0) != 0)
        fail("munmap of 64 TiB");
    report(unmap_name, 1, now() - start);
}

/* What is paid for is the touched pages and their tables, never the promise: far apart, three tables for each page. */
static void measure_huge(void)
{
    bench_huge(PAGE, "huge-map", "near-touch", "near-fork", "near-unmap");
    bench_huge(640ul << 30, "huge-map-again", "far-touch", "far-fork", "far-unmap");
}

/* What fits into the smallest machine. */
static void measure_small(void)
{
    bench_null_call();
    bench_faults();
    bench_munmap();
    bench_map_unmap("map-unmap");
    bench_brk();
    bench_fork("fork-exit-wait", PAGES);
}

static void measure_each(void)
{
    measure_small();
    bench_fault_among("write-fault-16", FEW_VMAS);
    bench_fault_among("write-fault-60000", MANY_VMAS);
    bench_calls_among(FEW_VMAS, "map-unmap-16", NULL);
    bench_calls_among(MANY_VMAS, "map-unmap-60000", "mprotect-split-60000");
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "each";
    if (strcmp(what, "each") == 0)
        measure_each();
    else if (strcmp(what, "small") == 0)
        measure_small();
    else if (strcmp(what, "vmas") == 0)
        sweep_vmas();
    else if (strcmp(what, "pages") == 0)
        sweep_pages();
    else if (strcmp(what, "processes") == 0)
        sweep_processes();
    else if (strcmp(what, "huge") == 0)
        measure_huge();
    else {
        fprintf(stderr, "usage: bench [each | small | vmas | pages | processes | huge]\n");
        return 2;
    }
    return 0;
}
