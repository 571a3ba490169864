/*
 * fault: make a page fault of your choice and see what comes of it. Those that the kernel mends are
 * counted; those that it does not mend end this program.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/common/exhibit.h"
#include "user/common/paint.h"

#define DEFAULT_PAGES  4
#define READ_WRITE     (PROT_READ | PROT_WRITE)
#define ANONYMOUS      (MAP_PRIVATE | MAP_ANONYMOUS)
#define KERNEL_ADDRESS 0xffffffff80000000UL
#define NON_CANONICAL  0x8000000000000000UL

static struct exhibit area;
static const char constant[] = {1, 2, 3}; /* read-only, and to be written to nevertheless */

/* --- faults that are mended --------------------------------------------------------------- */

static char *map(long pages, int flags)
{
    char *start = mmap(NULL, (size_t)pages * PAGE_SIZE, READ_WRITE, ANONYMOUS | flags, -1, 0);
    if (start == MAP_FAILED) {
        fprintf(stderr, "fault: mmap refused %ld pages: %s\n", pages, strerror(errno));
        exit(1);
    }
    area.start = start;
    area.count = (int)(pages < EXHIBIT_PAGES ? pages : EXHIBIT_PAGES);
    return start;
}

static void read_pages(volatile char *start, long pages)
{
    for (long i = 0; i < pages; i++)
        (void)start[(size_t)i * PAGE_SIZE];
}

static void write_pages(volatile char *start, long pages)
{
    for (long i = 0; i < pages; i++)
        start[(size_t)i * PAGE_SIZE] = 1;
}

static void report(long pages, const char *caption)
{
    printf("%ld page%s %s:\n", pages, pages == 1 ? "" : "s", caption);
    if (pages <= EXHIBIT_PAGES && area.start != NULL) {
        look_at(&area);
        show_pages(&area, "");
    }
    show_cost();
}

static void fault_read(long pages)
{
    char *start = map(pages, 0);
    measure_start(&area);
    read_pages(start, pages);
    measure_stop();
    report(pages, "read");
}

static void fault_write(long pages)
{
    char *start = map(pages, 0);
    measure_start(&area);
    write_pages(start, pages);
    measure_stop();
    report(pages, "written");
}

static void fault_both(long pages)
{
    char *start = map(pages, 0);
    measure_start(&area);
    read_pages(start, pages);
    write_pages(start, pages);
    measure_stop();
    report(pages, "read first and written then");
}

static void fault_populate(long pages)
{
    measure_start(&area);
    map(pages, MAP_POPULATE);
    measure_stop();
    report(pages, "mapped with MAP_POPULATE");
}

static void fault_heap(long pages)
{
    char *heap = sbrk(0);
    measure_start(&area);
    if (sbrk((intptr_t)pages * (intptr_t)PAGE_SIZE) == (void *)-1) {
        fprintf(stderr, "fault: sbrk refused %ld pages: %s\n", pages, strerror(errno));
        exit(1);
    }
    write_pages(heap, pages);
    measure_stop();
    report(pages, "of heap written");
}

static void fault_fork(long pages)
{
    char *start = map(pages, 0);
    write_pages(start, pages);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        fprintf(stderr, "fault: fork failed: %s\n", strerror(errno));
        exit(1);
    }
    if (child == 0) {
        measure_start(&area);
        write_pages(start, pages);
        measure_stop();
        report(pages, "that parent and child had shared, written by the child");
        exit(0);
    }
    waitpid(child, NULL, 0);
    measure_start(&area);
    write_pages(start, pages);
    measure_stop();
    report(pages, "written by the parent, after the child's end");
}

static void fault_stack(long pages)
{
    /* Well below all that is in use, downwards, as a growing stack would touch it. */
    volatile char *stack = (volatile char *)__builtin_frame_address(0) - 8 * PAGE_SIZE;
    measure_start(&area);
    for (long i = 1; i <= pages; i++)
        stack[-i * (long)PAGE_SIZE] = 1;
    measure_stop();
    report(pages, "of stack written");
}

/* --- faults that are not ------------------------------------------------------------------ */

static void touch(uintptr_t address, bool is_write)
{
    printf("%s address %#lx ...\n", is_write ? "writing to" : "reading", address);
    fflush(stdout);
    /* That the address may be null is the point. */
    volatile char *byte = (volatile char *)address;
    if (is_write)
        /* cppcheck-suppress nullPointer */
        *byte = 1; /* NOLINT(clang-analyzer-core.NullDereference) */
    else
        /* cppcheck-suppress nullPointer */
        (void)*byte; /* NOLINT(clang-analyzer-core.NullDereference) */
}

