/* Inside kernel/dev/screen.c: the two kinds of screens, each of which can draw a cell of the grid. */
#ifndef KERNEL_DEV_SCREEN_DEVICE_H
#define KERNEL_DEV_SCREEN_DEVICE_H

#include "kernel/dev/screen.h"
#include "kernel/dev/vt.h"

#define SCREEN_COLOURS 16

/* The palette, in the order of kernel/dev/vt.h: 8 bits each of red, green and blue (0xrrggbb). */
extern const u32 screen_palette[SCREEN_COLOURS];

struct screen_device {
    /* Prepares the mode, which is empty afterwards, and tells its size in cells. */
    void (*init)(const struct screen_mode *mode, unsigned *rows, unsigned *columns);
    void (*move)(void *memory);
    void (*draw)(unsigned row, unsigned column, u16 cell);
};

extern const struct screen_device vga_text_device;
extern const struct screen_device framebuffer_device;

#endif
