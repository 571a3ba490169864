/* Checks clone for processes: what is shared, what is copied, who is told, and clone3's structure. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "catch.h"

/* Linux's numbers. */
#define C_VM 0x00000100L
#define C_FS 0x00000200L
#define C_FILES 0x00000400L
#define C_VFORK 0x00004000L
#define C_PARENT 0x00008000L
#define C_PARENT_SETTID 0x00100000L
#define C_CHILD_CLEARTID 0x00200000L
#define C_CHILD_SETTID 0x01000000L
#define C_CLEAR_SIGHAND 0x100000000L
#define W_CLONE 0x80000000
#define W_ALL 0x40000000
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

static volatile int *shared; /* memory that children share */

/* A fork with other sharing. */
static pid_t clone_process(long flags, void *parent_tid, void *child_tid)
{
    pid_t child = (pid_t)syscall(SYS_clone, flags, NULL, parent_tid, child_tid, 0L);

    if (child < 0)
        bail_out("clone with flags %lx failed with errno %d", (unsigned long)flags, errno);
    return child;
}

static int status_of(pid_t child)
{
    int status = -1;

    waitpid(child, &status, W_ALL);
    return status;
}

static void files(void)
{
    int fd = open("/dev/null", O_RDONLY), other;
    pid_t child = clone_process(SIGCHLD, NULL, NULL);

    if (child == 0) {
        close(fd);
        _exit(0);
    }
    status_of(child);
    check_eq(fcntl(fd, F_GETFD), 0, "without CLONE_FILES the descriptors are copied");

    child = clone_process(C_FILES | SIGCHLD, NULL, NULL);
    if (child == 0) {
        close(fd);
        _exit(open("/dev/zero", O_RDONLY));
    }
    other = status_of(child) >> 8;
    check_eq(other, fd, "with CLONE_FILES a child's open");
    check_eq(fcntl(fd, F_GETFD), 0, "is the parent's");
    fcntl(fd, F_SETFD, FD_CLOEXEC);

    child = clone_process(C_FILES | SIGCHLD, NULL, NULL);
    if (child == 0) {
        char *argv[] = {"clone", "exit", NULL};
        execv("/proc/self/exe", argv);
        _exit(1);
    }
    check_eq(status_of(child), 7 << 8, "such a child may execute a program");
    check_eq(fcntl(fd, F_GETFD), FD_CLOEXEC, "whose descriptors are its own: what exec closes stays open here");
    close(fd);
}

static void directory(void)
{
    char path[64] = "";
    pid_t child;

    if (chdir("/") != 0)
        bail_out("chdir to / failed");
    child = clone_process(SIGCHLD, NULL, NULL);
    if (child == 0)
        _exit(chdir("/tmp"));
    status_of(child);
    getcwd(path, sizeof(path));
    check_str(path, "/", "without CLONE_FS the working directory is copied");
    child = clone_process(C_FS | SIGCHLD, NULL, NULL);
    if (child == 0) {
        umask(0);
        _exit(chdir("/tmp"));
    }
    status_of(child);
    getcwd(path, sizeof(path));
    check_str(path, "/tmp", "with CLONE_FS it is shared");
    check_eq(umask(022), 0, "and the umask");
    if (chdir("/") != 0)
        bail_out("chdir to / failed");
}

static void numbers(void)
{
    volatile int parent_tid = 0, child_tid = 0;
    pid_t child = clone_process(C_PARENT_SETTID | C_CHILD_SETTID | SIGCHLD, (void *)&parent_tid, (void *)&child_tid);

    if (child == 0)
        _exit(child_tid == getpid() && parent_tid == 0 ? 3 : 4);
    check_eq(parent_tid, child, "PARENT_SETTID writes the number here");
    check_eq(child_tid, 0, "CHILD_SETTID does not");
    check_eq(status_of(child), 3 << 8, "but there, where the other has not arrived");

    shared[0] = 1;
    child = clone_process(C_CHILD_CLEARTID | SIGCHLD, NULL, (void *)shared);
    if (child == 0)
        _exit(0);
    status_of(child);
    check_eq(shared[0], 1, "CHILD_CLEARTID clears nothing when nobody else has the memory");
}

static volatile int signals;

static void count_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    signals++;
}

