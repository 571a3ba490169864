/* Writes to QEMU's debug console. */
#include "kernel/dev/debugcon.h"
#include "kernel/cpu/cpu.h"

#define DEBUGCON_PORT 0xe9
#define DEBUGCON_SIGNATURE 0xe9     /* what the device reads as */

bool debugcon_present(void)
{
    return inb(DEBUGCON_PORT) == DEBUGCON_SIGNATURE;
}

void debugcon_write(const char *bytes, size_t length)
{
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(length) : "d"(DEBUGCON_PORT) : "memory");
}
