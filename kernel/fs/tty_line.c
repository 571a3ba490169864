/* The line discipline: editing, echo, and the keys that send signals. */
#include "kernel/fs/tty_line.h"

#include "kernel/dev/screen.h"
#include "kernel/dev/serial.h"
#include "kernel/fs/fs.h"
#include "kernel/lib/string.h"

#define CONTROL(letter) ((letter) & 0x1f)
#define BACKSPACE '\b'
#define DELETE 0x7f
#define TAB_WIDTH 8

static const u8 default_keys[NCCS] = {
    [VINTR] = CONTROL('C'), [VQUIT] = CONTROL('\\'), [VERASE] = DELETE, [VKILL] = CONTROL('U'),
    [VEOF] = CONTROL('D'), [VMIN] = 1, [VSTART] = CONTROL('Q'), [VSTOP] = CONTROL('S'),
    [VSUSP] = CONTROL('Z'), [VREPRINT] = CONTROL('R'), [VDISCARD] = CONTROL('O'),
    [VWERASE] = CONTROL('W'), [VLNEXT] = CONTROL('V'),
};

void tty_line_reset(struct tty *tty)
{
    tty->termios = (struct termios){
        .c_iflag = ICRNL | IXON,
        .c_oflag = OPOST | ONLCR,
        .c_cflag = B115200 | CS8 | CREAD | CLOCAL,
        .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    };
    memcpy(tty->termios.c_cc, default_keys, sizeof(default_keys));
}

static bool has(const struct tty *tty, u32 flag)
{
    return (tty->termios.c_lflag & flag) != 0;
}

static bool is_key(const struct tty *tty, unsigned key, u8 byte)
{
    return byte != 0 && tty->termios.c_cc[key] == byte;
}

/* ---- output ---- */

static void send(const char *text, size_t length)
{
    serial_write(SERIAL_COM1, text, length);
    screen_write(text, length);
}

static void follow_column(struct tty *tty, u8 byte)
{
    if (byte == '\n' || byte == '\r')
        tty->column = 0;
    else if (byte == '\t')
        tty->column = ALIGN_DOWN(tty->column, TAB_WIDTH) + TAB_WIDTH;
    else if (byte == BACKSPACE)
        tty->column -= tty->column > 0;
    else if (byte >= ' ' && byte != DELETE)
        tty->column++;
}

void tty_line_output(struct tty *tty, const u8 *bytes, size_t count)
{
    bool map_newline = (tty->termios.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR);
    size_t start = 0;

    for (size_t i = 0; i < count; i++) {
        follow_column(tty, bytes[i]);
        if (map_newline && bytes[i] == '\n') {
            send((const char *)bytes + start, i - start);
            send("\r\n", 2);
            start = i + 1;
        }
    }
    send((const char *)bytes + start, count - start);
}

/* How many columns BYTE took on the screen when it was echoed at COLUMN. */
static unsigned echo_width(const struct tty *tty, u8 byte, unsigned column)
{
    if (byte == '\t')
        return ALIGN_DOWN(column, TAB_WIDTH) + TAB_WIDTH - column;
    if (byte < ' ' || byte == DELETE)
        return has(tty, ECHOCTL) ? 2 : 0;
    return (byte & 0xc0) == 0x80 ? 0 : 1;      /* the second and later bytes of a UTF-8 character take none */
}

static void echo(struct tty *tty, u8 byte)
{
    if (!has(tty, ECHO) && !(byte == '\n' && has(tty, ECHONL) && has(tty, ICANON)))
        return;
    if ((byte < ' ' || byte == DELETE) && byte != '\n' && byte != '\t' && has(tty, ECHOCTL)) {
        u8 visible[2] = { '^', byte ^ 0x40 };
        tty_line_output(tty, visible, sizeof(visible));
    } else {
        tty_line_output(tty, &byte, 1);
    }
}

/* ---- the ring that programs read ---- */

static void put(struct tty *tty, u16 entry)
{
    if (tty->used == TTY_INPUT)
        return;
    tty->input[(tty->first + tty->used) % TTY_INPUT] = entry;
    tty->used++;
    if (entry & (INPUT_LINE_END | INPUT_EOF))
        tty->lines++;
}

static void readable(struct tty *tty)
{
    wake_all(&tty->readers);
    poll_notify(&tty->watchers, POLLIN | POLLRDNORM);
}

static void start_output(struct tty *tty)
{
    tty->stopped = false;
    wake_all(&tty->writers);
    poll_notify(&tty->watchers, POLLOUT | POLLWRNORM);
}

/* The typed line becomes readable; END_MARK goes to its last byte or, for ^D, behind it. */
static void commit_line(struct tty *tty, u16 end_mark)
{
    unsigned room = TTY_INPUT - tty->used;

    /* Where a line does not fit as a whole, its end still does: whoever waits for it must wake up. */
    if (tty->line_length > room && room > 0) {
        tty->line[room - 1] = tty->line[tty->line_length - 1];
        tty->line_length = room;
    }
    for (unsigned i = 0; i < tty->line_length; i++) {
        bool ends_here = end_mark == INPUT_LINE_END && i == tty->line_length - 1;
        put(tty, (u16)(tty->line[i] | (ends_here ? INPUT_LINE_END : 0)));
    }
    if (end_mark == INPUT_EOF)
        put(tty, INPUT_EOF);
    tty->line_length = 0;
    readable(tty);
}

void tty_line_flush_input(struct tty *tty)
{
    tty->first = tty->used = tty->lines = 0;
    tty->line_length = 0;
}

