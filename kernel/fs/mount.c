/* Puts the one tree of files together. */
#include "kernel/fs/archive.h"
#include "kernel/fs/devices.h"
#include "kernel/fs/procfs.h"
#include "kernel/fs/ramfs.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

/* The directory NAME of the root, empty, as a file system of its own. */
static struct inode *mount_point(const char *name, u32 mode, u32 device)
{
    struct inode *dir = ramfs_lookup(root_inode, name, strlen(name));

    if (IS_ERR(dir))
        dir = ramfs_add(root_inode, name, strlen(name), S_IFDIR | mode, 0, NULL);
    else
        inode_put(dir);         /* the root holds it */
    if (IS_ERR(dir) || !S_ISDIR(dir->mode))
        panic("/%s can't be made a directory", name);
    dir->mode = S_IFDIR | mode;
    dir->device = device;
    return dir;
}

void fs_init(const void *archive, size_t size)
{
    root_inode = ramfs_inode(S_IFDIR | 0755, DEVICE_ROOT, 0, NULL);
    if (!root_inode)
        panic("no memory for the root directory");
    root_inode->parent = root_inode;
    archive_unpack(archive, size);
    mount_point("tmp", S_ISVTX | 0777, DEVICE_TMP);
    devices_init(mount_point("dev", 0755, DEVICE_DEV));
    procfs_init(mount_point("proc", 0555, DEVICE_PROC));
    tty_init();
}
