/* Checks memfd_create and shared mappings of its file: one object with a descriptor. */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "mem.h"

static int make(const char *name, unsigned long pages)
{
    int file = (int)syscall(SYS_memfd_create, name, 0);

    if (file < 0 || ftruncate(file, (off_t)(pages * PAGE)) != 0)
        bail_out("memfd_create failed with errno %d", errno);
    return file;
}

static char *map(int file, unsigned long pages, int protection, int flags)
{
    return raw_mmap(0, pages * PAGE, protection, flags, file, 0);
}

static void as_a_file(void)
{
    static struct stat status;
    int file = (int)syscall(SYS_memfd_create, "name", 0);
    char text[8] = "";

    check(file >= 0, "memfd_create gives a descriptor");
    check_eq(lseek(file, 0, SEEK_END), 0, "of an empty file");
    check_eq(write(file, "hello", 5), 5, "it can be written");
    check_eq(lseek(file, 0, SEEK_SET), 0, "sought in");
    check_eq(read(file, text, 8), 5, "and read");
    check_str(text, "hello", "what was written comes back");
    check_eq(ftruncate(file, 3), 0, "it can be cut");
    check_eq(ftruncate(file, 2 * (off_t)PAGE), 0, "and lengthened");
    lseek(file, 0, SEEK_SET);
    check_eq(read(file, text, 8), 8, "the new length can be read");
    check(memcmp(text, "hel\0\0\0\0", 7) == 0, "what was cut off and added is zero");
    fstat(file, &status);
    check(S_ISREG(status.st_mode) && status.st_size == 2 * (off_t)PAGE, "fstat tells its size");
    check_eq(pwrite(file, "x", 1, 3 * (off_t)PAGE), 1, "a write behind the end lengthens it");
    fstat(file, &status);
    check_eq(status.st_size, 3 * (long)PAGE + 1, "leaving a hole");
    check_eq(pread(file, text, 1, 2 * (off_t)PAGE + 5), 1, "which can be read");
    check_eq(text[0], 0, "as zero");
    close(file);
}

static void flags(void)
{
    static char name[260];
    int file = (int)syscall(SYS_memfd_create, "", 1);

    check(file >= 0, "an empty name is fine");
    check_eq(fcntl(file, F_GETFD), FD_CLOEXEC, "MFD_CLOEXEC sets FD_CLOEXEC");
    close(file);
    check_fails(syscall(SYS_memfd_create, "x", 0x100), EINVAL, "an unknown flag is EINVAL");
    check_fails(syscall(SYS_memfd_create, NULL, 0), EFAULT, "a bad name is EFAULT");
    memset(name, 'n', 249);
    file = (int)syscall(SYS_memfd_create, name, 0);
    check(file >= 0, "a name of 249 bytes is fine");
    close(file);
    name[249] = 'n';
    check_fails(syscall(SYS_memfd_create, name, 0), EINVAL, "one of 250 is EINVAL");
}

static void shared_mapping(void)
{
    int file = make("shared", 2);
    char *first = map(file, 2, READ_WRITE, MAP_SHARED), *second = map(file, 2, PROT_READ, MAP_SHARED);
    char text[4] = "";

    first[0] = 'm';
    check_eq(second[0], 'm', "two shared mappings show the same memory");
    check_eq(pread(file, text, 1, 0), 1, "read");
    check_eq(text[0], 'm', "sees what was written through a mapping");
    check_eq(pwrite(file, "w", 1, (off_t)PAGE), 1, "write");
    check_eq(first[PAGE], 'w', "is seen through the mapping");
    close(file);
    first[1] = 'n';
    check_eq(second[1], 'n', "mappings outlive the descriptor");
    check_str(vma_of(first)->name, "/memfd:shared (deleted)", "the maps file names it");
    check_str(vma_of(first)->permissions, "rw-s", "as shared");
    raw_munmap(first, 2 * PAGE);
    raw_munmap(second, 2 * PAGE);
}

static void private_mapping(void)
{
    int file = make("private", 2);
    char *shared = map(file, 2, READ_WRITE, MAP_SHARED), *private = map(file, 2, READ_WRITE, MAP_PRIVATE);

    shared[0] = 's';
    check_eq(private[0], 's', "a private mapping shows the file's page");
    shared[0] = 't';
    check_eq(private[0], 't', "and changes to it, while it has not been written");
    private[0] = 'p';
    check_eq(shared[0], 't', "a write to it is its own");
    shared[1] = 'u';
    check_eq(private[1], 0, "and from then on the file's changes are not seen in that page");
    shared[PAGE] = 'v';
    check_eq(private[PAGE], 'v', "but in the next");
    syscall(SYS_madvise, private, PAGE, 4 /* MADV_DONTNEED */);
    check_eq(private[0], 't', "after DONTNEED it shows the file again");
    raw_munmap(shared, 2 * PAGE);
    raw_munmap(private, 2 * PAGE);
    close(file);
}

static void the_end(void)
{
    int file = make("end", 1);
    char *memory = map(file, 3, READ_WRITE, MAP_SHARED);

    check_eq(signal_of_child(read_byte, memory + PAGE), SIGBUS, "a page behind the end is SIGBUS");
    ftruncate(file, 2 * (off_t)PAGE);
    check_eq(signal_of_child(write_byte, memory + PAGE), 0, "until the file is lengthened");
    check_eq(memory[PAGE], 1, "a child's write reaches it");
    ftruncate(file, 100);
    check_eq(signal_of_child(read_byte, memory + PAGE), SIGBUS, "cut again, it is SIGBUS again");
    check_eq(signal_of_child(write_byte, memory + 200), 0,
             "the rest of the last page can be written");
    ftruncate(file, (off_t)PAGE);
    check_eq(memory[200], 1, "and stays when the file grows without the page being cut");
    memory[50] = 'a';
    memory[150] = 'b';
    ftruncate(file, 100);
    ftruncate(file, (off_t)PAGE);
    check(memory[50] == 'a' && memory[150] == 0, "cutting zeroes what lies behind the new end");
    raw_munmap(memory, 3 * PAGE);
    close(file);
}

static void permissions(void)
{
    int file = make("permissions", 1), reader;
    char path[64], *memory;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    reader = open(path, O_RDONLY);
    if (!check(reader >= 0, "it can be opened again through /proc/self/fd"))
        return;
    check_fails(map(reader, 1, READ_WRITE, MAP_SHARED), EACCES,
                "a writable shared mapping needs a descriptor for writing");
    memory = map(reader, 1, PROT_READ, MAP_SHARED);
    check(memory != MAP_FAILED, "a read-only one does not");
    check_fails(raw_mprotect(memory, PAGE, READ_WRITE), EACCES, "but cannot be made writable");
    raw_munmap(memory, PAGE);
    memory = map(reader, 1, READ_WRITE, MAP_PRIVATE);
    check(memory != MAP_FAILED, "a private one may be writable");
    raw_munmap(memory, PAGE);
    close(reader);
    close(file);
}

static void writes_in_child(void *memory)
{
    ((char *)memory)[0] = 'c';
}

static void across_fork(void)
{
    int file = make("fork", 1);
    char *memory = map(file, 1, READ_WRITE, MAP_SHARED);

    status_of_child(writes_in_child, memory);
    check_eq(memory[0], 'c', "a child shares an inherited shared mapping");
    raw_munmap(memory, PAGE);
    close(file);
}

int main(void)
{
    as_a_file();
    flags();
    shared_mapping();
    private_mapping();
    the_end();
    permissions();
    across_fork();
    return done();
}
