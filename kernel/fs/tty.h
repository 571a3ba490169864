/* The terminal: line editing, echo and signals between COM1, screen and keyboard, and the programs. */
#ifndef KERNEL_FS_TTY_H
#define KERNEL_FS_TTY_H

#include "kernel/fs/fs.h"

/* Starts receiving. PID 1's session owns the terminal until somebody else takes it. */
void tty_init(void);

/* Opens the terminal; CONTROLLING: as /dev/tty, which only exists for processes of its session. 0 or -ENXIO. */
int tty_open(struct file *file, bool controlling);

extern const struct file_operations tty_file_ops;

/*
 * For /proc/PID/stat: the terminal's number and foreground group for a process of session SID; 0 and -1 without
 * one.
 */
int tty_number_of(int sid);
int tty_foreground_of(int sid);
/* The leader of SID is gone: the terminal belongs to nobody, and its foreground group gets SIGHUP. */
void tty_session_ends(int sid);

#endif
