/*
 * epoll: a file that waits for many others. A watch hangs on the file that it is about; whatever changes what poll
 * says of that file (poll_notify) puts the watch into the epoll's queue of those that may be ready, so that waiting
 * costs what happens and not what is watched.
 */
#include "kernel/fs/epoll_internal.h"

#include "mm/page_alloc.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
/* How to report, not what. A watch with nothing but these is asleep. */
#define HOW (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)
#define ALLOWED_WITH_EXCLUSIVE (POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

/* Watches may take this share of memory, as Linux's max_user_watches. */
#define WATCHES_SHARE 25

static unsigned long watch_count;
static const struct file_operations epoll_file_ops;

bool file_is_epoll(const struct file *file)
{
    return file->ops == &epoll_file_ops;
}

/* The list on which the watches of FILE are told of changes; NULL: it never changes. */
static struct list_head *source_of(struct file *file)
{
    return file->ops->watchers ? file->ops->watchers(file) : NULL;
}

static void make_ready(struct watch *watch)
{
    struct epoll *epoll = watch->epoll;

    if (list_empty(&watch->in_ready))
        list_add_tail(&watch->in_ready, &epoll->ready);
    wake_all(&epoll->waiters);
    poll_notify(&epoll->watchers, POLLIN | POLLRDNORM);
}

void poll_notify(struct list_head *watchers, unsigned events)
{
    struct watch *watch;

    wake_all(&poll_queue);
    list_for_each_entry(watch, watchers, of_source) {
        if (watch->event.events & ~HOW & events)
            make_ready(watch);
    }
}

static unsigned ready_events(const struct watch *watch)
{
    return watch->file->ops->poll(watch->file) & watch->event.events & ~HOW;
}

/* ---- watches ---- */

static struct watch *find_watch(struct epoll *epoll, const struct file *file, int fd)
{
    struct watch *watch;

    list_for_each_entry(watch, &epoll->watches, of_epoll) {
        if (watch->file == file && watch->fd == fd)
            return watch;
    }
    return NULL;
}

static void remove_watch(struct watch *watch)
{
    list_del(&watch->of_epoll);
    list_del(&watch->of_file);
    list_del(&watch->of_source);
    list_del(&watch->in_ready);
    kfree(watch);
    watch_count--;
}

void epoll_forget(struct file *file)
{
    struct watch *watch, *next;

    list_for_each_entry_safe(watch, next, &file->watches, of_file)
        remove_watch(watch);
}

static long add_watch(struct epoll *epoll, int fd, struct file *file, const struct epoll_event *event)
{
    if (file_is_epoll(file) && epoll_nests_too_deep(epoll, file))
        return -ELOOP;
    if (watch_count >= total_frames / WATCHES_SHARE * (PAGE_SIZE / sizeof(struct watch)))
        return -ENOSPC;
    struct watch *watch = kzalloc(sizeof(*watch));
    if (!watch)
        return -ENOMEM;
    *watch = (struct watch){ .epoll = epoll, .file = file, .fd = fd, .event = *event };
    list_init(&watch->of_source);
    list_init(&watch->in_ready);
    list_add_tail(&watch->of_epoll, &epoll->watches);
    list_add_tail(&watch->of_file, &file->watches);
    struct list_head *source = source_of(file);
    if (source)
        list_add(&watch->of_source, source);     /* the newest is told first, as on Linux */
    watch_count++;
    if (epoll_has_too_many_paths(epoll, file)) {
        remove_watch(watch);
        return -EINVAL;
    }
    if (ready_events(watch))
        make_ready(watch);
    return 0;
}

static long change_watch(struct watch *watch, const struct epoll_event *event)
{
    if (watch->event.events & EPOLLEXCLUSIVE)
        return -EINVAL;
    watch->event = *event;
    if (ready_events(watch))
        make_ready(watch);
    return 0;
}

static bool is_allowed(int operation, const struct file *target, const struct epoll_event *event)
{
    if (operation == EPOLL_CTL_DEL || !(event->events & EPOLLEXCLUSIVE))
        return true;
    return operation == EPOLL_CTL_ADD && !file_is_epoll(target) && !(event->events & ~ALLOWED_WITH_EXCLUSIVE);
}

