/* The terminal on standard output. */
#include "user/common/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_ROWS    24
#define DEFAULT_COLUMNS 80

int terminal_rows(void)
{
    struct winsize size = {.ws_row = 0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
        return DEFAULT_ROWS;
    return size.ws_row;
}

int terminal_columns(void)
{
    struct winsize size = {.ws_col = 0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return DEFAULT_COLUMNS;
    return size.ws_col;
}

void terminal_write(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t count = write(STDOUT_FILENO, text, length);
        if (count <= 0)
            return;
        text += count;
        length -= (size_t)count;
    }
}
