/* Text for a person: paragraphs, and colours where a terminal shows them. */
#include "user/common/paint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const sequences[COLOUR_COUNT] = {
    [PLAIN] = "",           [BOLD] = "\033[1m",   [DIM] = "\033[2m",
    [RED] = "\033[31m",     [GREEN] = "\033[32m", [YELLOW] = "\033[33m",
    [BLUE] = "\033[34m",    [CYAN] = "\033[36m",  [MAGENTA] = "\033[35m",
};

static const char *const grounds[COLOUR_COUNT] = {
    [PLAIN] = "",            [BOLD] = "\033[30;47m",   [DIM] = "\033[2m",
    [RED] = "\033[30;41m",   [GREEN] = "\033[30;42m",  [YELLOW] = "\033[30;43m",
    [BLUE] = "\033[30;44m",  [CYAN] = "\033[30;46m",   [MAGENTA] = "\033[30;45m",
};

static enum { UNDECIDED, COLOURS_OFF, COLOURS_ON } colours;

void paint_colours(bool wanted)
{
    colours = wanted ? COLOURS_ON : COLOURS_OFF;
}

static bool has_colours(void)
{
    if (colours == UNDECIDED)
        paint_colours(isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL);
    return colours == COLOURS_ON;
}

const char *paint(enum colour colour)
{
    return has_colours() ? sequences[colour] : "";
}

const char *paint_ground(enum colour colour)
{
    return has_colours() ? grounds[colour] : "";
}

const char *paint_end(void)
{
    return has_colours() ? "\033[0m" : "";
}

void paragraph(int indent, const char *format, ...)
{
    static char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    int column = 0;
    for (const char *word = text; *word != '\0';) {
        int length = (int)strcspn(word, " \n");
        if (column != 0 && column + 1 + length > PAINT_COLUMNS - 2) {
            putchar('\n');
            column = 0;
        }
        if (length > 0)
            column += printf("%*s%.*s", column == 0 ? indent : 1, "", length, word);
        word += length;
        if (*word == '\n') {
            putchar('\n');
            column = 0;
        }
        word += *word != '\0';
    }
    if (column != 0)
        putchar('\n');
}
