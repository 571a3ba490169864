/* What each frame of the machine's memory is. */
#include "user/common/frame_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/common/canvas.h"
#include "user/common/probe.h"

#define ENTRIES       1024 /* read in one go */
#define FRAME_COLUMNS 64

/* The bits of an entry of /proc/kpageflags (Linux, Documentation/admin-guide/mm/pagemap.rst). */
#define KPF_LRU        (1UL << 5)
#define KPF_BUDDY      (1UL << 10)
#define KPF_MMAP       (1UL << 11)
#define KPF_ANON       (1UL << 12)
#define KPF_SWAPBACKED (1UL << 14)
#define KPF_NOPAGE     (1UL << 20)
#define KPF_ZERO_PAGE  (1UL << 24)
#define KPF_PGTABLE    (1UL << 26)
#define KPF_RESERVED   (1UL << 32)

/* Where the initial archive lies, which only our kernel tells; Linux frees its own after booting. */
static unsigned long archive_first, archive_behind;

static int open_flags = -1, open_counts = -1;

static bool open_files(void)
{
    static char text[1024];
    if (open_flags >= 0)
        return true;
    open_flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
    if (open_flags < 0)
        return false;
    open_counts = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
    if (probe_file("/proc/zeropage", text, sizeof text) > 0) {
        archive_first = probe_value(text, "archive_first", 0);
        archive_behind = probe_value(text, "archive_behind", 0);
    }
    return true;
}

/* The kind that follows from FLAGS alone; of a private frame the users are still to be counted. */
static char kind_of_flags(uint64_t flags, unsigned long frame)
{
    if (flags & KPF_NOPAGE)
        return KIND_HOLE;
    if (flags & KPF_BUDDY)
        return KIND_FREE;
    if (flags & KPF_PGTABLE)
        return KIND_TABLE;
    if (flags & KPF_ZERO_PAGE)
        return KIND_ZERO;
    if (flags & KPF_ANON)
        return KIND_PRIVATE;
    if (flags & KPF_SWAPBACKED)
        return KIND_SHARED;
    if (flags & (KPF_LRU | KPF_MMAP))
        return KIND_FILE;
    if (frame >= archive_first && frame < archive_behind)
        return KIND_ARCHIVE;
    return flags & KPF_RESERVED ? KIND_HOLE : KIND_KERNEL;
}

static ssize_t read_entries(int file, uint64_t *entries, size_t count, unsigned long first)
{
    ssize_t size = file < 0 ? -1
                            : pread(file, entries, count * sizeof *entries,
                                    (off_t)(first * sizeof *entries));
    return size < 0 ? size : size / (ssize_t)sizeof *entries;
}

char frame_map_kind(unsigned long frame)
{
    uint64_t flags, users;
    if (!open_files() || read_entries(open_flags, &flags, 1, frame) != 1)
        return KIND_SECRET;
    char kind = kind_of_flags(flags, frame);
    if (kind == KIND_PRIVATE && read_entries(open_counts, &users, 1, frame) == 1)
        kind = kind_of_users(users);
    return kind;
}

bool frame_map_read(struct cells *frames)
{
    static uint64_t flags[ENTRIES], users[ENTRIES];
    cells_clear(frames);
    if (!open_files())
        return false;
    for (unsigned long first = 0;; first += ENTRIES) {
        ssize_t count = read_entries(open_flags, flags, ENTRIES, first);
        ssize_t counted = -1; /* read only where there is something to count */
        if (count < 0)
            return false;
        for (ssize_t i = 0; i < count; i++) {
            char kind = kind_of_flags(flags[i], first + (unsigned long)i);
            if (kind == KIND_PRIVATE) {
                if (counted < 0)
                    counted = read_entries(open_counts, users, (size_t)count, first);
                if (i < counted)
                    kind = kind_of_users(users[i]);
            }
            if (!cells_add(frames, kind, 1)) {
                errno = ENOMEM;
                return false;
            }
        }
        if (count < ENTRIES)
            return true;
    }
}

/* ---- drawing ---- */

static void begin_row(unsigned long first, void *context)
{
    (void)context;
    canvas_text("%s%10lx%s  ", paint(DIM), first, paint_end());
}

void frame_map_draw(const struct cells *frames, int rows)
{
    struct picture picture = {.columns = FRAME_COLUMNS, .of_frames = true, .begin_row = begin_row};
    cells_fit(frames, &picture, rows);
    canvas_text("%sThe frames of this machine%s: %lu, of which each character is ", paint(BOLD),
                paint_end(), frames->total);
    if (picture.scale == 1)
        canvas_text("one");
    else
        canvas_text("%lu", picture.scale);
    canvas_newline();
    cells_draw(frames, &picture);
}

static void draw_kind(const char *letters, enum colour colour, const char *meaning)
{
    canvas_text(" %s%s%s %s", paint_ground(colour), letters, paint_end(), meaning);
}

void draw_legend(void)
{
    canvas_text("%12s", "");
    draw_kind(".", DIM, "free, promised ");
    draw_kind("K", RED, "kernel ");
    draw_kind("t", YELLOW, "page table ");
    draw_kind("A", BLUE, "archive ");
    draw_kind("f", BLUE, "file ");
    draw_kind("-", DIM, "hole");
    canvas_newline();
    canvas_text("%12s", "");
    draw_kind("z", CYAN, "zero frame ");
    draw_kind("#", GREEN, "private ");
    draw_kind("2", MAGENTA, "with 2 users (3, ...) ");
    draw_kind("s", BOLD, "shared");
    canvas_newline();
}
