/* Command-line options of single letters, as POSIX has them: the first other word ends them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *optarg;
int optind = 1, opterr = 1, optopt;

static int place; /* within a word that bundles several options */

static int refuse(const char *program, const char *message, const char *options)
{
    if (opterr && options[0] != ':')
        dprintf(STDERR_FILENO, "%s: %s -- '%c'\n", program, message, optopt);
    return '?';
}

int getopt(int count, char *const arguments[], const char *options)
{
    if (optind >= count)
        return -1;
    const char *word = arguments[optind];
    if (place == 0) {
        if (word[0] != '-' || word[1] == '\0')
            return -1;
        if (strcmp(word, "--") == 0) {
            optind++;
            return -1;
        }
        place = 1;
    }
    optopt = (unsigned char)word[place++];
    int last = word[place] == '\0';
    const char *rest = word + place;
    const char *option = optopt == ':' ? NULL : strchr(options, optopt);
    if (last) {
        optind++;
        place = 0;
    }
    if (option == NULL)
        return refuse(arguments[0], "invalid option", options);
    if (option[1] != ':')
        return optopt;
    if (!last) {
        optarg = (char *)rest;
        optind++;
        place = 0;
    } else if (optind < count) {
        optarg = arguments[optind++];
    } else {
        refuse(arguments[0], "option requires an argument", options);
        return options[0] == ':' ? ':' : '?';
    }
    return optopt;
}
