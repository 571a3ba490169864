/*
 * memview: a map of memory. Every physical frame by what it is, and the address spaces of processes page
 * by page; with -w it stays at the top of the terminal and follows what other programs do.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/common/canvas.h"
#include "user/common/cells.h"
#include "user/common/frame_map.h"
#include "user/common/probe.h"
#include "user/common/space_map.h"
#include "user/common/split.h"
#include "user/common/terminal.h"

#define FRAME_ROWS         13 /* folded to a screenful, with what else there is to say */
#define OTHER_ROWS         12 /* which takes so many rows */
#define FRAME_ROWS_MIN     4
#define PROCESSES_MAX      1024
#define RUNS_READY         2048 /* of equal frames */
#define REDRAW_NANOSECONDS 200000000

/* Whom to draw, when it is no process id. */
#define ALL       (-1)
#define UNDECIDED 0 /* this program itself or, with -w, the program in front */

static const char usage[] =
    "usage: memview [PID | all] [-w]\n"
    "  PID  draw the frames of the machine, and this process's memory (default: memview's own)\n"
    "  all  draw the frames, and all processes\n"
    "  -w   watch: stay at the top of the terminal and redraw, until the program in front (or PID)\n"
    "       ends: memview -w & tour -s\n";

/* ---- one picture ---- */

static struct cells frames;

/* The title and the frames; without them a sentence why. */
static void draw_frames(int rows)
{
    if (frame_map_read(&frames)) {
        frame_map_draw(&frames, rows);
        return;
    }
    canvas_text("The frames can't be shown: /proc/kpageflags can't be read (%s)%s", strerror(errno),
                errno == EACCES || errno == EPERM ? "; only root may." : ".");
    canvas_newline();
    canvas_text("Of pages it tells less, too: ? stands for the zero frame or copy-on-write.");
    canvas_newline();
}

/* False, with a sentence, when the process can't be looked at. */
static bool draw_process(pid_t process, int rows)
{
    if (space_map_draw(process, rows))
        return true;
    if (errno == ESRCH || errno == ENOENT)
        canvas_text("Process %d has ended.", process);
    else if (errno == ENODATA)
        canvas_text("Process %d has no memory of its own.", process);
    else
        canvas_text("Process %d can't be looked at: %s", process, strerror(errno));
    canvas_newline();
    return false;
}

static int compare_pids(const void *left, const void *right)
{
    return *(const pid_t *)left - *(const pid_t *)right;
}

static int list_processes(pid_t processes[PROCESSES_MAX])
{
    int count = 0;
    DIR *directory = opendir("/proc");
    if (directory == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < PROCESSES_MAX;)
        if (isdigit(entry->d_name[0]))
            processes[count++] = atoi(entry->d_name);
    closedir(directory);
    qsort(processes, (size_t)count, sizeof *processes, compare_pids);
    return count;
}

static void draw_all_processes(void)
{
    static pid_t processes[PROCESSES_MAX];
    int count = list_processes(processes);
    for (int i = 0; i < count && canvas_lines_left() > 0; i++) {
        canvas_newline();
        draw_process(processes[i], canvas_lines_left()); /* one that has no memory, or has just ended, is said */
    }
}

/* On a larger terminal there is room for more. */
static int rows_for_frames(void)
{
    int rows = isatty(STDOUT_FILENO) ? terminal_rows() - OTHER_ROWS : 0;
    return rows > FRAME_ROWS ? rows : FRAME_ROWS;
}

static int draw_once(pid_t target)
{
    bool is_drawn = true;
    canvas_begin(0);
    draw_frames(rows_for_frames());
    draw_legend();
    if (target == ALL) {
        draw_all_processes();
    } else {
        canvas_newline();
        is_drawn = draw_process(target, INT_MAX);
    }
    canvas_show();
    return is_drawn ? 0 : 1;
}

/* ---- watching ---- */

static volatile sig_atomic_t is_stopped;

static void stop(int signal)
{
    (void)signal;
    is_stopped = true;
}

/* The process that leads the group in front on this terminal; 0 while that is the shell. */
static pid_t program_in_front(void)
{
    pid_t front = tcgetpgrp(STDOUT_FILENO);
    return front == getpgid(getppid()) || front < 0 ? 0 : front;
}

/* The address space gets what it needs, if that is not too much, the frames what is left of LINES. */
static bool draw_watched(pid_t target, int lines)
{
    bool is_drawn = true;
    int rows = lines - LEGEND_LINES - 1; /* and the title of the frames */
    rows -= target > 0 ? space_map_rows(target) : target == ALL ? rows / 2 : 0;
    canvas_begin(lines);
    draw_frames(rows > FRAME_ROWS_MIN ? rows : FRAME_ROWS_MIN);
    draw_legend();
    if (target == ALL)
        draw_all_processes();
    else if (target > 0)
        is_drawn = draw_process(target, canvas_lines_left());
    return is_drawn;
}

/*
 * Whoever is watched may count frames (the tour does). So all that a picture needs is there before the first
 * one: from then on this program takes no frame and gives none back.
 */
static void get_ready(int lines)
{
    probe_touch_program();
    cells_reserve(&frames, RUNS_READY);
    draw_watched(getpid(), lines);
    draw_watched(getpid(), lines);
}

static void watch_until_end(pid_t target, int lines)
{
    const struct timespec pause = {.tv_nsec = REDRAW_NANOSECONDS};
    bool has_followed = false;
    while (!is_stopped && lines > 0) {
        pid_t front = program_in_front();
        if (target == UNDECIDED && front == 0 && has_followed)
            break;
        has_followed |= front != 0;
        bool is_drawn = draw_watched(target == UNDECIDED ? front : target, lines);
        split_show();
        if (target > 0 && !is_drawn)
            break;
        nanosleep(&pause, NULL);
        lines = split_follow_size();
    }
}

static int watch(pid_t target)
{
    if (!isatty(STDOUT_FILENO)) {
        fprintf(stderr, "memview: -w needs a terminal to draw on\n");
        return 1;
    }
    int lines = split_begin();
    if (lines == 0) {
        fprintf(stderr, "memview: -w needs a terminal of at least 20 lines\n");
        return 1;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    signal(SIGHUP, stop);
    get_ready(lines);
    watch_until_end(target, lines);
    split_end();
    return 0;
}

/* ---- arguments ---- */

static bool parse_target(const char *text, pid_t *target)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (strcmp(text, "all") == 0) {
        *target = ALL;
        return true;
    }
    *target = (pid_t)number;
    return isdigit(text[0]) && *end == '\0' && number > 0 && number <= INT_MAX;
}

int main(int count, char **arguments)
{
    pid_t target = UNDECIDED;
    bool watches = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "-w") == 0) {
            watches = true;
        } else if (target != UNDECIDED || !parse_target(arguments[i], &target)) {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (target > 0 && kill(target, 0) < 0 && errno == ESRCH) {
        fprintf(stderr, "memview: there is no process %d\n", target);
        return 1;
    }
    if (watches)
        return watch(target);
    return draw_once(target == UNDECIDED ? getpid() : target);
}
