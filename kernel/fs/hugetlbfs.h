/* Files of huge pages: what memfd_create(MFD_HUGETLB) and MAP_HUGETLB make. */
#ifndef KERNEL_FS_HUGETLBFS_H
#define KERNEL_FS_HUGETLBFS_H

#include "kernel/fs/fs.h"

/* A nameless one of SIZE bytes, shown as NAME, with one reference; or ERR_PTR. */
struct inode *hugetlbfs_nameless(const char *name, u64 size);
bool inode_is_huge(const struct inode *inode);
/* fallocate: there is never a page to give (-ENOSPC), and never one to take back (0). */
int hugetlbfs_allocate(struct inode *inode, u64 offset, u64 length, bool keep_size);
/* What a mapping of INODE by the open file NUMBER maps: into SOURCE, with a reference. */
void hugetlbfs_source(struct inode *inode, u32 number, struct mmap_source *source);

#endif