long epoll_control(struct file *file, int operation, int fd, struct file *target, const struct epoll_event *event)
{
    if (!target->ops || !target->ops->poll)
        return -EPERM;
    if (file == target || !file_is_epoll(file) || !is_allowed(operation, target, event))
        return -EINVAL;
    struct watch *watch = find_watch(file->private, target, fd);
    /* Errors and the other side's end are always told. */
    struct epoll_event wanted = { event->events | POLLERR | POLLHUP, event->data };

    switch (operation) {
    case EPOLL_CTL_ADD:
        return watch ? -EEXIST : add_watch(file->private, fd, target, &wanted);
    case EPOLL_CTL_MOD:
        return watch ? change_watch(watch, &wanted) : -ENOENT;
    case EPOLL_CTL_DEL:
        if (watch)
            remove_watch(watch);
        return watch ? 0 : -ENOENT;
    default:
        return -EINVAL;
    }
}

/* ---- waiting ---- */

/* Writes the events of those that are ready. Watches by level stay in the queue, behind the others. */
static long report(struct epoll *epoll, unsigned long to, unsigned count)
{
    struct list_head again = LIST_HEAD_INIT(again);
    unsigned told = 0;
    long result = 0;

    while (told < count && !list_empty(&epoll->ready)) {
        struct watch *watch = list_first_entry(&epoll->ready, struct watch, in_ready);
        struct epoll_event event = { ready_events(watch), watch->event.data };
        if (!event.events) {
            list_del(&watch->in_ready);
            continue;
        }
        if (copy_to_user(to + told * sizeof(event), &event, sizeof(event))) {
            result = -EFAULT;
            break;
        }
        told++;
        list_del(&watch->in_ready);
        if (watch->event.events & EPOLLONESHOT)
            watch->event.events &= HOW;
        else if (!(watch->event.events & EPOLLET))
            list_add_tail(&watch->in_ready, &again);
    }
    while (!list_empty(&again)) {
        struct list_head *entry = again.next;
        list_del(entry);
        list_add_tail(entry, &epoll->ready);
    }
    return told ? (long)told : result;
}

long epoll_wait_for(struct file *file, unsigned long to, unsigned count, u64 deadline)
{
    struct epoll *epoll = file->private;

    for (;;) {
        long told = report(epoll, to, count);
        if (told)
            return told;
        int error = wait_on(&epoll->waiters, deadline);
        if (error == -ETIMEDOUT)
            return report(epoll, to, count);
        if (error)
            return -EINTR;
    }
}

static unsigned epoll_poll(struct file *file)
{
    struct epoll *epoll = file->private;

    while (!list_empty(&epoll->ready)) {
        struct watch *watch = list_first_entry(&epoll->ready, struct watch, in_ready);
        if (ready_events(watch))
            return POLLIN | POLLRDNORM;
        list_del(&watch->in_ready);
    }
    return 0;
}

static struct list_head *epoll_watchers(struct file *file)
{
    struct epoll *epoll = file->private;
    return &epoll->watchers;
}

static void epoll_release(struct file *file)
{
    struct epoll *epoll = file->private;
    struct watch *watch, *next;

    list_for_each_entry_safe(watch, next, &epoll->watches, of_epoll)
        remove_watch(watch);
    kfree(epoll);
}

static const struct file_operations epoll_file_ops = {
    .lseek = lseek_nothing, .poll = epoll_poll, .watchers = epoll_watchers, .release = epoll_release,
};

struct file *epoll_create_file(void)
{
    struct epoll *epoll = kzalloc(sizeof(*epoll));
    if (!epoll)
        return ERR_PTR(-ENOMEM);
    list_init(&epoll->watches);
    list_init(&epoll->ready);
    list_init(&epoll->watchers);
    wait_queue_init(&epoll->waiters);
    struct file *file = anon_file("[eventpoll]", &epoll_file_ops, O_RDWR, epoll);
    if (IS_ERR(file))
        kfree(epoll);
    else
        epoll->file = file;
    return file;
}
