/* Hands device interrupts to those who asked for them. */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/pic.h"

static irq_handler_t handlers[IRQ_COUNT];

/* Called by the interrupt stubs in kernel/cpu/entry.asm. */
void irq_dispatch(struct pt_regs *regs, unsigned irq);

void irq_set_handler(unsigned irq, irq_handler_t handler)
{
    handlers[irq] = handler;
    if (handler)
        pic_unmask(irq);
    else
        pic_mask(irq);
}

void irq_dispatch(struct pt_regs *regs, unsigned irq)
{
    if (pic_is_spurious(irq))
        return;
    if (handlers[irq])
        handlers[irq](regs);
    pic_end_of_interrupt(irq);
}
