/* Checks the limits on memory: address space, data, and the number of mappings. */
#define _GNU_SOURCE
#include "mem.h"

static void set_limit(int resource, unsigned long soft, unsigned long hard)
{
    struct rlimit limit = {soft, hard};

    if (setrlimit(resource, &limit) != 0)
        _exit(90);
}

/* The size of the address space in bytes, as the kernel counts it. */
static unsigned long address_space(void)
{
    return strtoul(file_text("/proc/self/statm"), NULL, 10) * PAGE;
}

#define EXPECT(number, condition) \
    do { \
        if (!(condition)) \
            _exit(number); \
    } while (0)
#define FAILS_WITH(error, call) (errno = 0, (long)(call) == -1 && errno == (error))

static long map_pages(unsigned long pages, int protection, int flags)
{
    return (long)raw_mmap(0, pages * PAGE, protection, flags, -1, 0);
}

static void limited_address_space(void *nothing)
{
    char *memory = anon_at(free_range(8), 4, READ_WRITE);
    unsigned long heap = (raw_brk(0) + PAGE - 1) & -PAGE;

    (void)nothing;
    raw_brk(heap);
    set_limit(RLIMIT_AS, address_space() + 2 * PAGE, RLIM_INFINITY);
    EXPECT(1, FAILS_WITH(ENOMEM, map_pages(3, READ_WRITE, PRIVATE_ANON)));
    EXPECT(2, FAILS_WITH(ENOMEM, map_pages(3, PROT_NONE, PRIVATE_ANON)));
    EXPECT(3, FAILS_WITH(ENOMEM, map_pages(3, READ_WRITE, SHARED_ANON)));
    EXPECT(4, raw_brk(heap + 3 * PAGE) == heap);
    EXPECT(5, FAILS_WITH(ENOMEM, syscall(SYS_mremap, memory, 4 * PAGE, 7 * PAGE, 1, 0)));
    EXPECT(6, raw_mmap((unsigned long)memory, 4 * PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1,
                       0) == memory);
    EXPECT(7, raw_mmap((unsigned long)memory, 6 * PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1,
                       0) == memory);
    EXPECT(8, FAILS_WITH(ENOMEM, map_pages(1, READ_WRITE, PRIVATE_ANON)));
    raw_munmap(memory, PAGE);
    EXPECT(9, map_pages(1, READ_WRITE, PRIVATE_ANON) != -1);
    _exit(0);
}

static void limited_data(void *nothing)
{
    unsigned long heap = (raw_brk(0) + PAGE - 1) & -PAGE;
    char *none = raw_mmap(0, 512 * PAGE, PROT_NONE, PRIVATE_ANON, -1, 0);

    (void)nothing;
    raw_brk(heap);
    set_limit(RLIMIT_DATA, 256 * PAGE, RLIM_INFINITY);
    EXPECT(1, FAILS_WITH(ENOMEM, map_pages(256, READ_WRITE, PRIVATE_ANON)));
    EXPECT(2, map_pages(256, PROT_NONE, PRIVATE_ANON) != -1);
    EXPECT(3, map_pages(256, PROT_READ, PRIVATE_ANON) != -1);
    EXPECT(4, map_pages(256, READ_WRITE, SHARED_ANON) != -1);
    EXPECT(5, map_pages(256, READ_WRITE, PRIVATE_ANON | MAP_GROWSDOWN) != -1);
    EXPECT(6, FAILS_WITH(ENOMEM, raw_mprotect(none, 256 * PAGE, READ_WRITE)));
    EXPECT(7, raw_mprotect(none, 8 * PAGE, READ_WRITE) == 0);
    EXPECT(8, raw_brk(heap + 256 * PAGE) == heap);
    EXPECT(9, raw_brk(heap + 8 * PAGE) == heap + 8 * PAGE);
    EXPECT(10, map_pages(8, READ_WRITE, PRIVATE_ANON) != -1);
    _exit(0);
}

