/* The memory calls, passed on as they are, and the break. */
#include "internal.h"
#include "lab.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
    return (void *)CALL6(mmap, address, length, protection, flags, descriptor, offset);
}

int munmap(void *address, size_t length)
{
    return (int)CALL2(munmap, address, length);
}

int mprotect(void *address, size_t length, int protection)
{
    return (int)CALL3(mprotect, address, length, protection);
}

void *mremap(void *address, size_t old_length, size_t new_length, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    void *new_address = va_arg(arguments, void *);
    va_end(arguments);
    return (void *)CALL6(mremap, address, old_length, new_length, flags, new_address, 0);
}

int madvise(void *address, size_t length, int advice)
{
    return (int)CALL3(madvise, address, length, advice);
}

int mincore(void *address, size_t length, unsigned char *vector)
{
    return (int)CALL3(mincore, address, length, vector);
}

int msync(void *address, size_t length, int flags)
{
    return (int)CALL3(msync, address, length, flags);
}

int mlock(const void *address, size_t length)
{
    return (int)CALL2(mlock, address, length);
}

int mlock2(const void *address, size_t length, unsigned flags)
{
    return (int)CALL3(mlock2, address, length, flags);
}

int munlock(const void *address, size_t length)
{
    return (int)CALL2(munlock, address, length);
}

int mlockall(int flags)
{
    return (int)CALL1(mlockall, flags);
}

int munlockall(void)
{
    return (int)CALL0(munlockall);
}

int memfd_create(const char *name, unsigned flags)
{
    return (int)CALL2(memfd_create, name, flags);
}

/* The kernel answers with the break that holds after the call: the wanted one, or the old one. */
static char *kernel_brk(void *wanted)
{
    return (char *)raw_syscall1(SYS_brk, (long)wanted);
}

int brk(void *address)
{
#if LAB != 4
    if (kernel_brk(address) == address)
        return 0;
    errno = ENOMEM;
    return -1;
#endif
    NOT_YET_WRITTEN(4, address, kernel_brk);
}

void *sbrk(intptr_t increment)
{
#if LAB != 4
    char *old = kernel_brk(NULL);
    char *wanted = old + increment;
    if (increment == 0)
        return old;
    if ((increment > 0) != (wanted > old) || kernel_brk(wanted) != wanted) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return old;
#endif
    NOT_YET_WRITTEN(4, increment, kernel_brk);
}
