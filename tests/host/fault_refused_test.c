/* The page faults that are refused, the stack that grows or does not, and what is said of it. */
#include "mm/fault.h"
#include "mm/filemap.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

/* ---- refusals ---- */

static void no_mapping_is_refused(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 1, RW);

    expect_refused(mm, at + PAGE_SIZE, MMU_READ, FAULT_NO_MAPPING);
    expect_refused(mm, at - 1, MMU_WRITE, FAULT_NO_MAPPING);
    expect_refused(mm, 0, MMU_READ, FAULT_NO_MAPPING);
    expect_refused(mm, TASK_SIZE - 1, MMU_READ, FAULT_NO_MAPPING);
    mmput(mm);
}

static void what_the_protection_forbids_is_refused(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long read_only = map_anonymous(mm, 1, PROT_READ), none = map_anonymous(mm, 1, PROT_NONE);
    unsigned long executable = map_anonymous(mm, 1, PROT_READ | PROT_EXEC);

    expect_refused(mm, read_only, MMU_WRITE, FAULT_NOT_WRITABLE);
    expect_read(mm, read_only, FAULT_ZERO_PAGE, 0);
    expect_refused(mm, read_only, MMU_WRITE, FAULT_NOT_WRITABLE);
    expect_refused(mm, none, MMU_READ, FAULT_NOT_READABLE);
    expect_refused(mm, none, MMU_WRITE, FAULT_NOT_WRITABLE);
    expect_refused(mm, none, MMU_EXECUTE, FAULT_NOT_EXECUTABLE);
    assert_true(touch_execute(mm, executable).done);
    mmput(mm);
}

static void kernel_addresses_are_refused(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    assert_int_equal(do_user_addr_fault(mm, TASK_SIZE, PF_USER, 0), FAULT_KERNEL_ADDRESS);
    assert_int_equal(do_user_addr_fault(mm, PAGE_OFFSET, PF_USER | PF_WRITE, 0),
                     FAULT_KERNEL_ADDRESS);
    mmput(mm);
}

/* ---- the stack ---- */

static unsigned long map_stack(struct mm_struct *mm, unsigned long top, unsigned long pages)
{
    unsigned long start = top - pages * PAGE_SIZE;
    assert_int_equal(vm_brk_flags(mm, start, pages * PAGE_SIZE, VM_READ | VM_WRITE | VM_GROWSDOWN), 0);
    return start;
}

static void the_stack_grows_to_its_limit_and_no_further(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long top = TASK_SIZE, start = map_stack(mm, top, 33);

    expect_write(mm, start - 1, FAULT_NEW_PAGE, 1);
    assert_int_equal(mm->mmap->vm_start, start - PAGE_SIZE);
    expect_write(mm, top - 8 * MIB, FAULT_NEW_PAGE, 1);
    assert_int_equal(mm->mmap->vm_start, top - 8 * MIB);
    expect_refused(mm, top - 8 * MIB - 1, MMU_WRITE, FAULT_BELOW_STACK);
    assert_int_equal(mm->map_count, 1);
    assert_int_equal(mm->stack_vm, 8 * MIB / PAGE_SIZE);
    mmput(mm);
}

static void the_refusal_names_the_stack_that_could_not_grow(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long start = map_stack(mm, TASK_SIZE, 33);

    assert_true(journal_start("fault", NULL));
    journal_count = 0;
    expect_refused(mm, TASK_SIZE - 8 * MIB - 1, MMU_WRITE, FAULT_BELOW_STACK);
    journal_mask = 0;
    assert_int_equal(journal_count, 1);
    assert_int_equal(journal_ring[0].args[3], start);
    assert_int_equal(journal_ring[0].args[4], TASK_SIZE);
    mmput(mm);
}

