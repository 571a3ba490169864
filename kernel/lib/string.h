/* The string and memory functions of the C library that the kernel needs. */
#ifndef KERNEL_LIB_STRING_H
#define KERNEL_LIB_STRING_H

#include "kernel/lib/types.h"

void *memcpy(void *dest, const void *src, size_t n);
void *memmove(void *dest, const void *src, size_t n);
void *memset(void *dest, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* Copies at most SIZE - 1 bytes and always ends DEST with a NUL (if SIZE > 0). Returns strlen(SRC). */
size_t strlcpy(char *dest, const char *src, size_t size);

/* Reads a decimal, 0x… or 0… number at S. *END (may be NULL) is the first byte that is no digit. */
unsigned long parse_number(const char *s, const char **end);

#endif
