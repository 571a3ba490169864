/* A red-black tree with links inside the elements and an optional value kept up to date along each path. */
#ifndef KERNEL_LIB_RBTREE_H
#define KERNEL_LIB_RBTREE_H

#include "kernel/lib/types.h"

struct rb_node {
    unsigned long parent_colour;    /* the parent's address; bit 0 set when this node is black */
    struct rb_node *left, *right;
};

struct rb_root {
    struct rb_node *node;
};

/*
 * Recomputes what NODE stores about its subtree (a value of the set of its nodes, whatever their shape: a
 * largest gap, a count) from itself and its two children, and returns true when the stored value changed: where
 * it did not, the way up ends early. NULL: nothing is stored.
 */
typedef bool (*rb_augment_t)(struct rb_node *node);

static inline struct rb_node *rb_parent(const struct rb_node *node)
{
    return (struct rb_node *)(node->parent_colour & ~1ul);
}

/*
 * Links NODE below PARENT at LINK (&root->node, &parent->left or &parent->right; found by the caller's own
 * descent) and rebalances. AUGMENT is called for every node whose subtree changed, children first, up to the first
 * whose value stays.
 */
void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
               struct rb_node **link, rb_augment_t augment);

/* Takes NODE out and rebalances; AUGMENT as above. */
void rb_erase(struct rb_root *root, struct rb_node *node, rb_augment_t augment);

/* Calls AUGMENT for NODE and its ancestors until a value stays: for when a value inside NODE changed in place. */
void rb_propagate(struct rb_node *node, rb_augment_t augment);

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);

/* True when the tree obeys the red-black rules and every parent link is right: for audits and tests. */
bool rb_is_valid(const struct rb_root *root);

#endif
