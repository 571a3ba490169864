/* Checks process ends: exit statuses, wait4 in its forms, order, zombies, parents. */
#include "mem.h"

static pid_t child_that_exits(int status)
{
    pid_t child = fork();

    if (child == 0)
        _exit(status);
    return child;
}

static void statuses(void)
{
    static const int values[] = {0, 1, 42, 127, 128, 255, 256, 257, -1};
    int status;

    for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        waitpid(child_that_exits(values[i]), &status, 0);
        check_eq(status, (values[i] & 0xff) << 8, "exit with %d is seen as its low 8 bits",
                 values[i]);
    }
}

static void which_child(void)
{
    pid_t first = child_that_exits(1), second = child_that_exits(2), third = child_that_exits(3);
    int status = -1, sum = 0;

    check_eq(waitpid(second, &status, 0), second, "one child can be waited for");
    check_eq(status, 2 << 8, "it is that child's status");
    check_fails(waitpid(second, &status, 0), ECHILD, "a child can be waited for only once");
    for (int i = 0; i < 2; i++) {
        pid_t got = waitpid(-1, &status, 0);

        sum += (got == first && status == 1 << 8) + 10 * (got == third && status == 3 << 8);
    }
    check_eq(sum, 11, "waiting for any child gives each of the others once");
    check_fails(waitpid(-1, &status, 0), ECHILD, "without children it is ECHILD");
    check_fails(waitpid(1 << 22, &status, 0), ECHILD, "a process that is no child is ECHILD");
    check_fails(waitpid(getpid(), &status, 0), ECHILD, "oneself is ECHILD");
}

static void no_hang(void)
{
    int ends[2], status = -1;
    char byte;
    pid_t child;

    if (pipe(ends) != 0)
        bail_out("pipe failed");
    child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 5 : 6);
    }
    check_eq(waitpid(child, &status, WNOHANG), 0, "WNOHANG with a running child gives 0");
    check_eq(waitpid(-1, &status, WNOHANG), 0, "for any child too");
    check_eq(status, -1, "and leaves the status alone");
    close(ends[0]);
    close(ends[1]);
    check_eq(waitpid(child, &status, 0), child, "then it ends and is waited for");
    check_eq(status, 5 << 8, "with its status");
    check_fails(waitpid(-1, &status, WNOHANG), ECHILD, "WNOHANG without children is ECHILD");
}

static void arguments(void)
{
    pid_t child = child_that_exits(9);

    check_fails(syscall(SYS_wait4, child, NULL, 0x10000000, NULL), EINVAL,
                "an unknown option is EINVAL");
    check_eq(syscall(SYS_wait4, child, NULL, 0, NULL), child, "the status pointer may be NULL");
    check_fails(syscall(SYS_wait4, 0x80000000, NULL, 0, NULL), ESRCH,
                "process number -2^31 is ESRCH");
}

static void resource_usage(void)
{
    static struct rusage usage;
    pid_t child = fork();
    int status;

    if (child == 0) {
        write_pages(anon(100), 100);
        _exit(0);
    }
    check_eq(syscall(SYS_wait4, child, &status, 0, &usage), child, "wait4 takes a usage structure");
    check(usage.ru_minflt >= 100 && usage.ru_minflt < 200, "which has the child's minor faults");
    getrusage(RUSAGE_CHILDREN, &usage);
    check(usage.ru_minflt >= 100, "they are added to RUSAGE_CHILDREN");
}

static void zombies(void)
{
    enum { COUNT = 50 };
    pid_t children[COUNT];
    int status, good = 0, different = 1;

    for (int i = 0; i < COUNT; i++)
        children[i] = child_that_exits(i);
    for (int i = 1; i < COUNT; i++)
        different &= children[i] != children[i - 1] && children[i] > 0;
    for (int i = COUNT - 1; i >= 0; i--)
        good += waitpid(children[i], &status, 0) == children[i] && status == i << 8;
    check(different, "fifty children have different numbers");
    check_eq(good, COUNT, "fifty ended children keep their statuses until they are waited for");
}

static void parents(void)
{
    pid_t me = getpid(), child;
    int status = -1;

    child = fork();
    if (child == 0)
        _exit(getppid() == me && getpid() != me ? 0 : 1);
    waitpid(child, &status, 0);
    check_eq(status, 0, "a child's getppid is its parent, its getpid its own");
    check_eq(getpid(), me, "the parent keeps its number");
}

/* Two pipes between the first process and the orphan. */
static int to_orphan[2], from_orphan[2];

static void leaves_a_child(void *nothing)
{
    char byte;

    (void)nothing;
    if (fork() != 0)
        return;
    close(to_orphan[1]);
    if (read(to_orphan[0], &byte, 1) != 1)
        _exit(1);
    byte = getppid() > 0 ? 'y' : 'n';
    _exit(write(from_orphan[1], &byte, 1) == 1 ? 0 : 1);
}

static void orphans(void)
{
    char byte = 0;

    if (pipe(to_orphan) != 0 || pipe(from_orphan) != 0)
        bail_out("pipe failed");
    check_eq(status_of_child(leaves_a_child, NULL), 0, "a process may end before its child");
    check_eq(write(to_orphan[1], "g", 1), 1, "the orphan goes on");
    check_eq(read(from_orphan[0], &byte, 1), 1, "and answers");
    check_eq(byte, 'y', "and has a parent again");
}

int main(void)
{
    statuses();
    which_child();
    no_hang();
    arguments();
    resource_usage();
    zombies();
    parents();
    orphans();
    return done();
}
