/* Checks files in /tmp: holes, sizes, the end of a file, and that a shared mapping and the file are one thing. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "mem.h"

static struct stat status_of(int file)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        bail_out("fstat failed with errno %d", errno);
    return status;
}

static int make_file(void)
{
    int file = open("/tmp/tmp_file", O_CREAT | O_TRUNC | O_RDWR, 0600);
    if (file < 0)
        bail_out("/tmp cannot be written: errno %d", errno);
    return file;
}

static void sizes(int file)
{
    char bytes[16];

    check_eq(pwrite(file, "end", 3, 5 * PAGE), 3, "a write far behind the end");
    check_eq(status_of(file).st_size, 5 * PAGE + 3, "makes the file as long as that");
    check_eq(status_of(file).st_blocks, 8, "but takes room for one page only");
    check_eq(pread(file, bytes, 16, 2 * PAGE), 16, "the hole can be read");
    check(all_bytes_are(bytes, 16, 0), "as zeroes");
    check_eq(status_of(file).st_blocks, 8, "which takes no room");
    check_eq(pread(file, bytes, 16, 5 * PAGE - 2), 5, "a read stops at the end");
    check_eq(ftruncate(file, 5 * PAGE + 1), 0, "the file can be cut");
    check_eq(ftruncate(file, 6 * PAGE), 0, "and grown again");
    check_eq(pread(file, bytes, 3, 5 * PAGE), 3, "then its old end");
    check(bytes[0] == 'e' && bytes[1] == 0 && bytes[2] == 0, "reads as zero behind the cut");
    check_eq(ftruncate(file, 0), 0, "cut to nothing");
    check_eq(status_of(file).st_blocks, 0, "it takes no room");
    check_fails(ftruncate(file, -1), EINVAL, "a negative size is EINVAL");
    check_fails(ftruncate(open("/tmp/tmp_file", O_RDONLY), 0), EINVAL, "through a descriptor for reading it is EINVAL");
    check_fails(truncate("/tmp", 0), EISDIR, "truncating a directory is EISDIR");
    check_eq(lseek(file, 0, SEEK_END), 0, "the end is where the size says");
    check_fails(lseek(file, 0, 3), ENXIO, "no data behind the end");
}

static void appending(void)
{
    int one = open("/tmp/tmp_file", O_RDWR | O_APPEND), other = open("/tmp/tmp_file", O_RDWR | O_APPEND);
    char bytes[8] = "";

    check(write(one, "ab", 2) == 2 && write(other, "cd", 2) == 2 && write(one, "ef", 2) == 2,
          "two descriptors append");
    check_eq(pread(one, bytes, 8, 0), 6, "all that was written");
    check_str(bytes, "abcdef", "in the order of the writes");
    check_eq(pwrite(one, "gh", 2, 0), 2, "even pwrite appends, on Linux");
    check_eq(status_of(one).st_size, 8, "so the file has grown");
    close(one);
    close(other);
}

static void broken_buffers(int file)
{
    char *memory = anon(2);
    struct iovec parts[2] = { { memory + PAGE - 3, 3 }, { memory + PAGE, 10 } };

    memory[0] = memory[PAGE - 1] = 'x';
    raw_munmap(memory + PAGE, PAGE);
    if (ftruncate(file, 0) != 0)
        bail_out("ftruncate failed with errno %d", errno);
    check_eq(pwrite(file, memory + PAGE - 10, 20, 0), 10, "a write writes what is readable");
    check_eq(status_of(file).st_size, 10, "and no more");
    check_fails(pwrite(file, memory + PAGE, 20, 100), EFAULT, "nothing readable is EFAULT");
    check_eq(status_of(file).st_size, 10, "and leaves the size");
    check_fails(pwrite(file, memory + PAGE, 20, 5 * PAGE), EFAULT, "far behind the end, too");
    check_eq(status_of(file).st_blocks, 8, "and takes no room for it");
    check_eq(syscall(296 /* pwritev */, file, parts, 2, 0, 0), 3, "a list of buffers is written up to the bad one");
    check_eq(pread(file, memory + PAGE - 4, 10, 0), 4, "a read reads what there is room for");
    check_fails(pread(file, memory + PAGE, 10, 0), EFAULT, "no room at all is EFAULT");
    raw_munmap(memory, PAGE);
}

static void mapped(int file)
{
    char byte = 0;

    if (ftruncate(file, 2 * PAGE) != 0)
        bail_out("ftruncate failed with errno %d", errno);
    char *shared = raw_mmap(0, 2 * PAGE, READ_WRITE, MAP_SHARED, file, 0);
    char *private = raw_mmap(0, 2 * PAGE, READ_WRITE, MAP_PRIVATE, file, 0);
    if (!check(shared != MAP_FAILED && private != MAP_FAILED, "a file in /tmp can be mapped shared and private"))
        return;
    shared[PAGE] = 's';
    check_eq(pread(file, &byte, 1, PAGE), 1, "after a store to the shared mapping a read");
    check_eq(byte, 's', "sees it");
    check_eq(private[PAGE], 's', "and the private mapping does, too");
    check_eq(pwrite(file, "w", 1, PAGE), 1, "after a write");
    check(shared[PAGE] == 'w' && private[PAGE] == 'w', "both mappings see it");
    private[PAGE] = 'p';
    check_eq(shared[PAGE], 'w', "a store to the private mapping is its own");
    check_str(vma_of(shared)->name, "/tmp/tmp_file", "the maps file names the file");
    check_eq(ftruncate(file, PAGE), 0, "when the file is cut");
    check_eq(signal_of_child(read_byte, shared + PAGE), SIGBUS, "the page behind its end is SIGBUS");
    check_eq(signal_of_child(read_byte, private + PAGE), SIGBUS, "the private copy is gone as well");
    check_eq(ftruncate(file, 2 * PAGE), 0, "when it grows again");
    check_eq(shared[PAGE], 0, "there are zeroes");
    check_eq(unlink("/tmp/tmp_file"), 0, "without a name");
    shared[0] = 'u';
    check_eq(pread(file, &byte, 1, 0), 1, "it is still there");
    check_str(vma_of(shared)->name, "/tmp/tmp_file (deleted)", "and the maps file says so");
    raw_munmap(private, 2 * PAGE);
    raw_munmap(shared, 2 * PAGE);
}

int main(void)
{
    int file = make_file();

    sizes(file);
    appending();
    broken_buffers(file);
    mapped(file);
    close(file);
    return done();
}
