/* What stands behind each page of a process's address space, from /proc/PID/maps and pagemap. */
#ifndef USER_COMMON_SPACE_MAP_H
#define USER_COMMON_SPACE_MAP_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Draw the address space of a process on the canvas: a title, and each VMA with its pages, in at most ROWS
 * rows in all. False, with errno and nothing drawn, when the process can't be looked at (ENODATA: it has
 * no memory, for it is a part of the kernel, or has just ended).
 */
bool space_map_draw(pid_t process, int rows);

/* How many rows it takes where there is room enough. */
int space_map_rows(pid_t process);

#endif
