/* Checks what a system call makes of a user's pointer: good, untouched, bad, across a page's end. */
#include <fcntl.h>

#include "mem.h"

static int ends[2]; /* a pipe: 0 to read, 1 to write */
static char *good, *bad, *read_only;

static long raw_write(int fd, const void *buffer, unsigned long length)
{
    return syscall(SYS_write, fd, buffer, length);
}

static long raw_read(int fd, void *buffer, unsigned long length)
{
    return syscall(SYS_read, fd, buffer, length);
}

/* Takes what is left out of the pipe; the number of bytes. */
static long drain(void)
{
    static char sink[65536];
    int flags = fcntl(ends[0], F_GETFL);
    long got, sum = 0;

    fcntl(ends[0], F_SETFL, flags | O_NONBLOCK);
    while ((got = raw_read(ends[0], sink, sizeof(sink))) > 0)
        sum += got;
    fcntl(ends[0], F_SETFL, flags);
    return sum;
}

static void bad_pointers(void)
{
    static const unsigned long kinds[] = {0, 1, 0xfff, USER_END, USER_END - 1, 1UL << 47,
                                          NON_CANONICAL, KERNEL_ADDRESS, 0xffff888000000000,
                                          -1UL, -PAGE};

    for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        check_fails(raw_write(ends[1], (void *)kinds[i], 2), EFAULT, "write from 0x%lx is EFAULT",
                    kinds[i]);
        raw_write(ends[1], "ab", 2);
        check_fails(raw_read(ends[0], (void *)kinds[i], 2), EFAULT, "read to 0x%lx is EFAULT",
                    kinds[i]);
        drain();
    }
    check_fails(raw_write(ends[1], bad, 1), EFAULT, "write from an unmapped page is EFAULT");
}

static void length_zero(void)
{
    check_eq(raw_write(ends[1], NULL, 0), 0, "write of length 0 from NULL is fine");
    check_eq(raw_read(ends[0], NULL, 0), 0, "read of length 0 to NULL is fine");
    check_fails(raw_write(ends[1], (void *)KERNEL_ADDRESS, 0), EFAULT,
                "write of length 0 from a kernel address is EFAULT");
    check_fails(raw_read(ends[0], (void *)KERNEL_ADDRESS, 0), EFAULT,
                "read of length 0 to a kernel address is EFAULT");
    check_eq(raw_write(ends[1], bad, 0), 0, "write of length 0 from an unmapped page is fine");
}

static void the_descriptor_first(void)
{
    check_fails(raw_write(999, NULL, 1), EBADF, "a bad descriptor with a bad pointer is EBADF");
    check_fails(raw_read(999, NULL, 1), EBADF, "for read too");
    check_fails(raw_write(ends[0], NULL, 1), EBADF, "write to the reading end is EBADF");
    check_fails(raw_read(ends[1], NULL, 1), EBADF, "read from the writing end is EBADF");
    check_fails(raw_write(-1, good, 0), EBADF, "descriptor -1 is EBADF, also with length 0");
}

static void untouched_buffers(void)
{
    char *fresh = anon(4), echo[8];

    check_eq(raw_write(ends[1], fresh, 8), 8, "write from a promised, untouched page works");
    check_eq(raw_read(ends[0], echo, 8), 8, "it is read back");
    check(all_bytes_are(echo, 8, 0), "as zeros");
    raw_write(ends[1], "abcdefgh", 8);
    check_eq(raw_read(ends[0], fresh + PAGE, 8), 8, "read to a promised, untouched page works");
    check(memcmp(fresh + PAGE, "abcdefgh", 8) == 0, "and the bytes arrive");
    raw_write(ends[1], "abcdefgh", 8);
    check_eq(raw_read(ends[0], fresh + 3 * PAGE - 4, 8), 8, "across two untouched pages too");
    check(memcmp(fresh + 3 * PAGE - 4, "abcdefgh", 8) == 0, "and the bytes arrive in both");
    raw_munmap(fresh, 4 * PAGE);
}

static void kernel_faults_count(void)
{
    char *fresh = anon(2);
    long before;

    raw_write(ends[1], "abcdefgh", 8);
    before = minor_faults();
    raw_read(ends[0], fresh, 8);
    check_eq(minor_faults() - before, 1, "a fault that the kernel takes on a buffer is counted");
    before = minor_faults();
    raw_write(ends[1], fresh + PAGE, 8);
    check_eq(minor_faults() - before, 1, "for a read of the buffer too");
    drain();
    raw_munmap(fresh, 2 * PAGE);
}

