/* Page tables: making, finding, walking over sparse ranges, and freeing tables between neighbours. */
#include "kernel/trace/journal.h"
#include "mm/page_alloc.h"
#include "tests/host/tables.h"

static void missing_tables_are_made_once(void **state)
{
    (void)state;
    unsigned long tables = frame_counts[PAGE_TABLE];

    assert_null(pte_offset(mm.pgd, 0x400000));
    pte_t *ptep = pte_alloc(&mm, 0x400000);
    assert_int_equal(frame_counts[PAGE_TABLE] - tables, 3);
    assert_int_equal(mm.pgtables_bytes, 3 * PAGE_SIZE);
    /* The next fault nearby is to find the table without a walk. */
    assert_ptr_equal(mm.last_table, ptep);
    assert_int_equal(mm.last_table_end, 0x5fffff);
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
        if (fail == 1)
            free_all_tables();
        else
            free_pgtables(&mm, 0x123456000, 0x123457000, 0, TASK_SIZE);     /* the same for a small range */
        assert_int_equal(mm.pgtables_bytes, 0);
    }
    fail_allocation_countdown = 1;
    assert_null(pgd_alloc());
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
    unsigned long frees = host_frees;
    free_pgtables(&mm, 0x40000000, 0x40001000, 0, TASK_SIZE);
    assert_int_equal(mmu_page_flushes, 1);
    assert_int_equal(mmu_frees_at_flush, frees);        /* the flush came before the first frame went back */
    assert_int_not_equal(host_frees, frees);
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

/* ---- entries that go ---- */

static void an_entry_less_is_a_resident_page_less_whoever_else_uses_the_frame(void **state)
{
    const unsigned long here = 0x40000000;
    struct vm_area_struct vma = { .vm_start = here, .vm_end = here + 3 * PAGE_SIZE, .vm_mm = &mm };
    struct page *shared = alloc_page(PAGE_ANON), *own = alloc_page(PAGE_ANON);

    (void)state;
    get_page(shared);
    map(here, page_to_pfn(shared));
    map(here + PAGE_SIZE, page_to_pfn(own));
    map(here + 2 * PAGE_SIZE, zero_pfn);
    mm.rss[MM_ANONPAGES] = 2;
    assert_int_equal(zap_range(&vma, here, here + PAGE_SIZE), 1);
    assert_int_equal(mm.rss[MM_ANONPAGES], 1);
    assert_int_equal(page_count(shared), 1);
    assert_false(pte_none(*pte_offset(mm.pgd, here + PAGE_SIZE)));
    assert_int_equal(zap_range(&vma, here, here + 2 * PAGE_SIZE), 1);
    assert_int_equal(mm.rss[MM_ANONPAGES], 0);
    assert_false(pte_none(*pte_offset(mm.pgd, here + 2 * PAGE_SIZE)));
    put_page(shared);
    /* The zero frame counts nobody, and its entry is one that has to be flushed all the same. */
    assert_int_equal(zap_range(&vma, here, here + 3 * PAGE_SIZE), 1);
    assert_true(pte_none(*pte_offset(mm.pgd, here + 2 * PAGE_SIZE)));
    assert_int_equal(mm.rss[MM_ANONPAGES] + mm.rss[MM_FILEPAGES], 0);
    free_all_tables();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        tables_test(missing_tables_are_made_once),
        tables_test(fresh_tables_are_empty),
        tables_test(the_kernel_half_is_shared_and_the_user_half_empty),
        tables_test(without_memory_a_table_is_missing_and_nothing_is_lost),
        tables_test(a_table_with_a_neighbour_stays),
        tables_test(each_level_goes_when_its_last_mapping_goes),
        tables_test(the_topmost_tables_go_with_the_last_mapping_of_the_stack),
        tables_test(the_kernel_half_survives),
        tables_test(freeing_tables_of_the_loaded_address_space_flushes),
        tables_test(random_mappings_never_lose_a_neighbours_table),
        tables_test(an_entry_less_is_a_resident_page_less_whoever_else_uses_the_frame),
        tables_test(tables_are_written_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
