/*
 * What the guest tests share: raw memory calls (a C library may alter or refuse them), and ways to
 * look at the result: fault counts, the lines of /proc/self/maps, residency, page frames.
 */
#ifndef TESTS_GUEST_MEM_H
#define TESTS_GUEST_MEM_H

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "ktap.h"

#define PAGE 4096UL
#define USER_END 0x7ffffffff000UL /* the first address that no program may use */
#define KERNEL_ADDRESS 0xffffffff80000000UL
#define NON_CANONICAL 0x8000000000000000UL
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define PRIVATE_ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED_ANON (MAP_SHARED | MAP_ANONYMOUS)
#define NOBODY 65534 /* a user without privileges */
#define MAYBE_UNUSED __attribute__((unused))

/* Call after flags and numbers of our own: what older or smaller headers may lack. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_32BIT
#define MAP_32BIT 0x40
#endif
#ifndef MAP_GROWSDOWN
#define MAP_GROWSDOWN 0x100
#endif
#ifndef MAP_STACK
#define MAP_STACK 0x20000
#endif
#ifndef MAP_HUGETLB
#define MAP_HUGETLB 0x40000
#endif
#ifndef MAP_LOCKED
#define MAP_LOCKED 0x2000
#endif
#ifndef MAP_POPULATE
#define MAP_POPULATE 0x8000
#endif
#ifndef MAP_NONBLOCK
#define MAP_NONBLOCK 0x10000
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0x4000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef PROT_GROWSDOWN
#define PROT_GROWSDOWN 0x01000000
#endif
#ifndef PROT_GROWSUP
#define PROT_GROWSUP 0x02000000
#endif

/* The raw calls: -1 (or MAP_FAILED) and errno on failure. */
MAYBE_UNUSED static void *raw_mmap(unsigned long address, unsigned long length, int protection,
                                   int flags, int fd, unsigned long offset)
{
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

MAYBE_UNUSED static long raw_munmap(void *address, unsigned long length)
{
    return syscall(SYS_munmap, address, length);
}

MAYBE_UNUSED static long raw_mprotect(void *address, unsigned long length, unsigned long protection)
{
    return syscall(SYS_mprotect, address, length, protection);
}

/* The break after the call; Linux's own brk never fails, it returns where the break is. */
MAYBE_UNUSED static unsigned long raw_brk(unsigned long address)
{
    return (unsigned long)syscall(SYS_brk, address);
}

/* PAGES of private anonymous memory, readable and writable, wherever there is room. */
MAYBE_UNUSED static char *anon(unsigned long pages)
{
    void *start = raw_mmap(0, pages * PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);

    if (start == MAP_FAILED)
        bail_out("mmap of %lu pages failed with errno %d", pages, errno);
    return start;
}

/* The same at a place of our own choice, replacing what is there. */
MAYBE_UNUSED static char *anon_at(char *place, unsigned long pages, int protection)
{
    void *start = raw_mmap((unsigned long)place, pages * PAGE, protection, PRIVATE_ANON | MAP_FIXED,
                           -1, 0);

    if (start != place)
        bail_out("mmap of %lu fixed pages failed with errno %d", pages, errno);
    return start;
}

/*
 * PAGES of free address space with one unmapped page on either side, so that what a test maps in it
 * has no neighbours to merge with. It is not mapped: only known to be free.
 */
MAYBE_UNUSED static char *free_range(unsigned long pages)
{
    char *start = raw_mmap(0, (pages + 2) * PAGE, PROT_NONE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED || raw_munmap(start, (pages + 2) * PAGE) != 0)
        bail_out("no free range of %lu pages", pages);
    return start + PAGE;
}

/* Minor faults of this process so far. */
MAYBE_UNUSED static long minor_faults(void)
{
    static struct rusage usage;

    /* After a fork the page that it lies in is a shared one: the fault of that comes before the counting. */
    memset(&usage, 0, sizeof(usage));
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        bail_out("getrusage failed with errno %d", errno);
    return usage.ru_minflt;
}

/* One access to the first byte of each of PAGES pages. */
MAYBE_UNUSED static void read_pages(char *start, unsigned long pages)
{
    for (unsigned long i = 0; i < pages; i++)
        (void)*(volatile char *)(start + i * PAGE);
}

MAYBE_UNUSED static void write_pages(char *start, unsigned long pages)
{
    for (unsigned long i = 0; i < pages; i++)
        *(volatile char *)(start + i * PAGE) = 1;
}

/* How many minor faults reading (writing) PAGES pages takes. */
MAYBE_UNUSED static long read_faults(char *start, unsigned long pages)
{
    long before = minor_faults();

    read_pages(start, pages);
    return minor_faults() - before;
}

MAYBE_UNUSED static long write_faults(char *start, unsigned long pages)
{
    long before = minor_faults();

    write_pages(start, pages);
    return minor_faults() - before;
}

/* Runs the counting code once, so that its own pages are not among the faults counted later. */
MAYBE_UNUSED static void warm_up(void)
{
    char *page = anon(2);

    read_faults(page, 2);
    write_faults(page, 2);
    raw_munmap(page, 2 * PAGE);
}

/* Whether all of LENGTH bytes have the value BYTE. */
MAYBE_UNUSED static bool all_bytes_are(const char *start, unsigned long length, char byte)
{
    for (unsigned long i = 0; i < length; i++)
        if (start[i] != byte)
            return false;
    return true;
}

/* The signal that a child dies of when it runs BODY(ARGUMENT), 0 when it does not die of one. */
MAYBE_UNUSED static int signal_of_child(void (*body)(void *), void *argument)
{
    int status = status_of_child(body, argument);

    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

MAYBE_UNUSED static void read_byte(void *address)
{
    (void)*(volatile char *)address;
}

MAYBE_UNUSED static void write_byte(void *address)
{
    *(volatile char *)address = 1;
}

MAYBE_UNUSED static void execute_at(void *address)
{
    ((void (*)(void))(uintptr_t)address)();
}

#define READ_KILLS(address) (signal_of_child(read_byte, (void *)(address)) == SIGSEGV)
#define WRITE_KILLS(address) (signal_of_child(write_byte, (void *)(address)) == SIGSEGV)

/* The text of a file of /proc, NUL-terminated, in one buffer that the next call overwrites. */
MAYBE_UNUSED static char *file_text(const char *path)
{
    static char text[256 * 1024];
    size_t length = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY);

    if (fd < 0)
        bail_out("open of %s failed with errno %d", path, errno);
    while ((got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    return text;
}

/* One line of /proc/self/maps. */
struct vma_line {
    unsigned long start, end, offset;
    char permissions[5];
    char name[128];
};

MAYBE_UNUSED static unsigned long parse_hex(const char **text)
{
    unsigned long value = 0;

    for (;; (*text)++) {
        char c = **text;

        if (c >= '0' && c <= '9')
            value = value * 16 + (unsigned long)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (unsigned long)(c - 'a' + 10);
        else
            return value;
    }
}

/* Reads the line at TEXT into LINE; returns the start of the next line, or NULL at the end. */
MAYBE_UNUSED static const char *parse_vma_line(const char *text, struct vma_line *line)
{
    size_t length = 0;

    if (*text == '\0')
        return NULL;
    line->start = parse_hex(&text);
    text++;
    line->end = parse_hex(&text);
    text++;
    memcpy(line->permissions, text, 4);
    line->permissions[4] = '\0';
    text += 5;
    line->offset = parse_hex(&text);
    for (int words = 0; words < 2; words++) { /* device and inode */
        while (*text == ' ')
            text++;
        while (*text != ' ' && *text != '\n')
            text++;
    }
    while (*text == ' ')
        text++;
    while (*text != '\n' && *text != '\0' && length < sizeof(line->name) - 1)
        line->name[length++] = *text++;
    line->name[length] = '\0';
    while (*text != '\n' && *text != '\0')
        text++;
    return *text == '\n' ? text + 1 : text;
}

/*
 * The mappings of PAGES pages from START as a line like "0-4 rw-p, 4-5 ---p": page numbers counted
 * from START, cut off at both ends of the range.
 */
MAYBE_UNUSED static const char *vmas(const char *start, unsigned long pages)
{
    static char description[2048];
    const char *text = file_text("/proc/self/maps");
    unsigned long low = (unsigned long)start, high = low + pages * PAGE;
    struct vma_line line;
    size_t length = 0;

    description[0] = '\0';
    while ((text = parse_vma_line(text, &line)) != NULL) {
        if (line.end <= low || line.start >= high || length > sizeof(description) - 64)
            continue;
        if (line.start < low)
            line.start = low;
        if (line.end > high)
            line.end = high;
        length += (size_t)snprintf(description + length, 64, "%s%lu-%lu %s", length ? ", " : "",
                                   (line.start - low) / PAGE, (line.end - low) / PAGE,
                                   line.permissions);
    }
    return description;
}

/* The mapping that holds ADDRESS, or NULL. */
MAYBE_UNUSED static const struct vma_line *vma_of(const void *address)
{
    static struct vma_line line;
    const char *text = file_text("/proc/self/maps");

    while ((text = parse_vma_line(text, &line)) != NULL)
        if (line.start <= (unsigned long)address && (unsigned long)address < line.end)
            return &line;
    return NULL;
}

/* The number of mappings of this process. */
MAYBE_UNUSED static unsigned long vma_count(void)
{
    const char *text = file_text("/proc/self/maps");
    struct vma_line line;
    unsigned long count = 0;

    while ((text = parse_vma_line(text, &line)) != NULL)
        count++;
    return count;
}

/* The entry of /proc/self/pagemap for ADDRESS. */
#define PAGEMAP_PRESENT (1UL << 63)
#define PAGEMAP_SHARED (1UL << 61)
#define PAGEMAP_FRAME ((1UL << 55) - 1)
MAYBE_UNUSED static uint64_t pagemap_entry(const void *address)
{
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY);

    if (fd < 0 || lseek(fd, (off_t)((unsigned long)address / PAGE * 8), SEEK_SET) < 0 ||
        read(fd, &entry, sizeof(entry)) != sizeof(entry))
        bail_out("reading /proc/self/pagemap failed with errno %d", errno);
    close(fd);
    return entry;
}

/* Whether a page of this process is present in its page tables. */
MAYBE_UNUSED static bool is_present(const void *address)
{
    return (pagemap_entry(address) & PAGEMAP_PRESENT) != 0;
}

/* A string of one character per page: '1' present, '0' not. */
MAYBE_UNUSED static const char *present(const char *start, unsigned long pages)
{
    static char picture[257];

    for (unsigned long i = 0; i < pages && i < sizeof(picture) - 1; i++) {
        picture[i] = is_present(start + i * PAGE) ? '1' : '0';
        picture[i + 1] = '\0';
    }
    return picture;
}

/* Runs BODY(ARGUMENT) in a child that has given up root's rights; the child's wait status. */
struct as_nobody {
    void (*body)(void *);
    void *argument;
};

MAYBE_UNUSED static void run_as_nobody(void *argument)
{
    struct as_nobody *what = argument;

    if (getuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        _exit(99);
    what->body(what->argument);
}

MAYBE_UNUSED static int status_as_nobody(void (*body)(void *), void *argument)
{
    struct as_nobody what = {body, argument};

    return status_of_child(run_as_nobody, &what);
}

/* The exit status for a child that passes on the errno of a call: 0 when it succeeded. */
#define EXIT_WITH_ERRNO(call) _exit((errno = 0, (long)(call) == -1) ? errno : 0)

#endif
