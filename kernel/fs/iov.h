/* Where the bytes of a read or write go to or come from: the buffers of a program, or one of the kernel's own. */
#ifndef KERNEL_FS_IOV_H
#define KERNEL_FS_IOV_H

#include "kernel/lib/types.h"

/* One buffer, as readv and writev take it from a program. */
struct iovec {
    unsigned long base;
    size_t length;
};

/* A position in a list of buffers. The copies below advance it. */
struct iov_iter {
    const struct iovec *vector;     /* the buffer at hand */
    size_t offset;                  /* within it */
    size_t count;                   /* bytes left in all buffers */
    bool kernel;                    /* the addresses are the kernel's */
    struct iovec single;            /* for a list of one */
};

/* One buffer of a program (the caller has checked access_ok), or of the kernel. */
void iov_iter_user(struct iov_iter *iter, unsigned long address, size_t size);
void iov_iter_kernel(struct iov_iter *iter, const void *buffer, size_t size);
/* The buffers VECTOR, COUNT bytes in all; VECTOR must live as long as ITER. */
void iov_iter_vector(struct iov_iter *iter, const struct iovec *vector, size_t count);

/*
 * Each copies up to N bytes (never more than are left) and returns how many. Fewer than asked for means that the
 * program's memory ended there: the caller returns what it has, or -EFAULT.
 */
size_t copy_to_iter(struct iov_iter *iter, const void *from, size_t n);
size_t copy_from_iter(struct iov_iter *iter, void *to, size_t n);
size_t clear_iter(struct iov_iter *iter, size_t n);

/*
 * Touches the next N bytes of the program's buffers, page by page, before a page is made for what they hold. False
 * when not even the first can be read.
 */
bool iov_iter_fault_in(const struct iov_iter *iter, size_t n);

#endif
