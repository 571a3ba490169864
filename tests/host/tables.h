/* An address space that is nothing but tables, for the tests of mm/page_table.c. */
#ifndef TESTS_HOST_TABLES_H
#define TESTS_HOST_TABLES_H

#include "tests/host/harness.h"

#define ENTRY_BITS (PTE_PRESENT | PTE_USER | PTE_NX)

static struct mm_struct mm;

static inline int tables_setup(void **state)
{
    memory_setup(state);
    mm = (struct mm_struct){ .pgd = pgd_alloc() };
    mm.pgd_phys = virt_to_phys(mm.pgd);
    return 0;
}

static inline int tables_teardown(void **state)
{
    assert_int_equal(mm.pgtables_bytes, 0);
    pgd_free(mm.pgd);
    return memory_teardown(state);
}

/* Maps made-up frame PFN at ADDRESS: nothing here looks into the frame. */
static inline pte_t *map(unsigned long address, pfn_t pfn)
{
    pte_t *ptep = pte_alloc(&mm, address);

    assert_non_null(ptep);
    set_pte_at(&mm, address, ptep, pfn_pte(pfn, ENTRY_BITS));
    return ptep;
}

static inline void unmap(unsigned long address)
{
    pte_t *ptep = pte_offset(mm.pgd, address);

    assert_non_null(ptep);
    ptep_get_and_clear(&mm, address, ptep);
}

static inline void free_all_tables(void)
{
    free_pgtables(&mm, 0, TASK_SIZE, 0, TASK_SIZE);
}

#define tables_test(function) cmocka_unit_test_setup_teardown(function, tables_setup, tables_teardown)

#endif
