/*
 * The screen: VGA text or a framebuffer that the boot loader has set up, as one terminal. What is written
 * goes into a grid in memory; screen_flush shows what has changed of it. Video memory is never read.
 */
#ifndef KERNEL_DEV_SCREEN_H
#define KERNEL_DEV_SCREEN_H

#include "kernel/lib/types.h"

/* How many lines and columns are used at most; of a larger screen, larger letters are made. */
#define SCREEN_ROWS_MAX 75
#define SCREEN_COLUMNS_MAX 200

/* Of a pixel: where a colour's bits are, and how many. */
struct screen_channel {
    u8 position, size;
};

struct screen_mode {
    void *memory;
    bool is_text;               /* VGA text, else pixels */
    u32 pitch;                  /* bytes from one line (of text, of pixels) to the next */
    u32 width, height;          /* characters or pixels */
    u8 bytes_per_pixel;         /* 2 to 4 */
    struct screen_channel red, green, blue;
};

/* Clears the screen and uses it from now on; false when the mode is none that can be used. */
bool screen_init(const struct screen_mode *mode);

/* The same video memory is at another address from now on. */
void screen_move(void *memory);

bool screen_present(void);
/* 0 and 0 without a screen. */
void screen_size(unsigned *rows, unsigned *columns);

/* Writes LENGTH bytes to the terminal (kernel/dev/vt.h). Without a screen: nothing. */
void screen_write(const char *bytes, size_t length);

/* As screen_write, but a line feed goes to the line's beginning too: for messages. */
void screen_write_text(const char *text, size_t length);

/* Lends the screen memory for COUNT cells: for the lines that have left it at its top. */
void screen_keep(u16 *cells, size_t count);

/*
 * Shows what stood above, by HALVES halves of a screen, or what stands below if negative; as far as there is
 * something. What is written leads back to the end.
 */
void screen_look_back(int halves);
void screen_look_at_end(void);

/*
 * From now on screen_write doesn't show at once what it has changed, but calls CHANGED: whoever asked for
 * that calls screen_flush soon.
 */
void screen_show_later(void (*changed)(void));
void screen_flush(void);

#endif
