/* The terminal's line discipline: what typed bytes do, seen in the echo, in what programs can read, and in signals. */
#include "kernel/dev/serial.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/tty_line.h"
#include "kernel/lib/string.h"
#include "tests/host/harness.h"

/* ---- the neighbours, as far as the line discipline needs them ---- */

static char screen[65536];
static size_t screen_length;
static int signal_sent, group_signalled;
static unsigned notified;       /* what those who watch the terminal were told: POLLIN … */

void serial_write(enum serial_port port, const char *bytes, size_t length)
{
    assert_int_equal(port, SERIAL_COM1);
    assert_true(screen_length + length < sizeof(screen));
    memcpy(screen + screen_length, bytes, length);
    screen_length += length;
    screen[screen_length] = '\0';
}

void screen_write(const char *bytes, size_t length)
{
    (void)bytes;
    (void)length;
}

void wake_all(struct wait_queue *queue)
{
    (void)queue;
}

void poll_notify(struct list_head *watchers, unsigned events)
{
    (void)watchers;
    notified |= events;
}

int signal_send_group(int group, int signal, const struct signal_info *info)
{
    (void)info;
    group_signalled = group;
    signal_sent = signal;
    return 1;
}

/* ---- a terminal and somebody who types ---- */

static struct tty tty;

static int fresh_terminal(void **state)
{
    (void)state;
    memset(&tty, 0, sizeof(tty));
    tty_line_reset(&tty);
    tty.foreground = 7;
    screen_length = 0;
    screen[0] = '\0';
    signal_sent = group_signalled = 0;
    notified = 0;
    return 0;
}

static void type(const char *text)
{
    for (; *text; text++)
        tty_line_receive(&tty, (u8)*text);
}

/* What programs can read, ends of lines as `|` and ^D as `$`. */
static const char *readable(void)
{
    static char text[TTY_INPUT * 2 + 1];
    size_t length = 0;
    unsigned marks = 0;

    for (unsigned i = 0; i < tty.used; i++) {
        u16 entry = tty.input[(tty.first + i) % TTY_INPUT];
        if (entry & INPUT_EOF)
            text[length++] = '$';
        else
            text[length++] = (char)entry;
        if (entry & INPUT_LINE_END)
            text[length++] = '|';
        marks += (entry & (INPUT_EOF | INPUT_LINE_END)) != 0;
    }
    text[length] = '\0';
    assert_int_equal(marks, tty.lines);
    return text;
}

static void set_flags(u32 add, u32 remove)
{
    struct termios old = tty.termios;
    tty.termios.c_lflag = (tty.termios.c_lflag | add) & ~remove;
    tty_line_settings_changed(&tty, &old);
}

/* ---- the rules ---- */

static void a_line_is_readable_when_it_is_complete(void **state)
{
    (void)state;
    type("ls");
    assert_string_equal(readable(), "");
    type(" /\r");
    assert_string_equal(readable(), "ls /\n|");
    type("ps\n");
    assert_string_equal(readable(), "ls /\n|ps\n|");
    assert_string_equal(screen, "ls /\r\nps\r\n");
}

static void who_watches_is_told_when_a_line_is_complete_and_when_output_goes_on(void **state)
{
    (void)state;
    type("ab\x7f");
    assert_int_equal(notified, 0);
    type("\n");
    assert_int_equal(notified, POLLIN | POLLRDNORM);
    notified = 0;
    type("\x13");
    assert_int_equal(notified, 0);
    type("\x11");
    assert_int_equal(notified, POLLOUT | POLLWRNORM);
}

static void backspace_takes_back_one_character(void **state)
{
    (void)state;
    type("abc\x7f\x7f" "d\b\n");
    assert_string_equal(readable(), "a\n|");
    assert_string_equal(screen, "abc\b \b\b \bd\b \b\r\n");
    fresh_terminal(state);
    type("\x7f\x7fx\n");
    assert_string_equal(readable(), "x\n|");
    assert_string_equal(screen, "x\r\n");
}

static void it_takes_back_as_many_columns_as_the_echo_took(void **state)
{
    (void)state;
    type("\x01\x7f");
    assert_string_equal(screen, "^A\b \b\b \b");
    fresh_terminal(state);
    type("ab\t\x7f");
    assert_string_equal(screen, "ab\t\b \b\b \b\b \b\b \b\b \b\b \b");
    fresh_terminal(state);
    tty_line_output(&tty, (const u8 *)"prompt ", 7);
    screen_length = 0;
    type("\t\x7f");
    assert_string_equal(screen, "\t\b \b");
    fresh_terminal(state);
    type("\xc3\xa4\x7f\n");
    assert_string_equal(screen, "\xc3\xa4\b \b\r\n");
    assert_string_equal(readable(), "\n|");
}

static void control_w_and_control_u_take_back_more(void **state)
{
    (void)state;
    type("one two  \x17x\n");
    assert_string_equal(readable(), "one x\n|");
    fresh_terminal(state);
    type("one two\x15x\n");
    assert_string_equal(readable(), "x\n|");
    assert_int_equal(strlen(screen), 7 + 7 * 3 + 1 + 2);
}

static void control_d_gives_what_there_is(void **state)
{
    (void)state;
    type("ab\x04");
    assert_string_equal(readable(), "ab$");
    type("\x04");
    assert_string_equal(readable(), "ab$$");
    assert_string_equal(screen, "ab");
}

