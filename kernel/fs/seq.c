/* Appending text to a buffer of limited size. */
#include "kernel/fs/seq.h"

#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"

void seq_printf(struct seq *seq, const char *format, ...)
{
    va_list arguments;
    size_t room = seq->capacity - seq->length;

    va_start(arguments, format);
    int length = vsnprintf(seq->buffer + seq->length, room, format, arguments);
    va_end(arguments);
    if ((size_t)length >= room)
        seq->overflow = true;
    else
        seq->length += (size_t)length;
}

void seq_write(struct seq *seq, const char *text, size_t length)
{
    if (length > seq->capacity - seq->length) {
        seq->overflow = true;
        return;
    }
    memcpy(seq->buffer + seq->length, text, length);
    seq->length += length;
}

void seq_puts(struct seq *seq, const char *text)
{
    seq_write(seq, text, strlen(text));
}

void seq_pad(struct seq *seq, size_t start, size_t column)
{
    while (!seq->overflow && seq->length < start + column)
        seq_write(seq, " ", 1);
}

void seq_path(struct seq *seq, const char *path)
{
    for (; *path; path++) {
        if (*path == '\n')
            seq_puts(seq, "\\012");
        else
            seq_write(seq, path, 1);
    }
}
