/* Rows of characters for pages and frames, with what is uniform folded. */
#include "user/common/cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/common/canvas.h"

#define COLUMNS_MAX   80
#define FIRST_ROOM    64
#define FOLDED_MIN    2 /* uniform rows in a row become one from here on */
#define KIB_PER_PAGE  4
#define UNIT          1024
#define WHOLE_ENOUGH  10 /* below so many of a unit, the next smaller one says more */

/* ---- kinds ---- */

const struct kind kinds[] = {
    {KIND_FREE, DIM, "free", "promised"},
    {KIND_KERNEL, RED, "kernel", NULL},
    {KIND_ARCHIVE, BLUE, "archive", NULL},
    {KIND_TABLE, YELLOW, "page table", NULL},
    {KIND_ZERO, CYAN, "zero frame", "zero frame"},
    {KIND_PRIVATE, GREEN, "private", "private"},
    {'2', MAGENTA, "with 2 users", "with 2 users"},
    {'3', MAGENTA, "with 3 users", "with 3 users"},
    {'4', MAGENTA, "with 4 users", "with 4 users"},
    {'5', MAGENTA, "with 5 users", "with 5 users"},
    {'6', MAGENTA, "with 6 users", "with 6 users"},
    {'7', MAGENTA, "with 7 users", "with 7 users"},
    {'8', MAGENTA, "with 8 users", "with 8 users"},
    {'9', MAGENTA, "with 9 users or more", "with 9 users or more"},
    {KIND_SHARED, BOLD, "shared", "shared"},
    {KIND_FILE, BLUE, "file", "file"},
    {KIND_HOLE, DIM, "low memory and holes", NULL},
    {KIND_SECRET, PLAIN, "not told", "not told"},
    {KIND_UNSEEN, DIM, NULL, "not looked at"},
    {KIND_NOTHING, PLAIN, NULL, NULL},
};

char kind_of_users(unsigned long users)
{
    return users <= 1 ? KIND_PRIVATE : (char)('0' + (users < USERS_MAX ? users : USERS_MAX));
}

const struct kind *kind_of(char letter)
{
    const struct kind *kind = kinds;
    while (kind->letter != letter && kind->letter != KIND_NOTHING)
        kind++;
    return kind;
}

const char *size_of_pages(unsigned long pages)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    static char text[32];
    unsigned long size = pages * KIB_PER_PAGE;
    size_t unit = 0;
    while (unit + 1 < sizeof units / sizeof *units &&
           (size >= WHOLE_ENOUGH * UNIT || (size >= UNIT && size % UNIT == 0))) {
        size /= UNIT;
        unit++;
    }
    snprintf(text, sizeof text, "%lu %s", size, units[unit]);
    return text;
}

/* ---- runs ---- */

bool cells_reserve(struct cells *cells, size_t runs)
{
    struct run *list = realloc(cells->runs, runs * sizeof *list);
    if (list == NULL)
        return false;
    memset(list + cells->used, 0, (runs - cells->used) * sizeof *list);
    cells->runs = list;
    cells->room = runs;
    return true;
}

void cells_clear(struct cells *cells)
{
    cells->used = 0;
    cells->total = 0;
}

bool cells_add(struct cells *cells, char kind, unsigned long count)
{
    if (count == 0)
        return true;
    if (cells->used > 0 && cells->runs[cells->used - 1].kind == kind) {
        cells->runs[cells->used - 1].count += count;
        cells->total += count;
        return true;
    }
    if (cells->used == cells->room &&
        !cells_reserve(cells, cells->room > 0 ? 2 * cells->room : FIRST_ROOM))
        return false;
    cells->runs[cells->used++] = (struct run){kind, count};
    cells->total += count;
    return true;
}

/* ---- bands: a row of different characters, or all rows of one character that stand together ---- */

struct cursor {
    const struct run *run;
    unsigned long used;  /* cells of the run that are behind us */
    unsigned long cell;  /* cells in all that are behind us */
};

struct band {
    unsigned long first, cells, rows;
    int columns;
    bool is_uniform;
    char row[COLUMNS_MAX];
};

/*
 * The character for the next COUNT cells: the most frequent kind, but free only if all are, and the zero frame
 * if it is there at all, for there is only one.
 */
