/*
 * A picture that stays at the top of the terminal, while below it the programs go on to print: the top
 * lines are taken out of what scrolls (the terminal's scrolling region, DECSTBM).
 */
#ifndef USER_COMMON_SPLIT_H
#define USER_COMMON_SPLIT_H

#include <stddef.h>

/*
 * Split the terminal on standard output; what is on it moves down. Returns the number of lines for the
 * picture, 0 if the terminal is too small.
 */
int split_begin(void);

/* Show the picture (canvas.h), unless it is as it was. */
void split_show(void);

/* If the terminal's size has changed, split it anew. As split_begin. */
int split_follow_size(void);

/* Let everything scroll again; the last picture stays. */
void split_end(void);

#endif
