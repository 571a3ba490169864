/* /proc/PID/fd and /proc/PID/fdinfo: the open files of a process. */
#include "kernel/fs/pipe.h"
#include "kernel/fs/procfs.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

static struct file *file_of(const struct inode *inode)
{
    const struct task *task = proc_task_of(inode);
    return task && task->files ? files_file(task->files, proc_node_of(inode)->fd) : NULL;
}

static long fd_readlink(struct inode *inode, char *buffer, size_t size)
{
    const struct file *file = file_of(inode);

    if (!file)
        return -ENOENT;
    struct seq seq = { .buffer = buffer, .capacity = size };
    if (inode_is_pipe(file->inode)) {
        seq_printf(&seq, "pipe:[%lu]", (unsigned long)file->inode->number);
        return (long)seq.length;
    }
    if (inode_is_anon(file->inode)) {
        seq_printf(&seq, "anon_inode:%s", (const char *)file->inode->private);
        return (long)seq.length;
    }
    const char *path = inode_path(file->inode, buffer, size);
    size_t length = strlen(path);
    memmove(buffer, path, length);
    return (long)length;
}

static struct inode *fd_follow(struct inode *inode)
{
    const struct file *file = file_of(inode);
    return file ? inode_get(file->inode) : ERR_PTR(-ENOENT);
}

static void node_release(struct inode *inode)
{
    kfree(inode->private);
}

static const struct inode_operations fd_link_ops = {
    .readlink = fd_readlink, .follow = fd_follow, .release = node_release,
};

static struct inode *fd_lookup(struct inode *dir, const char *name, size_t length)
{
    const struct task *task = proc_task_of(dir);
    int fd = proc_parse_number(name, length);

    if (!task || !task->files || !files_file(task->files, fd))
        return ERR_PTR(-ENOENT);
    const struct file *file = files_file(task->files, fd);
    u32 mode = (file_readable(file) ? 0500u : 0) | (file_writable(file) ? 0300u : 0);
    /* proc_inode wants an entry for a link; this one's operations are its own. */
    static const struct proc_entry no_entry = { .name = "fd" };
    struct inode *inode = proc_inode(dir, name, length, S_IFLNK | mode, &no_entry, task->pid);
    if (!IS_ERR(inode)) {
        proc_node_of(inode)->fd = fd;
        inode->ops = &fd_link_ops;
    }
    return inode;
}

static int fd_readdir(struct inode *dir, u64 *pos, char *name, u64 *number, u32 *mode)
{
    const struct task *task = proc_task_of(dir);

    if (!task || !task->files)
        return -ENOENT;
    for (int fd = (int)*pos; fd < files_capacity(task->files); fd++) {
        if (!files_file(task->files, fd))
            continue;
        struct seq seq = { .buffer = name, .capacity = NAME_MAX + 1 };
        seq_printf(&seq, "%d", fd);
        *number = dir->number + (u64)fd + 1;
        *mode = dir->ops == &proc_fd_dir_ops ? S_IFLNK : S_IFREG;
        *pos = (u64)fd + 1;
        return 1;
    }
    return 0;
}

const struct inode_operations proc_fd_dir_ops = {
    .lookup = fd_lookup, .readdir = fd_readdir, .release = node_release,
};

/* ---- fdinfo ---- */

static long fdinfo_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    const struct file *target = file_of(file->inode);
    char text[128];
    struct seq seq = { .buffer = text, .capacity = sizeof(text) };

    if (!target)
        return -ENOENT;
    seq_printf(&seq, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t1\nino:\t%lu\n", (long)target->pos, (unsigned)target->flags,
               (unsigned long)target->inode->number);
    if ((size_t)*pos >= seq.length)
        return 0;
    size_t n = MIN(iter->count, seq.length - (size_t)*pos);
    size_t copied = copy_to_iter(iter, text + *pos, n);
    *pos += (s64)copied;
    return copied ? (long)copied : -EFAULT;
}

static s64 fdinfo_lseek(struct file *file, s64 offset, int whence)
{
    return whence == SEEK_END ? -EINVAL : lseek_within(file, offset, whence, 0);
}

static const struct file_operations fdinfo_ops = { .read = fdinfo_read, .lseek = fdinfo_lseek };
static const struct proc_entry fdinfo_entry = { .name = "fdinfo", .file_ops = &fdinfo_ops };

static struct inode *fdinfo_lookup(struct inode *dir, const char *name, size_t length)
{
    const struct task *task = proc_task_of(dir);
    int fd = proc_parse_number(name, length);

    if (!task || !task->files || !files_file(task->files, fd))
        return ERR_PTR(-ENOENT);
    struct inode *inode = proc_inode(dir, name, length, S_IFREG | 0400, &fdinfo_entry, task->pid);
    if (!IS_ERR(inode))
        proc_node_of(inode)->fd = fd;
    return inode;
}

const struct inode_operations proc_fdinfo_dir_ops = {
    .lookup = fdinfo_lookup, .readdir = fd_readdir, .release = node_release,
};
