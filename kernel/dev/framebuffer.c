/* A framebuffer: each cell is a glyph of the font (kernel/dev/font.txt), drawn pixel by pixel. */
#include "kernel/dev/screen_device.h"
#include "kernel/lib/string.h"

#define GLYPH_WIDTH 8
#define GLYPH_HEIGHT 16
#define LEFTMOST_PIXEL 0x80
/* From so many columns and lines on the letters are doubled (tripled, ...): they would be too small to read. */
#define MANY_COLUMNS 160
#define MANY_ROWS 40

/* Made from kernel/dev/font.txt by tools/font. */
extern const u8 font_glyphs[256][GLYPH_HEIGHT];

static struct screen_mode mode;
static u8 *first_cell;              /* the pixels are centred: a border may be left over */
static u32 scale, cell_width, cell_height, border;  /* pixels; the border in bytes */
static u32 pixel_of[SCREEN_COLOURS];
/* Two pixels side by side in colours 0 and 1, by the two bits of a glyph: for pixels of 32 bits. */
static u16 pair_colours = 0xffff;
static u64 pairs[4];

static u32 channel(u32 colour, unsigned shift, struct screen_channel to)
{
    u32 value = colour >> shift & 0xff;

    return (to.size >= 8 ? value << (to.size - 8) : value >> (8 - to.size)) << to.position;
}

static void put_pixel(u8 *at, u32 pixel)
{
    if (mode.bytes_per_pixel == sizeof(pixel)) {
        *(volatile u32 *)at = pixel;
        return;
    }
    for (unsigned i = 0; i < mode.bytes_per_pixel; i++)
        ((volatile u8 *)at)[i] = (u8)(pixel >> 8 * i);
}

static void draw_slowly(u8 *line, const u8 *glyph, u32 foreground, u32 background)
{
    for (unsigned y = 0; y < cell_height; y++, line += mode.pitch) {
        u8 bits = glyph[y / scale];
        u8 *at = line;

        for (unsigned x = 0; x < cell_width; x++, at += mode.bytes_per_pixel)
            put_pixel(at, bits & LEFTMOST_PIXEL >> x / scale ? foreground : background);
    }
}

/* The usual case: pixels of 32 bits, letters of their own size. */
static void draw_fast(u8 *line, const u8 *glyph, u16 colours, u64 foreground, u64 background)
{
    if (colours != pair_colours) {
        pair_colours = colours;
        pairs[0] = background << 32 | background;
        pairs[1] = foreground << 32 | background;   /* the right one of the two is the higher in memory */
        pairs[2] = background << 32 | foreground;
        pairs[3] = foreground << 32 | foreground;
    }
    for (unsigned y = 0; y < GLYPH_HEIGHT; y++, line += mode.pitch) {
        volatile u64 *at = (volatile u64 *)line;
        u8 bits = glyph[y];

        at[0] = pairs[bits >> 6];
        at[1] = pairs[bits >> 4 & 3];
        at[2] = pairs[bits >> 2 & 3];
        at[3] = pairs[bits & 3];
    }
}

static void draw(unsigned row, unsigned column, u16 cell)
{
    u8 *at = first_cell + (size_t)row * cell_height * mode.pitch + (size_t)column * cell_width * mode.bytes_per_pixel;
    u32 foreground = pixel_of[VT_FOREGROUND(cell)], background = pixel_of[VT_BACKGROUND(cell)];

    if (scale == 1 && mode.bytes_per_pixel == sizeof(u32))
        draw_fast(at, font_glyphs[VT_GLYPH(cell)], cell >> 8, foreground, background);
    else
        draw_slowly(at, font_glyphs[VT_GLYPH(cell)], foreground, background);
}

static void clear(void)
{
    for (unsigned y = 0; y < mode.height; y++) {
        u8 *line = (u8 *)mode.memory + (size_t)y * mode.pitch;

        for (unsigned x = 0; x < mode.width; x++)
            put_pixel(line + (size_t)x * mode.bytes_per_pixel, pixel_of[VT_BLACK]);
    }
}

static void move(void *memory)
{
    mode.memory = memory;
    first_cell = (u8 *)memory + border;
}

static void init(const struct screen_mode *wanted, unsigned *rows, unsigned *columns)
{
    mode = *wanted;
    for (unsigned i = 0; i < SCREEN_COLOURS; i++)
        pixel_of[i] = channel(screen_palette[i], 16, mode.red) | channel(screen_palette[i], 8, mode.green) |
                      channel(screen_palette[i], 0, mode.blue);

    scale = MAX(1u, MIN(mode.width / (GLYPH_WIDTH * MANY_COLUMNS), mode.height / (GLYPH_HEIGHT * MANY_ROWS)));
    cell_width = GLYPH_WIDTH * scale;
    cell_height = GLYPH_HEIGHT * scale;
    *columns = MIN(mode.width / cell_width, (u32)SCREEN_COLUMNS_MAX);
    *rows = MIN(mode.height / cell_height, (u32)SCREEN_ROWS_MAX);
    u32 left = (mode.width - *columns * cell_width) / 2, top = (mode.height - *rows * cell_height) / 2;
    border = top * mode.pitch + left / 2 * 2 * mode.bytes_per_pixel;    /* even: pairs of pixels stay aligned */
    move(mode.memory);
    clear();
}

const struct screen_device framebuffer_device = { init, move, draw };
