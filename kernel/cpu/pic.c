/*
 * Programs the two 8259 interrupt controllers (Intel 8259A data sheet; the second hangs on the
 * first's line 2).
 */
#include "kernel/cpu/pic.h"
#include "kernel/cpu/cpu.h"

#define PIC1_COMMAND 0x20
#define PIC1_DATA 0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA 0xa1

#define ICW1_START 0x11         /* initialisation; a fourth word follows */
#define ICW4_8086 0x01
#define CASCADE_LINE 2
#define OCW2_END_OF_INTERRUPT 0x20
#define OCW3_READ_IN_SERVICE 0x0b
#define LINES_PER_PIC 8
#define NOISE_LINE 7            /* what a controller reports when the request went away again */

static u16 masked = (u16)~(1u << CASCADE_LINE);

static void write_masks(void)
{
    outb(PIC1_DATA, (u8)masked);
    outb(PIC2_DATA, (u8)(masked >> LINES_PER_PIC));
}

void pic_init(void)
{
    outb(PIC1_COMMAND, ICW1_START);
    outb(PIC2_COMMAND, ICW1_START);
    outb(PIC1_DATA, IRQ_VECTOR_BASE);
    outb(PIC2_DATA, IRQ_VECTOR_BASE + LINES_PER_PIC);
    outb(PIC1_DATA, 1u << CASCADE_LINE);
    outb(PIC2_DATA, CASCADE_LINE);
    outb(PIC1_DATA, ICW4_8086);
    outb(PIC2_DATA, ICW4_8086);
    write_masks();
}

void pic_unmask(unsigned irq)
{
    masked &= (u16)~(1u << irq);
    write_masks();
}

void pic_mask(unsigned irq)
{
    masked |= (u16)(1u << irq);
    write_masks();
}

bool pic_is_spurious(unsigned irq)
{
    u16 command = irq < LINES_PER_PIC ? PIC1_COMMAND : PIC2_COMMAND;

    if (irq % LINES_PER_PIC != NOISE_LINE)
        return false;
    outb(command, OCW3_READ_IN_SERVICE);
    if (inb(command) & 1u << NOISE_LINE)
        return false;
    if (irq >= LINES_PER_PIC)
        outb(PIC1_COMMAND, OCW2_END_OF_INTERRUPT);      /* the first one did see a request, on its line 2 */
    return true;
}

void pic_end_of_interrupt(unsigned irq)
{
    if (irq >= LINES_PER_PIC)
        outb(PIC2_COMMAND, OCW2_END_OF_INTERRUPT);
    outb(PIC1_COMMAND, OCW2_END_OF_INTERRUPT);
}
