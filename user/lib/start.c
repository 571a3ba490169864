/* The program's beginning and end: arguments, environment, auxiliary vector, exit. */
#include "internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

char **environ;
static unsigned long *auxiliary_vector; /* pairs of type and value, ended by AT_NULL */

int main(int argument_count, char **arguments, char **environment);

/*
 * Called by _start with the initial stack: argc, argv[], NULL, environment[], NULL, auxiliary
 * vector.
 */
_Noreturn void __start_c(long *stack);
_Noreturn void __start_c(long *stack)
{
    int count = (int)stack[0];
    char **arguments = (char **)(stack + 1);
    environ = arguments + count + 1;
    char **end = environ;
    while (*end != NULL)
        end++;
    auxiliary_vector = (unsigned long *)(end + 1);
    exit(main(count, arguments, environ));
}

unsigned long getauxval(unsigned long type)
{
    for (unsigned long *pair = auxiliary_vector; pair[0] != AT_NULL; pair += 2)
        if (pair[0] == type)
            return pair[1];
    errno = ENOENT;
    return 0;
}

char *getenv(const char *name)
{
    size_t length = strlen(name);
    for (char **entry = environ; *entry != NULL; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

#define EXIT_FUNCTIONS_MAX 32
static void (*exit_functions[EXIT_FUNCTIONS_MAX])(void);
static int exit_function_count;

int atexit(void (*function)(void))
{
    if (exit_function_count == EXIT_FUNCTIONS_MAX)
        return -1;
    exit_functions[exit_function_count++] = function;
    return 0;
}

void exit(int status)
{
    while (exit_function_count > 0)
        exit_functions[--exit_function_count]();
    if (__flush_all_streams != NULL)
        __flush_all_streams();
    _exit(status);
}

void _exit(int status)
{
    for (;;)
        raw_syscall1(SYS_exit_group, status);
}

void _Exit(int status)
{
    _exit(status);
}

void abort(void)
{
    raise(SIGABRT);
    signal(SIGABRT, SIG_DFL); /* a handler returned: die nevertheless */
    raise(SIGABRT);
    _exit(127);
}

void __assert_fail(const char *condition, const char *file, unsigned line, const char *function)
{
    dprintf(STDERR_FILENO, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, condition);
    abort();
}
