/* The lines that have left a terminal's grid at its top, to be looked at again. */
#include "kernel/dev/vt.h"
#include "kernel/dev/vt_sequence.h"
#include "kernel/lib/string.h"

void vt_keep(struct vt *vt, u16 *cells, size_t count)
{
    vt->history = (struct vt_history){ .cells = cells, .lines = (unsigned)(count / vt->columns) };
}

void vt_remember_top(struct vt *vt)
{
    struct vt_history *history = &vt->history;

    if (history->lines == 0)
        return;
    memcpy(history->cells + (size_t)history->next * vt->columns, vt->cells, vt->columns * sizeof(*vt->cells));
    history->next = (history->next + 1) % history->lines;
    history->used = MIN(history->used + 1, history->lines);
}

u16 vt_cell_seen(const struct vt *vt, unsigned back, unsigned row, unsigned column)
{
    const struct vt_history *history = &vt->history;

    if (row >= back)
        return vt->cells[(row - back) * vt->columns + column];
    unsigned line = (history->next + history->lines - (back - row)) % history->lines;
    return history->cells[(size_t)line * vt->columns + column];
}
