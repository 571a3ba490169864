/* The two places where a person may sit at the terminal: the serial line, and screen and keyboard. */
#include "kernel/fs/tty_places.h"

#include "kernel/dev/keyboard.h"
#include "kernel/dev/screen.h"
#include "kernel/dev/serial.h"
#include "kernel/fs/tty_line.h"
#include "mm/slab.h"

#define SCREEN_DELAY (NSEC_PER_SEC / 50)
#define HISTORY_SIZE (128ul * 1024)   /* of what has scrolled off the screen: 655 lines of 100 columns */

/* What is shown goes to both; the terminal's size is that of the place where somebody typed last. */
enum place { SERIAL_LINE, SCREEN, PLACES };
static struct winsize size_of_place[PLACES] = { { .rows = 24, .columns = 80 }, { .rows = 25, .columns = 80 } };
static enum place place_in_use;

void tty_change_size(const struct winsize *size)
{
    bool differs = size->rows != console.size.rows || size->columns != console.size.columns;

    console.size = *size;
    if (differs && console.foreground > 0)
        signal_send_group(console.foreground, SIGWINCH, NULL);
}

static void typed_at(enum place place)
{
    if (place == place_in_use)
        return;
    size_of_place[place_in_use] = console.size;
    place_in_use = place;
    tty_change_size(&size_of_place[place]);
}

static void receive(void)
{
    int byte;
    while ((byte = serial_read()) >= 0) {
        typed_at(SERIAL_LINE);
        tty_line_receive(&console, (u8)byte);
    }
}

static void receive_key(u8 byte)
{
    screen_look_at_end();
    typed_at(SCREEN);
    tty_line_receive(&console, byte);
}

static void show(struct timer *timer)
{
    (void)timer;
    screen_flush();
}

/* However much a program writes, the screen is drawn at most once in SCREEN_DELAY. */
static struct timer show_timer = { .fire = show };

static void show_soon(void)
{
    timer_arm(&show_timer, sched_clock() + SCREEN_DELAY);
}

static void use_screen(void)
{
    unsigned rows, columns;

    screen_size(&rows, &columns);
    size_of_place[SCREEN] = (struct winsize){ .rows = (u16)rows, .columns = (u16)columns };
    screen_show_later(show_soon);
    u16 *history = kmalloc(HISTORY_SIZE);
    if (history)
        screen_keep(history, HISTORY_SIZE / sizeof(*history));
    keyboard_start(receive_key);
}

void tty_start_places(void)
{
    serial_start_receiving(receive);
    if (screen_present())
        use_screen();
}
