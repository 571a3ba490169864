/* From a path to an inode: one component after the other, through symbolic links. */
#include "kernel/fs/fs.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

#define MAX_LINKS 40    /* symbolic links on the way of one path */

struct walk {
    struct inode *at;           /* the directory reached, with a reference */
    char *text;                 /* PATH_MAX bytes: the path, rewritten when a link is followed */
    const char *rest;           /* what is still to be walked, in text */
    int links;
};

static struct inode *start_of(int dirfd, const char *path)
{
    if (path[0] == '/')
        return inode_get(root_inode);
    if (dirfd == AT_FDCWD)
        return inode_get(current->fs ? current->fs->cwd : root_inode);
    struct file *file = fd_file(dirfd);
    if (!file)
        return ERR_PTR(-EBADF);
    if (!S_ISDIR(file->inode->mode))
        return ERR_PTR(-ENOTDIR);
    return inode_get(file->inode);
}

static void move_to(struct walk *walk, struct inode *inode)
{
    inode_put(walk->at);
    walk->at = inode;
}

/* Puts the text of LINK in front of the rest of the path. */
static int expand_link(struct walk *walk, struct inode *link)
{
    size_t rest_length = strlen(walk->rest) + 1;
    char *text = kmalloc(PATH_MAX);
    if (!text)
        return -ENOMEM;

    long length = link->ops->readlink(link, text, PATH_MAX - 1);
    if (length >= 0 && length + 1 + rest_length > PATH_MAX)
        length = -ENAMETOOLONG;
    if (length == 0)
        length = -ENOENT;
    if (length < 0) {
        kfree(text);
        return (int)length;
    }
    text[length] = '/';
    /* "link" alone becomes "target", not "target/": that would demand a directory. */
    if (rest_length == 1)
        text[length] = '\0';
    else
        memcpy(text + length + 1, walk->rest, rest_length);
    kfree(walk->text);
    walk->text = text;
    walk->rest = text;
    if (text[0] == '/')
        move_to(walk, inode_get(root_inode));
    return 0;
}

/* Follows LINK (whose reference it takes), found in the directory at hand; IS_LAST: nothing comes behind it. */
static int follow_link(struct walk *walk, struct inode *link, bool is_last, struct inode **object)
{
    int error;

    *object = NULL;
    if (++walk->links > MAX_LINKS) {
        error = -ELOOP;
    } else if (link->ops->follow) {
        struct inode *target = link->ops->follow(link);
        error = IS_ERR(target) ? (int)PTR_ERR(target) : 0;
        if (!error && is_last)
            *object = target;
        else if (!error)
            move_to(walk, target);
    } else {
        error = expand_link(walk, link);
    }
    inode_put(link);
    return error;
}

/* Cuts the next component off the path. */
static int next_component(struct walk *walk, struct path *path)
{
    const char *name = walk->rest;
    size_t length = 0;

    while (name[length] != '\0' && name[length] != '/')
        length++;
    path->too_long = length > NAME_MAX;
    if (path->too_long)
        length = NAME_MAX;
    memcpy(path->name, name, length);
    path->name[length] = '\0';
    path->length = length;
    walk->rest = strchr(name, '/') ?: name + strlen(name);
    path->trailing_slash = *walk->rest == '/';
    while (*walk->rest == '/')
        walk->rest++;

    path->last = PATH_NAME;
    if (strcmp(path->name, ".") == 0)
        path->last = PATH_DOT;
    else if (strcmp(path->name, "..") == 0)
        path->last = PATH_DOTDOT;
    else if (length == 0)
        path->last = PATH_ROOT;
    return 0;
}

/* The inode that the component names in the directory at hand, with a reference; NULL when nothing has the name. */
static struct inode *find_component(struct walk *walk, const struct path *path)
{
    if (path->last == PATH_DOT || path->last == PATH_ROOT)
        return inode_get(walk->at);
    if (path->last == PATH_DOTDOT)
        return inode_get(walk->at->parent ?: walk->at);
    struct inode *inode = walk->at->deleted ? ERR_PTR(-ENOENT)
                                            : walk->at->ops->lookup(walk->at, path->name, path->length);
    return inode == ERR_PTR(-ENOENT) ? NULL : inode;
}

/* One step: 1 when PATH's inode (or its absence) is the result, 0 when there is more to walk, or negative errno. */
static int step(struct walk *walk, unsigned flags, struct path *path)
{
    if (!S_ISDIR(walk->at->mode))
        return -ENOTDIR;
    int error = inode_permission(walk->at, MAY_EXEC, false);
    if (!error)
        error = next_component(walk, path);
    if (error)
        return error;

    bool is_last = *walk->rest == '\0';
    bool wants_directory = path->trailing_slash && !(flags & PATH_NAMES);
    if (is_last && wants_directory && (flags & PATH_CREATE) && path->last == PATH_NAME)
        return -EISDIR;
    if (path->too_long && !(is_last && (flags & PATH_NAMES)))
        return walk->at->deleted ? -ENOENT : -ENAMETOOLONG;
    struct inode *inode = path->too_long ? NULL : find_component(walk, path);
    if (IS_ERR(inode))
        return (int)PTR_ERR(inode);
    if (!inode) {
        path->inode = NULL;
        return is_last ? 1 : -ENOENT;
    }
    if (S_ISLNK(inode->mode) && (!is_last || (flags & PATH_FOLLOW) || wants_directory)) {
        if (is_last && wants_directory)
            walk->rest = "/";       /* what the link leads to must be a directory, too */
        error = follow_link(walk, inode, is_last, &path->inode);
        return error ? error : path->inode ? 1 : 0;
    }
    if (is_last) {
        path->inode = inode;
        return 1;
    }
    move_to(walk, inode);
    return 0;
}

int path_resolve(int dirfd, const char *text, unsigned flags, struct path *path)
{
    struct walk walk = { .links = 0 };
    int result;

    if (text[0] == '\0')
        return -ENOENT;
    size_t size = strlen(text) + 1;
    if (size > PATH_MAX)
        return -ENAMETOOLONG;
    walk.at = start_of(dirfd, text);
    if (IS_ERR(walk.at))
        return (int)PTR_ERR(walk.at);
    walk.text = kmalloc(size);
    if (!walk.text) {
        inode_put(walk.at);
        return -ENOMEM;
    }
    memcpy(walk.text, text, size);
    walk.rest = walk.text;
    do {
        while (*walk.rest == '/')
            walk.rest++;
        result = step(&walk, flags, path);
    } while (result == 0);
    kfree(walk.text);
    path->parent = walk.at;
    if (result == 1 && path->trailing_slash && !(flags & PATH_NAMES) && path->inode && !S_ISDIR(path->inode->mode)) {
        inode_put(path->inode);
        result = -ENOTDIR;
    }
    if (result < 0) {
        inode_put(walk.at);
        return result;
    }
    return 0;
}

void path_release(struct path *path)
{
    inode_put(path->parent);
    if (path->inode)
        inode_put(path->inode);
}

struct inode *path_lookup(int dirfd, const char *text, bool nofollow)
{
    struct path *path = kmalloc(sizeof(*path));
    if (!path)
        return ERR_PTR(-ENOMEM);
    int error = path_resolve(dirfd, text, nofollow ? 0 : PATH_FOLLOW, path);
    struct inode *inode = ERR_PTR(error);
    if (!error) {
        inode = path->inode ?: ERR_PTR(-ENOENT);
        inode_put(path->parent);
    }
    kfree(path);
    return inode;
}
