/* Checks clocks, sleeping, interval timers, random bytes, and what the system tells about itself. */
#define _GNU_SOURCE
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>

#include "catch.h"

static long milliseconds(int clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0)
        bail_out("clock_gettime failed with errno %d", errno);
    return (long)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static void clocks(void)
{
    struct timespec now;
    long before = milliseconds(CLOCK_MONOTONIC), real = milliseconds(CLOCK_REALTIME);

    check(before >= 0 && milliseconds(CLOCK_MONOTONIC) >= before,
          "the monotonic clock does not go back");
    check(real / 1000 > 1600000000L, "the real-time clock knows the century");
    check_fails(clock_gettime(99, &now), EINVAL, "an unknown clock is EINVAL");
    check_fails(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8), EFAULT, "a bad pointer is EFAULT");
    check_eq(syscall(SYS_clock_getres, CLOCK_MONOTONIC, &now), 0,
             "clock_getres tells a resolution");
    check(syscall(SYS_time, NULL) >= real / 1000, "time agrees");
}

static void sleeping(void)
{
    struct timespec wish = {0, 30000000}, bad = {0, 1000000000}, negative = {-1, 0};
    long before = milliseconds(CLOCK_MONOTONIC), passed;

    check_eq(nanosleep(&wish, NULL), 0, "nanosleep sleeps");
    passed = milliseconds(CLOCK_MONOTONIC) - before;
    check(passed >= 29 && passed < 20000, "at least as long as it was told");
    check_fails(nanosleep(&bad, NULL), EINVAL, "a billion nanoseconds are EINVAL");
    check_fails(nanosleep(&negative, NULL), EINVAL, "a negative time is EINVAL");
    check_fails(syscall(SYS_nanosleep, 8, NULL), EFAULT, "a bad pointer is EFAULT");
}

static volatile int alarms;

static void alarm_rings(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    alarms++;
}

static void timers(void)
{
    struct itimerval once = {{0, 0}, {0, 20000}}, often = {{0, 10000}, {0, 10000}}, off = {{0, 0}, {0, 0}}, left;
    struct timespec long_time = {20, 0}, rest;

    set_handler(SIGALRM, alarm_rings, 0);
    setitimer(ITIMER_REAL, &once, NULL);
    check_fails(nanosleep(&long_time, &rest), EINTR, "an alarm ends a sleep with EINTR");
    check_eq(alarms, 1, "its handler has run");
    check(rest.tv_sec >= 15 && rest.tv_sec < 20, "nanosleep tells what was left");
    check_eq(setitimer(ITIMER_REAL, &often, NULL), 0, "a timer may repeat");
    while (alarms < 4)
        pause();
    check(alarms >= 4, "and rings again and again");
    check_eq(getitimer(ITIMER_REAL, &left), 0, "getitimer looks at it");
    check_eq(left.it_interval.tv_usec, 10000, "and tells the interval");
    setitimer(ITIMER_REAL, &off, &left);
    check_eq(left.it_interval.tv_usec, 10000, "setting another tells the old one");
    getitimer(ITIMER_REAL, &left);
    check(left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0, "set to 0 it is off");
    once.it_value.tv_usec = 1000000;
    check_fails(setitimer(ITIMER_REAL, &once, NULL), EINVAL, "a million microseconds are EINVAL");
    check_fails(setitimer(9, &off, NULL), EINVAL, "an unknown timer is EINVAL");
}

static void random_bytes(void)
{
    unsigned char first[32], second[32];

    memset(first, 0, sizeof(first));
    memset(second, 0, sizeof(second));
    check_eq(syscall(SYS_getrandom, first, 32, 0), 32, "getrandom fills a buffer");
    check_eq(syscall(SYS_getrandom, second, 32, 0), 32, "and another");
    check(memcmp(first, second, 32) != 0, "with other bytes");
    check_eq(syscall(SYS_getrandom, first, 0, 0), 0, "length 0 is fine");
    check_fails(syscall(SYS_getrandom, 8, 8, 0), EFAULT, "a bad pointer is EFAULT");
    check_fails(syscall(SYS_getrandom, first, 8, 0x100), EINVAL, "an unknown flag is EINVAL");
}

static long microseconds(const struct timeval *time)
{
    return (long)time->tv_sec * 1000000 + (long)time->tv_usec;
}

static char buffer[16384];
static int zeroes;

static void work_in_program(void)
{
    for (int i = 0; i < 500000; i++)
        *(volatile char *)buffer = (char)i;
}

static volatile int rings;

static void ring(int number)
{
    (void)number;
    rings = 1;
}

/* Fifty milliseconds in which no register changes. */
static void work_standing_still(void)
{
    struct itimerval once = {{0, 0}, {0, 50000}};

    rings = 0;
    signal(SIGALRM, ring);
    setitimer(ITIMER_REAL, &once, NULL);
    __asm__ volatile("1: cmpl $0, %0; je 1b" : : "m"(rings) : "cc", "memory");
    signal(SIGALRM, SIG_DFL);
}

static void work_in_calls(void)
{
    for (int i = 0; i < 50; i++)
        if (read(zeroes, buffer, sizeof(buffer)) < 0)
            break;
}

static void work_in_faults(void)
{
    char *pages = anon(256);

    write_pages(pages, 256);
    raw_munmap(pages, 256 * PAGE);
}

/* Does WORK until a quarter of a second of processor time is gone, then tells which part of it the kernel had. */
static long percent_in_kernel(void (*work)(void))
{
    static struct rusage before, now;
    long user, kernel;

    zeroes = open("/dev/zero", O_RDONLY);
    getrusage(RUSAGE_SELF, &before);
    do {
        work();
        getrusage(RUSAGE_SELF, &now);
        user = microseconds(&now.ru_utime) - microseconds(&before.ru_utime);
        kernel = microseconds(&now.ru_stime) - microseconds(&before.ru_stime);
    } while (user + kernel < 250000);
    close(zeroes);
    return kernel * 100 / (user + kernel);
}

static void processor_time(void)
{
    check(percent_in_kernel(work_in_program) < 40, "time spent in the program counts as the program's");
    check(percent_in_kernel(work_standing_still) < 40, "even if it changes no register");
    check(percent_in_kernel(work_in_calls) > 60, "time spent in system calls counts as the kernel's");
    check(percent_in_kernel(work_in_faults) > 60, "and so does time spent in page faults");
}

static void the_system(void)
{
    struct utsname name;
    struct sysinfo info;

    check_eq(uname(&name), 0, "uname tells the system's name");
    check_str(name.sysname, "Linux", "it is called Linux, whose interface this is");
    check_str(name.machine, "x86_64", "on x86_64");
    check_eq(sysinfo(&info), 0, "sysinfo tells about the memory");
    check(info.totalram > 0 && info.freeram > 0 && info.freeram < info.totalram,
          "of which some is free");
    check_eq(info.mem_unit, 1, "in bytes");
    check(info.procs > 0, "and counts the processes");
}

int main(void)
{
    clocks();
    sleeping();
    timers();
    processor_time();
    random_bytes();
    the_system();
    return done();
}
