/* Reading from streams. */
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Get more input into the buffer, with a free byte in front for ungetc; 0, or EOF at the end. */
static int fill(FILE *stream)
{
    if (!(stream->flags & CAN_READ)) {
        errno = EBADF;
        stream->flags |= FAILED;
        return EOF;
    }
    if (stream->flags & WRITING)
        fflush(stream);
    if (stdout->mode == _IOLBF)
        fflush(stdout); /* a prompt is seen before its answer is waited for */
    ssize_t count;
    do
        count = read(stream->descriptor, stream->buffer + 1, stream->size - 1);
    while (count < 0 && errno == EINTR);
    stream->position = 1;
    stream->end = count > 0 ? 1 + (size_t)count : 1;
    if (count <= 0)
        stream->flags |= count == 0 ? AT_END : FAILED;
    return count > 0 ? 0 : EOF;
}

int fgetc(FILE *stream)
{
    if (((stream->flags & WRITING) || stream->position >= stream->end) && fill(stream) == EOF)
        return EOF;
    return stream->buffer[stream->position++];
}

int getc(FILE *stream)
{
    return fgetc(stream);
}

int getchar(void)
{
    return fgetc(stdin);
}

int ungetc(int character, FILE *stream)
{
    if (character == EOF || stream->position == 0 || (stream->flags & WRITING))
        return EOF;
    stream->buffer[--stream->position] = (unsigned char)character;
    stream->flags &= ~AT_END;
    return character;
}

size_t fread(void *restrict to, size_t size, size_t count, FILE *restrict stream)
{
    unsigned char *target = to;
    size_t wanted = size * count, got = 0;
    while (got < wanted) {
        if (((stream->flags & WRITING) || stream->position >= stream->end) && fill(stream) == EOF)
            break;
        size_t there = stream->end - stream->position;
        size_t part = wanted - got < there ? wanted - got : there;
        memcpy(target + got, stream->buffer + stream->position, part);
        stream->position += part;
        got += part;
    }
    return size == 0 ? 0 : got / size;
}

char *fgets(char *restrict to, int size, FILE *restrict stream)
{
    int length = 0;
    while (length < size - 1) {
        int character = fgetc(stream);
        if (character == EOF)
            break;
        to[length++] = (char)character;
        if (character == '\n')
            break;
    }
    if (length == 0)
        return NULL;
    to[length] = '\0';
    return to;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict stream)
{
    size_t length = 0;
    for (int character; (character = fgetc(stream)) != EOF;) {
        if (*line == NULL || length + 2 > *size) {
            size_t wanted = *line == NULL || *size < 64 ? 128 : 2 * *size;
            char *longer = realloc(*line, wanted);
            if (longer == NULL)
                return -1;
            *line = longer;
            *size = wanted;
        }
        (*line)[length++] = (char)character;
        if (character == '\n')
            break;
    }
    if (length == 0)
        return -1;
    (*line)[length] = '\0';
    return (ssize_t)length;
}

int fileno(FILE *stream)
{
    return stream->descriptor;
}

int feof(FILE *stream)
{
    return (stream->flags & AT_END) != 0;
}

int ferror(FILE *stream)
{
    return (stream->flags & FAILED) != 0;
}

void clearerr(FILE *stream)
{
    stream->flags &= ~(AT_END | FAILED);
}
