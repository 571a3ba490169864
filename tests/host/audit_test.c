/*
 * The audit itself: each kind of damage, done on purpose, is found and named; afterwards all is
 * well again.
 */
#include "kernel/lib/printf.h"
#include "mm/audit.h"
#include "mm/filemap.h"
#include "mm/limits.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

#define AT 0x10000000ul
#define SHARED 0x20000000ul

static char findings[4096];

static void collect(const char *finding, void *context)
{
    (void)context;
    size_t n = strlen(findings);
    snprintf(findings + n, sizeof(findings) - n, "%s\n", finding);
}

static struct mm_struct *mm;

/*
 * Private, read and shared pages, and a fork's child's worth of nothing: what every case starts
 * from.
 */
static void prepare(void)
{
    mm = test_mm();
    map_at(mm, AT, 4, RW);
    write_byte(mm, AT, 1);
    write_byte(mm, AT + P, 2);
    touch_read(mm, AT + 2 * P);
    map_at(mm, AT + 8 * P, 1, PROT_READ);
    touch_read(mm, AT + 8 * P);
    anon(mm, SHARED, 2 * P, RW, MAP_SHARED | MAP_FIXED);
    write_byte(mm, SHARED, 3);
    findings[0] = '\0';
    assert_int_equal(mm_audit(collect, NULL), 0);
}

/* The audit must say SENTENCE (a part of it) now. */
static void expect_finding(const char *sentence)
{
    findings[0] = '\0';
    unsigned count = mm_audit(collect, NULL);
    if (!count || !strstr(findings, sentence))
        fail_msg("the audit should have said \"%s\", but said:\n%s", sentence, findings);
}

/* And after the damage is mended nothing any more. */
static void expect_peace(void)
{
    findings[0] = '\0';
    if (mm_audit(collect, NULL))
        fail_msg("the audit should be content, but said:\n%s", findings);
}

static void finish(void)
{
    expect_peace();
    mmput(mm);
}

static void with_entry(unsigned long address, u64 value, const char *sentence)
{
    pte_t *ptep = pte_offset(mm->pgd, address), before = *ptep;

    ptep->value = value;
    expect_finding(sentence);
    *ptep = before;
    expect_peace();
}

static void it_sees_entries_that_their_vma_does_not_explain(void **state)
{
    (void)state;
    prepare();
    u64 own = entry_at(mm, AT).value, zero = entry_at(mm, AT + 2 * P).value;
    u64 read_only = entry_at(mm, AT + 8 * P).value, shared = entry_at(mm, SHARED).value;

    with_entry(AT + 2 * P, zero | PTE_WRITE, "zero frame writable");
    with_entry(AT, own & ~PTE_NX, "do not follow from its VMA");
    with_entry(AT, own & ~PTE_USER, "do not follow from its VMA");
    with_entry(AT, (own & ~PTE_PRESENT) | PTE_PROTNONE, "do not follow from its VMA");
    with_entry(AT, own | PTE_CACHE_DISABLE, "do not follow from its VMA");
    with_entry(AT + 8 * P, read_only | PTE_WRITE, "zero frame writable");
    with_entry(SHARED, zero, "zero frame in a VMA that is not anonymous");
    with_entry(SHARED, own | PTE_WRITE, "anonymous frame in a VMA that has none");
    with_entry(AT + 3 * P, shared, "maps a page of another object");
    with_entry(SHARED + P, shared, "maps page 0 of its object instead of page 1");
    with_entry(AT + 4 * P, zero, "lies in no VMA");
    with_entry(AT, 0, "counts 1 users and has 0");
    with_entry(AT + 3 * P, own, "counts 1 users and has 2");
    with_entry(AT + 3 * P, pfn_pte(1, own & ~PTE_FRAME_MASK).value, "maps frame 0x1, which is");
    with_entry(AT + 3 * P, pfn_pte(max_pfn + 5, own & ~PTE_FRAME_MASK).value, "does not exist");
    finish();
}

