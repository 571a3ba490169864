/* Where exec puts what lies below the strings: compared with addresses seen on Linux 6.1. */
#include "tests/host/harness.h"

#include "kernel/proc/exec.h"

static void the_layout_is_that_of_linux(void **state)
{
    /* `dump one two` with three environment strings, without randomisation. */
    struct stack_layout layout = exec_stack_layout(0x7fffffffefc1, 3, 3);

    (void)state;
    assert_int_equal(layout.platform, 0x7fffffffefb9);
    assert_int_equal(layout.random, 0x7fffffffefa9);
    assert_int_equal(layout.pointer, 0x7fffffffee20);
}

static void the_words_fill_the_place_between(void **state)
{
    (void)state;
    for (int arguments = 1; arguments < 40; arguments++) {
        for (unsigned long strings = 0x7fffffff0000; strings < 0x7fffffff0020; strings++) {
            struct stack_layout layout = exec_stack_layout(strings, arguments, 5);
            unsigned long end = layout.pointer + layout.words * sizeof(unsigned long);

            assert_int_equal(layout.pointer % 16, 0);
            assert_int_equal(layout.words, 1 + arguments + 1 + 5 + 1 + 2 * AUX_ENTRIES);
            assert_true(end <= layout.random && layout.random - end < 16);
            assert_int_equal(layout.random + RANDOM_BYTES, layout.platform);
            assert_true(layout.platform + sizeof(PLATFORM) <= strings);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_is_that_of_linux),
        cmocka_unit_test(the_words_fill_the_place_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
