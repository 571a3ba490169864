/* The source of the allocator itself, with every name that the host has too prefixed by zp_. */
#include "tests/host/malloc_host.h"

#define malloc         zp_malloc
#define free           zp_free
#define calloc         zp_calloc
#define realloc        zp_realloc
#define aligned_alloc  zp_aligned_alloc
#define posix_memalign zp_posix_memalign
#define sbrk           zp_sbrk
#include "user/lib/malloc.c"

bool zp_is_listed(const void *chunk, size_t size)
{
    const struct chunk *listed = *bin_of(size);

    while (listed != NULL && listed != chunk)
        listed = listed->next;
    return listed != NULL;
}
