/* The calls that move bytes between files and the program. */
#include "kernel/lib/string.h"
#include "syscall/user.h"

#define IOV_MAX 1024        /* buffers in one readv or writev */
#define IOV_ON_STACK 8
#define MAX_TRANSFER (0x7ffffffful & PAGE_MASK)

typedef long (*transfer_function)(struct file *file, struct iov_iter *iter, s64 *pos);

/* May FILE be used so? -EBADF comes before everything else. */
static int check_mode(const struct file *file, transfer_function transfer)
{
    bool allowed = transfer == file_read ? file_readable(file) : file_writable(file);
    return allowed ? 0 : -EBADF;
}

/* Reads or writes at *POS, or at the file's own position when POS is NULL. */
static long transfer_at(struct file *file, transfer_function transfer, struct iov_iter *iter, s64 *pos)
{
    s64 own = file->pos;
    long result = transfer(file, iter, pos ? pos : &own);
    if (!pos)
        file->pos = own;
    return result;
}

static long transfer_buffer(unsigned long fd, transfer_function transfer, unsigned long buffer,
                            unsigned long size, s64 *pos)
{
    struct file *file = fd_file((int)fd);
    struct iov_iter iter;

    if (!file)
        return -EBADF;
    int error = check_mode(file, transfer);
    if (error)
        return error;
    if (pos && (!file->ops || !file->ops->lseek))
        return -ESPIPE;
    if (!access_ok(buffer, size))
        return -EFAULT;
    iov_iter_user(&iter, buffer, size);
    file_get(file);
    long result = transfer_at(file, transfer, &iter, pos);
    file_put(file);
    return result;
}

long sys_read(unsigned long fd, unsigned long buffer, unsigned long size)
{
    return transfer_buffer(fd, file_read, buffer, size, NULL);
}

long sys_write(unsigned long fd, unsigned long buffer, unsigned long size)
{
    return transfer_buffer(fd, file_write, buffer, size, NULL);
}

long sys_pread64(unsigned long fd, unsigned long buffer, unsigned long size, unsigned long offset)
{
    s64 pos = (s64)offset;
    return pos < 0 ? -EINVAL : transfer_buffer(fd, file_read, buffer, size, &pos);
}

long sys_pwrite64(unsigned long fd, unsigned long buffer, unsigned long size, unsigned long offset)
{
    s64 pos = (s64)offset;
    return pos < 0 ? -EINVAL : transfer_buffer(fd, file_write, buffer, size, &pos);
}

/* ---- lists of buffers ---- */

/* Checks COUNT buffers and adds them up, cutting what exceeds MAX_TRANSFER. Bytes, or negative errno. */
static long check_vector(struct iovec *vector, unsigned long count)
{
    size_t total = 0;

    for (unsigned long i = 0; i < count; i++) {
        if ((s64)vector[i].length < 0)
            return -EINVAL;
        if (!access_ok(vector[i].base, vector[i].length))
            return -EFAULT;
        vector[i].length = MIN(vector[i].length, MAX_TRANSFER - total);
        total += vector[i].length;
    }
    return (long)total;
}

/* Fetches the COUNT buffers at the user address FROM into SMALL or into fresh memory. The list, or ERR_PTR. */
static struct iovec *get_vector(unsigned long from, unsigned long count, struct iovec small[IOV_ON_STACK])
{
    struct iovec *vector = small;

    if (count > IOV_MAX)
        return ERR_PTR(-EINVAL);
    if (count > IOV_ON_STACK)
        vector = kmalloc(count * sizeof(*vector));
    if (!vector)
        return ERR_PTR(-ENOMEM);
    if (copy_from_user(vector, from, count * sizeof(*vector))) {
        if (vector != small)
            kfree(vector);
        return ERR_PTR(-EFAULT);
    }
    return vector;
}

/* Flags of preadv2 and pwritev2 that change nothing where all files are in memory: HIPRI, DSYNC, SYNC. */
#define RWF_WITHOUT_EFFECT 7ul

static long transfer_vector(unsigned long fd, transfer_function transfer, unsigned long from,
                            unsigned long count, s64 *pos, unsigned long flags)
{
    struct iovec small[IOV_ON_STACK];
    struct iov_iter iter;

    struct file *file = get_file(fd, false);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long result = pos && (!file->ops || !file->ops->lseek) ? -ESPIPE : 0;
    if (result == 0) {
        struct iovec *vector = get_vector(from, count, small);
        result = IS_ERR(vector) ? PTR_ERR(vector) : check_vector(vector, count);
        long refusal = result < 0 ? 0 : check_mode(file, transfer);
        if (refusal) {
            result = refusal;
        } else if (result > 0 && (flags & ~RWF_WITHOUT_EFFECT)) {
            result = -EOPNOTSUPP;
        } else if (result > 0) {
            iov_iter_vector(&iter, vector, (size_t)result);
            result = transfer_at(file, transfer, &iter, pos);
        }
        if (!IS_ERR(vector) && vector != small)
            kfree(vector);
    }
    file_put(file);
    return result;
}

