/* kernel/dev/keys.c: scan codes become what a terminal sends. */
#include "kernel/dev/keyboard.h"
#include "kernel/lib/string.h"
#include "tests/host/harness.h"

#define RELEASED 0x80
#define SHIFT 0x2a
#define RIGHT_SHIFT 0x36
#define CONTROL 0x1d
#define ALT 0x38
#define CAPS 0x3a
#define A 0x1e
#define C 0x2e
#define ONE 0x02
#define EXTENDED 0xe0

#define NUM 0x45
#define PAUSE 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5

static char sent[256];
static size_t length;
static u8 lamps;
static int halves_back;

/* What the keys do beside sending something. */
void keyboard_light(u8 wanted)
{
    lamps = wanted;
}

void screen_look_back(int halves)
{
    halves_back += halves;
}

static int fresh(void **state)
{
    (void)state;
    halves_back = 0;
    keys_start();
    return 0;
}

static void take_byte(u8 byte)
{
    assert_true(length < sizeof(sent) - 1);
    sent[length++] = (char)byte;
    sent[length] = '\0';
}

/* What these codes (ended by a 0) send. */
static const char *codes(const u8 *list)
{
    length = 0;
    sent[0] = '\0';
    for (; *list; list++)
        keys_take(*list, take_byte);
    return sent;
}
#define CODES(...) codes((const u8[]){ __VA_ARGS__, 0 })
#define PRESS(code) (code), (code) | RELEASED

static void keys_are_characters(void **state)
{
    (void)state;
    assert_string_equal(CODES(PRESS(A), PRESS(ONE), PRESS(0x39), PRESS(0x1c)), "a1 \r");
    assert_string_equal(CODES(SHIFT, PRESS(A), PRESS(ONE), SHIFT | RELEASED, PRESS(A)), "A!a");
    assert_string_equal(CODES(RIGHT_SHIFT, PRESS(0x2b), RIGHT_SHIFT | RELEASED, PRESS(0x2b)), "|\\");
    assert_string_equal(CODES(A, A, A, A | RELEASED), "aaa");       /* held down */
    assert_string_equal(CODES(PRESS(0x0e), PRESS(0x0f), PRESS(0x01)), "\x7f\t\033");
    assert_string_equal(CODES(PRESS(0x47), PRESS(0x4c), PRESS(0x37), PRESS(0x53)), "75*.");
}

static void caps_lock_is_for_letters(void **state)
{
    (void)state;
    assert_string_equal(CODES(PRESS(CAPS), PRESS(A), PRESS(ONE)), "A1");
    assert_string_equal(CODES(SHIFT, PRESS(A), PRESS(ONE), SHIFT | RELEASED), "a!");
    assert_int_equal(lamps, KEYBOARD_NUM_LOCK | KEYBOARD_CAPS_LOCK);
    assert_string_equal(CODES(PRESS(CAPS), PRESS(A)), "a");
    assert_int_equal(lamps, KEYBOARD_NUM_LOCK);
}

static void a_lock_that_is_held_changes_once(void **state)
{
    (void)state;
    assert_string_equal(CODES(CAPS, CAPS, CAPS, CAPS | RELEASED, PRESS(A)), "A");
    assert_string_equal(CODES(NUM, NUM, NUM | RELEASED, PRESS(0x48)), "\033[A");
    assert_int_equal(lamps, KEYBOARD_CAPS_LOCK);
}

static void num_lock_is_for_the_keypad(void **state)
{
    (void)state;
    assert_int_equal(lamps, KEYBOARD_NUM_LOCK);
    assert_string_equal(CODES(SHIFT, PRESS(0x48), SHIFT | RELEASED), "\033[A");     /* Shift turns it round */
    assert_string_equal(CODES(PRESS(NUM), PRESS(0x47), PRESS(0x4d), PRESS(0x53), PRESS(0x4c)), "\033[1~\033[C\033[3~\033[G");
    assert_int_equal(lamps, 0);
    assert_string_equal(CODES(PRESS(0x4a), PRESS(0x4e), PRESS(0x37), PRESS(ONE)), "-+*1");
    assert_string_equal(CODES(SHIFT, PRESS(0x48), SHIFT | RELEASED), "8");
    assert_string_equal(CODES(EXTENDED, PRESS(0x48)), "\033[A");                    /* the arrows are no keypad */
    assert_string_equal(CODES(PRESS(NUM), PRESS(0x47)), "7");
    assert_int_equal(lamps, KEYBOARD_NUM_LOCK);
}

static void shift_and_the_page_keys_look_back(void **state)
{
    (void)state;
    assert_string_equal(CODES(SHIFT, EXTENDED, PRESS(0x49), EXTENDED, PRESS(0x49), EXTENDED, PRESS(0x51), SHIFT | RELEASED), "");
    assert_int_equal(halves_back, 1);
    assert_string_equal(CODES(EXTENDED, PRESS(0x49)), "\033[5~");
    assert_int_equal(halves_back, 1);
}