static void who_is_told(void)
{
    pid_t child, parent = getppid();
    int status = 0;

    set_handler(SIGUSR1, count_signal, SA_RESTART);
    child = clone_process(SIGUSR1, NULL, NULL);
    if (child == 0)
        _exit(5);
    check_fails(waitpid(child, &status, 0), ECHILD, "a child that ends with another signal is not waited for by default");
    check_eq(waitpid(child, &status, (int)W_CLONE), child, "but with __WCLONE");
    check_eq(status, 5 << 8, "its status is right");
    check_eq(signals, 1, "its signal came");

    child = clone_process(0, NULL, NULL);
    if (child == 0)
        _exit(6);
    check_eq(status_of(child), 6 << 8, "a child may end without a signal; __WALL waits for all");

    child = clone_process(SIGCHLD, NULL, NULL);
    if (child == 0) {
        pid_t sibling = clone_process(C_PARENT | SIGCHLD, NULL, NULL);
        if (sibling == 0)
            _exit(getppid() == parent ? 1 : 8);
        _exit(waitpid(sibling, NULL, 0) == -1 && errno == ECHILD ? 9 : 1);
    }
    check_eq(status_of(child), 9 << 8, "CLONE_PARENT makes a sibling, not a child");
    check_eq(status_of(-1), 8 << 8, "which its parent waits for");
}

static void vfork_like(void)
{
    const struct timespec a_while = {0, 50000000};
    pid_t child;

    shared[0] = 0;
    child = clone_process(C_VFORK | SIGCHLD, NULL, NULL);
    if (child == 0) {
        nanosleep(&a_while, NULL);
        shared[0] = 1;
        _exit(0);
    }
    check_eq(shared[0], 1, "with CLONE_VFORK the parent waits for the child's end");
    status_of(child);
    child = clone_process(C_VFORK | SIGCHLD, NULL, NULL);
    if (child == 0) {
        char *argv[] = {"clone", "sleep", NULL};
        execv("/proc/self/exe", argv);
        _exit(1);
    }
    check_eq(waitpid(child, NULL, WNOHANG), 0, "or for its exec, and no longer");
    kill(child, SIGKILL);
    status_of(child);
}

static struct {
    unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup,
        more[2];
} arguments;

static long clone3(unsigned long size)
{
    long child = syscall(SYS_clone3, &arguments, size);

    if (child == 0)
        _exit(2);
    return child;
}

static void structures(void)
{
    arguments.exit_signal = SIGCHLD;
    check_eq(status_of((pid_t)clone3(64)), 2 << 8, "clone3 with the first version's 64 bytes works");
    check_eq(status_of((pid_t)clone3(sizeof(arguments))), 2 << 8, "with more than there is, too, if the rest is 0");
    check_fails(clone3(63), EINVAL, "less is EINVAL");
    check_fails(clone3(2 * PAGE), E2BIG, "more than a page is E2BIG");
    arguments.more[1] = 1;
    check_fails(clone3(sizeof(arguments)), E2BIG, "something in the rest is E2BIG");
    arguments.more[1] = 0;
    arguments.exit_signal = 65;
    check_fails(clone3(64), EINVAL, "a signal that does not exist is EINVAL");
    arguments.exit_signal = SIGCHLD;
    arguments.stack = PAGE * 100;
    check_fails(clone3(64), EINVAL, "a stack without a size is EINVAL");
    arguments.stack = 0;
    arguments.flags = SIGCHLD;
    check_fails(clone3(64), EINVAL, "a signal among the flags is EINVAL");
    arguments.flags = 0;

    set_handler(SIGUSR2, count_signal, 0);
    signal(SIGHUP, SIG_IGN);
    arguments.flags = (unsigned long)C_CLEAR_SIGHAND;
    long child = syscall(SYS_clone3, &arguments, 64L);
    if (child == 0) {
        struct sigaction action;
        sigaction(SIGUSR2, NULL, &action);
        int right = action.sa_handler == SIG_DFL;
        sigaction(SIGHUP, NULL, &action);
        _exit(right && action.sa_handler == SIG_IGN ? 4 : 5);
    }
    check_eq(status_of((pid_t)child), 4 << 8, "CLEAR_SIGHAND drops handlers and keeps what is ignored");
    signal(SIGHUP, SIG_DFL);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        if (strcmp(argv[1], "sleep") == 0)
            pause();
        return 7;
    }
    shared = mmap(NULL, PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    if (shared == MAP_FAILED)
        bail_out("no shared memory: errno %d", errno);
    files();
    directory();
    numbers();
    who_is_told();
    vfork_like();
    structures();
    return done();
}
