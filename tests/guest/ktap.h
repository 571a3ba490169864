/*
 * The few words that a guest test needs to print its checks as KTAP version 1.
 *
 *     #include "ktap.h"
 *
 *     int main(void)
 *     {
 *         plan(3);                             // optional; else counted at the end
 *         check(page != NULL, "malloc gives memory");
 *         check_eq(munmap(page, 1), 0, "munmap of one byte removes its page");
 *         check_fails(mmap(0, 0, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL,
 *                     "mmap of length 0 is EINVAL");
 *         return done();
 *     }
 *
 * A check's name is the rule that it tests, as a sentence, without the character '#'. A check that
 * holds prints nothing but its `ok` line, so the transcripts of two kernels can be compared byte
 * for byte; one that fails says what was expected and what came. Each line is written at once with
 * one write(2), never buffered, so fork() does not print anything twice. Needs only snprintf, write
 * and fork: works with user/lib, musl and glibc alike.
 */
#ifndef TESTS_GUEST_KTAP_H
#define TESTS_GUEST_KTAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define KTAP_LINE 1024
#define KTAP_MAY_BE_UNUSED __attribute__((unused))
#define KTAP_PRINTF(text, first) __attribute__((format(printf, text, first)))

static struct {
    bool started;
    int planned; /* 0: no plan was given, it is printed at the end */
    int run;
    int failed;
} ktap;

/* Write one whole line to standard output: prefix, formatted text, newline. */
static void ktap_vline(const char *prefix, const char *format, va_list arguments)
{
    static char line[KTAP_LINE];
    size_t length = strlen(prefix);
    memcpy(line, prefix, length);
    int more = vsnprintf(line + length, sizeof line - length - 1, format, arguments);
    length += more < 0 ? 0 : (size_t)more;
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    for (size_t sent = 0; sent < length;) {
        ssize_t count = write(1, line + sent, length - sent);
        if (count <= 0)
            break;
        sent += (size_t)count;
    }
}

KTAP_PRINTF(2, 3)
static void ktap_line(const char *prefix, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ktap_vline(prefix, format, arguments);
    va_end(arguments);
}

/* Print the version line once, before anything else. */
static void ktap_start(void)
{
    if (!ktap.started) {
        ktap.started = true;
        ktap_line("", "KTAP version 1");
    }
}

/* Announce COUNT checks. Optional; when used, it comes before the first check. */
KTAP_MAY_BE_UNUSED static void plan(int count)
{
    ktap_start();
    ktap.planned = count;
    ktap_line("", "1..%d", count);
}

/* A diagnostic line, `# text`: no part of the verdict. Print nothing that differs between runs. */
KTAP_MAY_BE_UNUSED KTAP_PRINTF(1, 2)
static void note(const char *format, ...)
{
    va_list arguments;
    ktap_start();
    va_start(arguments, format);
    ktap_vline("# ", format, arguments);
    va_end(arguments);
}

/* Print the `ok` or `not ok` line of the next check. */
static void ktap_vresult(bool holds, const char *rule, va_list arguments)
{
    char prefix[32];
    ktap_start();
    ktap.run++;
    ktap.failed += !holds;
    snprintf(prefix, sizeof prefix, "%s %d - ", holds ? "ok" : "not ok", ktap.run);
    ktap_vline(prefix, rule, arguments);
}

/* The workings of check(), with the place and the text of the condition. */
KTAP_MAY_BE_UNUSED KTAP_PRINTF(5, 6)
static bool ktap_check(bool holds, const char *condition, const char *file, int line,
                       const char *rule, ...)
{
    va_list arguments;
    va_start(arguments, rule);
    ktap_vresult(holds, rule, arguments);
    va_end(arguments);
    if (!holds)
        ktap_line("# ", "%s:%d: this does not hold: %s", file, line, condition);
    return holds;
}

/* The workings of check_eq(). */
KTAP_MAY_BE_UNUSED KTAP_PRINTF(7, 8)
static bool ktap_check_eq(long got, long expected, const char *expression, bool is_pointer,
                          const char *file, int line, const char *rule, ...)
{
    va_list arguments;
    va_start(arguments, rule);
    ktap_vresult(got == expected, rule, arguments);
    va_end(arguments);
    if (got != expected) {
        ktap_line("# ", "%s:%d: %s", file, line, expression);
        if (is_pointer) {
            ktap_line("# ", "    expected 0x%lx, got 0x%lx", (unsigned long)expected,
                      (unsigned long)got);
        } else {
            ktap_line("# ", "    expected %ld (0x%lx), got %ld (0x%lx)", expected,
                      (unsigned long)expected, got, (unsigned long)got);
        }
    }
    return got == expected;
}

