/* Scan codes of set 1 become characters (US layout), and what Linux's console sends for the other keys (console_codes(4)). */
#include "kernel/dev/keyboard.h"
#include "kernel/dev/screen.h"

#define CODE_EXTENDED 0xe0          /* the next code belongs to a key that the first PCs had not */
#define CODE_PAUSE 0xe1             /* the next two only say once more that it is the pause key */
#define CODE_RELEASED 0x80

#define KEY_CONTROL 0x1d
#define KEY_LEFT_SHIFT 0x2a
#define KEY_RIGHT_SHIFT 0x36
#define KEY_ALT 0x38                /* behind CODE_EXTENDED: Alt Gr, which makes nothing of a US layout's keys */
#define KEY_CAPS_LOCK 0x3a
#define KEY_NUM_LOCK 0x45
#define KEY_TAB 0x0f
#define KEY_KEYPAD_FIRST 0x47
#define KEY_KEYPAD_LAST 0x53
#define KEY_KEYPAD_MINUS 0x4a
#define KEY_KEYPAD_PLUS 0x4e
#define KEY_PAGE_UP 0x49
#define KEY_PAGE_DOWN 0x51
#define KEY_KEYPAD_ENTER 0x1c       /* these two behind CODE_EXTENDED */
#define KEY_KEYPAD_SLASH 0x35

#define ESCAPE 0x1b
#define DELETE 0x7f
#define CONTROL_MASK 0x1f

/* By scan code; 0: no character. The last ones are the keypad's, as digits. */
static const char plain[] = {
    0, ESCAPE, '1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '-', '=', DELETE, '\t',
    'q', 'w', 'e', 'r', 't', 'y', 'u', 'i', 'o', 'p', '[', ']', '\r', 0, 'a', 's',
    'd', 'f', 'g', 'h', 'j', 'k', 'l', ';', '\'', '`', 0, '\\', 'z', 'x', 'c', 'v',
    'b', 'n', 'm', ',', '.', '/', 0, '*', 0, ' ', 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, '7', '8', '9', '-', '4', '5', '6', '+', '1',
    '2', '3', '0', '.', 0, 0, '\\',
};
static const char shifted[] = {
    0, ESCAPE, '!', '@', '#', '$', '%', '^', '&', '*', '(', ')', '_', '+', DELETE, '\t',
    'Q', 'W', 'E', 'R', 'T', 'Y', 'U', 'I', 'O', 'P', '{', '}', '\r', 0, 'A', 'S',
    'D', 'F', 'G', 'H', 'J', 'K', 'L', ':', '"', '~', 0, '|', 'Z', 'X', 'C', 'V',
    'B', 'N', 'M', '<', '>', '?', 0, '*', 0, ' ', 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, '7', '8', '9', '-', '4', '5', '6', '+', '1',
    '2', '3', '0', '.', 0, 0, '|',
};

struct key_sequence {
    u8 code;
    char sequence[6];
};

/* Keys behind CODE_EXTENDED, and those of the keypad without Num Lock. */
static const struct key_sequence extended_keys[] = {
    { 0x48, "\033[A" },  { 0x50, "\033[B" },  { 0x4d, "\033[C" },  { 0x4b, "\033[D" },   /* the arrows */
    { 0x47, "\033[1~" }, { 0x4f, "\033[4~" }, { 0x4c, "\033[G" },                       /* home, end, the keypad's 5 */
    { 0x49, "\033[5~" }, { 0x51, "\033[6~" }, { 0x52, "\033[2~" }, { 0x53, "\033[3~" },  /* pages, insert, delete */
};

/* F1 to F12. */
static const struct key_sequence function_keys[] = {
    { 0x3b, "\033[[A" },  { 0x3c, "\033[[B" },  { 0x3d, "\033[[C" },  { 0x3e, "\033[[D" },
    { 0x3f, "\033[[E" },  { 0x40, "\033[17~" }, { 0x41, "\033[18~" }, { 0x42, "\033[19~" },
    { 0x43, "\033[20~" }, { 0x44, "\033[21~" }, { 0x57, "\033[23~" }, { 0x58, "\033[24~" },
};

/* A key that stays down, so to speak: each press changes it, but not the repetitions while it is held. */
struct lock {
    bool is_on, is_held;
};

static bool left_shift, right_shift, control, alt;
static struct lock caps_lock, num_lock;
static bool extended;
static unsigned left_out;       /* so many codes mean nothing */

