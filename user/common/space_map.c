/* What stands behind each page of a process's address space. */
#include "user/common/space_map.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/common/canvas.h"
#include "user/common/cells.h"
#include "user/common/frame_map.h"
#include "user/common/probe.h"

#define PAGE_COLUMNS 40
#define NAME_COLUMNS 18
#define ROWS_OF_VMA  16 /* what takes more is drawn coarser */
#define ENTRIES      512
/* Of a VMA with more pages than that only the first ones are looked at: asking takes time for each. */
#define PAGES_MAX (1UL << 18)

/* The bits of an entry of /proc/PID/pagemap. */
#define PAGEMAP_FRAME     ((1UL << 55) - 1)
#define PAGEMAP_EXCLUSIVE (1UL << 56)
#define PAGEMAP_FILE      (1UL << 61)
#define PAGEMAP_PRESENT   (1UL << 63)

/* One line of /proc/PID/maps. */
struct vma {
    unsigned long start, end;
    char may[5];
    char name[NAME_COLUMNS + 1]; /* shortened from the left */
    bool is_file;
    unsigned long scale; /* of its picture */
};

static struct cells pages; /* of the VMA at hand */

/* The zero frame, once one was seen. */
static unsigned long zero_frame;

/* ---- reading ---- */

static char kind_of_page(uint64_t entry, bool is_shared)
{
    unsigned long frame = entry & PAGEMAP_FRAME;
    if (!(entry & PAGEMAP_PRESENT))
        return KIND_FREE;
    if (entry & PAGEMAP_FILE)
        return is_shared ? KIND_SHARED : KIND_FILE;
    if (entry & PAGEMAP_EXCLUSIVE)
        return KIND_PRIVATE;
    if (frame == 0)
        return KIND_SECRET; /* the zero frame, or one of several users */
    if (frame == zero_frame)
        return KIND_ZERO;
    char kind = frame_map_kind(frame);
    if (kind == KIND_ZERO)
        zero_frame = frame;
    return kind;
}

/* Fill PAGES; false when the process has gone meanwhile. */
static bool read_pages(int pagemap, const struct vma *vma)
{
    static uint64_t entries[ENTRIES];
    unsigned long all = (vma->end - vma->start) / PAGE_SIZE;
    unsigned long wanted = all < PAGES_MAX ? all : PAGES_MAX;
    cells_clear(&pages);
    for (unsigned long done = 0; done < wanted;) {
        unsigned long part = wanted - done < ENTRIES ? wanted - done : ENTRIES;
        off_t place = (off_t)((vma->start / PAGE_SIZE + done) * sizeof *entries);
        ssize_t size = pread(pagemap, entries, part * sizeof *entries, place);
        if (size < (ssize_t)sizeof *entries) {
            /* Behind the last address that pagemap knows there are Linux's vsyscall and the like. */
            return cells_add(&pages, KIND_SECRET, wanted - done);
        }
        for (size_t i = 0; i < (size_t)size / sizeof *entries; i++)
            if (!cells_add(&pages, kind_of_page(entries[i], vma->may[3] == 's'), 1))
                return false;
        done += (size_t)size / sizeof *entries;
    }
    return cells_add(&pages, KIND_UNSEEN, all - wanted);
}

