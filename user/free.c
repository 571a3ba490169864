/* free: what the frames of this machine are used for; on Linux, what /proc/meminfo says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/common/paint.h"
#include "user/common/probe.h"

#define KIB_PER_FRAME (PAGE_SIZE / 1024)
#define BAR_COLUMNS   30

static void print_size(const char *name, long frames)
{
    printf("  %-18s %9ld %9lu KiB", name, frames, (unsigned long)frames * KIB_PER_FRAME);
}

/* One use: its name, frames, size, and its part of all memory as a bar. */
static void print_use(const char *name, long frames, long total, enum colour colour)
{
    static const char bar[] = "##############################";
    long columns = total > 0 ? (frames * BAR_COLUMNS + total / 2) / total : 0;
    if (columns == 0 && frames > 0)
        columns = 1; /* little, but not nothing */
    print_size(name, frames);
    printf("  %s%.*s%s\n", paint(colour), (int)columns, bar, paint_end());
}

static void print_frames(const struct frame_counts *frames)
{
    long named = frames->free + frames->page_table + frames->anonymous + frames->cache +
                 frames->slab + frames->kernel;
    printf("%s  %-18s %9s %13s%s\n", paint(BOLD), "", "frames", "size", paint_end());
    print_use("anonymous memory", frames->anonymous, frames->total, GREEN);
    print_use("page tables", frames->page_table, frames->total, YELLOW);
    print_use("files", frames->cache, frames->total, BLUE);
    print_use("kernel objects", frames->slab, frames->total, RED);
    print_use("the kernel itself", frames->kernel, frames->total, RED);
    if (frames->total > named)
        print_use("other", frames->total - named, frames->total, RED);
    print_use("free", frames->free, frames->total, DIM);
    print_size("in all", frames->total);
    putchar('\n');
}

int main(void)
{
    static char text[4096];
    static const char *const keys[] = {"MemTotal",   "MemFree", "MemAvailable", "AnonPages",
                                       "PageTables", "Slab",    "Cached"};
    struct frame_counts frames;
    if (probe_frames(&frames)) {
        print_frames(&frames);
        return 0;
    }
    if (probe_file("/proc/meminfo", text, sizeof text) < 0) {
        fprintf(stderr, "free: cannot read /proc/meminfo: %s\n", strerror(errno));
        return 1;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        printf("  %-14s %10lu KiB\n", keys[i], probe_value(text, keys[i], 0));
    return 0;
}
