/* System calls about processes, resources and the machine. */
#include "internal.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define REBOOT_MAGIC1 0xfee1dead
#define REBOOT_MAGIC2 0x28121969
#define DEFAULT_PATH  "/bin:/tests"
#define PAGE_SIZE     4096
#define CLOCK_TICKS   100

pid_t fork(void)
{
    return (pid_t)CALL0(fork);
}

long __clone(int (*body)(void *), void *stack_end, int flags, void *argument, pid_t *parent_tid,
             void *tls, pid_t *child_tid);

int clone(int (*body)(void *), void *stack_end, int flags, void *argument, ...)
{
    va_list arguments;
    va_start(arguments, argument);
    pid_t *parent_tid = va_arg(arguments, pid_t *);
    void *tls = va_arg(arguments, void *);
    pid_t *child_tid = va_arg(arguments, pid_t *);
    va_end(arguments);
    return (int)__result(__clone(body, stack_end, flags, argument, parent_tid, tls, child_tid));
}

int execve(const char *path, char *const arguments[], char *const environment[])
{
    return (int)CALL3(execve, path, arguments, environment);
}

int execv(const char *path, char *const arguments[])
{
    return execve(path, arguments, environ);
}

int execvp(const char *name, char *const arguments[])
{
    if (strchr(name, '/') != NULL)
        return execv(name, arguments);
    const char *path = getenv("PATH");
    int error = ENOENT;
    for (const char *place = path != NULL ? path : DEFAULT_PATH; place != NULL;) {
        const char *end = strchr(place, ':');
        size_t length = end != NULL ? (size_t)(end - place) : strlen(place);
        char whole[length + strlen(name) + 2];
        snprintf(whole, sizeof whole, "%.*s%s%s", (int)length, place, length != 0 ? "/" : "", name);
        execv(whole, arguments);
        if (errno != ENOENT && errno != ENOTDIR)
            error = errno;
        place = end != NULL ? end + 1 : NULL;
    }
    errno = error;
    return -1;
}

pid_t wait4(pid_t child, int *status, int options, struct rusage *usage)
{
    return (pid_t)CALL4(wait4, child, status, options, usage);
}

int waitid(idtype_t kind, id_t which, siginfo_t *information, int options)
{
    return (int)CALL5(waitid, kind, which, information, options, NULL);
}

pid_t waitpid(pid_t child, int *status, int options)
{
    return wait4(child, status, options, NULL);
}

pid_t wait(int *status)
{
    return wait4(-1, status, 0, NULL);
}

pid_t getpid(void)
{
    return (pid_t)CALL0(getpid);
}

pid_t getppid(void)
{
    return (pid_t)CALL0(getppid);
}

pid_t gettid(void)
{
    return (pid_t)CALL0(gettid);
}

uid_t getuid(void)
{
    return (uid_t)CALL0(getuid);
}

uid_t geteuid(void)
{
    return (uid_t)CALL0(geteuid);
}

gid_t getgid(void)
{
    return (gid_t)CALL0(getgid);
}

gid_t getegid(void)
{
    return (gid_t)CALL0(getegid);
}

int setuid(uid_t user)
{
    return (int)CALL1(setuid, user);
}

int setgid(gid_t group)
{
    return (int)CALL1(setgid, group);
}

int setpgid(pid_t process, pid_t group)
{
    return (int)CALL2(setpgid, process, group);
}

pid_t getpgid(pid_t process)
{
    return (pid_t)CALL1(getpgid, process);
}

pid_t getpgrp(void)
{
    return (pid_t)CALL1(getpgid, 0);
}

pid_t setsid(void)
{
    return (pid_t)CALL0(setsid);
}

pid_t getsid(pid_t process)
{
    return (pid_t)CALL1(getsid, process);
}

int sched_yield(void)
{
    return (int)CALL0(sched_yield);
}

int getrusage(int who, struct rusage *usage)
{
    return (int)CALL2(getrusage, who, usage);
}

int prlimit(pid_t process, int resource, const struct rlimit *new_limit, struct rlimit *old_limit)
{
    return (int)CALL4(prlimit64, process, resource, new_limit, old_limit);
}

int getrlimit(int resource, struct rlimit *limit)
{
    return prlimit(0, resource, NULL, limit);
}

int setrlimit(int resource, const struct rlimit *limit)
{
    return prlimit(0, resource, limit, NULL);
}

int uname(struct utsname *names)
{
    return (int)CALL1(uname, names);
}

int sysinfo(struct sysinfo *information)
{
    return (int)CALL1(sysinfo, information);
}

int reboot(int command)
{
    return (int)CALL4(reboot, REBOOT_MAGIC1, REBOOT_MAGIC2, command, NULL);
}

int getpagesize(void)
{
    return PAGE_SIZE;
}

long sysconf(int name)
{
    switch (name) {
    case _SC_PAGESIZE:
        return PAGE_SIZE;
    case _SC_CLK_TCK:
        return CLOCK_TICKS;
    default:
        errno = EINVAL;
        return -1;
    }
}
