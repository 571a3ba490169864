/* Files: inodes, open files, descriptors, paths. Everything that has a name or a descriptor comes through here. */
#ifndef KERNEL_FS_FS_H
#define KERNEL_FS_FS_H

#include "kernel/lib/errno.h"
#include "kernel/lib/list.h"
#include "kernel/sched/sched.h"
#include "mm/filemap.h"

struct inode;
struct file;
struct kstat;

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000

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
#define O_DIRECTORY 0200000
#define O_NOFOLLOW 0400000
#define O_CLOEXEC 02000000

#define PATH_MAX 4096
#define NAME_MAX 255
#define AT_FDCWD (-100)

/* A kind of open file. Any member may be NULL: then the call gives EINVAL (read, write), ESPIPE, ENOTTY, ENODEV … as Linux does. */
struct file_operations {
    /* USER is a user address unless FILE is read by the kernel (see file_read_kernel). Bytes, or negative errno. *POS is advanced. */
    long (*read)(struct file *file, unsigned long user, size_t size, s64 *pos);
    long (*write)(struct file *file, unsigned long user, size_t size, s64 *pos);
    long (*ioctl)(struct file *file, unsigned long request, unsigned long argument);
    s64 (*lseek)(struct file *file, s64 offset, int whence);
    /* POLLIN, POLLOUT … that hold now; *QUEUE is what to wait on otherwise. */
    unsigned (*poll)(struct file *file, struct wait_queue **queue);
    /* What mmap of this file maps: fills SOURCE or returns -ENODEV. */
    int (*mmap)(struct file *file, unsigned long flags, struct mmap_source *source);
    void (*release)(struct file *file);
};

struct inode_operations {
    /* Directories. Each returns an inode with a reference, or ERR_PTR. */
    struct inode *(*lookup)(struct inode *dir, const char *name, size_t length);
    struct inode *(*create)(struct inode *dir, const char *name, size_t length, u32 mode);
    int (*unlink)(struct inode *dir, const char *name, size_t length, bool directory);
    int (*rename)(struct inode *old_dir, const char *old_name, size_t old_length, struct inode *new_dir,
                  const char *new_name, size_t new_length, unsigned flags);
    /* The entry after *POS: name into BUFFER (NAME_MAX + 1), number and type; advances *POS. 1, 0 at the end, or negative errno. */
    int (*readdir)(struct inode *dir, u64 *pos, char *name, u64 *number, u32 *mode);
    long (*readlink)(struct inode *inode, char *buffer, size_t size);
    int (*truncate)(struct inode *inode, u64 size);
    int (*open)(struct inode *inode, struct file *file);
    void (*release)(struct inode *inode);
};

struct inode {
    u64 number;
    u32 device;                     /* major << 8 | minor, as in maps */
    u32 mode, uid, gid, nlink, rdev;
    int refcount;
    const struct inode_operations *ops;
    const struct file_operations *file_ops;
    struct address_space mapping;   /* regular files */
    struct inode *parent;           /* the directory that names it (one name per inode); NULL for the nameless */
    char *name;                     /* kmalloc'ed */
    bool deleted;                   /* the name is gone: " (deleted)" in maps */
    u64 atime, mtime, ctime;        /* nanoseconds */
    void *private;
};

struct file {
    struct inode *inode;            /* with a reference */
    const struct file_operations *ops;
    int flags;                      /* O_… */
    int refcount;
    s64 pos;
    void *private;
};

/* Builds the tree: the archive at ARCHIVE (SIZE bytes, in the direct map) as /, with /tmp, /proc and /dev. */
void fs_init(const void *archive, size_t size);

/* ---- paths ---- */

/* The inode at PATH (a kernel string), relative to DIRFD or the working directory; follows links unless NOFOLLOW. ERR_PTR on failure. */
struct inode *path_lookup(int dirfd, const char *path, bool nofollow);
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode);
/* Writes the path of INODE from / into BUFFER, with " (deleted)" when its name is gone. Returns BUFFER or "" . */
const char *inode_path(const struct inode *inode, char *buffer, size_t size);
/* The inode behind a mapping, or NULL (for /proc/PID/maps). */
struct inode *mapping_inode(const struct address_space *mapping);

/* ---- open files ---- */

/* Opens PATH for the kernel or for openat: a file with one reference, or ERR_PTR. */
struct file *file_open(int dirfd, const char *path, int flags, u32 mode);
static inline struct file *file_get(struct file *file) { file->refcount++; return file; }
void file_put(struct file *file);
/* Reads from a regular file into kernel memory at POS, without moving file->pos. Bytes or negative errno. */
long file_read_kernel(struct file *file, void *buffer, size_t size, s64 pos);

/* ---- descriptors ---- */

struct files_struct;
struct files_struct *files_alloc(void);
struct files_struct *files_clone(const struct files_struct *files);     /* fork; NULL: no memory */
void files_get(struct files_struct *files);
void files_put(struct files_struct *files);
void files_close_on_exec(struct files_struct *files);
/* The open file of the running task's descriptor, borrowed (valid until the descriptor can change), or NULL. */
struct file *fd_file(int fd);
/* Takes the lowest free descriptor >= LOWEST for FILE (takes over the reference). The descriptor, or -EMFILE, -ENOMEM. */
int fd_install(struct file *file, int lowest, bool close_on_exec);

struct fs_context;
struct fs_context *fs_context_alloc(void);
struct fs_context *fs_context_clone(const struct fs_context *context);
void fs_context_get(struct fs_context *context);
void fs_context_put(struct fs_context *context);

#endif
