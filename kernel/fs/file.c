/* Open files: opening, reading, writing, and the end. */
#include "kernel/fs/fs.h"

#include "kernel/fs/epoll.h"
#include "kernel/fs/locks.h"
#include "kernel/fs/ramfs.h"
#include "kernel/lib/panic.h"
#include "mm/slab.h"

static DEFINE_SLAB_CACHE(file_cache, "file", sizeof(struct file), 8);

/* What one read or write moves at most, as on Linux (MAX_RW_COUNT). */
#define MAX_TRANSFER (0x7ffffffful & PAGE_MASK)

WAIT_QUEUE(poll_queue);

/* The number of the file that was opened last. */
static u32 last_number;

static bool counts_as_writer(const struct file *file)
{
    return S_ISREG(file->inode->mode) && file_writable(file);
}

struct file *file_open_inode(struct inode *inode, int flags)
{
    struct file *file = slab_zalloc(&file_cache);
    if (!file) {
        inode_put(inode);
        return ERR_PTR(-ENOMEM);
    }
    file->inode = inode;
    file->ops = inode->file_ops;
    file->flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
    file->refcount = 1;
    list_init(&file->watches);
    if (!++last_number)
        last_number = 1;
    file->number = last_number;
    mapping_get(&inode->mapping);
    inode->writers += counts_as_writer(file);
    if (!(flags & O_PATH) && inode->ops->open) {
        int error = inode->ops->open(inode, file);
        if (error) {
            file->ops = NULL;
            file_put(file);
            return ERR_PTR(error);
        }
    }
    return file;
}

void file_put(struct file *file)
{
    assert(file->refcount > 0);
    if (--file->refcount > 0)
        return;
    epoll_forget(file);
    locks_file_closed(file);
    if (file->ops && file->ops->release && !(file->flags & O_PATH))
        file->ops->release(file);
    file->inode->writers -= counts_as_writer(file);
    mapping_put(&file->inode->mapping);
    inode_put(file->inode);
    slab_free(&file_cache, file);
}

/* ---- files without a name ---- */

/* By way of /proc/PID/fd: there is nothing to open. */
static int refuse_to_open(struct inode *inode, struct file *file)
{
    (void)inode;
    (void)file;
    return -ENXIO;
}

static const struct inode_operations anon_inode_ops = { .open = refuse_to_open };
static const struct inode_operations fresh_inode_ops = { 0 };

bool inode_is_anon(const struct inode *inode)
{
    return inode->ops == &anon_inode_ops;
}

struct file *anon_file(const char *name, const struct file_operations *ops, int flags, void *private)
{
    struct inode *inode = inode_alloc(0600, DEVICE_ANON);
    if (!inode)
        return ERR_PTR(-ENOMEM);
    inode->ops = &fresh_inode_ops;
    inode->private = (void *)name;
    struct file *file = file_open_inode(inode, flags);
    if (IS_ERR(file))
        return file;
    inode->ops = &anon_inode_ops;
    file->ops = ops;
    file->private = private;
    return file;
}