void tty_line_settings_changed(struct tty *tty, const struct termios *old)
{
    bool was_canonical = old->c_lflag & ICANON;

    if (was_canonical && !has(tty, ICANON))
        commit_line(tty, 0);
    if (!was_canonical && has(tty, ICANON) && tty->used > 0 && tty->lines == 0) {
        /* What was typed in the other mode counts as a line. */
        tty->input[(tty->first + tty->used - 1) % TTY_INPUT] |= INPUT_LINE_END;
        tty->lines = 1;
    }
    if (!(tty->termios.c_iflag & IXON) && tty->stopped)
        start_output(tty);
}

/* ---- editing ---- */

static unsigned width_of_line(const struct tty *tty)
{
    unsigned column = tty->column_of_line;
    for (unsigned i = 0; i < tty->line_length; i++)
        column += echo_width(tty, tty->line[i], column);
    return column - tty->column_of_line;
}

static void erase_columns(struct tty *tty, unsigned count)
{
    static const u8 erase[3] = { BACKSPACE, ' ', BACKSPACE };

    if (!has(tty, ECHO) || !has(tty, ECHOE))
        return;
    while (count-- > 0)
        tty_line_output(tty, erase, sizeof(erase));
}

static void erase_to(struct tty *tty, unsigned length)
{
    unsigned before = width_of_line(tty);
    tty->line_length = length;
    erase_columns(tty, before - width_of_line(tty));
}

static void erase_character(struct tty *tty)
{
    unsigned length = tty->line_length;

    while (length > 0 && (tty->line[length - 1] & 0xc0) == 0x80)
        length--;
    if (length > 0)
        erase_to(tty, length - 1);
}

static void erase_word(struct tty *tty)
{
    unsigned length = tty->line_length;

    while (length > 0 && (tty->line[length - 1] == ' ' || tty->line[length - 1] == '\t'))
        length--;
    while (length > 0 && tty->line[length - 1] != ' ' && tty->line[length - 1] != '\t')
        length--;
    erase_to(tty, length);
}

static void reprint(struct tty *tty)
{
    u8 newline = '\n';

    echo(tty, tty->termios.c_cc[VREPRINT]);
    tty_line_output(tty, &newline, 1);
    tty->column_of_line = 0;
    for (unsigned i = 0; i < tty->line_length; i++)
        echo(tty, tty->line[i]);
}

static void add_to_line(struct tty *tty, u8 byte)
{
    if (tty->line_length == 0)
        tty->column_of_line = tty->column;
    if (tty->line_length < TTY_INPUT - 1 || (byte == '\n' && tty->line_length < TTY_INPUT)) {
        tty->line[tty->line_length++] = byte;
        echo(tty, byte);
    }
}

/* ---- keys ---- */

static bool send_signal(struct tty *tty, u8 byte)
{
    int signal = is_key(tty, VINTR, byte) ? SIGINT : is_key(tty, VQUIT, byte) ? SIGQUIT
               : is_key(tty, VSUSP, byte) ? SIGTSTP : 0;

    if (!signal || !has(tty, ISIG))
        return false;
    if (!has(tty, NOFLSH))
        tty_line_flush_input(tty);
    start_output(tty);
    echo(tty, byte);
    if (tty->foreground > 0)
        signal_send_group(tty->foreground, signal, NULL);
    return true;
}

static bool stop_or_start(struct tty *tty, u8 byte)
{
    if (!(tty->termios.c_iflag & IXON))
        return false;
    if (is_key(tty, VSTOP, byte)) {
        tty->stopped = true;
        return true;
    }
    if (!is_key(tty, VSTART, byte))
        return false;
    start_output(tty);
    return true;
}

/* Canonical mode: true when BYTE was a key that edits the line. */
static bool edit_line(struct tty *tty, u8 byte)
{
    if (is_key(tty, VERASE, byte) || (byte == BACKSPACE && is_key(tty, VERASE, DELETE))) {
        erase_character(tty);
    } else if (is_key(tty, VKILL, byte)) {
        erase_to(tty, 0);
    } else if (is_key(tty, VEOF, byte)) {
        commit_line(tty, INPUT_EOF);
    } else if (!has(tty, IEXTEN)) {
        return false;
    } else if (is_key(tty, VWERASE, byte)) {
        erase_word(tty);
    } else if (is_key(tty, VREPRINT, byte)) {
        reprint(tty);
    } else if (is_key(tty, VLNEXT, byte)) {
        tty->literal_next = true;
    } else {
        return false;
    }
    return true;
}

void tty_line_receive(struct tty *tty, u8 byte)
{
    if (tty->termios.c_iflag & ISTRIP)
        byte &= 0x7f;
    if (tty->literal_next) {
        tty->literal_next = false;
        add_to_line(tty, byte);
        return;
    }
    if (byte == '\r') {
        if (tty->termios.c_iflag & IGNCR)
            return;
        if (tty->termios.c_iflag & ICRNL)
            byte = '\n';
    } else if (byte == '\n' && (tty->termios.c_iflag & INLCR)) {
        byte = '\r';
    }
    if (send_signal(tty, byte) || stop_or_start(tty, byte))
        return;
    if (!has(tty, ICANON)) {
        echo(tty, byte);
        put(tty, byte);
        readable(tty);
        return;
    }
    if (edit_line(tty, byte))
        return;
    add_to_line(tty, byte);
    if (byte == '\n' || is_key(tty, VEOL, byte) || is_key(tty, VEOL2, byte))
        commit_line(tty, INPUT_LINE_END);
}
