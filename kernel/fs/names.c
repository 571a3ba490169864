/* The calls that make, remove and move names. */
#include "kernel/fs/fs.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

#define RENAME_NOREPLACE 1u

/* May the running task change the names in DIR? */
static int may_change(const struct inode *dir)
{
    if (dir->deleted)
        return -ENOENT;
    return inode_permission(dir, MAY_WRITE | MAY_EXEC, false);
}

/* In a directory with the sticky bit only the owners of file and directory may take a name away. */
static int may_delete(const struct inode *dir, const struct inode *victim)
{
    int error = may_change(dir);
    if (error)
        return error;
    u32 uid = current->euid;
    if ((dir->mode & S_ISVTX) && uid != 0 && uid != dir->uid && uid != victim->uid)
        return -EPERM;
    return 0;
}

/* Whether something can be made where PATH leads: 0 or what is wrong with the name, or the directory. */
static int check_new_name(const struct path *path, bool directory)
{
    if (path->inode)
        return -EEXIST;
    if (!path->parent->ops->create)
        return -ENOENT;
    if (path->too_long)
        return -ENAMETOOLONG;
    return path->trailing_slash && !directory ? -ENOENT : 0;
}

static int make_node(struct path *path, u32 mode, u32 rdev, const char *target)
{
    int error = check_new_name(path, S_ISDIR(mode));
    if (!error)
        error = may_change(path->parent);
    if (error)
        return error;
    struct inode *inode = path->parent->ops->create(path->parent, path->name, path->length, mode, rdev, target);
    if (IS_ERR(inode))
        return (int)PTR_ERR(inode);
    inode_put(inode);
    return 0;
}

int path_mknod(int dirfd, const char *text, u32 mode, u32 rdev, const char *target)
{
    struct path path;
    int error = path_resolve(dirfd, text, PATH_NAMES, &path);
    if (error)
        return error;
    error = make_node(&path, mode, rdev, target);
    path_release(&path);
    return error;
}

/* Strangers may only link what they could as well change, and what changes nobody's rights when it is run. */
static bool may_be_linked(const struct inode *inode)
{
    bool runs_as_group = (inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);

    if (current->euid == 0 || current->euid == inode->uid)
        return true;
    return S_ISREG(inode->mode) && !(inode->mode & S_ISUID) && !runs_as_group &&
           !inode_permission(inode, MAY_READ | MAY_WRITE, false);
}

static int link_name(struct inode *inode, struct path *path)
{
    struct inode *dir = path->parent;

    int error = check_new_name(path, false);
    if (error)
        return error;
    if (inode->device != dir->device)
        return -EXDEV;
    if (!may_be_linked(inode))
        return -EPERM;
    error = may_change(dir);
    if (error)
        return error;
    if (S_ISDIR(inode->mode))
        return -EPERM;
    if (inode->nlink == 0 && !inode->linkable)
        return -ENOENT;
    return dir->ops->link(dir, inode, path->name, path->length);
}

int path_link(struct inode *inode, int dirfd, const char *text)
{
    struct path path;
    int error = path_resolve(dirfd, text, PATH_NAMES, &path);
    if (error)
        return error;
    error = link_name(inode, &path);
    path_release(&path);
    return error;
}

static int remove_name(struct path *path, bool directory)
{
    struct inode *victim = path->inode;

    if (path->last != PATH_NAME) {
        if (!directory)
            return -EISDIR;
        return path->last == PATH_DOT ? -EINVAL : path->last == PATH_DOTDOT ? -ENOTEMPTY : -EBUSY;
    }
    if (path->too_long)
        return -ENAMETOOLONG;
    if (!victim)
        return -ENOENT;
    if (!directory && path->trailing_slash)
        return S_ISDIR(victim->mode) ? -EISDIR : -ENOTDIR;
    if (!path->parent->ops->unlink)
        return directory && !S_ISDIR(victim->mode) ? -ENOTDIR : -EPERM;
    int error = may_delete(path->parent, victim);
    if (error)
        return error;
    if (directory && !S_ISDIR(victim->mode))
        return -ENOTDIR;
    if (!directory && S_ISDIR(victim->mode))
        return -EISDIR;
    /* /tmp, /proc and /dev are mounted, on Linux. */
    if (victim->device != path->parent->device)
        return -EBUSY;
    return path->parent->ops->unlink(path->parent, path->name, path->length);
}

