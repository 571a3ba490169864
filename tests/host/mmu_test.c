/* The played processor itself: it checks access as the real one does, and notices every missing flush. */
#include "tests/host/harness.h"

#define PAGE_AT 0x7f0000001000ul

static struct mm_struct mm;
static struct page *frame;
static pte_t *leaf;

static int mmu_setup(void **state)
{
    memory_setup(state);
    mm = (struct mm_struct){ .pgd = pgd_alloc() };
    mm.pgd_phys = virt_to_phys(mm.pgd);
    frame = alloc_zeroed_page(PAGE_ANON);
    leaf = pte_alloc(&mm, PAGE_AT);
    mmu_load(&mm);
    return 0;
}

static int mmu_teardown(void **state)
{
    mmu_load(NULL);
    *leaf = (pte_t){ 0 };
    put_page(frame);
    free_pgtables(&mm, PAGE_AT, PAGE_AT + PAGE_SIZE, 0, TASK_SIZE);
    pgd_free(mm.pgd);
    return memory_teardown(state);
}

static void set_leaf(u64 bits)
{
    *leaf = pfn_pte(page_to_pfn(frame), bits);
}

/* ERROR is the error code of the expected page fault, or NO_ERROR for none. */
#define NO_ERROR ~0u
static void expect_access(enum mmu_access access, bool user, unsigned error)
{
    unsigned got;
    u8 *place = mmu_translate(PAGE_AT + 9, access, user, &got);

    if (error == NO_ERROR) {
        assert_ptr_equal(place, (u8 *)page_address(frame) + 9);
    } else {
        assert_null(place);
        assert_int_equal(got, error);
    }
}

static void a_missing_page_faults_with_the_kind_of_access(void **state)
{
    (void)state;
    expect_access(MMU_READ, true, PF_USER);
    expect_access(MMU_WRITE, true, PF_USER | PF_WRITE);
    expect_access(MMU_EXECUTE, true, PF_USER | PF_INSTRUCTION);
    expect_access(MMU_READ, false, 0);
}

static void rights_of_the_leaf_count(void **state)
{
    (void)state;
    set_leaf(PTE_PRESENT | PTE_USER | PTE_NX);
    expect_access(MMU_READ, true, NO_ERROR);
    expect_access(MMU_WRITE, true, PF_PRESENT | PF_USER | PF_WRITE);
    expect_access(MMU_WRITE, false, PF_PRESENT | PF_WRITE);    /* CR0.WP: the kernel may not either */
    expect_access(MMU_EXECUTE, true, PF_PRESENT | PF_USER | PF_INSTRUCTION);
    arch_flush_page(PAGE_AT);
    set_leaf(PTE_PRESENT | PTE_WRITE | PTE_NX);
    expect_access(MMU_READ, true, PF_PRESENT | PF_USER);
    expect_access(MMU_WRITE, false, NO_ERROR);
    arch_flush_page(PAGE_AT);
    set_leaf(PTE_PRESENT | PTE_WRITE | PTE_USER);
    expect_access(MMU_WRITE, true, NO_ERROR);
    expect_access(MMU_EXECUTE, true, NO_ERROR);
    arch_flush_page(PAGE_AT);
    set_leaf(PTE_PROTNONE);
    expect_access(MMU_READ, true, PF_USER);
}

static void rights_of_every_level_count(void **state)
{
    (void)state;
    set_leaf(PTE_PRESENT | PTE_WRITE | PTE_USER);
    for (unsigned level = 4; level >= 2; level--) {
        pte_t *slot = mm.pgd + LEVEL_INDEX(PAGE_AT, 4);
        for (unsigned at = 4; at > level; at--)
            slot = table_of(*slot) + LEVEL_INDEX(PAGE_AT, at - 1);
        pte_t saved = *slot;

        slot->value = saved.value & ~PTE_WRITE;
        expect_access(MMU_WRITE, true, PF_PRESENT | PF_USER | PF_WRITE);
        slot->value = saved.value & ~PTE_USER;
        expect_access(MMU_READ, true, PF_PRESENT | PF_USER);
        slot->value = saved.value | PTE_NX;
        expect_access(MMU_EXECUTE, true, PF_PRESENT | PF_USER | PF_INSTRUCTION);
        slot->value = saved.value & ~PTE_PRESENT;
        expect_access(MMU_READ, true, PF_USER);
        *slot = saved;
    }
    expect_access(MMU_WRITE, true, NO_ERROR);
}

