/*
 * Making promised pages present ahead of their first touch; and the choice of addresses. For mm/
 * only.
 */
#ifndef MM_POPULATE_H
#define MM_POPULATE_H

#include "mm/mm.h"

/*
 * Faults in the pages of [start, end), all within VMA, as the first touch would: for write where
 * VMA is writable and private. 0, -EFAULT where VMA is PROT_NONE or its object too short, -ENOMEM.
 */
int populate_vma_range(struct vm_area_struct *vma, unsigned long start, unsigned long end);

/*
 * As above, but for reading or for writing as the caller says; the caller has checked that VMA
 * allows it.
 */
int populate_vma_with(struct vm_area_struct *vma, unsigned long start, unsigned long end,
                      bool write);

/*
 * The same over all VMAs of the range; holes and errors are passed over, as Linux's MAP_POPULATE
 * does.
 */
void mm_populate(struct mm_struct *mm, unsigned long start, unsigned long length);

/* PROT_READ, WRITE and EXEC as vm_flags; other bits are ignored. */
unsigned long vm_flags_of_prot(unsigned long prot);

#endif
