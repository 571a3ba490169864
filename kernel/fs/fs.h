/* Files: inodes, open files, descriptors, paths. Everything that has a name or a descriptor comes through here. */
#ifndef KERNEL_FS_FS_H
#define KERNEL_FS_FS_H

#include "kernel/fs/iov.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/list.h"
#include "kernel/sched/sched.h"
#include "mm/filemap.h"

struct inode;
struct file;

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_ISVTX 01000
#define S_ISUID 04000
#define S_ISGID 02000
#define S_IXGRP 00010
#define S_ISDIR(mode) (((mode) & S_IFMT) == S_IFDIR)
#define S_ISREG(mode) (((mode) & S_IFMT) == S_IFREG)
#define S_ISLNK(mode) (((mode) & S_IFMT) == S_IFLNK)
#define S_ISCHR(mode) (((mode) & S_IFMT) == S_IFCHR)
#define S_ISFIFO(mode) (((mode) & S_IFMT) == S_IFIFO)

#define O_ACCMODE 03
#define O_RDONLY 00
#define O_WRONLY 01
#define O_RDWR 02
#define O_CREAT 0100
#define O_EXCL 0200
#define O_NOCTTY 0400
#define O_TRUNC 01000
#define O_APPEND 02000
#define O_NONBLOCK 04000
#define O_LARGEFILE 0100000
#define O_DIRECTORY 0200000
#define O_NOFOLLOW 0400000
#define O_CLOEXEC 02000000
#define O_PATH 010000000
#define O_TMPFILE (020000000 | O_DIRECTORY)

#define PATH_MAX 4096
#define NAME_MAX 255
#define AT_FDCWD (-100)

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define POLLIN 0x001u
#define POLLPRI 0x002u
#define POLLOUT 0x004u
#define POLLERR 0x008u
#define POLLHUP 0x010u
#define POLLNVAL 0x020u
#define POLLRDNORM 0x040u
#define POLLWRNORM 0x100u

/* Device numbers as stat and /proc/PID/maps show them: major << 8 | minor. */
#define MAKEDEV(major, minor) ((u32)((major) << 8 | (minor)))
#define DEVICE_ROOT MAKEDEV(0, 2)       /* / (Linux's initial ramfs) */
#define DEVICE_SHMEM MAKEDEV(0, 1)      /* nameless shared memory, memfd */
#define DEVICE_DEV MAKEDEV(0, 5)
#define DEVICE_PIPE MAKEDEV(0, 13)
#define DEVICE_ANON MAKEDEV(0, 14)      /* what has no name but a kind: epoll, eventfd */
#define DEVICE_PROC MAKEDEV(0, 21)
#define DEVICE_TMP MAKEDEV(0, 22)

/*
 * A kind of open file. Any member may be NULL: then the call gives what Linux gives (EINVAL for read and write,
 * ESPIPE, ENOTTY, ENODEV, always ready).
 */
struct file_operations {
    /* Bytes, or negative errno. *POS is advanced. ITER holds at least one byte. */
    long (*read)(struct file *file, struct iov_iter *iter, s64 *pos);
    long (*write)(struct file *file, struct iov_iter *iter, s64 *pos);
    long (*ioctl)(struct file *file, unsigned long request, unsigned long argument);
    s64 (*lseek)(struct file *file, s64 offset, int whence);
    /* POLLIN, POLLOUT … that hold now. Whatever changes the answer calls poll_notify(). */
    unsigned (*poll)(struct file *file);
    /* The list that poll_notify() is then called with; no member: the answer never changes. */
    struct list_head *(*watchers)(struct file *file);
    /*
     * What mmap of LENGTH bytes of this file maps: fills SOURCE (with a reference to its mapping) or returns
     * -ENODEV.
     */
    int (*mmap)(struct file *file, unsigned long flags, unsigned long length, struct mmap_source *source);
    void (*release)(struct file *file);
};

