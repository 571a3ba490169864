/*
 * The kernel's command line: options NAME or NAME=VALUE, then after ` -- ` the arguments of the
 * first program.
 */
#ifndef KERNEL_LIB_CMDLINE_H
#define KERNEL_LIB_CMDLINE_H

#include "kernel/lib/types.h"

#define CMDLINE_MAX_WORDS 64

/*
 * Splits TEXT at spaces, in place: it must stay. Words beyond CMDLINE_MAX_WORDS are left out;
 * returns how many.
 */
unsigned cmdline_parse(char *text);

/* The VALUE of the last option NAME=VALUE before the ` -- `, or NULL. */
const char *cmdline_get(const char *name);

/* True when the option NAME (without a value) is there. */
bool cmdline_has(const char *name);

/* The words after the ` -- `, with a NULL behind the last. */
const char *const *cmdline_init_arguments(void);

#endif
