/* A picture of lines of text that is put together first and goes out in one write. */
#include "user/common/canvas.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user/common/terminal.h"

#define CANVAS_SIZE 32768
#define LINE_ROOM   2048 /* more than any line takes, with its colours */

static char picture[CANVAS_SIZE];
static size_t length;
static int lines, lines_max;

void canvas_begin(int limit)
{
    length = 0;
    lines = 0;
    lines_max = limit > 0 ? limit : INT_MAX;
    picture[0] = '\0';
}

static bool is_full(void)
{
    return lines >= lines_max;
}

int canvas_lines_left(void)
{
    return lines_max == INT_MAX ? INT_MAX : lines_max - lines;
}

void canvas_text(const char *format, ...)
{
    va_list arguments;
    if (is_full())
        return;
    va_start(arguments, format);
    int wanted = vsnprintf(picture + length, sizeof picture - length, format, arguments);
    va_end(arguments);
    size_t room = sizeof picture - 1 - length;
    length += (size_t)wanted < room ? (size_t)wanted : room;
}

void canvas_letters(char letter, int count)
{
    size_t room = sizeof picture - 1 - length, wanted = count > 0 ? (size_t)count : 0;
    if (is_full())
        return;
    wanted = wanted < room ? wanted : room;
    memset(picture + length, letter, wanted);
    length += wanted;
    picture[length] = '\0';
}

void canvas_newline(void)
{
    if (is_full())
        return;
    /* On a limited part of the screen, what stood there before goes away to the line's end. */
    canvas_text("%s\n", lines_max == INT_MAX ? "" : "\033[K");
    lines++;
    if (lines_max == INT_MAX && length > sizeof picture - LINE_ROOM)
        canvas_show();
}

const char *canvas_picture(size_t *size)
{
    *size = length;
    return picture;
}

void canvas_show(void)
{
    terminal_write(picture, length);
    length = 0;
}
