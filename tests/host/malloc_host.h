/*
 * user/lib/malloc.c on the host: its functions under other names, and the break that it stands on. It is built apart
 * from the test, so that nothing in it changes what the test's words mean.
 */
#ifndef TESTS_HOST_MALLOC_HOST_H
#define TESTS_HOST_MALLOC_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *zp_malloc(size_t size);
void zp_free(void *block);
void *zp_calloc(size_t count, size_t size);
void *zp_realloc(void *block, size_t size);
void *zp_aligned_alloc(size_t alignment, size_t size);
int zp_posix_memalign(void **block, size_t alignment, size_t size);

/* The test's: a break in memory of its own. */
void *zp_sbrk(intptr_t increment);

/* Does the free chunk at CHUNK, of SIZE bytes, hang in the list where malloc looks for it? */
bool zp_is_listed(const void *chunk, size_t size);

#endif
