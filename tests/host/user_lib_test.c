/*
 * Tests of user/lib on the host: printf, scanf, numbers, strings and sorting against the host's C
 * library, and the allocator against a model, over a simulated break.
 *
 * Self-contained: it includes the library's sources under other names. Build with -I. -lcmocka.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
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

/* --- the library under test, with every name that the host has too prefixed by zp_ -------- */

static void *zp_sbrk(intptr_t increment);

#define conversion       print_conversion
#define parse_size       print_parse_size
#define parse_conversion print_parse_conversion
#define convert          print_convert
#include "user/lib/format.c"
#undef conversion
#undef parse_size
#undef parse_conversion
#undef convert
#undef DIGITS_MAX

#define vsnprintf zp_vsnprintf
#define vsprintf  zp_vsprintf
#define snprintf  zp_snprintf
#define sprintf   zp_sprintf
#define vdprintf  zp_vdprintf
#define dprintf   zp_dprintf
#include "user/lib/printf.c"
#undef snprintf
#undef dprintf

#define atoi     zp_atoi
#define atol     zp_atol
#define strtol   zp_strtol
#define strtoul  zp_strtoul
#define strtoll  zp_strtoll
#define strtoull zp_strtoull
#define srand    zp_srand
#define rand     zp_rand
#include "user/lib/numbers.c"
#undef strtol
#undef strtoul
#undef srand
#undef rand

#define convert scan_convert
#define vsscanf zp_vsscanf
#define sscanf  zp_sscanf
#include "user/lib/scan.c"
#undef sscanf

#define qsort   zp_qsort
#define bsearch zp_bsearch
#include "user/lib/sort.c"
#undef qsort
#undef bsearch

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

/* --- printf ------------------------------------------------------------------------------- */

#define AS_PRINTED 256

/* What we print equals what the host prints, the returned length too. */
#define assert_same_print(...) \
    do { \
        char ours[AS_PRINTED], theirs[AS_PRINTED]; \
        int our_length = zp_snprintf(ours, sizeof ours, __VA_ARGS__); \
        int their_length = snprintf(theirs, sizeof theirs, __VA_ARGS__); \
        if (strcmp(ours, theirs) != 0 || our_length != their_length) \
            fail_msg("the format of %s: ours \"%s\" (%d), the host's \"%s\" (%d)", #__VA_ARGS__, \
                     ours, our_length, theirs, their_length); \
    } while (0)

/* GCC knows what some of these flags do not do; that is what is tested. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-overflow"
#endif

static void printf_equals_the_hosts_for_every_flag_width_and_precision(void **state)
{
    static const char *const flags[] = {"",   "-",  "0",  "+",  " ",  "#",
                                        "-#", "0#", "+0", " 0", "-+", "-0"};
    static const char *const widths[] = {"", "1", "5", "12", "25"};
    static const char *const precisions[] = {"", ".", ".0", ".1", ".4", ".9", ".25"};
    static const char *const sizes[] = {"hh", "h", "", "l", "ll", "z", "j", "t"};
    static const long values[] = {0,   1,    -1,      7,       8,        42,      -42,
                                  255, 4096, INT_MAX, INT_MIN, LONG_MAX, LONG_MIN};
    (void)state;
    for (size_t f = 0; f < sizeof flags / sizeof *flags; f++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (size_t p = 0; p < sizeof precisions / sizeof *precisions; p++)
                for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                    for (const char *letter = "diuxXo"; *letter != '\0'; letter++)
                        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
                            char format[40];
                            snprintf(format, sizeof format, "<%%%s%s%s%s%c>", flags[f], widths[w],
                                     precisions[p], sizes[s], *letter);
                            char ours[AS_PRINTED], theirs[AS_PRINTED];
                            int our_length = zp_snprintf(ours, sizeof ours, format, values[v]);
                            int their_length = snprintf(theirs, sizeof theirs, format, values[v]);
                            if (strcmp(ours, theirs) != 0 || our_length != their_length)
                                fail_msg("%s of %ld: ours %s, the host's %s", format, values[v],
                                         ours, theirs);
                        }
}

static void printf_equals_the_hosts_for_text_pointers_and_stars(void **state)
{
    (void)state;
    assert_same_print("%s|%10s|%-10s|%.2s|%10.2s|%-10.2s|", "word", "word", "word", "word", "word",
                      "word");
    assert_same_print("%s|%.3s|%.6s|%10s", (char *)NULL, (char *)NULL, (char *)NULL, (char *)NULL);
    assert_same_print("%c%5c%-5c|", 'a', 'b', 'c');
    assert_same_print("%p %20p %-20p|", (void *)0x1234, (void *)0xffffffff80000000, (void *)1);
    assert_same_print("%p %10p|", NULL, NULL);
    assert_same_print("%*d|%-*d|%*d|", 8, 1, 8, 2, -8, 3);
    assert_same_print("%.*d|%.*s|%.*s|", 4, 1, 2, "word", -1, "word");
    assert_same_print("100%% %d%%", 7);
    assert_same_print("%s", "");
    assert_same_print("no conversion at all");
    assert_same_print("%d %s %lu %c %x", 1, "two", 3UL, '4', 5);
    assert_same_print("%d%d%d%d%d%d%d%d%d%d%ld", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11L);
}

static void snprintf_writes_no_byte_too_many_and_returns_the_whole_length(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 12; size++) {
        char ours[16], theirs[16];
        memset(ours, 'x', sizeof ours);
        memset(theirs, 'x', sizeof theirs);
        assert_int_equal(zp_snprintf(ours, size, "%s:%d", "hello", 1234), 10);
        assert_int_equal(snprintf(theirs, size, "%s:%d", "hello", 1234), 10);
        assert_memory_equal(ours, theirs, sizeof ours);
    }
}

/* --- scanf, numbers, sorting -------------------------------------------------------------- */

