/* Checks MAP_POPULATE and MAP_LOCKED: what is present when mmap returns, and at what cost in faults. */
#include "mem.h"

static long faults_in_call;

static char *map(unsigned long pages, int protection, int flags)
{
    long before = minor_faults();
    char *start = raw_mmap(0, pages * PAGE, protection, MAP_ANONYMOUS | flags, -1, 0);

    faults_in_call = minor_faults() - before;
    return start;
}

static void populated(void)
{
    char *memory = map(16, READ_WRITE, MAP_PRIVATE | MAP_POPULATE);

    check_eq(faults_in_call, 16, "populating 16 pages counts 16 faults within the call");
    check_str(present(memory, 16), "1111111111111111", "all 16 are present when it returns");
    check_eq(write_faults(memory, 16), 0, "and are written without a fault");
    check(all_bytes_are(memory + 1, PAGE - 1, 0), "and are zero");
    raw_munmap(memory, 16 * PAGE);
}

static void read_only(void)
{
    char *memory = map(4, PROT_READ, MAP_PRIVATE | MAP_POPULATE);

    check_eq(faults_in_call, 4, "populating 4 read-only pages counts 4 faults");
    check_str(present(memory, 4), "1111", "they are present");
    check_eq(pagemap_entry(memory) == pagemap_entry(memory + PAGE), 1, "and map the same frame");
    raw_mprotect(memory, 4 * PAGE, READ_WRITE);
    check_eq(write_faults(memory, 4), 4, "made writable, each write takes a fault");
    raw_munmap(memory, 4 * PAGE);
}

static void not_populated(void)
{
    char *memory = map(4, PROT_NONE, MAP_PRIVATE | MAP_POPULATE);

    check_eq(faults_in_call, 0, "pages without access are not populated");
    check_str(present(memory, 4), "0000", "none is present");
    raw_munmap(memory, 4 * PAGE);
    memory = map(4, READ_WRITE, MAP_PRIVATE | MAP_POPULATE | MAP_NONBLOCK);
    check_eq(faults_in_call, 0, "with MAP_NONBLOCK nothing is populated");
    check_str(present(memory, 4), "0000", "none is present then either");
    raw_munmap(memory, 4 * PAGE);
    memory = map(4, PROT_EXEC, MAP_PRIVATE | MAP_POPULATE);
    check_str(present(memory, 4), "1111", "execute-only pages are populated");
    raw_munmap(memory, 4 * PAGE);
    memory = map(4, PROT_WRITE, MAP_PRIVATE | MAP_POPULATE);
    check_str(present(memory, 4), "1111", "write-only pages are populated");
    check_eq(write_faults(memory, 4), 0, "and written without a fault");
    raw_munmap(memory, 4 * PAGE);
}

static void shared(void)
{
    char *memory = map(4, READ_WRITE, MAP_SHARED | MAP_POPULATE);

    check_eq(faults_in_call, 4, "populating 4 shared pages counts 4 faults");
    check_str(present(memory, 4), "1111", "they are present");
    check_eq(write_faults(memory, 4), 0, "and written without a fault");
    raw_munmap(memory, 4 * PAGE);
}

static void over_what_is_there(void)
{
    char *memory = anon(4);

    memset(memory, 'x', 4 * PAGE);
    raw_mmap((unsigned long)memory, 2 * PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED | MAP_POPULATE, -1,
             0);
    check_str(present(memory, 4), "1111", "a fixed populated mapping replaces written pages");
    check(all_bytes_are(memory, 2 * PAGE, 0), "with zeroed ones");
    check(all_bytes_are(memory + 2 * PAGE, 2 * PAGE, 'x'), "and leaves the others");
    check_eq(write_faults(memory, 4), 0, "which takes no fault later");
    raw_munmap(memory, 4 * PAGE);
}

static void locked(void)
{
    char *memory = map(4, READ_WRITE, MAP_PRIVATE | MAP_LOCKED);

    if (!check(memory != MAP_FAILED, "MAP_LOCKED of four pages is within the limit"))
        return;
    check_str(present(memory, 4), "1111", "locked pages are present when mmap returns");
    check_eq(write_faults(memory, 4), 0, "and are written without a fault");
    raw_munmap(memory, 4 * PAGE);
}

int main(void)
{
    warm_up();
    populated();
    read_only();
    not_populated();
    shared();
    over_what_is_there();
    locked();
    return done();
}
