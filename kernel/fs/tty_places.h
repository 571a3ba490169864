/* The two places where a person may sit at the terminal: the serial line, and screen and keyboard. */
#ifndef KERNEL_FS_TTY_PLACES_H
#define KERNEL_FS_TTY_PLACES_H

#include "kernel/fs/termios.h"

/* Starts receiving what is typed at either. */
void tty_start_places(void);

/* The terminal has this size from now on; its foreground group is told when it differs. */
void tty_change_size(const struct winsize *size);

#endif
