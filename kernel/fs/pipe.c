/*
 * Pipes: a ring of pages. As on Linux each write fills pages of its own, but a small one is appended to the last page
 * where it fits; what a program sees of that is when a pipe is full, and how much of a write with a bad end was done.
 */
#include "kernel/fs/pipe.h"

#include "mm/page_alloc.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

#define PIPE_PAGES 16
#define FIONREAD 0x541b

struct pipe_piece {
    struct page *page;
    u32 offset, length;
};

struct pipe {
    struct pipe_piece ring[PIPE_PAGES];
    unsigned first, used;               /* pieces */
    int readers, writers;
    unsigned reader_opens, writer_opens;    /* ever: for FIFOs that wait for the other side */
    struct wait_queue data, room;       /* who waits for bytes or a writer; who waits for room or a reader */
    struct list_head watchers;          /* epoll's */
};

static struct pipe_piece *piece_at(struct pipe *pipe, unsigned n)
{
    return &pipe->ring[(pipe->first + n) % PIPE_PAGES];
}

static void has_data(struct pipe *pipe)
{
    wake_all(&pipe->data);
    poll_notify(&pipe->watchers, POLLIN | POLLRDNORM);
}

static void has_room(struct pipe *pipe)
{
    wake_all(&pipe->room);
    poll_notify(&pipe->watchers, POLLOUT | POLLWRNORM);
}

static void ends_changed(struct pipe *pipe)
{
    wake_all(&pipe->data);
    wake_all(&pipe->room);
    poll_notify(&pipe->watchers, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLERR | POLLHUP);
}

/* ---- reading ---- */

static void drop_first_piece(struct pipe *pipe)
{
    put_page(pipe->ring[pipe->first].page);
    pipe->first = (pipe->first + 1) % PIPE_PAGES;
    pipe->used--;
}

/* Takes what is there. Bytes (0: nothing was there), or -EFAULT when not even the first piece's bytes had a place. */
static long take(struct pipe *pipe, struct iov_iter *iter)
{
    long done = 0;

    while (pipe->used > 0 && iter->count > 0) {
        struct pipe_piece *piece = piece_at(pipe, 0);
        size_t n = MIN(iter->count, piece->length);
        /* All or nothing of a piece: bytes for which there is no place stay in the pipe. */
        if (copy_to_iter(iter, (u8 *)page_address(piece->page) + piece->offset, n) < n)
            return done ? done : -EFAULT;
        piece->offset += (u32)n;
        piece->length -= (u32)n;
        done += (long)n;
        if (piece->length == 0)
            drop_first_piece(pipe);
    }
    return done;
}

static long pipe_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    struct pipe *pipe = file->inode->private;

    (void)pos;
    for (;;) {
        unsigned used = pipe->used;
        long done = take(pipe, iter);
        if (pipe->used < used && used == PIPE_PAGES)
            has_room(pipe);
        if (done != 0)
            return done;
        if (pipe->writers == 0)
            return 0;
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_on(&pipe->data, 0);
        if (error)
            return error;
    }
}

/* ---- writing ---- */

/* Appends the odd bytes of the write to the last page, if they fit there. Bytes (0: they do not fit) or -EFAULT. */
static long append_to_last(struct pipe *pipe, struct iov_iter *iter)
{
    size_t n = iter->count & (PAGE_SIZE - 1);

    if (n == 0 || pipe->used == 0)
        return 0;
    struct pipe_piece *last = piece_at(pipe, pipe->used - 1);
    if (last->offset + last->length + n > PAGE_SIZE)
        return 0;
    if (copy_from_iter(iter, (u8 *)page_address(last->page) + last->offset + last->length, n) < n)
        return -EFAULT;
    last->length += (u32)n;
    return (long)n;
}

/*
 * Fills one new page. Bytes or negative errno. When the bytes can't be fetched, the page stays in the ring without any,
 * as on Linux: the next write may use it.
 */
static long add_page(struct pipe *pipe, struct iov_iter *iter)
{
    size_t n = MIN(iter->count, PAGE_SIZE);
    /* A kernel frame by type, but not the kernel's own work: the reserve is not for it. */
    struct page *page = frame_counts[PAGE_FREE] > reserve_frames ? alloc_page(PAGE_KERNEL) : NULL;

    if (!page)
        return -ENOMEM;
    struct pipe_piece *piece = piece_at(pipe, pipe->used++);
    *piece = (struct pipe_piece){ .page = page };
    if (copy_from_iter(iter, page_address(page), n) < n)
        return -EFAULT;
    piece->length = (u32)n;
    return (long)n;
}

/* Waits until a page fits. 0 or negative errno. */
static int wait_for_room(struct file *file, struct pipe *pipe)
{
    while (pipe->used == PIPE_PAGES && pipe->readers > 0) {
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        has_data(pipe);
        int error = wait_on(&pipe->room, 0);
        if (error)
            return error;
    }
    if (pipe->readers == 0) {
        signal_send_task(current, SIGPIPE, NULL);
        return -EPIPE;
    }
    return 0;
}

static long pipe_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    struct pipe *pipe = file->inode->private;
    long done, result = 0;

    (void)pos;
    if (pipe->readers == 0)
        return wait_for_room(file, pipe);
    done = append_to_last(pipe, iter);
    if (done < 0)
        return done;
    while (iter->count > 0) {
        result = wait_for_room(file, pipe);
        if (!result)
            result = add_page(pipe, iter);
        if (result < 0)
            break;
        done += result;
    }
    if (done)
        has_data(pipe);
    return done ? done : result;
}

