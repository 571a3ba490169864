/*
 * The allocator. Memory is cut into chunks, each a header and the block that the program sees:
 *
 *     | below | size+bits | block ...           | below | size+bits | block ...
 *     ^ a chunk           ^ what malloc gives   ^ the chunk above
 *
 * `below` is the size of the chunk below, so both neighbours of a freed chunk are found at once and
 * joined with it. Free chunks hang in lists, one for each power of two. The heap grows by brk in
 * one or more segments, each ended by a chunk of size 0 that is always in use. Large blocks are
 * mappings.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lab.h"

#define PAGE_SIZE      4096UL
#define ALIGNMENT      16UL
#define MAP_THRESHOLD  (128UL << 10) /* from here on a block is a mapping of its own */
#define GROWTH         (16UL << 10)  /* the heap grows by at least this much */
#define TRIM_THRESHOLD (64UL << 10)  /* a free end of the heap of this size shrinks ... */
#define TRIM_KEEP      (16UL << 10)  /* ... to about this */
#define BIN_COUNT      64

/* The low bits of a chunk's size word. */
#define IN_USE    1UL
#define MAPPED    2UL
#define SIZE_BITS (IN_USE | MAPPED)

struct chunk {
    size_t below; /* size of the chunk below, 0 if there is none; MAPPED: offset in the mapping */
    size_t size;  /* of this chunk, header included, a multiple of 16; and the bits above */
    struct chunk *next, *previous; /* in its list, while it is free: part of the block otherwise */
};

#define HEADER_SIZE   offsetof(struct chunk, next)
#define CHUNK_MINIMUM sizeof(struct chunk)

static struct chunk *bins[BIN_COUNT];
static char *heap_end; /* the break as we left it: behind the last segment's end chunk */

static size_t round_up(size_t size, size_t multiple)
{
    return (size + multiple - 1) & -multiple;
}

static size_t size_of(const struct chunk *chunk)
{
    return chunk->size & ~SIZE_BITS;
}

static struct chunk *chunk_at(void *start, size_t offset)
{
    return (struct chunk *)((char *)start + offset);
}

static struct chunk *chunk_of(void *block)
{
    return (struct chunk *)((char *)block - HEADER_SIZE);
}

static void *block_of(struct chunk *chunk)
{
    return (char *)chunk + HEADER_SIZE;
}

/* The size of a chunk whose block has SIZE bytes; 0 if no chunk can be that large. */
static size_t chunk_size_for(size_t size)
{
    if (size > PTRDIFF_MAX - PAGE_SIZE - HEADER_SIZE)
        return 0;
    size = round_up(size + HEADER_SIZE, ALIGNMENT);
    return size < CHUNK_MINIMUM ? CHUNK_MINIMUM : size;
}

/* --- the lists of free chunks ------------------------------------------------------------- */

static struct chunk **bin_of(size_t size)
{
    return &bins[63 - __builtin_clzl(size)];
}

static void list(struct chunk *chunk)
{
    struct chunk **bin = bin_of(chunk->size);
    chunk->previous = NULL;
    chunk->next = *bin;
    if (chunk->next != NULL)
        chunk->next->previous = chunk;
    *bin = chunk;
}

static void unlist(struct chunk *chunk)
{
    if (chunk->previous != NULL)
        chunk->previous->next = chunk->next;
    else
        *bin_of(chunk->size) = chunk->next;
    if (chunk->next != NULL)
        chunk->next->previous = chunk->previous;
}

#if LAB != 4
/* The first listed chunk of at least SIZE, not taken off its list; NULL if there is none. */
static struct chunk *find_free(size_t size)
{
    for (struct chunk **bin = bin_of(size); bin < bins + BIN_COUNT; bin++)
        for (struct chunk *chunk = *bin; chunk != NULL; chunk = chunk->next)
            if (chunk->size >= size)
                return chunk;
    return NULL;
}
#endif

/* --- joining, cutting, growing and shrinking ---------------------------------------------- */

/* Set the size of a chunk and tell the one above it. */
static void set_size(struct chunk *chunk, size_t size, size_t bits)
{
    chunk->size = size | bits;
    chunk_at(chunk, size)->below = size;
}

