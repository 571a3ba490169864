/* The calls on files that tell of events: eventfd, timerfd, signalfd. */
#include "kernel/fs/eventfd.h"
#include "kernel/fs/signalfd.h"
#include "kernel/fs/timerfd.h"
#include "kernel/proc/proc.h"
#include "syscall/user.h"

#define EFD_SEMAPHORE 1u

static long install(struct file *file, unsigned long flags)
{
    return IS_ERR(file) ? PTR_ERR(file) : fd_install(file, 0, flags & O_CLOEXEC);
}

/* ---- eventfd ---- */

long sys_eventfd2(unsigned long count, unsigned long flags)
{
    if ((u32)flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    return install(eventfd_create((u32)count, flags & EFD_SEMAPHORE, (int)flags & O_NONBLOCK), flags);
}

long sys_eventfd(unsigned long count)
{
    return sys_eventfd2(count, 0);
}

/* ---- timerfd ---- */

long sys_timerfd_create(unsigned long clock, unsigned long flags)
{
    if ((u32)flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    return install(timerfd_create((int)clock, (int)flags & O_NONBLOCK), flags);
}

static struct file *get_timer(unsigned long fd)
{
    struct file *file = fd_file((int)fd);

    if (!file || (file->flags & O_PATH))
        return ERR_PTR(-EBADF);
    return file_is_timer(file) ? file : ERR_PTR(-EINVAL);
}

long sys_timerfd_settime(unsigned long fd, unsigned long flags, unsigned long from, unsigned long old_to)
{
    struct timer_setting new, old;
    int error = get_timer_setting(from, &new);

    if (error)
        return error;
    if ((u32)flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
        return -EINVAL;
    struct file *file = get_timer(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    error = timerfd_set(file, (unsigned)flags, &new, &old);
    if (error)
        return error;
    return old_to ? put_timer_setting(old_to, &old) : 0;
}

long sys_timerfd_gettime(unsigned long fd, unsigned long to)
{
    struct timer_setting setting;
    struct file *file = get_timer(fd);

    if (IS_ERR(file))
        return PTR_ERR(file);
    timerfd_get(file, &setting);
    return put_timer_setting(to, &setting);
}

/* ---- signalfd ---- */

long sys_signalfd4(unsigned long fd, unsigned long mask_at, unsigned long mask_size, unsigned long flags)
{
    sigset_t mask;

    if (mask_size != SIGSET_SIZE)
        return -EINVAL;
    if (get_user(mask, mask_at))
        return -EFAULT;
    if ((u32)flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    if ((int)fd == -1)
        return install(signalfd_create(mask, (int)flags & O_NONBLOCK), flags);
    struct file *file = fd_file((int)fd);
    if (!file || (file->flags & O_PATH))
        return -EBADF;
    return signalfd_change(file, mask) ? (int)fd : -EINVAL;
}

long sys_signalfd(unsigned long fd, unsigned long mask, unsigned long mask_size)
{
    return sys_signalfd4(fd, mask, mask_size, 0);
}
