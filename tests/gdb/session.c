/*
 * session: one page fault after the other, one function each, for the guided sessions of docs/debugging.md and for
 * the debugger's tests. `session WHICH…` plays those that are named, in their order; `session all` plays each.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define READ_WRITE (PROT_READ | PROT_WRITE)

static volatile char kept;      /* what was read goes here, so that the reading takes place */
static char initialised[PAGE] = "data of the program's file";
static const char constant[] = "read-only data";

static char *map_pages(int pages, int protection, int flags)
{
    char *start = mmap(NULL, (size_t)pages * PAGE, protection, flags | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        exit(1);
    return start;
}

static void load(const volatile char *address)
{
    kept = *address;
}

static void store(volatile char *address, char value)
{
    *address = value;
}

static void read_page(void)
{
    load(map_pages(4, READ_WRITE, MAP_PRIVATE));
}

static void write_page(void)
{
    store(map_pages(4, READ_WRITE, MAP_PRIVATE), 1);
}

static void write_after_read(void)
{
    char *page = map_pages(1, READ_WRITE, MAP_PRIVATE);
    load(page);
    store(page, 2);
}

/* Far below what the stack has used so far, and below its 132 KiB of the beginning. */
static void grow_stack(void)
{
    volatile char *far_below = (volatile char *)__builtin_frame_address(0) - 64 * PAGE;
    store(far_below, 3);
}

static void grow_heap(void)
{
    char *heap = sbrk(2 * PAGE);
    store(heap + PAGE, 4);
}

/* The child writes first and gets a copy; when it is gone, the parent is the frame's last user. */
static void copy_on_write(void)
{
    char *page = map_pages(1, READ_WRITE, MAP_PRIVATE);
    store(page, 5);
    pid_t child = fork();
    if (child == 0) {
        store(page, 6);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    store(page, 7);
}

static void bad_pointer(void)
{
    char *pages = map_pages(3, READ_WRITE, MAP_PRIVATE);
    munmap(pages + PAGE, PAGE);
    write(STDOUT_FILENO, pages + PAGE, 5);
}

static void read_shared(void)
{
    load(map_pages(1, READ_WRITE, MAP_SHARED));
}

static void write_data(void)
{
    store(initialised, 'D');
}

static void read_hole(void)
{
    load((const volatile char *)(PAGE * 2));
}

static void read_none(void)
{
    load(map_pages(1, PROT_NONE, MAP_PRIVATE));
}

static void write_constant(void)
{
    store((volatile char *)constant, 'R');
}

static void run_data(void)
{
    char *page = map_pages(1, READ_WRITE, MAP_PRIVATE);
    store(page, (char)0xc3);    /* a return, if it were run */
    ((void (*)(void))page)();
}

static void read_kernel(void)
{
    load((const volatile char *)0xffffffff80100000);
}

static void overflow_stack(void)
{
    store((volatile char *)__builtin_frame_address(0) - 9 * 1024 * 1024, 8);
}

/* A shared object of one page is not made larger by the mapping that mremap makes of it. */
static void read_beyond(void)
{
    char *page = map_pages(1, READ_WRITE, MAP_SHARED);
    page = mremap(page, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    load(page + PAGE);
}

/* Never ends: for a recording that its limit ends. */
static void count_forever(void)
{
    write(STDOUT_FILENO, "counting\n", 9);
    for (volatile long count = 0;; count++)
        ;
}

/* The same with a parent that waits: two address spaces at once. */
static void fork_and_count(void)
{
    if (fork() == 0)
        count_forever();
    wait(NULL);
}

enum kind {
    HARMLESS,
    DEADLY,     /* played by a child, which it kills */
    ENDLESS     /* not played by `all` */
};

static const struct {
    const char *name;
    void (*play)(void);
    enum kind kind;
} sessions[] = {
    {"read_page", read_page, HARMLESS},
    {"write_page", write_page, HARMLESS},
    {"write_after_read", write_after_read, HARMLESS},
    {"grow_stack", grow_stack, HARMLESS},
    {"grow_heap", grow_heap, HARMLESS},
    {"copy_on_write", copy_on_write, HARMLESS},
    {"bad_pointer", bad_pointer, HARMLESS},
    {"read_shared", read_shared, HARMLESS},
    {"write_data", write_data, HARMLESS},
    {"read_hole", read_hole, DEADLY},
    {"overflow_stack", overflow_stack, DEADLY},
    {"read_none", read_none, DEADLY},
    {"write_constant", write_constant, DEADLY},
    {"run_data", run_data, DEADLY},
    {"read_kernel", read_kernel, DEADLY},
    {"read_beyond", read_beyond, DEADLY},
    {"count_forever", count_forever, ENDLESS},
    {"fork_and_count", fork_and_count, ENDLESS},
};

static void play_in_child(void (*play)(void))
{
    pid_t child = fork();
    if (child == 0) {
        play();
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        for (size_t s = 0; s < sizeof(sessions) / sizeof(*sessions); s++) {
            int all = strcmp(arguments[i], "all") == 0 && sessions[s].kind != ENDLESS;
            if (!all && strcmp(arguments[i], sessions[s].name) != 0)
                continue;
            if (sessions[s].kind == DEADLY)
                play_in_child(sessions[s].play);
            else
                sessions[s].play();
        }
    }
    return 0;
}
