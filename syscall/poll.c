/* poll and select: waiting for one of several files. */
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"
#include "syscall/user.h"

#define MAX_POLL 4096           /* descriptors in one call: more than RLIMIT_NOFILE's usual hard limit allows */
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull
#define FOREVER (~0ull)

struct pollfd {
    int fd;
    u16 events, revents;
};

/* What FD answers to a question about EVENTS. */
static unsigned events_of(int fd, unsigned events)
{
    struct file *file = fd_file(fd);

    if (!file || (file->flags & O_PATH))
        return POLLNVAL;
    unsigned ready = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    if (file->ops && file->ops->poll)
        ready = file->ops->poll(file);
    return ready & (events | POLLERR | POLLHUP);
}

static long look_at_all(struct pollfd *fds, unsigned count)
{
    long ready = 0;

    for (unsigned i = 0; i < count; i++) {
        fds[i].revents = fds[i].fd < 0 ? 0 : (u16)events_of(fds[i].fd, fds[i].events);
        ready += fds[i].revents != 0;
    }
    return ready;
}

/* The moment of sched_clock when TIMEOUT nanoseconds from now are over; 0: never. */
static u64 deadline_after(u64 timeout)
{
    u64 now = sched_clock();
    return timeout >= FOREVER - now ? 0 : now + timeout;
}

/* Waits until LOOK finds something ready. How many, 0 when TIMEOUT nanoseconds are over, or -ERESTARTNOHAND. */
static long wait_until_ready(long (*look)(void *context), void *context, u64 timeout)
{
    u64 deadline = deadline_after(timeout);

    for (;;) {
        long ready = look(context);
        if (ready || timeout == 0)
            return ready;
        int error = wait_on(&poll_queue, deadline);
        if (error == -ETIMEDOUT)
            return look(context);
        if (error)
            return -ERESTARTNOHAND;
    }
}

/* ---- poll ---- */

struct poll_call {
    struct pollfd *fds;
    unsigned count;
};

static long look_for_poll(void *context)
{
    struct poll_call *call = context;
    return look_at_all(call->fds, call->count);
}

/* Only revents goes back to the program. */
static int put_results(unsigned long to, const struct pollfd *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (put_user(fds[i].revents, to + i * sizeof(*fds) + offsetof(struct pollfd, revents)))
            return -EFAULT;
    }
    return 0;
}

static long do_poll(unsigned long user_fds, unsigned count, u64 timeout)
{
    if (count > MAX_POLL)
        return -EINVAL;
    struct pollfd *fds = kmalloc(MAX(count, 1u) * sizeof(*fds));
    if (!fds)
        return -ENOMEM;
    long result = -EFAULT;
    if (!copy_from_user(fds, user_fds, count * sizeof(*fds))) {
        struct poll_call call = { fds, count };
        result = wait_until_ready(look_for_poll, &call, timeout);
        if (result >= 0 && put_results(user_fds, fds, count))
            result = -EFAULT;
    }
    kfree(fds);
    return result;
}

long sys_poll(unsigned long fds, unsigned long count, unsigned long timeout)
{
    int milliseconds = (int)timeout;
    return do_poll(fds, (unsigned)count, milliseconds < 0 ? FOREVER : (u64)milliseconds * NSEC_PER_MSEC);
}

/* A struct timespec at FROM, or FOREVER when FROM is NULL. */
static int get_timeout(unsigned long from, u64 *timeout)
{
    *timeout = FOREVER;
    return from ? get_timespec(from, timeout) : 0;
}

/* What is left of TIMEOUT goes back, as Linux does it. */
static void put_rest(unsigned long to, u64 timeout, u64 started)
{
    if (!to || timeout == FOREVER)
        return;
    u64 used = sched_clock() - started;
    (void)!put_timespec(to, used < timeout ? timeout - used : 0);
}

long sys_ppoll(unsigned long fds, unsigned long count, unsigned long time, unsigned long mask,
               unsigned long mask_size)
{
    u64 timeout, started = sched_clock();

    int error = get_timeout(time, &timeout);
    if (!error)
        error = set_user_sigmask(mask, mask_size);
    if (error)
        return error;
    long result = do_poll(fds, (unsigned)count, timeout);
    restore_saved_sigmask_unless(is_interrupted(result));
    put_rest(time, timeout, started);
    return result;
}

