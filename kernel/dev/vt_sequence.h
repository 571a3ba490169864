/* Inside kernel/dev/vt*.c: what the characters and the escape sequences do to the grid. */
#ifndef KERNEL_DEV_VT_SEQUENCE_H
#define KERNEL_DEV_VT_SEQUENCE_H

#include "kernel/dev/vt.h"

/* vt_sequence.c: the next byte of an escape sequence (vt->state is not VT_TEXT). */
void vt_sequence_byte(struct vt *vt, u8 byte);

/* vt.c: the lines [FIRST, END) have changed. */
void vt_changed(struct vt *vt, unsigned first, unsigned end);

/* Blanks the cells [FROM, END), counted from the grid's beginning, in the pen's background. */
void vt_erase(struct vt *vt, unsigned from, unsigned end);

/* Moves the lines from FIRST to the bottom of the scrolling region up by LINES, or down if negative. */
void vt_scroll(struct vt *vt, unsigned first, int lines);

/* Moves the cursor, at most to the last row and column. */
void vt_go(struct vt *vt, unsigned row, unsigned column);

/* Down one line; scrolls at the end of the region. */
void vt_line_feed(struct vt *vt);

/* vt_history.c: the grid's first line is about to leave it. */
void vt_remember_top(struct vt *vt);

/* Everything as at first, and the grid empty. */
void vt_reset(struct vt *vt);

#endif
