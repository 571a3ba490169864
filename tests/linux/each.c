/*
 * Runs several programs one after the other, so that one boot serves many transcripts:
 * each COMMAND... prints "=== COMMAND", what the command prints, and how it ended. A command is a
 * program's path, and its arguments separated by single spaces.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 30 };

extern char **environ;

/* Prints TEXT at once: the programs write to the same descriptor. */
static void say(const char *text)
{
    size_t length = strlen(text);

    while (length > 0) {
        ssize_t written = write(1, text, length);

        if (written <= 0)
            _exit(1);
        text += written;
        length -= (size_t)written;
    }
}

/* Cuts COMMAND at its spaces. */
static void split(char *command, char **arguments)
{
    int count = 0;

    while (count < MOST_ARGUMENTS) {
        arguments[count++] = command;
        command = strchr(command, ' ');
        if (command == NULL)
            break;
        *command++ = '\0';
    }
    arguments[count] = NULL;
}

static int run(char *command)
{
    char *arguments[MOST_ARGUMENTS + 1];
    char line[64];
    int status;
    pid_t child;

    split(command, arguments);
    child = fork();
    if (child == 0) {
        execve(arguments[0], arguments, environ);
        say("cannot be executed\n");
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        say("cannot be started\n");
        return 1;
    }
    if (WIFSIGNALED(status))
        snprintf(line, sizeof(line), "=== killed by signal %d\n", WTERMSIG(status));
    else
        snprintf(line, sizeof(line), "=== exited with status %d\n", WEXITSTATUS(status));
    say(line);
    return status != 0;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        say("=== ");
        say(argv[i]);
        say("\n");
        failed |= run(argv[i]);
    }
    return failed;
}
