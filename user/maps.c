/* maps: the VMAs of a process, with how many of their pages are promised and how many are there. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/common/paint.h"
#include "user/common/probe.h"

#define PAGEMAP_PRESENT (1UL << 63)
#define ENTRIES         512

/* How many of COUNT pages from START on are present; -1 if the kernel won't tell. */
static long pages_present(int pagemap, uintptr_t start, unsigned long count)
{
    static uint64_t entries[ENTRIES];
    long present = 0;
    off_t place = (off_t)(start / PAGE_SIZE * sizeof *entries);
    for (unsigned long done = 0; done < count;) {
        unsigned long part = count - done < ENTRIES ? count - done : ENTRIES;
        ssize_t size = pread(pagemap, entries, part * sizeof *entries,
                             place + (off_t)(done * sizeof *entries));
        if (size <= 0)
            return -1;
        for (size_t i = 0; i < (size_t)size / sizeof *entries; i++)
            present += (entries[i] & PAGEMAP_PRESENT) != 0;
        done += (size_t)size / sizeof *entries;
    }
    return present;
}

/* Print one line of /proc/PID/maps in our way; adds to the sums. */
static void print_vma(const char *line, int pagemap, unsigned long *promised, long *present)
{
    uintptr_t start, end;
    char may[5];
    int name = 0;
    if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %*u %n", &start, &end, may, &name) != 3)
        return;
    unsigned long pages = (end - start) / PAGE_SIZE;
    long there = pagemap < 0 ? -1 : pages_present(pagemap, start, pages);
    *promised += pages;
    *present += there > 0 ? there : 0;
    printf("%12lx - %12lx  %s %9lu ", start, end, may, pages);
    if (there < 0)
        printf("%9s", "?");
    else
        printf("%s%9ld%s", paint(there > 0 ? GREEN : DIM), there, paint_end());
    printf("  %s\n", name > 0 && line[name] != '\0' ? line + name : "(anonymous)");
}

int main(int count, char **arguments)
{
    char path[64], line[512];
    const char *process = count > 1 ? arguments[1] : "self";
    if (count > 2 || (count == 2 && arguments[1][0] == '-')) {
        fprintf(stderr, "usage: maps [PID]\n");
        return 2;
    }
    snprintf(path, sizeof path, "/proc/%.20s/maps", process);
    FILE *maps = fopen(path, "r");
    if (maps == NULL) {
        fprintf(stderr, "maps: cannot look at process %s: %s\n", process, strerror(errno));
        return 1;
    }
    snprintf(path, sizeof path, "/proc/%.20s/pagemap", process);
    int pagemap = open(path, O_RDONLY);

    printf("%s       first  - behind last   may      pages     there  what%s\n", paint(BOLD),
           paint_end());
    unsigned long promised = 0;
    long present = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        print_vma(line, pagemap, &promised, &present);
    }
    printf("%s%43lu %9ld  in all%s\n", paint(BOLD), promised, present, paint_end());
    fclose(maps);
    return 0;
}
