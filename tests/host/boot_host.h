/* Plays the memory in which a boot loader leaves its information. */
#ifndef TESTS_HOST_BOOT_HOST_H
#define TESTS_HOST_BOOT_HOST_H

#include "boot/boot_memory.h"

/*
 * Exactly loader_memory_size bytes from this physical address on, on the heap, so that the
 * sanitizer sees every read beyond.
 */
#define LOADER_BASE 0x10000u
extern unsigned char *loader_memory;
extern size_t loader_memory_size;

/* Empties that memory and boot_info; for cmocka. */
int boot_host_set_up(void **state);
int boot_host_tear_down(void **state);

/* Appends SIZE bytes (zeroes when BYTES is NULL); returns their physical address. */
u32 put(const void *bytes, size_t size);
void put32(u32 value);
void put64(u64 value);
/* Overwrites four bytes. */
void set32(u32 address, u32 value);

/*
 * Calls PARSE with ADDRESS; returns the sentence with which it stopped, or NULL when it returned.
 */
const char *sentence_of(void (*parse)(phys_addr_t address), phys_addr_t address);

#endif
