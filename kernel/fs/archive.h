/* The initial archive: a ustar file that the loader put into memory. */
#ifndef KERNEL_FS_ARCHIVE_H
#define KERNEL_FS_ARCHIVE_H

#include "kernel/lib/types.h"

/*
 * Puts the files of ARCHIVE (SIZE bytes, which stay where they are for good) into the tree below root_inode. What
 * can't be used is left out, with a sentence.
 */
void archive_unpack(const void *archive, size_t size);

#endif
