/*
 * Drives the two 16550 serial ports (PC16550D data sheet): sending by polling, receiving on COM1 by
 * interrupt.
 */
#include "kernel/dev/serial.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/pic.h"

/* Registers, as offsets to the base port. */
#define UART_DATA 0
#define UART_INTERRUPT_ENABLE 1
#define UART_FIFO_CONTROL 2
#define UART_LINE_CONTROL 3
#define UART_MODEM_CONTROL 4
#define UART_LINE_STATUS 5
#define UART_SCRATCH 7
#define UART_DIVISOR_LOW 0      /* while LINE_DIVISOR is set */
#define UART_DIVISOR_HIGH 1

#define INTERRUPT_RECEIVED 0x01
#define FIFO_ENABLE_AND_CLEAR 0x07
#define LINE_8N1 0x03
#define LINE_DIVISOR 0x80
#define MODEM_DTR_RTS 0x03
#define MODEM_OUT2 0x08         /* lets the interrupt through */
#define STATUS_RECEIVED 0x01
#define STATUS_TRANSMITTER_EMPTY 0x20   /* the next bytes may come */
#define STATUS_ALL_SENT 0x40            /* and the last one has left */
#define DIVISOR_115200 1
#define FIFO_SIZE 16
#define SCRATCH_TEST 0x5a
#define DRAIN_LIMIT 1000000     /* looks at the line status: far longer than 16 bytes take */

#define RING_SIZE 1024          /* a power of two */

static const u16 base_of[SERIAL_PORTS] = { [SERIAL_COM1] = 0x3f8, [SERIAL_COM2] = 0x2f8 };
static bool present[SERIAL_PORTS];

/* received[head % size] is the next free place, received[tail % size] the oldest byte. */
static u8 received[RING_SIZE];
static unsigned head, tail;
static void (*notify_received)(void);

static void set_up(enum serial_port port)
{
    u16 base = base_of[port];

    outb(base + UART_SCRATCH, SCRATCH_TEST);
    if (inb(base + UART_SCRATCH) != SCRATCH_TEST)
        return;
    outb(base + UART_INTERRUPT_ENABLE, 0);
    outb(base + UART_LINE_CONTROL, LINE_DIVISOR);
    outb(base + UART_DIVISOR_LOW, DIVISOR_115200);
    outb(base + UART_DIVISOR_HIGH, 0);
    outb(base + UART_LINE_CONTROL, LINE_8N1);
    outb(base + UART_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
    outb(base + UART_MODEM_CONTROL, MODEM_DTR_RTS);
    present[port] = true;
}

void serial_init(void)
{
    set_up(SERIAL_COM1);
    set_up(SERIAL_COM2);
}

void serial_write(enum serial_port port, const char *bytes, size_t length)
{
    u16 base = base_of[port];

    if (!present[port])
        return;
    while (length > 0) {
        size_t burst = MIN(length, (size_t)FIFO_SIZE);
        length -= burst;
        while (!(inb(base + UART_LINE_STATUS) & STATUS_TRANSMITTER_EMPTY))
            ;
        __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(burst) : "d"(base + UART_DATA) : "memory");
    }
}

void serial_write_text(enum serial_port port, const char *text, size_t length)
{
    while (length > 0) {
        size_t line = 0;
        while (line < length && text[line] != '\n')
            line++;
        serial_write(port, text, line);
        if (line < length) {
            serial_write(port, "\r\n", 2);
            line++;
        }
        text += line;
        length -= line;
    }
}

void serial_drain(void)
{
    for (int port = 0; port < SERIAL_PORTS; port++)
        for (int i = 0; present[port] && i < DRAIN_LIMIT; i++)
            if (inb(base_of[port] + UART_LINE_STATUS) & STATUS_ALL_SENT)
                break;
}

static void receive(struct pt_regs *regs)
{
    u16 base = base_of[SERIAL_COM1];

    (void)regs;
    while (inb(base + UART_LINE_STATUS) & STATUS_RECEIVED) {
        u8 byte = inb(base + UART_DATA);
        if (head - tail < RING_SIZE)
            received[head++ % RING_SIZE] = byte;
    }
    if (notify_received)
        notify_received();
}

void serial_start_receiving(void (*notify)(void))
{
    u16 base = base_of[SERIAL_COM1];

    if (!present[SERIAL_COM1])
        return;
    notify_received = notify;
    outb(base + UART_MODEM_CONTROL, MODEM_DTR_RTS | MODEM_OUT2);
    outb(base + UART_INTERRUPT_ENABLE, INTERRUPT_RECEIVED);
    irq_set_handler(IRQ_COM1, receive);
}

int serial_read(void)
{
    if (head == tail)
        return -1;
    return received[tail++ % RING_SIZE];
}

bool serial_has_byte(void)
{
    return present[SERIAL_COM1] && (inb(base_of[SERIAL_COM1] + UART_LINE_STATUS) & STATUS_RECEIVED);
}
