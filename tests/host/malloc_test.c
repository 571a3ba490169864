/*
 * user/lib/malloc.c on the host: against a model, over a simulated break that can end, and that others move.
 *
 * Self-contained: it includes the source under other names. Build with -I. -lcmocka.
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

/* --- the allocator under test, with every name that the host has too prefixed by zp_ ------ */

static void *zp_sbrk(intptr_t increment);

#define malloc         zp_malloc
#define free           zp_free
#define calloc         zp_calloc
#define realloc        zp_realloc
#define aligned_alloc  zp_aligned_alloc
#define posix_memalign zp_posix_memalign
#define sbrk           zp_sbrk
#include "user/lib/malloc.c"
#undef malloc
#undef free
#undef calloc
#undef realloc
#undef aligned_alloc
#undef posix_memalign
#undef sbrk

#define ARENA_SIZE (64UL << 20)
static char *arena, *arena_break;
static size_t arena_limit = ARENA_SIZE; /* where the simulated kernel says no */

/* A break in an area of our own; what is given back becomes unreadable. */
static void *zp_sbrk(intptr_t increment)
{
    if (arena == NULL) {
        arena =
            mmap(NULL, ARENA_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        assert_ptr_not_equal(arena, MAP_FAILED);
        arena_break = arena;
    }
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
    for (;; chunk = chunk_at(chunk, size_of(chunk))) {
        assert_int_equal(chunk->below, below);
        if (size_of(chunk) == 0)
            return;
        bool is_free = !(chunk->size & IN_USE);
        assert_false(is_free && below_is_free);
        if (is_free) {
            struct chunk *listed = *bin_of(chunk->size);
            while (listed != NULL && listed != chunk)
                listed = listed->next;
            assert_ptr_equal(listed, chunk);
        }
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

static void assert_contents(int i)
{
    for (size_t byte = 0; byte < model[i].size; byte++)
        if (model[i].block[byte] != model[i].fill)
            fail_msg("byte %zu of a block of %zu was changed", byte, model[i].size);
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
        for (size_t byte = 0; byte < kept; byte++)
            if (block[byte] != fill)
                fail_msg("realloc from %zu to %zu lost byte %zu", model[i].size, size, byte);
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
        for (size_t byte = 0; byte < size; byte++)
            assert_int_equal(block[byte], 0);
        set_block(i, block, size);
    } else {
        set_block(i, zp_malloc(size), size);
    }
}

static void malloc_keeps_every_block_apart_and_gives_all_memory_back(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 10; seed++) {
        srand(seed);
        for (int step = 0; step < 20000; step++) {
            one_random_step(rand() % BLOCKS);
            if (step % 500 == 0)
                assert_segment_is_sound((struct chunk *)arena);
        }
        for (int i = 0; i < BLOCKS; i++) {
            zp_free(model[i].block);
            model[i].block = NULL;
            model[i].size = 0;
        }
        assert_segment_is_sound((struct chunk *)arena);
        if ((size_t)(arena_break - arena) - HEADER_SIZE >= TRIM_THRESHOLD) /* the end chunk */
            fail_msg("all is free, and still the heap has %zu bytes",
                     (size_t)(arena_break - arena));
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
