/* Checks when neighbouring mappings become one, and when they stay apart. */
#include "mem.h"

/* Maps two neighbours with the given protections and flags; tells how they look. */
static const char *pair(int first_protection, int first_flags, int second_protection,
                        int second_flags)
{
    static char *range;

    if (range == NULL)
        range = free_range(4);
    raw_munmap(range, 4 * PAGE);
    raw_mmap((unsigned long)range, 2 * PAGE, first_protection, MAP_ANONYMOUS | MAP_FIXED | first_flags,
             -1, 0);
    raw_mmap((unsigned long)range + 2 * PAGE, 2 * PAGE, second_protection,
             MAP_ANONYMOUS | MAP_FIXED | second_flags, -1, 0);
    return vmas(range, 4);
}

static void pairs(void)
{
    check_str(pair(READ_WRITE, MAP_PRIVATE, READ_WRITE, MAP_PRIVATE), "0-4 rw-p",
              "private neighbours with equal protection merge");
    check_str(pair(PROT_NONE, MAP_PRIVATE, PROT_NONE, MAP_PRIVATE), "0-4 ---p",
              "without any access too");
    check_str(pair(PROT_READ, MAP_PRIVATE, READ_WRITE, MAP_PRIVATE), "0-2 r--p, 2-4 rw-p",
              "different protections stay apart");
    check_str(pair(READ_WRITE, MAP_SHARED, READ_WRITE, MAP_SHARED), "0-2 rw-s, 2-4 rw-s",
              "two shared mappings never merge");
    check_str(pair(READ_WRITE, MAP_PRIVATE, READ_WRITE, MAP_SHARED), "0-2 rw-p, 2-4 rw-s",
              "private and shared stay apart");
    check_str(pair(READ_WRITE, MAP_PRIVATE, READ_WRITE, MAP_PRIVATE | MAP_NORESERVE),
              "0-2 rw-p, 2-4 rw-p", "MAP_NORESERVE is a difference");
    check_str(pair(READ_WRITE, MAP_PRIVATE | MAP_NORESERVE, READ_WRITE, MAP_PRIVATE | MAP_NORESERVE),
              "0-4 rw-p", "two with MAP_NORESERVE merge");
    check_str(pair(PROT_READ, MAP_PRIVATE, PROT_READ, MAP_PRIVATE | MAP_NORESERVE),
              "0-2 r--p, 2-4 r--p", "MAP_NORESERVE is a difference for read-only memory too");
    check_str(pair(READ_WRITE, MAP_PRIVATE, READ_WRITE, MAP_PRIVATE | MAP_POPULATE), "0-4 rw-p",
              "MAP_POPULATE is no difference");
    check_str(pair(READ_WRITE, MAP_PRIVATE, READ_WRITE, MAP_PRIVATE | MAP_GROWSDOWN),
              "0-2 rw-p, 2-4 rw-p", "MAP_GROWSDOWN is a difference");
}

static void bridges(void)
{
    char *range = free_range(6);

    anon_at(range, 2, READ_WRITE);
    anon_at(range + 4 * PAGE, 2, READ_WRITE);
    check_str(vmas(range, 6), "0-2 rw-p, 4-6 rw-p", "two mappings with a hole between are two");
    anon_at(range + 2 * PAGE, 2, READ_WRITE);
    check_str(vmas(range, 6), "0-6 rw-p", "one that fills the hole makes one of three");
    anon_at(range + 2 * PAGE, 2, PROT_READ);
    check_str(vmas(range, 6), "0-2 rw-p, 2-4 r--p, 4-6 rw-p", "a read-only middle splits");
    raw_mprotect(range + 2 * PAGE, 2 * PAGE, READ_WRITE);
    check_str(vmas(range, 6), "0-6 rw-p", "making it writable merges all three");
    raw_munmap(range, 6 * PAGE);
}

