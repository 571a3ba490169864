/* Directories, links and nodes in memory. */
#include "kernel/fs/ramfs.h"

#include "kernel/fs/devices.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/regular.h"
#include "kernel/lib/string.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"

struct inode *ramfs_lookup(struct inode *dir, const char *name, size_t length)
{
    struct inode *child;

    list_for_each_entry(child, &dir->children, sibling) {
        if (strncmp(child->name, name, length) == 0 && child->name[length] == '\0')
            return inode_get(child);
    }
    return ERR_PTR(-ENOENT);
}

/*
 * The newest entry comes first, as on Linux; so the position of an entry is how far its cookie is from the largest
 * one.
 */
#define LAST_POSITION (1ull << 31)

int ramfs_readdir(struct inode *dir, u64 *pos, char *name, u64 *number, u32 *mode)
{
    struct inode *child;

    list_for_each_entry(child, &dir->children, sibling) {
        u64 position = LAST_POSITION - child->cookie;
        if (position <= *pos)
            continue;
        strlcpy(name, child->name, NAME_MAX + 1);
        *number = child->number;
        *mode = child->mode;
        *pos = position;
        return 1;
    }
    return 0;
}

static struct inode *ramfs_create(struct inode *dir, const char *name, size_t length, u32 mode,
                                  u32 rdev, const char *target)
{
    struct inode *inode = ramfs_add(dir, name, length, mode, rdev, target);
    return IS_ERR(inode) ? inode : inode_get(inode);
}

static int ramfs_unlink(struct inode *dir, struct inode *victim)
{
    (void)dir;
    if (S_ISDIR(victim->mode) && !list_empty(&victim->children))
        return -ENOTEMPTY;
    inode_unlink(victim);
    return 0;
}

static int ramfs_rename(struct inode *inode, struct inode *new_dir, const char *name, size_t length)
{
    u32 nlink = inode->nlink;

    /*
     * Held by the caller; so a failure of inode_link (no memory for the name) finds it still alive, and takes it
     * back.
     */
    struct inode *old_dir = inode_get(inode->parent);
    char *old_name = inode->name;
    inode->name = NULL;
    inode_unlink(inode);
    inode->nlink = nlink;
    int error = inode_link(new_dir, inode, name, length);
    if (error) {
        inode->name = old_name;
        inode->deleted = false;
        inode->cookie = ++old_dir->next_cookie;
        list_add(&inode->sibling, &old_dir->children);
        inode_get(inode);
        if (S_ISDIR(inode->mode))
            old_dir->nlink++;
    } else {
        kfree(old_name);
    }
    inode_put(old_dir);
    return error;
}

const struct inode_operations ramfs_dir_ops = {
    .lookup = ramfs_lookup,
    .create = ramfs_create,
    .unlink = ramfs_unlink,
    .rename = ramfs_rename,
    .readdir = ramfs_readdir,
};

static s64 dir_lseek(struct file *file, s64 offset, int whence)
{
    return whence == SEEK_END ? -EINVAL : lseek_within(file, offset, whence, 0);
}

const struct file_operations ramfs_dir_file_ops = { .lseek = dir_lseek };

/* ---- symbolic links: the text is `private`, kmalloc'ed ---- */

static long link_readlink(struct inode *inode, char *buffer, size_t size)
{
    size_t length = MIN(strlen(inode->private), size);
    memcpy(buffer, inode->private, length);
    return (long)length;
}

static void link_release(struct inode *inode)
{
    kfree(inode->private);
}

static const struct inode_operations link_ops = { .readlink = link_readlink, .release = link_release };

/* ---- making inodes ---- */

/*
 * Every node takes kernel memory that no process can be killed for, so there is a limit, as on a tmpfs of Linux's. Of
 * what is left half is for data.
 */
#define FRAMES_PER_NODE 4

struct inode *ramfs_inode(u32 mode, u32 device, u32 rdev, const char *target)
{
    if (device != DEVICE_SHMEM && inode_count >= total_frames / FRAMES_PER_NODE)
        return NULL;
    struct inode *inode = inode_alloc(mode, device);
    if (!inode)
        return NULL;

    inode->rdev = rdev;
    switch (mode & S_IFMT) {
    case S_IFDIR:
        inode->ops = &ramfs_dir_ops;
        inode->file_ops = &ramfs_dir_file_ops;
        break;
    case S_IFLNK: {
        size_t size = strlen(target) + 1;   /* NOLINT(*NullArg): a link has a target */
        inode->private = kmalloc(size);
        if (!inode->private) {
            inode_put(inode);
            return NULL;
        }
        memcpy(inode->private, target, size);
        inode->ops = &link_ops;
        inode->mapping.size = size - 1;
        break;
    }
    case S_IFCHR:
        inode->ops = &device_inode_ops;
        break;
    case S_IFIFO:
        inode->ops = &fifo_inode_ops;
        break;
    default:
        inode->ops = &regular_inode_ops;
        inode->file_ops = &regular_file_ops;
        break;
    }
    return inode;
}

struct inode *ramfs_add(struct inode *dir, const char *name, size_t length, u32 mode, u32 rdev,
                        const char *target)
{
    struct inode *inode = ramfs_inode(mode, dir->device, rdev, target);
    if (!inode)
        return ERR_PTR(-ENOSPC);
    int error = inode_link(dir, inode, name, length);
    /* The directory's reference is the one that stays. */
    inode_put(inode);
    return error ? ERR_PTR(error) : inode;
}

struct inode *ramfs_nameless(const char *name, u32 mode)
{
    struct inode *inode = ramfs_inode(S_IFREG | mode, DEVICE_SHMEM, 0, NULL);
    if (!inode)
        return ERR_PTR(-ENOMEM);
    size_t size = strlen(name) + 1;
    inode->name = kmalloc(size);
    if (!inode->name) {
        inode_put(inode);
        return ERR_PTR(-ENOMEM);
    }
    memcpy(inode->name, name, size);
    inode->deleted = true;
    inode->nlink = 0;
    return inode;
}
