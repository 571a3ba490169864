/*
 * A picture of lines of text that is put together first and goes out in one write: so nothing flickers,
 * and what other programs print stands before or behind it, never inside.
 */
#ifndef USER_COMMON_CANVAS_H
#define USER_COMMON_CANVAS_H

#include <stddef.h>

#include "user/common/paint.h"

/* Begin an empty picture of at most LINES lines (0: no limit); what is too much is left out. */
void canvas_begin(int lines);

/* Append text to the line. Without a limit of lines, a full canvas goes out by itself. */
__attribute__((format(printf, 1, 2))) void canvas_text(const char *format, ...);
void canvas_letters(char letter, int count);

/* End the line. */
void canvas_newline(void);

/* How many lines can still be begun; INT_MAX without a limit. */
int canvas_lines_left(void);

/* The picture as it stands, ended by '\0'. */
const char *canvas_picture(size_t *length);

/* Write the picture to standard output and begin an empty one. */
void canvas_show(void);

#endif
