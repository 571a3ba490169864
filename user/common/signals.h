/* The names of the signals. */
#ifndef USER_COMMON_SIGNALS_H
#define USER_COMMON_SIGNALS_H

#include <signal.h>

/* "SIGSEGV" for 11; "signal 40" for one without a name, in a buffer that the next call reuses. */
const char *signal_name(int signal);

/* 11 for "SIGSEGV", "SEGV" or "11"; -1 if there is none. */
int signal_number(const char *name);

#endif
