/*
 * The two 8259 interrupt controllers. Interrupts 0 to 15 arrive at vectors IRQ_VECTOR_BASE and up.
 */
#ifndef KERNEL_CPU_PIC_H
#define KERNEL_CPU_PIC_H

#include "kernel/lib/types.h"

#define IRQ_VECTOR_BASE 32
#define IRQ_COUNT 16
#define IRQ_TIMER 0
#define IRQ_KEYBOARD 1
#define IRQ_COM1 4

/* Sets both up with every line masked; irq_set_handler() opens one. Called by descriptors_init. */
void pic_init(void);

void pic_unmask(unsigned irq);
void pic_mask(unsigned irq);

/* True when IRQ 7 or 15 was raised by noise alone and nobody may be told its end. */
bool pic_is_spurious(unsigned irq);
void pic_end_of_interrupt(unsigned irq);

#endif
