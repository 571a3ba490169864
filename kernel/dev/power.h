/* Switching the machine off, or starting it again. */
#ifndef KERNEL_DEV_POWER_H
#define KERNEL_DEV_POWER_H

#include "kernel/lib/types.h"

/*
 * What QEMU's isa-debug-exit device is told; QEMU then ends with status (POWER_EXIT_BASE + status)
 * * 2 + 1:
 * 33 all is well, 35 the audit found something, 37 the kernel could not start or died.
 */
#define POWER_EXIT_BASE 0x10
#define POWER_OK 0
#define POWER_AUDIT_FINDINGS 1
#define POWER_PANIC 2

/*
 * Off: through isa-debug-exit where there is one, else ACPI, else the processor stops for good. On a machine with
 * a screen, after a failure and without isa-debug-exit, only when a key was pressed: somebody has to read why.
 */
void __noreturn power_off(int status);

/* Starts the machine again. */
void __noreturn power_reboot(void);

#endif
