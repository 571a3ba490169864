/* The machinery of /proc: its inodes, and reading text that is made on the way. */
#include "kernel/fs/procfs.h"

#include "kernel/fs/ramfs.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

#define FIRST_CAPACITY PAGE_SIZE
#define MAX_CAPACITY (4ul << 20)
#define MAX_STORE 128               /* bytes of one write to a setting */

/* A file of /proc that somebody reads. */
struct proc_reader {
    struct seq seq;                 /* what is made and not yet read begins at `consumed` */
    size_t consumed;
    u64 cursor;                     /* of the next record */
    s64 pos;                        /* the file position of seq.buffer[consumed] */
    bool at_end;
};

struct task *proc_task_of(const struct inode *inode)
{
    int pid = proc_node_of(inode)->pid;
    return pid ? find_task(pid) : NULL;
}

int proc_parse_number(const char *name, size_t length)
{
    int number = 0;

    if (length == 0 || length > 8 || (name[0] == '0' && length > 1))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        number = number * 10 + (name[i] - '0');
    }
    return number;
}

/* ---- reading ---- */

static void rewind_reader(struct proc_reader *reader)
{
    reader->seq.length = reader->consumed = 0;
    reader->cursor = 0;
    reader->pos = 0;
    reader->at_end = false;
}

static int grow(struct seq *seq)
{
    size_t capacity = seq->capacity ? seq->capacity * 2 : FIRST_CAPACITY;
    char *buffer = capacity <= MAX_CAPACITY ? kmalloc(capacity) : NULL;

    if (!buffer)
        return -ENOMEM;
    if (seq->buffer) {
        memcpy(buffer, seq->buffer, seq->length);
        kfree(seq->buffer);
    }
    seq->buffer = buffer;
    seq->capacity = capacity;
    return 0;
}

/* Makes one record. 1: made; 0: there are no more; or negative errno. */
static int make_record(const struct inode *inode, struct proc_reader *reader)
{
    const struct proc_node *node = proc_node_of(inode);

    for (;;) {
        struct seq *seq = &reader->seq;
        size_t length = seq->length;
        u64 cursor = reader->cursor;
        struct task *task = proc_task_of(inode);
        if (node->pid && !task)
            return -ESRCH;
        seq->overflow = seq->capacity == 0;
        int result = seq->overflow ? 0 : node->entry->show(seq, task, &cursor);
        if (!seq->overflow) {
            reader->cursor = cursor;
            reader->at_end = result == 0;
            return result < 0 ? result : seq->length > length || result > 0;
        }
        seq->length = length;
        int error = grow(seq);
        if (error)
            return error;
    }
}

/* Refills the empty buffer. 0 or negative errno. */
static int fill(const struct inode *inode, struct proc_reader *reader)
{
    reader->seq.length = reader->consumed = 0;
    while (!reader->at_end && reader->seq.length < FIRST_CAPACITY / 2) {
        int result = make_record(inode, reader);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Takes N bytes off the front of the buffer. */
static void consume(struct proc_reader *reader, size_t n)
{
    reader->consumed += n;
    reader->pos += (s64)n;
}

/* Makes the text anew up to position POS. */
static int seek_reader(const struct inode *inode, struct proc_reader *reader, s64 pos)
{
    rewind_reader(reader);
    while (reader->pos < pos) {
        int error = fill(inode, reader);
        if (error)
            return error;
        if (reader->seq.length == 0)
            break;
        consume(reader, MIN(reader->seq.length, (size_t)(pos - reader->pos)));
    }
    return 0;
}

static long proc_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    struct proc_reader *reader = file->private;
    long done = 0;
    int error = 0;

    if (*pos != reader->pos || *pos == 0)
        error = seek_reader(file->inode, reader, *pos);
    while (!error && iter->count > 0) {
        size_t n = MIN(iter->count, reader->seq.length - reader->consumed);
        size_t copied = copy_to_iter(iter, reader->seq.buffer + reader->consumed, n);
        consume(reader, copied);
        *pos += (s64)copied;
        done += (long)copied;
        if (copied < n)
            error = -EFAULT;
        else if (reader->consumed == reader->seq.length && (reader->at_end || iter->count == 0))
            break;
        else if (iter->count > 0)
            error = fill(file->inode, reader);
    }
    return done ? done : error;
}

static long proc_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    const struct proc_entry *entry = proc_node_of(file->inode)->entry;
    char text[MAX_STORE + 1];
    size_t size = iter->count;

    if (!entry->store)
        return -EINVAL;
    if (size > MAX_STORE)
        return -EINVAL;
    if (copy_from_iter(iter, text, size) < size)
        return -EFAULT;
    text[size] = '\0';
    int error = entry->store(proc_task_of(file->inode), text);
    if (error)
        return error;
    *pos += (s64)size;
    return (long)size;
}

