/*
 * signalfd: a process's own signals, read from a file instead of being delivered. It tells of those of whoever reads
 * it, not of those who made it.
 */
#include "kernel/fs/signalfd.h"

#include "mm/slab.h"

/* Linux's struct signalfd_siginfo. */
struct told_signal {
    u32 signal;
    s32 error, code;
    u32 pid, uid;
    s32 fd;
    u32 timer, band, overrun, trap;
    s32 status, number;
    u64 value, user_time, system_time, address;
    u16 address_bits, padding;
    s32 system_call;
    u64 call_address;
    u32 architecture;
    u8 unused[28];
};
_Static_assert(sizeof(struct told_signal) == 128, "Linux's struct signalfd_siginfo");

struct signal_reader {
    sigset_t mask;
};

/* Which fields a signal has follows from its code. */
static void describe(const struct signal_info *info, struct told_signal *told)
{
    bool caused = info->code > SI_USER && info->code < SI_KERNEL;

    *told = (struct told_signal){ .signal = (u32)info->signal, .code = info->code };
    if (caused && (SIGNALS_SYNCHRONOUS & SIGMASK(info->signal))) {
        told->address = info->address;
        return;
    }
    if (info->code == SI_TIMER) {
        told->timer = (u32)info->pid;
        told->overrun = info->uid;
    } else {
        told->pid = (u32)info->pid;
        told->uid = info->uid;
    }
    if (caused && info->signal == SIGCHLD) {
        told->status = info->status;
        told->user_time = info->user_time;
        told->system_time = info->system_time;
    } else if (info->code < 0) {
        told->value = info->value;
        told->number = (s32)info->value;
    }
}

/* The next signal of READER's, waited for unless NONBLOCK. Its number or negative errno. */
static int next_signal(const struct signal_reader *reader, bool nonblock, struct signal_info *info)
{
    for (;;) {
        int signal = signal_take(reader->mask, info);
        signal_recalculate();
        if (signal)
            return signal;
        if (nonblock)
            return -EAGAIN;
        if (signal_pending())
            return -ERESTARTSYS;
        wait_on(&current->sighand->readers, 0);
    }
}

static long signalfd_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    const struct signal_reader *reader = file->private;
    bool nonblock = (file->flags & O_NONBLOCK) != 0;
    struct signal_info info;
    struct told_signal told;
    long done = 0;

    (void)pos;
    if (iter->count < sizeof(told))
        return -EINVAL;
    current->sighand->has_readers = true;
    while (iter->count >= sizeof(told)) {
        int signal = next_signal(reader, nonblock, &info);
        if (signal < 0)
            return done ? done : signal;
        describe(&info, &told);
        if (copy_to_iter(iter, &told, sizeof(told)) < sizeof(told))
            return done ? done : -EFAULT;
        done += (long)sizeof(told);
        nonblock = true;
    }
    return done;
}

static unsigned signalfd_poll(struct file *file)
{
    const struct signal_reader *reader = file->private;

    current->sighand->has_readers = true;
    return (current->pending.set | current->process->pending.set) & reader->mask ? POLLIN : 0;
}

static struct list_head *signalfd_watchers(struct file *file)
{
    (void)file;
    return &current->sighand->watchers;
}

static void signalfd_release(struct file *file)
{
    kfree(file->private);
}

static const struct file_operations signalfd_file_ops = {
    .read = signalfd_read, .lseek = lseek_nothing, .poll = signalfd_poll, .watchers = signalfd_watchers,
    .release = signalfd_release,
};

void signalfd_notify(struct sighand *sighand)
{
    wake_all(&sighand->readers);
    poll_notify(&sighand->watchers, POLLIN | POLLRDNORM);
}

/* An epoll in another process may still watch; it looks once more, and is never told again. */
void signalfd_end(struct sighand *sighand)
{
    if (list_empty(&sighand->watchers))
        return;
    poll_notify(&sighand->watchers, POLLHUP);
    while (!list_empty(&sighand->watchers))
        list_del(sighand->watchers.next);
}

struct file *signalfd_create(sigset_t mask, int flags)
{
    struct signal_reader *reader = kzalloc(sizeof(*reader));
    if (!reader)
        return ERR_PTR(-ENOMEM);
    reader->mask = mask & ~SIGNALS_UNBLOCKABLE;
    struct file *file = anon_file("[signalfd]", &signalfd_file_ops, O_RDWR | flags, reader);
    if (IS_ERR(file))
        kfree(reader);
    return file;
}

bool signalfd_change(struct file *file, sigset_t mask)
{
    struct signal_reader *reader = file->private;

    if (file->ops != &signalfd_file_ops)
        return false;
    reader->mask = mask & ~SIGNALS_UNBLOCKABLE;
    signalfd_notify(current->sighand);
    return true;
}
