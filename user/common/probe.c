/* What a program can learn from the kernel about memory: reads /proc without touching new pages. */
#include "user/common/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The bits of an entry of /proc/PID/pagemap. */
#define PAGEMAP_FRAME     ((1UL << 55) - 1)
#define PAGEMAP_EXCLUSIVE (1UL << 56)
#define PAGEMAP_PRESENT   (1UL << 63)

#define STACK_IN_USE (4 * PAGE_SIZE) /* more than our programs need */

long probe_file(const char *path, char *to, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    size_t length = 0;
    ssize_t count = 0;
    while (length < size - 1 && (count = read(file, to + length, size - 1 - length)) > 0)
        length += (size_t)count;
    int error = errno;
    close(file);
    errno = error;
    to[length] = '\0';
    return count < 0 ? -1 : (long)length;
}

unsigned long probe_value(const char *text, const char *key, unsigned long otherwise)
{
    size_t length = strlen(key);
    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, key, length) == 0 && (line[length] == ' ' || line[length] == ':'))
            return strtoul(line + length + 1, NULL, 0);
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return otherwise;
}

bool probe_frames(struct frame_counts *counts)
{
    static char text[1024];
    if (probe_file("/proc/zeropage", text, sizeof text) <= 0) {
        memset(counts, 0, sizeof *counts);
        return false;
    }
    counts->total = (long)probe_value(text, "frames_total", 0);
    counts->free = (long)probe_value(text, "frames_free", 0);
    counts->page_table = (long)probe_value(text, "frames_page_table", 0);
    counts->anonymous = (long)probe_value(text, "frames_anon", 0);
    counts->cache = (long)probe_value(text, "frames_cache", 0);
    counts->slab = (long)probe_value(text, "frames_slab", 0);
    counts->kernel = (long)probe_value(text, "frames_kernel", 0);
    counts->zero_frame = probe_value(text, "zero_frame", 0);
    return true;
}

long probe_faults(void)
{
    static struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

bool probe_pages(const void *start, size_t count, unsigned long zero_frame, struct page *pages)
{
    int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    off_t place = (off_t)((uintptr_t)start / PAGE_SIZE * sizeof(uint64_t));
    bool found = lseek(file, place, SEEK_SET) == place;
    for (size_t i = 0; i < count && found; i++) {
        static uint64_t entry;
        found = read(file, &entry, sizeof entry) == sizeof entry;
        bool is_present = found && (entry & PAGEMAP_PRESENT);
        unsigned long frame = entry & PAGEMAP_FRAME;
        bool is_zero = zero_frame != 0 ? frame == zero_frame : !(entry & PAGEMAP_EXCLUSIVE);
        pages[i].state = !is_present ? PAGE_PROMISED : is_zero ? PAGE_ZERO : PAGE_OWN;
        pages[i].frame = is_present ? frame : 0;
    }
    close(file);
    return found;
}

/* A line of /proc/self/maps. */
struct map_line {
    const char *text;
    size_t length;
    uintptr_t first, behind;
};

static char maps[8192];
static const char *next_line;

static bool open_maps(void)
{
    next_line = maps;
    return probe_file("/proc/self/maps", maps, sizeof maps) > 0;
}

static bool next_map_line(struct map_line *line)
{
    char *end;
    line->text = next_line;
    line->length = strcspn(next_line, "\n");
    line->first = strtoul(line->text, &end, 16);
    line->behind = *end == '-' ? strtoul(end + 1, NULL, 16) : 0;
    next_line += line->length;
    next_line += *next_line == '\n';
    return line->length > 0;
}

void probe_map_line(const void *address, char *to, size_t size)
{
    struct map_line line;
    *to = '\0';
    if (!open_maps())
        return;
    while (next_map_line(&line)) {
        if ((uintptr_t)address < line.first || (uintptr_t)address >= line.behind)
            continue;
        size_t length = line.length < size - 1 ? line.length : size - 1;
        memcpy(to, line.text, length);
        while (length > 0 && to[length - 1] == ' ') /* a VMA without a name */
            length--;
        to[length] = '\0';
        return;
    }
}

/* Write to some stack below what is in use now. */
static void touch_stack(void)
{
    volatile char room[STACK_IN_USE];
    for (size_t offset = 0; offset < sizeof room; offset += PAGE_SIZE)
        room[offset] = 0;
}

void probe_touch_program(void)
{
    struct map_line line;
    if (!open_maps())
        return;
    while (next_map_line(&line)) {
        const char *may = memchr(line.text, ' ', line.length);
        bool is_file = memchr(line.text, '/', line.length) != NULL;
        bool is_writable = may != NULL && may[2] == 'w';
        bool is_special = memchr(line.text, '[', line.length) != NULL; /* [stack], [heap], [vdso] */
        if (is_special || (!is_file && !is_writable))
            continue;
        for (uintptr_t page = line.first; page < line.behind; page += PAGE_SIZE) {
            volatile char *byte = (volatile char *)page;
            char content = *byte;
            if (is_writable)
                *byte = content;
        }
    }
    touch_stack();
}
