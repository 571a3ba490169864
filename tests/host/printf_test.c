/*
 * The kernel's formatted output against the host's C library (see host.mk for its names here), and kernel
 * messages.
 */
#include <stdlib.h>
#include "kernel/lib/printf.h"
#include "tests/host/harness.h"

int kernel_snprintf(char *buffer, size_t size, const char *format, ...);
int kernel_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);

#define BUFFER 300

/* Formats with both and compares text and length. The format is not a literal on purpose. */
#define compare(format, ...)                                                                    \
    do {                                                                                        \
        char expected[BUFFER], got[BUFFER];                                                     \
        int expected_length = snprintf(expected, BUFFER, format, __VA_ARGS__);                  \
        int length = kernel_snprintf(got, BUFFER, format, __VA_ARGS__);                         \
        if (length != expected_length || strcmp(got, expected) != 0)                            \
            fail_msg("\"%s\" gives \"%s\" (%d), not \"%s\" (%d)", format, got, length, expected, expected_length); \
    } while (0)

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

static void text_without_conversions_stays(void **state)
{
    (void)state;
    compare("plain %% text%s", "");
    compare("%c%c%c", 'a', 'b', 'c');
    compare("[%s] [%10s] [%-10s] [%.2s] [%10.3s] [%-10.0s]", "abc", "abc", "abc", "abc", "abcdef", "abc");
    compare("[%*s] [%-*s] [%*s] [%.*s]", 6, "a", 6, "b", -6, "c", 1, "dd");
    compare("[%5c] [%-5c]", 'x', 'y');
}

static void a_null_string_is_readable(void **state)
{
    char got[BUFFER];
    const char *nothing = NULL;

    (void)state;
    kernel_snprintf(got, BUFFER, "%s", nothing);
    assert_string_equal(got, "(null)");
}

static void pointers_are_hexadecimal_with_0x(void **state)
{
    char got[BUFFER];

    (void)state;
    compare("%p %20p %-20p", (void *)0x1234, (void *)0xffff888000000000, (void *)0xabc);
    kernel_snprintf(got, BUFFER, "%p", NULL);
    assert_string_equal(got, "0x0");
}

/* Every combination of flags, some widths and precisions, lengths, conversions and values. */
static void every_integer_conversion_is_as_in_the_c_library(void **state)
{
    static const char *const flags[] = { "", "-", "0", "+", " ", "#", "-0", "0+", "+ ", "#0", "-#", "-+ #0" };
    static const char *const widths[] = { "", "1", "5", "12", "30" };
    static const char *const precisions[] = { "", ".", ".0", ".1", ".7", ".25" };
    static const char *const lengths[] = { "", "hh", "h", "l", "ll", "z" };
    static const long values[] = { 0, 1, -1, 7, 8, 42, -42, 127, 128, 255, 256, 65535, 2147483647, -2147483648L,
                                   4294967295, 4294967296, INT64_MAX, INT64_MIN };

    (void)state;
    for (unsigned f = 0; f < ARRAY_SIZE(flags); f++)
        for (unsigned w = 0; w < ARRAY_SIZE(widths); w++)
            for (unsigned p = 0; p < ARRAY_SIZE(precisions); p++)
                for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++)
                    for (const char *letter = "diuxXo"; *letter != '\0'; letter++)
                        for (unsigned v = 0; v < ARRAY_SIZE(values); v++) {
                            char format[40];
                            snprintf(format, sizeof(format), "<%%%s%s%s%s%c>", flags[f], widths[w],
                                     precisions[p], lengths[l], *letter);
                            if (l < 3)
                                compare(format, (int)values[v]);
                            else
                                compare(format, values[v]);
                        }
}

static void width_and_precision_may_be_arguments(void **state)
{
    (void)state;
    for (int width = -20; width <= 20; width += 5)
        for (int precision = -1; precision < 10; precision += 3)
            compare("<%*.*d> <%0*x> <%-*.*lu>", width, precision, 1234, width, 0xabcu, width, precision, 99ul);
}

static void output_is_cut_but_the_whole_length_is_returned(void **state)
{
    (void)state;
    for (size_t size = 0; size < 12; size++) {
        char *expected = malloc(size + 1), *got = malloc(size + 1);

        memset(expected, '#', size + 1);
        memset(got, '#', size + 1);
        assert_int_equal(snprintf(expected, size, "abc%05d", 42), 8);
        assert_int_equal(kernel_snprintf(got, size, "abc%05d", 42), 8);
        assert_memory_equal(got, expected, size + 1);
        free(expected);
        free(got);
    }
}

static void scnprintf_returns_what_is_in_the_buffer(void **state)
{
    char buffer[6];

    (void)state;
    assert_int_equal(scnprintf(buffer, sizeof(buffer), "%d", 123), 3);
    assert_int_equal(scnprintf(buffer, sizeof(buffer), "%d", 1234567), 5);
    assert_string_equal(buffer, "12345");
    assert_int_equal(scnprintf(buffer, 0, "%d", 1), 0);
    assert_int_equal(scnprintf(buffer, 1, "%d", 1), 0);
}

static void an_unknown_conversion_is_shown_as_it_stands(void **state)
{
    char got[BUFFER];
    const char *format = "a%qb%";

    (void)state;
    kernel_snprintf(got, BUFFER, format);
    assert_string_equal(got, "a%qb%");
}

/* ---- kernel messages ---- */

static char heard[2][2000];
static size_t heard_length[2];

static void hear(unsigned ear, const char *text, size_t length)
{
    memcpy(heard[ear] + heard_length[ear], text, length);
    heard_length[ear] += length;
    heard[ear][heard_length[ear]] = '\0';
}

static void usual_sink(const char *text, size_t length)
{
    hear(0, text, length);
}

static void urgent_sink(const char *text, size_t length)
{
    hear(1, text, length);
}

static void a_message_is_a_line_for_every_sink_that_wants_it(void **state)
{
    extern bool panicking;

    (void)state;
    printk("nobody listens\n");
    printk_add_sink(usual_sink, false);
    printk_add_sink(urgent_sink, true);
    printk("audit: %d findings\n", 3);
    printk("without a newline");
    assert_string_equal(heard[0], "audit: 3 findings\nwithout a newline\n");
    assert_string_equal(heard[1], "");
    panicking = true;
    printk("panic\n");
    panicking = false;
    assert_string_equal(heard[1], "panic\n");
    assert_string_equal(heard[0], "audit: 3 findings\nwithout a newline\npanic\n");
    heard_length[0] = 0;
    printk("%600s", "x");
    assert_int_equal(heard_length[0], 512);
    assert_int_equal(heard[0][511], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_without_conversions_stays),
        cmocka_unit_test(a_null_string_is_readable),
        cmocka_unit_test(pointers_are_hexadecimal_with_0x),
        cmocka_unit_test(every_integer_conversion_is_as_in_the_c_library),
        cmocka_unit_test(width_and_precision_may_be_arguments),
        cmocka_unit_test(output_is_cut_but_the_whole_length_is_returned),
        cmocka_unit_test(scnprintf_returns_what_is_in_the_buffer),
        cmocka_unit_test(an_unknown_conversion_is_shown_as_it_stands),
        cmocka_unit_test(a_message_is_a_line_for_every_sink_that_wants_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
