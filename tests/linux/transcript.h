/*
 * What the transcript programs share: they print what a system does, without a verdict. The same file
 * runs on Linux and on zeropage, and the two texts must be equal byte for byte.
 *
 * Nothing printed may depend on the program's own addresses (another compiler makes other ones) or on
 * process numbers; addresses of the mmap area and of the stack are those of Linux without randomisation.
 */
#ifndef TESTS_LINUX_TRANSCRIPT_H
#define TESTS_LINUX_TRANSCRIPT_H

#include "tests/guest/mem.h"

/* One line, written at once, so that output of children comes in order. */
MAYBE_UNUSED KTAP_PRINTF(1, 2) static void say(const char *format, ...)
{
    static char line[4096];
    va_list arguments;
    size_t length, sent = 0;

    va_start(arguments, format);
    length = (size_t)vsnprintf(line, sizeof(line) - 1, format, arguments);
    va_end(arguments);
    if (length > sizeof(line) - 2)
        length = sizeof(line) - 2;
    line[length++] = '\n';
    while (sent < length) {
        ssize_t written = write(1, line + sent, length - sent);

        if (written <= 0)
            _exit(1);
        sent += (size_t)written;
    }
}

/* The name of an errno value, as far as the memory calls use it. */
MAYBE_UNUSED static const char *error_name(int error)
{
    static const struct {
        int value;
        const char *name;
    } names[] = {{0, "0"},           {EPERM, "EPERM"},   {ENOENT, "ENOENT"}, {ESRCH, "ESRCH"},
                 {EINTR, "EINTR"},   {EBADF, "EBADF"},   {ECHILD, "ECHILD"}, {EAGAIN, "EAGAIN"},
                 {ENOMEM, "ENOMEM"}, {EACCES, "EACCES"}, {EFAULT, "EFAULT"}, {EBUSY, "EBUSY"},
                 {EEXIST, "EEXIST"}, {ENODEV, "ENODEV"}, {EINVAL, "EINVAL"}, {ENOSYS, "ENOSYS"},
                 {EOVERFLOW, "EOVERFLOW"}, {EOPNOTSUPP, "EOPNOTSUPP"}};
    static char other[16];

    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].value == error)
            return names[i].name;
    snprintf(other, sizeof(other), "E%d", error);
    return other;
}

/* What a call returned: its value in hexadecimal, or the name of its errno. Two texts live at a time. */
MAYBE_UNUSED static const char *outcome(long result)
{
    static char texts[4][32];
    static unsigned int next;
    char *text = texts[next++ % 4];
    int error = errno;

    if (result == -1)
        return error_name(error);
    snprintf(text, sizeof(texts[0]), "%lx", (unsigned long)result);
    return text;
}

/* All mappings but those of the program's own file and heap, under a heading. */
MAYBE_UNUSED static void show_maps(const char *heading)
{
    static char text[65536];
    struct vma_line line;
    const char *rest = text;

    say("%s:", heading);
    strcpy(text, file_text("/proc/self/maps"));
    while ((rest = parse_vma_line(rest, &line)) != NULL)
        if (line.start >= 0x10000000 && strncmp(line.name, "[heap]", 6) != 0)
            say("  %lx-%lx %s %08lx%s%s", line.start, line.end, line.permissions, line.offset,
                line.name[0] != '\0' ? " " : "", line.name);
}

#endif
