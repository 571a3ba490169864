/* Checks private mappings of a file, with the program's own file as the file. */
#include <fcntl.h>

#include "mem.h"

static int file;
static unsigned long file_size;
static char contents[3 * PAGE]; /* the first pages of the file, by read */

static char *map(unsigned long offset, unsigned long length, int protection)
{
    return raw_mmap(0, length, protection, MAP_PRIVATE, file, offset);
}

static void open_file(const char *path)
{
    file = open(path, O_RDONLY);
    if (file < 0)
        bail_out("open of %s failed with errno %d", path, errno);
    file_size = (unsigned long)lseek(file, 0, SEEK_END);
    lseek(file, 0, SEEK_SET);
    if (read(file, contents, sizeof(contents)) != sizeof(contents))
        bail_out("the program is shorter than three pages");
}

static void reading(void)
{
    char *memory = map(0, 3 * PAGE, PROT_READ);

    if (!check(memory != MAP_FAILED, "a file that is open for reading can be mapped"))
        return;
    check(memcmp(memory, contents, 3 * PAGE) == 0, "the mapping shows what read gives");
    check(WRITE_KILLS(memory), "a read-only mapping cannot be written");
    raw_munmap(memory, 3 * PAGE);
    memory = map(PAGE, 2 * PAGE, PROT_READ);
    check(memcmp(memory, contents + PAGE, 2 * PAGE) == 0, "a mapping may begin at an offset");
    check_eq(vma_of(memory)->offset, PAGE, "which the maps file shows");
    raw_munmap(memory, 2 * PAGE);
}

static void writing(void)
{
    char *first = map(0, 2 * PAGE, READ_WRITE), *second = map(0, 2 * PAGE, READ_WRITE);
    char again[16];

    if (!check(first != MAP_FAILED, "a private mapping may be writable with a read-only descriptor"))
        return;
    first[1] = 'x';
    check(first[0] == contents[0] && first[1] == 'x' && first[2] == contents[2],
          "a write changes one byte of the page's copy");
    check(memcmp(second, contents, 2 * PAGE) == 0, "not the other mapping of the file");
    lseek(file, 0, SEEK_SET);
    check(read(file, again, 16) == 16 && memcmp(again, contents, 16) == 0, "and not the file");
    check(memcmp(first + PAGE, contents + PAGE, PAGE) == 0, "and not the next page");
    raw_munmap(first, 2 * PAGE);
    first = map(0, PAGE, READ_WRITE);
    check_eq(first[1], contents[1], "mapped anew, the write is gone");
    raw_munmap(first, PAGE);
    raw_munmap(second, 2 * PAGE);
}

static void the_last_page(void)
{
    unsigned long rest = file_size % PAGE, last = file_size - rest;
    char *memory = map(last, 2 * PAGE, PROT_READ);

    check(rest == 0 || all_bytes_are(memory + rest, PAGE - rest, 0),
          "in the file's last page the bytes behind its end are zero");
    check_eq(signal_of_child(read_byte, memory + PAGE), SIGBUS,
             "a page that lies wholly behind the file's end is SIGBUS");
    raw_munmap(memory, 2 * PAGE);
    memory = map(last + 64 * PAGE, PAGE, PROT_READ);
    check(memory != MAP_FAILED, "a mapping wholly behind the end can be made");
    check_eq(signal_of_child(read_byte, memory), SIGBUS, "and not be read");
    raw_munmap(memory, PAGE);
}

static void refusals(void)
{
    check_fails(map(1, PAGE, PROT_READ), EINVAL, "an unaligned offset is EINVAL");
    check_fails(map(0, 0, PROT_READ), EINVAL, "length 0 is EINVAL");
    check_fails(map(-PAGE, 2 * PAGE, PROT_READ), EOVERFLOW,
                "an offset whose pages pass 2^64 is EOVERFLOW");
    check_fails(raw_mmap(0, PAGE, READ_WRITE, MAP_SHARED, file, 0), EACCES,
                "a writable shared mapping of a read-only descriptor is EACCES");
    check_fails(raw_mmap(0, PAGE, PROT_READ, 0, file, 0), EINVAL, "no mapping type is EINVAL");
    close(file);
    check_fails(map(0, PAGE, PROT_READ), EBADF, "a closed descriptor is EBADF");
}

static void descriptor_closed(const char *path)
{
    char *memory = map(0, PAGE, PROT_READ);

    close(file);
    check(memcmp(memory, contents, PAGE) == 0, "a mapping outlives its descriptor");
    raw_munmap(memory, PAGE);
    file = open(path, O_RDONLY);
}

static void child_writes(void *memory)
{
    if (memcmp(memory, contents, PAGE) != 0)
        _exit(1);
    *(char *)memory = 'c';
}

static void across_fork(void)
{
    char *memory = map(0, PAGE, READ_WRITE);

    check_eq(status_of_child(child_writes, memory), 0, "a child inherits the mapping");
    check_eq(memory[0], contents[0], "and its write is its own");
    memory[0] = 'p';
    check_eq(status_of_child(child_writes, memory), 1 << 8, "a child inherits a changed page");
    check_eq(memory[0], 'p', "and its write stays its own there too");
    raw_munmap(memory, PAGE);
}

static void protections(void)
{
    char *memory = map(0, 2 * PAGE, PROT_READ);

    check_eq(raw_mprotect(memory, PAGE, READ_WRITE), 0,
             "a read-only private mapping can be made writable");
    memory[0] = 'x';
    check_eq(memory[0], 'x', "and is written");
    check_str(vmas(memory, 2), "0-1 rw-p, 1-2 r--p", "one page of it alone");
    raw_mprotect(memory, PAGE, PROT_READ);
    check_str(vmas(memory, 2), "0-1 r--p, 1-2 r--p",
              "made read-only again it stays apart: it is accounted for as writable once");
    check_eq(memory[0], 'x', "and keeps the write");
    raw_munmap(memory, 2 * PAGE);
}

static void merging(void)
{
    char *range = free_range(4);
    unsigned long at = (unsigned long)range;

    raw_mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
    raw_mmap(at + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, PAGE);
    check_str(vmas(range, 2), "0-2 r--p", "neighbours that continue the file are one mapping");
    raw_mmap(at + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
    check_str(vmas(range, 3), "0-2 r--p, 2-3 r--p", "neighbours that do not are two");
    anon_at(range + 3 * PAGE, 1, PROT_READ);
    check_str(vmas(range, 4), "0-2 r--p, 2-3 r--p, 3-4 r--p", "and anonymous memory is another");
    raw_munmap(range, 4 * PAGE);
}

int main(int argc, char **argv)
{
    (void)argc;
    open_file(argv[0]);
    reading();
    writing();
    the_last_page();
    descriptor_closed(argv[0]);
    across_fork();
    protections();
    merging();
    refusals();
    return done();
}
