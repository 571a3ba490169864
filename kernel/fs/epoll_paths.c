/*
 * epolls that watch epolls: how deep, and in how many ways an event may get to the top. What happens to a file is told
 * along each of them, so a few hundred epolls, each of which watches all of the next, could keep the kernel busy for hours.
 * The limits are Linux's.
 */
#include "kernel/fs/epoll_internal.h"

/* How deep an epoll may watch an epoll that watches an epoll … */
#define MAX_NESTING 5

/* The ways from a file to an epoll that nobody watches, by how many epolls lie between; those without any are not limited. */
static const unsigned short path_limits[MAX_NESTING] = { 0, 500, 100, 50, 10 };

/* A walk comes by each epoll once, however many ways lead there. */
static unsigned long visit;

static bool is_first_visit(struct epoll *epoll)
{
    bool is_first = epoll->visit != visit;

    epoll->visit = visit;
    return is_first;
}

/* ---- depth ---- */

/* How many watches lie one below the other from FILE on; more than MAX_NESTING when TOP is among what they watch. */
static unsigned depth_below(const struct file *file, const struct epoll *top)
{
    const struct watch *watch;

    if (!file_is_epoll(file))
        return 0;
    struct epoll *epoll = file->private;
    if (epoll == top)
        return MAX_NESTING + 1;
    if (is_first_visit(epoll)) {
        epoll->extent = 0;
        list_for_each_entry(watch, &epoll->watches, of_epoll)
            epoll->extent = MAX(epoll->extent, 1 + depth_below(watch->file, top));
    }
    return epoll->extent;
}

/* How many epolls lie one above the other over EPOLL. */
static unsigned height_above(struct epoll *epoll)
{
    const struct watch *watch;

    if (is_first_visit(epoll)) {
        epoll->extent = 0;
        list_for_each_entry(watch, &epoll->watchers, of_source)
            epoll->extent = MAX(epoll->extent, 1 + height_above(watch->epoll));
    }
    return epoll->extent;
}

bool epoll_nests_too_deep(struct epoll *epoll, struct file *file)
{
    visit++;
    unsigned below = depth_below(file, epoll);
    visit++;
    return 1 + below + height_above(epoll) > MAX_NESTING;
}

/* ---- ways ---- */

/* Counts the ways up from what WATCHES watch, which lies below BETWEEN epolls. False: they are too many. */
static bool count_paths(const struct list_head *watches, unsigned between, unsigned counts[MAX_NESTING])
{
    const struct watch *watch;

    if (between >= MAX_NESTING)
        return false;
    list_for_each_entry(watch, watches, of_file) {
        const struct file *above = watch->epoll->file;
        if (!list_empty(&above->watches)) {
            if (!count_paths(&above->watches, between + 1, counts))
                return false;
        } else if (between && ++counts[between] > path_limits[between]) {
            return false;
        }
    }
    return true;
}

/* Of every file that is no epoll from FILE on. */
static bool has_too_many_paths(const struct file *file)
{
    unsigned counts[MAX_NESTING] = { 0 };
    const struct watch *watch;

    if (!file_is_epoll(file))
        return !count_paths(&file->watches, 0, counts);
    struct epoll *epoll = file->private;
    if (is_first_visit(epoll))
        list_for_each_entry(watch, &epoll->watches, of_epoll)
            if (has_too_many_paths(watch->file))
                return true;
    return false;
}

bool epoll_has_too_many_paths(struct epoll *epoll, struct file *file)
{
    visit++;
    return (file_is_epoll(file) || !list_empty(&epoll->file->watches)) && has_too_many_paths(file);
}
