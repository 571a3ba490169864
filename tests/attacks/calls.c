/*
 * The system-call fuzzer: random calls with random arguments, by several processes at once.
 *
 *     calls SEED COUNT [PROCESSES]
 *
 * Each of PROCESSES workers (fuzzer/worker.c) starts one short-lived process after the other, which makes calls
 * (fuzzer/process.c) until it has made a few hundred, dies, or hangs. A process that is hurt by its own calls is no
 * finding. Findings are: a register that a call may not change has changed; something that looks like an address of
 * the kernel has come out of it; the audit finds something, or the machine holds more than before. Everything is a
 * function of SEED (with the kernel option jitter=SEED and a machine that counts instructions): the last line is a hash
 * of all results, by which one can tell that a run was the same.
 */
#define _GNU_SOURCE
#include "tests/attacks/fuzzer/calls.h"

#include <dirent.h>
#include <sys/stat.h>

#include "tests/attacks/machine.h"

#define WARM_UP 20000       /* calls, after which all is there that is made once and kept */
#define TOTAL_PAGES ((WORKERS_MAX * sizeof(struct total) + PAGE - 1) / PAGE)
#define JUDGED_AT_LEAST 99 / 100

static struct total *totals;

/* Removes what is in a folder, and then (where that may be) the folder. */
static void remove_all(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char name[1024];

    while (folder && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (unlink(name) != 0)
            remove_all(name);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static void start_over(void)
{
    mkdir(FOLDER, 0777);
    chmod(FOLDER, 0777);
    mkdir(FOLDER "/c", 0777);
    chmod(FOLDER "/c", 0777);
    symlink("a", FOLDER "/link");
    chdir(FOLDER);
}

static pid_t start_worker(unsigned int worker, unsigned long seed, unsigned long count)
{
    pid_t child = fork();

    if (child == 0) {
        struct total *own = &totals[worker];

        syscall(SYS_madvise, totals, TOTAL_PAGES * PAGE, MADV_DONTFORK);
        work(own, worker, seed * 1000003 + worker * 7919 + 1 + own->of_all.made, count);
    }
    return child;
}

/* Everybody but us and PID 1: a worker that was killed for memory has left a process that nobody ends. */
static void end_all(void)
{
    kill(-1, SIGKILL);
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
}

static void clean_up(void *nothing)
{
    (void)nothing;
    remove_all("/tmp");
}

/* A worker that was killed is replaced. */
static void run_all(unsigned int workers, unsigned long seed, unsigned long count)
{
    pid_t of[WORKERS_MAX], child;
    int status;

    start_over();
    for (unsigned int i = 0; i < workers; i++)
        of[i] = start_worker(i, seed, count / workers);
    while ((child = wait(&status)) > 0 || errno == EINTR)
        for (unsigned int i = 0; i < workers; i++)
            if (child > 0 && child == of[i] && totals[i].of_all.made < count / workers) {
                note("worker %u ended with status %x", i, status);
                of[i] = start_worker(i, seed, count / workers);
            }
    end_all();
    chdir("/");
    status_of_child(clean_up, NULL);    /* folders may be deep, and what a walk takes is not ours to keep */
}

/* The workers' totals in one; says what was found. */
static void sum_up(unsigned int workers, struct total *sum)
{
    struct score *all = &sum->of_all;

    memset(sum, 0, sizeof(*sum));
    for (unsigned int i = 0; i < workers; i++) {
        const struct score *one = &totals[i].of_all;

        all->made += one->made;
        all->hash = all->hash * 31 + one->hash;
        all->destroyed += one->destroyed;
        all->changed += one->changed;
        all->leaked += one->leaked;
        sum->destroyed_processes += totals[i].destroyed_processes;
        if (one->changed)
            note("call %lu changed register %lu from %lx to %lx", one->change.call, one->change.number,
                 one->change.given, one->change.found);
        if (one->leaked)
            note("call %lu gave away %lx (place %ld)", one->leak.call, one->leak.value, (long)one->leak.place);
        for (unsigned int number = 0; number < NUMBERS; number++)
            sum->of_call[number] += totals[i].of_call[number];
    }
}

/* Perhaps somebody is still there. */
static void show_processes(void)
{
    static char text[2048];
    char name[64];
    DIR *folder = opendir("/proc");
    struct dirent *entry;

    while (folder && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        snprintf(name, sizeof(name), "/proc/%s/status", entry->d_name);
        probe_file(name, text, sizeof(text));
        for (char *at = text; (at = strchr(at, '\n')) != NULL;)
            *at++ = ' ';
        note("%.150s", text);
    }
    if (folder)
        closedir(folder);
}

static unsigned int calls_never_made(const struct total *sum)
{
    unsigned int never = 0, number;

    for (size_t at = 0; next_call(&at, &number);)
        if (sum->of_call[number] == 0 && !is_rare(number)) {
            note("call %u was never made", number);
            never++;
        }
    return never;
}

int main(int count, char **words)
{
    unsigned long seed = count > 2 ? strtoul(words[1], NULL, 0) : 0, wanted = count > 2 ? strtoul(words[2], NULL, 0) : 0;
    unsigned int workers = count > 3 ? (unsigned int)strtoul(words[3], NULL, 0) : 4;
    static struct total sum;
    static struct machine before;

    totals = raw_mmap(0, TOTAL_PAGES * PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    if (seed == 0 || wanted == 0 || workers == 0 || workers > WORKERS_MAX || totals == MAP_FAILED)
        bail_out("usage: calls SEED COUNT [PROCESSES], at most %d processes", WORKERS_MAX);
    write_pages((char *)totals, TOTAL_PAGES);
    memset(totals, 0, TOTAL_PAGES * PAGE);
    run_all(workers, seed + 1, WARM_UP);
    sum_up(workers, &sum);
    memset(totals, 0, TOTAL_PAGES * PAGE);
    audit_is_clean();
    look_at_machine_before(&before);
    run_all(workers, seed, wanted);
    sum_up(workers, &sum);
    check(sum.of_all.made >= wanted, "as many random calls were made as were asked for");
    check_eq(calls_never_made(&sum), 0, "every system call was among them");
    check(sum.of_all.made - sum.of_all.destroyed >= sum.of_all.made * JUDGED_AT_LEAST, "nearly all can be judged");
    check_eq(sum.of_all.changed, 0, "none changed a register that it has to preserve");
    check_eq(sum.of_all.leaked, 0, "none gave away an address of the kernel");
    check(audit_is_clean(), "the audit finds nothing");
    if (!check(machine_is_back(&before), "the machine holds no frame and no object more than before"))
        show_processes();
    note("seed %lu: %lu calls, hash %016lx, %lu of them and the notes of %lu processes were destroyed", seed, sum.of_all.made,
         sum.of_all.hash, sum.of_all.destroyed, sum.destroyed_processes);
    return done();
}
