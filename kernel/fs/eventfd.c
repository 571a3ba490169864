/* eventfd: a number in a file, which one thread adds to and another waits for. */
#include "kernel/fs/eventfd.h"

#include "mm/slab.h"

#define MOST (~0ull - 1)

struct event_counter {
    u64 count;
    bool semaphore;
    struct wait_queue changed;
    struct list_head watchers;
};

static void tell(struct event_counter *counter, unsigned events)
{
    wake_all(&counter->changed);
    poll_notify(&counter->watchers, events);
}

static long eventfd_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    struct event_counter *counter = file->private;

    (void)pos;
    if (iter->count < sizeof(u64))
        return -EINVAL;
    while (counter->count == 0) {
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_on(&counter->changed, 0);
        if (error)
            return error;
    }
    u64 taken = counter->semaphore ? 1 : counter->count;
    counter->count -= taken;
    tell(counter, POLLOUT | POLLWRNORM);
    /* What was taken is gone even if there is no place for it, as on Linux. */
    return copy_to_iter(iter, &taken, sizeof(taken)) < sizeof(taken) ? -EFAULT : (long)sizeof(taken);
}

static long eventfd_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    struct event_counter *counter = file->private;
    u64 more;

    (void)pos;
    if (iter->count < sizeof(u64))
        return -EINVAL;
    if (copy_from_iter(iter, &more, sizeof(more)) < sizeof(more))
        return -EFAULT;
    if (more > MOST)
        return -EINVAL;
    while (counter->count > MOST - more) {
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_on(&counter->changed, 0);
        if (error)
            return error;
    }
    counter->count += more;
    tell(counter, POLLIN | POLLRDNORM);
    return (long)sizeof(more);
}

static unsigned eventfd_poll(struct file *file)
{
    const struct event_counter *counter = file->private;
    return (counter->count > 0 ? POLLIN : 0) | (counter->count < MOST ? POLLOUT : 0);
}

static struct list_head *eventfd_watchers(struct file *file)
{
    struct event_counter *counter = file->private;
    return &counter->watchers;
}

static void eventfd_release(struct file *file)
{
    kfree(file->private);
}

static const struct file_operations eventfd_file_ops = {
    .read = eventfd_read, .write = eventfd_write, .lseek = lseek_nothing, .poll = eventfd_poll,
    .watchers = eventfd_watchers, .release = eventfd_release,
};

struct file *eventfd_create(u64 count, bool semaphore, int flags)
{
    struct event_counter *counter = kzalloc(sizeof(*counter));
    if (!counter)
        return ERR_PTR(-ENOMEM);
    counter->count = count;
    counter->semaphore = semaphore;
    wait_queue_init(&counter->changed);
    list_init(&counter->watchers);
    struct file *file = anon_file("[eventfd]", &eventfd_file_ops, O_RDWR | flags, counter);
    if (IS_ERR(file))
        kfree(counter);
    return file;
}