static void fault_null(long unused)
{
    (void)unused;
    touch(0, false);
}

static void fault_hole(long unused)
{
    (void)unused;
    char *start = map(3, 0);
    munmap(start + PAGE_SIZE, PAGE_SIZE);
    touch((uintptr_t)start + PAGE_SIZE, true);
}

static void fault_readonly(long unused)
{
    (void)unused;
    char *start = map(1, 0);
    *start = 1;
    mprotect(start, PAGE_SIZE, PROT_READ);
    touch((uintptr_t)start, true);
}

static void fault_rodata(long unused)
{
    (void)unused;
    touch((uintptr_t)constant, true);
}

static void fault_exec(long unused)
{
    (void)unused;
    char *start = map(1, 0);
    *start = (char)0xc3; /* the code of a return: harmless, if it were run */
    printf("jumping to address %p ...\n", (void *)start);
    fflush(stdout);
    ((void (*)(void))(uintptr_t)start)();
}

static void fault_kernel(long unused)
{
    (void)unused;
    touch(KERNEL_ADDRESS, false);
}

static void fault_noncanonical(long unused)
{
    (void)unused;
    touch(NON_CANONICAL, false);
}

/* Each call keeps some of the stack and needs its result afterwards, so that it really grows. */
static long recurse(long depth)
{
    volatile char room[256];
    room[0] = (char)depth;
    return depth < 0 ? 0 : recurse(depth + 1) + room[0];
}

static void fault_overflow(long unused)
{
    (void)unused;
    printf("calling a function that calls itself without end ...\n");
    fflush(stdout);
    printf("%ld\n", recurse(0));
}

static void fault_eat(long unused)
{
    (void)unused;
    printf("writing to one page after another until there is no memory left ...\n");
    fflush(stdout);
    for (;;)
        write_pages(map(256, MAP_NORESERVE), 256);
}

static const struct {
    const char *name;
    void (*action)(long pages);
    bool is_mended; /* and takes a number of pages */
    const char *meaning;
} kinds[] = {
    {"read", fault_read, true, "read new pages"},
    {"write", fault_write, true, "write to new pages"},
    {"both", fault_both, true, "read new pages, then write to them"},
    {"populate", fault_populate, true, "let mmap itself do it, with MAP_POPULATE"},
    {"heap", fault_heap, true, "grow the heap and write to it"},
    {"stack", fault_stack, true, "grow the stack"},
    {"fork", fault_fork, true, "write to pages shared with a child: copy on write"},
    {"null", fault_null, false, "read address 0"},
    {"hole", fault_hole, false, "write where a page was, and is no more"},
    {"readonly", fault_readonly, false, "write to a page made read-only"},
    {"rodata", fault_rodata, false, "write to this program's constants"},
    {"exec", fault_exec, false, "run data as if it were code"},
    {"kernel", fault_kernel, false, "read the kernel's memory"},
    {"noncanonical", fault_noncanonical, false, "read where the processor has no addresses at all"},
    {"overflow", fault_overflow, false, "grow the stack without end"},
    {"eat", fault_eat, false, "take all memory of the machine"},
};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

static int usage(FILE *stream, int status)
{
    fprintf(stream, "usage: fault KIND [PAGES]\n");
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (i == 0 || kinds[i].is_mended != kinds[i - 1].is_mended)
            fprintf(stream, "%s\n",
                    kinds[i].is_mended ? "Faults that the kernel mends:"
                                       : "Faults that end this program:");
        fprintf(stream, "  %-12s %-8s %s\n", kinds[i].name, kinds[i].is_mended ? "[PAGES]" : "",
                kinds[i].meaning);
    }
    return status;
}

int main(int count, char **arguments)
{
    long pages = DEFAULT_PAGES;
    if (count < 2)
        return usage(stdout, 0);
    if (count > 2) {
        char *end;
        pages = strtol(arguments[2], &end, 0);
        if (*end != '\0' || pages < 1 || count > 3)
            return usage(stderr, 2);
    }
    probe_touch_program();
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(arguments[1], kinds[i].name) != 0)
            continue;
        kinds[i].action(pages);
        if (kinds[i].is_mended)
            return 0;
        printf("nothing happened, and that is wrong\n");
        return 1;
    }
    fprintf(stderr, "fault: there is no kind \"%s\"\n", arguments[1]);
    return usage(stderr, 2);
}
