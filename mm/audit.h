/* The audit: walks everything that mm/ keeps and checks that it fits together. */
#ifndef MM_AUDIT_H
#define MM_AUDIT_H

#include "kernel/lib/types.h"

/*
 * Checks every address space (each user PTE lies in a VMA and its bits follow from it; no table
 * without a VMA that it serves; RSS and map counts), every frame (reference count = number of PTEs
 * + page cache; type; the zero frame never writable, never freed; no user frame executable unless
 * asked), VMA lists and trees, free lists, slabs. REPORT is called with one sentence per finding
 * (at most 20). Returns the number of findings.
 */
unsigned mm_audit(void (*report)(const char *finding, void *context), void *context);

#endif