static bool read_vma(FILE *maps, struct vma *vma)
{
    static char line[PATH_MAX + 128];
    int name = 0;
    if (fgets(line, sizeof line, maps) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    memset(vma, 0, sizeof *vma);
    if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %*u %n", &vma->start, &vma->end, vma->may, &name) != 3)
        return false;
    const char *text = name > 0 && line[name] != '\0' ? line + name : "(anonymous)";
    size_t length = strlen(text);
    vma->is_file = text[0] == '/';
    if (length > NAME_COLUMNS)
        snprintf(vma->name, sizeof vma->name, "..%s", text + length - (NAME_COLUMNS - 2));
    else
        snprintf(vma->name, sizeof vma->name, "%s", text);
    return true;
}

/* ---- drawing ---- */

static void begin_row(unsigned long first, void *context)
{
    const struct vma *vma = context;
    bool is_first = first == 0;
    canvas_text("%s%12lx%s %s%-4s%s ", is_first ? "" : paint(DIM), vma->start + first * PAGE_SIZE,
                is_first ? "" : paint_end(), paint(YELLOW), is_first ? vma->may : "", paint_end());
}

static void end_row(int columns_left, void *context)
{
    struct vma *vma = context;
    if (vma->name[0] == '\0')
        return;
    canvas_text("%*s %s", columns_left, "", vma->name);
    vma->name[0] = '\0'; /* said once; the second row tells the scale */
    if (vma->scale > 1)
        snprintf(vma->name, sizeof vma->name, "(%lu each)", vma->scale);
    vma->scale = 1;
}

static struct picture picture_of(struct vma *vma)
{
    return (struct picture){.columns = PAGE_COLUMNS, .scale = 1, .begin_row = begin_row,
                            .end_row = end_row, .context = vma};
}

/* What a walk over all VMAs finds, or is to draw. */
struct survey {
    bool draws;
    bool skips_code; /* leave out files that can't be written: there is no room for them */
    int rows;        /* found, or still to be drawn */
    unsigned long vmas, left_out, promised, there, private;
};

static void count_pages(struct survey *survey, const struct vma *vma)
{
    survey->vmas++;
    survey->promised += (vma->end - vma->start) / PAGE_SIZE;
    for (size_t i = 0; i < pages.used; i++) {
        const struct run *run = &pages.runs[i];
        if (run->kind != KIND_FREE && run->kind != KIND_UNSEEN)
            survey->there += run->count;
        if (run->kind == KIND_PRIVATE)
            survey->private += run->count;
    }
}

static void draw_vma(struct vma *vma, struct survey *survey)
{
    struct picture picture = picture_of(vma);
    cells_fit(&pages, &picture, ROWS_OF_VMA);
    vma->scale = picture.scale;
    int rows = cells_rows(&pages, &picture);
    if (!survey->draws) {
        survey->rows += rows;
    } else if (rows > survey->rows) {
        survey->left_out++;
    } else {
        survey->rows -= rows;
        cells_draw(&pages, &picture);
    }
}

/* False when the process can't be looked at. */
static bool walk(pid_t process, struct survey *survey)
{
    char path[64];
    struct vma vma;
    snprintf(path, sizeof path, "/proc/%d/pagemap", process);
    int pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (pagemap < 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/maps", process);
    FILE *maps = fopen(path, "re");
    while (maps != NULL && read_vma(maps, &vma)) {
        if (survey->skips_code && vma.is_file && vma.may[1] != 'w') {
            survey->left_out++;
            continue;
        }
        if (!read_pages(pagemap, &vma))
            break;
        count_pages(survey, &vma);
        draw_vma(&vma, survey);
    }
    int error = errno;
    if (maps != NULL)
        fclose(maps);
    close(pagemap);
    errno = error;
    return maps != NULL;
}

static void draw_title(pid_t process, const struct survey *survey)
{
    char path[64], name[32];
    snprintf(path, sizeof path, "/proc/%d/comm", process);
    if (probe_file(path, name, sizeof name) <= 0)
        strcpy(name, "?");
    name[strcspn(name, "\n")] = '\0';
    canvas_text("%sProcess %d, %s%s: %lu page%s promised, %lu there, %lu of them private", paint(BOLD),
                process, name, paint_end(), survey->promised, survey->promised == 1 ? "" : "s",
                survey->there, survey->private);
    canvas_newline();
}

int space_map_rows(pid_t process)
{
    struct survey all = {.rows = 1}; /* the title */
    walk(process, &all);
    return all.rows;
}

bool space_map_draw(pid_t process, int rows)
{
    struct survey all = {.rows = 0};
    if (!walk(process, &all))
        return false;
    if (all.vmas == 0) {
        errno = ENODATA;
        return false;
    }
    draw_title(process, &all);
    rows--;
    bool is_tight = all.rows > rows; /* then a line tells what is left out */
    struct survey drawn = {.draws = true, .skips_code = is_tight, .rows = rows - is_tight};
    walk(process, &drawn);
    if (drawn.left_out > 0) {
        canvas_text("%s%16s %lu VMA%s more, for which there is no room%s", paint(DIM), "and",
                    drawn.left_out, drawn.left_out == 1 ? "" : "s", paint_end());
        canvas_newline();
    }
    return true;
}