struct inode_operations {
    /* Directories. Each returns an inode with a reference, or ERR_PTR. */
    struct inode *(*lookup)(struct inode *dir, const char *name, size_t length);
    /* Makes a file of MODE's kind. TARGET is a symbolic link's; RDEV a device's number. */
    struct inode *(*create)(struct inode *dir, const char *name, size_t length, u32 mode, u32 rdev,
                            const char *target);
    /* Gives INODE, of the same file system and no directory, one more name. */
    int (*link)(struct inode *dir, struct inode *inode, const char *name, size_t length);
    /* Takes NAME, which DIR has, out of it (of an empty directory, if it is one's). */
    int (*unlink)(struct inode *dir, const char *name, size_t length);
    /* Moves what NAME in DIR means to NEW_DIR under a new name that is free. */
    int (*rename)(struct inode *dir, const char *name, size_t length, struct inode *new_dir, const char *new_name,
                  size_t new_length);
    /*
     * The entry after *POS: name into BUFFER (NAME_MAX + 1), number and mode; advances *POS. 1, 0 at the end, or
     * negative errno.
     */
    int (*readdir)(struct inode *dir, u64 *pos, char *name, u64 *number, u32 *mode);
    /* The text of a symbolic link into BUFFER, not NUL-terminated. Its length, or negative errno. */
    long (*readlink)(struct inode *inode, char *buffer, size_t size);
    /* A link that leads to an object and not to a name (/proc/PID/fd/N): what it leads to, or ERR_PTR. */
    struct inode *(*follow)(struct inode *inode);
    int (*truncate)(struct inode *inode, u64 size);
    /* FILE is fresh and refers to INODE. 0 or negative errno. */
    int (*open)(struct inode *inode, struct file *file);
    /* The inode is about to be freed: what its `private` holds goes too. */
    void (*release)(struct inode *inode);
};

struct inode {
    u64 number;
    u32 device;                     /* MAKEDEV of the file system, as in maps */
    u32 mode, uid, gid, nlink, rdev;
    int refcount;                   /* users: its name, open files, working directories … (not mappings) */
    const struct inode_operations *ops;
    const struct file_operations *file_ops;
    /* Regular files: the pages and the size. Its references (one is the inode's) keep the structure alive. */
    struct address_space mapping;
    /* What is shown as its path, the oldest of its names; a directory has only that one. */
    struct inode *parent;           /* the directory that has named it, with a reference; NULL: none; / is its own */
    char *name;                     /* kmalloc'ed; belongs to the entry, or without one to the inode */
    bool deleted;                   /* the last name is gone: " (deleted)" in maps */
    bool linkable;                  /* it has no name yet, but may get one (O_TMPFILE) */
    u64 atime, mtime, ctime;        /* nanoseconds since 1970 */
    struct list_head entries;       /* its names, by entry->of_inode, the oldest first */
    /* directories of the tree */
    struct list_head children;      /* by entry->sibling, the newest first */
    u64 next_cookie;
    /* regular files of the archive: bytes that were not changed since boot are read from here */
    const u8 *archive_data;
    u64 archive_size;
    u32 seals;                      /* F_SEAL_… (memfd) */
    int writers;                    /* regular files: how often it is open for writing (exec: ETXTBSY) */
    struct inode_locks *locks;      /* advisory locks (locks.h); NULL: it never had one */
    void *private;                  /* the kind's own: a link's target, a pipe … */
};

/* A name in a directory of the tree. */
struct dir_entry {
    struct inode *inode;            /* with a reference */
    struct inode *dir;
    struct list_head sibling, of_inode;
    char *name;                     /* kmalloc'ed */
    u64 cookie;                     /* its place in readdir: never used twice in one directory */
};

struct file {
    struct inode *inode;            /* with a reference */
    const struct file_operations *ops;
    int flags;                      /* O_… */
    int refcount;
    u32 number;                     /* which of all files opened since boot: for mappings, never 0 */
    s64 pos;
    struct list_head watches;       /* epoll's, which end with the file */
    void *private;
};

