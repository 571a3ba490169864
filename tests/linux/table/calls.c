/*
 * Tries every number of a system call with a few sets of arguments, each in a child of its own, and prints what came
 * of it: the name of the error, "0", "+" for another result (a number of a process, a time), or how the child ended.
 * docs/linux.md is made of the two texts, Linux's and ours. What a call does with good arguments is for other tests.
 */
#define _GNU_SOURCE
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/linux/transcript.h"

enum { SETS = 4, PATIENCE = 60000 /* microseconds */ };

static const struct {
    int number;
    const char *name;
} calls[] = {
#define CALL(number, name) {number, #name},
#include "names.h"
};

/* Zeroes, ones, a descriptor that is not open and small numbers, addresses of the kernel. */
static const long arguments[SETS][6] = {
    {0, 0, 0, 0, 0, 0},
    {-1, -1, -1, -1, -1, -1},
    {99, 8, 8, 8, 8, 8},
    {0, (long)KERNEL_ADDRESS, 1, (long)KERNEL_ADDRESS, 0, 0},
};

/* Where the child leaves what the call returned. */
static volatile struct {
    bool returned;
    long result;
} *report;

/* Without a call of a function: a child of vfork must not touch the stack of its parent. */
static inline long raw_call(long number, const long *a)
{
    register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void run_child(int number, const long *set)
{
    static const long none[6];
    static const struct itimerval patience = {{0, PATIENCE}, {0, PATIENCE}};
    long self = raw_call(SYS_getpid, none), result;

    setitimer(ITIMER_REAL, &patience, NULL);
    result = raw_call(number, set);
    if (raw_call(SYS_getpid, none) != self)
        raw_call(SYS_exit_group, none);
    report->result = result;
    report->returned = true;
    raw_call(SYS_exit_group, none);
}

static const char *ending(int status)
{
    static char text[32];

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return "waits";
    if (WIFSIGNALED(status))
        snprintf(text, sizeof(text), "signal%d", WTERMSIG(status));
    else
        snprintf(text, sizeof(text), "exits%d", WEXITSTATUS(status));
    return text;
}

static const char *try(int number, const long *set)
{
    int status = 0;
    pid_t child;

    report->returned = false;
    child = fork();
    if (child == 0)
        run_child(number, set);
    while (waitpid(child, &status, 0) < 0)
        continue;
    if (!report->returned)
        return ending(status);
    if (report->result < 0 && report->result > -4096)
        return error_name((int)-report->result);
    return report->result == 0 ? "0" : "+";
}

int main(void)
{
    char line[256];

    report = raw_mmap(0, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    for (unsigned int i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        int length = snprintf(line, sizeof(line), "%d %s:", calls[i].number, calls[i].name);

        for (int set = 0; set < SETS; set++)
            length += snprintf(line + length, sizeof(line) - (size_t)length, " %s",
                               try(calls[i].number, arguments[set]));
        say("%s", line);
    }
    return 0;
}
