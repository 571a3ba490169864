/* Checks mincore: which pages are resident, and its refusals. */
#define _GNU_SOURCE
#include "mem.h"

static unsigned char vector[64];

static long core(void *address, unsigned long length)
{
    memset(vector, 0x77, sizeof(vector));
    return syscall(SYS_mincore, address, length, vector);
}

/* The vector of PAGES pages as a string of '0' and '1', or of what else is in it. */
static const char *resident(char *memory, unsigned long pages)
{
    static char picture[65];
    unsigned long i;

    if (core(memory, pages * PAGE) != 0)
        return "it fails";
    for (i = 0; i < pages; i++)
        picture[i] = vector[i] == 0 ? '0' : vector[i] == 1 ? '1' : '?';
    picture[i] = '\0';
    return picture;
}

static void refusals(void)
{
    char *memory = anon_at(free_range(4), 2, READ_WRITE);
    char *read_only = raw_mmap(0, PAGE, PROT_READ, PRIVATE_ANON, -1, 0);

    check_fails(core(memory + 1, PAGE), EINVAL, "an unaligned address is EINVAL");
    check_fails(core(memory + 2 * PAGE, PAGE), ENOMEM, "an unmapped page is ENOMEM");
    check_fails(core(memory, 3 * PAGE), ENOMEM, "a hole at the end is ENOMEM");
    check_fails(core((void *)KERNEL_ADDRESS, PAGE), ENOMEM, "a kernel address is ENOMEM");
    check_fails(core(memory, -PAGE), ENOMEM, "a wrapping range is ENOMEM");
    check_eq(core(memory, 0), 0, "length 0 is fine");
    check_eq(core(memory + 2 * PAGE, 0), 0, "also where nothing is mapped");
    check_eq(vector[0], 0x77, "and leaves the vector alone");
    check_fails(syscall(SYS_mincore, memory, PAGE, NULL), EFAULT, "a NULL vector is EFAULT");
    check_fails(syscall(SYS_mincore, memory, PAGE, read_only), EFAULT,
                "a read-only vector is EFAULT");
    check_fails(syscall(SYS_mincore, memory, PAGE, KERNEL_ADDRESS), EFAULT,
                "a vector in the kernel is EFAULT");
    check_fails(syscall(SYS_mincore, memory + 2 * PAGE, PAGE, NULL), ENOMEM,
                "the range is looked at before a NULL vector");
    check_fails(syscall(SYS_mincore, memory + 2 * PAGE, PAGE, KERNEL_ADDRESS), EFAULT,
                "but after a vector in the kernel");
    check_eq(core(memory, 1), 0, "one byte is a page");
    check(vector[0] == 0 && vector[1] == 0x77, "and one byte of the vector");
    raw_munmap(memory, 2 * PAGE);
    raw_munmap(read_only, PAGE);
}

static void what_is_resident(void)
{
    char *memory = anon_at(free_range(8), 8, READ_WRITE);

    check_str(resident(memory, 8), "00000000", "fresh pages are not resident");
    memory[2 * PAGE] = 1;
    check_str(resident(memory, 8), "00100000", "a written page is");
    read_pages(memory + 4 * PAGE, 1);
    check_str(resident(memory, 8), "00101000", "a page that maps the zero frame is");
    syscall(SYS_madvise, memory, 8 * PAGE, 4 /* MADV_DONTNEED */);
    check_str(resident(memory, 8), "00000000", "after MADV_DONTNEED none is");
    write_pages(memory, 8);
    raw_mprotect(memory, 2 * PAGE, PROT_NONE);
    check_str(resident(memory, 8), "11111111", "a page without access stays resident");
    raw_munmap(memory + 3 * PAGE, PAGE);
    check_str(resident(memory, 3), "111", "a part can be asked for");
    check_str(resident(memory, 8), "it fails", "but not over a hole");
    raw_munmap(memory, 8 * PAGE);
}

static void shared(void)
{
    char *memory = raw_mmap(0, 4 * PAGE, READ_WRITE, SHARED_ANON, -1, 0);

    check_str(resident(memory, 4), "0000", "fresh shared pages are not resident");
    memory[PAGE] = 1;
    check_str(resident(memory, 4), "0100", "a written one is");
    syscall(SYS_madvise, memory, 4 * PAGE, 4 /* MADV_DONTNEED */);
    check_str(resident(memory, 4), "0100", "it still is when it is only unmapped");
    raw_munmap(memory, 4 * PAGE);
}

static void in_a_child(void *memory)
{
    if (strcmp(resident(memory, 4), "1010") != 0)
        _exit(1);
}

static void after_fork(void)
{
    char *memory = anon_at(free_range(4), 4, READ_WRITE);

    memory[0] = memory[2 * PAGE] = 1;
    check_eq(status_of_child(in_a_child, memory), 0, "a child's inherited pages are resident");
    raw_munmap(memory, 4 * PAGE);
}

int main(void)
{
    refusals();
    what_is_resident();
    shared();
    after_fork();
    return done();
}
