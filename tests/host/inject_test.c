/*
 * Every memory call and every kind of fault with its Nth allocation failing, for every N: it says
 * that there is no memory, nothing has changed, nothing is lost. The states before and after are
 * compared page by page.
 */
#include "kernel/lib/printf.h"
#include "mm/audit.h"
#include "mm/filemap.h"
#include "mm/limits.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"
#include "tests/host/inject.h"

/*
 * Everything about MM that a program can see and that LEAVES does not allow to change, as a text. What
 * a failed call may leave in any case: tables, and pages of a cache.
 */
static void describe(struct mm_struct *mm, enum leavings leaves, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "brk %lx; vm %lu data %lu stack %lu committed %lu of %lu;", mm->brk,
                                mm->total_vm, mm->data_vm, mm->stack_vm, mm->committed, vm_committed);
    struct pte_iter it = pte_iter_over(mm->pgd, 0, TASK_SIZE);

    if (leaves == LEAVES_LOCKS)
        return;
    n += (size_t)snprintf(text + n, size - n, " %s; locked %lu;", maps_of(mm), mm->locked_vm);
    if (leaves == LEAVES_PAGES)
        return;
    n += (size_t)snprintf(text + n, size - n, " rss %ld %ld;", mm->rss[MM_ANONPAGES], mm->rss[MM_SHMEMPAGES]);
    while (pte_iter_next(&it)) {
        const struct page *page = pte_page(*it.ptep);
        if (page->type == PAGE_FILE)
            continue;
        n += (size_t)snprintf(text + n, size - n, " %lx:%lx:%u", it.address, pte_pfn(*it.ptep),
                              page->type == PAGE_ANON ? *(u8 *)page_address(page) : 0);
    }
}

static void print_finding(const char *finding, void *context)
{
    print_error("%s: audit: %s\n", (const char *)context, finding);
}

/* One run of SCENARIO with its Nth allocation failing. True when there was one. */
static bool run_with_failure(const struct scenario *scenario, unsigned long n)
{
    static char before[8192], after[8192];

    staged_file = test_file(2 * P);
    struct mm_struct *mm = stage();
    if (scenario->prepare)
        scenario->prepare(mm);
    describe(mm, scenario->leaves, before, sizeof(before));
    fail_allocation_countdown = n;
    long result = scenario->run(mm);
    bool failed = fail_allocation_countdown == 0;
    fail_allocation_countdown = 0;
    describe(mm, scenario->leaves, after, sizeof(after));

    if (mm_audit(print_finding, (void *)scenario->name))
        fail_msg("%s: the audit found something after allocation %lu failed", scenario->name, n);
    if (result && !(failed && result == -ENOMEM))
        fail_msg("%s failed with %ld, allocation %lu %s", scenario->name, result, n, failed ? "having failed" : "not");
    if (failed && !result && !scenario->may_succeed)
        fail_msg("%s says nothing of it that allocation %lu failed", scenario->name, n);
    if (result && strcmp(before, after))
        fail_msg("%s changed something though allocation %lu failed:\n%s\n%s", scenario->name, n, before, after);
    mmput(mm);
    mapping_put(staged_file);
    return failed;
}

static void every_failing_allocation_changes_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < scenario_count; i++) {
        unsigned long n = 1;
        while (run_with_failure(&scenarios[i], n))
            n++;
        if (n - 1 < scenarios[i].allocations_at_least)
            fail_msg("%s allocated only %lu times", scenarios[i].name, n - 1);
    }
}

/* As above, but from the Nth allocation on nothing succeeds any more: memory is really full. */
static void nothing_is_lost_when_memory_stays_full(void **state)
{
    (void)state;
    for (unsigned i = 0; i < scenario_count; i++) {
        bool failed = true;
        for (unsigned long n = 1; failed; n++) {
            staged_file = test_file(2 * P);
            struct mm_struct *mm = stage();
            if (scenarios[i].prepare)
                scenarios[i].prepare(mm);
            fail_allocations_forever = true;
            fail_allocation_countdown = n;
            (void)scenarios[i].run(mm);
            failed = fail_allocation_countdown == 1;    /* where it stays, from the first failure on */
            fail_allocation_countdown = 0;
            fail_allocations_forever = false;
            assert_int_equal(mm_audit(print_finding, (void *)scenarios[i].name), 0);
            mmput(mm);
            mapping_put(staged_file);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(every_failing_allocation_changes_nothing),
        mm_test(nothing_is_lost_when_memory_stays_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
