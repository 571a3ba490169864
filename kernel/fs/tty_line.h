/* The line discipline: what a typed byte does. */
#ifndef KERNEL_FS_TTY_LINE_H
#define KERNEL_FS_TTY_LINE_H

#include "kernel/fs/termios.h"
#include "kernel/sched/sched.h"

#define TTY_INPUT 4096      /* bytes typed ahead at most, as on Linux */

struct tty {
    struct termios termios;
    struct winsize size;
    int session, foreground;            /* 0: nobody's */
    /* What programs may read: a ring of bytes, some with a mark. */
    u16 input[TTY_INPUT];
    unsigned first, used;
    unsigned lines;                     /* marks in the ring */
    /* The line that is being typed (canonical mode), not yet in the ring. */
    u8 line[TTY_INPUT];
    unsigned line_length;
    unsigned column_of_line;            /* where on the screen the line began: erasing a tab needs it */
    unsigned column;
    bool literal_next, stopped;         /* ^V was typed; ^S was typed */
    struct wait_queue readers, writers;
    struct list_head watchers;          /* epoll's */
};

/* Marks in the ring: this byte ends a line; this entry is no byte but ^D. */
#define INPUT_LINE_END 0x100u
#define INPUT_EOF 0x200u

extern struct tty console;

/* The settings of a fresh terminal. */
void tty_line_reset(struct tty *tty);
/* BYTE came from the keyboard. */
void tty_line_receive(struct tty *tty, u8 byte);
/* Shows BYTES of a program, with output processing. */
void tty_line_output(struct tty *tty, const u8 *bytes, size_t count);
/* Forgets what was typed and not read. */
void tty_line_flush_input(struct tty *tty);
/* Canonical mode was switched: what was typed so far becomes readable, and so on. */
void tty_line_settings_changed(struct tty *tty, const struct termios *old);

#endif
