/* The names of the signals. */
#include "user/common/signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNALS 65

static const char *const names[] = {
    [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
    [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
    [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
    [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM", [SIGCHLD] = "SIGCHLD",
    [SIGCONT] = "SIGCONT", [SIGSTOP] = "SIGSTOP", [SIGTSTP] = "SIGTSTP", [SIGTTIN] = "SIGTTIN",
    [SIGTTOU] = "SIGTTOU", [SIGSYS] = "SIGSYS",
};
#define NAME_COUNT ((int)(sizeof names / sizeof *names))

const char *signal_name(int signal)
{
    static char unnamed[24];
    if (signal >= 0 && signal < NAME_COUNT && names[signal] != NULL)
        return names[signal];
    snprintf(unnamed, sizeof unnamed, "signal %d", signal);
    return unnamed;
}

int signal_number(const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);
    if (*name != '\0' && *end == '\0')
        return number >= 0 && number < SIGNALS ? (int)number : -1;
    for (int signal = 1; signal < NAME_COUNT; signal++)
        if (names[signal] != NULL &&
            (strcmp(names[signal], name) == 0 || strcmp(names[signal] + strlen("SIG"), name) == 0))
            return signal;
    return -1;
}
