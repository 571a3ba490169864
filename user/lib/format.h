/* The engine below the printf family. */
#ifndef USER_LIB_FORMAT_H
#define USER_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Where formatted text goes: called with each piece in turn. */
typedef void (*format_output)(void *destination, const char *text, size_t length);

/* Hand the text of FORMAT and ARGUMENTS to OUTPUT in pieces; returns its whole length. */
int __format(format_output output, void *destination, const char *format, va_list arguments);

#endif
