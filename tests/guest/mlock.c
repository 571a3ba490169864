/* Checks mlock, mlock2, munlock, mlockall, munlockall and their limit. */
#define _GNU_SOURCE
#include "mem.h"

enum { CURRENT = 1, FUTURE = 2, ONFAULT = 4 };

static long lock(void *address, unsigned long length)
{
    return syscall(SYS_mlock, address, length);
}

static void refusals(void)
{
    char *memory = anon_at(free_range(4), 2, READ_WRITE);

    check_fails(lock(memory + 2 * PAGE, PAGE), ENOMEM, "an unmapped page is ENOMEM");
    check_fails(lock(memory, 3 * PAGE), ENOMEM, "a hole is ENOMEM");
    check_eq(lock(memory, 0), 0, "length 0 is fine");
    check_eq(lock(memory + 2 * PAGE, 0), 0, "also where nothing is mapped");
    check_eq(lock(memory, -1UL), 0, "length -1 rounds to 0");
    check_fails(lock(memory, -PAGE), EINVAL, "a wrapping range is EINVAL");
    check_fails(syscall(SYS_mlock2, memory, PAGE, 2), EINVAL,
                "an unknown flag of mlock2 is EINVAL");
    check_fails(syscall(SYS_mlockall, 0), EINVAL, "mlockall(0) is EINVAL");
    check_fails(syscall(SYS_mlockall, 8), EINVAL, "an unknown flag of mlockall is EINVAL");
    check_fails(syscall(SYS_mlockall, ONFAULT), EINVAL, "ONFAULT alone is EINVAL");
    check_fails(syscall(SYS_munlock, memory + 2 * PAGE, PAGE), ENOMEM,
                "munlock of an unmapped page is ENOMEM");
    raw_munmap(memory, 2 * PAGE);
}

static void locking(void)
{
    char *memory = anon_at(free_range(8), 8, READ_WRITE);
    long before = minor_faults();

    check_eq(lock(memory + PAGE + 10, PAGE), 0, "mlock rounds outward");
    check_eq(minor_faults() - before, 2, "and faults its pages in");
    check_str(present(memory, 8), "01100000", "which are present");
    check_str(vmas(memory, 8), "0-1 rw-p, 1-3 rw-p, 3-8 rw-p", "locked pages are a mapping apart");
    check_eq(write_faults(memory + PAGE, 2), 0, "and are written without a fault");
    check_eq(syscall(SYS_munlock, memory, 8 * PAGE), 0, "munlock undoes it");
    write_pages(memory, 8);
    check_eq(syscall(SYS_mlock2, memory + 4 * PAGE, 4 * PAGE, 1), 0,
             "mlock2 with ONFAULT succeeds");
    check_eq(syscall(SYS_munlock, memory, 8 * PAGE), 0, "and is undone");
    raw_munmap(memory, 8 * PAGE);
    memory = anon_at(free_range(8), 8, READ_WRITE);
    syscall(SYS_mlock2, memory + 4 * PAGE, 4 * PAGE, 1);
    check_str(present(memory, 8), "00000000", "mlock2 with ONFAULT faults nothing in");
    check_str(vmas(memory, 8), "0-4 rw-p, 4-8 rw-p", "but locks: it is a mapping apart");
    check_eq(syscall(SYS_munlock, memory, 8 * PAGE), 0, "which munlock undoes");
    check_str(vmas(memory, 8), "0-8 rw-p", "and pages never touched are one mapping again");
    raw_munmap(memory, 8 * PAGE);
}

static void protections(void)
{
    char *memory = anon_at(free_range(4), 4, PROT_NONE);

    check_fails(lock(memory, PAGE), ENOMEM, "locking what has no access is ENOMEM");
    check_str(vmas(memory, 4), "0-1 ---p, 1-4 ---p", "but it is marked as locked");
    raw_mprotect(memory, PAGE, PROT_READ);
    check_str(present(memory, 4), "0000", "made readable it is not faulted in");
    anon_at(memory, 4, PROT_READ);
    check_eq(lock(memory, PAGE), 0, "read-only memory can be locked");
    check_str(present(memory, 4), "1000", "and is present then");
    raw_munmap(memory, 4 * PAGE);
}

static void all_of_it(void *nothing)
{
    char *before = anon(2), *after;

    (void)nothing;
    if (syscall(SYS_mlockall, CURRENT) != 0)
        _exit(1);
    if (strcmp(present(before, 2), "11") != 0)
        _exit(2);
    after = anon(2);
    if (strcmp(present(after, 2), "00") != 0)
        _exit(3);
    if (syscall(SYS_mlockall, FUTURE) != 0)
        _exit(4);
    after = anon(2);
    if (strcmp(present(after, 2), "11") != 0)
        _exit(5);
    if (syscall(SYS_munlockall) != 0)
        _exit(6);
    after = anon(2);
    if (strcmp(present(after, 2), "00") != 0)
        _exit(7);
    if (syscall(SYS_mlockall, FUTURE | ONFAULT) != 0)
        _exit(8);
    after = anon(2);
    if (strcmp(present(after, 2), "00") != 0)
        _exit(9);
    _exit(0);
}

/* In an unprivileged child: a limit of two pages. */
static void limited(void *nothing)
{
    struct rlimit limit = {2 * PAGE, 2 * PAGE};
    char *memory = anon_at(free_range(4), 4, READ_WRITE);

    (void)nothing;
    setrlimit(RLIMIT_MEMLOCK, &limit);
    if (lock(memory, 2 * PAGE) != 0)
        _exit(1);
    if (lock(memory, 3 * PAGE) != -1 || errno != ENOMEM)
        _exit(2);
    if (lock(memory, 2 * PAGE) != 0) /* what is locked already is not counted twice */
        _exit(3);
    if (raw_mmap(0, PAGE, READ_WRITE, PRIVATE_ANON | MAP_LOCKED, -1, 0) != MAP_FAILED ||
        errno != EAGAIN)
        _exit(4);
    limit.rlim_cur = limit.rlim_max = 0;
    setrlimit(RLIMIT_MEMLOCK, &limit);
    if (lock(memory, PAGE) != -1 || errno != EPERM)
        _exit(5);
    if (raw_mmap(0, PAGE, READ_WRITE, PRIVATE_ANON | MAP_LOCKED, -1, 0) != MAP_FAILED ||
        errno != EPERM)
        _exit(6);
    if (syscall(SYS_mlockall, CURRENT) != -1 || errno != EPERM)
        _exit(7);
    if (syscall(SYS_munlock, memory, 4 * PAGE) != 0)
        _exit(8);
    _exit(0);
}

static void inherited(void *memory)
{
    if (strcmp(vmas(memory, 2), "0-2 rw-p") != 0)
        _exit(1);
}

static void across_fork(void)
{
    char *memory = anon_at(free_range(2), 2, READ_WRITE);

    lock(memory, PAGE);
    check_str(vmas(memory, 2), "0-1 rw-p, 1-2 rw-p", "half a mapping is locked");
    check_eq(status_of_child(inherited, memory), 1 << 8,
             "a child's mappings stay apart, though locks are not inherited");
    raw_munmap(memory, 2 * PAGE);
}

int main(void)
{
    warm_up();
    refusals();
    locking();
    protections();
    check_eq(status_of_child(all_of_it, NULL), 0,
             "mlockall locks what is there, what will come, or what is touched, as it is told");
    check_eq(status_as_nobody(limited, NULL), 0,
             "an ordinary user's locks end at the limit: mlock ENOMEM, mmap EAGAIN, at 0 EPERM");
    across_fork();
    return done();
}