static void keys_send_signals_to_the_foreground(void **state)
{
    static const struct {
        const char *key;
        int signal;
    } keys[] = { { "\x03", SIGINT }, { "\x1c", SIGQUIT }, { "\x1a", SIGTSTP } };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        fresh_terminal(state);
        type("old\nab");
        type(keys[i].key);
        assert_int_equal(signal_sent, keys[i].signal);
        assert_int_equal(group_signalled, 7);
        assert_string_equal(readable(), "");        /* what was typed ahead is forgotten */
        type("c\n");
        assert_string_equal(readable(), "c\n|");
    }
    fresh_terminal(state);
    type("\x03");
    assert_string_equal(screen, "^C");
    fresh_terminal(state);
    set_flags(NOFLSH, 0);
    type("ab\x03" "c\n");
    assert_string_equal(readable(), "abc\n|");
    fresh_terminal(state);
    set_flags(0, ISIG);
    type("a\x03\n");
    assert_int_equal(signal_sent, 0);
    assert_string_equal(readable(), "a\x03\n|");
}

static void nobody_in_front_gets_no_signal(void **state)
{
    (void)state;
    tty.foreground = 0;
    type("\x03");
    assert_int_equal(signal_sent, 0);
}

static void control_v_takes_the_next_key_as_it_is(void **state)
{
    (void)state;
    type("\x16\x03\x16\x7f\n");
    assert_string_equal(readable(), "\x03\x7f\n|");
    assert_int_equal(signal_sent, 0);
    assert_string_equal(screen, "^C^?\r\n");
}

static void without_canonical_mode_each_byte_is_readable_at_once(void **state)
{
    (void)state;
    set_flags(0, ICANON | ECHO);
    type("a\x7f\x04\x15\r");
    assert_string_equal(readable(), "a\x7f\x04\x15\n");
    assert_string_equal(screen, "");
}

static void switching_modes_loses_nothing(void **state)
{
    (void)state;
    type("half");
    set_flags(0, ICANON);
    assert_string_equal(readable(), "half");
    type("x");
    set_flags(ICANON, 0);
    assert_string_equal(readable(), "halfx|");
}

static void carriage_returns_are_translated_as_told(void **state)
{
    (void)state;
    tty.termios.c_iflag = 0;
    type("a\rb\n");
    assert_string_equal(readable(), "a\rb\n|");
    fresh_terminal(state);
    tty.termios.c_iflag = IGNCR;
    type("a\rb\n");
    assert_string_equal(readable(), "ab\n|");
    fresh_terminal(state);
    tty.termios.c_iflag = INLCR | ICRNL;
    type("a\nb\r");
    assert_string_equal(readable(), "a\rb\n|");
}

static void output_gets_carriage_returns(void **state)
{
    (void)state;
    tty_line_output(&tty, (const u8 *)"a\nb\n\n", 5);
    assert_string_equal(screen, "a\r\nb\r\n\r\n");
    fresh_terminal(state);
    tty.termios.c_oflag = 0;
    tty_line_output(&tty, (const u8 *)"a\nb", 3);
    assert_string_equal(screen, "a\nb");
}

static void control_s_and_control_q_stop_and_go(void **state)
{
    (void)state;
    type("\x13");
    assert_true(tty.stopped);
    type("\x11x\n");
    assert_false(tty.stopped);
    assert_string_equal(readable(), "x\n|");
    type("\x13\x03");
    assert_false(tty.stopped);
    tty.termios.c_iflag &= ~IXON;
    type("\x13\n");
    assert_false(tty.stopped);
    assert_string_equal(readable(), "\x13\n|");
}

static void echo_can_be_off_but_for_newlines(void **state)
{
    (void)state;
    set_flags(0, ECHO);
    type("secret\x7f\n");
    assert_string_equal(readable(), "secre\n|");
    assert_string_equal(screen, "");
    set_flags(ECHONL, 0);
    type("secret\n");
    assert_string_equal(screen, "\r\n");
}

static void too_much_typing_loses_the_end_of_the_line_only(void **state)
{
    (void)state;
    for (int i = 0; i < TTY_INPUT + 100; i++)
        type("x");
    type("\n");
    assert_int_equal(tty.used, TTY_INPUT);
    assert_int_equal(tty.lines, 1);
    assert_int_equal(tty.input[TTY_INPUT - 1], '\n' | INPUT_LINE_END);
    type("more\n");
    assert_int_equal(tty.used, TTY_INPUT);
    assert_int_equal(tty.lines, 1);

    tty.used -= 3;      /* somebody reads three bytes */
    tty.first += 3;
    type("many\n");
    assert_int_equal(tty.used, TTY_INPUT);
    assert_int_equal(tty.lines, 2);
    assert_int_equal(tty.input[2], '\n' | INPUT_LINE_END);
}

#define TEST(function) cmocka_unit_test_setup(function, fresh_terminal)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_readable_when_it_is_complete),
        TEST(who_watches_is_told_when_a_line_is_complete_and_when_output_goes_on),
        TEST(backspace_takes_back_one_character),
        TEST(it_takes_back_as_many_columns_as_the_echo_took),
        TEST(control_w_and_control_u_take_back_more),
        TEST(control_d_gives_what_there_is),
        TEST(keys_send_signals_to_the_foreground),
        TEST(nobody_in_front_gets_no_signal),
        TEST(control_v_takes_the_next_key_as_it_is),
        TEST(without_canonical_mode_each_byte_is_readable_at_once),
        TEST(switching_modes_loses_nothing),
        TEST(carriage_returns_are_translated_as_told),
        TEST(output_gets_carriage_returns),
        TEST(control_s_and_control_q_stop_and_go),
        TEST(echo_can_be_off_but_for_newlines),
        TEST(too_much_typing_loses_the_end_of_the_line_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
