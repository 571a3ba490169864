/* Checks what mmap makes of every argument: lengths, types, protections, flags, offsets. */
#include "mem.h"

/* Maps and unmaps; -1 with errno, or 0. */
static long attempt(unsigned long address, unsigned long length, int protection, int flags, int fd,
                    unsigned long offset)
{
    void *start = raw_mmap(address, length, protection, flags, fd, offset);
    int error = errno;

    if (start == MAP_FAILED) {
        errno = error;
        return -1;
    }
    raw_munmap(start, length);
    return 0;
}

static long plain(unsigned long length, int protection, int flags)
{
    return attempt(0, length, protection, flags, -1, 0);
}

static void lengths(void)
{
    const unsigned long terabyte = 1UL << 40;

    check_fails(plain(0, READ_WRITE, PRIVATE_ANON), EINVAL, "length 0 is EINVAL");
    check_eq(plain(1, READ_WRITE, PRIVATE_ANON), 0, "length 1 is one page");
    check_fails(plain(-1UL, READ_WRITE, PRIVATE_ANON), ENOMEM, "length -1 is ENOMEM");
    check_fails(plain(-PAGE, READ_WRITE, PRIVATE_ANON), ENOMEM, "length -4096 is ENOMEM");
    check_fails(plain(1UL << 47, READ_WRITE, PRIVATE_ANON), ENOMEM, "length 2^47 is ENOMEM");
    check_fails(plain(1UL << 63, READ_WRITE, PRIVATE_ANON), ENOMEM, "length 2^63 is ENOMEM");
    check_fails(plain(USER_END, READ_WRITE, PRIVATE_ANON), ENOMEM,
                "the length of the whole user space is ENOMEM");
    check_fails(plain(64 * terabyte, READ_WRITE, PRIVATE_ANON), ENOMEM,
                "64 TiB, readable and writable, is ENOMEM");
    check_eq(plain(64 * terabyte, READ_WRITE, PRIVATE_ANON | MAP_NORESERVE), 0,
             "64 TiB with MAP_NORESERVE is promised");
    check_eq(plain(64 * terabyte, PROT_NONE, PRIVATE_ANON), 0,
             "64 TiB without any access is promised");
    check_eq(plain(64 * terabyte, PROT_READ, PRIVATE_ANON), 0, "64 TiB read-only is promised");
}

static void types(void)
{
    check_fails(plain(PAGE, READ_WRITE, MAP_ANONYMOUS), EINVAL, "no mapping type is EINVAL");
    check_fails(plain(PAGE, READ_WRITE, MAP_ANONYMOUS | 4), EINVAL, "mapping type 4 is EINVAL");
    check_fails(plain(PAGE, READ_WRITE, MAP_ANONYMOUS | 0xf), EINVAL, "mapping type 15 is EINVAL");
    check_fails(plain(PAGE, READ_WRITE, MAP_ANONYMOUS | MAP_SHARED_VALIDATE), EINVAL,
                "MAP_SHARED_VALIDATE with MAP_ANONYMOUS is EINVAL");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON), 0, "MAP_PRIVATE is a mapping type");
    check_eq(plain(PAGE, READ_WRITE, SHARED_ANON), 0, "MAP_SHARED is a mapping type");
}

static void protections(void)
{
    for (int protection = 0; protection < 8; protection++)
        check_eq(plain(PAGE, protection, PRIVATE_ANON), 0, "protection %d is fine", protection);
    check_eq(plain(PAGE, 0xff, PRIVATE_ANON), 0, "unknown protection bits are ignored");
    check_eq(plain(PAGE, 0x10, PRIVATE_ANON), 0, "a protection of unknown bits alone is ignored");
    check_eq(plain(PAGE, READ_WRITE | PROT_GROWSDOWN, PRIVATE_ANON), 0,
             "mmap ignores PROT_GROWSDOWN");
}

