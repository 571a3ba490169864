/* Directories, links and nodes in memory. */
#include "kernel/fs/ramfs.h"

#include "kernel/fs/devices.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/regular.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"

/*
 * Every node and every name takes kernel memory that no process can be killed for, so there is a limit, as on a tmpfs of Linux's. Of
 * what is left half is for data.
 */
#define FRAMES_PER_NODE 4

struct inode *ramfs_lookup(struct inode *dir, const char *name, size_t length)
{
    const struct dir_entry *entry = entry_find(dir, name, length);

    return entry ? inode_get(entry->inode) : ERR_PTR(-ENOENT);
}

/*
 * The newest entry comes first, as on Linux; so the position of an entry is how far its cookie is from the largest
 * one.
 */
#define LAST_POSITION (1ull << 31)

int ramfs_readdir(struct inode *dir, u64 *pos, char *name, u64 *number, u32 *mode)
{
    struct dir_entry *entry;

    list_for_each_entry(entry, &dir->children, sibling) {
        u64 position = LAST_POSITION - entry->cookie;
        if (position <= *pos)
            continue;
        strlcpy(name, entry->name, NAME_MAX + 1);
        *number = entry->inode->number;
        *mode = entry->inode->mode;
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

/* True when there may be no more inodes and names. */
static bool is_full(void)
{
    return inode_count + more_names >= total_frames / FRAMES_PER_NODE;
}

static int ramfs_link(struct inode *dir, struct inode *inode, const char *name, size_t length)
{
    if (inode->nlink > 0 && is_full())
        return -ENOSPC;
    int error = inode_link(dir, inode, name, length);
    if (error)
        return error;
    inode->nlink++;
    inode->linkable = false;
    inode->ctime = wall_clock();
    return 0;
}

static int ramfs_unlink(struct inode *dir, const char *name, size_t length)
{
    struct dir_entry *entry = entry_find(dir, name, length);

    if (!list_empty(&entry->inode->children))
        return -ENOTEMPTY;
    entry_remove(entry);
    return 0;
}

static int ramfs_rename(struct inode *dir, const char *name, size_t length, struct inode *new_dir,
                        const char *new_name, size_t new_length)
{
    return entry_move(entry_find(dir, name, length), new_dir, new_name, new_length);
}

const struct inode_operations ramfs_dir_ops = {
    .lookup = ramfs_lookup,
    .create = ramfs_create,
    .link = ramfs_link,
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

struct inode *ramfs_inode(u32 mode, u32 device, u32 rdev, const char *target)
{
    if (device != DEVICE_SHMEM && is_full())
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

/* What is shown of INODE, which is in no directory. */
static bool name_inode(struct inode *inode, const char *name)
{
    size_t size = strlen(name) + 1;

    inode->name = kmalloc(size);
    if (!inode->name)
        return false;
    memcpy(inode->name, name, size);
    inode->deleted = true;
    inode->nlink = 0;
    return true;
}

struct inode *ramfs_unnamed(struct inode *dir, u32 mode, bool linkable)
{
    char text[sizeof("#18446744073709551615")];
    struct inode *inode = ramfs_inode(S_IFREG | mode, dir->device, 0, NULL);
    if (!inode)
        return ERR_PTR(-ENOSPC);
    snprintf(text, sizeof(text), "#%lu", (unsigned long)inode->number);
    if (!name_inode(inode, text)) {
        inode_put(inode);
        return ERR_PTR(-ENOMEM);
    }
    inode->parent = inode_get(dir);
    inode->linkable = linkable;
    return inode;
}

struct inode *ramfs_nameless(const char *name, u32 mode)
{
    struct inode *inode = ramfs_inode(S_IFREG | mode, DEVICE_SHMEM, 0, NULL);
    if (!inode)
        return ERR_PTR(-ENOMEM);
    if (!name_inode(inode, name)) {
        inode_put(inode);
        return ERR_PTR(-ENOMEM);
    }
    return inode;
}
