/* Checks /proc/self/pagemap and the sizes in smaps, statm and status: they tell what was touched. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define PRESENT (1ul << 63)
#define FILE_PAGE (1ul << 61)
#define EXCLUSIVE (1ul << 56)
#define SOFT_DIRTY (1ul << 55)
#define BITS (PRESENT | FILE_PAGE | EXCLUSIVE)

static int pagemap;

static unsigned long entry_of(const void *address)
{
    unsigned long entry = 0;
    if (pread(pagemap, &entry, 8, (long)((unsigned long)address / PAGE * 8)) != 8)
        bail_out("pagemap cannot be read: errno %d", errno);
    return entry;
}

static void entries(void)
{
    char *memory = anon(4), *shared = raw_mmap(0, PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned long pair[2];

    check_eq(entry_of(memory) & BITS, 0, "an untouched page is not present");
    read_byte(memory);
    check_eq(entry_of(memory) & BITS, PRESENT, "the zero page is present, and nobody's own");
    memory[PAGE] = 'x';
    check_eq(entry_of(memory + PAGE) & BITS, PRESENT | EXCLUSIVE, "a page of one's own is exclusive");
    shared[0] = 's';
    check_eq(entry_of(shared) & BITS, PRESENT | EXCLUSIVE | FILE_PAGE, "shared memory counts as a file's");
    raw_mprotect(memory, 2 * PAGE, PROT_NONE);
    check_eq(entry_of(memory + PAGE) & BITS, PRESENT | EXCLUSIVE, "without access a page is still present");
    raw_munmap(memory + PAGE, PAGE);
    check_eq(entry_of(memory + PAGE), 0, "unmapped it is nothing");
    check_eq(pread(pagemap, pair, 16, (long)((unsigned long)memory / PAGE * 8)), 16, "entries are read in a row");
    check((pair[0] & BITS) == PRESENT && pair[1] == 0, "one per page");
    check_fails(pread(pagemap, pair, 8, 4), EINVAL, "an offset within an entry is EINVAL");
    check_fails(pread(pagemap, pair, 7, 8), EINVAL, "so is a size that is no multiple of 8");
    check_eq(pread(pagemap, pair, 8, (long)(0x7ffffffff000 / PAGE * 8)), 0, "behind the last address is the end");
    raw_munmap(memory, 4 * PAGE);
    raw_munmap(shared, PAGE);
}

/* The number behind KEY in the file, after the line that begins with START (or from the beginning). */
static long number_in(const char *path, const char *start, const char *key)
{
    static char text[32768];
    int file = open(path, O_RDONLY);
    long length = 0, got;

    while ((got = read(file, text + length, sizeof(text) - 1 - (size_t)length)) > 0)
        length += got;
    close(file);
    text[length] = 0;
    const char *from = start ? strstr(text, start) : text;
    from = from ? strstr(from, key) : NULL;
    return from ? strtol(from + strlen(key), NULL, 10) : -1;
}

static void sizes(void)
{
    char *memory = anon(64), start[32];
    long size = number_in("/proc/self/status", NULL, "VmSize:"), data = number_in("/proc/self/status", NULL, "VmData:");

    snprintf(start, sizeof(start), "%08lx-", (unsigned long)memory);
    check_eq(number_in("/proc/self/smaps", start, "Size:"), 256, "smaps tells the size of a mapping");
    check_eq(number_in("/proc/self/smaps", start, "Rss:"), 0, "untouched, nothing is resident");
    for (int i = 0; i < 3; i++)
        memory[i * PAGE] = 'x';
    read_byte(memory + 3 * PAGE);
    check_eq(number_in("/proc/self/smaps", start, "Rss:"), 12, "written pages are; the zero page is not");
    check_eq(number_in("/proc/self/smaps", start, "Private_Dirty:"), 12, "they are private and dirty");
    check_eq(number_in("/proc/self/smaps", start, "Anonymous:"), 12, "and anonymous");
    check_eq(number_in("/proc/self/smaps", start, "Pss:"), 12, "with nobody to share them");
    raw_munmap(memory + 32 * PAGE, 32 * PAGE);
    check_eq(number_in("/proc/self/status", NULL, "VmSize:"), size - 128, "status counts the pages promised");
    check_eq(number_in("/proc/self/status", NULL, "VmData:"), data - 128, "as data, if private and writable");
    check_eq(number_in("/proc/self/statm", NULL, ""), (size - 128) / 4, "statm in pages");
    raw_mprotect(memory, 32 * PAGE, PROT_READ);
    check_eq(number_in("/proc/self/status", NULL, "VmData:"), data - 256, "read-only pages are no data");
    raw_munmap(memory, 32 * PAGE);
}

static void locked(void)
{
    char *memory = anon(4), start[32];

    syscall(SYS_mlock, memory, 4 * PAGE);
    snprintf(start, sizeof(start), "%08lx-", (unsigned long)memory);
    check_eq(number_in("/proc/self/smaps", start, "Locked:"), 16, "smaps tells what is locked");
    check_eq(number_in("/proc/self/status", NULL, "VmLck:"), 16, "and status does");
    raw_munmap(memory, 4 * PAGE);
    check_eq(number_in("/proc/self/status", NULL, "VmLck:"), 0, "unmapped it is no longer locked");
}

int main(void)
{
    pagemap = open("/proc/self/pagemap", O_RDONLY);
    if (pagemap < 0)
        bail_out("there is no pagemap: errno %d", errno);
    check((entry_of(&pagemap) & PRESENT) != 0, "this program's data is present");
    entries();
    sizes();
    locked();
    return done();
}
