/* The shell's completion of words with Tab. */
#ifndef USER_COMMON_COMPLETE_H
#define USER_COMMON_COMPLETE_H

#include <stddef.h>

/* Where programs are looked for: $PATH, or our own folders. */
const char *program_path(void);

/* A line_completer (line_edit.h): a command begins with a program, all other words are files. */
void complete_line(const char *line, size_t cursor, char *addition, size_t size, int show);

#endif