static void light(void)
{
    keyboard_light((num_lock.is_on ? KEYBOARD_NUM_LOCK : 0) | (caps_lock.is_on ? KEYBOARD_CAPS_LOCK : 0));
}

static void change_lock(struct lock *lock, bool pressed)
{
    if (pressed && !lock->is_held) {
        lock->is_on = !lock->is_on;
        light();
    }
    lock->is_held = pressed;
}

void keys_start(void)
{
    caps_lock = (struct lock){};
    num_lock = (struct lock){ .is_on = true };
    light();
}

static void send(const char *text, keyboard_sink_t sink)
{
    for (; *text; text++)
        sink((u8)*text);
}

/* True when CODE is a key that only changes what others mean. */
static bool modifier(u8 code, bool pressed)
{
    switch (code) {
    case KEY_CONTROL:
        control = pressed;
        return true;
    case KEY_ALT:
        if (!extended)
            alt = pressed;
        return true;
    case KEY_LEFT_SHIFT:
        /* Some keyboards put a shift that nobody pressed around the extended keys. */
        left_shift = extended ? left_shift : pressed;
        return true;
    case KEY_RIGHT_SHIFT:
        right_shift = extended ? right_shift : pressed;
        return true;
    case KEY_CAPS_LOCK:
        change_lock(&caps_lock, pressed);
        return true;
    case KEY_NUM_LOCK:
        change_lock(&num_lock, pressed);
        return true;
    default:
        return false;
    }
}

static bool is_letter(char character)
{
    return (character | 0x20) >= 'a' && (character | 0x20) <= 'z';
}

static bool shift_is_held(void)
{
    return left_shift || right_shift;
}

/* The keys of the keypad that have two meanings. Shift chooses the other one, as Num Lock does. */
static bool moves_on_keypad(u8 code)
{
    return code >= KEY_KEYPAD_FIRST && code <= KEY_KEYPAD_LAST && code != KEY_KEYPAD_MINUS && code != KEY_KEYPAD_PLUS &&
           num_lock.is_on == shift_is_held();
}

static char character_of(u8 code)
{
    bool shift = shift_is_held();

    if (code >= sizeof(plain))
        return 0;
    if (caps_lock.is_on && is_letter(plain[code]))
        shift = !shift;
    return shift ? shifted[code] : plain[code];
}

/* What Ctrl makes of a character; those that it makes nothing of stay. Ctrl and space are NUL. */
static u8 with_control(char character)
{
    if (character == ' ')
        return 0;
    if (character == '/' || character == '-')
        return '_' & CONTROL_MASK;
    return character >= '@' && character < DELETE ? (u8)character & CONTROL_MASK : (u8)character;
}

static void send_sequence(const struct key_sequence *keys, size_t count, u8 code, keyboard_sink_t sink)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].code == code)
            send(keys[i].sequence, sink);
    }
}

static void extended_key(u8 code, keyboard_sink_t sink)
{
    if (extended && shift_is_held() && (code == KEY_PAGE_UP || code == KEY_PAGE_DOWN)) {
        screen_look_back(code == KEY_PAGE_UP ? 1 : -1);
        return;
    }
    if (code == KEY_KEYPAD_ENTER)
        sink('\r');
    if (code == KEY_KEYPAD_SLASH)
        sink('/');
    send_sequence(extended_keys, ARRAY_SIZE(extended_keys), code, sink);
}

static void press(u8 code, keyboard_sink_t sink)
{
    char character = character_of(code);

    if (extended || moves_on_keypad(code)) {
        extended_key(code, sink);
    } else if (code == KEY_TAB && shift_is_held()) {
        send("\033[Z", sink);
    } else if (character) {
        if (alt)
            sink(ESCAPE);
        sink(control ? with_control(character) : (u8)character);
    } else {
        send_sequence(function_keys, ARRAY_SIZE(function_keys), code, sink);
    }
}

void keys_take(u8 code, keyboard_sink_t sink)
{
    if (left_out > 0) {
        left_out--;
        return;
    }
    if (code == CODE_PAUSE) {
        left_out = 2;
        return;
    }
    if (code == CODE_EXTENDED) {
        extended = true;
        return;
    }
    if (!modifier(code & (u8)~CODE_RELEASED, !(code & CODE_RELEASED)) && !(code & CODE_RELEASED))
        press(code, sink);
    extended = false;
}
