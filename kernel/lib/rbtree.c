/*
 * A red-black tree: the rules of Guibas and Sedgewick ("A dichromatic framework for balanced trees", 1978). The
 * root is black, a red node has no red child, and every way from a node down to an end passes the same number
 * of black nodes.
 */
#include "kernel/lib/rbtree.h"

#define BLACK 1ul

static bool is_black(const struct rb_node *node)
{
    return !node || (node->parent_colour & BLACK);
}

static bool is_red(const struct rb_node *node)
{
    return !is_black(node);
}

static void set_black(struct rb_node *node)
{
    node->parent_colour |= BLACK;
}

static void set_red(struct rb_node *node)
{
    node->parent_colour &= ~BLACK;
}

static void set_colour_of(struct rb_node *node, const struct rb_node *model)
{
    node->parent_colour = (node->parent_colour & ~BLACK) | (model->parent_colour & BLACK);
}

static void set_parent(struct rb_node *node, struct rb_node *parent)
{
    node->parent_colour = (unsigned long)parent | (node->parent_colour & BLACK);
}

/* Where the tree points to OLD, let it point to REPLACEMENT. */
static void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
                          struct rb_node *replacement)
{
    if (!parent)
        root->node = replacement;
    else if (parent->left == old)
        parent->left = replacement;
    else
        parent->right = replacement;
}

/*
 * Turns NODE down and one of its children up; the order stays, and so does the set of nodes below the place. Of
 * what is stored, only the two nodes' own change.
 *
 *        node              right                     node               left
 *       /    \             /   \                    /    \             /    \
 *      a    right   →    node   c        or       left    c    →      a     node
 *           /   \        /  \                     /  \                      /  \
 *          b     c      a    b                   a    b                    b    c
 */
static void rotate(struct rb_root *root, struct rb_node *node, bool to_the_left, rb_augment_t augment)
{
    struct rb_node *up = to_the_left ? node->right : node->left;
    struct rb_node *parent = rb_parent(node);
    struct rb_node *between = to_the_left ? up->left : up->right;

    if (to_the_left) {
        node->right = between;
        up->left = node;
    } else {
        node->left = between;
        up->right = node;
    }
    if (between)
        set_parent(between, node);
    replace_child(root, parent, node, up);
    set_parent(up, parent);
    set_parent(node, up);
    if (augment) {
        augment(node);
        augment(up);
    }
}

void rb_propagate(struct rb_node *node, rb_augment_t augment)
{
    while (node && augment(node))
        node = rb_parent(node);
}

void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
               struct rb_node **link, rb_augment_t augment)
{
    node->left = node->right = NULL;
    node->parent_colour = (unsigned long)parent;    /* red: only the rule about red children can be hurt */
    *link = node;
    if (augment) {
        augment(node);
        rb_propagate(parent, augment);
    }
    while (is_red(parent = rb_parent(node))) {
        struct rb_node *grandparent = rb_parent(parent);    /* there is one: the root is black */
        bool parent_is_left = parent == grandparent->left;
        struct rb_node *uncle = parent_is_left ? grandparent->right : grandparent->left;

        if (is_red(uncle)) {
            set_black(parent);
            set_black(uncle);
            set_red(grandparent);
            node = grandparent;
            continue;
        }
        if (node == (parent_is_left ? parent->right : parent->left)) {
            rotate(root, parent, parent_is_left, augment);
            parent = node;
        }
        set_black(parent);
        set_red(grandparent);
        rotate(root, grandparent, !parent_is_left, augment);
        break;
    }
    set_black(root->node);
}

/* The ways through NODE, a child of PARENT (or an end there), have one black node too few. */
static void repair_black_height(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
                                rb_augment_t augment)
{
    while (parent && is_black(node)) {
        bool left = parent->left == node;
        struct rb_node *sibling = left ? parent->right : parent->left;

        if (is_red(sibling)) {
            set_black(sibling);
            set_red(parent);
            rotate(root, parent, left, augment);
            sibling = left ? parent->right : parent->left;
        }
        /* There is a sibling: its side has one black node more than NODE's. NOLINTNEXTLINE(*NullDereference) */
        struct rb_node *near = left ? sibling->left : sibling->right;
        struct rb_node *far = left ? sibling->right : sibling->left;
        if (is_black(near) && is_black(far)) {
            set_red(sibling);
            node = parent;
            parent = rb_parent(node);
            continue;
        }
        if (is_black(far)) {
            set_black(near);
            set_red(sibling);
            rotate(root, sibling, !left, augment);
            far = sibling;
            sibling = near;
        }
        set_colour_of(sibling, parent);
        set_black(parent);
        set_black(far);
        rotate(root, parent, left, augment);
        return;
    }
    if (node)
        set_black(node);
}

/*
 * Puts NEXT, the node after NODE, in the place of NODE, which has two children. Returns the parent of the place
 * that NEXT left, where now *CHILD is.
 */
static struct rb_node *replace_by_next(struct rb_root *root, struct rb_node *node,
                                       struct rb_node *next, struct rb_node **child)
{
    struct rb_node *parent = rb_parent(next);

    *child = next->right;
    if (parent == node) {
        parent = next;
    } else {
        parent->left = *child;
        if (*child)
            set_parent(*child, parent);
        next->right = node->right;
        set_parent(next->right, next);
    }
    next->left = node->left;
    set_parent(next->left, next);
    replace_child(root, rb_parent(node), node, next);
    next->parent_colour = node->parent_colour;
    return parent;
}

/* Recomputes from AT upwards; NEXT, which came to a new place, in any case. */
static void propagate_past(struct rb_node *at, struct rb_node *next, rb_augment_t augment)
{
    while (at != next && augment(at))
        at = rb_parent(at);
    augment(next);
    rb_propagate(rb_parent(next), augment);
}

void rb_erase(struct rb_root *root, struct rb_node *node, rb_augment_t augment)
{
    struct rb_node *child, *parent;
    bool removed_black;

    if (node->left && node->right) {
        struct rb_node *next = rb_next(node);

        removed_black = is_black(next);
        parent = replace_by_next(root, node, next, &child);
        if (augment)
            propagate_past(parent, next, augment);
    } else {
        child = node->left ? node->left : node->right;
        parent = rb_parent(node);
        removed_black = is_black(node);
        replace_child(root, parent, node, child);
        if (child)
            set_parent(child, parent);
        if (augment)
            rb_propagate(parent, augment);
    }
    if (removed_black)
        repair_black_height(root, child, parent, augment);
}

struct rb_node *rb_first(const struct rb_root *root)
{
    struct rb_node *node = root->node;

    while (node && node->left)
        node = node->left;
    return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
    if (node->right) {
        const struct rb_root right = { node->right };
        return rb_first(&right);
    }
    struct rb_node *parent;
    while ((parent = rb_parent(node)) != NULL && node == parent->right)
        node = parent;
    return parent;
}

/* The number of black nodes on every way down from NODE; -1 when a rule is broken. */
static int black_height(const struct rb_node *node, const struct rb_node *parent)
{
    if (!node)
        return 0;
    if (rb_parent(node) != parent || (is_red(node) && is_red(parent)))
        return -1;
    int left = black_height(node->left, node), right = black_height(node->right, node);
    if (left < 0 || left != right)
        return -1;
    return left + is_black(node);
}

bool rb_is_valid(const struct rb_root *root)
{
    return is_black(root->node) && black_height(root->node, NULL) >= 0;
}