static void no_data(void *nothing)
{
    unsigned long heap = (raw_brk(0) + PAGE - 1) & -PAGE;

    (void)nothing;
    raw_brk(heap);
    set_limit(RLIMIT_DATA, 0, RLIM_INFINITY);
    EXPECT(1, map_pages(8, READ_WRITE, PRIVATE_ANON) != -1);
    EXPECT(2, raw_brk(heap + PAGE) == heap);
    set_limit(RLIMIT_DATA, 0, 0);
    EXPECT(3, FAILS_WITH(ENOMEM, map_pages(8, READ_WRITE, PRIVATE_ANON)));
    _exit(0);
}

/* Makes mappings that cannot merge until there are no more; how many of this process there are then. */
static unsigned long fill_up(char **first)
{
    static const unsigned long pages = 140000;
    char *memory = raw_mmap(0, pages * PAGE, PROT_NONE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

    *first = memory;
    for (unsigned long i = 1; i < pages; i += 2)
        if (raw_mprotect(memory + i * PAGE, PAGE, PROT_READ) != 0)
            return i;
    return 0;
}

static void mapping_count(void *nothing)
{
    char *memory;
    unsigned long last = fill_up(&memory);

    (void)nothing;
    EXPECT(1, last != 0 && errno == ENOMEM);
    EXPECT(2, FAILS_WITH(ENOMEM, raw_mprotect(memory + last * PAGE, PAGE, PROT_READ)));
    EXPECT(3, FAILS_WITH(ENOMEM, raw_munmap(memory + (last + 1) * PAGE, PAGE)));
    EXPECT(4, FAILS_WITH(EAGAIN, syscall(SYS_madvise, memory + (last + 1) * PAGE, PAGE, 1)));
    EXPECT(5, raw_munmap(memory + 139999 * PAGE, PAGE) == 0);
    EXPECT(6, raw_mprotect(memory + PAGE, PAGE, PROT_NONE) == 0);
    EXPECT(7, raw_mprotect(memory + last * PAGE, PAGE, PROT_READ) == 0);
    for (int i = 0; i < 4; i++)
        map_pages(1, READ_WRITE, SHARED_ANON);
    EXPECT(8, FAILS_WITH(ENOMEM, map_pages(1, READ_WRITE, SHARED_ANON)));
    EXPECT(9, raw_munmap(memory, 140000 * PAGE) == 0);
    EXPECT(10, map_pages(1, READ_WRITE, SHARED_ANON) != -1);
    _exit(0);
}

static void limit_calls(void)
{
    struct rlimit limit, same;

    check_eq(getrlimit(RLIMIT_STACK, &limit), 0, "getrlimit tells the stack's limit");
    check_eq(syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &same), 0, "prlimit64 does too");
    check(limit.rlim_cur == same.rlim_cur && limit.rlim_max == same.rlim_max, "and the same");
    check_fails(getrlimit(99, &limit), EINVAL, "an unknown resource is EINVAL");
    check_fails(syscall(SYS_getrlimit, RLIMIT_STACK, 8), EFAULT, "a bad pointer is EFAULT");
    limit.rlim_cur = 2;
    limit.rlim_max = 1;
    check_fails(setrlimit(RLIMIT_CORE, &limit), EINVAL,
                "a soft limit above the hard one is EINVAL");
}

static void raise_hard_limit(void *nothing)
{
    struct rlimit limit = {PAGE, PAGE};

    (void)nothing;
    EXPECT(1, setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    limit.rlim_max = 2 * PAGE;
    EXPECT(2, FAILS_WITH(EPERM, setrlimit(RLIMIT_MEMLOCK, &limit)));
    _exit(0);
}

int main(void)
{
    limit_calls();
    check_eq(status_as_nobody(raise_hard_limit, NULL), 0,
             "an ordinary user may lower a hard limit and not raise it");
    check_eq(status_of_child(limited_address_space, NULL), 0,
             "RLIMIT_AS bounds mmap, brk and mremap, but not replacing");
    check_eq(status_of_child(limited_data, NULL), 0,
             "RLIMIT_DATA bounds private writable memory and the heap only");
    check_eq(status_of_child(no_data, NULL), 0,
             "a soft RLIMIT_DATA of 0 refuses brk but not mmap, a hard one both");
    check_eq(status_of_child(mapping_count, NULL), 0,
             "at 65530 mappings, splits fail and trimming does not");
    return done();
}
