/*
 * The first process of the Linux guest of tools/linux-run: mounts what a program expects, runs the one
 * program of the archive as process 2 of a fresh PID namespace, and reports its wait status.
 *
 * The archive's /run/argv and /run/env hold NUL-terminated strings, as in zeropage's own run mode. The
 * program is not process 1 (as it is on zeropage): Linux shields process 1 from signals that it has no
 * handler for. So it runs as process 2, below a process 1 that only reaps.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { MAX_STRINGS = 1024, MAX_TEXT = 128 * 1024 };

/* The path of the program, and the strings that it gets. */
static char argv_text[MAX_TEXT], env_text[MAX_TEXT];
static char *argv_list[MAX_STRINGS], *env_list[MAX_STRINGS];

static int report_fd = -1;

/* Ends the machine with the reason on the report port. */
static void give_up(const char *what)
{
    if (report_fd >= 0)
        dprintf(report_fd, "linux-run: init failed: %s: %s\n", what, strerror(errno));
    if (report_fd >= 0)
        tcdrain(report_fd);
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

static void load_strings(const char *path, char *text, char **list)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = 0, got;
    int count = 0;

    if (fd < 0)
        give_up(path);
    while ((got = read(fd, text + length, MAX_TEXT - 1 - length)) > 0)
        length += got;
    close(fd);
    for (char *p = text; p < text + length && count < MAX_STRINGS - 1; p += strlen(p) + 1)
        list[count++] = p;
    list[count] = NULL;
}

static int open_raw_port(const char *path)
{
    struct termios settings;
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (tcgetattr(fd, &settings) == 0) {
        cfmakeraw(&settings);
        cfsetspeed(&settings, B115200);
        tcsetattr(fd, TCSANOW, &settings);
    }
    return fd;
}

static void must_mount(const char *type, const char *where)
{
    mkdir(where, 0755);
    if (mount(type, where, type, 0, NULL) < 0 && errno != EBUSY)
        give_up(where);
}

/* The child that becomes the program; OUTPUT becomes descriptors 1 and 2. */
static void become_program(int output)
{
    int input = open("/run/stdin", O_RDONLY);

    if (input < 0)
        input = open("/dev/null", O_RDONLY);
    dup2(input, 0);
    dup2(output, 1);
    dup2(output, 2);
    if (input > 2)
        close(input);
    execve(argv_list[0], argv_list, env_list);
    dprintf(report_fd, "linux-run: cannot execute %s: %s\n", argv_list[0], strerror(errno));
    _exit(127);
}

/*
 * Process 1 of the namespace: starts the program, reaps until it has ended, and writes its status into
 * STATUS_PIPE. Its end is the end of all processes that the program left behind.
 */
static int namespace_init(int output, int status_pipe)
{
    pid_t program, gone;
    int status;

    must_mount("proc", "/proc");
    program = fork();
    if (program < 0)
        give_up("fork");
    if (program == 0)
        become_program(output);
    close(output);
    while ((gone = wait4(-1, &status, 0, NULL)) != program)
        if (gone < 0 && errno == ECHILD)
            give_up("wait4");
    if (write(status_pipe, &status, sizeof(status)) != sizeof(status))
        give_up("write");
    _exit(0);
}

/* Carries what the program writes to the first serial port, until nobody can write any more. */
static void relay(int from)
{
    static char buffer[4096];
    int port = open_raw_port("/dev/ttyS0");
    ssize_t got, done, put;

    if (port < 0)
        give_up("/dev/ttyS0");
    while ((got = read(from, buffer, sizeof(buffer))) > 0)
        for (done = 0; done < got; done += put)
            if ((put = write(port, buffer + done, got - done)) < 0)
                give_up("write to /dev/ttyS0");
    tcdrain(port);
}

int main(void)
{
    int status = 0, output_pipe[2], status_pipe[2];
    pid_t child;

    must_mount("devtmpfs", "/dev");
    if (symlink("/proc/self/fd", "/dev/fd") < 0)
        give_up("/dev/fd");
    report_fd = open_raw_port("/dev/ttyS1");
    must_mount("tmpfs", "/tmp");
    chmod("/tmp", 01777);
    load_strings("/run/argv", argv_text, argv_list);
    load_strings("/run/env", env_text, env_list);
    if (pipe2(output_pipe, O_CLOEXEC) < 0 || pipe2(status_pipe, O_CLOEXEC) < 0)
        give_up("pipe2");

    /* A raw clone, like fork, but into a new PID namespace. */
    child = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
    if (child < 0)
        give_up("clone");
    if (child == 0)
        return namespace_init(output_pipe[1], status_pipe[1]);
    close(output_pipe[1]);
    close(status_pipe[1]);
    relay(output_pipe[0]);
    if (read(status_pipe[0], &status, sizeof(status)) != sizeof(status))
        give_up("the program's status is lost");
    dprintf(report_fd, "linux-run: wait status 0x%x\n", status);
    tcdrain(report_fd);
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