/*
 * Linux's way to read O_ACCMODE: one more than it, as bits. The access mode 3 so means neither reading nor
 * writing.
 */
#define FMODE_READ 1
#define FMODE_WRITE 2

static inline bool file_readable(const struct file *file)
{
    return ((file->flags + 1) & FMODE_READ) && !(file->flags & O_PATH);
}

static inline bool file_writable(const struct file *file)
{
    return ((file->flags + 1) & FMODE_WRITE) && !(file->flags & O_PATH);
}

/* Set at start: /proc/PID/fail-nth exists (kernel option `fault-injection`). */
extern bool proc_has_fail_nth;

/* Builds the tree: the archive at ARCHIVE (SIZE bytes, in the direct map) as /, with /tmp, /proc and /dev. */
void fs_init(const void *archive, size_t size);

/* ---- inodes ---- */

/* How many inodes there are, of every kind. */
extern unsigned long inode_count;
/* A new inode with one reference, in no directory; NULL: no memory. */
struct inode *inode_alloc(u32 mode, u32 device);
static inline struct inode *inode_get(struct inode *inode) { inode->refcount++; return inode; }
void inode_put(struct inode *inode);
/* ---- names (entry.c) ---- */

/* How many names there are beyond each inode's first. */
extern unsigned long more_names;
/* DIR's entry called NAME, or NULL. */
struct dir_entry *entry_find(const struct inode *dir, const char *name, size_t length);
/* Gives CHILD a name in DIR and DIR a reference to it; nlink is not counted. 0 or -ENOMEM. */
int inode_link(struct inode *dir, struct inode *child, const char *name, size_t length);
/* Takes a name away. */
void entry_remove(struct dir_entry *entry);
/* Moves it to NEW_DIR and gives it another name there. 0 or -ENOMEM. */
int entry_move(struct dir_entry *entry, struct inode *new_dir, const char *name, size_t length);
/*
 * Writes the path of INODE from / into BUFFER, with " (deleted)" when its name is gone. Returns where it begins,
 * or "".
 */
const char *inode_path(const struct inode *inode, char *buffer, size_t size);
/* The inode behind a mapping, or NULL for nameless shared memory (for /proc/PID/maps). */
struct inode *mapping_inode(const struct address_space *mapping);

#define MAY_EXEC 1u
#define MAY_WRITE 2u
#define MAY_READ 4u
/* 0 when the running task may do all of WHAT, else -EACCES. REAL: judge by the real ids, for access(2). */
int inode_permission(const struct inode *inode, unsigned what, bool real);

/* True while some process executes INODE: it can't be opened for writing then, nor cut (ETXTBSY). */
bool inode_is_executed(const struct inode *inode);

extern struct inode *root_inode;

/* ---- paths (path.c) ---- */

/*
 * The inode at PATH (a kernel string), relative to DIRFD or the working directory; follows links unless NOFOLLOW.
 * ERR_PTR on failure.
 */
struct inode *path_lookup(int dirfd, const char *path, bool nofollow);

enum path_last { PATH_NAME, PATH_ROOT, PATH_DOT, PATH_DOTDOT };

/* A path's last component and where it lies. */
struct path {
    struct inode *parent;           /* the directory, with a reference */
    struct inode *inode;            /* what has the name, with a reference; NULL when nothing has */
    enum path_last last;
    bool trailing_slash;
    bool too_long;                  /* with PATH_NAMES: the last name has more than NAME_MAX bytes */
    size_t length;
    char name[NAME_MAX + 1];
};
#define PATH_FOLLOW 1u      /* the last component, if it is a link */
#define PATH_CREATE 2u      /* for open with O_CREAT: a slash at the end is -EISDIR */
#define PATH_NAMES 4u       /* for calls that change names: the last component is taken as it stands, slash or not */
/* As path_lookup, but a missing last component is no error. 0 or negative errno. */
int path_resolve(int dirfd, const char *path, unsigned flags, struct path *result);
void path_release(struct path *path);

