/*
 * user/lib/malloc.c on the host: against a model, over a simulated break that can end, and that others move. SEED=N in
 * the environment draws other sequences.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/host/malloc_host.h"

/* What the handout tells of user/lib/malloc.c. */
#define PAGE_SIZE      4096UL
#define TRIM_THRESHOLD (64UL << 10)
#define IN_USE         1UL
#define SIZE_BITS      3UL

struct chunk {
    size_t below, size;
};

static size_t size_of(const struct chunk *chunk)
{
    return chunk->size & ~SIZE_BITS;
}

static struct chunk *above(struct chunk *chunk)
{
    return (struct chunk *)((char *)chunk + size_of(chunk));
}

#define ARENA_SIZE (64UL << 20)
#define SHIFT_MAX  (4UL << 20)
static char *arena, *arena_break;       /* where the heap begins, and where it ends */
static size_t arena_limit = ARENA_SIZE; /* where the simulated kernel says no */

/* Somewhere in an area of our own, so that no address is known before. */
static void make_arena(void)
{
    char *area = mmap(NULL, ARENA_SIZE + SHIFT_MAX, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(area, MAP_FAILED);
    arena_break = arena = area + (size_t)rand() % (SHIFT_MAX / PAGE_SIZE) * PAGE_SIZE;
}

/* What is given back becomes unreadable. */
void *zp_sbrk(intptr_t increment)
{
    if (arena == NULL)
        make_arena();
    char *old = arena_break, *wanted = old + increment;
    if (wanted < arena || wanted > arena + arena_limit) {
        errno = ENOMEM;
        return (void *)-1;
    }
    uintptr_t first = ((uintptr_t)arena_break + PAGE_SIZE - 1) & -PAGE_SIZE;
    uintptr_t last = ((uintptr_t)wanted + PAGE_SIZE - 1) & -PAGE_SIZE;
    if (last > first)
        mprotect((void *)first, last - first, PROT_READ | PROT_WRITE);
    else if (last < first)
        mmap((void *)last, first - last, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    arena_break = wanted;
    return old;
}

/* Walk a segment: sizes and back links agree, no two free neighbours, free chunks are listed. */
static void assert_segment_is_sound(struct chunk *chunk)
{
    size_t below = 0;
    bool below_is_free = false;
    for (;; chunk = above(chunk)) {
        assert_int_equal(chunk->below, below);
        if (size_of(chunk) == 0)
            return;
        bool is_free = !(chunk->size & IN_USE);
        assert_false(is_free && below_is_free);
        if (is_free)
            assert_true(zp_is_listed(chunk, chunk->size));
        below = size_of(chunk);
        below_is_free = is_free;
    }
}

#define BLOCKS 400
static struct {
    unsigned char *block;
    size_t size;
    unsigned char fill;
} model[BLOCKS];

/* Are all SIZE bytes at BLOCK equal to FILL? */
static bool is_filled(const unsigned char *block, size_t size, unsigned char fill)
{
    return size == 0 || (block[0] == fill && memcmp(block, block + 1, size - 1) == 0);
}

static void assert_contents(int i)
{
    if (!is_filled(model[i].block, model[i].size, model[i].fill))
        fail_msg("a byte of a block of %zu was changed", model[i].size);
}

static size_t random_size(void)
{
    switch (rand() % 20) {
    case 0:
        return 0;
    case 1:
        return (size_t)(rand() % 400000); /* some of these are mappings */
    case 2:
    case 3:
        return (size_t)(rand() % 20000);
    default:
        return (size_t)(rand() % 500);
    }
}

static void set_block(int i, void *block, size_t size)
{
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 16, 0);
    model[i].block = block;
    model[i].size = size;
    model[i].fill = (unsigned char)rand();
    memset(block, model[i].fill, size);
}

static void one_random_step(int i)
{
    size_t size = random_size();
    assert_contents(i);
    if (model[i].block != NULL && rand() % 3 == 0) {
        unsigned char fill = model[i].fill;
        size_t kept = size < model[i].size ? size : model[i].size;
        unsigned char *block = zp_realloc(model[i].block, size);
        assert_non_null(block);
        if (!is_filled(block, kept, fill))
            fail_msg("realloc from %zu to %zu lost a byte", model[i].size, size);
        set_block(i, block, size);
    } else if (model[i].block != NULL) {
        zp_free(model[i].block);
        model[i].block = NULL;
        model[i].size = 0;
    } else if (rand() % 8 == 0) {
        size_t alignment = 16UL << rand() % 9;
        void *block = zp_aligned_alloc(alignment, size);
        assert_int_equal((uintptr_t)block % alignment, 0);
        set_block(i, block, size);
    } else if (rand() % 4 == 0) {
        unsigned char *block = zp_calloc(1, size);
        if (!is_filled(block, size, 0))
            fail_msg("calloc of %zu bytes is not zero", size);
        set_block(i, block, size);
    } else {
        set_block(i, zp_malloc(size), size);
    }
}

static void malloc_keeps_every_block_apart_and_gives_all_memory_back(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    unsigned first = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 1;
    for (unsigned seed = first; seed < first + 10; seed++) {
        srand(seed);
        for (int step = 0; step < 20000; step++) {
            one_random_step(rand() % BLOCKS);
            if (step % 500 == 499)
                assert_segment_is_sound((struct chunk *)arena);
        }
        for (int i = 0; i < BLOCKS; i++) {
            zp_free(model[i].block);
            model[i].block = NULL;
            model[i].size = 0;
        }
        assert_segment_is_sound((struct chunk *)arena);
        if ((size_t)(arena_break - arena) - sizeof(struct chunk) >= TRIM_THRESHOLD) /* the end chunk */
            fail_msg("all is free, and still the heap has %zu bytes", (size_t)(arena_break - arena));
    }
}

static void malloc_survives_a_break_that_others_move_or_that_cannot_move(void **state)
{
    (void)state;
    void *before = zp_malloc(100000);
    char *foreign = zp_sbrk(1001); /* the program takes some heap for itself, not even aligned */
    memset(foreign, 7, 1001);
    for (int i = 0; i < 50; i++)
        set_block(i, zp_malloc(9000), 9000);
    zp_free(before);
    arena_limit = (size_t)(arena_break - arena);
    for (int i = 50; i < 100; i++)
        set_block(i, zp_malloc(9000), 9000);
    for (int i = 0; i < 100; i++) {
        assert_contents(i);
        zp_free(model[i].block);
        model[i].block = NULL;
        model[i].size = 0;
    }
    for (int i = 0; i < 1001; i++)
        assert_int_equal(foreign[i], 7);
    arena_limit = ARENA_SIZE;
    assert_segment_is_sound((struct chunk *)arena);
}

static void malloc_refuses_what_cannot_be(void **state)
{
    (void)state;
    errno = 0;
    assert_null(zp_malloc(SIZE_MAX));
    assert_int_equal(errno, ENOMEM);
    assert_null(zp_malloc((size_t)PTRDIFF_MAX));
    assert_null(zp_calloc(SIZE_MAX / 2, 3));
    assert_null(zp_realloc(NULL, SIZE_MAX - 8));
    zp_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malloc_keeps_every_block_apart_and_gives_all_memory_back),
        cmocka_unit_test(malloc_survives_a_break_that_others_move_or_that_cannot_move),
        cmocka_unit_test(malloc_refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
