/* /proc: the kernel's answers as text. */
#ifndef KERNEL_FS_PROCFS_H
#define KERNEL_FS_PROCFS_H

#include "kernel/fs/fs.h"
#include "kernel/fs/seq.h"

/* Makes the fixed entries below ROOT, which is /proc. */
void procfs_init(struct inode *root);

/* One file of text below /proc. */
struct proc_entry {
    const char *name;
    u32 mode;               /* permission bits */
    /*
     * Writes the record at *CURSOR (0 first) and moves it on. 1: there may be more; 0: that was the last one;
     * negative errno. TASK is the process or thread of /proc/PID/…, else NULL.
     */
    int (*show)(struct seq *seq, struct task *task, u64 *cursor);
    /* Takes what a program writes: TEXT is NUL-terminated. 0 or negative errno. NULL: it can't be written. */
    int (*store)(struct task *task, const char *text);
    /* Instead of SHOW: a file of bytes with operations of its own, or a link. */
    const struct file_operations *file_ops;
    long (*readlink)(struct task *task, char *buffer, size_t size);
    struct inode *(*follow)(struct task *task);
};

/* What `private` of an inode of /proc points to, kmalloc'ed. */
struct proc_node {
    const struct proc_entry *entry;     /* NULL for directories */
    int pid;                            /* the task that it is about; 0: none */
    int fd;                             /* /proc/PID/fd/N */
};

static inline struct proc_node *proc_node_of(const struct inode *inode)
{
    return inode->private;
}

/* The task that INODE is about: NULL when it is gone (or there is none). */
struct task *proc_task_of(const struct inode *inode);

/*
 * A new inode of /proc with one reference, in no directory's list but with PARENT and NAME for its path. MODE has
 * the type; ENTRY may be NULL. ERR_PTR on failure.
 */
struct inode *proc_inode(struct inode *parent, const char *name, size_t length, u32 mode,
                         const struct proc_entry *entry, int pid);

/* /proc/PID and /proc/PID/task/TID (proc_pid.c). A reference, or ERR_PTR. */
struct inode *proc_pid_dir(struct inode *parent, int pid);
extern const struct inode_operations proc_fd_dir_ops;      /* proc_fd.c */
extern const struct inode_operations proc_fdinfo_dir_ops;

/* The number that NAME is, or -1. */
int proc_parse_number(const char *name, size_t length);

/* The files, by the source file that makes their text. */
int proc_show_maps(struct seq *seq, struct task *task, u64 *cursor);        /* proc_maps.c */
int proc_show_smaps(struct seq *seq, struct task *task, u64 *cursor);
int proc_show_smaps_rollup(struct seq *seq, struct task *task, u64 *cursor);
int proc_show_status(struct seq *seq, struct task *task, u64 *cursor);      /* proc_status.c */
int proc_show_stat(struct seq *seq, struct task *task, u64 *cursor);
int proc_show_statm(struct seq *seq, struct task *task, u64 *cursor);
int proc_show_comm(struct seq *seq, struct task *task, u64 *cursor);
int proc_store_comm(struct task *task, const char *text);
int proc_show_cmdline(struct seq *seq, struct task *task, u64 *cursor);
int proc_show_environ(struct seq *seq, struct task *task, u64 *cursor);
int proc_show_limits(struct seq *seq, struct task *task, u64 *cursor);
int proc_show_mounts(struct seq *seq, struct task *task, u64 *cursor);      /* proc_system.c */
extern const struct file_operations proc_pagemap_ops;                       /* proc_pagemap.c */
extern const struct file_operations proc_mem_ops, proc_auxv_ops;
extern const struct file_operations proc_fail_nth_ops;                      /* proc_fail_nth.c */
extern const struct file_operations proc_kpageflags_ops, proc_kpagecount_ops;
extern const struct proc_entry proc_system_entries[];                       /* proc_system.c */
extern const size_t proc_system_entry_count;
/* Makes the files below /proc/sys (proc_sys.c). */
void proc_sys_init(struct inode *root);
/* Makes a file of the tree for ENTRY in DIR; panics without memory (start-up only). */
void proc_add(struct inode *dir, const struct proc_entry *entry);

#endif
