/* kill: send a signal (SIGTERM if none is named) to processes; -l lists the signals. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/common/signals.h"

static int usage(void)
{
    fprintf(stderr, "usage: kill [-SIGNAL] PID...\n       kill -l\n");
    return 2;
}

int main(int count, char **arguments)
{
    int signal = SIGTERM, first = 1, status = 0;
    if (count == 2 && strcmp(arguments[1], "-l") == 0) {
        for (signal = 1; signal <= SIGSYS; signal++)
            if (signal_number(signal_name(signal)) == signal)
                printf("%2d %s\n", signal, signal_name(signal));
        return 0;
    }
    if (count > 2 && arguments[1][0] == '-') {
        signal = signal_number(arguments[1] + 1);
        first = 2;
        if (signal < 0) {
            fprintf(stderr, "kill: there is no signal %s (kill -l lists them)\n", arguments[1] + 1);
            return 2;
        }
    }
    if (first >= count)
        return usage();
    for (int i = first; i < count; i++) {
        char *end;
        long process = strtol(arguments[i], &end, 10);
        if (end == arguments[i] || *end != '\0')
            return usage();
        if (kill((pid_t)process, signal) < 0) {
            fprintf(stderr, "kill: cannot send %s to %ld: %s\n", signal_name(signal), process,
                    strerror(errno));
            status = 1;
        }
    }
    return status;
}
