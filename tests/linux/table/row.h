/* Shared by the programs that docs/linux.md is made of: a row is "GROUP | WHAT | what came of it". */
#ifndef TESTS_LINUX_TABLE_ROW_H
#define TESTS_LINUX_TABLE_ROW_H

#include <sys/wait.h>

#include "tests/linux/transcript.h"

/* A number with its name; a table of them ends with a name of NULL. */
struct named {
    long value;
    const char *name;
};
#define NAMED(constant) {constant, #constant}

static char row_text[2048];
static size_t row_length;

KTAP_PRINTF(1, 2) MAYBE_UNUSED static void add(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    row_length += (size_t)vsnprintf(row_text + row_length, sizeof(row_text) - row_length, format, arguments);
    va_end(arguments);
}

KTAP_PRINTF(2, 3) MAYBE_UNUSED static void end_row(const char *group, const char *format, ...)
{
    char what[128];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    row_text[row_length] = '\0';
    say("%s | %s |%s", group, what, row_text);
    row_length = 0;
}

/* The name of VALUE in TABLE, or the number. */
MAYBE_UNUSED static const char *name_of(const struct named *table, long value)
{
    static char text[32];

    for (; table->name != NULL; table++)
        if (table->value == value)
            return table->name;
    snprintf(text, sizeof(text), value < 0 || value >= 4096 ? "0x%lx" : "%ld", (unsigned long)value & 0xffffffff);
    return text;
}

/* Adds what BODY(ARGUMENT) makes of a child: nothing, or how it dies. */
MAYBE_UNUSED static void add_death(const char *what, void (*body)(void *), void *argument)
{
    int signal = signal_of_child(body, argument);

    if (signal != 0)
        add(" %s: signal %d", what, signal);
}

/* Adds the flags of the mapping at ADDRESS, as smaps tells them. */
MAYBE_UNUSED static void add_mapping_flags(const char *address)
{
    char head[32];
    const char *text, *end;

    snprintf(head, sizeof(head), "%lx-", (unsigned long)address);
    text = strstr(file_text("/proc/self/smaps"), head);
    text = text != NULL ? strstr(text, "VmFlags:") : NULL;
    if (text == NULL)
        return;
    text += sizeof("VmFlags:") - 1;
    end = strchr(text, '\n');
    for (; text < end; text++)
        add("%c", *text);
}

#endif
