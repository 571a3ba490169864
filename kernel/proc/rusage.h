/* Linux's struct rusage, and how it is filled. */
#ifndef KERNEL_PROC_RUSAGE_H
#define KERNEL_PROC_RUSAGE_H

#include "kernel/proc/proc.h"

struct rusage {
    struct kernel_timeval user_time, system_time;
    long max_rss;                       /* KiB */
    long unused_sizes[3];
    long min_flt, maj_flt;
    long unused_counts[6];
    long voluntary_switches, involuntary_switches;
};

/* Of PROCESS, with those of its reaped children when CHILDREN. */
void rusage_of_process(const struct process *process, bool children, struct rusage *rusage);

/* Splits nanoseconds on the processor into the two times in proportion to the ticks. */
void split_times(const struct process_usage *usage, u64 *user_ns, u64 *system_ns);

#endif