static void sscanf_equals_the_hosts(void **state)
{
    static const struct {
        const char *text, *format;
    } cases[] = {
        {"12 34", "%ld %ld"},
        {"12", "%ld %ld"},
        {"", "%ld"},
        {"x", "%ld"},
        {"-7,0x1f", "%ld,%lx"},
        {"400000-401000", "%lx-%lx"},
        {"0755 9", "%lo%ld"},
        {"1234", "%2ld%2ld"},
        {"5% 6", "%ld%% %ld"},
        {"  8", "%ld"},
        {"a8", "a%ld"},
        {"b8", "a%ld"},
        {"1 2 3", "%*d %ld %ld"},
        {"0x10 010", "%li %li"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long ours[2] = {111, 222}, theirs[2] = {111, 222};
        int our_count = zp_sscanf(cases[i].text, cases[i].format, &ours[0], &ours[1]);
        int their_count = sscanf(cases[i].text, cases[i].format, &theirs[0], &theirs[1]);
        if (our_count != their_count || memcmp(ours, theirs, sizeof ours) != 0)
            fail_msg("\"%s\" by \"%s\": ours %d (%ld, %ld), the host's %d (%ld, %ld)",
                     cases[i].text, cases[i].format, our_count, ours[0], ours[1], their_count,
                     theirs[0], theirs[1]);
    }
    char word[20], rest[20], letter;
    int length;
    assert_int_equal(
        zp_sscanf("key:  value more", "%19[^:]: %19s%c%n", word, rest, &letter, &length), 3);
    assert_string_equal(word, "key");
    assert_string_equal(rest, "value");
    assert_int_equal(letter, ' ');
    assert_int_equal(length, 12);
    assert_int_equal(zp_sscanf("b-d3", "%19[a-d]%19[^]]", word, rest), 2);
    assert_string_equal(word, "b");
    assert_string_equal(rest, "-d3");
}

static void strtol_and_strtoul_equal_the_hosts(void **state)
{
    static const char *const texts[] = {
        "0",
        "1",
        "-1",
        "+5",
        "  42x",
        "0x1F",
        "0x",
        "0xg",
        "017",
        "08",
        "",
        "-",
        "zz",
        "99999999999999999999",
        "-99999999999999999999",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "\t\n 7",
    };
    static const int bases[] = {0, 2, 8, 10, 16, 36};
    (void)state;
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
        for (size_t b = 0; b < sizeof bases / sizeof *bases; b++) {
            char *our_end, *their_end;
            errno = 0;
            long ours = zp_strtol(texts[t], &our_end, bases[b]);
            int our_error = errno;
            errno = 0;
            long theirs = strtol(texts[t], &their_end, bases[b]);
            if (ours != theirs || our_end != their_end || our_error != errno)
                fail_msg("strtol(\"%s\", %d): ours %ld, the host's %ld", texts[t], bases[b], ours,
                         theirs);
            errno = 0;
            unsigned long our_unsigned = zp_strtoul(texts[t], &our_end, bases[b]);
            our_error = errno;
            errno = 0;
            unsigned long their_unsigned = strtoul(texts[t], &their_end, bases[b]);
            if (our_unsigned != their_unsigned || our_end != their_end || our_error != errno)
                fail_msg("strtoul(\"%s\", %d): ours %lu, the host's %lu", texts[t], bases[b],
                         our_unsigned, their_unsigned);
        }
}

static int compare_ints(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

static void qsort_sorts_and_bsearch_finds(void **state)
{
    (void)state;
    for (int count = 0; count < 200; count++) {
        int ours[200], theirs[200];
        for (int i = 0; i < count; i++)
            ours[i] = theirs[i] = zp_rand() % 100;
        zp_qsort(ours, (size_t)count, sizeof *ours, compare_ints);
        qsort(theirs, (size_t)count, sizeof *theirs, compare_ints);
        assert_memory_equal(ours, theirs, sizeof *ours * (size_t)count);
        for (int key = -1; key <= 100; key++) {
            int *found = zp_bsearch(&key, ours, (size_t)count, sizeof *ours, compare_ints);
            bool exists =
                bsearch(&key, theirs, (size_t)count, sizeof *theirs, compare_ints) != NULL;
            assert_int_equal(found != NULL, exists);
            if (found != NULL)
                assert_int_equal(*found, key);
        }
    }
}

/* --- the allocator ------------------------------------------------------------------------ */

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
    switch (zp_rand() % 20) {
    case 0:
        return 0;
    case 1:
        return (size_t)(zp_rand() % 400000); /* some of these are mappings */
    case 2:
    case 3:
        return (size_t)(zp_rand() % 20000);
    default:
        return (size_t)(zp_rand() % 500);
    }
}

static void set_block(int i, void *block, size_t size)
{
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 16, 0);
    model[i].block = block;
    model[i].size = size;
    model[i].fill = (unsigned char)zp_rand();
    memset(block, model[i].fill, size);
}

