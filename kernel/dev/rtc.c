/* Reads the PC's clock (Motorola MC146818 data sheet). */
#include "kernel/dev/rtc.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/string.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71

enum cmos_register {
    CMOS_SECONDS = 0, CMOS_MINUTES = 2, CMOS_HOURS = 4, CMOS_DAY = 7, CMOS_MONTH = 8, CMOS_YEAR = 9,
    CMOS_STATUS_A = 10, CMOS_STATUS_B = 11,
};
#define STATUS_A_UPDATING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY 0x04
#define HOURS_PM 0x80
#define ATTEMPTS 100000

struct clock {
    unsigned second, minute, hour, day, month, year;
};

static u8 cmos_read(u8 index)
{
    outb(CMOS_INDEX, index);
    return inb(CMOS_DATA);
}

static struct clock read_registers(void)
{
    for (unsigned i = 0; i < ATTEMPTS && cmos_read(CMOS_STATUS_A) & STATUS_A_UPDATING; i++)
        ;
    return (struct clock){
        .second = cmos_read(CMOS_SECONDS), .minute = cmos_read(CMOS_MINUTES), .hour = cmos_read(CMOS_HOURS),
        .day = cmos_read(CMOS_DAY), .month = cmos_read(CMOS_MONTH), .year = cmos_read(CMOS_YEAR),
    };
}

static unsigned from_bcd(unsigned value)
{
    return (value >> 4) * 10 + (value & 0xf);
}

/* Two digits of year mean 1970 to 2069. Takes what the registers hold to what they mean. */
static void decode(struct clock *clock)
{
    u8 status = cmos_read(CMOS_STATUS_B);
    bool afternoon = clock->hour & HOURS_PM;

    clock->hour &= ~(unsigned)HOURS_PM;
    if (!(status & STATUS_B_BINARY)) {
        clock->second = from_bcd(clock->second);
        clock->minute = from_bcd(clock->minute);
        clock->hour = from_bcd(clock->hour);
        clock->day = from_bcd(clock->day);
        clock->month = from_bcd(clock->month);
        clock->year = from_bcd(clock->year);
    }
    if (!(status & STATUS_B_24_HOURS))
        clock->hour = clock->hour % 12 + (afternoon ? 12 : 0);
    clock->year += clock->year < 70 ? 2000 : 1900;
}

/*
 * Days from 1970-01-01 to the given day. Counting years from March puts the leap day at a year's
 * end.
 */
static u64 days_since_1970(const struct clock *clock)
{
    unsigned year = clock->month <= 2 ? clock->year - 1 : clock->year;
    unsigned month_from_march = (clock->month + 9) % 12;
    u64 days = 365ull * year + year / 4 - year / 100 + year / 400;

    return days + (153 * month_from_march + 2) / 5 + clock->day - 1 - 719468;
}

u64 rtc_read(void)
{
    struct clock clock = read_registers(), again;

    /* Two equal readings were not torn by an update between them. */
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        again = read_registers();
        if (memcmp(&clock, &again, sizeof(clock)) == 0)
            break;
        clock = again;
    }
    decode(&clock);
    if (clock.month < 1 || clock.month > 12 || clock.day < 1 || clock.day > 31)
        return 0;
    return ((days_since_1970(&clock) * 24 + clock.hour) * 60 + clock.minute) * 60 + clock.second;
}
