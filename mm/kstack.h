/* Kernel stacks: mapped at KERNEL_STACK_AREA, each with an unmapped guard page below it. */
#ifndef MM_KSTACK_H
#define MM_KSTACK_H

#include "mm/types.h"

#define KSTACK_SIZE (2 * PAGE_SIZE)

/*
 * The address just above a new stack of KSTACK_SIZE bytes, 16-byte aligned; 0 when there is no memory. A few
 * freed ones are kept for reuse.
 */
unsigned long kstack_alloc(void);
void kstack_free(unsigned long top);

/* True when ADDRESS lies on a guard page of the stack area: a fault there is a stack overflow. */
bool kstack_is_guard(unsigned long address);

/* Gives back the kept ones: for audits. */
void kstack_shrink(void);

#ifdef ZEROPAGE_HOST
/* For tests that start over with fresh memory. */
void kstack_forget_all(void);
#endif

#endif
