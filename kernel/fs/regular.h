/* Regular files: bytes in pages, from the archive or from nothing. */
#ifndef KERNEL_FS_REGULAR_H
#define KERNEL_FS_REGULAR_H

#include "kernel/fs/fs.h"

extern const struct inode_operations regular_inode_ops;
extern const struct file_operations regular_file_ops;

/* The largest size that a file can have. */
#define MAX_FILE_SIZE 0x7ffffffffffff000ull

/* How many pages the files of the file system DEVICE may have in all: half of the memory, as in Linux's tmpfs. */
unsigned long regular_page_limit(u32 device);
/* How many they have. */
unsigned long regular_page_count(u32 device);

/*
 * fallocate: makes the pages of a range (and, unless KEEP_SIZE, the file as long as that), or gives them back. 0
 * or negative errno.
 */
int regular_allocate(struct inode *inode, u64 offset, u64 length, bool keep_size);
int regular_punch_hole(struct inode *inode, u64 offset, u64 length);

#define F_SEAL_SEAL 0x0001u
#define F_SEAL_SHRINK 0x0002u
#define F_SEAL_GROW 0x0004u
#define F_SEAL_WRITE 0x0008u
#define F_SEAL_FUTURE_WRITE 0x0010u

#endif
