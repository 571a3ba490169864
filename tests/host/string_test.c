/* The kernel's string functions against the host's C library (see host.mk for their names here). */
#include <stdlib.h>
#include "kernel/lib/string.h"
#include "tests/host/harness.h"

void *kernel_memcpy(void *dest, const void *src, size_t n);
void *kernel_memmove(void *dest, const void *src, size_t n);
void *kernel_memset(void *dest, int byte, size_t n);
int kernel_memcmp(const void *a, const void *b, size_t n);
size_t kernel_strlen(const char *s);
size_t kernel_strnlen(const char *s, size_t max);
int kernel_strcmp(const char *a, const char *b);
int kernel_strncmp(const char *a, const char *b, size_t n);
char *kernel_strchr(const char *s, int c);
char *kernel_strrchr(const char *s, int c);
size_t kernel_strlcpy(char *dest, const char *src, size_t size);

#define BYTES 200

static u64 random_state;

static void fill_randomly(u8 *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (u8)next_random(&random_state);
}

static void memcpy_and_memset_write_exactly_their_bytes(void **state)
{
    u8 source[BYTES], expected[BYTES], got[BYTES];

    (void)state;
    random_state = 3;
    for (size_t n = 0; n < 100; n++)
        for (size_t offset = 0; offset < 9; offset++) {
            fill_randomly(source, BYTES);
            fill_randomly(expected, BYTES);
            memcpy(got, expected, BYTES);
            memcpy(expected + offset, source + 3, n);
            assert_ptr_equal(kernel_memcpy(got + offset, source + 3, n), got + offset);
            assert_memory_equal(got, expected, BYTES);
            memset(expected + offset, 0x1a7, n);
            assert_ptr_equal(kernel_memset(got + offset, 0x1a7, n), got + offset);
            assert_memory_equal(got, expected, BYTES);
        }
}

static void memmove_copies_over_itself_in_both_directions(void **state)
{
    u8 expected[BYTES], got[BYTES];

    (void)state;
    random_state = 4;
    for (size_t n = 0; n < 70; n++)
        for (size_t from = 0; from < 40; from++)
            for (size_t to = 0; to < 40; to += 3) {
                fill_randomly(expected, BYTES);
                memcpy(got, expected, BYTES);
                memmove(expected + to, expected + from, n);
                assert_ptr_equal(kernel_memmove(got + to, got + from, n), got + to);
                assert_memory_equal(got, expected, BYTES);
            }
}

static int sign(int value)
{
    return value > 0 ? 1 : value < 0 ? -1 : 0;
}

/* A short string of few different letters, bytes above 127 among them. */
static void random_string(char *s, size_t max)
{
    size_t length = next_random(&random_state) % max;

    for (size_t i = 0; i < length; i++)
        s[i] = "ab\x80z"[next_random(&random_state) % 4];
    s[length] = '\0';
}

static void strings_compare_and_search_as_the_c_library_does(void **state)
{
    (void)state;
    random_state = 5;
    for (unsigned round = 0; round < 50000; round++) {
        char a[12], b[12];
        size_t n = next_random(&random_state) % 14;
        int c = "ab\x80z\0q"[next_random(&random_state) % 6];

        random_string(a, sizeof(a));
        random_string(b, round % 2 ? sizeof(b) : 4);
        assert_int_equal(kernel_strlen(a), strlen(a));
        assert_int_equal(kernel_strnlen(a, n), strnlen(a, n));
        assert_int_equal(sign(kernel_strcmp(a, b)), sign(strcmp(a, b)));
        assert_int_equal(sign(kernel_strncmp(a, b, n)), sign(strncmp(a, b, n)));
        assert_int_equal(sign(kernel_memcmp(a, b, MIN(n, 4ul))), sign(memcmp(a, b, MIN(n, 4ul))));
        assert_ptr_equal(kernel_strchr(a, c), strchr(a, c));
        assert_ptr_equal(kernel_strrchr(a, c), strrchr(a, c));
    }
}

static void strnlen_looks_no_further_than_told(void **state)
{
    (void)state;
    char *exact = malloc(5);    /* the sanitizer sees a byte too many */

    memset(exact, 'x', 5);
    assert_int_equal(kernel_strnlen(exact, 5), 5);
    free(exact);
}

static void strlcpy_cuts_and_always_ends_with_nul(void **state)
{
    char buffer[6] = "-----";

    (void)state;
    assert_int_equal(kernel_strlcpy(buffer, "abc", sizeof(buffer)), 3);
    assert_string_equal(buffer, "abc");
    assert_int_equal(kernel_strlcpy(buffer, "abcdefgh", sizeof(buffer)), 8);
    assert_string_equal(buffer, "abcde");
    assert_int_equal(kernel_strlcpy(buffer, "zz", 1), 2);
    assert_string_equal(buffer, "");
    buffer[0] = '!';
    assert_int_equal(kernel_strlcpy(buffer, "zz", 0), 2);
    assert_int_equal(buffer[0], '!');
}

static void numbers_are_read_in_three_bases(void **state)
{
    static const char *const texts[] = { "0", "1", "42", "0x1f", "0X1F", "017", "0", "x", "", "0x", "0xg", "08", "12ab",
                                         "18446744073709551615", "0xffffffffffffffff", "0777777777777777777777" };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *end;
        char *expected_end;
        unsigned long expected = strtoul(texts[i], &expected_end, 0);

        assert_int_equal(parse_number(texts[i], &end), expected);
        assert_ptr_equal(end, expected_end);
        assert_int_equal(parse_number(texts[i], NULL), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memcpy_and_memset_write_exactly_their_bytes),
        cmocka_unit_test(memmove_copies_over_itself_in_both_directions),
        cmocka_unit_test(strings_compare_and_search_as_the_c_library_does),
        cmocka_unit_test(strnlen_looks_no_further_than_told),
        cmocka_unit_test(strlcpy_cuts_and_always_ends_with_nul),
        cmocka_unit_test(numbers_are_read_in_three_bases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
