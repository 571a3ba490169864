/*
 * A terminal without a device: bytes with the escape sequences of the VT100 and its successors (ECMA-48)
 * become a grid of cells. kernel/dev/screen.c shows the grid.
 */
#ifndef KERNEL_DEV_VT_H
#define KERNEL_DEV_VT_H

#include "kernel/lib/types.h"

/* A cell: the glyph's number (code page 437) in the low byte, its colours in the high one. */
#define VT_GLYPH(cell) ((u8)(cell))
#define VT_FOREGROUND(cell) ((cell) >> 8 & 0xf)
#define VT_BACKGROUND(cell) ((cell) >> 12)
#define VT_CELL(glyph, foreground, background) ((u16)((glyph) | (foreground) << 8 | (background) << 12))

/* Colours are ECMA-48's: black, red, green, yellow, blue, magenta, cyan, white; 8 more: bright. */
#define VT_BLACK 0
#define VT_WHITE 7
#define VT_BRIGHT 8
#define VT_BLANK VT_CELL(' ', VT_WHITE, VT_BLACK)

#define VT_PARAMETERS 8

struct vt_pen {
    u8 foreground, background;
    bool bold, dim, inverse;
};

struct vt_place {
    unsigned row, column;
    bool wraps;                 /* the last column was written: the next character begins a new line */
    struct vt_pen pen;
};

/* The lines that have left the grid at its top, a ring. Without memory there are none. */
struct vt_history {
    u16 *cells;
    unsigned lines;             /* how many have room */
    unsigned next, used;        /* where the next one goes; how many there are */
};

struct vt {
    u16 *cells;                 /* rows * columns */
    unsigned rows, columns;
    struct vt_history history;
    struct vt_place at, saved;
    unsigned top, bottom;       /* the first line that scrolls, and the one behind the last */
    bool cursor_hidden;
    unsigned dirty_first, dirty_end;    /* lines that changed since somebody set both to 0 */
    /* The sequence that is being received. */
    enum { VT_TEXT, VT_ESCAPE, VT_CSI, VT_CHARSET, VT_STRING } state;
    bool is_private;            /* CSI ? */
    unsigned parameters[VT_PARAMETERS], parameter_count;
    u32 code_point;
    unsigned utf8_left;
};

/* Sets up an empty terminal over CELLS, which has room for ROWS * COLUMNS. */
void vt_init(struct vt *vt, u16 *cells, unsigned rows, unsigned columns);

/* Keeps the lines that leave the grid at its top in CELLS, which has room for COUNT cells; the oldest are forgotten. */
void vt_keep(struct vt *vt, u16 *cells, size_t count);

/* The cell at ROW and COLUMN of what is seen from BACK lines above the grid, BACK being at most history.used. */
u16 vt_cell_seen(const struct vt *vt, unsigned back, unsigned row, unsigned column);

/* Takes LENGTH bytes of output. A line feed only goes down; the tty adds the carriage return. */
void vt_write(struct vt *vt, const char *bytes, size_t length);

/* The glyph for a character of Unicode: its number in code page 437, or that of a box when it has none. */
u8 vt_glyph(u32 code_point);

#endif