static char next_character(struct cursor *cursor, unsigned long count)
{
    unsigned long seen[128] = {0};
    char best = KIND_NOTHING;
    if (cursor->run->count - cursor->used >= count) { /* the usual case */
        best = cursor->run->kind;
        cursor->used += count;
    } else {
        for (unsigned long left = count; left > 0;) {
            unsigned long part = cursor->run->count - cursor->used;
            part = part < left ? part : left;
            unsigned char kind = (unsigned char)cursor->run->kind;
            seen[kind] += part;
            if (best == KIND_NOTHING || best == KIND_FREE || kind == KIND_ZERO ||
                (best != KIND_ZERO && kind != KIND_FREE && seen[kind] > seen[(unsigned char)best]))
                best = (char)kind;
            cursor->used += part;
            left -= part;
            if (cursor->used == cursor->run->count) {
                cursor->run++;
                cursor->used = 0;
            }
        }
    }
    cursor->cell += count;
    return best;
}

/* Move over a run's end, so that the cursor stands on the cell that comes next. */
static void settle(struct cursor *cursor, const struct cells *cells)
{
    if (cursor->cell < cells->total && cursor->used == cursor->run->count) {
        cursor->run++;
        cursor->used = 0;
    }
}

static bool next_band(const struct cells *cells, const struct picture *picture,
                      struct cursor *cursor, struct band *band)
{
    unsigned long per_row = (unsigned long)picture->columns * picture->scale;
    if (cursor->cell >= cells->total)
        return false;
    *band = (struct band){.first = cursor->cell, .rows = 1};
    settle(cursor, cells);
    unsigned long whole = (cursor->run->count - cursor->used) / per_row;
    if (whole >= FOLDED_MIN) {
        band->is_uniform = true;
        band->rows = whole;
        band->cells = whole * per_row;
        band->row[0] = cursor->run->kind;
        band->columns = picture->columns;
        cursor->used += band->cells;
        cursor->cell += band->cells;
        return true;
    }
    while (band->columns < picture->columns && cursor->cell < cells->total) {
        unsigned long left = cells->total - cursor->cell;
        settle(cursor, cells);
        band->row[band->columns++] =
            next_character(cursor, left < picture->scale ? left : picture->scale);
    }
    band->cells = cursor->cell - band->first;
    return true;
}

int cells_rows(const struct cells *cells, const struct picture *picture)
{
    struct cursor cursor = {.run = cells->runs};
    struct band band;
    int rows = 0;
    while (next_band(cells, picture, &cursor, &band))
        rows++;
    return rows;
}

void cells_fit(const struct cells *cells, struct picture *picture, int rows)
{
    picture->scale = 1;
    while (picture->scale < cells->total && cells_rows(cells, picture) > rows)
        picture->scale *= 2;
}

/* ---- drawing ---- */

static void draw_row(const struct band *band)
{
    for (int i = 0; i < band->columns;) {
        int first = i;
        while (i < band->columns && band->row[i] == band->row[first])
            i++;
        canvas_text("%s", paint_ground(kind_of(band->row[first])->colour));
        canvas_letters(band->row[first], i - first);
        canvas_text("%s", paint_end());
    }
}

/* One row for many: how much it is, and of what. */
static void draw_folded(const struct band *band, bool of_frames)
{
    const struct kind *kind = kind_of(band->row[0]);
    char text[COLUMNS_MAX];
    int length = snprintf(text, sizeof text, " %lu %s %s, %s ", band->cells,
                          of_frames ? "frames" : "pages", of_frames ? kind->of_frame : kind->of_page,
                          size_of_pages(band->cells));
    int letters = band->columns > length ? band->columns - length : 0;
    canvas_text("%s", paint_ground(kind->colour));
    canvas_letters(kind->letter, letters / 2);
    canvas_text("%.*s", band->columns, text);
    canvas_letters(kind->letter, letters - letters / 2);
    canvas_text("%s", paint_end());
}

void cells_draw(const struct cells *cells, const struct picture *picture)
{
    struct cursor cursor = {.run = cells->runs};
    struct band band;
    while (next_band(cells, picture, &cursor, &band)) {
        picture->begin_row(band.first, picture->context);
        if (band.is_uniform)
            draw_folded(&band, picture->of_frames);
        else
            draw_row(&band);
        if (picture->end_row != NULL)
            picture->end_row(picture->columns - band.columns, picture->context);
        canvas_newline();
    }
}
