/*
 * The kernel's own symbol table: names for the addresses in a backtrace.
 *
 * The build links the kernel twice: first with an empty table, then with the table that tools/ksyms made
 * of the first one's text symbols. The table lies behind the text, so no function moves in between.
 */
#ifndef KERNEL_LIB_KSYMS_H
#define KERNEL_LIB_KSYMS_H

#include "kernel/lib/types.h"

struct ksym {
    unsigned long address;
    const char *name;       /* NULL in the last entry, whose address is the end of the text */
};

/* The name of the function that ADDRESS lies in, with the distance to its start in *OFFSET; NULL when it is in none. */
const char *ksym_lookup(unsigned long address, unsigned long *offset);

#endif
