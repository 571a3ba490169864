/* Streams: a buffer between the program and a file descriptor. */
#include "format.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned char input_buffer[BUFSIZ], output_buffer[BUFSIZ];

static FILE standard_input = {
    .descriptor = STDIN_FILENO, .flags = CAN_READ, .buffer = input_buffer, .size = BUFSIZ};
static FILE standard_output = {.descriptor = STDOUT_FILENO,
                               .flags = CAN_WRITE | MODE_UNDECIDED,
                               .buffer = output_buffer,
                               .size = BUFSIZ,
                               .next = &standard_input};
static FILE standard_error = {
    .descriptor = STDERR_FILENO, .flags = CAN_WRITE, .mode = _IONBF, .next = &standard_output};
static FILE *all_streams = &standard_error;

FILE *const stdin = &standard_input;
FILE *const stdout = &standard_output;
FILE *const stderr = &standard_error;

/* Write all of it, whatever number of calls that takes; 0 or EOF. */
static int write_all(FILE *stream, const unsigned char *from, size_t size)
{
    while (size > 0) {
        ssize_t count = write(stream->descriptor, from, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            stream->flags |= FAILED;
            return EOF;
        }
        from += count;
        size -= (size_t)count;
    }
    return 0;
}

/* Bring a stream to rest: pending output is written, unread input given back to the descriptor. */
static int settle(FILE *stream)
{
    int result = 0;
    if (stream->flags & WRITING) {
        result = write_all(stream, stream->buffer, stream->position);
    } else if (stream->position < stream->end) {
        lseek(stream->descriptor, -(off_t)(stream->end - stream->position), SEEK_CUR);
    }
    stream->flags &= ~WRITING;
    stream->position = stream->end = 0;
    return result;
}

int fflush(FILE *stream)
{
    if (stream != NULL)
        return settle(stream);
    int result = 0;
    for (stream = all_streams; stream != NULL; stream = stream->next)
        if (stream->flags & WRITING)
            result |= settle(stream);
    return result;
}

void __flush_all_streams(void)
{
    fflush(NULL);
}

/* Make the stream ready to take output: sets its mode at the first time, leaves off reading. */
static int start_writing(FILE *stream)
{
    if (!(stream->flags & CAN_WRITE)) {
        errno = EBADF;
        stream->flags |= FAILED;
        return EOF;
    }
    if (stream->flags & MODE_UNDECIDED) {
        int saved = errno;
        stream->mode = isatty(stream->descriptor) ? _IOLBF : _IOFBF;
        stream->flags &= ~MODE_UNDECIDED;
        errno = saved;
    }
    if (!(stream->flags & WRITING)) {
        settle(stream);
        stream->flags |= WRITING;
    }
    return 0;
}

/* Take output into the buffer, and write out what its mode says; returns how much was taken. */
static size_t put(FILE *stream, const unsigned char *from, size_t size)
{
    if (start_writing(stream) == EOF)
        return 0;
    if (stream->mode == _IONBF || stream->size == 0)
        return write_all(stream, from, size) == 0 ? size : 0;
    for (size_t left = size; left > 0;) {
        if (stream->position == stream->size) {
            if (write_all(stream, stream->buffer, stream->position) == EOF)
                return size - left;
            stream->position = 0;
        }
        size_t room = stream->size - stream->position;
        size_t part = left < room ? left : room;
        memcpy(stream->buffer + stream->position, from, part);
        stream->position += part;
        from += part;
        left -= part;
    }
    if (stream->mode == _IOLBF) {
        size_t lines = stream->position; /* whole lines leave, what follows them stays */
        while (lines > 0 && stream->buffer[lines - 1] != '\n')
            lines--;
        int result = write_all(stream, stream->buffer, lines);
        memmove(stream->buffer, stream->buffer + lines, stream->position - lines);
        stream->position -= lines;
        return result == 0 ? size : 0;
    }
    return size;
}

size_t fwrite(const void *restrict from, size_t size, size_t count, FILE *restrict stream)
{
    return size == 0 ? 0 : put(stream, from, size * count) / size;
}

int fputc(int character, FILE *stream)
{
    unsigned char byte = (unsigned char)character;
    return put(stream, &byte, 1) == 1 ? byte : EOF;
}

