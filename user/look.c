/*
 * look: does a few things to memory and says nothing about them: lab 0 asks what they were.
 *
 *     look [SEED]      without SEED: the number in /etc/seed, or 0
 *
 * How many pages, which of them, in which order: all that follows from the seed, so that each student looks at
 * something else. Each step is a function of its own, for breakpoints.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/common/probe.h"

#define SEED_FILE  "/etc/seed"
#define STEP       __attribute__((noinline)) static
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define PAGES_MAX  128
#define FAR_START  0x100000000000UL /* where nothing else is */
#define FAR_STRIDE (1UL << 30)      /* what one page directory serves: tables of their own for each page */

typedef volatile unsigned char *pages_t;

static unsigned long state;

/* A number from LOW to HIGH, the next in the seed's sequence. */
static int choose(int low, int high)
{
    state = state * 6364136223846793005UL + 1442695040888963407UL;
    return low + (int)((state >> 33) % (unsigned long)(high - low + 1));
}

/* The numbers below COUNT in an order that the seed decides. */
static void shuffle(int *order, int count)
{
    for (int i = 0; i < count; i++)
        order[i] = i;
    for (int i = count - 1; i > 0; i--) {
        int other = choose(0, i), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

static pages_t promise(void *where, int pages, int protection, int flags)
{
    void *start = mmap(where, (size_t)pages * PAGE_SIZE, protection, MAP_ANONYMOUS | flags, -1, 0);
    if (start == MAP_FAILED) {
        perror("look: mmap");
        exit(1);
    }
    return start;
}

static unsigned char *page(pages_t pages, int index)
{
    return (unsigned char *)pages + (size_t)index * PAGE_SIZE;
}

static void read_page(pages_t pages, int index)
{
    (void)*(pages_t)page(pages, index);
}

static void write_page(pages_t pages, int index)
{
    *(pages_t)page(pages, index) = 1;
}

/* --- the steps ---------------------------------------------------------------------------- */

/* Reads some pages of A, then writes some: of those that were read, and of others. */
STEP void touch_a(pages_t a, int pages)
{
    static int order[PAGES_MAX];
    int reads = choose(pages / 3, pages / 2), both = choose(2, reads / 2), writes = choose(both + 2, pages / 2);

    shuffle(order, pages);
    for (int i = 0; i < reads; i++)
        read_page(a, order[i]);
    for (int i = reads - both; i < reads - both + writes; i++)
        write_page(a, order[i]);
}

/* Gives the middle of A back. */
STEP void unmap_middle_of_a(pages_t a, int pages)
{
    int length = choose(pages / 4, pages / 2), first = choose(1, pages - length - 1);

    munmap(page(a, first), (size_t)length * PAGE_SIZE);
}

/* Writes B, forks, and writes some of it in the child; when the child is gone, some in the parent. */
STEP void fork_over_b(pages_t b, int pages)
{
    int by_child = choose(2, pages / 2), by_parent = choose(by_child + 1, pages);

    for (int i = 0; i < pages; i++)
        write_page(b, i);
    pid_t child = fork();
    if (child < 0) {
        perror("look: fork");
        exit(1);
    }
    if (child == 0) {
        for (int i = 0; i < by_child; i++)
            write_page(b, i);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (int i = 0; i < by_parent; i++)
        write_page(b, i);
}

static sigjmp_buf refused;

static void on_refusal(int signal)
{
    (void)signal;
    siglongjmp(refused, 1);
}

/* Reads a page of C, which may only be read, and then tries to write into one. */
STEP void write_to_c(pages_t c, int pages)
{
    int index = choose(0, pages - 1), offset = choose(1, (int)PAGE_SIZE - 1);
    bool read_first = choose(0, 1);

    signal(SIGSEGV, on_refusal);
    if (sigsetjmp(refused, 1) == 0) {
        if (read_first)
            read_page(c, index);
        page(c, index)[offset] = 1;
    }
    signal(SIGSEGV, SIG_DFL);
}

/* Writes every other page of some in D, and forbids writing to it from then on. */
STEP void protect_some_of_d(pages_t d, int pages)
{
    int count = choose(2, pages / 2 - 1);

    for (int i = 0; i < count; i++) {
        write_page(d, 2 * i + 1);
        mprotect(page(d, 2 * i + 1), PAGE_SIZE, PROT_READ);
    }
}

/* Writes one page each in places so far apart that each needs page tables of its own. */
STEP void write_far_apart(void)
{
    int places = choose(3, 9);

    for (int i = 0; i < places; i++) {
        void *where = (void *)(FAR_START + (unsigned long)i * FAR_STRIDE);
        write_page(promise(where, 1, READ_WRITE, MAP_PRIVATE | MAP_FIXED_NOREPLACE), 0);
    }
}

STEP void look_done(void)
{
    __asm__ volatile(""); /* a place to stop at */
}

static void read_seed(const char *given)
{
    static char text[16];

    if (given == NULL && probe_file(SEED_FILE, text, sizeof text) > 0)
        given = text;
    state = given != NULL ? strtoul(given, NULL, 10) : 0;
    for (int i = 0; i < 8; i++)
        choose(0, 1); /* neighbouring seeds begin alike */
}

int main(int count, char **arguments)
{
    if (count > 2) {
        fprintf(stderr, "usage: look [SEED]\n");
        return 2;
    }
    read_seed(count == 2 ? arguments[1] : NULL);

    int pages_a = choose(40, PAGES_MAX), pages_b = choose(8, 32), pages_c = choose(8, 64), pages_d = choose(12, 40);
    /* With a page between them that nobody may touch, so that the four never become one mapping. */
    pages_t a = promise(NULL, pages_a, READ_WRITE, MAP_PRIVATE);
    promise(NULL, 1, PROT_NONE, MAP_PRIVATE);
    pages_t b = promise(NULL, pages_b, READ_WRITE, MAP_PRIVATE);
    promise(NULL, 1, PROT_NONE, MAP_PRIVATE);
    pages_t c = promise(NULL, pages_c, PROT_READ, MAP_PRIVATE);
    promise(NULL, 1, PROT_NONE, MAP_PRIVATE);
    pages_t d = promise(NULL, pages_d, READ_WRITE, MAP_PRIVATE);
    printf("look: A %p, B %p, C %p, D %p\n", (void *)a, (void *)b, (void *)c, (void *)d);
    fflush(stdout);

    touch_a(a, pages_a);
    unmap_middle_of_a(a, pages_a);
    fork_over_b(b, pages_b);
    write_to_c(c, pages_c);
    protect_some_of_d(d, pages_d);
    write_far_apart();
    look_done();
    return 0;
}
