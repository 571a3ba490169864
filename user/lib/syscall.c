/* errno, and the system call by number. */
#include "internal.h"

#include <stdarg.h>
#include <unistd.h>

int errno;

long __result(long raw)
{
    if ((unsigned long)raw >= FIRST_ERROR_RESULT) {
        errno = (int)-raw;
        return -1;
    }
    return raw;
}

long syscall(long number, ...)
{
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    return __result(raw_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}
