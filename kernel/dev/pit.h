/*
 * The 8254 timer: the tick of IRQ 0 on channel 0, and channel 2 as the yardstick for the time-stamp
 * counter.
 */
#ifndef KERNEL_DEV_PIT_H
#define KERNEL_DEV_PIT_H

#include "kernel/lib/types.h"

/*
 * Starts the tick at HZ (19 to 1000 a second) and measures this_cpu.tsc_hz to about half a per
 * cent, in a quarter of a millisecond. From then on IRQ 0 comes as soon as somebody sets its
 * handler.
 */
void pit_init(unsigned hz);

/*
 * From now on each tick comes after a random time of 10 to 500 microseconds (the kernel option jitter=SEED): so
 * programs are interrupted at instructions of every kind. The same SEED gives the same times.
 */
void pit_jitter(const char *seed);
/* Called at each tick: sets the time of the next one, if ticks are random. */
void pit_next_tick(void);

#endif
