/* The clocks: nanoseconds made from the processor's time-stamp counter. */
#include "kernel/cpu/cpu.h"
#include "kernel/dev/rtc.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/sched.h"

/* Nanoseconds per TSC count, as a fixed-point number with this many binary places. */
#define SCALE_SHIFT 32

u64 jiffies;

/*
 * The TSC's rate was measured only briefly at boot; this many ticks tell it a hundred times better.
 */
#define REFINE_TICKS HZ
/*
 * A tick that was lost (interrupts were off for two) makes the measure useless: it is then off by
 * at least this share.
 */
#define REFINE_TOLERANCE 200

/* A moment at which both were known: the clock goes on from there. */
static u64 base_tsc, base_ns;
static u64 scale;               /* nanoseconds << SCALE_SHIFT per count */
static u64 wall_clock_offset;   /* what to add to sched_clock */

u64 tsc_to_ns(u64 counts)
{
    return (u64)((unsigned __int128)counts * scale >> SCALE_SHIFT);
}

u64 sched_clock(void)
{
    return base_ns + tsc_to_ns(rdtsc() - base_tsc);
}

u64 wall_clock(void)
{
    return sched_clock() + wall_clock_offset;
}

s64 wall_clock_set(u64 nanoseconds)
{
    u64 before = wall_clock_offset;

    wall_clock_offset = nanoseconds - sched_clock();
    return (s64)(wall_clock_offset - before);
}

static void set_rate(u64 tsc_hz)
{
    this_cpu.tsc_hz = tsc_hz;
    scale = (NSEC_PER_SEC << SCALE_SHIFT) / tsc_hz;
}

void clock_tick(void)
{
    static u64 first_tick;
    u64 now = rdtsc();

    if (jiffies == 1)
        first_tick = now;
    if (jiffies != 1 + REFINE_TICKS)
        return;
    u64 tsc_hz = (now - first_tick) * HZ / REFINE_TICKS;
    u64 difference = tsc_hz > this_cpu.tsc_hz ? tsc_hz - this_cpu.tsc_hz : this_cpu.tsc_hz - tsc_hz;
    if (difference > this_cpu.tsc_hz / REFINE_TOLERANCE)
        return;
    base_ns += tsc_to_ns(now - base_tsc);
    base_tsc = now;
    set_rate(tsc_hz);
}

void clock_init(void)
{
    base_tsc = rdtsc();
    set_rate(this_cpu.tsc_hz);
    wall_clock_offset = rtc_read() * NSEC_PER_SEC;
}