/* May the running task open INODE so? */
static int check_open(const struct inode *inode, int flags)
{
    static const u8 wanted[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
    unsigned what = wanted[flags & O_ACCMODE];

    if ((flags & O_DIRECTORY) && !S_ISDIR(inode->mode))
        return -ENOTDIR;
    if (S_ISLNK(inode->mode) && !(flags & O_PATH))
        return -ELOOP;
    if (flags & O_PATH)
        return 0;
    if (flags & O_TRUNC)
        what |= MAY_WRITE;
    if (S_ISDIR(inode->mode) && ((what & MAY_WRITE) || (flags & O_CREAT)))
        return -EISDIR;
    int error = inode_permission(inode, what, false);
    if (!error && (what & MAY_WRITE) && inode_is_executed(inode))
        error = -ETXTBSY;
    return error;
}

/* Makes the file that PATH names and that is not there. */
static int create_file(struct path *path, u32 mode)
{
    struct inode *dir = path->parent;

    if (dir->deleted)
        return -ENOENT;
    int error = inode_permission(dir, MAY_WRITE | MAY_EXEC, false);
    if (error)
        return error;
    if (!dir->ops->create)
        return -ENOENT;
    u32 umask = current->fs ? current->fs->umask : 0;
    struct inode *inode = dir->ops->create(dir, path->name, path->length,
                                           S_IFREG | (mode & 07777 & ~umask), 0, NULL);
    if (IS_ERR(inode))
        return (int)PTR_ERR(inode);
    path->inode = inode;
    return 0;
}

/* A file without a name below the directory DIR. */
static struct file *open_tmpfile(struct inode *dir, int flags, u32 mode)
{
    if (!S_ISDIR(dir->mode))
        return ERR_PTR(-ENOTDIR);
    if ((flags & O_ACCMODE) == O_RDONLY)
        return ERR_PTR(-EINVAL);
    if (!dir->ops->create)
        return ERR_PTR(-EOPNOTSUPP);
    int error = inode_permission(dir, MAY_WRITE | MAY_EXEC, false);
    if (error)
        return ERR_PTR(error);
    struct inode *inode = ramfs_unnamed(dir, mode & 07777 & ~current->fs->umask, !(flags & O_EXCL));
    if (IS_ERR(inode))
        return (void *)inode;
    return file_open_inode(inode, flags);
}

static struct file *open_path(struct path *path, int flags, u32 mode)
{
    bool created = false;
    int error = 0;

    if ((flags & O_TMPFILE) == O_TMPFILE)
        return path->inode ? open_tmpfile(path->inode, flags, mode) : ERR_PTR(-ENOENT);
    if (!path->inode) {
        if (!(flags & O_CREAT))
            return ERR_PTR(-ENOENT);
        error = create_file(path, mode);
        created = true;
    } else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        error = -EEXIST;
    }
    if (!error && !created)
        error = check_open(path->inode, flags);
    if (error)
        return ERR_PTR(error);

    struct file *file = file_open_inode(inode_get(path->inode), flags);
    if (!IS_ERR(file) && (flags & O_TRUNC) && S_ISREG(path->inode->mode) && path->inode->ops->truncate)
        inode_truncate(path->inode, 0);
    return file;
}

struct file *file_open(int dirfd, const char *text, int flags, u32 mode)
{
    struct path path;

    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    unsigned how = flags & O_CREAT ? PATH_CREATE : 0;
    if (!(flags & O_NOFOLLOW) && !exclusive)
        how |= PATH_FOLLOW;
    int error = path_resolve(dirfd, text, how, &path);
    if (error)
        return ERR_PTR(error);
    struct file *file = open_path(&path, flags, mode);
    path_release(&path);
    return file;
}

/* ---- reading and writing ---- */

long file_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    if (S_ISDIR(file->inode->mode))
        return -EISDIR;
    if (!file->ops || !file->ops->read)
        return -EINVAL;
    iter->count = MIN(iter->count, MAX_TRANSFER);
    return iter->count ? file->ops->read(file, iter, pos) : 0;
}

long file_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    if (!file->ops || !file->ops->write)
        return -EINVAL;
    iter->count = MIN(iter->count, MAX_TRANSFER);
    return iter->count ? file->ops->write(file, iter, pos) : 0;
}

long file_read_kernel(struct file *file, void *buffer, size_t size, s64 pos)
{
    struct iov_iter iter;

    iov_iter_kernel(&iter, buffer, size);
    return file_read(file, &iter, &pos);
}

/* ---- positions ---- */

s64 file_lseek(struct file *file, s64 offset, int whence)
{
    if (whence < SEEK_SET || whence > SEEK_HOLE)
        return -EINVAL;
    if (!file->ops || !file->ops->lseek)
        return -ESPIPE;
    return file->ops->lseek(file, offset, whence);
}

s64 lseek_within(struct file *file, s64 offset, int whence, u64 size)
{
    s64 base = whence == SEEK_CUR ? file->pos : whence == SEEK_END ? (s64)size : 0;

    if (whence > SEEK_END)
        return -EINVAL;
    s64 target;
    if (__builtin_add_overflow(base, offset, &target))
        return -EOVERFLOW;
    if (target < 0)
        return -EINVAL;
    file->pos = target;
    return target;
}

s64 lseek_nothing(struct file *file, s64 offset, int whence)
{
    (void)offset;
    (void)whence;
    file->pos = 0;
    return 0;
}
