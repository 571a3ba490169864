/* Clocks, timers and sleeping. */
#include "internal.h"

#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NANOSECONDS_PER_MICROSECOND 1000
#define MICROSECONDS_PER_SECOND     1000000

int clock_gettime(clockid_t clock, struct timespec *now)
{
    return (int)CALL2(clock_gettime, clock, now);
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    return (int)CALL2(clock_getres, clock, resolution);
}

int nanosleep(const struct timespec *duration, struct timespec *left)
{
    return (int)CALL2(nanosleep, duration, left);
}

time_t time(time_t *where)
{
    struct timespec now = {0};
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return -1;
    if (where != NULL)
        *where = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict unused)
{
    return (int)CALL2(gettimeofday, now, unused);
}

int getitimer(int which, struct itimerval *current)
{
    return (int)CALL2(getitimer, which, current);
}

int setitimer(int which, const struct itimerval *restrict next, struct itimerval *restrict previous)
{
    return (int)CALL3(setitimer, which, next, previous);
}

/* Through the interval timer, so the kernel needs no call of its own for it. */
unsigned alarm(unsigned seconds)
{
    struct itimerval next = {.it_value.tv_sec = seconds}, previous = {0};
    if (setitimer(ITIMER_REAL, &next, &previous) < 0)
        return 0;
    return (unsigned)previous.it_value.tv_sec + (previous.it_value.tv_usec != 0);
}

int pause(void)
{
    return (int)CALL0(pause);
}

unsigned sleep(unsigned seconds)
{
    struct timespec left = {.tv_sec = seconds};
    return nanosleep(&left, &left) == 0 ? 0 : (unsigned)left.tv_sec;
}

int usleep(useconds_t microseconds)
{
    struct timespec duration = {
        .tv_sec = microseconds / MICROSECONDS_PER_SECOND,
        .tv_nsec = (long)(microseconds % MICROSECONDS_PER_SECOND) * NANOSECONDS_PER_MICROSECOND,
    };
    return nanosleep(&duration, NULL);
}
