/* Copies between the kernel and a list of buffers. */
#include "kernel/fs/iov.h"

#include "kernel/lib/string.h"
#include "mm/user_copy.h"

void iov_iter_user(struct iov_iter *iter, unsigned long address, size_t size)
{
    iter->single = (struct iovec){ address, size };
    iter->vector = &iter->single;
    iter->offset = 0;
    iter->count = size;
    iter->kernel = false;
}

void iov_iter_kernel(struct iov_iter *iter, const void *buffer, size_t size)
{
    iov_iter_user(iter, (unsigned long)buffer, size);
    iter->kernel = true;
}

void iov_iter_vector(struct iov_iter *iter, const struct iovec *vector, size_t count)
{
    iter->vector = vector;
    iter->offset = 0;
    iter->count = count;
    iter->kernel = false;
}

enum direction { TO_ITER, FROM_ITER, CLEAR_ITER };

/* Copies N bytes at one address; returns the bytes not copied. */
static size_t copy_piece(const struct iov_iter *iter, unsigned long address, void *buffer, size_t n,
                         enum direction direction)
{
    if (iter->kernel) {
        void *memory = (void *)address;
        if (direction == TO_ITER)
            memcpy(memory, buffer, n);
        else if (direction == FROM_ITER)
            memcpy(buffer, memory, n);
        else
            memset(memory, 0, n);
        return 0;
    }
    if (direction == TO_ITER)
        return copy_to_user(address, buffer, n);
    if (direction == FROM_ITER)
        return copy_from_user(buffer, address, n);
    return clear_user(address, n);
}

static size_t copy_iter(struct iov_iter *iter, u8 *buffer, size_t n, enum direction direction)
{
    size_t done = 0;

    n = MIN(n, iter->count);
    while (done < n) {
        size_t piece = MIN(n - done, iter->vector->length - iter->offset);
        if (piece == 0) {
            iter->vector++;
            iter->offset = 0;
            continue;
        }
        size_t copied = piece - copy_piece(iter, iter->vector->base + iter->offset,
                                           buffer ? buffer + done : NULL, piece, direction);
        iter->offset += copied;
        iter->count -= copied;
        done += copied;
        if (copied < piece)
            break;
    }
    return done;
}

size_t copy_to_iter(struct iov_iter *iter, const void *from, size_t n)
{
    return copy_iter(iter, (u8 *)from, n, TO_ITER);
}

size_t copy_from_iter(struct iov_iter *iter, void *to, size_t n)
{
    return copy_iter(iter, to, n, FROM_ITER);
}

size_t clear_iter(struct iov_iter *iter, size_t n)
{
    return copy_iter(iter, NULL, n, CLEAR_ITER);
}

bool iov_iter_fault_in(const struct iov_iter *iter, size_t n)
{
    const struct iovec *vector = iter->vector;
    size_t offset = iter->offset;
    bool any = iter->kernel;

    for (n = iter->kernel ? 0 : MIN(n, iter->count); n > 0; vector++, offset = 0) {
        size_t piece = MIN(vector->length - offset, n);
        unsigned long address = vector->base + offset, end = address + piece;
        for (; address < end; address = ALIGN_DOWN(address, PAGE_SIZE) + PAGE_SIZE) {
            u8 byte;
            if (get_user(byte, address))
                return any;
            any = true;
        }
        n -= piece;
    }
    return any;
}
