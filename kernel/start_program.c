/* Chooses the first program and its arguments. */
#include "kernel/fs/fs.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"
#include "kernel/start.h"
#include "mm/slab.h"

#define DEFAULT_INIT "/bin/sh"
#define RUN_ARGUMENTS "/run/argv"
#define RUN_ENVIRONMENT "/run/env"

static const char *const default_environment[] = { "HOME=/", "TERM=linux", "PATH=/bin", NULL };

/*
 * The NUL-terminated strings of the file at PATH as a NULL-ended vector; kept for ever. Stops when
 * that is impossible.
 */
static const char *const *read_strings(const char *path)
{
    struct file *file = file_open(AT_FDCWD, path, O_RDONLY, 0);
    if (IS_ERR(file))
        stop_with_sentence("run mode needs %s in the archive (error %ld)", path, -PTR_ERR(file));

    size_t size = file->inode->mapping.size;
    char *text = kmalloc(size + 1);
    if (!text || file_read_kernel(file, text, size, 0) != (long)size)
        stop_with_sentence("%s can't be read", path);
    file_put(file);
    text[size] = '\0';

    size_t count = 0;
    for (size_t i = 0; i < size; i += strlen(text + i) + 1)
        count++;
    const char **strings = kmalloc((count + 1) * sizeof(*strings));
    if (!strings)
        stop_with_sentence("no memory for the strings in %s", path);
    count = 0;
    for (size_t i = 0; i < size; i += strlen(text + i) + 1)
        strings[count++] = text + i;
    strings[count] = NULL;
    return strings;
}

static void start_as_told_by_archive(void)
{
    const char *const *arguments = read_strings(RUN_ARGUMENTS);

    if (!arguments[0])
        stop_with_sentence("%s names no program", RUN_ARGUMENTS);
    proc_start_init(arguments[0], arguments, read_strings(RUN_ENVIRONMENT), true);
}

static void start_as_told_by_command_line(void)
{
    static const char *arguments[CMDLINE_MAX_WORDS + 2];
    const char *path = cmdline_get("init");

    arguments[0] = path ? path : DEFAULT_INIT;
    const char *const *given = cmdline_init_arguments();
    for (unsigned i = 0; given[i]; i++)
        arguments[i + 1] = given[i];
    proc_start_init(arguments[0], arguments, default_environment, false);
}

void start_first_program(bool run_mode)
{
    if (run_mode)
        start_as_told_by_archive();
    else
        start_as_told_by_command_line();
}
