/* Between mmap.c and mmap_flags.c: refusals that depend on flags alone. */
#ifndef MM_MMAP_FLAGS_H
#define MM_MMAP_FLAGS_H

#include "mm/hugetlb.h"

/* The sharing rules of a file mapping: adds to *VM_FLAGS, or refuses with a negative errno. */
int check_file_mapping(const struct mmap_source *source, unsigned long prot, unsigned long flags,
                       unsigned long *vm_flags);

/*
 * MAP_HUGETLB: huge pages come from a pool that this kernel never fills, so the answer is "no
 * memory" unless MAP_NORESERVE promises nothing; but bad sizes and places are told apart, and in
 * Linux's order.
 *
 * The length in bytes, rounded up to whole huge pages; 0: a bad page size, or too long to round.
 */
unsigned long huge_length(unsigned long length, unsigned long flags);
/* False when MAP_FIXED names a place that no huge page can begin at. */
bool is_huge_place(unsigned long address, unsigned long flags);
/*
 * The end of every such mmap that wants to be sure of its pages, for a range that could have been
 * mapped; HAS_ROOM: as far as the limits go. A negative errno.
 */
unsigned long refuse_huge_mapping(struct mm_struct *mm, unsigned long address, unsigned long length,
                                  unsigned long flags, bool has_room);

#endif
