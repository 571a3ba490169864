/*
 * Tests of user/lib on the host: printf, scanf, numbers, strings and sorting against the host's C library.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printf_equals_the_hosts_for_every_flag_width_and_precision),
        cmocka_unit_test(printf_equals_the_hosts_for_text_pointers_and_stars),
        cmocka_unit_test(snprintf_writes_no_byte_too_many_and_returns_the_whole_length),
        cmocka_unit_test(sscanf_equals_the_hosts),
        cmocka_unit_test(strtol_and_strtoul_equal_the_hosts),
        cmocka_unit_test(qsort_sorts_and_bsearch_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
