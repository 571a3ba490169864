/* Builds the tree of files from the initial archive. */
#include "kernel/fs/archive.h"

#include "kernel/fs/ramfs.h"
#include "kernel/fs/ustar.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"

#define NSEC 1000000000ull
#define MAX_COMPLAINTS 10

static unsigned complaints;

static void complain(const char *name, const char *problem)
{
    if (complaints++ < MAX_COMPLAINTS)
        printk("archive: /%s is left out: %s\n", name, problem);
}

/* The directory's entry called NAME (LENGTH bytes), borrowed, or NULL. */
static struct inode *find(struct inode *dir, const char *name, size_t length)
{
    if (!S_ISDIR(dir->mode))
        return NULL;
    struct inode *inode = ramfs_lookup(dir, name, length);
    if (IS_ERR(inode))
        return NULL;
    inode_put(inode);
    return inode;
}

/* The file called NAME, borrowed, or NULL. */
static struct inode *find_path(const char *name)
{
    struct inode *inode = root_inode;

    while (inode && *name) {
        const char *slash = strchr(name, '/');
        size_t length = slash ? (size_t)(slash - name) : strlen(name);
        inode = find(inode, name, length);
        name += length + (slash != NULL);
    }
    return inode;
}

/*
 * The directory that is to hold the last component of NAME, borrowed; missing ones are made. *LAST is that
 * component. NULL: impossible.
 */
static struct inode *make_parents(const char *name, const char **last)
{
    struct inode *dir = root_inode;
    const char *slash;

    while ((slash = strchr(name, '/')) != NULL) {
        size_t length = (size_t)(slash - name);
        struct inode *next = find(dir, name, length);
        if (!next)
            next = ramfs_add(dir, name, length, S_IFDIR | 0755, 0, NULL);
        if (IS_ERR(next) || !S_ISDIR(next->mode))
            return NULL;
        dir = next;
        name = slash + 1;
    }
    *last = name;
    return dir;
}

static u32 file_type(enum ustar_type type)
{
    switch (type) {
    case USTAR_SYMBOLIC_LINK:
        return S_IFLNK;
    case USTAR_CHARACTER_DEVICE:
        return S_IFCHR;
    case USTAR_BLOCK_DEVICE:
        return S_IFBLK;
    case USTAR_DIRECTORY:
        return S_IFDIR;
    case USTAR_FIFO:
        return S_IFIFO;
    default:
        return S_IFREG;
    }
}

static void set_attributes(struct inode *inode, const struct ustar_entry *entry)
{
    inode->mode = (inode->mode & S_IFMT) | entry->mode;
    inode->uid = entry->uid;
    inode->gid = entry->gid;
    inode->atime = inode->mtime = inode->ctime = entry->mtime * NSEC;
}

static void set_content(struct inode *inode, const u8 *data, u64 size)
{
    inode->archive_data = data;
    inode->archive_size = inode->mapping.size = size;
}

static void add_entry(const struct ustar_entry *entry)
{
    struct inode *original = NULL;
    const char *last;

    if (entry->type == USTAR_HARD_LINK) {
        original = find_path(entry->link);
        if (!original || !S_ISREG(original->mode)) {
            complain(entry->name, "it is a link to something that is no earlier file");
            return;
        }
    }
    struct inode *dir = make_parents(entry->name, &last);
    if (!dir) {
        complain(entry->name, "a part of its path is no directory, or there is no memory");
        return;
    }
    struct inode *inode = *last ? find(dir, last, strlen(last)) : dir;
    if (inode && !(entry->type == USTAR_DIRECTORY && S_ISDIR(inode->mode))) {
        complain(entry->name, "the archive has that name twice");
        return;
    }
    if (original) {
        if (inode_link(dir, original, last, strlen(last)))
            complain(entry->name, "there is no memory");
        else
            original->nlink++;
        return;
    }
    if (!inode)
        inode = ramfs_add(dir, last, strlen(last), file_type(entry->type) | entry->mode,
                          MAKEDEV(entry->major, entry->minor), entry->link);
    if (IS_ERR(inode)) {
        complain(entry->name, "there is no memory");
        return;
    }
    set_attributes(inode, entry);
    if (entry->type == USTAR_FILE)
        set_content(inode, entry->data, entry->size);
}

void archive_unpack(const void *archive, size_t size)
{
    struct ustar_reader reader = { .archive = archive, .size = size };
    static struct ustar_entry entry;
    enum ustar_result result;

    while ((result = ustar_next(&reader, &entry)) == USTAR_ENTRY || result == USTAR_SKIPPED) {
        if (result == USTAR_ENTRY)
            add_entry(&entry);
        else
            complain(entry.name, reader.problem);
    }
    if (result == USTAR_BROKEN)
        printk("archive: damaged at byte %lu: %s; what follows is lost\n", (unsigned long)reader.offset,
               reader.problem);
    if (complaints > MAX_COMPLAINTS)
        printk("archive: %u more entries are left out\n", complaints - MAX_COMPLAINTS);
}