long sys_readv(unsigned long fd, unsigned long vector, unsigned long count)
{
    return transfer_vector(fd, file_read, vector, count, NULL, 0);
}

long sys_writev(unsigned long fd, unsigned long vector, unsigned long count)
{
    return transfer_vector(fd, file_write, vector, count, NULL, 0);
}

/* OFFSET ~0 means the file's own position. */
static long transfer_at_offset(unsigned long fd, transfer_function transfer, unsigned long vector,
                               unsigned long count, unsigned long offset, unsigned long flags)
{
    s64 pos = (s64)offset;
    if (offset == ~0ul)
        return transfer_vector(fd, transfer, vector, count, NULL, flags);
    return pos < 0 ? -EINVAL : transfer_vector(fd, transfer, vector, count, &pos, flags);
}

long sys_preadv(unsigned long fd, unsigned long vector, unsigned long count, unsigned long offset,
                unsigned long high)
{
    s64 pos = (s64)offset;
    (void)high;                         /* the offset's upper half, on 32-bit machines */
    return pos < 0 ? -EINVAL : transfer_vector(fd, file_read, vector, count, &pos, 0);
}

long sys_pwritev(unsigned long fd, unsigned long vector, unsigned long count, unsigned long offset,
                 unsigned long high)
{
    s64 pos = (s64)offset;
    (void)high;
    return pos < 0 ? -EINVAL : transfer_vector(fd, file_write, vector, count, &pos, 0);
}

long sys_preadv2(unsigned long fd, unsigned long vector, unsigned long count, unsigned long offset,
                 unsigned long high, unsigned long flags)
{
    (void)high;
    return transfer_at_offset(fd, file_read, vector, count, offset, flags);
}

long sys_pwritev2(unsigned long fd, unsigned long vector, unsigned long count, unsigned long offset,
                  unsigned long high, unsigned long flags)
{
    (void)high;
    return transfer_at_offset(fd, file_write, vector, count, offset, flags);
}

/* ---- from file to file ---- */

/* Copies up to COUNT bytes from IN at *POS to OUT, through BUFFER of one page. */
static long copy_between(struct file *out, struct file *in, s64 *pos, size_t count, u8 *buffer)
{
    struct iov_iter iter;
    long done = 0;

    while (count > 0) {
        s64 at = *pos;
        iov_iter_kernel(&iter, buffer, MIN(count, PAGE_SIZE));
        long got = file_read(in, &iter, &at);
        if (got <= 0)
            return done ? done : got;
        iov_iter_kernel(&iter, buffer, (size_t)got);
        long put = transfer_at(out, file_write, &iter, NULL);
        if (put <= 0)
            return done ? done : put;
        *pos += put;
        done += put;
        count -= (size_t)put;
        if (put < got)
            break;
    }
    return done;
}

static long send_file(struct file *out, struct file *in, unsigned long offset, size_t count)
{
    s64 pos = in->pos;

    if (!file_readable(in) || !file_writable(out))
        return -EBADF;
    if (out->flags & O_APPEND)
        return -EINVAL;
    if (!S_ISREG(in->inode->mode))
        return -EINVAL;                 /* Linux wants something that can be mapped, too */
    if (offset && get_user(pos, offset))
        return -EFAULT;
    if (pos < 0)
        return -EINVAL;
    u8 *buffer = kmalloc(PAGE_SIZE);
    if (!buffer)
        return -ENOMEM;
    long result = copy_between(out, in, &pos, MIN(count, MAX_TRANSFER), buffer);
    kfree(buffer);
    if (!offset)
        in->pos = pos;
    else if (put_user(pos, offset))
        result = -EFAULT;
    return result;
}

long sys_sendfile(unsigned long out_fd, unsigned long in_fd, unsigned long offset, unsigned long count)
{
    s64 pos;
    if (offset && get_user(pos, offset))
        return -EFAULT;
    struct file *in = get_file(in_fd, false);
    if (IS_ERR(in))
        return PTR_ERR(in);
    struct file *out = get_file(out_fd, false);
    long result = IS_ERR(out) ? PTR_ERR(out) : send_file(out, in, offset, count);
    if (!IS_ERR(out))
        file_put(out);
    file_put(in);
    return result;
}

long sys_lseek(unsigned long fd, unsigned long offset, unsigned long whence)
{
    struct file *file = fd_file((int)fd);
    if (!file || (file->flags & O_PATH))
        return -EBADF;
    return file_lseek(file, (s64)offset, (int)(u32)whence);
}
