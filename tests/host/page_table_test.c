/* Page tables: making, finding, walking over sparse ranges, and freeing tables between neighbours. */
#include <stdlib.h>
#include "kernel/trace/journal.h"
#include "tests/host/harness.h"

#define ENTRY_BITS (PTE_PRESENT | PTE_USER | PTE_NX)

static struct mm_struct mm;

static int tables_setup(void **state)
{
    memory_setup(state);
    mm = (struct mm_struct){ .pgd = pgd_alloc() };
    mm.pgd_phys = virt_to_phys(mm.pgd);
    return 0;
}

static int tables_teardown(void **state)
{
    assert_int_equal(mm.pgtables_bytes, 0);
    pgd_free(mm.pgd);
    return memory_teardown(state);
}

/* Maps made-up frame PFN at ADDRESS: nothing here looks into the frame. */
static pte_t *map(unsigned long address, pfn_t pfn)
{
    pte_t *ptep = pte_alloc(&mm, address);

    assert_non_null(ptep);
    set_pte_at(&mm, address, ptep, pfn_pte(pfn, ENTRY_BITS));
    return ptep;
}

static void unmap(unsigned long address)
{
    pte_t *ptep = pte_offset(mm.pgd, address);

    assert_non_null(ptep);
    ptep_get_and_clear(&mm, address, ptep);
}

static void free_all_tables(void)
{
    free_pgtables(&mm, 0, TASK_SIZE, 0, TASK_SIZE);
}

static void missing_tables_are_made_once(void **state)
{
    (void)state;
    unsigned long tables = frame_counts[PAGE_TABLE];

    assert_null(pte_offset(mm.pgd, 0x400000));
    pte_t *ptep = pte_alloc(&mm, 0x400000);
    assert_int_equal(frame_counts[PAGE_TABLE] - tables, 3);
    assert_int_equal(mm.pgtables_bytes, 3 * PAGE_SIZE);
    assert_ptr_equal(pte_alloc(&mm, 0x400000), ptep);
    assert_ptr_equal(pte_alloc(&mm, 0x400000 + 0xfff), ptep);
    assert_ptr_equal(pte_alloc(&mm, 0x5ff000), ptep + 511);
    assert_ptr_equal(pte_offset(mm.pgd, 0x401000), ptep + 1);
    assert_int_equal(frame_counts[PAGE_TABLE] - tables, 3);
    pte_alloc(&mm, 0x600000);           /* the next page table */
    assert_int_equal(frame_counts[PAGE_TABLE] - tables, 4);
    pte_alloc(&mm, 1ul << 30);          /* the next page directory */
    assert_int_equal(frame_counts[PAGE_TABLE] - tables, 6);
    pte_alloc(&mm, 1ul << 39);          /* the next PDPT */
    assert_int_equal(frame_counts[PAGE_TABLE] - tables, 9);
    assert_int_equal(mm.pgtables_bytes, 9 * PAGE_SIZE);
    free_all_tables();
    assert_int_equal(frame_counts[PAGE_TABLE], tables);
}

static void fresh_tables_are_empty(void **state)
{
    (void)state;
    pte_t *ptep = pte_alloc(&mm, 0x7fffffffe000);

    for (unsigned i = 0; i < ENTRIES_PER_TABLE; i++)
        assert_true(pte_none(((pte_t *)((unsigned long)ptep & PAGE_MASK))[i]));
    free_all_tables();
}

static void the_kernel_half_is_shared_and_the_user_half_empty(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ENTRIES_PER_TABLE; i++)
        assert_int_equal(mm.pgd[i].value, i < 256 ? 0 : kernel_pgd[i].value);
    assert_int_not_equal(mm.pgd[LEVEL_INDEX(PAGE_OFFSET, 4)].value, 0);
    assert_int_not_equal(mm.pgd[LEVEL_INDEX(KERNEL_STACK_AREA, 4)].value, 0);
    assert_int_not_equal(mm.pgd[LEVEL_INDEX(KERNEL_IMAGE_BASE, 4)].value, 0);
}

static void without_memory_a_table_is_missing_and_nothing_is_lost(void **state)
{
    (void)state;
    for (unsigned long fail = 1; fail <= 3; fail++) {
        fail_allocation_countdown = fail;
        assert_null(pte_alloc(&mm, 0x123456000));
        assert_int_equal(mm.pgtables_bytes, (fail - 1) * PAGE_SIZE);
        assert_null(pte_offset(mm.pgd, 0x123456000));
        free_all_tables();
        assert_int_equal(mm.pgtables_bytes, 0);
    }
    fail_allocation_countdown = 1;
    assert_null(pgd_alloc());
}

/* ---- the iterator ---- */

