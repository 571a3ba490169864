/* Between mmap.c and mmap_flags.c: refusals that depend on flags alone. */
#ifndef MM_MMAP_FLAGS_H
#define MM_MMAP_FLAGS_H

#include "mm/mm.h"

/* The sharing rules of a file mapping: adds to *VM_FLAGS, or refuses with a negative errno. */
int check_file_mapping(const struct mmap_source *source, unsigned long prot, unsigned long flags,
                       unsigned long *vm_flags);

/*
 * Huge pages come from a pool that this kernel never fills: bad sizes and places are told apart,
 * the rest is "no memory". LENGTH in bytes, as the program gave it. A negative errno.
 */
unsigned long refuse_huge_mapping(unsigned long address, unsigned long length, unsigned long flags);

#endif
