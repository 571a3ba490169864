/* printf into memory and straight to a descriptor; printf to streams is in stdio.c. */
#include "format.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A piece of memory that takes what fits and forgets the rest. */
struct memory {
    char *next;
    size_t left;
};

static void to_memory(void *destination, const char *text, size_t length)
{
    struct memory *memory = destination;
    size_t fits = length < memory->left ? length : memory->left;
    memcpy(memory->next, text, fits);
    memory->next += fits;
    memory->left -= fits;
}

int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list arguments)
{
    struct memory memory = {.next = to, .left = size > 0 ? size - 1 : 0};
    int length = __format(to_memory, &memory, format, arguments);
    if (size > 0)
        *memory.next = '\0';
    return length;
}

int vsprintf(char *restrict to, const char *restrict format, va_list arguments)
{
    return vsnprintf(to, PTRDIFF_MAX, format, arguments);
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(to, size, format, arguments);
    va_end(arguments);
    return length;
}

int sprintf(char *restrict to, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsprintf(to, format, arguments);
    va_end(arguments);
    return length;
}

/* Collects pieces, so that a short text is one write(2). */
struct descriptor_buffer {
    int descriptor;
    int failed;
    size_t used;
    char text[256];
};

static void flush_descriptor(struct descriptor_buffer *buffer)
{
    for (size_t sent = 0; sent < buffer->used && !buffer->failed;) {
        ssize_t count = write(buffer->descriptor, buffer->text + sent, buffer->used - sent);
        buffer->failed = count < 0;
        sent += count > 0 ? (size_t)count : 0;
    }
    buffer->used = 0;
}

static void to_descriptor(void *destination, const char *text, size_t length)
{
    struct descriptor_buffer *buffer = destination;
    while (length > 0) {
        size_t room = sizeof buffer->text - buffer->used;
        size_t part = length < room ? length : room;
        memcpy(buffer->text + buffer->used, text, part);
        buffer->used += part;
        text += part;
        length -= part;
        if (buffer->used == sizeof buffer->text)
            flush_descriptor(buffer);
    }
}

int vdprintf(int descriptor, const char *restrict format, va_list arguments)
{
    struct descriptor_buffer buffer;
    buffer.descriptor = descriptor;
    buffer.failed = 0;
    buffer.used = 0;
    int length = __format(to_descriptor, &buffer, format, arguments);
    flush_descriptor(&buffer);
    return buffer.failed ? -1 : length;
}

int dprintf(int descriptor, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vdprintf(descriptor, format, arguments);
    va_end(arguments);
    return length;
}