static void an_empty_address_space_is_walked_in_a_few_steps(void **state)
{
    struct pte_iter it = pte_iter_over(mm.pgd, 0, TASK_SIZE);

    (void)state;
    pte_steps = 0;
    assert_false(pte_iter_next(&it));
    assert_true(pte_steps <= 32);       /* 256 entries, eight at a time */
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
    /* Per page three tables of 64 groups and single steps inside groups; per PML4 entry one. Never per page of the range. */
    assert_true(pte_steps <= 64 * 3 * (64 + 32) + 512);
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

/* ---- freeing tables ---- */

static void a_table_with_a_neighbour_stays(void **state)
{
    (void)state;
    /* Two mappings in one page table: the upper one goes, then the lower one. */
    map(0x40000000, 1);
    map(0x40010000, 2);
    unmap(0x40010000);
    free_pgtables(&mm, 0x40010000, 0x40011000, 0x40001000, TASK_SIZE);
    assert_int_equal(mm.pgtables_bytes, 3 * PAGE_SIZE);
    assert_int_equal(pte_pfn(*pte_offset(mm.pgd, 0x40000000)), 1);
    /* The same with the neighbour above. */
    unmap(0x40000000);
    map(0x40010000, 2);
    free_pgtables(&mm, 0x40000000, 0x40001000, 0, 0x40010000);
    assert_int_equal(mm.pgtables_bytes, 3 * PAGE_SIZE);
    assert_int_equal(pte_pfn(*pte_offset(mm.pgd, 0x40010000)), 2);
    unmap(0x40010000);
    free_pgtables(&mm, 0x40010000, 0x40011000, 0, TASK_SIZE);
    assert_int_equal(mm.pgtables_bytes, 0);
}

static void each_level_goes_when_its_last_mapping_goes(void **state)
{
    const unsigned long here = 0x40000000;

    (void)state;
    /* A neighbour in the next page table, in the next directory, in the next PDPT: 1, 2, 3 tables of `here` go. */
    for (unsigned level = 2; level <= 4; level++) {
        unsigned long neighbour = here + LEVEL_SIZE(level);

        map(here, 1);
        map(neighbour, 2);
        unsigned long before = mm.pgtables_bytes;
        unmap(here);
        free_pgtables(&mm, here, here + PAGE_SIZE, 0, neighbour);
        assert_int_equal(before - mm.pgtables_bytes, (level - 1) * PAGE_SIZE);
        assert_int_equal(pte_pfn(*pte_offset(mm.pgd, neighbour)), 2);
        unmap(neighbour);
        free_all_tables();
    }
}

static void the_topmost_tables_go_with_the_last_mapping_of_the_stack(void **state)
{
    (void)state;
    map(TASK_SIZE - PAGE_SIZE, 1);
    unmap(TASK_SIZE - PAGE_SIZE);
    free_pgtables(&mm, TASK_SIZE - PAGE_SIZE, TASK_SIZE, 0, TASK_SIZE);
    assert_int_equal(mm.pgtables_bytes, 0);
}

static void the_kernel_half_survives(void **state)
{
    (void)state;
    free_all_tables();
    for (unsigned i = 256; i < ENTRIES_PER_TABLE; i++)
        assert_int_equal(mm.pgd[i].value, kernel_pgd[i].value);
}

static void freeing_tables_of_the_loaded_address_space_flushes(void **state)
{
    (void)state;
    map(0x40000000, 1);
    unmap(0x40000000);
    free_all_tables();
    assert_int_equal(mmu_page_flushes, 0);

    arch_load_cr3(mm.pgd_phys);
    map(0x40000000, 1);
    unmap(0x40000000);
    free_pgtables(&mm, 0x40000000, 0x40001000, 0, 0x40002000);
    assert_int_equal(mmu_page_flushes, 0);      /* nothing freed */
    free_pgtables(&mm, 0x40000000, 0x40001000, 0, TASK_SIZE);
    assert_int_equal(mmu_page_flushes, 1);
    mmu_reset();
}

/* Random mappings come and go; what is left is exactly what the remaining ones need. */
static void random_mappings_never_lose_a_neighbours_table(void **state)
{
    enum { RANGES = 40 };
    struct { unsigned long start, end; } ranges[RANGES];
    u64 random = 77;

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        unsigned count = 0;
        unsigned long at = 0x10000;

        while (count < RANGES) {
            at += (next_random(&random) % (1ul << (12 + next_random(&random) % 30))) & PAGE_MASK;
            unsigned long length = ((next_random(&random) % (1ul << (12 + next_random(&random) % 24))) & PAGE_MASK) +
                                   PAGE_SIZE;
            if (at + length >= TASK_SIZE)
                break;
            ranges[count].start = at;
            ranges[count++].end = at += length;
        }
        for (unsigned i = 0; i < count; i++) {
            map(ranges[i].start, i + 1);
            map(ranges[i].end - PAGE_SIZE, i + 1);
        }
        while (count > 0) {
            unsigned i = (unsigned)(next_random(&random) % count);

            unmap(ranges[i].start);
            unmap(ranges[i].end - PAGE_SIZE);
            free_pgtables(&mm, ranges[i].start, ranges[i].end, i > 0 ? ranges[i - 1].end : 0,
                          i + 1 < count ? ranges[i + 1].start : TASK_SIZE);
            count--;
            for (unsigned j = i; j < count; j++)
                ranges[j] = ranges[j + 1];
            /* Each table that is left serves a range that is left. */
            unsigned long needed = 0, last[4] = { ~0ul, ~0ul, ~0ul, ~0ul };
            for (unsigned j = 0; j < count; j++) {
                unsigned long pages[2] = { ranges[j].start, ranges[j].end - PAGE_SIZE };
                for (unsigned k = 0; k < 2; k++) {
                    pte_t *ptep = pte_offset(mm.pgd, pages[k]);
                    assert_non_null(ptep);
                    assert_false(pte_none(*ptep));
                    for (unsigned level = 1; level <= 3; level++)
                        if (last[level] != pages[k] >> LEVEL_SHIFT(level + 1)) {
                            last[level] = pages[k] >> LEVEL_SHIFT(level + 1);
                            needed++;
                        }
                }
            }
            assert_int_equal(mm.pgtables_bytes, needed * PAGE_SIZE);
        }
        assert_int_equal(mm.pgtables_bytes, 0);
    }
}

