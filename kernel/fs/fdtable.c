/* The descriptors of a process, and where it works (directory, umask). */
#include "kernel/fs/fs.h"
#include "kernel/fs/locks.h"
#include "kernel/fs/pipe.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

#define FIRST_CAPACITY 16
#define MAX_CAPACITY (1 << 16)

struct files_struct {
    int refcount;
    int capacity;               /* slots in both arrays, which are one kmalloc'ed block */
    int lowest_free;            /* no descriptor below it is free */
    struct file **files;
    bool *close_on_exec;
};

static DEFINE_SLAB_CACHE(files_cache, "files_struct", sizeof(struct files_struct), 8);

static bool grow_to(struct files_struct *files, int capacity)
{
    struct file **block = kzalloc((size_t)capacity * (sizeof(struct file *) + sizeof(bool)));
    if (!block)
        return false;
    bool *flags = (bool *)(block + capacity);
    if (files->capacity) {
        memcpy(block, files->files, (size_t)files->capacity * sizeof(*block));
        memcpy(flags, files->close_on_exec, (size_t)files->capacity * sizeof(*flags));
        kfree(files->files);
    }
    files->files = block;
    files->close_on_exec = flags;
    files->capacity = capacity;
    return true;
}

static struct files_struct *alloc_with(int capacity)
{
    struct files_struct *files = slab_zalloc(&files_cache);
    if (!files)
        return NULL;
    files->refcount = 1;
    if (!grow_to(files, capacity)) {
        slab_free(&files_cache, files);
        return NULL;
    }
    return files;
}

struct files_struct *files_alloc(void)
{
    return alloc_with(FIRST_CAPACITY);
}

struct files_struct *files_clone(const struct files_struct *old)
{
    struct files_struct *files = alloc_with(old->capacity);
    if (!files)
        return NULL;
    memcpy(files->close_on_exec, old->close_on_exec, (size_t)old->capacity * sizeof(bool));
    files->lowest_free = old->lowest_free;
    for (int fd = 0; fd < old->capacity; fd++) {
        if (old->files[fd])
            files->files[fd] = file_get(old->files[fd]);
    }
    return files;
}

void files_get(struct files_struct *files)
{
    files->refcount++;
}

bool files_are_shared(const struct files_struct *files)
{
    return files->refcount > 1;
}

/* FILE, which a descriptor of FILES meant, is no longer meant by it. */
static void close_file(const struct files_struct *files, struct file *file)
{
    locks_descriptor_closed(file, files);
    file_put(file);
}

void files_put(struct files_struct *files)
{
    if (--files->refcount > 0)
        return;
    for (int fd = 0; fd < files->capacity; fd++) {
        if (files->files[fd])
            close_file(files, files->files[fd]);
    }
    kfree(files->files);
    slab_free(&files_cache, files);
}

struct file *files_file(const struct files_struct *files, int fd)
{
    return fd >= 0 && fd < files->capacity ? files->files[fd] : NULL;
}

int files_capacity(const struct files_struct *files)
{
    return files->capacity;
}

unsigned long files_pages_held(const struct files_struct *files)
{
    unsigned long pages = 0;

    for (int fd = 0; fd < files->capacity; fd++) {
        const struct file *file = files->files[fd];

        if (!file || (file->flags & O_ACCMODE) == O_WRONLY)
            continue;
        if (S_ISREG(file->inode->mode) && file->inode->deleted)
            pages += file->inode->mapping.pages.count;
        else
            pages += pipe_pages_held(file->inode);
    }
    return pages;
}

struct file *fd_file(int fd)
{
    return files_file(current->files, fd);
}

/* Frees the slot; the caller closes the file. */
static struct file *take_out(struct files_struct *files, int fd)
{
    struct file *file = files->files[fd];
    files->files[fd] = NULL;
    files->close_on_exec[fd] = false;
    files->lowest_free = MIN(files->lowest_free, fd);
    return file;
}

void files_close_on_exec(struct files_struct *files)
{
    for (int fd = 0; fd < files->capacity; fd++) {
        if (files->files[fd] && files->close_on_exec[fd])
            close_file(files, take_out(files, fd));
    }
}

static int descriptor_limit(void)
{
    return (int)MIN(current->process->limits[RLIMIT_NOFILE].current, (unsigned long)MAX_CAPACITY);
}

/* Makes sure that FD has a slot. */
static bool reach(struct files_struct *files, int fd)
{
    int capacity = files->capacity;
    while (capacity <= fd)
        capacity *= 2;
    return capacity == files->capacity || grow_to(files, capacity);
}

int fd_install(struct file *file, int lowest, bool close_on_exec)
{
    struct files_struct *files = current->files;
    int fd = MAX(lowest, files->lowest_free);
    int error = -EMFILE;

    while (fd < files->capacity && files->files[fd])
        fd++;
    if (fd >= descriptor_limit())
        goto fail;
    error = -ENOMEM;
    if (!reach(files, fd))
        goto fail;
    files->files[fd] = file;
    files->close_on_exec[fd] = close_on_exec;
    if (lowest <= files->lowest_free)
        files->lowest_free = fd + 1;
    return fd;
fail:
    file_put(file);
    return error;
}

int fd_replace(int fd, struct file *file, bool close_on_exec)
{
    struct files_struct *files = current->files;
    int error = -EBADF;

    if (fd < 0 || fd >= descriptor_limit())
        goto fail;
    error = -ENOMEM;
    if (!reach(files, fd))
        goto fail;
    struct file *old = files->files[fd];
    files->files[fd] = file;
    files->close_on_exec[fd] = close_on_exec;
    if (old)
        close_file(files, old);
    return fd;
fail:
    file_put(file);
    return error;
}

int fd_close(int fd)
{
    if (!fd_file(fd))
        return -EBADF;
    close_file(current->files, take_out(current->files, fd));
    return 0;
}

bool fd_close_on_exec(int fd)
{
    return current->files->close_on_exec[fd];
}

void fd_set_close_on_exec(int fd, bool on)
{
    current->files->close_on_exec[fd] = on;
}

/* ---- working directory and umask ---- */

static DEFINE_SLAB_CACHE(context_cache, "fs_context", sizeof(struct fs_context), 8);

struct fs_context *fs_context_alloc(void)
{
    struct fs_context *context = slab_alloc(&context_cache);
    if (context)
        *context = (struct fs_context){ .refcount = 1, .umask = 022, .cwd = inode_get(root_inode) };
    return context;
}

struct fs_context *fs_context_clone(const struct fs_context *old)
{
    struct fs_context *context = slab_alloc(&context_cache);
    if (context)
        *context = (struct fs_context){ .refcount = 1, .umask = old->umask, .cwd = inode_get(old->cwd) };
    return context;
}

void fs_context_get(struct fs_context *context)
{
    context->refcount++;
}

void fs_context_put(struct fs_context *context)
{
    if (--context->refcount > 0)
        return;
    inode_put(context->cwd);
    slab_free(&context_cache, context);
}