/* The calls on names; paths are kernel strings. 0 or negative errno. */
int path_mknod(int dirfd, const char *path, u32 mode, u32 rdev, const char *target);
int path_unlink(int dirfd, const char *path, bool directory);
/* One more name for INODE. */
int path_link(struct inode *inode, int dirfd, const char *path);
int path_rename(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path, unsigned flags);
int inode_truncate(struct inode *inode, u64 size);

/* ---- open files (file.c) ---- */

/* Opens PATH for the kernel or for openat: a file with one reference, or ERR_PTR. */
struct file *file_open(int dirfd, const char *path, int flags, u32 mode);
/* An open file of INODE, whose reference it takes (also on failure). */
struct file *file_open_inode(struct inode *inode, int flags);
static inline struct file *file_get(struct file *file) { file->refcount++; return file; }
void file_put(struct file *file);
/* Reads from a regular file into kernel memory at POS, without moving file->pos. Bytes or negative errno. */
long file_read_kernel(struct file *file, void *buffer, size_t size, s64 pos);
/* read and write at *POS with all checks but the descriptor's. */
long file_read(struct file *file, struct iov_iter *iter, s64 *pos);
long file_write(struct file *file, struct iov_iter *iter, s64 *pos);
s64 file_lseek(struct file *file, s64 offset, int whence);
/* For devices and the like whose position is always 0. */
s64 lseek_nothing(struct file *file, s64 offset, int whence);
/* lseek where SIZE is the end. */
s64 lseek_within(struct file *file, s64 offset, int whence, u64 size);

/*
 * A file that is in no directory, as epoll's: NAME in brackets is what /proc/PID/fd shows behind "anon_inode:". One
 * reference, or ERR_PTR; PRIVATE is then still the caller's.
 */
struct file *anon_file(const char *name, const struct file_operations *ops, int flags, void *private);
bool inode_is_anon(const struct inode *inode);

/* Where poll and select sleep: all on one queue, and each looks again at its own files. */
extern struct wait_queue poll_queue;
/* EVENTS (POLLIN, POLLOUT …) happened to what the epoll watches in WATCHERS are about; poll and select look, too. */
void poll_notify(struct list_head *watchers, unsigned events);

/* ---- descriptors (fdtable.c) ---- */

struct files_struct;
struct files_struct *files_alloc(void);
struct files_struct *files_clone(const struct files_struct *files);     /* fork; NULL: no memory */
void files_get(struct files_struct *files);
void files_put(struct files_struct *files);
/* True when other tasks use FILES too. */
bool files_are_shared(const struct files_struct *files);
void files_close_on_exec(struct files_struct *files);
/* The open file of the running task's descriptor, borrowed (valid until the descriptor can change), or NULL. */
struct file *fd_file(int fd);
/* The same in FILES, for /proc/PID/fd. */
struct file *files_file(const struct files_struct *files, int fd);
/* One more than the highest descriptor there can be in FILES. */
int files_capacity(const struct files_struct *files);
/*
 * Frames that are held through descriptors alone: bytes in pipes (counted where they can be read), files that have no
 * name any more. What several descriptors hold counts for each.
 */
unsigned long files_pages_held(const struct files_struct *files);
/*
 * Takes the lowest free descriptor >= LOWEST for FILE (takes over the reference). The descriptor, or -EMFILE,
 * -ENOMEM.
 */
int fd_install(struct file *file, int lowest, bool close_on_exec);
/* Makes FD refer to FILE (takes over the reference), closing what it was. FD, or -EBADF, -ENOMEM. */
int fd_replace(int fd, struct file *file, bool close_on_exec);
/* 0 or -EBADF. */
int fd_close(int fd);
bool fd_close_on_exec(int fd);
void fd_set_close_on_exec(int fd, bool on);

struct fs_context {
    int refcount;
    u32 umask;
    struct inode *cwd;
};
struct fs_context *fs_context_alloc(void);
struct fs_context *fs_context_clone(const struct fs_context *context);
void fs_context_get(struct fs_context *context);
void fs_context_put(struct fs_context *context);

#endif
