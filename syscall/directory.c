/* The calls about directories: where the program works, and what lies where. */
#include "kernel/lib/string.h"
#include "syscall/user.h"

/* ---- the working directory ---- */

/* Makes INODE (whose reference it takes) the working directory. */
static long change_directory(struct inode *inode)
{
    int error = S_ISDIR(inode->mode) ? inode_permission(inode, MAY_EXEC, false) : -ENOTDIR;

    if (error) {
        inode_put(inode);
        return error;
    }
    inode_put(current->fs->cwd);
    current->fs->cwd = inode;
    return 0;
}

long sys_chdir(unsigned long path)
{
    struct inode *inode = get_inode(AT_FDCWD, path, 0);
    return IS_ERR(inode) ? PTR_ERR(inode) : change_directory(inode);
}

long sys_fchdir(unsigned long fd)
{
    struct file *file = fd_file((int)fd);
    return file ? change_directory(inode_get(file->inode)) : -EBADF;
}

long sys_getcwd(unsigned long buffer, unsigned long size)
{
    if (current->fs->cwd->deleted)
        return -ENOENT;
    char *text = kmalloc(PATH_MAX);
    if (!text)
        return -ENOMEM;
    const char *path = inode_path(current->fs->cwd, text, PATH_MAX);
    size_t length = strlen(path) + 1;
    long result = -ERANGE;
    if (length == 1)
        result = -ENAMETOOLONG;
    else if (length <= size)
        result = copy_to_user(buffer, path, length) ? -EFAULT : (long)length;
    kfree(text);
    return result;
}

/* ---- getdents64 ---- */

/* Linux's struct linux_dirent64; the name and its NUL follow. */
struct directory_entry {
    u64 number;
    s64 next;           /* the position of the entry after this one */
    u16 length;         /* of the whole record, a multiple of 8 */
    u8 type;            /* DT_…: the four type bits of the mode */
    char name[];
} __packed;

#define DT_SHIFT 12

struct listing {
    unsigned long to;   /* where the next record goes */
    size_t room;
    long done;          /* bytes written, or negative errno */
};

/* Writes one record. False when there is no room for it, or an error. */
static bool add_record(struct listing *listing, const char *name, u64 number, u32 mode, u64 next)
{
    union {
        struct directory_entry entry;
        u8 bytes[sizeof(struct directory_entry) + NAME_MAX + 8];
    } record;
    size_t name_size = strlen(name) + 1;
    size_t length = ALIGN_UP(offsetof(struct directory_entry, name) + name_size, 8);

    if (length > listing->room) {
        if (listing->done == 0)
            listing->done = -EINVAL;
        return false;
    }
    memset(record.bytes, 0, length);
    record.entry.number = number;
    record.entry.next = (s64)next;
    record.entry.length = (u16)length;
    record.entry.type = (u8)((mode & S_IFMT) >> DT_SHIFT);
    memcpy(record.entry.name, name, name_size);
    if (copy_to_user(listing->to, &record, length)) {
        if (listing->done == 0)
            listing->done = -EFAULT;
        return false;
    }
    listing->to += length;
    listing->room -= length;
    listing->done += (long)length;
    return true;
}

/* Positions 0 and 1 are "." and ".."; the directory's own positions come behind, moved up by two. */
#define DOTS 2u

static void list_directory(struct file *file, struct listing *listing)
{
    struct inode *dir = file->inode;
    const struct inode *parent = dir->parent ? dir->parent : dir;
    char name[NAME_MAX + 1];
    u64 number;
    u32 mode;

    if (file->pos == 0) {
        if (!add_record(listing, ".", dir->number, S_IFDIR, 1))
            return;
        file->pos = 1;
    }
    if (file->pos == 1) {
        if (!add_record(listing, "..", parent->number, S_IFDIR, DOTS))
            return;
        file->pos = DOTS;
    }
    for (;;) {
        u64 pos = (u64)file->pos - DOTS;
        int found = dir->ops->readdir(dir, &pos, name, &number, &mode);
        if (found < 0 && listing->done == 0)
            listing->done = found;
        if (found <= 0 || !add_record(listing, name, number, mode, pos + DOTS))
            return;
        file->pos = (s64)(pos + DOTS);
    }
}

long sys_getdents64(unsigned long fd, unsigned long buffer, unsigned long size)
{
    struct listing listing = { .to = buffer, .room = (u32)size };

    struct file *file = get_file(fd, false);
    if (IS_ERR(file))
        return PTR_ERR(file);
    if (!S_ISDIR(file->inode->mode))
        listing.done = -ENOTDIR;
    else if (file->inode->deleted)
        listing.done = -ENOENT;
    else if (!access_ok(buffer, listing.room))
        listing.done = -EFAULT;
    else
        list_directory(file, &listing);
    file_put(file);
    return listing.done;
}

/* ---- names ---- */

static u32 masked(unsigned long mode)
{
    return (u32)mode & 07777 & ~current->fs->umask;
}

static long make_node(int dirfd, unsigned long from, u32 mode, u32 rdev, const char *target)
{
    char *path = get_path(from);
    if (IS_ERR(path))
        return PTR_ERR(path);
    long result = path_mknod(dirfd, path, mode, rdev, target);
    kfree(path);
    return result;
}

long sys_mkdirat(unsigned long dirfd, unsigned long path, unsigned long mode)
{
    return make_node((int)dirfd, path, S_IFDIR | (masked(mode) & 01777), 0, NULL);
}

