/*
 * What a machine's memory was before an attack and is after it: frames, kernel objects, the audit's findings. And a
 * child that gets only so much time.
 */
#ifndef TESTS_ATTACKS_MACHINE_H
#define TESTS_ATTACKS_MACHINE_H

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

#include "tests/guest/mem.h"
#include "user/common/probe.h"

#define WAIT_ROUNDS 300
#define WAIT_MICROSECONDS 10000
#define CACHES_MAX 64

/* A line of /proc/slabinfo. */
struct objects {
    char name[24];
    long used;
};

struct machine {
    struct frame_counts frames;     /* all zero on Linux */
    struct objects objects[CACHES_MAX];
    size_t caches;
};

/* Has the kernel let go of what it only keeps for later: pages of files, empty slabs, stacks. */
MAYBE_UNUSED static void drop_caches(void)
{
    int caches = open("/proc/sys/vm/drop_caches", O_WRONLY);

    if (caches >= 0) {
        write(caches, "3\n", 2);
        close(caches);
    }
}

/* Only on our kernel, where nobody else makes objects meanwhile. */
MAYBE_UNUSED static void look_at_machine(struct machine *machine)
{
    static char text[8192];
    const char *line = text;

    memset(machine, 0, sizeof(*machine));
    drop_caches();
    if (!probe_frames(&machine->frames) || probe_file("/proc/slabinfo", text, sizeof(text)) <= 0)
        return;
    while ((line = strchr(line, '\n')) != NULL && *++line != '\0' && machine->caches < CACHES_MAX) {
        struct objects *objects = &machine->objects[machine->caches];
        size_t length = strcspn(line, " ");

        if (*line == '#' || length >= sizeof(objects->name))
            continue;
        memcpy(objects->name, line, length);
        objects->name[length] = '\0';
        objects->used = strtol(line + length, NULL, 10);
        machine->caches++;
    }
}

/* How many objects NAME's cache has given out; a cache that nobody has used yet is not listed. */
MAYBE_UNUSED static long objects_of(const struct machine *machine, const char *name)
{
    for (size_t i = 0; i < machine->caches; i++)
        if (strcmp(machine->objects[i].name, name) == 0)
            return machine->objects[i].used;
    return 0;
}

/*
 * Whether NOW holds nothing more than BEFORE: not a frame of any kind, and of no kind of object one more. Frames of
 * slabs alone may be more: the objects that have lived all the time, as many as before, may lie in more of them.
 */
MAYBE_UNUSED static bool holds_no_more(const struct machine *before, const struct machine *now, bool say)
{
    const struct frame_counts *a = &before->frames, *b = &now->frames;
    long lost = a->free - b->free - (b->slab - a->slab);
    bool well = lost <= 0;

    if (say && !well)
        note("frames fewer: %ld; more of page tables %ld, anonymous %ld, files %ld, kernel %ld", lost,
             b->page_table - a->page_table, b->anonymous - a->anonymous, b->cache - a->cache, b->kernel - a->kernel);
    for (size_t i = 0; i < now->caches; i++) {
        long more = now->objects[i].used - objects_of(before, now->objects[i].name);

        well &= more <= 0;
        if (say && more > 0)
            note("%ld more of %s", more, now->objects[i].name);
    }
    return well;
}

/* For those below: once looked at, looking takes no more memory. */
static struct machine machine_now;

/* What the machine holds before an attack; whatever looking takes is there already. */
MAYBE_UNUSED static void look_at_machine_before(struct machine *before)
{
    look_at_machine(&machine_now);
    look_at_machine(before);
    look_at_machine(before);
}

/* Whether it holds no more now. With patience: what has just ended may still be on its way out. */
MAYBE_UNUSED static bool machine_is_back(const struct machine *before)
{
    int rounds = 0;

    do
        look_at_machine(&machine_now);
    while (!holds_no_more(before, &machine_now, false) && rounds++ < WAIT_ROUNDS && usleep(WAIT_MICROSECONDS) == 0);
    return holds_no_more(before, &machine_now, true);
}

/* ---- a child with a limit ---- */

static volatile pid_t limited;

static void end_the_limited(int signal)
{
    (void)signal;
    kill(limited, SIGKILL);
    kill(-limited, SIGKILL);
}

/*
 * Waits for CHILD; after MICROSECONDS (0: never) it is killed, and its process group, if it leads one. Its wait status,
 * or -1 when it is nobody's child. Takes SIGALRM and the real timer.
 */
MAYBE_UNUSED static int wait_at_most(pid_t child, long microseconds)
{
    /* Again and again: it may have led no group yet, or started others just then. */
    struct itimerval time = {{microseconds / 1000000, microseconds % 1000000}, {microseconds / 1000000, microseconds % 1000000}};
    int status = -1;

    limited = child;
    signal(SIGALRM, end_the_limited);
    setitimer(ITIMER_REAL, &time, NULL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    return status;
}

MAYBE_UNUSED static bool audit_is_clean(void)
{
    static char findings[4096];

    if (probe_file("/proc/audit", findings, sizeof(findings)) <= 0 || strcmp(findings, "ok\n") == 0)
        return true;
    note("%s", findings);
    return false;
}

#endif
