/*
 * Bombs: programs that take as much as they can get of one thing. After each the frames are back, the audit finds
 * nothing, and the machine still starts programs. Runs on Linux too, where nobody counts frames.
 *
 *     bombs [NAME...]      all of them, or those named
 *     bombs --strictly NAME...   as an ordinary user who is promised no more memory than there is: Linux kills nobody for
 *                          what pipes and nameless files hold, so that it panics when root fills memory with them
 *     bombs --soak MINUTES one bomb a minute, for so long
 *     bombs --forest       the fork bomb alone, with nobody who puts it out
 */
#define _GNU_SOURCE
#include <signal.h>
#include <fcntl.h>
#include <time.h>

#include "tests/attacks/charges/charges.h"
#include "tests/attacks/machine.h"

#define MICROSECONDS_OF_A_FOREST 2000000     /* how long a fork bomb may grow */
#define SECONDS_OF_A_MINUTE 60

static const struct bomb {
    const char *name, *rule;
    int (*body)(void);
    bool may_be_killed; /* by the kernel, or by us when its time is over */
} bombs[] = {
    {"lazy_heap", "1 GiB of lazy heap, asked for a thousand times, and two stores", lazy_heap, false},
    {"lazy_mappings", "mappings of 1 GiB until the address space is full, and a store", lazy_mappings, true},
    {"memory", "more memory than there is", memory, true},
    {"memory_of_many", "more memory than there is, by eight processes at once", memory_of_many, true},
    {"shared_memory", "more shared memory than there is", shared_memory, true},
    {"copies", "a family that copies on write until memory is full", copies, true},
    {"endless_recursion", "a recursion without end", endless_recursion, true},
    {"vmas", "as many mappings as there may be", vmas_without_end, true},
    {"page_tables", "one page in each GiB", page_tables, true},
    {"forest", "a fork bomb", forest, true},
    {"sessions", "memory taken by processes with sessions of their own", sessions, true},
    {"zombies", "a thousand zombies", zombies, true},
    {"threads", "as many threads as there may be", threads, true},
    {"descriptors", "as many descriptors as there may be", descriptors, false},
    {"pipes", "pipes full of bytes that nobody reads", pipes, true},
    {"nameless_files", "files without a name, full of bytes", nameless_files, true},
    {"links", "one file under as many names as there may be", links, false},
    {"locks", "as many locks on a file's bytes as there may be", locks, false},
    {"watches", "as many watches of epolls as there may be", watches, false},
    {"events", "descriptors of counters, timers and signals, as many as there may be, of many processes", events, true},
    {"files", "as many and as large files as there may be", files, false},
    {"arguments", "arguments of hundreds of megabytes", arguments, false},
    {"signals", "signals that nobody takes", signals, false},
};

static void ends(void *nothing)
{
    (void)nothing;
}

/* Lights the bomb in a group of its own, and puts out what is left of it when its time is over. */
static int explode(const struct bomb *bomb, bool strictly)
{
    pid_t child = fork();
    int status;

    if (child < 0)
        return -1;
    if (child == 0) {
        setpgid(0, 0);
        if (strictly && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(127);
        _exit(bomb->body());
    }
    setpgid(child, child);
    status = wait_at_most(child, bomb->body == forest || bomb->body == copies ? MICROSECONDS_OF_A_FOREST : 0);
    for (int i = 0; i < WAIT_ROUNDS && kill(-child, SIGKILL) == 0; i++)
        usleep(WAIT_MICROSECONDS);
    return status;
}

static bool ended_as_it_may(const struct bomb *bomb, int status)
{
    if (status == 0)
        return true;
    if (bomb->may_be_killed && WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGSEGV))
        return true;
    note("%s: wait status %x", bomb->name, status);
    return false;
}

static struct machine before;

static void run(const struct bomb *bomb, bool strictly)
{
    look_at_machine_before(&before);
    check(ended_as_it_may(bomb, explode(bomb, strictly)), "%s", bomb->rule);
    check(machine_is_back(&before), "%s: the count of free frames is what it was", bomb->name);
    check(audit_is_clean(), "%s: the audit finds nothing", bomb->name);
    check_eq(status_of_child(ends, NULL), 0, "%s: processes start as before", bomb->name);
}

/* One bomb after the other, one each minute of the guest's time: nothing may pile up. */
static void soak(long minutes)
{
    long wrong_ends = 0, findings = 0;
    time_t start = time(NULL);

    look_at_machine_before(&before);
    for (long minute = 0; minute < minutes; minute++) {
        const struct bomb *bomb = &bombs[(size_t)minute % (sizeof(bombs) / sizeof(bombs[0]))];
        wrong_ends += !ended_as_it_may(bomb, explode(bomb, false));
        findings += !audit_is_clean();
        while (time(NULL) < start + (minute + 1) * SECONDS_OF_A_MINUTE)
            sleep(1);
    }
    check(time(NULL) - start >= minutes * SECONDS_OF_A_MINUTE, "a bomb was lit each minute, for as long as was asked for");
    check_eq(wrong_ends, 0, "each ended as it may");
    check_eq(findings, 0, "the audit never found anything");
    check(machine_is_back(&before), "in the end the count of free frames is what it was");
    check_eq(status_of_child(ends, NULL), 0, "and processes start as before");
}

static bool is_wanted(const char *name, int count, char **names)
{
    for (int i = 1; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return count == 1;
}

static void promise_strictly(void)
{
    int file = open("/proc/sys/vm/overcommit_memory", O_WRONLY);

    if (file < 0 || write(file, "2", 1) != 1)
        bail_out("the rule of overcommit can't be changed: errno %d", errno);
    close(file);
}

int main(int count, char **names)
{
    bool strictly = count > 2 && strcmp(names[1], "--strictly") == 0;

    if (count == 2 && strcmp(names[1], "--forest") == 0)
        return forest();
    if (strictly)
        promise_strictly();
    /* Whatever lighting and looking take of our own memory is there from now on. */
    note("%zu bombs", sizeof(bombs) / sizeof(bombs[0]));
    audit_is_clean();
    status_of_child(ends, NULL);
    if (count == 3 && strcmp(names[1], "--soak") == 0) {
        soak(strtol(names[2], NULL, 10));
        return done();
    }
    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++)
        if (is_wanted(bombs[i].name, count, names))
            run(&bombs[i], strictly);
    return done();
}