static s64 proc_lseek(struct file *file, s64 offset, int whence)
{
    return whence == SEEK_END ? -EINVAL : lseek_within(file, offset, whence, 0);
}

static void proc_release(struct file *file)
{
    struct proc_reader *reader = file->private;

    if (reader)
        kfree(reader->seq.buffer);
    kfree(reader);
}

static const struct file_operations proc_file_ops = {
    .read = proc_read,
    .write = proc_write,
    .lseek = proc_lseek,
    .release = proc_release,
};

static int proc_open(struct inode *inode, struct file *file)
{
    const struct proc_node *node = proc_node_of(inode);

    if (node->pid && !find_task(node->pid))
        return -ESRCH;
    if (node->entry->file_ops) {
        file->ops = node->entry->file_ops;
        return 0;
    }
    /* Root may open what nobody may read or write; that there is nothing to read or write is another matter. */
    if ((file_writable(file) && !node->entry->store) || (file_readable(file) && !node->entry->show))
        return -EACCES;
    file->ops = &proc_file_ops;
    file->private = kzalloc(sizeof(struct proc_reader));
    return file->private ? 0 : -ENOMEM;
}

/* ---- links ---- */

static long proc_readlink(struct inode *inode, char *buffer, size_t size)
{
    const struct proc_node *node = proc_node_of(inode);
    struct task *task = proc_task_of(inode);

    if (node->pid && !task)
        return -ENOENT;
    return node->entry->readlink(task, buffer, size);
}

static struct inode *proc_follow(struct inode *inode)
{
    struct task *task = proc_task_of(inode);
    return task ? proc_node_of(inode)->entry->follow(task) : ERR_PTR(-ENOENT);
}

/* ---- inodes ---- */

static void proc_inode_release(struct inode *inode)
{
    kfree(inode->private);
}

/* A write to a setting opens it with O_TRUNC; there is nothing to cut off. */
static int proc_truncate(struct inode *inode, u64 size)
{
    (void)inode;
    (void)size;
    return 0;
}

static const struct inode_operations file_inode_ops = {
    .open = proc_open, .truncate = proc_truncate, .release = proc_inode_release,
};
static const struct inode_operations link_inode_ops = { .readlink = proc_readlink, .release = proc_inode_release };
static const struct inode_operations magic_link_inode_ops = {
    .readlink = proc_readlink, .follow = proc_follow, .release = proc_inode_release,
};

