/* The directories /proc/PID and /proc/PID/task/TID: which files there are. */
#include "kernel/fs/procfs.h"

#include "kernel/lib/string.h"
#include "mm/slab.h"

static long exe_readlink(struct task *task, char *buffer, size_t size)
{
    size_t length = task->exe_path ? MIN(strlen(task->exe_path), size) : 0;

    if (length == 0)
        return -ENOENT;
    memcpy(buffer, task->exe_path, length);
    return (long)length;
}

static struct inode *exe_follow(struct task *task)
{
    return task->exe_path ? path_lookup(AT_FDCWD, task->exe_path, false) : ERR_PTR(-ENOENT);
}

static long path_of(const struct inode *inode, char *buffer, size_t size)
{
    const char *path = inode_path(inode, buffer, size);
    size_t length = strlen(path);
    memmove(buffer, path, length);
    return (long)length;
}

static long cwd_readlink(struct task *task, char *buffer, size_t size)
{
    return task->fs ? path_of(task->fs->cwd, buffer, size) : -ENOENT;
}

static struct inode *cwd_follow(struct task *task)
{
    return task->fs ? inode_get(task->fs->cwd) : ERR_PTR(-ENOENT);
}

static long root_readlink(struct task *task, char *buffer, size_t size)
{
    (void)task;
    return path_of(root_inode, buffer, size);
}

static struct inode *root_follow(struct task *task)
{
    (void)task;
    return inode_get(root_inode);
}

static const struct proc_entry entries[] = {
    { .name = "auxv", .mode = 0400, .file_ops = &proc_auxv_ops },
    { .name = "cmdline", .mode = 0444, .show = proc_show_cmdline },
    { .name = "comm", .mode = 0644, .show = proc_show_comm, .store = proc_store_comm },
    { .name = "cwd", .mode = 0777, .readlink = cwd_readlink, .follow = cwd_follow },
    { .name = "environ", .mode = 0400, .show = proc_show_environ },
    { .name = "exe", .mode = 0777, .readlink = exe_readlink, .follow = exe_follow },
    { .name = "limits", .mode = 0444, .show = proc_show_limits },
    { .name = "maps", .mode = 0444, .show = proc_show_maps },
    { .name = "mem", .mode = 0600, .file_ops = &proc_mem_ops },
    { .name = "mounts", .mode = 0444, .show = proc_show_mounts },
    { .name = "pagemap", .mode = 0400, .file_ops = &proc_pagemap_ops },
    { .name = "root", .mode = 0777, .readlink = root_readlink, .follow = root_follow },
    { .name = "smaps", .mode = 0444, .show = proc_show_smaps },
    { .name = "smaps_rollup", .mode = 0444, .show = proc_show_smaps_rollup },
    { .name = "stat", .mode = 0444, .show = proc_show_stat },
    { .name = "statm", .mode = 0444, .show = proc_show_statm },
    { .name = "status", .mode = 0444, .show = proc_show_status },
    /* The last one: it is there only with the kernel option for it. */
    { .name = "fail-nth", .mode = 0644, .file_ops = &proc_fail_nth_ops },
};

static size_t entry_count(void)
{
    return ARRAY_SIZE(entries) - (proc_has_fail_nth ? 0 : 1);
}

/* The directories in a process's directory. A thread's has no "task". */
struct directory {
    const char *name;
    u32 mode;
    const struct inode_operations *ops;
};

static struct inode *named(struct inode *dir, const char *name, size_t length)
{
    int pid = proc_node_of(dir)->pid;

    for (size_t i = 0; i < entry_count(); i++) {
        const struct proc_entry *entry = &entries[i];
        if (strlen(entry->name) == length && memcmp(entry->name, name, length) == 0)
            return proc_inode(dir, name, length, (entry->readlink ? S_IFLNK : S_IFREG) | entry->mode,
                              entry, pid);
    }
    return ERR_PTR(-ENOENT);
}

/* ---- /proc/PID/task ---- */

static struct inode *tasks_lookup(struct inode *dir, const char *name, size_t length)
{
    const struct task *task = proc_task_of(dir);
    int tid = proc_parse_number(name, length);
    const struct task *thread = tid > 0 ? find_task(tid) : NULL;

    if (!task || !thread || thread->process != task->process)
        return ERR_PTR(-ENOENT);
    return proc_pid_dir(dir, tid);
}

static int tasks_readdir(struct inode *dir, u64 *pos, char *name, u64 *number, u32 *mode)
{
    const struct task *task = proc_task_of(dir), *thread;
    int next = 0;

    if (!task)
        return -ENOENT;
    list_for_each_entry(thread, &task->process->threads, thread_node) {
        if ((u64)thread->pid > *pos && (next == 0 || thread->pid < next))
            next = thread->pid;
    }
    if (next == 0)
        return 0;
    struct seq seq = { .buffer = name, .capacity = NAME_MAX + 1 };
    seq_printf(&seq, "%d", next);
    *pos = *number = (u64)next;
    *mode = S_IFDIR;
    return 1;
}

static void node_release(struct inode *inode)
{
    kfree(inode->private);
}

static const struct inode_operations tasks_ops = {
    .lookup = tasks_lookup, .readdir = tasks_readdir, .release = node_release,
};

static const struct directory directories[] = {
    { "fd", 0500, &proc_fd_dir_ops },
    { "fdinfo", 0555, &proc_fdinfo_dir_ops },
    { "task", 0555, &tasks_ops },
};

/* ---- /proc/PID ---- */

static bool is_thread_dir(const struct inode *dir)
{
    return dir->parent->ops == &tasks_ops;
}

static size_t directory_count(const struct inode *dir)
{
    return ARRAY_SIZE(directories) - (is_thread_dir(dir) ? 1 : 0);
}

static struct inode *pid_lookup(struct inode *dir, const char *name, size_t length)
{
    if (!proc_task_of(dir))
        return ERR_PTR(-ENOENT);
    for (size_t i = 0; i < directory_count(dir); i++) {
        const struct directory *directory = &directories[i];
        if (strlen(directory->name) != length || memcmp(directory->name, name, length) != 0)
            continue;
        struct inode *inode = proc_inode(dir, name, length, S_IFDIR | directory->mode, NULL,
                                         proc_node_of(dir)->pid);
        if (!IS_ERR(inode))
            inode->ops = directory->ops;
        return inode;
    }
    return named(dir, name, length);
}

static int pid_readdir(struct inode *dir, u64 *pos, char *name, u64 *number, u32 *mode)
{
    size_t count = directory_count(dir);
    size_t i = *pos;

    if (!proc_task_of(dir))
        return -ENOENT;
    if (i >= count + entry_count())
        return 0;
    if (i < count) {
        strlcpy(name, directories[i].name, NAME_MAX + 1);
        *mode = S_IFDIR;
    } else {
        const struct proc_entry *entry = &entries[i - count];
        strlcpy(name, entry->name, NAME_MAX + 1);
        *mode = entry->readlink ? S_IFLNK : S_IFREG;
    }
    *number = dir->number + i + 1;
    *pos = i + 1;
    return 1;
}

static const struct inode_operations pid_dir_ops = {
    .lookup = pid_lookup, .readdir = pid_readdir, .release = node_release,
};

struct inode *proc_pid_dir(struct inode *parent, int pid)
{
    char name[16];
    struct seq seq = { .buffer = name, .capacity = sizeof(name) };

    seq_printf(&seq, "%d", pid);
    struct inode *inode = proc_inode(parent, name, seq.length, S_IFDIR | 0555, NULL, pid);
    if (!IS_ERR(inode))
        inode->ops = &pid_dir_ops;
    return inode;
}
