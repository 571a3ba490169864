/* The kernel breaks one of its own rules on purpose, to show that the processor (or it itself) does not let it. */
#ifndef KERNEL_PROC_SELF_TEST_H
#define KERNEL_PROC_SELF_TEST_H

#include "kernel/lib/types.h"

/* The kernel option selftest. Without it there are no self-tests. */
extern bool self_tests_allowed;

/*
 * Does what NAME says (the table in self_test.c), with ADDRESS where it needs one of the program's. What a defence
 * forbids ends in a panic. 0: nothing has stopped it. -EINVAL: there is no such test, or they are not allowed.
 */
long self_test(const char *name, unsigned long address);

#endif