#if LAB != 4
/* Join a free, unlisted chunk with its free neighbours; returns the whole, still unlisted. */
static struct chunk *join(struct chunk *chunk)
{
    size_t size = size_of(chunk);
    struct chunk *above = chunk_at(chunk, size);
    if (!(above->size & IN_USE)) {
        unlist(above);
        size += above->size;
    }
    if (chunk->below != 0) {
        struct chunk *below = chunk_at(chunk, -chunk->below);
        if (!(below->size & IN_USE)) {
            unlist(below);
            size += below->size;
            chunk->size = 0; /* no block is in use here, should it be freed again */
            chunk = below;
        }
    }
    set_size(chunk, size, 0);
    return chunk;
}

/* Give the free end of the heap back to the kernel, if the break is still where we left it. */
static void trim(struct chunk *last)
{
    size_t excess = (last->size - TRIM_KEEP) & -PAGE_SIZE;
    if (sbrk(0) != heap_end || sbrk(-(intptr_t)excess) == (void *)-1)
        return;
    heap_end -= excess;
    set_size(last, last->size - excess, 0);
    chunk_at(last, last->size)->size = 0 | IN_USE;
}
#endif

/* Take a chunk of the heap back: join it, list it, and trim the heap if this is its end. */
static void release(struct chunk *chunk)
{
#if LAB != 4
    chunk = join(chunk);
    bool is_last = (char *)chunk_at(chunk, chunk->size) + HEADER_SIZE == heap_end;
    if (is_last && chunk->size >= TRIM_THRESHOLD)
        trim(chunk);
    list(chunk);
#endif
    NOT_YET_WRITTEN(4, chunk, list);
}

/* Cut a chunk, used or unlisted, down to SIZE, if the rest is worth a chunk. It ends up in use. */
static void cut(struct chunk *chunk, size_t size)
{
#if LAB != 4
    size_t whole = size_of(chunk);
    if (whole - size < CHUNK_MINIMUM) {
        chunk->size = whole | IN_USE;
        return;
    }
    struct chunk *rest = chunk_at(chunk, size);
    set_size(chunk, size, IN_USE);
    set_size(rest, whole - size, 0);
    release(rest);
#endif
    NOT_YET_WRITTEN(4, chunk, size, set_size);
}

#if LAB != 4
/* Get room for a chunk of SIZE from the kernel; returns a free, unlisted chunk, or NULL. */
static struct chunk *grow(size_t size)
{
    size_t growth = round_up(size + 2 * HEADER_SIZE, GROWTH);
    char *start = sbrk((intptr_t)growth);
    if (start == (void *)-1)
        return NULL;
    struct chunk *chunk;
    if (start == heap_end) {
        chunk = chunk_of(start); /* the old end chunk: it knows what lies below it */
    } else {
        /* The first segment, or the program has moved the break itself: begin a new segment. */
        size_t offset = -(uintptr_t)start % ALIGNMENT;
        if (offset != 0 && sbrk((intptr_t)offset) == (void *)-1)
            return NULL;
        chunk = chunk_at(start, offset);
        chunk->below = 0;
        growth -= HEADER_SIZE;
    }
    set_size(chunk, growth, 0);
    struct chunk *end = chunk_at(chunk, growth);
    end->size = 0 | IN_USE;
    heap_end = (char *)end + HEADER_SIZE;
    return join(chunk);
}
#endif

/* --- mappings ----------------------------------------------------------------------------- */

/* A block in a mapping of its own, with SLACK bytes to spare behind it. */
static void *map_block(size_t size, size_t slack)
{
    size_t whole = round_up(size + slack, PAGE_SIZE);
    void *start = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    struct chunk *chunk = start;
    chunk->below = 0;
    chunk->size = whole | IN_USE | MAPPED;
    return block_of(chunk);
}

/* Let a mapped block grow or shrink, in place or elsewhere. */
static void *remap_block(struct chunk *chunk, size_t size)
{
    size_t offset = chunk->below;
    size_t old_whole = size_of(chunk) + offset;
    size_t new_whole = round_up(size + offset, PAGE_SIZE);
    char *start = (char *)chunk - offset;
    if (new_whole != old_whole) {
        start = mremap(start, old_whole, new_whole, MREMAP_MAYMOVE);
        if (start == MAP_FAILED)
            return NULL;
    }
    chunk = chunk_at(start, offset);
    chunk->size = (new_whole - offset) | IN_USE | MAPPED;
    return block_of(chunk);
}