static void accessed_and_dirty_are_set_as_the_processor_does(void **state)
{
    (void)state;
    set_leaf(PTE_PRESENT | PTE_WRITE | PTE_USER);
    expect_access(MMU_READ, true, NO_ERROR);
    assert_true(pte_accessed(*leaf));
    assert_false(pte_dirty(*leaf));
    expect_access(MMU_WRITE, true, NO_ERROR);
    assert_true(pte_dirty(*leaf));
}

static void a_translation_used_after_its_page_went_is_noticed(void **state)
{
    (void)state;
    set_leaf(PTE_PRESENT | PTE_WRITE | PTE_USER);
    expect_access(MMU_WRITE, true, NO_ERROR);
    assert_null(mmu_tlb_audit());
    *leaf = (pte_t){ 0 };
    assert_non_null(mmu_tlb_audit());
    expect_access(MMU_READ, true, NO_ERROR);
    assert_int_equal(mmu_stale_uses, 1);
    arch_flush_page(PAGE_AT);
    assert_null(mmu_tlb_audit());
    expect_access(MMU_READ, true, PF_USER);
    assert_int_equal(mmu_stale_uses, 1);
}

static void a_translation_that_allows_too_much_is_noticed(void **state)
{
    (void)state;
    set_leaf(PTE_PRESENT | PTE_WRITE | PTE_USER);
    expect_access(MMU_WRITE, true, NO_ERROR);
    leaf->value &= ~PTE_WRITE;
    assert_non_null(strstr(mmu_tlb_audit(), "read-only"));
    leaf->value |= PTE_WRITE | PTE_NX;
    assert_non_null(strstr(mmu_tlb_audit(), "no-execute"));
    leaf->value &= ~PTE_NX;
    *leaf = pfn_pte(page_to_pfn(frame) + 1, PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY);
    assert_non_null(strstr(mmu_tlb_audit(), "another frame"));
    arch_load_cr3(mm.pgd_phys);
    assert_null(mmu_tlb_audit());
}

static void more_rights_need_no_flush(void **state)
{
    (void)state;
    set_leaf(PTE_PRESENT | PTE_USER | PTE_NX);
    expect_access(MMU_READ, true, NO_ERROR);
    set_leaf(PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_ACCESSED);
    assert_null(mmu_tlb_audit());
    expect_access(MMU_WRITE, true, NO_ERROR);
    assert_int_equal(mmu_stale_uses, 0);
}

static void flushes_are_written_down(void **state)
{
    (void)state;
    mmu_page_flushes = 0;
    arch_flush_page(0x1234567);
    assert_true(mmu_was_flushed(0x1234000));
    assert_false(mmu_was_flushed(0x1235000));
    assert_int_equal(mmu_page_flushes, 1);
    unsigned long loads = mmu_cr3_loads;
    mmu_load(&mm);      /* it is loaded already */
    assert_int_equal(mmu_cr3_loads, loads);
    mmu_load(NULL);
    mmu_load(&mm);
    assert_int_equal(mmu_cr3_loads, loads + 2);
}

#define mmu_test(function) cmocka_unit_test_setup_teardown(function, mmu_setup, mmu_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        mmu_test(a_missing_page_faults_with_the_kind_of_access),
        mmu_test(rights_of_the_leaf_count),
        mmu_test(rights_of_every_level_count),
        mmu_test(accessed_and_dirty_are_set_as_the_processor_does),
        mmu_test(a_translation_used_after_its_page_went_is_noticed),
        mmu_test(a_translation_that_allows_too_much_is_noticed),
        mmu_test(more_rights_need_no_flush),
        mmu_test(flushes_are_written_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
