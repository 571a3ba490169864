/*
 * The red-black tree: random work against a sorted array, the rules after every step, and the stored values
 * along the paths.
 */
#include "kernel/lib/rbtree.h"
#include "tests/host/harness.h"

#define NODES 600

struct item {
    struct rb_node node;
    unsigned long key;
    unsigned long value;
    unsigned long largest;      /* of the values in this subtree */
    bool in_tree;
};

static struct item items[NODES];
static struct rb_root tree;
static unsigned long augment_calls;

static struct item *item_of(struct rb_node *node)
{
    return container_of(node, struct item, node);
}

static unsigned long largest_of(struct rb_node *node)
{
    return node ? item_of(node)->largest : 0;
}

static bool augment(struct rb_node *node)
{
    struct item *item = item_of(node);
    unsigned long largest = MAX(item->value, MAX(largest_of(node->left), largest_of(node->right)));
    bool changed = largest != item->largest;

    augment_calls++;
    item->largest = largest;
    return changed;
}

static void insert(struct item *item, rb_augment_t function)
{
    struct rb_node **link = &tree.node, *parent = NULL;

    while (*link) {
        parent = *link;
        link = item->key < item_of(parent)->key ? &parent->left : &parent->right;
    }
    rb_insert(&tree, &item->node, parent, link, function);
    item->in_tree = true;
}

static unsigned depth(const struct rb_node *node)
{
    if (!node)
        return 0;
    unsigned left = depth(node->left), right = depth(node->right);
    return 1 + MAX(left, right);
}

/* The largest value below NODE, counted afresh; fails when a stored one differs. */
static unsigned long check_stored(struct rb_node *node)
{
    if (!node)
        return 0;
    unsigned long left = check_stored(node->left), right = check_stored(node->right);
    unsigned long largest = MAX(item_of(node)->value, MAX(left, right));
    assert_int_equal(item_of(node)->largest, largest);
    return largest;
}

/* The tree holds exactly the items marked so, in the order of their keys. */
static void check_order(void)
{
    struct rb_node *node = rb_first(&tree);

    for (unsigned i = 0; i < NODES; i++) {
        if (!items[i].in_tree)
            continue;
        assert_ptr_equal(node, &items[i].node);
        node = rb_next(node);
    }
    assert_null(node);
}

static int fresh_tree(void **state)
{
    (void)state;
    memset(items, 0xa5, sizeof(items));
    for (unsigned i = 0; i < NODES; i++) {
        items[i].key = i * 10;
        items[i].in_tree = false;
    }
    tree.node = NULL;
    augment_calls = 0;
    return 0;
}

static void random_work_keeps_the_rules_and_the_order(void **state)
{
    u64 random = 12345;

    (void)state;
    for (unsigned step = 0; step < 20000; step++) {
        struct item *item = &items[next_random(&random) % NODES];

        if (item->in_tree) {
            rb_erase(&tree, &item->node, augment);
            item->in_tree = false;
        } else {
            item->value = next_random(&random) % 1000;
            insert(item, augment);
        }
        assert_true(rb_is_valid(&tree));
        check_stored(tree.node);
        if (step % 50 == 0)
            check_order();
    }
}

static void a_tree_without_stored_values_works_too(void **state)
{
    u64 random = 777;

    (void)state;
    for (unsigned step = 0; step < 5000; step++) {
        struct item *item = &items[next_random(&random) % NODES];

        if (item->in_tree) {
            rb_erase(&tree, &item->node, NULL);
            item->in_tree = false;
        } else {
            insert(item, NULL);
        }
        assert_true(rb_is_valid(&tree));
    }
    check_order();
}

static void ascending_insertion_stays_balanced(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 512; i++) {
        items[i].value = 1;
        insert(&items[i], augment);
    }
    assert_true(rb_is_valid(&tree));
    assert_true(depth(tree.node) <= 18);    /* 2 * log2(513) */
    for (unsigned i = 0; i < 512; i++)
        rb_erase(&tree, &items[i].node, augment);
    assert_null(tree.node);
    assert_null(rb_first(&tree));
}

static void a_changed_value_reaches_the_root(void **state)
{
    u64 random = 5;

    (void)state;
    for (unsigned i = 0; i < NODES; i++) {
        items[i].value = 10;
        insert(&items[i], augment);
    }
    for (unsigned step = 0; step < 2000; step++) {
        struct item *item = &items[next_random(&random) % NODES];

        item->value = next_random(&random) % 100;
        rb_propagate(&item->node, augment);
        check_stored(tree.node);
    }
}

static void the_way_up_ends_where_nothing_changes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NODES; i++) {
        items[i].value = i == 300 ? 50 : 10;
        insert(&items[i], augment);
    }
    struct item *leaf = &items[NODES - 1];
    augment_calls = 0;
    leaf->value = 9;    /* its parent still has a 10 */
    rb_propagate(&leaf->node, augment);
    assert_true(augment_calls <= 2);
}

static void a_broken_tree_is_not_valid(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        items[i].value = 1;
        insert(&items[i], augment);
    }
    assert_true(rb_is_valid(&tree));
    struct rb_node *deep = rb_first(&tree);
    unsigned long saved = deep->parent_colour;
    deep->parent_colour ^= 1;
    assert_false(rb_is_valid(&tree));
    deep->parent_colour = saved ^ 16;
    assert_false(rb_is_valid(&tree));
    deep->parent_colour = saved;
    tree.node->parent_colour &= ~1ul;
    assert_false(rb_is_valid(&tree));
    tree.node->parent_colour |= 1;
    assert_true(rb_is_valid(&tree));
}

#define tree_test(function) cmocka_unit_test_setup(function, fresh_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        tree_test(random_work_keeps_the_rules_and_the_order),
        tree_test(a_tree_without_stored_values_works_too),
        tree_test(ascending_insertion_stays_balanced),
        tree_test(a_changed_value_reaches_the_root),
        tree_test(the_way_up_ends_where_nothing_changes),
        tree_test(a_broken_tree_is_not_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
