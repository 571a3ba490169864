/* The arena that plays physical memory. */
#ifndef TESTS_HOST_HOST_MEMORY_H
#define TESTS_HOST_HOST_MEMORY_H

#include "mm/types.h"

/*
 * Physical addresses [0, SIZE), all zero; an earlier arena is gone. Nothing of it counts as free until the
 * allocator says so.
 */
void host_memory_create(u64 size);
void host_memory_destroy(void);

/* Called first by panic(); it may jump away. NULL: panic aborts. */
extern void (*host_panic_handler)(const char *message);

#endif
