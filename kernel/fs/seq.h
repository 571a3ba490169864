/* Text that is made while it is read, record by record: what the files of /proc consist of. */
#ifndef KERNEL_FS_SEQ_H
#define KERNEL_FS_SEQ_H

#include "kernel/lib/types.h"

struct seq {
    char *buffer;
    size_t capacity, length;
    bool overflow;              /* something did not fit: the record is to be made again with more room */
};

void seq_printf(struct seq *seq, const char *format, ...) __printf(2, 3);
void seq_write(struct seq *seq, const char *text, size_t length);
void seq_puts(struct seq *seq, const char *text);
/* Spaces up to COLUMN of the line that began at offset START. */
void seq_pad(struct seq *seq, size_t start, size_t column);
/* As seq_puts, with what would break a line of /proc/PID/maps written as \ooo. */
void seq_path(struct seq *seq, const char *path);

#endif
