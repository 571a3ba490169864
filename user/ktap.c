/*
 * ktap: runs the guest tests in order and prints one KTAP document about them.
 *
 *     ktap [TEST...]      names in /tests, or paths; none: all of /tests
 *
 * Each test is a program that prints KTAP itself, which becomes a subtest. It fails if it says so,
 * if it ends badly, if the kernel's audit finds something afterwards, or if frames have not come
 * back.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/common/probe.h"
#include "user/common/signals.h"

#define FOLDER            "/tests"
#define TESTS_MAX         256
#define PATH_SIZE         256
#define LINE_SIZE         512
#define INDENT            "  "
#define SECONDS_LIMIT     120 /* of one test, with its repetitions */
#define LEAK_ROUNDS       2
#define ANY_CHILD         (-1)
#define WAIT_ROUNDS       100
#define WAIT_MICROSECONDS 10000

static char tests[TESTS_MAX][PATH_SIZE]; /* not from malloc, which may be what is tested */
static int test_count;
static volatile pid_t running; /* the test, and its process group; 0: none */
static volatile sig_atomic_t has_ended, left_processes;
static volatile int test_status;
static int checks_passed, checks_failed, checks_skipped;

/* A test takes too long: end it. */
static void on_alarm(int signal)
{
    (void)signal;
    if (running > 0 && !has_ended)
        kill(running, SIGKILL);
}

/*
 * A child has ended. If it is the test, whatever it has left behind must not hold its pipe open,
 * for we read that to its end.
 */
static void on_child(int signal)
{
    int saved = errno, status;
    (void)signal;
    for (pid_t child; (child = waitpid(ANY_CHILD, &status, WNOHANG)) > 0;) {
        if (child == running) {
            has_ended = 1;
            test_status = status;
        }
    }
    if (has_ended && running > 0)
        left_processes |= kill(-running, SIGKILL) == 0;
    errno = saved;
}

/* The frames that are free once the kernel has let go of what it only keeps for later. */
static long free_frames(void)
{
    struct frame_counts frames;
    if (!probe_frames(&frames))
        return 0;
    int caches = open("/proc/sys/vm/drop_caches", O_WRONLY);
    if (caches >= 0) {
        write(caches, "3\n", 2);
        close(caches);
    }
    return probe_frames(&frames) ? frames.free : 0;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Is this result line of a test about a check that failed? Counts it in any case. */
static bool count_line(const char *line)
{
    if (strncmp(line, "not ok", 6) == 0) {
        checks_failed++;
        return true;
    }
    if (strncmp(line, "ok", 2) == 0) {
        if (strstr(line, "# SKIP") != NULL)
            checks_skipped++;
        else
            checks_passed++;
    }
    return strncmp(line, "Bail out!", 9) == 0;
}

/* Print what comes out of a test, indented, to the end. Returns whether a check has failed. */
static bool pass_on(int output)
{
    static char line[LINE_SIZE];
    bool has_failed = false, at_line_start = true;
    FILE *stream = fdopen(output, "r");
    if (stream == NULL)
        return true;
    while (fgets(line, sizeof line, stream) != NULL) {
        if (at_line_start) {
            has_failed |= count_line(line);
            fputs(INDENT, stdout);
        }
        fputs(line, stdout);
        at_line_start = strchr(line, '\n') != NULL;
    }
    if (!at_line_start)
        putchar('\n');
    fclose(stream);
    return has_failed;
}

/* Start a test with its output into a pipe. Returns the pipe's other end; -1 if that fails. */
static int start(const char *path)
{
    int ends[2];
    sigset_t child_signal, old;
    if (pipe(ends) < 0)
        return -1;
    fflush(stdout);
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_signal, &old); /* until we know its number */
    has_ended = left_processes = 0;
    pid_t child = fork();
    running = child;
    if (child == 0) {
        char *arguments[] = {(char *)path, NULL};
        signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_SETMASK, &old, NULL);
        setpgid(0, 0);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(path, arguments);
        printf("Bail out! %s can't be run: %s\n", path, strerror(errno));
        exit(127);
    }
    if (child > 0)
        setpgid(child, child);
    sigprocmask(SIG_SETMASK, &old, NULL);
    close(ends[1]);
    if (child > 0)
        return ends[0];
    close(ends[0]);
    return -1;
}

/* Wait until all processes of the test are gone, with all that they held. */
static void wait_for_all(void)
{
    while (!has_ended)
        usleep(WAIT_MICROSECONDS); /* SIGCHLD ends it sooner */
    for (int i = 0; i < WAIT_ROUNDS && left_processes && kill(-running, 0) == 0; i++)
        usleep(WAIT_MICROSECONDS);
    running = 0;
}

