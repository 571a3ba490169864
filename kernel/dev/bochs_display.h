/*
 * QEMU's adapter bochs-display, as far as its BIOS leaves something to do. It has one large mode only, and says of smaller
 * ones that it has set them: then the picture is a corner of the screen.
 */
#ifndef KERNEL_DEV_BOCHS_DISPLAY_H
#define KERNEL_DEV_BOCHS_DISPLAY_H

#include "kernel/lib/types.h"

/* The physical address of the registers of the bochs-display that shows the memory at PIXELS; 0: it is none that shows it. */
u64 bochs_display_registers(u64 pixels);

/* Makes the screen WIDTH * HEIGHT pixels, with its lines PITCH_PIXELS pixels apart. */
void bochs_display_resize(void *registers, u32 width, u32 height, u32 pitch_pixels);

#endif