static void it_sees_wrong_counts(void **state)
{
    (void)state;
    prepare();
    struct page *page = pte_page(entry_at(mm, AT));

    get_page(page);
    expect_finding("counts 2 users and has 1");
    page->_refcount--;
    page->flags &= (u16)~PG_ANON_EXCLUSIVE;
    expect_finding("is writable, but its VMA does not allow it or others share");
    page->flags |= PG_ANON_EXCLUSIVE;
    struct { unsigned long *counter; const char *sentence; } counters[] = {
        { (unsigned long *)&mm->rss[MM_ANONPAGES], "resident pages of kind 1" },
        { (unsigned long *)&mm->rss[MM_SHMEMPAGES], "resident pages of kind 2" },
        { &mm->total_vm, "total_vm" }, { &mm->data_vm, "data_vm" }, { &mm->stack_vm, "stack_vm" },
        { &mm->exec_vm, "exec_vm" }, { &mm->locked_vm, "locked_vm" }, { &mm->committed, "committed" },
        { &mm->pgtables_bytes, "bytes of page tables" },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(counters); i++) {
        ++*counters[i].counter;
        expect_finding(counters[i].sentence);
        --*counters[i].counter;
    }
    mm->map_count++;
    expect_finding("map_count");
    mm->map_count--;
    finish();
}

static void it_sees_a_lost_frame_and_a_lost_table(void **state)
{
    (void)state;
    prepare();
    struct page *page = alloc_page(PAGE_ANON);
    expect_finding("counts 1 users and has 0");
    put_page(page);
    page = alloc_page(PAGE_TABLE);
    expect_finding("is a page table that no address space has");
    free_pages(page, 0);
    assert_non_null(pte_alloc(mm, 0x300000000000));
    expect_finding("at 0x300000000000 serves no VMA");
    free_pgtables(mm, 0x300000000000, 0x300000001000, SHARED + 2 * P, TASK_SIZE);
    finish();
}

static void it_sees_a_broken_list_and_index(void **state)
{
    (void)state;
    prepare();
    struct vm_area_struct *first = mm->mmap, *second = first->vm_next;

    first->rb_subtree_gap += P;
    expect_finding("knows a wrong largest gap");
    first->rb_subtree_gap -= P;
    unsigned long end = first->vm_end;
    first->vm_end = second->vm_start + P;
    expect_finding("overlaps the one before it");
    first->vm_end = end + 1;
    expect_finding("has impossible bounds");
    first->vm_end = end;
    second->vm_prev = NULL;
    expect_finding("out of order");
    second->vm_prev = first;
    struct vm_area_struct stranger = *first;
    mm->mmap_cache = &stranger;
    expect_finding("points to a VMA that is gone");
    mm->mmap_cache = NULL;
    mm->gap_unrecorded = &stranger;
    expect_finding("that the index still has to learn of is gone");
    mm->gap_unrecorded = NULL;
    mm->hole_below = second;
    mm->hole_above = P;
    expect_finding("lies below a hole that is large enough");
    mm->hole_below = NULL;
    finish();
}

static void it_sees_a_dirty_zero_frame(void **state)
{
    (void)state;
    prepare();
    empty_zero_page[17] = 1;
    expect_finding("the zero frame is not zero at byte 16");
    empty_zero_page[17] = 0;
    finish();
}

static void it_sees_a_cache_that_forgot_its_page(void **state)
{
    (void)state;
    prepare();
    struct page *page = pte_page(entry_at(mm, SHARED));
    struct address_space *object = page->mapping;

    assert_ptr_equal(page_tree_remove(&object->pages, 0), page);
    expect_finding("names a page cache that does not hold it");
    assert_int_equal(page_tree_insert(&object->pages, 0, page), 0);
    finish();
}

static void it_reports_at_most_twenty_findings_and_counts_all(void **state)
{
    (void)state;
    prepare();
    map_at(mm, AT + MIB, 40, RW);
    user_fill(mm, AT + MIB, 1, 40 * P);
    for (unsigned i = 0; i < 40; i++)
        pte_offset(mm->pgd, AT + MIB + i * P)->value |= PTE_CACHE_DISABLE;
    findings[0] = '\0';
    assert_int_equal(mm_audit(collect, NULL), 40);
    unsigned lines = 0;
    for (const char *c = findings; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 20);
    for (unsigned i = 0; i < 40; i++)
        pte_offset(mm->pgd, AT + MIB + i * P)->value &= ~PTE_CACHE_DISABLE;
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(it_sees_entries_that_their_vma_does_not_explain),
        mm_test(it_sees_wrong_counts),
        mm_test(it_sees_a_lost_frame_and_a_lost_table),
        mm_test(it_sees_a_broken_list_and_index),
        mm_test(it_sees_a_dirty_zero_frame),
        mm_test(it_sees_a_cache_that_forgot_its_page),
        mm_test(it_reports_at_most_twenty_findings_and_counts_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
