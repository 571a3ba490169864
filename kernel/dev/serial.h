/* The two serial ports: COM1 is the programs' terminal, COM2 takes the kernel's messages. */
#ifndef KERNEL_DEV_SERIAL_H
#define KERNEL_DEV_SERIAL_H

#include "kernel/lib/types.h"

enum serial_port { SERIAL_COM1, SERIAL_COM2, SERIAL_PORTS };

/*
 * 115200 baud, 8N1, FIFOs on. Before this nothing is sent; a port that the machine lacks swallows
 * everything.
 */
void serial_init(void);

/* Sends LENGTH bytes as they are; waits while the transmitter is full. */
void serial_write(enum serial_port port, const char *bytes, size_t length);

/*
 * As serial_write, but a line feed becomes carriage return and line feed: for messages on a
 * terminal.
 */
void serial_write_text(enum serial_port port, const char *text, size_t length);

/* Waits until all that was written has left the machine, for it may be switched off now. */
void serial_drain(void);

/*
 * From now on COM1 receives by interrupt (IRQ 4) into a ring. NOTIFY (may be NULL) is called inside
 * the interrupt, when new bytes are there. Needs descriptors_init.
 */
void serial_start_receiving(void (*notify)(void));

/*
 * The next byte that COM1 received, or -1 when there is none. Bytes that find the ring full are
 * lost.
 */
int serial_read(void);

/* True when a byte has come on COM1 that no interrupt has taken. For a machine that no longer has interrupts. */
bool serial_has_byte(void);

#endif
