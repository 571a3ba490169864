/*
 * sh: the shell. Runs programs, in pipes and in the background, with input and output redirected:
 *
 *     tour; maps | cat -n > /tmp/out && echo "it's $?" & # comment
 *
 * With a terminal it edits lines, remembers them, and gives the terminal to the program in front,
 * so that Ctrl-C ends that program and not the shell.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "user/common/complete.h"
#include "user/common/line_edit.h"
#include "user/common/paint.h"
#include "user/common/shell_line.h"
#include "user/common/signals.h"

#define PATH_SIZE      512
#define STATUS_MISUSE  2
#define STATUS_CANNOT  126
#define STATUS_MISSING 127
#define STATUS_SIGNAL  128 /* and the signal's number */
#define ANY_CHILD      (-1)

/* The pipeline that is being run, and its processes (0: could not be started). */
static struct pipeline pipeline;
static pid_t processes[COMMANDS_MAX];
static pid_t group;

static bool is_interactive, has_terminal;
static struct termios terminal_settings;
static struct shell_values values;

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "sh: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
}

/* --- running ------------------------------------------------------------------------------ */

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IXUSR);
}

/* Find a program by its name, in PATH unless the name has a slash; false if there is none. */
static bool find_program(const char *name, char path[PATH_SIZE])
{
    if (strchr(name, '/') != NULL)
        return snprintf(path, PATH_SIZE, "%s", name) < PATH_SIZE && access(path, F_OK) == 0;
    for (const char *place = program_path(); place != NULL;) {
        size_t length = strcspn(place, ":");
        int whole = snprintf(path, PATH_SIZE, "%.*s/%s", (int)length, place, name);
        if (whole < PATH_SIZE && is_program(path))
            return true;
        place = place[length] == ':' ? place + length + 1 : NULL;
    }
    return false;
}

static void redirect(const char *path, int flags, int descriptor)
{
    if (path == NULL)
        return;
    int file = open(path, flags, 0666);
    if (file < 0) {
        complain("cannot open %s: %s", path, strerror(errno));
        _exit(1);
    }
    if (file != descriptor) {
        dup2(file, descriptor);
        close(file);
    }
}

static void set_signals(sighandler_t handler)
{
    static const int signals[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], handler);
}

static void run_script(const char *path) __attribute__((noreturn));

/* In the child: become the program of a command. Does not return. */
static void become(const struct command *command)
{
    char path[PATH_SIZE];
    int mode = O_WRONLY | O_CREAT | (command->append ? O_APPEND : O_TRUNC);
    redirect(command->input, O_RDONLY, STDIN_FILENO);
    redirect(command->output, mode, STDOUT_FILENO);
    redirect(command->error, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    if (command->error_to_output)
        dup2(STDOUT_FILENO, STDERR_FILENO);
    if (command->word_count == 0)
        _exit(0);
    const char *name = command->words[0];
    if (!find_program(name, path)) {
        complain("there is no program \"%s\" (help lists what there is)", name);
        _exit(STATUS_MISSING);
    }
    execve(path, command->words, environ);
    if (errno == ENOEXEC)
        run_script(path); /* no ELF file: a list of commands */
    complain("cannot run %s: %s", path, strerror(errno));
    _exit(STATUS_CANNOT);
}

static void start_command(int index, int input, int output, int unused_end)
{
    pid_t child = fork();
    if (child < 0) {
        complain("cannot start %s: %s", pipeline.commands[index].words[0], strerror(errno));
        return;
    }
    if (is_interactive) {
        /* Both sides do this, so that it is done before either needs it. */
        setpgid(child, group);
        if (child == 0 && group == 0)
            group = getpid();
        if (has_terminal && !pipeline.is_background)
            tcsetpgrp(STDIN_FILENO, group != 0 ? group : child);
    }
    if (child != 0) {
        processes[index] = child;
        if (group == 0)
            group = child;
        return;
    }
    if (is_interactive)
        set_signals(SIG_DFL);
    is_interactive = false;
    if (unused_end >= 0)
        close(unused_end);
    if (input != STDIN_FILENO) {
        dup2(input, STDIN_FILENO);
        close(input);
    }
    if (output != STDOUT_FILENO) {
        dup2(output, STDOUT_FILENO);
        close(output);
    }
    become(&pipeline.commands[index]);
}

/* Turn a wait status into $?, and say so when a signal has ended the program. */
static int status_of(const char *name, int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    int signal = WTERMSIG(status);
    if (signal == SIGINT && is_interactive)
        fprintf(stderr, "\n");
    else if (signal != SIGPIPE && signal != SIGINT)
        complain("%s was killed by %s (%s)", name, signal_name(signal), strsignal(signal));
    return STATUS_SIGNAL + signal;
}

/* Wait for a process of the pipeline in front; one that is stopped goes on, for want of a `fg`. */
static int wait_for(pid_t process, const char *name)
{
    int status = 0;
    while (waitpid(process, &status, WUNTRACED) < 0 || WIFSTOPPED(status)) {
        if (WIFSTOPPED(status)) {
            complain("%s was stopped; this shell lets it go on", name);
            kill(-group, SIGCONT);
        } else if (errno != EINTR) {
            return STATUS_CANNOT;
        }
        status = 0;
    }
    return status_of(name, status);
}

static const char *name_of(int index)
{
    const struct command *command = &pipeline.commands[index];
    return command->word_count > 0 ? command->words[0] : "(nothing)";
}

/* Start all commands of the pipeline and, unless it is in the background, wait for their ends. */
static void run_pipeline(void)
{
    int input = STDIN_FILENO;
    memset(processes, 0, sizeof processes);
    group = 0;
    fflush(stdout);
    for (int i = 0; i < pipeline.count; i++) {
        int ends[2] = {-1, STDOUT_FILENO};
        if (i + 1 < pipeline.count && pipe(ends) < 0) {
            complain("cannot make a pipe: %s", strerror(errno));
            break;
        }
        start_command(i, input, ends[1], ends[0]);
        if (input != STDIN_FILENO)
            close(input);
        if (ends[1] != STDOUT_FILENO)
            close(ends[1]);
        input = ends[0];
    }
    if (pipeline.is_background) {
        if (is_interactive)
            printf("[%d] %s\n", group, name_of(0));
        values.status = 0;
        return;
    }
    values.status = STATUS_CANNOT;
    for (int i = 0; i < pipeline.count; i++)
        if (processes[i] != 0)
            values.status = wait_for(processes[i], name_of(i));
    if (has_terminal) {
        tcsetpgrp(STDIN_FILENO, getpgrp());
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_settings);
    }
}

