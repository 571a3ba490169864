/* Checks MAP_GROWSDOWN: growth on a touch below, its guard gap, and what may lie in the gap. */
#include <time.h>

#include "mem.h"

enum { GAP = 256, ROOM = 2048 };

static char *room; /* ROOM pages of address space that are free but for what a test maps */

static char *growing_at(unsigned long page, unsigned long pages)
{
    char *start = raw_mmap((unsigned long)room + page * PAGE, pages * PAGE, READ_WRITE,
                           PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);

    if (start == MAP_FAILED)
        bail_out("a fixed MAP_GROWSDOWN mapping failed with errno %d", errno);
    return start;
}

static void clear_room(void)
{
    raw_munmap(room, ROOM * PAGE);
}

static void growth(void)
{
    char *memory = growing_at(1000, 2);

    check_str(vmas(room + 990 * PAGE, 20), "10-12 rw-p", "at first it is as long as was asked for");
    memory[-1] = 'x';
    check_str(vmas(room + 990 * PAGE, 20), "9-12 rw-p", "a touch below it grows it by a page");
    memory[-5 * (long)PAGE] = 'y';
    check_str(vmas(room + 990 * PAGE, 20), "5-12 rw-p", "a touch further below by more");
    check_eq(write_faults(memory - 105 * PAGE, 1), 1, "one fault may jump 100 pages");
    check_str(vmas(room + 890 * PAGE, 120), "5-112 rw-p", "all of which belong to it then");
    check(memory[-1] == 'x' && memory[-5 * (long)PAGE] == 'y', "what was written is still there");
    check(all_bytes_are(memory - 104 * PAGE, 99 * PAGE, 0), "and what lies between is zero");
    check_eq(signal_of_child(write_byte, memory + 2 * PAGE), SIGSEGV, "it does not grow upward");
    clear_room();
}

static void the_gap(void)
{
    char *wall = room + 100 * PAGE;

    anon_at(wall, 1, READ_WRITE);
    growing_at(1000, 1);
    check_eq(signal_of_child(write_byte, wall + (1 + GAP) * PAGE), 0,
             "it may grow until 256 pages are free above another mapping");
    check_eq(signal_of_child(write_byte, wall + GAP * PAGE), SIGSEGV, "but not until 255 are");
    raw_mprotect(wall, PAGE, PROT_NONE);
    check_eq(signal_of_child(write_byte, wall + PAGE), 0,
             "a mapping without access below does not stop it");
    clear_room();
}

static void other_mappings_in_the_gap(void)
{
    char *memory = growing_at(1000, 1), *got;

    got = raw_mmap((unsigned long)memory - 10 * PAGE, PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
    check(got != memory - 10 * PAGE, "a hint within the gap is not used");
    raw_munmap(got, PAGE);
    got = raw_mmap((unsigned long)memory - (GAP + 1) * PAGE, PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
    check_eq(got, memory - (GAP + 1) * PAGE, "a hint just below the gap is");
    raw_munmap(got, PAGE);
    got = raw_mmap((unsigned long)memory - GAP * PAGE, PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
    check(got != memory - GAP * PAGE, "a hint for the gap's lowest page is not");
    raw_munmap(got, PAGE);
    got = anon_at(memory - 10 * PAGE, 1, READ_WRITE);
    check_eq(got, memory - 10 * PAGE, "MAP_FIXED within the gap is allowed");
    check_eq(signal_of_child(write_byte, memory - 1), SIGSEGV, "and stops the growth");
    clear_room();
}

static void top_down_keeps_the_gap(void)
{
    char *block = anon(600), *below;

    raw_munmap(block, 600 * PAGE);
    raw_mmap((unsigned long)block + 599 * PAGE, PAGE, READ_WRITE,
             PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    below = anon(1);
    check_eq(below, block + (598 - GAP) * PAGE, "the top-down search leaves the gap below it free");
    raw_munmap(below, PAGE);
    raw_munmap(block + 599 * PAGE, PAGE);
}

static void protections(void)
{
    char *memory = growing_at(1000, 4);

    check_eq(raw_mprotect(memory + 2 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN), 0,
             "mprotect with PROT_GROWSDOWN works on it");
    check_str(vmas(memory, 4), "0-3 r--p, 3-4 rw-p", "and reaches down to its start");
    check_eq(signal_of_child(write_byte, memory - 1), SIGSEGV,
             "a read-only one is not written by growth");
    check_eq(signal_of_child(read_byte, memory - 1), 0, "but read");
    check_fails(raw_mprotect(memory, PAGE, PROT_READ | PROT_GROWSUP), EINVAL,
                "PROT_GROWSUP on it is EINVAL");
    clear_room();
}

static void parts(void)
{
    char *memory = growing_at(1000, 8);

    raw_munmap(memory + 2 * PAGE, 2 * PAGE);
    check_str(vmas(memory, 8), "0-2 rw-p, 4-8 rw-p", "a hole splits it");
    check_eq(signal_of_child(write_byte, memory + 4 * PAGE - 1), 0,
             "the upper part grows into the hole: a growing neighbour below needs no gap");
    memory[3 * PAGE] = 1;
    memory[2 * PAGE] = 1;
    check_str(vmas(memory, 8), "0-2 rw-p, 2-8 rw-p", "until it meets the lower part");
    memory[-1] = 1;
    check_str(vmas(memory - PAGE, 9), "0-3 rw-p, 3-9 rw-p", "the lower part grows too");
    clear_room();
}

/* The kernel prepares the upper part for pages before it looks at the limit; from then on the parts do not merge. */
static void growth_beyond_the_limit(void)
{
    struct rlimit limit, small;

    getrlimit(RLIMIT_STACK, &limit);
    small = limit;
    small.rlim_cur = 16 * PAGE;
    growing_at(1000, 8);
    raw_mprotect(room + 1000 * PAGE, 4 * PAGE, PROT_READ);
    setrlimit(RLIMIT_STACK, &small);
    check_fails(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, room + 990 * PAGE), EFAULT, "beyond RLIMIT_STACK it does not grow");
    setrlimit(RLIMIT_STACK, &limit);
    raw_mprotect(room + 1002 * PAGE, 2 * PAGE, READ_WRITE);
    check_str(vmas(room + 1000 * PAGE, 8), "0-2 r--p, 2-4 rw-p, 4-8 rw-p", "but the try has left its mark: its parts stay apart");
    clear_room();
}

int main(void)
{
    warm_up();
    room = free_range(ROOM);
    growth();
    the_gap();
    other_mappings_in_the_gap();
    top_down_keeps_the_gap();
    protections();
    parts();
    growth_beyond_the_limit();
    return done();
}