/* The workings of check_fails(). */
KTAP_MAY_BE_UNUSED KTAP_PRINTF(7, 8)
static bool ktap_check_fails(long result, int error, int expected, const char *expression,
                             const char *file, int line, const char *rule, ...)
{
    bool holds = result == -1 && error == expected;
    va_list arguments;
    va_start(arguments, rule);
    ktap_vresult(holds, rule, arguments);
    va_end(arguments);
    if (!holds) {
        ktap_line("# ", "%s:%d: %s", file, line, expression);
        if (result != -1)
            ktap_line("# ", "    expected errno %d, but it succeeded with 0x%lx", expected,
                      (unsigned long)result);
        else
            ktap_line("# ", "    expected errno %d, got errno %d", expected, error);
    }
    return holds;
}

/* The workings of check_str(). */
KTAP_MAY_BE_UNUSED KTAP_PRINTF(6, 7)
static bool ktap_check_str(const char *got, const char *expected, const char *expression,
                           const char *file, int line, const char *rule, ...)
{
    bool holds = strcmp(got, expected) == 0;
    va_list arguments;
    va_start(arguments, rule);
    ktap_vresult(holds, rule, arguments);
    va_end(arguments);
    if (!holds) {
        ktap_line("# ", "%s:%d: %s", file, line, expression);
        ktap_line("# ", "    expected \"%s\"", expected);
        ktap_line("# ", "    got      \"%s\"", got);
    }
    return holds;
}

/*
 * The checks. RULE is a printf format, its arguments may follow. Each returns whether it holds.
 *   check(CONDITION, RULE...)               the condition is true
 *   check_eq(GOT, EXPECTED, RULE...)        two integers or pointers are equal (compared as long)
 *   check_fails(CALL, ERRNO, RULE...)       the call returns -1 or MAP_FAILED, with that errno
 *   check_str(GOT, EXPECTED, RULE...)       two strings are equal
 */
#define check(condition, ...) \
    ktap_check((condition), #condition, __FILE__, __LINE__, __VA_ARGS__)
#define check_eq(got, expected, ...) \
    ktap_check_eq((long)(got), (long)(expected), #got, \
                  __builtin_classify_type(got) == KTAP_POINTER_CLASS, __FILE__, __LINE__, \
                  __VA_ARGS__)
#define check_fails(call, expected, ...) \
    (errno = 0, ktap_result = (long)(call), \
     ktap_check_fails(ktap_result, errno, (expected), #call, __FILE__, __LINE__, __VA_ARGS__))
#define check_str(got, expected, ...) \
    ktap_check_str((got), (expected), #got, __FILE__, __LINE__, __VA_ARGS__)

/* What GCC and clang call a pointer in __builtin_classify_type (GCC's typeclass.h). */
#define KTAP_POINTER_CLASS 5
KTAP_MAY_BE_UNUSED static long ktap_result;

/* Count a check as passed without having run it, and say why. Not for what should work. */
KTAP_MAY_BE_UNUSED static void skip(const char *rule, const char *reason)
{
    ktap_start();
    ktap.run++;
    ktap_line("", "ok %d - %s # SKIP %s", ktap.run, rule, reason);
}

/* Give up: nothing that follows can be checked. */
KTAP_MAY_BE_UNUSED __attribute__((noreturn)) KTAP_PRINTF(1, 2)
static void bail_out(const char *reason, ...)
{
    va_list arguments;
    ktap_start();
    va_start(arguments, reason);
    ktap_vline("Bail out! ", reason, arguments);
    va_end(arguments);
    _exit(1);
}

/*
 * Run BODY(ARGUMENT) in a child; return the child's wait status (0 when BODY returned). The child
 * must not use checks; it tells its result by _exit() or by the signal that it dies of.
 */
KTAP_MAY_BE_UNUSED static int status_of_child(void (*body)(void *argument), void *argument)
{
    int status = -1;
    pid_t child = fork();
    if (child < 0)
        bail_out("fork failed with errno %d", errno);
    if (child == 0) {
        body(argument);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

/* Print the plan if there was none; return main's status: 0 when all planned checks held. */
KTAP_MAY_BE_UNUSED static int done(void)
{
    ktap_start();
    if (ktap.planned == 0)
        ktap_line("", "1..%d", ktap.run);
    else if (ktap.planned != ktap.run)
        ktap_line("# ", "planned %d checks, ran %d", ktap.planned, ktap.run);
    if (ktap.failed != 0)
        ktap_line("# ", "%d of %d checks failed", ktap.failed, ktap.run);
    return ktap.failed != 0 || (ktap.planned != 0 && ktap.planned != ktap.run);
}

#endif
