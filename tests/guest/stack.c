/* Checks the stack: growth on touch wherever it is touched, its limit, and the gap that guards it. */
#include "mem.h"

enum { STACK_LIMIT = 8 << 20, GUARD_PAGES = 256 };

static unsigned long stack_end, stack_start;

static void find_stack(void)
{
    const char *text = file_text("/proc/self/maps");
    struct vma_line line;

    while ((text = parse_vma_line(text, &line)) != NULL)
        if (strcmp(line.name, "[stack]") == 0) {
            stack_start = line.start;
            stack_end = line.end;
        }
}

static char *below_end(unsigned long bytes)
{
    return (char *)(stack_end - bytes);
}

static void set_limit(unsigned long bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};

    setrlimit(RLIMIT_STACK, &limit);
}

static volatile bool never;

__attribute__((noinline)) static int endless(volatile char *previous)
{
    volatile char frame[2000];

    frame[0] = previous[0];
    return never ? 0 : endless(frame) + frame[0];
}

static void recurse_forever(void *nothing)
{
    volatile char first = 1;

    (void)nothing;
    _exit(endless(&first));
}

__attribute__((noinline)) static unsigned long depth_of(unsigned long rounds)
{
    volatile char frame[1000];

    frame[0] = (char)rounds;
    frame[999] = (char)rounds;
    return rounds == 0 ? (unsigned long)frame[0] : depth_of(rounds - 1) + (frame[999] == (char)rounds);
}

static void deep_recursion(void)
{
    check_eq(depth_of(4000), 4000, "a recursion of 4 MB finds all its frames");
}

/* In a child: where the stack's mapping starts after the byte was touched, in pages below its end. */
static void pages_after_touch(void *address)
{
    *(volatile char *)address = 1;
    find_stack();
    _exit(*(volatile char *)address != 1 || stack_start != ((unsigned long)address & -PAGE));
}

static void touched_anywhere(void)
{
    check_eq(signal_of_child(write_byte, below_end(STACK_LIMIT)), 0,
             "the lowest byte of the stack's 8 MiB can be written, wherever the stack pointer is");
    check_eq(signal_of_child(read_byte, below_end(STACK_LIMIT)), 0, "and read");
    check_eq(signal_of_child(write_byte, below_end(STACK_LIMIT + 1)), SIGSEGV,
             "one byte lower is SIGSEGV");
    check_eq(signal_of_child(read_byte, below_end(STACK_LIMIT + 1)), SIGSEGV, "for a read too");
    check_eq(signal_of_child(write_byte, (char *)stack_end), SIGSEGV,
             "the byte above the stack is SIGSEGV");
    check_eq(status_of_child(pages_after_touch, below_end(1 << 20)), 0,
             "a touch lets the mapping grow down to the touched page and no further");
    check_eq(signal_of_child(recurse_forever, NULL), SIGSEGV,
             "an endless recursion ends in SIGSEGV");
}

static void touch_under_limit(void *address)
{
    set_limit(1 << 20);
    write_byte(address);
}

static void the_limit(void)
{
    check_eq(signal_of_child(touch_under_limit, below_end(1 << 20)), 0,
             "under a limit of 1 MiB its lowest byte can be written");
    check_eq(signal_of_child(touch_under_limit, below_end((1 << 20) + 1)), SIGSEGV,
             "and not the byte below");
}

/* In a child: maps one page 4 MiB below the end, and writes PAGES pages above it. */
struct guarded {
    int protection, pages;
};

static void touch_above_mapping(void *argument)
{
    struct guarded *what = argument;
    char *wall = below_end(4 << 20);

    anon_at(wall, 1, what->protection);
    write_byte(wall + PAGE + what->pages * PAGE);
}

static void the_guard_gap(void)
{
    struct guarded far = {READ_WRITE, GUARD_PAGES}, near = {READ_WRITE, GUARD_PAGES - 1},
                   beside = {READ_WRITE, 0}, inaccessible = {PROT_NONE, 0};

    check_eq(signal_of_child(touch_above_mapping, &far), 0,
             "the stack may grow until 256 pages are free above another mapping");
    check_eq(signal_of_child(touch_above_mapping, &near), SIGSEGV, "and not until 255 are");
    check_eq(signal_of_child(touch_above_mapping, &beside), SIGSEGV, "and not beside it");
    check_eq(signal_of_child(touch_above_mapping, &inaccessible), 0,
             "a mapping without access does not stop it");
}

static void growth_costs_one_fault(void)
{
    char *low = below_end(6 << 20);

    check_eq(write_faults(low, 1), 1, "a growth by megabytes takes one fault");
    check_eq(write_faults(low + PAGE, 4), 4, "each page in between takes one when it is touched");
    check(all_bytes_are(low + 5 * PAGE, 64 * PAGE, 0), "pages in between are zero");
    check_str(vma_of(low)->name, "[stack]", "the grown mapping is still called [stack]");
}

static void parts_of_the_stack(void)
{
    char *low = (char *)(vma_of(below_end(PAGE))->start);

    check_eq(raw_munmap(low, PAGE), 0, "the lowest page of the stack can be unmapped");
    write_byte(low);
    check_eq(*low, 1, "and grows again when it is touched");
    raw_mprotect(low + PAGE, PAGE, PROT_READ);
    check_eq(signal_of_child(write_byte, low + PAGE), SIGSEGV,
             "a page of it can be made read-only");
    raw_mprotect(low + PAGE, PAGE, READ_WRITE);
    check_eq(signal_of_child(write_byte, low + PAGE), 0, "and writable again");
    check_eq(signal_of_child(execute_at, low + PAGE), SIGSEGV, "the stack cannot be executed");
}

int main(void)
{
    warm_up();
    set_limit(STACK_LIMIT);
    find_stack();
    check(stack_end != 0, "one mapping is called [stack]");
    check((unsigned long)&stack_end < stack_start, "the stack lies above the program");
    touched_anywhere();
    the_limit();
    the_guard_gap();
    deep_recursion();
    growth_costs_one_fault();
    parts_of_the_stack();
    return done();
}
