/* POSIX timers: any number for each process, by one of several clocks, each telling by a signal of its choice. */
#ifndef KERNEL_PROC_POSIX_TIMER_H
#define KERNEL_PROC_POSIX_TIMER_H

#include "kernel/fs/timerfd.h"
#include "kernel/sched/sched.h"

/* The calls; addresses are user addresses. 0 or negative errno. */
long do_timer_create(int clock, unsigned long event, unsigned long id_to);
long do_timer_settime(int id, int flags, unsigned long new_from, unsigned long old_to);
long do_timer_gettime(int id, unsigned long to);
long do_timer_getoverrun(int id);
long do_timer_delete(int id);

/* The process ends, or becomes another program: its timers are gone. */
void posix_timers_end(struct process *process);
/* A tick of the running program: timers by its time on the processor. */
void posix_timers_tick(void);
/* The clock on the wall was set forward by CHANGE nanoseconds. */
void posix_timers_clock_was_set(s64 change);

#endif