int putc(int character, FILE *stream)
{
    return fputc(character, stream);
}

int putchar(int character)
{
    return fputc(character, stdout);
}

int fputs(const char *restrict text, FILE *restrict stream)
{
    size_t length = strlen(text);
    return put(stream, (const unsigned char *)text, length) == length ? 0 : EOF;
}

int puts(const char *text)
{
    return fputs(text, stdout) == EOF || putchar('\n') == EOF ? EOF : 0;
}

/* An unbuffered stream gets a buffer for the length of this call, so a message is one write. */
int vfprintf(FILE *restrict stream, const char *restrict format, va_list arguments)
{
    unsigned char buffer[256];
    int is_unbuffered = stream->mode == _IONBF && !(stream->flags & MODE_UNDECIDED);
    if (is_unbuffered) {
        stream->buffer = buffer;
        stream->size = sizeof buffer;
        stream->mode = _IOFBF;
    }
    int length = __format(__put_piece, stream, format, arguments);
    if (is_unbuffered) {
        settle(stream);
        stream->buffer = NULL;
        stream->size = 0;
        stream->mode = _IONBF;
    }
    return stream->flags & FAILED ? -1 : length;
}

void __put_piece(void *stream, const char *text, size_t length)
{
    put(stream, (const unsigned char *)text, length);
}

int vprintf(const char *restrict format, va_list arguments)
{
    return vfprintf(stdout, format, arguments);
}

int printf(const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vfprintf(stdout, format, arguments);
    va_end(arguments);
    return length;
}

int fprintf(FILE *restrict stream, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vfprintf(stream, format, arguments);
    va_end(arguments);
    return length;
}

int setvbuf(FILE *restrict stream, char *restrict buffer, int mode, size_t size)
{
    settle(stream);
    stream->mode = mode;
    stream->flags &= ~MODE_UNDECIDED;
    if (mode == _IONBF) {
        stream->size = 0;
    } else if (buffer != NULL && size > 0) {
        stream->buffer = (unsigned char *)buffer;
        stream->size = size;
    }
    return 0;
}

int fseek(FILE *stream, long offset, int whence)
{
    if (settle(stream) == EOF || lseek(stream->descriptor, offset, whence) < 0)
        return -1;
    stream->flags &= ~AT_END;
    return 0;
}

long ftell(FILE *stream)
{
    long place = lseek(stream->descriptor, 0, SEEK_CUR);
    if (place < 0)
        return -1;
    if (stream->flags & WRITING)
        return place + (long)stream->position;
    return place - (long)(stream->end - stream->position);
}

void rewind(FILE *stream)
{
    fseek(stream, 0, SEEK_SET);
    clearerr(stream);
}

FILE *fdopen(int descriptor, const char *mode)
{
    FILE *stream = calloc(1, sizeof *stream + BUFSIZ);
    if (stream == NULL)
        return NULL;
    stream->descriptor = descriptor;
    stream->flags = mode[0] == 'r' ? CAN_READ : CAN_WRITE;
    if (strchr(mode, '+') != NULL)
        stream->flags = CAN_READ | CAN_WRITE;
    stream->buffer = (unsigned char *)(stream + 1);
    stream->size = BUFSIZ;
    stream->next = all_streams;
    all_streams = stream;
    return stream;
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    int both = strchr(mode, '+') != NULL;
    int flags = both ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
    if (mode[0] == 'w')
        flags |= O_CREAT | O_TRUNC;
    else if (mode[0] == 'a')
        flags |= O_CREAT | O_APPEND;
    if (strchr(mode, 'e') != NULL)
        flags |= O_CLOEXEC;
    int descriptor = open(path, flags, 0666);
    if (descriptor < 0)
        return NULL;
    FILE *stream = fdopen(descriptor, mode);
    if (stream == NULL)
        close(descriptor);
    return stream;
}

int fclose(FILE *stream)
{
    FILE **link = &all_streams;
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    int result = stream->flags & WRITING ? settle(stream) : 0;
    if (close(stream->descriptor) < 0)
        result = EOF;
    if (stream != stdin && stream != stdout && stream != stderr)
        free(stream);
    return result;
}
