/* Text for a person: paragraphs of at most 80 columns, and colours where a terminal shows them. */
#ifndef USER_COMMON_PAINT_H
#define USER_COMMON_PAINT_H

#include <stdbool.h>

#define PAINT_COLUMNS 80

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, COLOUR_COUNT };

/* Use colours from now on? The default: if standard output is a terminal and NO_COLOR is unset. */
void paint_colours(bool wanted);

/* The sequence that begins a colour, and the one that ends all; "" where no colours are used. */
const char *paint(enum colour colour);
/* As paint, for a cell of a map: black on a ground of this colour (PLAIN: of the terminal's own). */
const char *paint_ground(enum colour colour);
const char *paint_end(void);

/* Print a formatted paragraph, INDENT columns in, broken between words and at newlines. */
__attribute__((format(printf, 2, 3))) void paragraph(int indent, const char *format, ...);

#endif
