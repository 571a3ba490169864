/* Character devices: /dev/null and its relatives, the terminal, and the bare serial port. */
#ifndef KERNEL_FS_DEVICES_H
#define KERNEL_FS_DEVICES_H

#include "kernel/fs/fs.h"

/* Linux's numbers, where Linux has the device. */
#define DEVICE_NULL MAKEDEV(1, 3)
#define DEVICE_ZERO MAKEDEV(1, 5)
#define DEVICE_FULL MAKEDEV(1, 7)
#define DEVICE_RANDOM MAKEDEV(1, 8)
#define DEVICE_URANDOM MAKEDEV(1, 9)
#define DEVICE_TTY MAKEDEV(5, 0)        /* the terminal of the process that opens it */
#define DEVICE_CONSOLE MAKEDEV(5, 1)    /* the terminal on COM1 */
#define DEVICE_COM1 MAKEDEV(240, 0)     /* COM1 without any processing, not a terminal: what run mode writes to */

/* Makes the nodes of /dev in DIR. */
void devices_init(struct inode *dir);

/* Opening a node finds the device by its number; an unknown one is ENXIO. */
extern const struct inode_operations device_inode_ops;

/* Fills BUFFER with random bytes. The sequence begins anew at each boot, so that two equal runs are equal. */
void random_bytes(void *buffer, size_t size);
/* Mixes in what differs between boots, for those who want that (kernel option `random`). */
void random_seed(u64 seed);

#endif