static void control_and_alt_make_other_characters(void **state)
{
    (void)state;
    assert_string_equal(CODES(CONTROL, PRESS(C), PRESS(0x1a), CONTROL | RELEASED, PRESS(C)), "\003\033c");
    assert_string_equal(CODES(EXTENDED, CONTROL, PRESS(A), EXTENDED, CONTROL | RELEASED, PRESS(A)), "\001a");
    CODES(CONTROL, PRESS(0x39), CONTROL | RELEASED);
    assert_int_equal(length, 1);
    assert_int_equal(sent[0], 0);
    assert_string_equal(CODES(CONTROL, PRESS(0x2b), CONTROL | RELEASED), "\034");
    assert_string_equal(CODES(ALT, PRESS(A), ALT | RELEASED), "\033a");
}

static void other_keys_are_sequences(void **state)
{
    (void)state;
    assert_string_equal(CODES(EXTENDED, 0x48, EXTENDED, 0x48 | RELEASED, EXTENDED, 0x50, EXTENDED, 0x50 | RELEASED),
                        "\033[A\033[B");
    assert_string_equal(CODES(EXTENDED, 0x4d, EXTENDED, 0x4b, EXTENDED, 0x47, EXTENDED, 0x4f), "\033[C\033[D\033[1~\033[4~");
    assert_string_equal(CODES(EXTENDED, 0x53, EXTENDED, 0x49, EXTENDED, 0x51), "\033[3~\033[5~\033[6~");
    assert_string_equal(CODES(EXTENDED, PRESS(0x52)), "\033[2~");
    assert_string_equal(CODES(EXTENDED, 0x1c, EXTENDED, 0x35), "\r/");
    assert_string_equal(CODES(SHIFT, PRESS(0x0f), SHIFT | RELEASED), "\033[Z");
    assert_string_equal(CODES(EXTENDED, SHIFT, PRESS(A), EXTENDED, SHIFT | RELEASED), "a");
    /* A shift that the keyboard itself puts around an arrow is none. */
    assert_string_equal(CODES(EXTENDED, SHIFT, EXTENDED, 0x4b, EXTENDED, 0x4b | RELEASED, EXTENDED, SHIFT | RELEASED, PRESS(A)),
                        "\033[Da");
}

/* As TERM=linux has them. */
static void function_keys_are_those_of_linux(void **state)
{
    (void)state;
    assert_string_equal(CODES(PRESS(0x3b), PRESS(0x3c), PRESS(0x3d), PRESS(0x3e), PRESS(0x3f)), "\033[[A\033[[B\033[[C\033[[D\033[[E");
    assert_string_equal(CODES(PRESS(0x40), PRESS(0x41), PRESS(0x42), PRESS(0x43), PRESS(0x44)),
                        "\033[17~\033[18~\033[19~\033[20~\033[21~");
    assert_string_equal(CODES(PRESS(0x57), PRESS(0x58)), "\033[23~\033[24~");
    assert_string_equal(CODES(EXTENDED, PRESS(0x57), PRESS(A)), "a");
}

/* A US layout has no third character on a key. */
static void alt_gr_is_not_alt(void **state)
{
    (void)state;
    assert_string_equal(CODES(EXTENDED, ALT, PRESS(A), EXTENDED, ALT | RELEASED), "a");
    assert_string_equal(CODES(ALT, EXTENDED, ALT, EXTENDED, ALT | RELEASED, PRESS(A), ALT | RELEASED, PRESS(A)), "\033aa");
}

static void what_is_no_key_is_left_out(void **state)
{
    (void)state;
    assert_string_equal(CODES(0xfa, 0xee, 0xfe, 0x7f, 0xff, PRESS(A)), "a");       /* answers */
    assert_string_equal(CODES(PAUSE, PRESS(C), PRESS(0x48)), "c8");
    for (unsigned code = 1; code < 256; code++)
        CODES((u8)code, EXTENDED, (u8)code);
    CODES(SHIFT | RELEASED, RIGHT_SHIFT | RELEASED, CONTROL | RELEASED, ALT | RELEASED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keys_are_characters, fresh),
        cmocka_unit_test_setup(caps_lock_is_for_letters, fresh),
        cmocka_unit_test_setup(a_lock_that_is_held_changes_once, fresh),
        cmocka_unit_test_setup(num_lock_is_for_the_keypad, fresh),
        cmocka_unit_test_setup(shift_and_the_page_keys_look_back, fresh),
        cmocka_unit_test_setup(control_and_alt_make_other_characters, fresh),
        cmocka_unit_test_setup(other_keys_are_sequences, fresh),
        cmocka_unit_test_setup(function_keys_are_those_of_linux, fresh),
        cmocka_unit_test_setup(alt_gr_is_not_alt, fresh),
        cmocka_unit_test_setup(what_is_no_key_is_left_out, fresh),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