/* Take notice of background programs that have ended; with WAIT, wait for all of them. */
static void reap(bool wait)
{
    int status;
    pid_t process;
    while ((process = waitpid(ANY_CHILD, &status, wait ? 0 : WNOHANG)) > 0 ||
           (wait && errno == EINTR))
        if (process > 0 && is_interactive)
            printf("[%d] ended, status %d\n", process, status_of("a background program", status));
}

/* --- commands of the shell itself --------------------------------------------------------- */

static int change_directory(const struct command *command)
{
    const char *home = getenv("HOME");
    const char *path = command->word_count > 1 ? command->words[1] : home != NULL ? home : "/";
    if (chdir(path) == 0)
        return 0;
    complain("cd: cannot go to %s: %s", path, strerror(errno));
    return 1;
}

static int leave(const struct command *command)
{
    if (getpid() == 1 && is_interactive) {
        complain("this is the first process; poweroff ends the machine");
        return 1;
    }
    exit(command->word_count > 1 ? atoi(command->words[1]) : values.status);
}

/* Run the pipeline if it is a command of the shell itself; false if it is not. */
static bool run_builtin(void)
{
    const struct command *command = &pipeline.commands[0];
    if (pipeline.count != 1 || pipeline.is_background || command->word_count == 0)
        return false;
    if (strcmp(command->words[0], "cd") == 0) {
        values.status = change_directory(command);
    } else if (strcmp(command->words[0], "exit") == 0) {
        values.status = leave(command);
    } else if (strcmp(command->words[0], "wait") == 0) {
        reap(true);
        values.status = 0;
    } else {
        return false;
    }
    return true;
}

/* --- where lines come from ---------------------------------------------------------------- */

static void run_line(const char *line)
{
    enum token_kind before = TOKEN_THEN, end;
    do {
        const char *mistake = parse_pipeline(&line, &values, &pipeline, &end);
        if (mistake != NULL) {
            complain("%s", mistake);
            values.status = STATUS_MISUSE;
            return;
        }
        bool is_wanted = (before != TOKEN_AND || values.status == 0) &&
                         (before != TOKEN_OR || values.status != 0);
        if (is_wanted && pipeline.count > 0 && !run_builtin())
            run_pipeline();
        before = end;
    } while (end != TOKEN_END);
}

static void run_stream(FILE *stream)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stream) > 0)
        run_line(line);
    free(line);
}

static void run_script(const char *path)
{
    FILE *script = fopen(path, "re");
    if (script == NULL) {
        complain("cannot read %s: %s", path, strerror(errno));
        exit(STATUS_MISSING);
    }
    run_stream(script);
    fflush(stdout);
    exit(values.status);
}

/* Make this shell the one to whom the terminal belongs. */
static void take_terminal(void)
{
    set_signals(SIG_IGN);
    setpgid(0, 0);
    has_terminal = tcsetpgrp(STDIN_FILENO, getpgrp()) == 0;
    tcgetattr(STDIN_FILENO, &terminal_settings);
}

static void make_prompt(char *prompt, size_t size)
{
    char folder[PATH_SIZE];
    const char *shown = getcwd(folder, sizeof folder) == NULL || folder[1] == '\0' ? "" : folder;
    snprintf(prompt, size, "%szeropage%s%s%s%s$ ", paint(BOLD), paint_end(), paint(CYAN), shown,
             paint_end());
}

static void run_terminal(void)
{
    static char line[LINE_SIZE];
    char prompt[PATH_SIZE + 64];
    is_interactive = true;
    take_terminal();
    for (;;) {
        reap(false);
        make_prompt(prompt, sizeof prompt);
        fflush(stdout);
        enum line_result result = line_edit(prompt, line, complete_line);
        if (result == LINE_READY) {
            line_remember(line);
            run_line(line);
        } else if (result == LINE_CANCELLED) {
            values.status = STATUS_SIGNAL + SIGINT;
        } else if (getpid() == 1 && isatty(STDIN_FILENO)) {
            complain("this is the first process; poweroff ends the machine");
        } else {
            return;
        }
    }
}

int main(int count, char **arguments)
{
    values.process = getpid();
    if (values.process == 1) { /* the terminal belongs to this session from now on */
        setsid();
        ioctl(STDIN_FILENO, TIOCSCTTY, 0);
    }
    if (count == 3 && strcmp(arguments[1], "-c") == 0) {
        run_line(arguments[2]);
    } else if (count > 1 && arguments[1][0] == '-') {
        fprintf(stderr, "usage: sh [-c COMMANDS | FILE]\n");
        return STATUS_MISUSE;
    } else if (count > 1) {
        run_script(arguments[1]);
    } else if (isatty(STDIN_FILENO)) {
        run_terminal();
    } else {
        run_stream(stdin);
    }
    fflush(stdout);
    return values.status;
}
