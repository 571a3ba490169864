/* A program's strings and descriptors. */
#include "syscall/user.h"

char *get_path(unsigned long from)
{
    char *path = kmalloc(PATH_MAX);
    if (!path)
        return ERR_PTR(-ENOMEM);
    long length = strncpy_from_user(path, from, PATH_MAX);
    if (length >= 0)
        return path;
    kfree(path);
    return ERR_PTR(length);
}

struct inode *get_inode(int dirfd, unsigned long from, unsigned flags)
{
    struct inode *inode;
    char *path = get_path(from);

    if (IS_ERR(path))
        return (void *)path;
    if (path[0] == '\0' && (flags & AT_EMPTY_PATH)) {
        struct file *file = dirfd == AT_FDCWD ? NULL : fd_file(dirfd);
        if (dirfd == AT_FDCWD)
            inode = inode_get(current->fs->cwd);
        else
            inode = file ? inode_get(file->inode) : ERR_PTR(-EBADF);
    } else {
        inode = path_lookup(dirfd, path, flags & AT_SYMLINK_NOFOLLOW);
    }
    kfree(path);
    return inode;
}

struct file *get_file(unsigned long fd, bool any)
{
    struct file *file = fd_file((int)fd);

    if (!file || (!any && (file->flags & O_PATH)))
        return ERR_PTR(-EBADF);
    return file_get(file);
}