/* ---- select ---- */

#define FD_SETSIZE 1024
#define SET_WORDS (FD_SETSIZE / 64)

struct select_call {
    unsigned count;                             /* descriptors 0 … count - 1 are looked at */
    u64 wanted[3][SET_WORDS];                   /* readable, writable, exceptional */
    u64 ready[3][SET_WORDS];
};

static const unsigned select_events[3] = {
    POLLIN | POLLRDNORM | POLLHUP | POLLERR, POLLOUT | POLLWRNORM | POLLERR, POLLPRI,
};

static bool is_in(const u64 *set, unsigned fd)
{
    return set[fd / 64] >> fd % 64 & 1;
}

static long look_for_select(void *context)
{
    struct select_call *call = context;
    long found = 0;

    memset(call->ready, 0, sizeof(call->ready));
    for (unsigned fd = 0; fd < call->count; fd++) {
        for (unsigned kind = 0; kind < 3; kind++) {
            if (!is_in(call->wanted[kind], fd))
                continue;
            unsigned events = events_of((int)fd, select_events[kind]);
            if (events == POLLNVAL)
                return -EBADF;
            if (events & select_events[kind]) {
                call->ready[kind][fd / 64] |= 1ull << fd % 64;
                found++;
            }
        }
    }
    return found;
}

static long do_select(int count, const unsigned long sets[3], u64 timeout)
{
    if (count < 0)
        return -EINVAL;
    struct select_call *call = kzalloc(sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->count = MIN((unsigned)count, FD_SETSIZE);
    size_t bytes = ALIGN_UP(call->count, 64) / 8;
    long result = 0;
    for (int kind = 0; kind < 3; kind++) {
        if (sets[kind] && copy_from_user(call->wanted[kind], sets[kind], bytes))
            result = -EFAULT;
    }
    if (result == 0)
        result = wait_until_ready(look_for_select, call, timeout);
    for (int kind = 0; kind < 3 && result >= 0; kind++) {
        if (sets[kind] && copy_to_user(sets[kind], call->ready[kind], bytes))
            result = -EFAULT;
    }
    kfree(call);
    return result;
}

long sys_select(unsigned long count, unsigned long readable, unsigned long writable,
                unsigned long exceptional, unsigned long time)
{
    const unsigned long sets[3] = { readable, writable, exceptional };
    struct kernel_timeval value;
    u64 timeout = FOREVER, started = sched_clock();

    if (time) {
        if (get_user(value, time))
            return -EFAULT;
        if (value.seconds < 0 || value.microseconds < 0)
            return -EINVAL;
        timeout = (u64)value.seconds * NSEC_PER_SEC + (u64)value.microseconds * NSEC_PER_USEC;
    }
    long result = do_select((int)count, sets, timeout);
    if (time) {
        u64 used = sched_clock() - started, rest = used < timeout ? timeout - used : 0;
        value = (struct kernel_timeval){ (s64)(rest / NSEC_PER_SEC), (s64)(rest % NSEC_PER_SEC / NSEC_PER_USEC) };
        (void)!put_user(value, time);
    }
    return result;
}

/* The sixth argument points to the mask's address and size. */
long sys_pselect6(unsigned long count, unsigned long readable, unsigned long writable,
                  unsigned long exceptional, unsigned long time, unsigned long mask_argument)
{
    const unsigned long sets[3] = { readable, writable, exceptional };
    unsigned long mask[2] = { 0, 0 };
    u64 timeout, started = sched_clock();

    if (mask_argument && copy_from_user(mask, mask_argument, sizeof(mask)))
        return -EFAULT;
    int error = get_timeout(time, &timeout);
    if (!error)
        error = set_user_sigmask(mask[0], mask[1]);
    if (error)
        return error;
    long result = do_select((int)count, sets, timeout);
    restore_saved_sigmask_unless(is_interrupted(result));
    put_rest(time, timeout, started);
    return result;
}
