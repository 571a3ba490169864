/* kernel/lib/cmdline.c: the command line is options and, behind ` -- `, arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/lib/cmdline.h"

static void the_command_line_is_options_and_then_arguments(void **state)
{
    char text[] = "  quiet init=/bin/a journal= init=/bin/b  --  quiet2 x=y -- z";

    (void)state;
    assert_int_equal(cmdline_parse(text), 9);
    assert_true(cmdline_has("quiet"));
    assert_false(cmdline_has("quie"));
    assert_false(cmdline_has("quiet2"));
    assert_false(cmdline_has("init"));
    assert_string_equal(cmdline_get("init"), "/bin/b");
    assert_string_equal(cmdline_get("journal"), "");
    assert_null(cmdline_get("x"));
    assert_null(cmdline_get("ini"));
    const char *const *arguments = cmdline_init_arguments();
    assert_string_equal(arguments[0], "quiet2");
    assert_string_equal(arguments[1], "x=y");
    assert_string_equal(arguments[2], "--");
    assert_string_equal(arguments[3], "z");
    assert_null(arguments[4]);
}

static void a_command_line_without_arguments_or_words_is_fine(void **state)
{
    char empty[] = "", options[] = "a b ", dashes[] = "a --";

    (void)state;
    assert_int_equal(cmdline_parse(empty), 0);
    assert_null(cmdline_init_arguments()[0]);
    assert_int_equal(cmdline_parse(options), 2);
    assert_null(cmdline_init_arguments()[0]);
    assert_int_equal(cmdline_parse(dashes), 2);
    assert_null(cmdline_init_arguments()[0]);
}

static void words_beyond_the_limit_are_left_out(void **state)
{
    char text[4 * CMDLINE_MAX_WORDS];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 ? ' ' : 'w';
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(cmdline_parse(text), CMDLINE_MAX_WORDS);
    assert_null(cmdline_init_arguments()[0]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_line_is_options_and_then_arguments),
        cmocka_unit_test(a_command_line_without_arguments_or_words_is_fine),
        cmocka_unit_test(words_beyond_the_limit_are_left_out),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
