/* The battery-backed clock of the PC, read once at boot. */
#ifndef KERNEL_DEV_RTC_H
#define KERNEL_DEV_RTC_H

#include "kernel/lib/types.h"

/*
 * Seconds since 1970-01-01 00:00:00 UTC; the clock is taken to run in UTC. 0 when it makes no
 * sense.
 */
u64 rtc_read(void);

#endif
