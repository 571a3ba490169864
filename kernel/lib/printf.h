/* Formatted output: %d %i %u %x %X %o %c %s %p %% with - 0 + # width, precision, and h hh l ll z. */
#ifndef KERNEL_LIB_PRINTF_H
#define KERNEL_LIB_PRINTF_H

#include <stdarg.h>
#include "kernel/lib/types.h"

/* Both write at most SIZE bytes with the final NUL, and return the length that the whole text has. */
int snprintf(char *buffer, size_t size, const char *format, ...) __printf(3, 4);
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);

/* As snprintf, but returns the number of bytes really in BUFFER (at most SIZE - 1): for appending. */
int scnprintf(char *buffer, size_t size, const char *format, ...) __printf(3, 4);

/*
 * A kernel message: one line for the person at the machine. It goes to every registered sink (COM2, and the
 * console unless the kernel runs `quiet` or in run mode). Lines are at most 512 bytes.
 */
void printk(const char *format, ...) __printf(1, 2);

/* A device that shows kernel messages. The sink gets LENGTH bytes of text, not NUL-terminated. */
typedef void (*printk_sink_t)(const char *text, size_t length);

/* Adds a sink (at most 4). URGENT_ONLY sinks get a message only while a panic is under way. */
void printk_add_sink(printk_sink_t sink, bool urgent_only);

#endif
