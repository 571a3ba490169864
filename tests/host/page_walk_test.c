/* The iterator over page tables: everything present, in order, within its bounds, and absent subtrees in one step. */
#include <stdlib.h>
#include "tests/host/tables.h"

static void an_empty_address_space_is_walked_in_a_few_steps(void **state)
{
    struct pte_iter it = pte_iter_over(mm.pgd, 0, TASK_SIZE);

    (void)state;
    pte_steps = 0;
    assert_false(pte_iter_next(&it));
    assert_true(pte_steps <= 256);      /* its half of the PML4; who looks at eight entries together needs 32 */
    struct pte_iter none = pte_iter_over(mm.pgd, 0x5000, 0x5000);
    assert_false(pte_iter_next(&none));
}

static void absent_subtrees_cost_one_step_each(void **state)
{
    unsigned long seen = 0;

    (void)state;
    /* 64 TiB with a page in each TiB. */
    for (unsigned long i = 0; i < 64; i++)
        map((i << 40) + 0x1234000, i + 1);
    pte_steps = 0;
    struct pte_iter it = pte_iter_over(mm.pgd, 0, 1ul << 46);
    while (pte_iter_next(&it)) {
        assert_int_equal(it.address, (seen << 40) + 0x1234000);
        assert_int_equal(pte_pfn(*it.ptep), seen + 1);
        seen++;
    }
    assert_int_equal(seen, 64);
    /* Per page three tables of 512 entries, and the PML4. Never per page of the range, which has 2^34. */
    assert_true(pte_steps <= 64 * 3 * 512 + 512);
    free_all_tables();
}

static void bounds_are_kept_within_a_table(void **state)
{
    (void)state;
    for (unsigned long i = 0; i < 20; i++)
        map(0x10000000 + i * PAGE_SIZE, i + 1);
    struct pte_iter it = pte_iter_over(mm.pgd, 0x10000000 + 3 * PAGE_SIZE, 0x10000000 + 7 * PAGE_SIZE);
    for (unsigned long i = 3; i < 7; i++) {
        assert_true(pte_iter_next(&it));
        assert_int_equal(it.address, 0x10000000 + i * PAGE_SIZE);
        assert_int_equal(pte_pfn(*it.ptep), i + 1);
    }
    assert_false(pte_iter_next(&it));
    free_all_tables();
}

static void the_body_may_clear_entries(void **state)
{
    unsigned long count = 0;

    (void)state;
    for (unsigned long i = 0; i < 1500; i++)
        map(0x10000000 + i * PAGE_SIZE, i + 1);
    struct pte_iter it = pte_iter_over(mm.pgd, 0, TASK_SIZE);
    while (pte_iter_next(&it)) {
        assert_int_equal(pte_pfn(ptep_get_and_clear(&mm, it.address, it.ptep)), ++count);
    }
    assert_int_equal(count, 1500);
    it = pte_iter_over(mm.pgd, 0, TASK_SIZE);
    assert_false(pte_iter_next(&it));
    free_all_tables();
}

static void the_first_and_the_last_user_page_are_seen(void **state)
{
    (void)state;
    map(0, 1);
    map(TASK_SIZE - PAGE_SIZE, 2);
    struct pte_iter it = pte_iter_over(mm.pgd, 0, TASK_SIZE);
    assert_true(pte_iter_next(&it));
    assert_int_equal(it.address, 0);
    assert_true(pte_iter_next(&it));
    assert_int_equal(it.address, TASK_SIZE - PAGE_SIZE);
    assert_false(pte_iter_next(&it));
    free_all_tables();
}

/* The model: page numbers in ascending order, each with a frame number. */
struct mapping {
    unsigned long address;
    pfn_t pfn;
};

static int by_address(const void *a, const void *b)
{
    unsigned long left = ((const struct mapping *)a)->address, right = ((const struct mapping *)b)->address;
    return left < right ? -1 : left > right;
}

/* An address somewhere in the user half: clusters at all distances. */
static unsigned long random_address(u64 *random)
{
    u64 roll = next_random(random);
    unsigned long cluster = (roll % 5) * 0x123456789000ul % TASK_SIZE;
    unsigned long spread = 1ul << (12 + (roll >> 8) % 35);
    return (cluster + (next_random(random) % spread)) % TASK_SIZE & PAGE_MASK;
}

static void random_entries_are_walked_in_order(void **state)
{
    enum { MAPPINGS = 1500 };
    static struct mapping model[MAPPINGS];
    u64 random = 8;

    (void)state;
    for (unsigned i = 0; i < MAPPINGS; i++) {
        model[i] = (struct mapping){ random_address(&random), i + 1 };
        map(model[i].address, model[i].pfn);
    }
    qsort(model, MAPPINGS, sizeof(model[0]), by_address);
    unsigned count = 0;
    for (unsigned i = 0; i < MAPPINGS; i++)     /* one per address; the last one written counts */
        if (count == 0 || model[count - 1].address != model[i].address)
            model[count++] = model[i];
    for (unsigned i = 0; i < count; i++)
        model[i].pfn = pte_pfn(*pte_offset(mm.pgd, model[i].address));

    for (unsigned round = 0; round < 400; round++) {
        unsigned long start = round == 0 ? 0 : random_address(&random);
        unsigned long end = round == 0 ? TASK_SIZE : random_address(&random);
        unsigned at = 0;

        struct pte_iter it = pte_iter_over(mm.pgd, start, end);
        while (at < count && model[at].address < start)
            at++;
        while (pte_iter_next(&it)) {
            assert_true(at < count);
            assert_int_equal(it.address, model[at].address);
            assert_int_equal(pte_pfn(*it.ptep), model[at].pfn);
            at++;
        }
        assert_true(at == count || start >= end || model[at].address >= end);
    }
    for (unsigned i = 0; i < count; i++)
        unmap(model[i].address);
    free_all_tables();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tables_test(an_empty_address_space_is_walked_in_a_few_steps),
        tables_test(absent_subtrees_cost_one_step_each),
        tables_test(bounds_are_kept_within_a_table),
        tables_test(the_body_may_clear_entries),
        tables_test(the_first_and_the_last_user_page_are_seen),
        tables_test(random_entries_are_walked_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
