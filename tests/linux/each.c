/*
 * Runs several programs one after the other, so that one boot serves many transcripts:
 * each PROGRAM... prints "=== PROGRAM", what the program prints, and how it ended.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static int run(char *path)
{
    char *arguments[] = {path, NULL};
    char line[64];
    int status;
    pid_t child = fork();

    if (child == 0) {
        execve(path, arguments, environ);
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
