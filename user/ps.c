/* ps: the processes, from /proc/PID/stat. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/common/paint.h"
#include "user/common/probe.h"

#define PROCESSES_MAX 1024
#define KIB           1024UL

/* What is shown of a process; the names are those of the manual page proc(5). */
struct process {
    int pid, ppid;
    char state;
    char name[32];
    unsigned long minflt, vsize, rss;
};

static bool read_process(const char *pid, struct process *process)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    if (probe_file(path, text, sizeof text) <= 0)
        return false; /* it has ended meanwhile */
    /* The name, in parentheses, may hold anything, parentheses too. */
    char *name = strchr(text, '('), *name_end = strrchr(text, ')');
    if (name == NULL || name_end == NULL)
        return false;
    *name_end = '\0';
    process->pid = atoi(text);
    snprintf(process->name, sizeof process->name, "%s", name + 1);
    /* state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime
       cstime priority nice threads itrealvalue starttime vsize rss */
    return sscanf(name_end + 1,
                  " %c %d %*d %*d %*d %*d %*u %lu %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u "
                  "%lu %lu",
                  &process->state, &process->ppid, &process->minflt, &process->vsize,
                  &process->rss) == 5;
}

static int compare_pids(const void *left, const void *right)
{
    return ((const struct process *)left)->pid - ((const struct process *)right)->pid;
}

int main(void)
{
    static struct process processes[PROCESSES_MAX];
    size_t count = 0;
    DIR *directory = opendir("/proc");
    if (directory == NULL) {
        fprintf(stderr, "ps: cannot look at /proc: %s\n", strerror(errno));
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < PROCESSES_MAX;)
        if (isdigit(entry->d_name[0]) && read_process(entry->d_name, &processes[count]))
            count++;
    closedir(directory);
    qsort(processes, count, sizeof *processes, compare_pids);

    printf("%s  PID  PPID S   PROMISED   RESIDENT    FAULTS  PROGRAM%s\n", paint(BOLD),
           paint_end());
    for (size_t i = 0; i < count; i++) {
        const struct process *p = &processes[i];
        printf("%5d %5d %c %6lu KiB %6lu KiB %9lu  %s\n", p->pid, p->ppid, p->state, p->vsize / KIB,
               p->rss * (PAGE_SIZE / KIB), p->minflt, p->name);
    }
    return 0;
}
