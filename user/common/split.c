/* A picture that stays at the top of the terminal, while below it the programs go on to print. */
#include "user/common/split.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/common/canvas.h"
#include "user/common/terminal.h"

#define ROWS_MIN         20 /* of the terminal */
/* The picture's part is three fifths, or less, so that a chapter of the tour fits below it. */
#define PART             3
#define WHOLE            5
#define CHAPTER_ROWS     18
#define PICTURE_ROWS_MIN 14

static int known_rows, picture_rows;
static uint64_t shown; /* a checksum of the picture that stands there; 0: none */

static int picture_part(int rows)
{
    int part = rows * PART / WHOLE, leaves_a_chapter = rows - CHAPTER_ROWS;
    if (leaves_a_chapter < PICTURE_ROWS_MIN)
        leaves_a_chapter = PICTURE_ROWS_MIN;
    return rows < ROWS_MIN ? 0 : part < leaves_a_chapter ? part : leaves_a_chapter;
}

/*
 * The cursor goes down by as many lines as the picture takes (which scrolls, if need be) and up again: now
 * there is room below it. The empty lines at the top push everything down into that room, and the cursor
 * goes with it. ESC 7 and ESC 8 keep the cursor's place while the region is set, which moves it.
 */
int split_begin(void)
{
    static char text[512];
    int length = 0;
    known_rows = terminal_rows();
    picture_rows = picture_part(known_rows);
    shown = 0;
    if (picture_rows == 0)
        return 0;
    for (int i = 0; i < picture_rows; i++)
        text[length++] = '\n';
    length += snprintf(text + length, sizeof text - (size_t)length,
                       "\033[%dA\0337\033[H\033[%dL\0338\033[%dB\0337\033[%d;%dr\0338", picture_rows,
                       picture_rows, picture_rows, picture_rows + 1, known_rows);
    terminal_write(text, (size_t)length);
    return picture_rows - 1; /* the last line is a rule */
}

int split_follow_size(void)
{
    if (terminal_rows() == known_rows)
        return picture_rows - 1;
    split_end();
    return split_begin();
}

void split_end(void)
{
    terminal_write("\0337\033[r\0338", strlen("\0337\033[r\0338"));
}

/* FNV-1a. */
static uint64_t checksum(const char *text, size_t length)
{
    uint64_t sum = 0xcbf29ce484222325;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3;
    return sum | 1;
}

void split_show(void)
{
    static char all[65536];
    static const char rule[] =
        "--------------------------------------------------------------------------------";
    size_t length;
    const char *picture = canvas_picture(&length);
    uint64_t sum = checksum(picture, length);
    if (sum == shown)
        return;
    shown = sum;
    int lines_left = canvas_lines_left();
    int size = snprintf(all, sizeof all, "\0337\033[?25l\033[H%.*s", (int)length, picture);
    for (int i = 0; i < lines_left; i++)
        size += snprintf(all + size, sizeof all - (size_t)size, "\033[K\n");
    size += snprintf(all + size, sizeof all - (size_t)size, "%s%s%s\033[K\0338\033[?25h", paint(DIM),
                     rule, paint_end());
    terminal_write(all, (size_t)size);
}
