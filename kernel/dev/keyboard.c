/* Drives the keyboard controller of the PC (Intel 8042 and what imitates it). */
#include "kernel/dev/keyboard.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/pic.h"

#define PORT_DATA 0x60
#define PORT_STATUS 0x64
#define PORT_COMMAND 0x64
#define NO_CONTROLLER 0xff          /* what a port reads as that nobody answers for */

#define STATUS_OUTPUT_FULL 0x01     /* there is a byte for us */
#define STATUS_INPUT_FULL 0x02      /* it has not taken our last one */
#define STATUS_FROM_MOUSE 0x20

#define COMMAND_READ_CONFIGURATION 0x20
#define COMMAND_WRITE_CONFIGURATION 0x60
#define COMMAND_MOUSE_OFF 0xa7
#define COMMAND_KEYBOARD_OFF 0xad
#define COMMAND_KEYBOARD_ON 0xae
#define KEYBOARD_SET_LAMPS 0xed     /* commands for the keyboard itself; of the lamps, a second byte tells */
#define KEYBOARD_SEND_KEYS 0xf4
#define KEYBOARD_TAKEN 0xfa         /* its answer */

#define CONFIGURATION_IRQ1 0x01
#define CONFIGURATION_IRQ12 0x02
#define CONFIGURATION_KEYBOARD_OFF 0x10
#define CONFIGURATION_TRANSLATE 0x40    /* the keyboard's scan codes become those of set 1 */

#define KEY_RELEASED 0x80           /* in a scan code of set 1 */
#define WAIT_LIMIT 10000
#define BUFFER_LIMIT 32             /* more than any controller keeps */

static keyboard_sink_t sink;
static u8 lamps;
static bool lamps_are_due;          /* it has been told that they come, and has not answered */

static void send(u16 port, u8 byte)
{
    for (unsigned i = 0; i < WAIT_LIMIT && (inb(PORT_STATUS) & STATUS_INPUT_FULL); i++)
        ;
    outb(port, byte);
}

static u8 receive_answer(void)
{
    for (unsigned i = 0; i < WAIT_LIMIT && !(inb(PORT_STATUS) & STATUS_OUTPUT_FULL); i++)
        ;
    return inb(PORT_DATA);
}

static void drain(void)
{
    for (unsigned i = 0; i < BUFFER_LIMIT && (inb(PORT_STATUS) & STATUS_OUTPUT_FULL); i++)
        inb(PORT_DATA);
}

void keyboard_light(u8 wanted)
{
    lamps = wanted;
    lamps_are_due = true;
    send(PORT_DATA, KEYBOARD_SET_LAMPS);
}

static void take(u8 code)
{
    if (code == KEYBOARD_TAKEN && lamps_are_due) {
        lamps_are_due = false;
        send(PORT_DATA, lamps);
    } else {
        keys_take(code, sink);
    }
}

static void receive(struct pt_regs *regs)
{
    (void)regs;
    for (unsigned i = 0; i < BUFFER_LIMIT; i++) {
        u8 status = inb(PORT_STATUS);
        if (!(status & STATUS_OUTPUT_FULL))
            return;
        u8 code = inb(PORT_DATA);
        if (!(status & STATUS_FROM_MOUSE))
            take(code);
    }
}

bool keyboard_was_pressed(void)
{
    u8 status = inb(PORT_STATUS);

    if (status == NO_CONTROLLER || !(status & STATUS_OUTPUT_FULL))
        return false;
    return !(inb(PORT_DATA) & KEY_RELEASED) && !(status & STATUS_FROM_MOUSE);
}

void keyboard_start(keyboard_sink_t wanted_sink)
{
    if (inb(PORT_STATUS) == NO_CONTROLLER)
        return;
    sink = wanted_sink;
    send(PORT_COMMAND, COMMAND_KEYBOARD_OFF);
    send(PORT_COMMAND, COMMAND_MOUSE_OFF);
    drain();
    send(PORT_COMMAND, COMMAND_READ_CONFIGURATION);
    u8 configuration = receive_answer();
    configuration |= CONFIGURATION_IRQ1 | CONFIGURATION_TRANSLATE;
    configuration &= (u8)~(CONFIGURATION_IRQ12 | CONFIGURATION_KEYBOARD_OFF);
    send(PORT_COMMAND, COMMAND_WRITE_CONFIGURATION);
    send(PORT_DATA, configuration);
    send(PORT_COMMAND, COMMAND_KEYBOARD_ON);
    send(PORT_DATA, KEYBOARD_SEND_KEYS);
    receive_answer();
    irq_set_handler(IRQ_KEYBOARD, receive);
    keys_start();
}
