/* VGA text mode: each cell is two bytes of video memory, a character and its colours. */
#include "kernel/cpu/cpu.h"
#include "kernel/dev/screen_device.h"

/* Ports of the VGA in colour modes. */
#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define CRTC_CURSOR_START 0x0a
#define CURSOR_OFF 0x20
#define DAC_WRITE_INDEX 0x3c8
#define DAC_DATA 0x3c9
#define DAC_BITS 6              /* of each colour */

#define ATTRIBUTE_BACKGROUND_SHIFT 4
#define ATTRIBUTE_BACKGROUND_MASK 7     /* the bit above it blinks */

/* The VGA counts blue, green, cyan, red where ECMA-48 counts red, green, yellow, blue. */
static const u8 attribute_of[SCREEN_COLOURS] = { 0, 4, 2, 6, 1, 5, 3, 7, 8, 12, 10, 14, 9, 13, 11, 15 };

static volatile u8 *memory;
static u32 pitch;

/* Where the colour of an attribute stands in the table of colours, as every BIOS sets it up. */
static u8 dac_index(u8 attribute)
{
    if (attribute == 6)
        return 0x14;
    return attribute < 8 ? attribute : (u8)(0x38 + attribute - 8);
}

static void load_palette(void)
{
    for (unsigned i = 0; i < SCREEN_COLOURS; i++) {
        outb(DAC_WRITE_INDEX, dac_index(attribute_of[i]));
        for (int shift = 16; shift >= 0; shift -= 8)
            outb(DAC_DATA, (u8)((screen_palette[i] >> shift & 0xff) >> (8 - DAC_BITS)));
    }
}

static void draw(unsigned row, unsigned column, u16 cell)
{
    volatile u8 *at = memory + (size_t)row * pitch + 2 * (size_t)column;

    at[0] = VT_GLYPH(cell);
    at[1] = (u8)(attribute_of[VT_FOREGROUND(cell)] |
                 (attribute_of[VT_BACKGROUND(cell)] & ATTRIBUTE_BACKGROUND_MASK) << ATTRIBUTE_BACKGROUND_SHIFT);
}

static void init(const struct screen_mode *mode, unsigned *rows, unsigned *columns)
{
    memory = mode->memory;
    pitch = mode->pitch;
    *rows = mode->height;
    *columns = mode->width;
    outb(CRTC_INDEX, CRTC_CURSOR_START);
    outb(CRTC_DATA, CURSOR_OFF);
    load_palette();
    for (unsigned row = 0; row < mode->height; row++) {
        for (unsigned column = 0; column < mode->width; column++)
            draw(row, column, VT_BLANK);
    }
}

static void move(void *address)
{
    memory = address;
}

const struct screen_device vga_text_device = { init, move, draw };