static void written_neighbours(void)
{
    char *range = free_range(4);

    anon_at(range, 2, READ_WRITE);
    range[0] = 1;
    anon_at(range + 2 * PAGE, 2, READ_WRITE);
    check_str(vmas(range, 4), "0-4 rw-p", "a fresh mapping merges with a written one below it");
    raw_munmap(range, 4 * PAGE);
    anon_at(range + 2 * PAGE, 2, READ_WRITE);
    range[2 * PAGE] = 1;
    anon_at(range, 2, READ_WRITE);
    check_str(vmas(range, 4), "0-4 rw-p", "and with a written one above it");
    raw_munmap(range, 4 * PAGE);
}

static void split_parts(void)
{
    char *range = anon_at(free_range(6), 6, READ_WRITE);

    memset(range, 'x', 6 * PAGE);
    raw_mprotect(range + 2 * PAGE, 2 * PAGE, PROT_NONE);
    raw_mprotect(range + 2 * PAGE, 2 * PAGE, READ_WRITE);
    check_str(vmas(range, 6), "0-6 rw-p", "parts of one written mapping merge again");
    raw_munmap(range + 2 * PAGE, 2 * PAGE);
    anon_at(range + 2 * PAGE, 2, READ_WRITE);
    check_str(vmas(range, 6), "0-6 rw-p", "also when the middle was unmapped and mapped anew");
    check(all_bytes_are(range, 2 * PAGE, 'x') && all_bytes_are(range + 2 * PAGE, 2 * PAGE, 0) &&
              all_bytes_are(range + 4 * PAGE, 2 * PAGE, 'x'),
          "with the data where it was");
    raw_munmap(range, 6 * PAGE);
}

static void does_nothing(void *nothing)
{
    (void)nothing;
}

static void after_a_fork(void)
{
    char *range = free_range(4);

    anon_at(range, 2, READ_WRITE);
    range[0] = 1;
    status_of_child(does_nothing, NULL);
    anon_at(range + 2 * PAGE, 2, READ_WRITE);
    check_str(vmas(range, 4), "0-4 rw-p", "in a parent a fresh mapping merges with a forked one");
    raw_munmap(range, 4 * PAGE);
}

/* In a child: 1 when a mapping behind RANGE's two pages merges with them, 2 when it stays apart. */
static void count_in_child(void *range)
{
    anon_at((char *)range + 2 * PAGE, 2, READ_WRITE);
    _exit(strcmp(vmas(range, 4), "0-4 rw-p") == 0 ? 1 : 2);
}

/* In a child: the number of mappings of a heap that grew on either side of the fork. */
static void grow_heap_in_child(void *heap)
{
    raw_brk((unsigned long)heap + 2 * PAGE);
    _exit(strcmp(vmas(heap, 2), "0-2 rw-p") == 0 ? 1 : 2);
}

/* In a child: splits two inherited pages and undoes it; the number of mappings then. */
static void split_in_child(void *range)
{
    raw_mprotect(range, PAGE, PROT_READ);
    raw_mprotect(range, PAGE, READ_WRITE);
    _exit(strcmp(vmas(range, 2), "0-2 rw-p") == 0 ? 1 : 2);
}

static void in_a_child(void)
{
    char *range = free_range(4), *heap = (char *)((raw_brk(0) + PAGE - 1) & -PAGE);

    anon_at(range, 2, READ_WRITE);
    check_eq(WEXITSTATUS(status_of_child(count_in_child, range)), 1,
             "in a child a fresh mapping merges with an inherited one that was never written");
    range[0] = 1;
    check_eq(WEXITSTATUS(status_of_child(count_in_child, range)), 2,
             "but not with an inherited one that the parent had written");
    check_eq(WEXITSTATUS(status_of_child(split_in_child, range)), 1,
             "parts of an inherited one that a child splits merge again");
    raw_munmap(range, 4 * PAGE);
    raw_brk((unsigned long)heap + PAGE);
    *heap = 1;
    check_eq(WEXITSTATUS(status_of_child(grow_heap_in_child, heap)), 2,
             "a child's heap growth is a mapping apart from the inherited, written heap");
    raw_brk((unsigned long)heap);
}

int main(void)
{
    pairs();
    bridges();
    written_neighbours();
    split_parts();
    after_a_fork();
    in_a_child();
    return done();
}
