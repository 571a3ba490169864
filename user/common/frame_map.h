/* What each frame of the machine's memory is, from /proc/kpageflags and /proc/kpagecount. */
#ifndef USER_COMMON_FRAME_MAP_H
#define USER_COMMON_FRAME_MAP_H

#include <stdbool.h>

#include "user/common/cells.h"

/*
 * Read the kind of every frame into FRAMES, which is emptied first. False, with errno, when the kernel
 * won't tell (on Linux, only root may ask).
 */
bool frame_map_read(struct cells *frames);

/* The kind of one frame; KIND_SECRET if the kernel won't tell. */
char frame_map_kind(unsigned long frame);

/* Draw the frames on the canvas, in at most so many rows. */
void frame_map_draw(const struct cells *frames, int rows);

/* Draw what the letters of both maps mean: LEGEND_LINES lines. */
#define LEGEND_LINES 2
void draw_legend(void);

#endif