/* --- what programs call ------------------------------------------------------------------- */

void *malloc(size_t size)
{
#if LAB != 4
    size = chunk_size_for(size);
    if (size == 0) {
        errno = ENOMEM;
        return NULL;
    }
    if (size >= MAP_THRESHOLD)
        return map_block(size, 0);
    struct chunk *chunk = find_free(size);
    if (chunk != NULL)
        unlist(chunk);
    else
        chunk = grow(size);
    if (chunk == NULL)
        return map_block(size, 0); /* the break cannot move: something lies in its way */
    cut(chunk, size);
    return block_of(chunk);
#endif
    NOT_YET_WRITTEN(4, size, map_block, heap_end);
}

void free(void *block)
{
#if LAB != 4
    if (block == NULL)
        return;
    struct chunk *chunk = chunk_of(block);
    if ((uintptr_t)block % ALIGNMENT != 0 || !(chunk->size & IN_USE)) {
        dprintf(STDERR_FILENO, "free(%p): no block of malloc's is in use there\n", block);
        abort();
    }
    int saved = errno;
    if (chunk->size & MAPPED)
        munmap((char *)chunk - chunk->below, size_of(chunk) + chunk->below);
    else
        release(chunk);
    errno = saved;
#endif
    NOT_YET_WRITTEN(4, block);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = malloc(bytes);
    if (block != NULL && !(chunk_of(block)->size & MAPPED)) /* a fresh mapping is zero already */
        memset(block, 0, bytes);
    return block;
}

/* Let a chunk of the heap become SIZE large where it lies; false if the one above is in the way. */
static bool resize_in_place(struct chunk *chunk, size_t size)
{
    size_t there = size_of(chunk);
    struct chunk *above = chunk_at(chunk, there);
    if (there < size) {
        if ((above->size & IN_USE) || there + above->size < size)
            return false;
        unlist(above);
        set_size(chunk, there + above->size, IN_USE);
    }
    cut(chunk, size);
    return true;
}

void *realloc(void *block, size_t size)
{
    if (block == NULL)
        return malloc(size);
    struct chunk *chunk = chunk_of(block);
    size_t wanted = chunk_size_for(size);
    if (wanted == 0) {
        errno = ENOMEM;
        return NULL;
    }
    if (chunk->size & MAPPED) {
        if (wanted >= MAP_THRESHOLD)
            return remap_block(chunk, wanted);
    } else if (resize_in_place(chunk, wanted)) {
        return block;
    }
    void *moved = malloc(size);
    if (moved == NULL)
        return NULL;
    size_t old_size = size_of(chunk) - HEADER_SIZE;
    memcpy(moved, block, old_size < size ? old_size : size);
    free(block);
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (alignment <= ALIGNMENT)
        return malloc(size);
    size_t needed = chunk_size_for(size);
    if (needed == 0 || alignment > PTRDIFF_MAX / 2 || needed > PTRDIFF_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = malloc(size + alignment + CHUNK_MINIMUM);
    if (block == NULL)
        return NULL;
    struct chunk *chunk = chunk_of(block);
    size_t skip = round_up((uintptr_t)block, alignment) - (uintptr_t)block;
    if (skip != 0 && skip < CHUNK_MINIMUM)
        skip += alignment; /* what is skipped must be able to live as a chunk */
    if (skip == 0)
        return block;
    struct chunk *aligned = chunk_at(chunk, skip);
    size_t bits = chunk->size & SIZE_BITS;
    size_t size_left = size_of(chunk) - skip;
    if (bits & MAPPED) {
        aligned->below = chunk->below + skip;
        aligned->size = size_left | bits;
    } else {
        set_size(aligned, size_left, IN_USE);
        set_size(chunk, skip, 0);
        release(chunk);
        cut(aligned, needed);
    }
    return block_of(aligned);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    void *found = aligned_alloc(alignment, size);
    if (found == NULL)
        return ENOMEM;
    *block = found;
    return 0;
}