/* ---- the rest ---- */

static unsigned pipe_poll(struct file *file)
{
    struct pipe *pipe = file->inode->private;
    unsigned events = 0;

    if (file_readable(file)) {
        if (pipe->used > 0)
            events |= POLLIN | POLLRDNORM;
        if (pipe->writers == 0 && pipe->writer_opens > 0)
            events |= POLLHUP;
    }
    if (file_writable(file)) {
        if (pipe->used < PIPE_PAGES)
            events |= POLLOUT | POLLWRNORM;
        if (pipe->readers == 0)
            events |= POLLERR;
    }
    return events;
}

static struct list_head *pipe_watchers(struct file *file)
{
    struct pipe *pipe = file->inode->private;
    return &pipe->watchers;
}

static long pipe_ioctl(struct file *file, unsigned long request, unsigned long argument)
{
    struct pipe *pipe = file->inode->private;
    int waiting = 0;

    if (request != FIONREAD)
        return -ENOTTY;
    for (unsigned n = 0; n < pipe->used; n++)
        waiting += (int)piece_at(pipe, n)->length;
    return put_user(waiting, argument);
}

static void pipe_release(struct file *file)
{
    struct pipe *pipe = file->inode->private;

    if (file_readable(file))
        pipe->readers--;
    if (file_writable(file))
        pipe->writers--;
    /* A FIFO that nobody has open forgets its bytes. */
    if (pipe->readers == 0 && pipe->writers == 0) {
        while (pipe->used > 0)
            drop_first_piece(pipe);
    }
    ends_changed(pipe);
}

static const struct file_operations pipe_file_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .watchers = pipe_watchers,
    .release = pipe_release,
};

static void pipe_inode_release(struct inode *inode)
{
    kfree(inode->private);
}

static struct pipe *pipe_alloc(void)
{
    struct pipe *pipe = kzalloc(sizeof(*pipe));
    if (pipe) {
        wait_queue_init(&pipe->data);
        wait_queue_init(&pipe->room);
        list_init(&pipe->watchers);
    }
    return pipe;
}

/* One side of FILE is now open. */
static void count_in(struct pipe *pipe, struct file *file)
{
    file->ops = &pipe_file_ops;
    if (file_readable(file)) {
        pipe->readers++;
        pipe->reader_opens++;
    }
    if (file_writable(file)) {
        pipe->writers++;
        pipe->writer_opens++;
    }
}

/* Opening one side waits until somebody opens the other one; O_RDWR never waits. */
static int fifo_open(struct inode *inode, struct file *file)
{
    struct pipe *pipe = inode->private;
    int mode = file->flags & O_ACCMODE;

    if (!pipe) {
        pipe = inode->private = pipe_alloc();
        if (!pipe)
            return -ENOMEM;
    }
    if (mode == O_WRONLY && (file->flags & O_NONBLOCK) && pipe->readers == 0)
        return -ENXIO;
    unsigned seen = mode == O_RDONLY ? pipe->writer_opens : pipe->reader_opens;
    count_in(pipe, file);
    ends_changed(pipe);
    if (mode == O_RDWR || (file->flags & O_NONBLOCK))
        return 0;
    while (mode == O_RDONLY ? pipe->writers == 0 && pipe->writer_opens == seen
                            : pipe->readers == 0 && pipe->reader_opens == seen) {
        int error = wait_on(mode == O_RDONLY ? &pipe->data : &pipe->room, 0);
        if (error) {
            pipe_release(file);
            return error;
        }
    }
    return 0;
}

const struct inode_operations fifo_inode_ops = { .open = fifo_open, .release = pipe_inode_release };

static int pipe_reopen(struct inode *inode, struct file *file)
{
    count_in(inode->private, file);
    return 0;
}

static const struct inode_operations pipe_inode_ops = { .open = pipe_reopen, .release = pipe_inode_release };

int pipe_create(struct file *ends[2], int flags)
{
    struct inode *inode = inode_alloc(S_IFIFO | 0600, DEVICE_PIPE);
    if (!inode)
        return -ENOMEM;
    inode->ops = &pipe_inode_ops;
    inode->private = pipe_alloc();
    if (!inode->private) {
        inode_put(inode);
        return -ENOMEM;
    }
    inode_get(inode);
    ends[0] = file_open_inode(inode, O_RDONLY | flags);
    if (IS_ERR(ends[0])) {
        inode_put(inode);
        return (int)PTR_ERR(ends[0]);
    }
    ends[1] = file_open_inode(inode, O_WRONLY | flags);
    if (IS_ERR(ends[1])) {
        file_put(ends[0]);
        return (int)PTR_ERR(ends[1]);
    }
    return 0;
}

bool inode_is_pipe(const struct inode *inode)
{
    return inode->ops == &pipe_inode_ops;
}

unsigned long pipe_pages_held(const struct inode *inode)
{
    const struct pipe *pipe = inode->private;

    return S_ISFIFO(inode->mode) && pipe ? pipe->used : 0;
}

long pipe_capacity(const struct file *file)
{
    return S_ISFIFO(file->inode->mode) ? (long)(PIPE_PAGES * PAGE_SIZE) : -EBADF;
}
