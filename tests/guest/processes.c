/* Checks vfork, waitid, process groups, and signals to groups. */
#define _GNU_SOURCE
#include "mem.h"

static volatile int shared_by_vfork;

static void vforks(void)
{
    int status = -1;
    pid_t child;

    shared_by_vfork = 1;
    child = vfork();
    if (child == 0) {
        shared_by_vfork = 2;
        _exit(6);
    }
    check_eq(shared_by_vfork, 2, "a vfork child runs first, in its parent's memory");
    waitpid(child, &status, 0);
    check_eq(status, 6 << 8, "and ends by itself");
}

static void waitids(void)
{
    static siginfo_t info;
    pid_t child = fork();

    if (child == 0)
        _exit(11);
    check_eq(syscall(SYS_waitid, P_PID, child, &info, WEXITED | WNOWAIT, NULL), 0,
             "waitid with WNOWAIT sees a child's end");
    check(info.si_pid == child && info.si_status == 11 && info.si_code == CLD_EXITED && info.si_signo == SIGCHLD,
          "and tells number, status and code");
    memset(&info, 0, sizeof(info));
    check_eq(syscall(SYS_waitid, P_PID, child, &info, WEXITED, NULL), 0,
             "the child is still there");
    check_eq(info.si_status, 11, "with its status");
    check_fails(syscall(SYS_waitid, P_PID, child, &info, WEXITED, NULL), ECHILD,
                "but only once more");
    check_fails(syscall(SYS_waitid, P_ALL, 0, &info, 0, NULL), EINVAL,
                "without WEXITED and the like it is EINVAL");
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    memset(&info, 0x55, sizeof(info));
    check_eq(syscall(SYS_waitid, P_PID, child, &info, WEXITED | WNOHANG, NULL), 0,
             "WNOHANG with a running child is 0");
    check_eq(info.si_pid, 0, "and tells no number");
    kill(child, SIGKILL);
    syscall(SYS_waitid, P_ALL, 0, &info, WEXITED, NULL);
    check(info.si_code == CLD_KILLED && info.si_status == SIGKILL,
          "a killed one tells CLD_KILLED and the signal");
}

static void in_new_group(void *ends)
{
    char byte = 'g';

    if (setpgid(0, 0) != 0 || getpgrp() != getpid() || write(((int *)ends)[1], &byte, 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void groups(void)
{
    int ends[2], status;
    pid_t child, own = getpgrp();
    char byte;

    check_eq(getpgid(0), own, "getpgid(0) is one's own group");
    check_eq(getpgid(getpid()), own, "by number, too");
    if (pipe(ends) != 0)
        bail_out("pipe failed");
    child = fork();
    if (child == 0)
        in_new_group(ends);
    check_eq(read(ends[0], &byte, 1), 1, "a child can make a group of its own");
    check_eq(getpgid(child), child, "which has its number");
    check_eq(getpgrp(), own, "the parent stays in its group");
    check_eq(waitpid(-own, &status, WNOHANG), -1, "no child is left in the parent's group");
    check_eq(kill(-child, SIGTERM), 0, "a signal can be sent to a group");
    check_eq(waitpid(-child, &status, 0), child, "a member of a group can be waited for");
    check_eq(status, SIGTERM, "it died of the signal");
    check_fails(kill(-child, SIGTERM), ESRCH, "a group without members is ESRCH");
    check_fails(getpgid(child), ESRCH, "and so is a process that is gone");
    check_fails(setpgid(0, -1), EINVAL, "a negative group is EINVAL");
    check_fails(setpgid(child, 0), ESRCH, "one cannot group a process that is gone");
    close(ends[0]);
    close(ends[1]);
}

static void new_session(void *nothing)
{
    (void)nothing;
    if (setsid() != getpid() || getsid(0) != getpid() || getpgrp() != getpid())
        _exit(1);
    if (setsid() != -1 || errno != EPERM)
        _exit(2);
    if (setpgid(0, 0) != -1 || errno != EPERM)
        _exit(3);
}

int main(void)
{
    vforks();
    waitids();
    groups();
    check_eq(status_of_child(new_session, NULL), 0,
             "setsid makes a session and a group, once; its leader cannot change its group");
    return done();
}
