/* Where a variable goes that is written only while the kernel starts. */
#ifndef KERNEL_LIB_SECTIONS_H
#define KERNEL_LIB_SECTIONS_H

/* Written before kernel_map_init, read-only after it. */
#define __ro_after_init __attribute__((section(".ro_after_init")))

#endif
