/* The calls on epoll. */
#include "kernel/fs/epoll.h"
#include "kernel/proc/proc.h"
#include "syscall/user.h"

#define MAX_EVENTS (0x7fffffff / sizeof(struct epoll_event))
#define NSEC_PER_MSEC 1000000ull
#define NOT_AT_ALL 1ull

long sys_epoll_create1(unsigned long flags)
{
    if ((u32)flags & ~(u32)O_CLOEXEC)
        return -EINVAL;
    struct file *file = epoll_create_file();
    return IS_ERR(file) ? PTR_ERR(file) : fd_install(file, 0, flags & O_CLOEXEC);
}

long sys_epoll_create(unsigned long size)
{
    return (int)size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

long sys_epoll_ctl(unsigned long epoll_fd, unsigned long operation, unsigned long fd, unsigned long from)
{
    struct epoll_event event = { 0, 0 };

    if ((int)operation != EPOLL_CTL_DEL && copy_from_user(&event, from, sizeof(event)))
        return -EFAULT;
    struct file *epoll = fd_file((int)epoll_fd), *target = fd_file((int)fd);
    if (!epoll || (epoll->flags & O_PATH) || !target || (target->flags & O_PATH))
        return -EBADF;
    return epoll_control(epoll, (int)operation, (int)fd, target, &event);
}

static long wait_for_events(unsigned long fd, unsigned long to, int count, u64 deadline)
{
    if (count <= 0 || (size_t)count > MAX_EVENTS)
        return -EINVAL;
    if (!access_ok(to, (size_t)count * sizeof(struct epoll_event)))
        return -EFAULT;
    struct file *epoll = get_file(fd, false);
    if (IS_ERR(epoll))
        return PTR_ERR(epoll);
    long result = file_is_epoll(epoll) ? epoll_wait_for(epoll, to, (unsigned)count, deadline) : -EINVAL;
    file_put(epoll);
    return result;
}

static u64 deadline_of(int milliseconds)
{
    if (milliseconds < 0)
        return 0;
    return milliseconds == 0 ? NOT_AT_ALL : sched_clock() + (u64)milliseconds * NSEC_PER_MSEC;
}

static long wait_masked(unsigned long fd, unsigned long to, int count, u64 deadline, unsigned long mask,
                        unsigned long mask_size)
{
    int error = set_user_sigmask(mask, mask_size);
    if (error)
        return error;
    long result = wait_for_events(fd, to, count, deadline);
    restore_saved_sigmask_unless(is_interrupted(result));
    return result;
}

long sys_epoll_wait(unsigned long fd, unsigned long to, unsigned long count, unsigned long timeout)
{
    return wait_for_events(fd, to, (int)count, deadline_of((int)timeout));
}

long sys_epoll_pwait(unsigned long fd, unsigned long to, unsigned long count, unsigned long timeout, unsigned long mask,
                     unsigned long mask_size)
{
    return wait_masked(fd, to, (int)count, deadline_of((int)timeout), mask, mask_size);
}

long sys_epoll_pwait2(unsigned long fd, unsigned long to, unsigned long count, unsigned long time, unsigned long mask,
                      unsigned long mask_size)
{
    u64 timeout, deadline = 0;

    if (time) {
        int error = get_timespec(time, &timeout);
        if (error)
            return error;
        deadline = timeout == 0 ? NOT_AT_ALL : sched_clock() + timeout;
    }
    return wait_masked(fd, to, (int)count, deadline, mask, mask_size);
}
