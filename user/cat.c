/* cat: print files, or standard input, one behind the other. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int complain(const char *what, const char *name)
{
    fprintf(stderr, "cat: cannot %s %s: %s\n", what, name, strerror(errno));
    return 1;
}

static int copy(int file, const char *name)
{
    static char buffer[4096];
    ssize_t count;
    while ((count = read(file, buffer, sizeof buffer)) > 0)
        for (ssize_t written = 0, part; written < count; written += part)
            if ((part = write(STDOUT_FILENO, buffer + written, (size_t)(count - written))) < 0)
                return complain("write", "its output");
    return count < 0 ? complain("read", name) : 0;
}

int main(int count, char **arguments)
{
    int status = 0;
    if (count < 2)
        return copy(STDIN_FILENO, "its input");
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "-") == 0) {
            status |= copy(STDIN_FILENO, "its input");
            continue;
        }
        int file = open(arguments[i], O_RDONLY);
        if (file < 0) {
            status = complain("open", arguments[i]);
            continue;
        }
        status |= copy(file, arguments[i]);
        close(file);
    }
    return status;
}
