/* The tree in memory: what / and /tmp are made of. The archive's files, directories, links and nodes live here. */
#ifndef KERNEL_FS_RAMFS_H
#define KERNEL_FS_RAMFS_H

#include "kernel/fs/fs.h"

/*
 * A new inode of MODE's kind with one reference and no name. TARGET is a link's text, RDEV a device's number.
 * NULL: no memory.
 */
struct inode *ramfs_inode(u32 mode, u32 device, u32 rdev, const char *target);
/* Makes one and names it in DIR. The inode (borrowed: DIR holds it), or ERR_PTR. */
struct inode *ramfs_add(struct inode *dir, const char *name, size_t length, u32 mode, u32 rdev,
                        const char *target);

/* For directories that are partly made up elsewhere (/proc): entries by name, and one after the other. */
struct inode *ramfs_lookup(struct inode *dir, const char *name, size_t length);
int ramfs_readdir(struct inode *dir, u64 *pos, char *name, u64 *number, u32 *mode);
extern const struct inode_operations ramfs_dir_ops;
extern const struct file_operations ramfs_dir_file_ops;

/* A file below DIR that has no name (O_TMPFILE); LINKABLE: as yet. ERR_PTR on failure. */
struct inode *ramfs_unnamed(struct inode *dir, u32 mode, bool linkable);
/* A nameless file of shared memory, as memfd_create makes them: NAME is what /proc shows. ERR_PTR on failure. */
struct inode *ramfs_nameless(const char *name, u32 mode);

#endif
