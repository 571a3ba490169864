/* The page cache's radix tree: random work against an array, far indices, and no node left behind. */
#include "kernel/lib/errno.h"
#include "mm/filemap.h"
#include "mm/slab.h"
#include "tests/host/harness.h"

/* The tree never looks into a page. */
static struct page pages[4096];

static void what_is_inserted_is_found_and_nothing_else(void **state)
{
    struct page_tree tree = { 0 };

    (void)state;
    assert_null(page_tree_find(&tree, 0));
    assert_int_equal(page_tree_insert(&tree, 5, &pages[5]), 0);
    assert_int_equal(page_tree_insert(&tree, 5, &pages[6]), -EEXIST);
    assert_ptr_equal(page_tree_find(&tree, 5), &pages[5]);
    assert_null(page_tree_find(&tree, 4));
    assert_null(page_tree_find(&tree, 5 + 64));
    assert_null(page_tree_find(&tree, ~0ul));
    assert_int_equal(tree.count, 1);
    assert_null(page_tree_remove(&tree, 6));
    assert_null(page_tree_remove(&tree, 5 + 4096));
    assert_ptr_equal(page_tree_remove(&tree, 5), &pages[5]);
    assert_int_equal(tree.count, 0);
    assert_int_equal(tree.height, 0);
    assert_null(tree.root);
}

static void indices_may_be_as_large_as_they_like(void **state)
{
    static const unsigned long indices[] = { 0, 63, 64, 4095, 4096, 1ul << 36, (1ul << 52) - 1, 1ul << 60, ~0ul };
    struct page_tree tree = { 0 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(indices); i++)
        assert_int_equal(page_tree_insert(&tree, indices[i], &pages[i]), 0);
    assert_int_equal(tree.height, 11);
    unsigned long index = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(indices); i++, index++) {
        assert_ptr_equal(page_tree_find(&tree, indices[i]), &pages[i]);
        assert_ptr_equal(page_tree_next(&tree, &index), &pages[i]);
        assert_int_equal(index, indices[i]);
    }
    /* Behind the last index there is nothing; the walk wraps to the first. */
    assert_int_equal(index, 0);
    for (unsigned i = ARRAY_SIZE(indices); i-- > 0;) {
        assert_ptr_equal(page_tree_remove(&tree, indices[i]), &pages[i]);
        assert_null(page_tree_find(&tree, indices[i]));
    }
    assert_null(tree.root);
}

static void the_tree_shrinks_when_its_far_end_goes(void **state)
{
    struct page_tree tree = { 0 };

    (void)state;
    assert_int_equal(page_tree_insert(&tree, 3, &pages[0]), 0);
    assert_int_equal(tree.height, 1);
    assert_int_equal(page_tree_insert(&tree, 1ul << 30, &pages[1]), 0);
    assert_int_equal(tree.height, 6);
    assert_ptr_equal(page_tree_remove(&tree, 1ul << 30), &pages[1]);
    assert_int_equal(tree.height, 1);
    assert_ptr_equal(page_tree_find(&tree, 3), &pages[0]);
    assert_ptr_equal(page_tree_remove(&tree, 3), &pages[0]);
}

