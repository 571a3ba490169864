/* The terminal: all of it is ioctl. */
#include "internal.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return (int)CALL3(ioctl, descriptor, request, argument);
}

int isatty(int descriptor)
{
    struct termios settings;
    return tcgetattr(descriptor, &settings) == 0;
}

int tcgetattr(int descriptor, struct termios *settings)
{
    return ioctl(descriptor, TCGETS, settings);
}

int tcsetattr(int descriptor, int when, const struct termios *settings)
{
    return ioctl(descriptor, TCSETS + (unsigned)when, settings); /* TCSETS, TCSETSW, TCSETSF */
}

int tcflush(int descriptor, int queue)
{
    return ioctl(descriptor, TCFLSH, (long)queue);
}

void cfmakeraw(struct termios *settings)
{
    settings->c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    settings->c_oflag &= ~OPOST;
    settings->c_lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    settings->c_cflag &= ~(CSIZE | PARENB);
    settings->c_cflag |= CS8;
    settings->c_cc[VMIN] = 1;
    settings->c_cc[VTIME] = 0;
}

pid_t tcgetpgrp(int terminal)
{
    pid_t group;
    return ioctl(terminal, TIOCGPGRP, &group) < 0 ? -1 : group;
}

int tcsetpgrp(int terminal, pid_t group)
{
    return ioctl(terminal, TIOCSPGRP, &group);
}