int path_unlink(int dirfd, const char *text, bool directory)
{
    struct path path;
    int error = path_resolve(dirfd, text, PATH_NAMES, &path);
    if (error)
        return error;
    error = remove_name(&path, directory);
    path_release(&path);
    return error;
}

/* True when DIR is ANCESTOR or lies below it. */
static bool lies_in(const struct inode *dir, const struct inode *ancestor)
{
    while (dir != ancestor && dir->parent && dir->parent != dir)
        dir = dir->parent;
    return dir == ancestor;
}

/* Clears the way: what has the new name now goes, if it may. */
static int replace_target(struct path *from, struct path *to)
{
    struct inode *victim = to->inode;

    int error = may_delete(to->parent, victim);
    if (error)
        return error;
    if (S_ISDIR(from->inode->mode) && !S_ISDIR(victim->mode))
        return -ENOTDIR;
    if (!S_ISDIR(from->inode->mode) && S_ISDIR(victim->mode))
        return -EISDIR;
    return to->parent->ops->unlink(to->parent, to->name, to->length);
}

/* What is wrong with the two names as such. 0 or negative errno. */
static int check_names(const struct path *from, const struct path *to, unsigned flags)
{
    if (from->parent->device != to->parent->device)
        return -EXDEV;
    if (from->last != PATH_NAME)
        return -EBUSY;
    if (to->last != PATH_NAME)
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (from->too_long)
        return -ENAMETOOLONG;
    if (!from->inode)
        return -ENOENT;
    if (to->too_long)
        return -ENAMETOOLONG;
    if (to->inode && (flags & RENAME_NOREPLACE))
        return -EEXIST;
    if (!S_ISDIR(from->inode->mode) && (from->trailing_slash || to->trailing_slash))
        return -ENOTDIR;
    if (S_ISDIR(from->inode->mode) && lies_in(to->parent, from->inode))
        return -EINVAL;
    if (to->inode && to->inode != from->inode && lies_in(from->parent, to->inode))
        return -ENOTEMPTY;
    return 0;
}

static int move_name(struct path *from, struct path *to, unsigned flags)
{
    int error = check_names(from, to, flags);
    if (error)
        return error;
    if (from->inode == to->inode)
        return 0;
    error = may_delete(from->parent, from->inode);
    if (!error)
        error = may_change(to->parent);
    if (error)
        return error;
    if (!from->parent->ops->rename || from->inode->device != from->parent->device)
        return -EBUSY;
    if (to->inode) {
        error = replace_target(from, to);
        if (error)
            return error;
    }
    return from->parent->ops->rename(from->parent, from->name, from->length, to->parent, to->name, to->length);
}

int path_rename(int old_dirfd, const char *old_text, int new_dirfd, const char *new_text, unsigned flags)
{
    if (flags & ~RENAME_NOREPLACE)
        return -EINVAL;
    struct path *paths = kmalloc(2 * sizeof(*paths));
    if (!paths)
        return -ENOMEM;
    int error = path_resolve(old_dirfd, old_text, PATH_NAMES, &paths[0]);
    if (!error) {
        error = path_resolve(new_dirfd, new_text, PATH_NAMES, &paths[1]);
        if (!error) {
            error = move_name(&paths[0], &paths[1], flags);
            path_release(&paths[1]);
        }
        path_release(&paths[0]);
    }
    kfree(paths);
    return error;
}

int inode_truncate(struct inode *inode, u64 size)
{
    if (S_ISDIR(inode->mode))
        return -EISDIR;
    if (!inode->ops->truncate)
        return -EINVAL;
    if (inode_is_executed(inode))
        return -ETXTBSY;
    inode->mapping.keeps_pages = true;
    return inode->ops->truncate(inode, size);
}
