/* sleep: do nothing for some seconds, fractions allowed. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NANOSECONDS 1000000000L

int main(int count, char **arguments)
{
    char *end = NULL;
    struct timespec duration = {0};
    if (count == 2 && isdigit(arguments[1][0]))
        duration.tv_sec = strtol(arguments[1], &end, 10);
    if (end != NULL && *end == '.') {
        long unit = NANOSECONDS / 10;
        for (end++; isdigit(*end); end++, unit /= 10)
            duration.tv_nsec += (*end - '0') * unit;
    }
    if (end == NULL || *end != '\0') {
        fprintf(stderr, "usage: sleep SECONDS\n");
        return 2;
    }
    return nanosleep(&duration, NULL) == 0 ? 0 : 1;
}
