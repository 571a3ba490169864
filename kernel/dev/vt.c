/* Bytes and escape sequences become a grid of cells: characters, cursor and control characters. */
#include "kernel/dev/vt.h"
#include "kernel/dev/vt_sequence.h"
#include "kernel/lib/string.h"

#define ESCAPE 0x1b
#define DELETE 0x7f
#define TAB_WIDTH 8
#define FIRST_C1_END 0xa0       /* below it, from DELETE on, are control characters */

/* ---- the grid ---- */

void vt_changed(struct vt *vt, unsigned first, unsigned end)
{
    if (vt->dirty_first == vt->dirty_end) {
        vt->dirty_first = first;
        vt->dirty_end = end;
    }
    vt->dirty_first = MIN(vt->dirty_first, first);
    vt->dirty_end = MAX(vt->dirty_end, end);
}

static u16 pen_cell(const struct vt_pen *pen, u8 glyph)
{
    unsigned foreground = pen->foreground, background = pen->background;

    if (pen->bold)
        foreground |= VT_BRIGHT;
    else if (pen->dim && foreground == VT_WHITE)
        foreground = VT_BRIGHT | VT_BLACK;      /* dark grey */
    if (pen->inverse)
        return VT_CELL(glyph, background, foreground);
    return VT_CELL(glyph, foreground, background);
}

void vt_erase(struct vt *vt, unsigned from, unsigned end)
{
    u16 blank = VT_CELL(' ', VT_WHITE, vt->at.pen.background);

    for (unsigned i = from; i < end; i++)
        vt->cells[i] = blank;
    if (from < end)
        vt_changed(vt, from / vt->columns, (end - 1) / vt->columns + 1);
}

static u16 *line_of(const struct vt *vt, unsigned row)
{
    return vt->cells + (size_t)row * vt->columns;
}

void vt_scroll(struct vt *vt, unsigned first, int lines)
{
    unsigned height = vt->bottom - first, count = MIN((unsigned)(lines < 0 ? -lines : lines), height);
    u16 *upper = line_of(vt, first), *lower = line_of(vt, first + count);
    size_t moved = (size_t)(height - count) * vt->columns * sizeof(*upper);

    if (lines > 0) {
        memmove(upper, lower, moved);
        vt_erase(vt, (vt->bottom - count) * vt->columns, vt->bottom * vt->columns);
    } else {
        memmove(lower, upper, moved);
        vt_erase(vt, first * vt->columns, (first + count) * vt->columns);
    }
    vt_changed(vt, first, vt->bottom);
}

void vt_go(struct vt *vt, unsigned row, unsigned column)
{
    vt_changed(vt, vt->at.row, vt->at.row + 1);     /* the cursor leaves this line */
    vt->at.row = MIN(row, vt->rows - 1);
    vt->at.column = MIN(column, vt->columns - 1);
    vt->at.wraps = false;
    vt_changed(vt, vt->at.row, vt->at.row + 1);
}

void vt_line_feed(struct vt *vt)
{
    if (vt->at.row + 1 == vt->bottom) {
        if (vt->top == 0 && vt->bottom == vt->rows)
            vt_remember_top(vt);
        vt_scroll(vt, vt->top, 1);
    } else {
        vt_go(vt, vt->at.row + 1, vt->at.column);
    }
    vt->at.wraps = false;
}

/* ---- characters ---- */

static void put_glyph(struct vt *vt, u8 glyph)
{
    if (vt->at.wraps) {
        vt_line_feed(vt);
        vt_go(vt, vt->at.row, 0);
    }
    vt->cells[vt->at.row * vt->columns + vt->at.column] = pen_cell(&vt->at.pen, glyph);
    vt_changed(vt, vt->at.row, vt->at.row + 1);
    if (vt->at.column + 1 < vt->columns)
        vt->at.column++;
    else
        vt->at.wraps = true;
}

static void put_byte(struct vt *vt, u8 byte)
{
    if (byte < 0x80) {
        vt->utf8_left = 0;
        put_glyph(vt, byte);
    } else if (byte >= 0xc0) {
        vt->utf8_left = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
        vt->code_point = byte & (0x3fu >> vt->utf8_left);
    } else if (vt->utf8_left > 0) {
        vt->code_point = vt->code_point << 6 | (byte & 0x3f);
        vt->utf8_left--;
        if (vt->utf8_left == 0 && vt->code_point >= FIRST_C1_END)
            put_glyph(vt, vt_glyph(vt->code_point));
    }
}

static void control(struct vt *vt, u8 byte)
{
    switch (byte) {
    case '\n':
    case '\v':
    case '\f':
        vt_line_feed(vt);
        break;
    case '\r':
        vt_go(vt, vt->at.row, 0);
        break;
    case '\b':
        vt_go(vt, vt->at.row, vt->at.column - (vt->at.column > 0));
        break;
    case '\t':
        vt_go(vt, vt->at.row, ALIGN_DOWN(vt->at.column, TAB_WIDTH) + TAB_WIDTH);
        break;
    case ESCAPE:
        vt->state = VT_ESCAPE;
        break;
    default:
        break;
    }
}

void vt_reset(struct vt *vt)
{
    u16 *cells = vt->cells;
    unsigned rows = vt->rows, columns = vt->columns;
    struct vt_history history = vt->history;

    *vt = (struct vt){
        .cells = cells, .rows = rows, .columns = columns, .bottom = rows, .history = history,
        .at.pen = { .foreground = VT_WHITE }, .saved.pen = { .foreground = VT_WHITE },
    };
    vt_erase(vt, 0, rows * columns);
}

void vt_init(struct vt *vt, u16 *cells, unsigned rows, unsigned columns)
{
    vt->cells = cells;
    vt->rows = rows;
    vt->columns = columns;
    vt->history = (struct vt_history){};
    vt_reset(vt);
}

void vt_write(struct vt *vt, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        u8 byte = (u8)bytes[i];

        if (byte < ' ' && vt->state != VT_STRING)
            control(vt, byte);          /* even in the middle of a sequence */
        else if (vt->state != VT_TEXT)
            vt_sequence_byte(vt, byte);
        else if (byte != DELETE)
            put_byte(vt, byte);
    }
}