static void one_random_step(int i)
{
    size_t size = random_size();
    assert_contents(i);
    if (model[i].block != NULL && zp_rand() % 3 == 0) {
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
    } else if (zp_rand() % 8 == 0) {
        size_t alignment = 16UL << zp_rand() % 9;
        void *block = zp_aligned_alloc(alignment, size);
        assert_int_equal((uintptr_t)block % alignment, 0);
        set_block(i, block, size);
    } else if (zp_rand() % 4 == 0) {
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
        zp_srand(seed);
        for (int step = 0; step < 20000; step++) {
            one_random_step(zp_rand() % BLOCKS);
            if (step % 500 == 0)
                assert_segment_is_sound((struct chunk *)arena);
        }
        for (int i = 0; i < BLOCKS; i++) {
            zp_free(model[i].block);
            model[i].block = NULL;
            model[i].size = 0;
        }
        assert_segment_is_sound((struct chunk *)arena);
        if ((size_t)(arena_break - arena) >= TRIM_THRESHOLD)
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
        cmocka_unit_test(printf_equals_the_hosts_for_every_flag_width_and_precision),
        cmocka_unit_test(printf_equals_the_hosts_for_text_pointers_and_stars),
        cmocka_unit_test(snprintf_writes_no_byte_too_many_and_returns_the_whole_length),
        cmocka_unit_test(sscanf_equals_the_hosts),
        cmocka_unit_test(strtol_and_strtoul_equal_the_hosts),
        cmocka_unit_test(qsort_sorts_and_bsearch_finds),
        cmocka_unit_test(malloc_keeps_every_block_apart_and_gives_all_memory_back),
        cmocka_unit_test(malloc_survives_a_break_that_others_move_or_that_cannot_move),
        cmocka_unit_test(malloc_refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
