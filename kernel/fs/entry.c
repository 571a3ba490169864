/* Names: the entries of directories, of which a file may have several, and the path that is shown of it. */
#include "kernel/fs/fs.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

static DEFINE_SLAB_CACHE(entry_cache, "dir_entry", sizeof(struct dir_entry), 8);

unsigned long more_names;

struct dir_entry *entry_find(const struct inode *dir, const char *name, size_t length)
{
    struct dir_entry *entry;

    list_for_each_entry(entry, &dir->children, sibling) {
        if (strncmp(entry->name, name, length) == 0 && entry->name[length] == '\0')
            return entry;
    }
    return NULL;
}

static char *copy_name(const char *name, size_t length)
{
    char *copy = kmalloc(length + 1);

    if (copy) {
        memcpy(copy, name, length);
        copy[length] = '\0';
    }
    return copy;
}

/* The path of ENTRY's inode is shown by ENTRY's name from now on. */
static void show_by(const struct dir_entry *entry)
{
    struct inode *inode = entry->inode, *old = inode->parent;

    inode->name = entry->name;
    inode->deleted = false;
    if (old == entry->dir)
        return;
    inode->parent = inode_get(entry->dir);
    if (old)
        inode_put(old);
}

/* Puts ENTRY into DIR, as its newest. */
static void enter(struct dir_entry *entry, struct inode *dir)
{
    entry->dir = dir;
    entry->cookie = ++dir->next_cookie;
    list_add(&entry->sibling, &dir->children);
    if (S_ISDIR(entry->inode->mode))
        dir->nlink++;
    dir->mtime = dir->ctime = wall_clock();
}

/* Takes it out again. */
static void leave(struct dir_entry *entry)
{
    list_del(&entry->sibling);
    if (S_ISDIR(entry->inode->mode))
        entry->dir->nlink--;
    entry->dir->mtime = entry->dir->ctime = entry->inode->ctime = wall_clock();
}

int inode_link(struct inode *dir, struct inode *child, const char *name, size_t length)
{
    struct dir_entry *entry = slab_alloc(&entry_cache);
    char *copy = copy_name(name, length);

    if (!entry || !copy) {
        if (entry)
            slab_free(&entry_cache, entry);
        kfree(copy);
        return -ENOMEM;
    }
    bool is_first = list_empty(&child->entries);
    entry->name = copy;
    entry->inode = inode_get(child);
    enter(entry, dir);
    list_add_tail(&entry->of_inode, &child->entries);
    more_names += !is_first;
    if (is_first) {
        kfree(child->name);
        show_by(entry);
    }
    return 0;
}

void entry_remove(struct dir_entry *entry)
{
    struct inode *inode = entry->inode;
    bool was_shown = inode->name == entry->name;

    leave(entry);
    list_del(&entry->of_inode);
    inode->nlink = S_ISDIR(inode->mode) ? 0 : inode->nlink - 1;
    inode->deleted = list_empty(&inode->entries);
    more_names -= !inode->deleted;
    /* The last name stays with the inode, to be shown as deleted. */
    if (!inode->deleted) {
        if (was_shown)
            show_by(list_first_entry(&inode->entries, struct dir_entry, of_inode));
        kfree(entry->name);
    }
    slab_free(&entry_cache, entry);
    inode_put(inode);
}

int entry_move(struct dir_entry *entry, struct inode *new_dir, const char *name, size_t length)
{
    bool was_shown = entry->inode->name == entry->name;
    char *copy = copy_name(name, length);

    if (!copy)
        return -ENOMEM;
    leave(entry);
    kfree(entry->name);
    entry->name = copy;
    enter(entry, new_dir);
    if (was_shown)
        show_by(entry);
    return 0;
}

/* Puts TEXT in front of what begins at POSITION; NULL when there is no room. */
static char *prepend(char *buffer, char *position, const char *text)
{
    size_t length = strlen(text);
    if (!position || (size_t)(position - buffer) < length)
        return NULL;
    return memcpy(position - length, text, length);
}

const char *inode_path(const struct inode *inode, char *buffer, size_t size)
{
    char *position = buffer + size - 1;
    *position = '\0';

    if (inode == root_inode)
        return prepend(buffer, position, "/") ?: "";
    if (inode->deleted)
        position = prepend(buffer, position, " (deleted)");
    while (inode && inode != root_inode) {
        position = prepend(buffer, position, inode->name ?: "");
        position = prepend(buffer, position, "/");
        inode = inode->parent;
    }
    return position ?: "";
}