static void read_only_buffers(void)
{
    char echo[4] = "";

    raw_write(ends[1], "abcd", 4);
    check_fails(raw_read(ends[0], read_only, 4), EFAULT, "read to a read-only page is EFAULT");
    check_eq(raw_read(ends[0], echo, 4), 4, "and the data is not consumed");
    check(memcmp(echo, "abcd", 4) == 0, "not even in part");
    check_eq(raw_write(ends[1], read_only, 4), 4, "write from a read-only page is fine");
    drain();
    raw_write(ends[1], "abcd", 4);
    check_fails(raw_read(ends[0], (void *)"constant", 4), EFAULT,
                "read into the program's constants is EFAULT");
    drain();
}

static void across_the_end(void)
{
    check_fails(raw_write(ends[1], bad - 10, 20), EFAULT,
                "10 good and 10 bad bytes into a pipe are EFAULT");
    check_eq(drain(), 0, "and nothing is written");
    check_eq(raw_write(ends[1], bad - PAGE, 2 * PAGE), PAGE,
             "a good page and a bad one into a pipe give one page");
    check_eq(drain(), PAGE, "and that page is written");
    raw_write(ends[1], "abcdefghijkl", 12);
    check_fails(raw_read(ends[0], bad - 4, 12), EFAULT, "read to 4 good and 8 bad bytes is EFAULT");
    check_eq(drain(), 12, "and nothing is consumed");
    check(memcmp(bad - 4, "abcd", 4) == 0, "though the good bytes were written");
}

static void copies_of_copies(void *pattern)
{
    if (raw_read(ends[0], pattern, 4) != 4 || memcmp(pattern, "kids", 4) != 0)
        _exit(1);
}

static void copy_on_write_buffers(void)
{
    strcpy(good, "parent");
    raw_write(ends[1], "kids", 4);
    check_eq(status_of_child(copies_of_copies, good), 0,
             "a child reads into a page that it shares by copy-on-write");
    check_str(good, "parent", "and the parent's page is as it was");
}

static void other_calls(void)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(3);
    check_fails(syscall(SYS_wait4, child, bad, 0, NULL), EFAULT,
                "wait4 with a bad pointer is EFAULT");
    check_fails(waitpid(child, &status, 0), ECHILD, "and has reaped the child all the same");
    check_fails(syscall(SYS_pipe, bad), EFAULT, "pipe with a bad pointer is EFAULT");
    check_fails(syscall(SYS_pipe, NULL), EFAULT, "with NULL too");
    check_fails(syscall(SYS_open, NULL, O_RDONLY), EFAULT, "open of NULL is EFAULT");
    check_fails(syscall(SYS_open, bad, O_RDONLY), EFAULT, "open of an unmapped name is EFAULT");
    check_fails(syscall(SYS_open, (void *)KERNEL_ADDRESS, O_RDONLY), EFAULT,
                "open of a name in the kernel is EFAULT");
    memset(bad - 8, 'x', 8);
    check_fails(syscall(SYS_open, bad - 8, O_RDONLY), EFAULT,
                "open of a name that runs into an unmapped page is EFAULT");
    bad[-1] = '\0';
    check_fails(syscall(SYS_open, bad - 8, O_RDONLY), ENOENT,
                "one that ends just before it is not");
    check_fails(syscall(SYS_getrusage, RUSAGE_SELF, bad), EFAULT,
                "getrusage with a bad pointer is EFAULT");
    check_fails(syscall(SYS_getrusage, 99, bad), EINVAL, "but EINVAL when it does not know whose");
    check_fails(syscall(SYS_uname, bad), EFAULT, "uname with a bad pointer is EFAULT");
}

int main(void)
{
    warm_up();
    good = anon_at(free_range(3), 1, READ_WRITE);
    bad = good + PAGE;
    read_only = raw_mmap(0, PAGE, PROT_READ, PRIVATE_ANON, -1, 0);
    if (read_only == bad || pipe(ends) != 0)
        bail_out("cannot prepare the test");
    bad_pointers();
    length_zero();
    the_descriptor_first();
    untouched_buffers();
    kernel_faults_count();
    read_only_buffers();
    across_the_end();
    copy_on_write_buffers();
    other_calls();
    return done();
}
