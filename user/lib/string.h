/* Strings and memory areas. */
#ifndef _STRING_H
#define _STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *area, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memchr(const void *area, int byte, size_t size);

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t limit);
int strcasecmp(const char *left, const char *right);
char *strcpy(char *restrict to, const char *restrict from);
char *strncpy(char *restrict to, const char *restrict from, size_t size);
char *stpcpy(char *restrict to, const char *restrict from);
char *strcat(char *restrict to, const char *restrict from);
char *strncat(char *restrict to, const char *restrict from, size_t limit);
char *strchr(const char *text, int character);
char *strrchr(const char *text, int character);
char *strstr(const char *text, const char *part);
size_t strspn(const char *text, const char *accepted);
size_t strcspn(const char *text, const char *rejected);
char *strpbrk(const char *text, const char *accepted);
char *strtok_r(char *restrict text, const char *restrict separators, char **restrict state);
char *strtok(char *restrict text, const char *restrict separators);
char *strdup(const char *text);
char *strndup(const char *text, size_t limit);

/* The sentence for an error number, as glibc says it in English; "Unknown error N" for others. */
char *strerror(int error);

/* The sentence for a signal number, as glibc says it in English. */
char *strsignal(int signal);

#endif
