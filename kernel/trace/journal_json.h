/* Turns journal records into lines of JSON. */
#ifndef KERNEL_TRACE_JOURNAL_JSON_H
#define KERNEL_TRACE_JOURNAL_JSON_H

#include "kernel/trace/journal.h"

/* No line is longer, newline included: not even a fault whose every bit is set. */
#define JOURNAL_LINE_MAX 2560

/* Both write one whole line with its newline into BUFFER and return its length. */
size_t journal_version_line(u64 frames, u64 frames_free, char *buffer, size_t size);
size_t journal_json_line(const struct journal_record *record, char *buffer, size_t size);

#endif
