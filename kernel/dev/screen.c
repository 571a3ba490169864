/* The screen as one terminal: a grid in memory, and what of it is shown already. */
#include "kernel/dev/screen.h"
#include "kernel/dev/screen_device.h"
#include "kernel/dev/vt_sequence.h"
#include "kernel/lib/panic.h"

#define CELLS (SCREEN_ROWS_MAX * SCREEN_COLUMNS_MAX)
#define BYTES_PER_PIXEL_MIN 2
#define BYTES_PER_PIXEL_MAX 4

const u32 screen_palette[SCREEN_COLOURS] = {
    0x14171c, 0xe0696f, 0x8fc06a, 0xe3b95c, 0x5c9ee8, 0xc27fd8, 0x4fb8c0, 0xc9ced6,
    0x69707c, 0xff8b90, 0xaede86, 0xffd77d, 0x82bdff, 0xdea2f2, 0x7adbe2, 0xffffff,
};

static const struct screen_device *device;
static struct vt vt;
static u16 wanted[CELLS], shown[CELLS];
static unsigned lines_back;         /* how far above the end the screen looks */
static void (*show_later)(void);
static bool asked_for_show;

static bool usable(const struct screen_mode *mode)
{
    if (mode->width == 0 || mode->height == 0 || mode->memory == NULL)
        return false;
    return mode->is_text || (mode->bytes_per_pixel >= BYTES_PER_PIXEL_MIN &&
                             mode->bytes_per_pixel <= BYTES_PER_PIXEL_MAX &&
                             mode->pitch >= mode->width * mode->bytes_per_pixel);
}

bool screen_init(const struct screen_mode *mode)
{
    unsigned rows, columns;

    if (!usable(mode))
        return false;
    device = mode->is_text ? &vga_text_device : &framebuffer_device;
    device->init(mode, &rows, &columns);
    vt_init(&vt, wanted, MIN(rows, (unsigned)SCREEN_ROWS_MAX), MIN(columns, (unsigned)SCREEN_COLUMNS_MAX));
    for (unsigned i = 0; i < vt.rows * vt.columns; i++)
        shown[i] = VT_BLANK;
    return true;
}

void screen_move(void *memory)
{
    if (device)
        device->move(memory);
}

bool screen_present(void)
{
    return device != NULL;
}

void screen_size(unsigned *rows, unsigned *columns)
{
    *rows = vt.rows;
    *columns = vt.columns;
}

/* The cell as it is to be seen: the cursor is its cell with the colours exchanged. */
static u16 cell_to_show(unsigned row, unsigned column)
{
    u16 cell = vt_cell_seen(&vt, lines_back, row, column);

    if (lines_back > 0 || vt.cursor_hidden || row != vt.at.row || column != vt.at.column)
        return cell;
    return VT_CELL(VT_GLYPH(cell), VT_BACKGROUND(cell), VT_FOREGROUND(cell));
}

void screen_flush(void)
{
    asked_for_show = false;
    for (unsigned row = vt.dirty_first; row < vt.dirty_end; row++) {
        for (unsigned column = 0; column < vt.columns; column++) {
            u16 cell = cell_to_show(row, column);
            u16 *old = &shown[row * vt.columns + column];

            if (cell != *old) {
                *old = cell;
                device->draw(row, column, cell);
            }
        }
    }
    vt.dirty_first = vt.dirty_end = 0;
}

void screen_show_later(void (*changed)(void))
{
    show_later = changed;
}

void screen_keep(u16 *cells, size_t count)
{
    vt_keep(&vt, cells, count);
}

static void look_from(unsigned lines)
{
    if (lines == lines_back)
        return;
    lines_back = lines;
    vt_changed(&vt, 0, vt.rows);
}

void screen_look_back(int halves)
{
    int lines = (int)lines_back + halves * (int)(vt.rows / 2);

    look_from((unsigned)MAX(0, MIN(lines, (int)vt.history.used)));
    screen_flush();
}

void screen_look_at_end(void)
{
    look_from(0);
    screen_flush();
}

void screen_write(const char *bytes, size_t length)
{
    if (!device)
        return;
    look_from(0);
    vt_write(&vt, bytes, length);
    if (!show_later || panicking) {
        screen_flush();
    } else if (!asked_for_show) {
        asked_for_show = true;
        show_later();
    }
}

void screen_write_text(const char *text, size_t length)
{
    while (length > 0) {
        size_t line = 0;
        while (line < length && text[line] != '\n')
            line++;
        screen_write(text, line);
        if (line < length) {
            screen_write("\r\n", 2);
            line++;
        }
        text += line;
        length -= line;
    }
}
