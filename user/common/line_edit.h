/* Reading a line from a terminal, with editing and history, as the shell does it. */
#ifndef USER_COMMON_LINE_EDIT_H
#define USER_COMMON_LINE_EDIT_H

#include <stddef.h>

#define LINE_SIZE 1024 /* of a line with its '\0' */

enum line_result {
    LINE_READY,     /* there is a line, without newline, perhaps empty */
    LINE_CANCELLED, /* Ctrl-C */
    LINE_AT_END,    /* Ctrl-D on an empty line, or the terminal is gone */
};

/*
 * Complete the word that ends at CURSOR in LINE. Writes what can be added for sure to ADDITION (at
 * most SIZE bytes with '\0'). If that is nothing and SHOW is true, prints the candidates on lines
 * of their own.
 */
typedef void (*line_completer)(const char *line, size_t cursor, char *addition, size_t size,
                               int show);

/*
 * Show PROMPT (its escape sequences take no room) and read a line into LINE, of LINE_SIZE bytes.
 * The terminal on standard input is raw meanwhile and as before afterwards. COMPLETE may be NULL.
 */
enum line_result line_edit(const char *prompt, char *line, line_completer complete);

/* Remember a line for the arrow keys; empty ones and repetitions are not. */
void line_remember(const char *line);

#endif
