/* A radix tree of 64-way nodes from page index to page: the page cache's index. */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/filemap.h"
#include "mm/slab.h"

#define TREE_SHIFT 6
#define TREE_SLOTS (1u << TREE_SHIFT)
#define TREE_MASK (TREE_SLOTS - 1)
#define TREE_HEIGHT_MAX ((64 + TREE_SHIFT - 1) / TREE_SHIFT)

/* A slot holds a node of the level below or, on level 1, a page. */
struct tree_node {
    void *slots[TREE_SLOTS];
    unsigned long used;     /* slots that are not NULL */
};

static DEFINE_SLAB_CACHE(node_cache, "page_tree_node", sizeof(struct tree_node), 8);

/* The slot of INDEX in a node of LEVEL (1 is the lowest). */
static unsigned slot_of(unsigned long index, unsigned level)
{
    return (index >> (TREE_SHIFT * (level - 1))) & TREE_MASK;
}

/* True when a tree of HEIGHT levels has a place for INDEX. */
static bool reaches(unsigned height, unsigned long index)
{
    return height * TREE_SHIFT >= 64 || index >> (height * TREE_SHIFT) == 0;
}

struct page *page_tree_find(const struct page_tree *tree, unsigned long index)
{
    const void *at = tree->root;

    if (!at || !reaches(tree->height, index))
        return NULL;
    for (unsigned level = tree->height; level > 0 && at; level--)
        at = ((const struct tree_node *)at)->slots[slot_of(index, level)];
    return (struct page *)at;
}

/* The number of levels a tree must have for INDEX to have a place. */
static u8 height_for(unsigned long index)
{
    u8 height = 1;

    while (!reaches(height, index))
        height++;
    return height;
}

/*
 * Makes the tree so high that INDEX has a place: an empty one by a root of that height at once, for whatever else
 * stood on the way to index 0 would belong to no page; one with pages by putting levels on top.
 */
static bool grow(struct page_tree *tree, unsigned long index)
{
    while (!tree->root || !reaches(tree->height, index)) {
        struct tree_node *node = slab_zalloc(&node_cache);

        if (!node)
            return false;
        if (tree->root) {
            node->slots[0] = tree->root;
            node->used = 1;
            tree->height++;
        } else {
            tree->height = height_for(index);
        }
        tree->root = node;
    }
    return true;
}

/*
 * Frees the nodes on the way to INDEX that are empty, and levels on top that only lead on to slot 0. After a
 * removal, and after an insertion that ran out of memory halfway.
 */
static void prune(struct page_tree *tree, unsigned long index)
{
    struct tree_node *path[TREE_HEIGHT_MAX + 1] = { NULL };
    struct tree_node *node = tree->root;
    unsigned level;

    for (level = tree->height; level > 0 && node; level--) {
        path[level] = node;
        node = level > 1 ? node->slots[slot_of(index, level)] : NULL;
    }
    for (level = 1; level <= tree->height; level++) {
        if (!path[level])
            continue;
        if (path[level]->used != 0)
            break;
        slab_free(&node_cache, path[level]);
        if (level == tree->height) {
            tree->root = NULL;
            tree->height = 0;
            return;
        }
        path[level + 1]->slots[slot_of(index, level + 1)] = NULL;
        path[level + 1]->used--;
    }
    for (node = tree->root; tree->height > 1 && node->used == 1 && node->slots[0];
         node = tree->root, tree->height--) {
        tree->root = node->slots[0];
        slab_free(&node_cache, node);
    }
}

int page_tree_insert(struct page_tree *tree, unsigned long index, struct page *page)
{
    if (!grow(tree, index))
        goto no_memory;
    struct tree_node *node = tree->root;
    for (unsigned level = tree->height; level > 1; level--) {
        void **slot = &node->slots[slot_of(index, level)];

        if (!*slot) {
            *slot = slab_zalloc(&node_cache);
            if (!*slot)
                goto no_memory;
            node->used++;
        }
        node = *slot;
    }
    if (node->slots[slot_of(index, 1)])
        return -EEXIST;
    node->slots[slot_of(index, 1)] = page;
    node->used++;
    tree->count++;
    return 0;

no_memory:
    if (tree->root)
        prune(tree, index);
    return -ENOMEM;
}

struct page *page_tree_remove(struct page_tree *tree, unsigned long index)
{
    struct tree_node *node = tree->root;

    if (!node || !reaches(tree->height, index))
        return NULL;
    for (unsigned level = tree->height; level > 1 && node; level--)
        node = node->slots[slot_of(index, level)];
    if (!node || !node->slots[slot_of(index, 1)])
        return NULL;
    struct page *page = node->slots[slot_of(index, 1)];
    node->slots[slot_of(index, 1)] = NULL;
    node->used--;
    tree->count--;
    prune(tree, index);
    return page;
}

/* The first page at or after *INDEX below NODE of LEVEL; *INDEX is moved to it. */
static struct page *next_below(const struct tree_node *node, unsigned level, unsigned long *index)
{
    unsigned long span = 1ul << (TREE_SHIFT * (level - 1));     /* pages below one slot */

    for (unsigned slot = slot_of(*index, level); slot < TREE_SLOTS; slot++) {
        unsigned long behind = (*index | (span - 1)) + 1;
        void *below = node->slots[slot];
        struct page *page = level == 1 || !below ? below : next_below(below, level - 1, index);

        if (page)
            return page;
        *index = behind;        /* 0 behind the very last slot, where the loop ends anyway */
    }
    return NULL;
}

struct page *page_tree_next(const struct page_tree *tree, unsigned long *index)
{
    if (!tree->root || !reaches(tree->height, *index))
        return NULL;
    unsigned long at = *index;
    struct page *page = next_below(tree->root, tree->height, &at);
    if (page)
        *index = at;
    return page;
}
