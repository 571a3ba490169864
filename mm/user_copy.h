/* The only ways in which the kernel touches memory of the running program. */
#ifndef MM_USER_COPY_H
#define MM_USER_COPY_H

#include "kernel/lib/errno.h"
#include "mm/arch.h"

/*
 * True when [address, address + n) lies wholly in the user half. N may be 0. Non-canonical and
 * kernel addresses are false.
 */
static inline bool access_ok(unsigned long address, unsigned long n)
{
    return n <= TASK_SIZE && address <= TASK_SIZE - n;
}

/*
 * Each returns the number of bytes NOT copied: 0 is success, otherwise the program gets -EFAULT (or
 * a short count).
 */
unsigned long __must_check copy_from_user(void *to, unsigned long from, unsigned long n);
unsigned long __must_check copy_to_user(unsigned long to, const void *from, unsigned long n);
unsigned long __must_check clear_user(unsigned long to, unsigned long n);

/*
 * Copies a NUL-terminated string of at most SIZE bytes with its NUL. Its length, -EFAULT, or
 * -ENAMETOOLONG.
 */
long strncpy_from_user(char *to, unsigned long from, size_t size);

/* One object: 0 or -EFAULT. VALUE is an lvalue of the object's type. */
#define get_user(value, from) (copy_from_user(&(value), (unsigned long)(from), sizeof(value)) ? -EFAULT : 0)
#define put_user(value, to)                                                                 \
    ({                                                                                      \
        __typeof__(value) put_user_value = (value);                                         \
        copy_to_user((unsigned long)(to), &put_user_value, sizeof(put_user_value)) ? -EFAULT : 0; \
    })

struct mm_struct;
/*
 * Copies between the kernel and ANY address space (for /proc, ptrace-like views, exec's arguments):
 * bytes copied. Faults pages in with access rules.
 */
unsigned long access_remote_vm(struct mm_struct *mm, unsigned long address, void *buffer,
                               unsigned long n, bool write);

#endif