static void descriptors_and_offsets(void)
{
    check_eq(attempt(0, PAGE, READ_WRITE, PRIVATE_ANON, 999, 0), 0,
             "MAP_ANONYMOUS ignores a bad descriptor");
    check_eq(attempt(0, PAGE, READ_WRITE, PRIVATE_ANON, 0, 0), 0,
             "MAP_ANONYMOUS ignores an open descriptor");
    check_eq(attempt(0, PAGE, READ_WRITE, PRIVATE_ANON, -1, PAGE), 0,
             "an aligned offset means nothing to anonymous memory");
    check_eq(attempt(0, PAGE, READ_WRITE, PRIVATE_ANON, -1, -PAGE), 0,
             "offset -4096 means nothing to anonymous memory");
    check_fails(attempt(0, PAGE, READ_WRITE, PRIVATE_ANON, -1, 1), EINVAL, "offset 1 is EINVAL");
    check_fails(attempt(0, PAGE, READ_WRITE, PRIVATE_ANON, -1, PAGE - 1), EINVAL,
                "offset 4095 is EINVAL");
    check_fails(attempt(0, PAGE, READ_WRITE, MAP_PRIVATE, -1, 0), EBADF,
                "no MAP_ANONYMOUS and descriptor -1 is EBADF");
    check_fails(attempt(0, PAGE, READ_WRITE, MAP_PRIVATE, 999, 0), EBADF,
                "no MAP_ANONYMOUS and descriptor 999 is EBADF");
    check_fails(attempt(0, 0, READ_WRITE, MAP_PRIVATE, -1, 0), EBADF,
                "the descriptor is looked at before the length");
    check_fails(attempt(0, 0, READ_WRITE, MAP_PRIVATE, -1, 1), EINVAL,
                "the offset is looked at before the descriptor");
    check_fails(attempt(0, PAGE, READ_WRITE, 0, -1, 0), EBADF,
                "the descriptor is looked at before the type");
}

static void flags(void)
{
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | MAP_STACK), 0, "MAP_STACK is accepted");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | MAP_NORESERVE), 0, "MAP_NORESERVE is accepted");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | MAP_NONBLOCK), 0, "MAP_NONBLOCK is accepted");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | 0x0800), 0, "MAP_DENYWRITE is ignored");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | 0x1000), 0, "MAP_EXECUTABLE is ignored");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | 0x80000), 0,
             "MAP_SYNC is ignored with PRIVATE");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | 0x4000000), 0, "MAP_UNINITIALIZED is ignored");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | 0x80), 0, "flag 0x80 is ignored");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | 0x200), 0, "flag 0x200 is ignored");
    check_eq(plain(PAGE, READ_WRITE, PRIVATE_ANON | 0x10000000), 0,
             "unknown high flags are ignored with PRIVATE");
    check_eq(plain(PAGE, READ_WRITE, SHARED_ANON | 0x10000000), 0,
             "unknown high flags are ignored with SHARED");
    check_fails(plain(PAGE, READ_WRITE, SHARED_ANON | MAP_GROWSDOWN), EINVAL,
                "MAP_GROWSDOWN with MAP_SHARED is EINVAL");
}

static void huge_pages(void)
{
    const unsigned long huge = 2UL << 20;

    check_fails(plain(huge, READ_WRITE, PRIVATE_ANON | MAP_HUGETLB), ENOMEM,
                "MAP_HUGETLB without a pool of huge pages is ENOMEM");
    check_fails(plain(huge, READ_WRITE, PRIVATE_ANON | MAP_HUGETLB | 5 << 26), EINVAL,
                "MAP_HUGETLB with a page size that does not exist is EINVAL");
    check_fails(attempt(0x40001000, huge, READ_WRITE, PRIVATE_ANON | MAP_HUGETLB | MAP_FIXED, -1, 0),
                EINVAL, "MAP_HUGETLB at an unaligned fixed address is EINVAL");
}

static void nothing_is_allocated(void)
{
    unsigned long before = vma_count();
    long faults = minor_faults();
    char *memory = raw_mmap(0, 1UL << 30, READ_WRITE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);

    check_eq(minor_faults() - faults, 0, "a promise of 1 GiB takes no fault");
    check(!is_present(memory) && !is_present(memory + (1UL << 29)), "none of it is present");
    check_eq(raw_munmap(memory, 1UL << 30), 0, "it is taken back");
    check_eq(vma_count(), before, "and no mapping is left");
}

int main(void)
{
    warm_up();
    lengths();
    types();
    protections();
    descriptors_and_offsets();
    flags();
    huge_pages();
    nothing_is_allocated();
    return done();
}
