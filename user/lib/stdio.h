/*
 * Streams and formatted text. stdout is line-buffered on a terminal and fully buffered otherwise,
 * stderr is unbuffered. Formats know no floating point: d i u x X o c s p %, with the flags
 * - + space # 0, width, precision (* too) and the sizes hh h l ll z j t.
 */
#ifndef _STDIO_H
#define _STDIO_H

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#define EOF      (-1)
#define BUFSIZ   1024
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define _IOFBF   0 /* fully buffered */
#define _IOLBF   1 /* line-buffered */
#define _IONBF   2 /* unbuffered */

typedef struct _FILE FILE;
extern FILE *const stdin;
extern FILE *const stdout;
extern FILE *const stderr;
#define stdin  stdin
#define stdout stdout
#define stderr stderr

#define _PRINTF(text, first) __attribute__((format(printf, text, first)))

int printf(const char *restrict format, ...) _PRINTF(1, 2);
int fprintf(FILE *restrict stream, const char *restrict format, ...) _PRINTF(2, 3);
int dprintf(int descriptor, const char *restrict format, ...) _PRINTF(2, 3);
int sprintf(char *restrict to, const char *restrict format, ...) _PRINTF(2, 3);
int snprintf(char *restrict to, size_t size, const char *restrict format, ...) _PRINTF(3, 4);
int vprintf(const char *restrict format, va_list arguments) _PRINTF(1, 0);
int vfprintf(FILE *restrict stream, const char *restrict format, va_list arguments) _PRINTF(2, 0);
int vdprintf(int descriptor, const char *restrict format, va_list arguments) _PRINTF(2, 0);
int vsprintf(char *restrict to, const char *restrict format, va_list arguments) _PRINTF(2, 0);
int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list arguments)
    _PRINTF(3, 0);

/* Input formats: d i u x o c s p n [set] %, with *, width and the sizes hh h l ll z j t. */
int sscanf(const char *restrict text, const char *restrict format, ...)
    __attribute__((format(scanf, 2, 3)));
int vsscanf(const char *restrict text, const char *restrict format, va_list arguments);

FILE *fopen(const char *restrict path, const char *restrict mode);
FILE *fdopen(int descriptor, const char *mode);
int fclose(FILE *stream);
int fflush(FILE *stream); /* NULL: all streams */
int setvbuf(FILE *restrict stream, char *restrict buffer, int mode, size_t size);
int fileno(FILE *stream);
int feof(FILE *stream);
int ferror(FILE *stream);
void clearerr(FILE *stream);

size_t fread(void *restrict to, size_t size, size_t count, FILE *restrict stream);
size_t fwrite(const void *restrict from, size_t size, size_t count, FILE *restrict stream);
int fgetc(FILE *stream);
int getc(FILE *stream);
int getchar(void);
int ungetc(int character, FILE *stream);
char *fgets(char *restrict to, int size, FILE *restrict stream);
ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict stream);
int fputc(int character, FILE *stream);
int putc(int character, FILE *stream);
int putchar(int character);
int fputs(const char *restrict text, FILE *restrict stream);
int puts(const char *text);
int fseek(FILE *stream, long offset, int whence);
long ftell(FILE *stream);
void rewind(FILE *stream);

void perror(const char *what);
int remove(const char *path);
int renameat(int from_directory, const char *from, int to_directory, const char *to);
int rename(const char *from, const char *to);

#undef _PRINTF
#endif