static void the_stack_keeps_a_gap_above_what_lies_below(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long start = map_stack(mm, TASK_SIZE, 33);
    unsigned long below = start - 300 * PAGE_SIZE;

    assert_int_equal(do_mmap(mm, NULL, below, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0),
                     below);
    unsigned long lowest = below + PAGE_SIZE + STACK_GUARD_GAP;
    expect_refused(mm, lowest - 1, MMU_WRITE, FAULT_BELOW_STACK);
    expect_write(mm, lowest, FAULT_NEW_PAGE, 1);
    expect_refused(mm, lowest - 1, MMU_WRITE, FAULT_BELOW_STACK);
    /* What can't be touched needs no gap. */
    assert_int_equal(do_mprotect(mm, below, PAGE_SIZE, PROT_NONE), 0);
    expect_write(mm, lowest - 1, FAULT_NEW_PAGE, 1);
    mmput(mm);
}

/* ---- failures ---- */

static void out_of_memory_changes_nothing(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 2, RW);

    for (unsigned long n = 1;; n++) {
        fail_allocation_countdown = n;
        struct touch touch = touch_write(mm, at, 1);
        bool failed = fail_allocation_countdown == 0;
        fail_allocation_countdown = 0;
        if (!failed) {
            /*
             * The first time at the PDPT, then at the PD, then (PD and PT made) at the frame:
             * tables stay.
             */
            assert_int_equal(n, 4);
            assert_true(touch.done);
            break;
        }
        assert_int_equal(touch.outcome, FAULT_OUT_OF_MEMORY);
        assert_false(touch.done);
        assert_int_equal(mm->rss[MM_ANONPAGES], 0);
    }
    mmput(mm);
}

static void a_refusal_is_explained_in_a_sentence(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    char text[160];

    fault_describe(mm, 0x10, PF_USER, FAULT_NO_MAPPING, text, sizeof(text));
    assert_string_equal(text, "no mapping at 0x10; there are no mappings at all");
    unsigned long at = 0x10000000;
    assert_int_equal(do_mmap(mm, NULL, at, 2 * PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0), at);
    fault_describe(mm, at + 3 * PAGE_SIZE, PF_USER, FAULT_NO_MAPPING, text, sizeof(text));
    assert_string_equal(text, "no mapping at 0x10003000, 4 KiB above 0x10000000-0x10002000 rw-p");
    fault_describe(mm, at - 1, PF_USER, FAULT_NO_MAPPING, text, sizeof(text));
    assert_string_equal(text, "no mapping at 0xfffffff, 1 byte below 0x10000000-0x10002000 rw-p");
    fault_describe(mm, at + 2 * PAGE_SIZE, PF_USER, FAULT_NO_MAPPING, text, sizeof(text));
    assert_string_equal(text, "no mapping at 0x10002000, right above 0x10000000-0x10002000 rw-p");
    fault_describe(mm, at, PF_USER | PF_WRITE, FAULT_NOT_WRITABLE, text, sizeof(text));
    assert_string_equal(text, "0x10000000 is not writable: 0x10000000-0x10002000 rw-p");
    /* With all addresses of twelve digits the sentence still fits into a line of a terminal. */
    unsigned long high = 0x7fff00000000ul;
    do_mmap(mm, NULL, high, 2 * PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
    for (enum fault_outcome outcome = 0; outcome < FAULT_OUTCOMES; outcome++) {
        fault_describe(mm, high + 5 * PAGE_SIZE, PF_USER, outcome, text, sizeof(text));
        assert_true(strlen(text) < 80);
        fault_describe(mm, high, PF_USER, outcome, text, sizeof(text));
        assert_true(strlen(text) < 80);
    }
    mmput(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(no_mapping_is_refused),
        mm_test(what_the_protection_forbids_is_refused),
        mm_test(kernel_addresses_are_refused),
        mm_test(the_stack_grows_to_its_limit_and_no_further),
        mm_test(the_refusal_names_the_stack_that_could_not_grow),
        mm_test(the_stack_keeps_a_gap_above_what_lies_below),
        mm_test(out_of_memory_changes_nothing),
        mm_test(a_refusal_is_explained_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
