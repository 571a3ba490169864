/* The clock's inside, for the scheduler and the accounts. */
#ifndef KERNEL_SCHED_CLOCK_H
#define KERNEL_SCHED_CLOCK_H

#include "kernel/lib/types.h"

/* Starts the clocks at 0 and at the time of the battery-backed clock. this_cpu.tsc_hz is known. */
void clock_init(void);

/* Called at every timer tick, after it was counted in jiffies. */
void clock_tick(void);

/* Counts of the time-stamp counter as nanoseconds. */
u64 tsc_to_ns(u64 counts);

#endif
