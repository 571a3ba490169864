/* QEMU's debug console, a port that swallows bytes: the way out for the event journal. */
#ifndef KERNEL_DEV_DEBUGCON_H
#define KERNEL_DEV_DEBUGCON_H

#include "kernel/lib/types.h"

/* True when the machine has one (-device isa-debugcon,iobase=0xe9). */
bool debugcon_present(void);

/* Writes LENGTH bytes; they go nowhere when there is no such device. */
void debugcon_write(const char *bytes, size_t length);

#endif
