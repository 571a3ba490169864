/* The terminal on standard output: how large it is, and writing to it without a buffer. */
#ifndef USER_COMMON_TERMINAL_H
#define USER_COMMON_TERMINAL_H

#include <stddef.h>

/* How many rows and columns it has; 24 and 80 where it does not say. */
int terminal_rows(void);
int terminal_columns(void);

/* Writes LENGTH bytes of TEXT now, in one write where the terminal takes them so; what can't be written is dropped. */
void terminal_write(const char *text, size_t length);

#endif