struct inode *proc_inode(struct inode *parent, const char *name, size_t length, u32 mode,
                         const struct proc_entry *entry, int pid)
{
    struct inode *inode = inode_alloc(mode, DEVICE_PROC);
    struct proc_node *node = kzalloc(sizeof(*node));
    char *copy = kmalloc(length + 1);

    if (!inode || !node || !copy) {
        if (inode)
            inode_put(inode);
        kfree(node);
        kfree(copy);
        return ERR_PTR(-ENOMEM);
    }
    memcpy(copy, name, length);
    copy[length] = '\0';
    *node = (struct proc_node){ .entry = entry, .pid = pid };
    inode->name = copy;
    inode->parent = inode_get(parent);
    inode->private = node;
    const struct task *task = pid ? find_task(pid) : NULL;
    inode->uid = task ? task->euid : 0;
    inode->gid = task ? task->egid : 0;
    if (S_ISDIR(mode))
        inode->file_ops = &ramfs_dir_file_ops;
    else if (S_ISLNK(mode))
        inode->ops = entry->follow ? &magic_link_inode_ops : &link_inode_ops;
    else
        inode->ops = &file_inode_ops;
    return inode;
}

/* ---- the fixed part of the tree ---- */

void proc_add(struct inode *dir, const struct proc_entry *entry)
{
    size_t length = strlen(entry->name);
    u32 type = entry->readlink ? S_IFLNK : S_IFREG;
    struct inode *inode = proc_inode(dir, entry->name, length, type | entry->mode, entry, 0);

    if (IS_ERR(inode) || inode_link(dir, inode, entry->name, length))
        panic("no memory for /proc/%s", entry->name);
    inode_put(inode);
}

/* /proc/self and /proc/thread-self. */
static long self_readlink(struct task *task, char *buffer, size_t size)
{
    struct seq seq = { .buffer = buffer, .capacity = size };
    (void)task;
    seq_printf(&seq, "%d", current->process->pid);
    return (long)seq.length;
}

static long thread_self_readlink(struct task *task, char *buffer, size_t size)
{
    struct seq seq = { .buffer = buffer, .capacity = size };
    (void)task;
    seq_printf(&seq, "%d/task/%d", current->process->pid, current->pid);
    return (long)seq.length;
}

static long mounts_readlink(struct task *task, char *buffer, size_t size)
{
    struct seq seq = { .buffer = buffer, .capacity = size };
    (void)task;
    seq_puts(&seq, "self/mounts");
    return (long)seq.length;
}

static const struct proc_entry links[] = {
    { .name = "self", .mode = 0777, .readlink = self_readlink },
    { .name = "thread-self", .mode = 0777, .readlink = thread_self_readlink },
    { .name = "mounts", .mode = 0777, .readlink = mounts_readlink },
};

/* ---- /proc itself: the fixed entries, then a directory per process ---- */

#define FIRST_PID_POSITION (1ull << 32)     /* positions of readdir from here on are 2^32 + pid */

static struct inode *root_lookup(struct inode *dir, const char *name, size_t length)
{
    int pid = proc_parse_number(name, length);

    if (pid < 0)
        return ramfs_lookup(dir, name, length);
    return pid > 0 && find_task(pid) ? proc_pid_dir(dir, pid) : ERR_PTR(-ENOENT);
}

static int root_readdir(struct inode *dir, u64 *pos, char *name, u64 *number, u32 *mode)
{
    const struct process *process;

    if (*pos < FIRST_PID_POSITION) {
        if (ramfs_readdir(dir, pos, name, number, mode))
            return 1;
        *pos = FIRST_PID_POSITION;
    }
    list_for_each_entry(process, &all_processes, all) {
        if (FIRST_PID_POSITION + (u64)process->pid <= *pos)
            continue;
        struct seq seq = { .buffer = name, .capacity = NAME_MAX + 1 };
        seq_printf(&seq, "%d", process->pid);
        *number = *pos = FIRST_PID_POSITION + (u64)process->pid;
        *mode = S_IFDIR;
        return 1;
    }
    return 0;
}

static const struct inode_operations root_ops = { .lookup = root_lookup, .readdir = root_readdir };

void procfs_init(struct inode *root)
{
    root->ops = &root_ops;
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        proc_add(root, &links[i]);
    for (size_t i = 0; i < proc_system_entry_count; i++)
        proc_add(root, &proc_system_entries[i]);
    proc_sys_init(root);
}
