/* Programs the 8254 interval timer (Intel 8254 data sheet). */
#include "kernel/dev/pit.h"
#include "kernel/cpu/cpu.h"

#define PIT_HZ 1193182
#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
/* Command byte: channel, both bytes of the count, mode. */
#define COMMAND_CHANNEL0_RATE 0x34      /* mode 2: one pulse per count, for ever */
#define COMMAND_CHANNEL2_RATE 0xb4
#define COMMAND_CHANNEL2_LATCH 0x80     /* hold the count for reading */
#define FULL_COUNT 0                    /* 65536 */

/* Port B of the keyboard controller: channel 2's gate, and whether the loudspeaker hears it. */
#define PORT_B 0x61
#define PORT_B_GATE2 0x01
#define PORT_B_SPEAKER 0x02

/*
 * Long enough for half a per cent, short enough not to be noticed at boot; kernel/sched/clock.c
 * makes it better later.
 */
#define MEASURED_COUNTS (PIT_HZ / 4000)
#define WAIT_LIMIT 1000000
#define NANOSECONDS_PER_SECOND 1000000000ull

/* Random ticks: how many counts of the timer lie between two. */
#define JITTER_MIN 12
#define JITTER_MAX 600
static u64 jitter_state;        /* 0: ticks are regular */

struct moment {
    u64 tsc;
    u16 count;      /* of channel 2 */
};

static void start(u16 port, u8 command, u16 count)
{
    outb(PIT_COMMAND, command);
    outb(port, (u8)count);
    outb(port, (u8)(count >> 8));
}

static struct moment read_clocks(void)
{
    struct moment moment;

    outb(PIT_COMMAND, COMMAND_CHANNEL2_LATCH);
    moment.tsc = rdtsc();
    moment.count = inb(PIT_CHANNEL2);
    moment.count |= (u16)(inb(PIT_CHANNEL2) << 8);
    return moment;
}

/* Waits until channel 2, which counts down, is at least COUNTS below FROM, and just moved there. */
static struct moment wait_for_counts(struct moment from, u16 counts)
{
    struct moment now = from;

    for (unsigned i = 0; i < WAIT_LIMIT && (u16)(from.count - now.count) < counts; i++)
        now = read_clocks();
    return now;
}

static u64 measure_tsc(void)
{
    outb(PORT_B, (u8)((inb(PORT_B) & ~PORT_B_SPEAKER) | PORT_B_GATE2));
    start(PIT_CHANNEL2, COMMAND_CHANNEL2_RATE, FULL_COUNT);
    struct moment first = wait_for_counts(read_clocks(), 1);
    struct moment last = wait_for_counts(first, MEASURED_COUNTS);

    if (first.count == last.count)
        return NANOSECONDS_PER_SECOND;      /* no channel 2: any clock is better than a division by zero */
    return (last.tsc - first.tsc) * PIT_HZ / (u16)(first.count - last.count);
}

void pit_init(unsigned hz)
{
    start(PIT_CHANNEL0, COMMAND_CHANNEL0_RATE, (u16)((PIT_HZ + hz / 2) / hz));
    this_cpu.tsc_hz = measure_tsc();
}

void pit_jitter(const char *seed)
{
    jitter_state = 0x9e3779b97f4a7c15;
    for (; *seed; seed++)
        jitter_state = (jitter_state ^ (u8)*seed) * 0x100000001b3;
    jitter_state |= 1;      /* xorshift stays at 0 for ever */
    pit_next_tick();
}

void pit_next_tick(void)
{
    if (likely(jitter_state == 0))
        return;
    jitter_state ^= jitter_state << 13;
    jitter_state ^= jitter_state >> 7;
    jitter_state ^= jitter_state << 17;
    start(PIT_CHANNEL0, COMMAND_CHANNEL0_RATE, (u16)(JITTER_MIN + jitter_state % (JITTER_MAX - JITTER_MIN)));
}
