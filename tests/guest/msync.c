/* Checks msync on anonymous memory: its flags, holes and locked pages. */
#define _GNU_SOURCE
#include "mem.h"

static long sync_range(void *address, unsigned long length, int flags)
{
    return syscall(SYS_msync, address, length, flags);
}

int main(void)
{
    enum { ASYNC = 1, INVALIDATE = 2, SYNC = 4 };
    char *memory = anon_at(free_range(6), 2, READ_WRITE);

    memory[0] = 'x';
    check_eq(sync_range(memory, PAGE, SYNC), 0, "SYNC succeeds");
    check_eq(sync_range(memory, PAGE, ASYNC), 0, "ASYNC succeeds");
    check_eq(sync_range(memory, PAGE, INVALIDATE), 0, "INVALIDATE succeeds");
    check_eq(sync_range(memory, PAGE, 0), 0, "no flag succeeds");
    check_eq(sync_range(memory, PAGE, SYNC | INVALIDATE), 0, "SYNC with INVALIDATE succeeds");
    check_fails(sync_range(memory, PAGE, SYNC | ASYNC), EINVAL, "SYNC with ASYNC is EINVAL");
    check_fails(sync_range(memory, PAGE, 8), EINVAL, "an unknown flag is EINVAL");
    check_fails(sync_range(memory + 1, PAGE, SYNC), EINVAL, "an unaligned address is EINVAL");
    check_eq(sync_range(memory, 0, SYNC), 0, "length 0 is fine");
    check_eq(sync_range(memory + 4 * PAGE, 0, SYNC), 0, "also where nothing is mapped");
    check_fails(sync_range(memory + 2 * PAGE, PAGE, SYNC), ENOMEM, "an unmapped page is ENOMEM");
    check_fails(sync_range(memory, 3 * PAGE, SYNC), ENOMEM, "a hole is ENOMEM");
    check_fails(sync_range(memory, -PAGE, SYNC), ENOMEM, "a wrapping range is ENOMEM");
    check_eq(sync_range(memory, -1UL, SYNC), 0, "length -1 rounds to 0");
    check_fails(sync_range((void *)KERNEL_ADDRESS, PAGE, SYNC), ENOMEM,
                "a kernel address is ENOMEM");
    syscall(SYS_mlock, memory, PAGE);
    check_fails(sync_range(memory, PAGE, INVALIDATE), EBUSY,
                "INVALIDATE of locked memory is EBUSY");
    check_eq(sync_range(memory, PAGE, SYNC), 0, "SYNC of it is fine");
    check_eq(memory[0], 'x', "the data is what it was");
    return done();
}
