/* Checks the text of /proc/self/maps and of another process's maps file, to the byte. */
#include <fcntl.h>
#include <sys/stat.h>

#include "mem.h"

/* The line of the maps file that begins at START, without its newline. */
static const char *line_at(const void *start)
{
    static char line[256];
    char head[32];
    const char *text = file_text("/proc/self/maps");

    snprintf(head, sizeof(head), "%08lx-", (unsigned long)start);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        if (strncmp(text, head, strlen(head)) == 0 && length < sizeof(line)) {
            memcpy(line, text, length);
            line[length] = '\0';
            return line;
        }
        text += length + (text[length] == '\n');
    }
    return "no such line";
}

static void anonymous_lines(void)
{
    char *memory = anon_at(free_range(3), 3, READ_WRITE), expected[128];

    snprintf(expected, sizeof(expected), "%lx-%lx rw-p 00000000 00:00 0 ", (unsigned long)memory,
             (unsigned long)memory + 3 * PAGE);
    check_str(line_at(memory), expected, "an anonymous mapping's line ends in a space");
    raw_munmap(memory, 3 * PAGE);
    memory = raw_mmap(0x20000, PAGE, PROT_READ, PRIVATE_ANON | MAP_FIXED, -1, 0);
    check_str(line_at(memory), "00020000-00021000 r--p 00000000 00:00 0 ",
              "addresses have at least eight digits");
    raw_munmap(memory, PAGE);
}

static void named_lines(void)
{
    const char *text, *found;
    char *heap = (char *)((raw_brk(0) + PAGE - 1) & -PAGE);

    raw_brk((unsigned long)heap + PAGE);
    text = file_text("/proc/self/maps");
    found = strstr(text, "[heap]\n");
    check(found != NULL, "the heap's line ends in [heap]");
    while (found > text && found[-1] != '\n')
        found--;
    check(found != NULL && strcspn(found, "[") == 73, "the name begins in column 73");
    found = strstr(text, "[stack]\n");
    check(found != NULL, "the stack's line ends in [stack]");
    while (found > text && found[-1] != '\n')
        found--;
    check(found != NULL && strcspn(found, "[") == 73, "in the same column");
    raw_brk((unsigned long)heap);
}

static void file_lines(const char *self)
{
    static struct stat status;
    int file = open(self, O_RDONLY);
    char *memory = raw_mmap(0, 2 * PAGE, PROT_READ, MAP_PRIVATE, file, PAGE), expected[256];

    fstat(file, &status);
    snprintf(expected, sizeof(expected), "%lx-%lx r--p 00001000 %02x:%02x %lu ",
             (unsigned long)memory, (unsigned long)memory + 2 * PAGE,
             (unsigned int)(status.st_dev >> 8 & 0xfff), (unsigned int)(status.st_dev & 0xff),
             (unsigned long)status.st_ino);
    check(strncmp(line_at(memory), expected, strlen(expected)) == 0,
          "a file mapping's line tells offset, device and inode");
    check_str(vma_of(memory)->name, self, "and the file's path");
    check_eq(strlen(line_at(memory)), 73 + strlen(self), "which begins in column 73");
    raw_munmap(memory, 2 * PAGE);
    close(file);
}

static void the_program(const char *self)
{
    check_str(vma_of((void *)(uintptr_t)the_program)->name, self,
              "the code is a mapping of the program");
    check_str(vma_of((void *)(uintptr_t)the_program)->permissions, "r-xp",
              "readable and executable");
    check_str(vma_of("constant")->permissions, "r--p", "its constants are only readable");
}

static void order_of_lines(void)
{
    const char *text = file_text("/proc/self/maps");
    struct vma_line line;
    unsigned long end = 0;
    bool sorted = true;

    while ((text = parse_vma_line(text, &line)) != NULL) {
        sorted &= line.start >= end && line.end > line.start && line.start % PAGE == 0;
        end = line.end;
    }
    check(sorted, "the lines are sorted, and no two mappings overlap");
}

static void small_reads(void)
{
    static char whole[16384], parts[16384];
    int file = open("/proc/self/maps", O_RDONLY);
    ssize_t got, length = 0;

    while ((got = read(file, parts + length, 7)) > 0)
        length += got;
    parts[length] = '\0';
    strcpy(whole, file_text("/proc/self/maps"));
    check(strcmp(whole, parts) == 0, "read by seven bytes at a time it is the same text");
    check_eq(lseek(file, 0, SEEK_SET), 0, "it can be sought back to its start");
    check(read(file, parts, 20) > 0 && memcmp(whole, parts, 20) == 0, "and read again");
    check_eq(pread(file, parts, 20, 5), 20, "pread works at an offset");
    check(memcmp(whole + 5, parts, 20) == 0, "and gives the text from there");
    close(file);
}

static void long_files(void)
{
    enum { PAGES = 600 };
    char *memory = anon_at(free_range(PAGES), PAGES, READ_WRITE);
    const char *text;
    unsigned long lines = 0;
    struct vma_line line;

    for (int i = 0; i < PAGES; i += 2)
        raw_mprotect(memory + i * PAGE, PAGE, PROT_READ);
    text = file_text("/proc/self/maps");
    while ((text = parse_vma_line(text, &line)) != NULL)
        lines += line.start >= (unsigned long)memory && line.end <= (unsigned long)memory + PAGES * PAGE;
    check_eq(lines, PAGES, "six hundred mappings are six hundred lines");
    raw_munmap(memory, PAGES * PAGE);
}

static void another_process(void)
{
    static char path[64], mine[16384];
    int ends[2], status;
    char byte;
    pid_t child;

    if (pipe(ends) != 0)
        bail_out("pipe failed");
    child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    strcpy(mine, file_text("/proc/self/maps"));
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)child);
    check_str(file_text(path), mine, "a child's maps file shows what its parent's does");
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)getpid());
    check_str(file_text(path), mine, "/proc/PID/maps of oneself is /proc/self/maps");
    close(ends[0]);
    close(ends[1]);
    waitpid(child, &status, 0);
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)child);
    check_fails(open(path, O_RDONLY), ENOENT, "a process that is gone has no maps file");
    check_fails(open("/proc/4194305/maps", O_RDONLY), ENOENT, "nor has one that never was");
}

int main(int argc, char **argv)
{
    (void)argc;
    anonymous_lines();
    named_lines();
    file_lines(argv[0]);
    the_program(argv[0]);
    order_of_lines();
    small_reads();
    long_files();
    another_process();
    return done();
}
