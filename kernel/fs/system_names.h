/* What uname and /proc/version say. */
#ifndef KERNEL_FS_SYSTEM_NAMES_H
#define KERNEL_FS_SYSTEM_NAMES_H

/* Programs look for "Linux" and for the version whose behaviour they may expect. */
#define SYSTEM_NAME "Linux"
#define SYSTEM_NODE "zeropage"
#define SYSTEM_RELEASE "6.1.0-zeropage"
#define SYSTEM_VERSION "#1"
#define SYSTEM_MACHINE "x86_64"

#endif
