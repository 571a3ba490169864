/*
 * How the parsers reach what the loader left in memory, and how they give up; a host test has its
 * own versions of both.
 */
#ifndef BOOT_BOOT_MEMORY_H
#define BOOT_BOOT_MEMORY_H

#include "kernel/lib/types.h"

/* The first tables map this much physical memory. */
#define BOOT_MAPPED_END (4ull << 30)

/*
 * SIZE bytes at the physical ADDRESS, or NULL when ADDRESS is 0 or a part lies beyond
 * BOOT_MAPPED_END.
 */
const void *boot_memory(phys_addr_t address, u64 size);

/* Says SENTENCE on both serial ports and stops the machine. */
void __noreturn boot_stop(const char *sentence);

#endif