long sys_mkdir(unsigned long path, unsigned long mode)
{
    return sys_mkdirat((unsigned long)AT_FDCWD, path, mode);
}

long sys_mknodat(unsigned long dirfd, unsigned long path, unsigned long mode, unsigned long device)
{
    u32 type = (u32)mode & S_IFMT;

    if (type == 0)
        type = S_IFREG;
    if (type == S_IFDIR)
        return -EPERM;
    if (type != S_IFREG && type != S_IFIFO && type != S_IFCHR)
        return -EINVAL;
    if (type == S_IFCHR && current->euid != 0)
        return -EPERM;
    return make_node((int)dirfd, path, type | masked(mode), (u32)device, NULL);
}

long sys_mknod(unsigned long path, unsigned long mode, unsigned long device)
{
    return sys_mknodat((unsigned long)AT_FDCWD, path, mode, device);
}

long sys_symlinkat(unsigned long target_from, unsigned long dirfd, unsigned long path)
{
    char *target = get_path(target_from);
    if (IS_ERR(target))
        return PTR_ERR(target);
    long result = target[0] ? make_node((int)dirfd, path, S_IFLNK | 0777, 0, target) : -ENOENT;
    kfree(target);
    return result;
}

long sys_symlink(unsigned long target, unsigned long path)
{
    return sys_symlinkat(target, (unsigned long)AT_FDCWD, path);
}

static long remove_name(int dirfd, unsigned long from, bool directory)
{
    char *path = get_path(from);
    if (IS_ERR(path))
        return PTR_ERR(path);
    long result = path_unlink(dirfd, path, directory);
    kfree(path);
    return result;
}

long sys_unlinkat(unsigned long dirfd, unsigned long path, unsigned long flags)
{
    if (flags & ~(unsigned long)AT_REMOVEDIR)
        return -EINVAL;
    return remove_name((int)dirfd, path, flags & AT_REMOVEDIR);
}

long sys_unlink(unsigned long path)
{
    return remove_name(AT_FDCWD, path, false);
}

long sys_rmdir(unsigned long path)
{
    return remove_name(AT_FDCWD, path, true);
}

/* RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT */
#define RENAME_FLAGS 7ul

long sys_renameat2(unsigned long old_dirfd, unsigned long old_from, unsigned long new_dirfd,
                   unsigned long new_from, unsigned long flags)
{
    if (flags & ~RENAME_FLAGS)
        return -EINVAL;
    char *old_path = get_path(old_from);
    if (IS_ERR(old_path))
        return PTR_ERR(old_path);
    char *new_path = get_path(new_from);
    long result = IS_ERR(new_path)
                      ? PTR_ERR(new_path)
                      : path_rename((int)old_dirfd, old_path, (int)new_dirfd, new_path, (unsigned)flags);
    if (!IS_ERR(new_path))
        kfree(new_path);
    kfree(old_path);
    return result;
}

long sys_renameat(unsigned long old_dirfd, unsigned long old_path, unsigned long new_dirfd, unsigned long new_path)
{
    return sys_renameat2(old_dirfd, old_path, new_dirfd, new_path, 0);
}

long sys_rename(unsigned long old_path, unsigned long new_path)
{
    return sys_renameat2((unsigned long)AT_FDCWD, old_path, (unsigned long)AT_FDCWD, new_path, 0);
}

long sys_linkat(unsigned long old_dirfd, unsigned long old_path, unsigned long new_dirfd,
                unsigned long new_path, unsigned long flags)
{
    if (flags & ~(unsigned long)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if ((flags & AT_EMPTY_PATH) && current->euid != 0)
        return -ENOENT;
    struct inode *inode = get_inode((int)old_dirfd, old_path,
                                    (flags & AT_EMPTY_PATH) | (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW));
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    char *path = get_path(new_path);
    long result = IS_ERR(path) ? PTR_ERR(path) : path_link(inode, (int)new_dirfd, path);
    if (!IS_ERR(path))
        kfree(path);
    inode_put(inode);
    return result;
}

long sys_link(unsigned long old_path, unsigned long new_path)
{
    return sys_linkat((unsigned long)AT_FDCWD, old_path, (unsigned long)AT_FDCWD, new_path, 0);
}

long sys_readlinkat(unsigned long dirfd, unsigned long path, unsigned long buffer, unsigned long size)
{
    char first;

    if ((int)size <= 0)
        return -EINVAL;
    struct inode *inode = get_inode((int)dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    long result = get_user(first, path) || first ? -EINVAL : -ENOENT;
    if (S_ISLNK(inode->mode)) {
        char *text = kmalloc(PATH_MAX);
        result = text ? inode->ops->readlink(inode, text, PATH_MAX) : -ENOMEM;
        if (result > 0) {
            result = (long)MIN((unsigned long)result, (unsigned long)(int)size);
            if (copy_to_user(buffer, text, (unsigned long)result))
                result = -EFAULT;
        }
        kfree(text);
    }
    inode_put(inode);
    return result;
}

long sys_readlink(unsigned long path, unsigned long buffer, unsigned long size)
{
    return sys_readlinkat((unsigned long)AT_FDCWD, path, buffer, size);
}

long sys_umask(unsigned long mask)
{
    u32 old = current->fs->umask;
    current->fs->umask = (u32)mask & 0777;
    return old;
}
