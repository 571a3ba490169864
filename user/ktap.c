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

#define FOLDER        "/tests"
#define TESTS_MAX     256
#define PATH_SIZE     256
#define LINE_SIZE     512
#define INDENT        "  "
#define SECONDS_LIMIT 120 /* of one test */

static const char *tests[TESTS_MAX];
static int test_count;
static pid_t running;
static int checks_passed, checks_failed, checks_skipped;

/* A test takes too long: end it. */
static void on_alarm(int signal)
{
    (void)signal;
    if (running > 0)
        kill(running, SIGKILL);
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
    if (pipe(ends) < 0)
        return -1;
    fflush(stdout);
    running = fork();
    if (running == 0) {
        char *arguments[] = {(char *)path, NULL};
        setpgid(0, 0);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(path, arguments);
        printf("Bail out! %s can't be run: %s\n", path, strerror(errno));
        exit(127);
    }
    close(ends[1]);
    if (running > 0)
        return ends[0];
    close(ends[0]);
    return -1;
}

/* Wait for the test's end, and for whatever it has left behind; true if it ended with status 0. */
static bool ended_well(const char *name)
{
    int status = 0;
    while (waitpid(running, &status, 0) < 0 && errno == EINTR)
        continue;
    bool was_alone = kill(-running, SIGKILL) < 0;
    running = 0;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    if (WIFSIGNALED(status)) {
        printf("# %s was killed by %s%s\n", name, signal_name(WTERMSIG(status)),
               WTERMSIG(status) == SIGKILL ? " (perhaps it took too long)" : "");
    } else if (WEXITSTATUS(status) != 0) {
        printf("# %s ended with status %d\n", name, WEXITSTATUS(status));
    }
    if (!was_alone)
        printf("# %s has left processes behind\n", name);
    return status == 0;
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
    bool has_failed = pass_on(output);
    bool holds = ended_well(name) && !has_failed;
    alarm(0);
    holds = audit_is_clean() && holds;
    long lost = frames - free_frames();
    if (lost > 0) {
        printf("# %ld frames have not come back\n", lost);
        holds = false;
    }
    printf("%sok %d - %s\n", holds ? "" : "not ", number, name);
    return holds;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool add_test(const char *name)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s%s", strchr(name, '/') != NULL ? "" : FOLDER "/", name);
    if (test_count == TESTS_MAX || access(path, X_OK) < 0) {
        fprintf(stderr, "ktap: there is no test %s\n", path);
        return false;
    }
    tests[test_count++] = strdup(path);
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
    struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART: waiting ends */
    sigaction(SIGALRM, &action, NULL);
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