/* ---- the journal ---- */

static void tables_are_written_down(void **state)
{
    (void)state;
    assert_true(journal_start("table,pte", NULL));
    journal_count = 0;
    map(0x7f0012345000, 9);
    unmap(0x7f0012345000);
    free_all_tables();
    journal_mask = 0;
    static const struct { u32 kind; u64 level, address; } expected[] = {
        { JOURNAL_TABLE_ALLOC, 3, 0x7f0000000000 }, { JOURNAL_TABLE_ALLOC, 2, 0x7f0000000000 },
        { JOURNAL_TABLE_ALLOC, 1, 0x7f0012200000 }, { JOURNAL_PTE, 0, 0x7f0012345000 },
        { JOURNAL_PTE, 0, 0x7f0012345000 },         { JOURNAL_TABLE_FREE, 1, 0x7f0012200000 },
        { JOURNAL_TABLE_FREE, 2, 0x7f0000000000 },  { JOURNAL_TABLE_FREE, 3, 0x7f0000000000 },
    };
    assert_int_equal(journal_count, ARRAY_SIZE(expected));
    for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
        const u64 *args = journal_ring[i].args;

        assert_int_equal(journal_ring[i].kind, expected[i].kind);
        if (expected[i].kind == JOURNAL_PTE) {
            assert_int_equal(args[0], expected[i].address);
        } else {
            assert_int_equal(args[1], expected[i].level);
            assert_int_equal(args[2], expected[i].address);
        }
    }
    assert_int_equal(journal_ring[3].args[2], pfn_pte(9, ENTRY_BITS).value);
    assert_int_equal(journal_ring[4].args[1], pfn_pte(9, ENTRY_BITS).value);
    assert_int_equal(journal_ring[4].args[2], 0);
    /* The frames freed are those that were allocated. */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(journal_ring[i].args[0], journal_ring[7 - i].args[0]);
}

#define tables_test(function) cmocka_unit_test_setup_teardown(function, tables_setup, tables_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        tables_test(missing_tables_are_made_once),
        tables_test(fresh_tables_are_empty),
        tables_test(the_kernel_half_is_shared_and_the_user_half_empty),
        tables_test(without_memory_a_table_is_missing_and_nothing_is_lost),
        tables_test(an_empty_address_space_is_walked_in_a_few_steps),
        tables_test(absent_subtrees_cost_one_step_each),
        tables_test(bounds_are_kept_within_a_table),
        tables_test(the_body_may_clear_entries),
        tables_test(the_first_and_the_last_user_page_are_seen),
        tables_test(random_entries_are_walked_in_order),
        tables_test(a_table_with_a_neighbour_stays),
        tables_test(each_level_goes_when_its_last_mapping_goes),
        tables_test(the_topmost_tables_go_with_the_last_mapping_of_the_stack),
        tables_test(the_kernel_half_survives),
        tables_test(freeing_tables_of_the_loaded_address_space_flushes),
        tables_test(random_mappings_never_lose_a_neighbours_table),
        tables_test(tables_are_written_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