static void random_work_agrees_with_an_array(void **state)
{
    enum { INDICES = 30000 };
    static struct page *model[INDICES];
    struct page_tree tree = { 0 };
    unsigned long count = 0;
    u64 random = 2;

    (void)state;
    for (unsigned step = 0; step < 40000; step++) {
        /* Dense at the beginning, sparse further on. */
        u64 roll = next_random(&random);
        unsigned long index = roll % 3 == 0 ? (roll >> 8) % INDICES : (roll >> 8) % 300;
        struct page *page = &pages[step % ARRAY_SIZE(pages)];

        if (roll >> 40 & 1) {
            int expected = model[index] ? -EEXIST : 0;
            assert_int_equal(page_tree_insert(&tree, index, page), expected);
            if (!model[index]) {
                model[index] = page;
                count++;
            }
        } else {
            assert_ptr_equal(page_tree_remove(&tree, index), model[index]);
            count -= model[index] != NULL;
            model[index] = NULL;
        }
        assert_int_equal(tree.count, count);
        unsigned long probe = next_random(&random) % INDICES;
        assert_ptr_equal(page_tree_find(&tree, probe), model[probe]);
        unsigned long next = probe;
        struct page *found = page_tree_next(&tree, &next);
        unsigned long expected = probe;
        while (expected < INDICES && !model[expected] && step % 100 == 0)
            expected++;
        if (step % 100 == 0) {
            assert_ptr_equal(found, expected < INDICES ? model[expected] : NULL);
            assert_int_equal(next, found ? expected : probe);
        }
    }
    unsigned long index = 0, walked = 0;
    for (struct page *page; (page = page_tree_next(&tree, &index)) != NULL; index++, walked++)
        assert_ptr_equal(page, model[index]);
    assert_int_equal(walked, count);
    for (index = 0; index < INDICES; index++)
        assert_ptr_equal(page_tree_remove(&tree, index), model[index]);
    memset(model, 0, sizeof(model));
    assert_null(tree.root);
}

static void a_failed_insertion_changes_nothing(void **state)
{
    struct page_tree tree = { 0 };

    (void)state;
    assert_int_equal(page_tree_insert(&tree, 1, &pages[1]), 0);
    for (unsigned long fail = 1; fail < 40; fail++) {
        u8 height = tree.height;
        void *root = tree.root;

        fail_allocation_countdown = fail;
        int result = page_tree_insert(&tree, 1ul << 50, &pages[2]);
        fail_allocation_countdown = 0;
        assert_null(slab_audit());
        if (result == 0)
            break;
        assert_int_equal(result, -ENOMEM);
        assert_int_equal(tree.height, height);
        assert_ptr_equal(tree.root, root);
        assert_int_equal(tree.count, 1);
        assert_ptr_equal(page_tree_find(&tree, 1), &pages[1]);
        assert_null(page_tree_find(&tree, 1ul << 50));
    }
    assert_ptr_equal(page_tree_remove(&tree, 1ul << 50), &pages[2]);
    assert_ptr_equal(page_tree_remove(&tree, 1), &pages[1]);
    fail_allocation_countdown = 1;
    assert_int_equal(page_tree_insert(&tree, 7, &pages[2]), -ENOMEM);
    assert_null(tree.root);
}

/* A file whose first page is far inside: everything on the way to index 0 would be nobody's. */
static void a_tree_that_begins_far_away_leaves_nothing(void **state)
{
    struct page_tree tree = { 0 };

    (void)state;
    assert_int_equal(page_tree_insert(&tree, 1ul << 40, &pages[1]), 0);
    assert_ptr_equal(page_tree_find(&tree, 1ul << 40), &pages[1]);
    assert_ptr_equal(page_tree_remove(&tree, 1ul << 40), &pages[1]);
    assert_null(tree.root);
    assert_int_equal(tree.height, 0);
    int result = -ENOMEM;
    for (unsigned long fail = 1; result != 0; fail++) {
        fail_allocation_countdown = fail;
        result = page_tree_insert(&tree, 1ul << 40, &pages[1]);
        fail_allocation_countdown = 0;
        assert_true(result == 0 || !tree.root);
    }
    assert_ptr_equal(page_tree_remove(&tree, 1ul << 40), &pages[1]);
    assert_null(tree.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(what_is_inserted_is_found_and_nothing_else),
        memory_test(indices_may_be_as_large_as_they_like),
        memory_test(the_tree_shrinks_when_its_far_end_goes),
        memory_test(random_work_agrees_with_an_array),
        memory_test(a_failed_insertion_changes_nothing),
        memory_test(a_tree_that_begins_far_away_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