/* Wait for the test's end. True if it ended with status 0 and left nothing; else says why not. */
static bool ended_well(const char *name)
{
    wait_for_all();
    int status = test_status;
    if (WIFSIGNALED(status)) {
        printf("# %s was killed by %s%s\n", name, signal_name(WTERMSIG(status)),
               WTERMSIG(status) == SIGKILL ? " (perhaps it took too long)" : "");
    } else if (WEXITSTATUS(status) != 0) {
        printf("# %s ended with status %d\n", name, WEXITSTATUS(status));
    }
    if (left_processes)
        printf("# %s has left processes behind\n", name);
    return status == 0 && !left_processes;
}

/* Let the kernel check itself; true if it finds nothing, or can't. */
static bool audit_is_clean(void)
{
    static char findings[4096];
    if (probe_file("/proc/audit", findings, sizeof findings) <= 0 || strcmp(findings, "ok\n") == 0)
        return true;
    for (char *line = strtok(findings, "\n"); line != NULL; line = strtok(NULL, "\n"))
        printf("# audit: %s\n", line);
    return false;
}

/* Read what comes out of a test to the end and forget it. */
static void ignore(int output)
{
    char bytes[256];
    while (read(output, bytes, sizeof bytes) > 0)
        continue;
    close(output);
}

/*
 * Have the frames come back that a test took? The kernel may keep some for its own objects, ready
 * for the next time. So when frames are missing, the test runs again: only what is missing each
 * time is lost.
 */
static bool frames_came_back(const char *path, long before)
{
    long lost = before - free_frames();
    for (int round = 0; round < LEAK_ROUNDS && lost > 0; round++) {
        before = free_frames();
        int output = start(path);
        if (output < 0)
            return true;
        ignore(output);
        wait_for_all();
        lost = before - free_frames();
    }
    if (lost > 0)
        printf("# each time it runs, frames do not come back: %ld the last time\n", lost);
    return lost <= 0;
}

static bool run(int number, const char *path)
{
    const char *name = name_of(path);
    printf("# Subtest: %s\n", name);
    long frames = free_frames();
    alarm(SECONDS_LIMIT);
    int output = start(path);
    if (output < 0) {
        printf("not ok %d - %s\n# it can't be started: %s\n", number, name, strerror(errno));
        return false;
    }
    bool holds = !pass_on(output);
    holds &= ended_well(name);
    holds &= audit_is_clean();
    holds &= frames_came_back(path, frames);
    alarm(0);
    printf("%sok %d - %s\n", holds ? "" : "not ", number, name);
    return holds;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(left, right);
}

static bool add_test(const char *name)
{
    if (test_count == TESTS_MAX) {
        fprintf(stderr, "ktap: more than %d tests\n", TESTS_MAX);
        return false;
    }
    char *path = tests[test_count];
    snprintf(path, PATH_SIZE, "%s%s", strchr(name, '/') != NULL ? "" : FOLDER "/", name);
    if (access(path, X_OK) < 0) {
        fprintf(stderr, "ktap: there is no test %s\n", path);
        return false;
    }
    test_count++;
    return true;
}

static bool add_all_tests(void)
{
    DIR *folder = opendir(FOLDER);
    if (folder == NULL) {
        fprintf(stderr, "ktap: cannot look at %s: %s\n", FOLDER, strerror(errno));
        return false;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' && !add_test(entry->d_name))
            return false;
    closedir(folder);
    qsort(tests, (size_t)test_count, sizeof *tests, compare_names);
    return true;
}

static int run_all(void)
{
    int failed = 0;
    signal(SIGALRM, on_alarm);
    signal(SIGCHLD, on_child);
    printf("KTAP version 1\n1..%d\n", test_count);
    free_frames(); /* warm up: the first look may itself take a frame */
    audit_is_clean();
    for (int i = 0; i < test_count; i++)
        failed += !run(i + 1, tests[i]);
    printf("# %d programs: %d ok, %d not ok; %d checks: %d ok, %d not ok, %d skipped\n", test_count,
           test_count - failed, failed, checks_passed + checks_failed + checks_skipped,
           checks_passed, checks_failed, checks_skipped);
    return failed != 0;
}

int main(int count, char **arguments)
{
    bool is_complete = true;
    for (int i = 1; i < count; i++)
        is_complete &= add_test(arguments[i]);
    if (count == 1)
        is_complete = add_all_tests();
    int status = is_complete ? run_all() : 2;
    fflush(stdout);
    if (getpid() == 1 && isatty(STDOUT_FILENO))
        reboot(RB_POWER_OFF); /* the first process must not end: there is nobody to go on with */
    return status;
}
