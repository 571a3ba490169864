/* Splits the kernel's command line and finds options in it. */
#include "kernel/lib/cmdline.h"
#include "kernel/lib/string.h"

/* options[0 … option_count) and then, behind the "--", the NULL-ended arguments. */
static char *words[CMDLINE_MAX_WORDS + 1];
static unsigned option_count, first_argument;

unsigned cmdline_parse(char *text)
{
    unsigned count = 0;

    while (count < CMDLINE_MAX_WORDS) {
        while (*text == ' ')
            text++;
        if (*text == '\0')
            break;
        words[count++] = text;
        while (*text != '\0' && *text != ' ')
            text++;
        if (*text == ' ')
            *text++ = '\0';
    }
    words[count] = NULL;
    option_count = 0;
    while (option_count < count && strcmp(words[option_count], "--") != 0)
        option_count++;
    first_argument = option_count < count ? option_count + 1 : count;
    return count;
}

const char *cmdline_get(const char *name)
{
    size_t length = strlen(name);
    const char *value = NULL;

    for (unsigned i = 0; i < option_count; i++) {
        if (strncmp(words[i], name, length) == 0 && words[i][length] == '=')
            value = words[i] + length + 1;
    }
    return value;
}

bool cmdline_has(const char *name)
{
    for (unsigned i = 0; i < option_count; i++) {
        if (strcmp(words[i], name) == 0)
            return true;
    }
    return false;
}

const char *const *cmdline_init_arguments(void)
{
    return (const char *const *)&words[first_argument];
}
