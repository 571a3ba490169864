/* The page fault: every outcome of the enum, once each and by itself, and what it must not do. */
#include "mm/fault.h"
#include "mm/filemap.h"
#include "mm/slab.h"
#include "tests/host/file_host.h"
#include "tests/host/harness.h"

#define RW (PROT_READ | PROT_WRITE)

static pte_t entry_at(struct mm_struct *mm, unsigned long address)
{
    pte_t *ptep = pte_offset(mm->pgd, address);
    return ptep ? *ptep : (pte_t){ 0 };
}

/* ---- anonymous memory ---- */

static void reading_untouched_memory_maps_the_zero_frame_read_only(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 4, RW);
    unsigned long frames = frame_counts[PAGE_ANON];

    expect_read(mm, at + 123, FAULT_ZERO_PAGE, 0);
    expect_read(mm, at + PAGE_SIZE, FAULT_ZERO_PAGE, 0);
    assert_int_equal(pte_pfn(entry_at(mm, at)), zero_pfn);
    assert_int_equal(pte_pfn(entry_at(mm, at + PAGE_SIZE)), zero_pfn);
    assert_false(pte_write(entry_at(mm, at)));
    assert_true(pte_none(entry_at(mm, at + 2 * PAGE_SIZE)));
    assert_int_equal(frame_counts[PAGE_ANON], frames);
    assert_int_equal(mm->rss[MM_ANONPAGES], 0);
    expect_read(mm, at + 124, NO_FAULT, 0);
    mmput(mm);
}

static void writing_untouched_memory_gives_a_zeroed_frame_of_ones_own(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 2, RW);

    /* Frames that come back dirty must not show. */
    struct page *dirty = alloc_page(PAGE_ANON);
    memset(page_address(dirty), 0xaa, PAGE_SIZE);
    put_page(dirty);

    expect_write(mm, at + 5, FAULT_NEW_PAGE, 42);
    expect_read(mm, at + 5, NO_FAULT, 42);
    expect_read(mm, at + 4, NO_FAULT, 0);
    expect_read(mm, at + PAGE_SIZE - 1, NO_FAULT, 0);
    assert_int_not_equal(pte_pfn(entry_at(mm, at)), zero_pfn);
    assert_true(pte_write(entry_at(mm, at)));
    assert_true(pte_dirty(entry_at(mm, at)));
    assert_int_equal(page_count(pte_page(entry_at(mm, at))), 1);
    assert_int_equal(mm->rss[MM_ANONPAGES], 1);
    mmput(mm);
}

static void writing_over_the_zero_frame_replaces_it(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 2, RW);

    expect_read(mm, at, FAULT_ZERO_PAGE, 0);
    expect_write(mm, at + 1, FAULT_ZERO_REPLACED, 7);
    expect_read(mm, at, NO_FAULT, 0);
    expect_read(mm, at + 1, NO_FAULT, 7);
    assert_int_equal(mm->rss[MM_ANONPAGES], 1);
    assert_int_equal(empty_zero_page[1], 0);
    mmput(mm);
}

static void write_only_and_execute_only_memory_can_be_read(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    expect_read(mm, map_anonymous(mm, 1, PROT_WRITE), FAULT_ZERO_PAGE, 0);
    expect_read(mm, map_anonymous(mm, 1, PROT_EXEC), FAULT_ZERO_PAGE, 0);
    mmput(mm);
}

static void executing_untouched_memory_maps_it_and_then_refuses(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 1, RW);

    struct touch touch = touch_execute(mm, at);
    assert_int_equal(touch.faults, 2);
    assert_int_equal(touch.outcome, FAULT_NOT_EXECUTABLE);
    assert_int_equal(touch.error, PF_PRESENT | PF_USER | PF_INSTRUCTION);
    assert_int_equal(pte_pfn(entry_at(mm, at)), zero_pfn);
    mmput(mm);
}

/* ---- copy on write ---- */

/* A copy of MM as fork makes it; the parent stays loaded. */
static struct mm_struct *fork_of(struct mm_struct *mm)
{
    struct mm_struct *child = mm_alloc(&mm->limits);
    assert_non_null(child);
    mmu_load(mm);
    assert_int_equal(dup_mmap(child, mm), 0);
    return child;
}

static void writing_a_shared_frame_copies_it(void **state)
{
    (void)state;
    struct mm_struct *parent = test_mm();
    unsigned long at = map_anonymous(parent, 1, RW);
    expect_write(parent, at, FAULT_NEW_PAGE, 1);

    struct mm_struct *child = fork_of(parent);
    assert_int_equal(page_count(pte_page(entry_at(parent, at))), 2);
    expect_read(child, at, NO_FAULT, 1);
    expect_write(child, at, FAULT_COW_COPIED, 2);
    expect_read(parent, at, NO_FAULT, 1);
    expect_read(child, at, NO_FAULT, 2);
    assert_int_equal(page_count(pte_page(entry_at(parent, at))), 1);
    mmput(parent);
    mmput(child);
}

static void the_last_user_takes_the_frame_over(void **state)
{
    (void)state;
    struct mm_struct *parent = test_mm();
    unsigned long at = map_anonymous(parent, 1, RW);
    expect_write(parent, at, FAULT_NEW_PAGE, 1);
    pfn_t frame = pte_pfn(entry_at(parent, at));

    struct mm_struct *child = fork_of(parent);
    mmput(child);
    expect_write(parent, at, FAULT_COW_REUSED, 3);
    assert_int_equal(pte_pfn(entry_at(parent, at)), frame);
    expect_write(parent, at, NO_FAULT, 4);
    mmput(parent);
}

/* ---- files and shared memory ---- */

static void reading_a_file_mapping_maps_the_cached_page(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(3 * PAGE_SIZE);
    unsigned long at = map_file(mm, file, 3, RW, MAP_PRIVATE);

    expect_read(mm, at + 2, FAULT_FILE_MAPPED, test_file_byte(2));
    assert_false(pte_write(entry_at(mm, at)));
    assert_int_equal(pte_page(entry_at(mm, at))->mapping == file, 1);
    /* Linux maps what is in the cache around it as well. */
    expect_read(mm, at + 2 * PAGE_SIZE, NO_FAULT, test_file_byte(2 * PAGE_SIZE));
    assert_int_equal(mm->rss[MM_FILEPAGES], 3);
    mmput(mm);
    mapping_put(file);
}

static void writing_a_private_file_mapping_copies(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(2 * PAGE_SIZE);
    unsigned long at = map_file(mm, file, 2, RW, MAP_PRIVATE);

    expect_write(mm, at, FAULT_FILE_COPIED, 99);
    expect_read(mm, at + 1, NO_FAULT, test_file_byte(1));
    assert_int_equal(mm->rss[MM_ANONPAGES], 1);
    assert_int_equal(mm->rss[MM_FILEPAGES], 0);
    /* And the same after a read. */
    expect_read(mm, at + PAGE_SIZE, FAULT_FILE_MAPPED, test_file_byte(PAGE_SIZE));
    expect_write(mm, at + PAGE_SIZE, FAULT_FILE_COPIED, 98);
    assert_int_equal(mm->rss[MM_FILEPAGES], 0);

    unsigned long again = map_file(mm, file, 2, PROT_READ, MAP_PRIVATE);
    expect_read(mm, again, FAULT_FILE_MAPPED, test_file_byte(0));
    mmput(mm);
    mapping_put(file);
}

static void touching_past_the_end_of_a_file_is_a_bus_error(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(PAGE_SIZE + 10);
    unsigned long at = map_file(mm, file, 3, RW, MAP_PRIVATE);

    expect_read(mm, at + PAGE_SIZE + 9, FAULT_FILE_MAPPED, test_file_byte(PAGE_SIZE + 9));
    expect_read(mm, at + PAGE_SIZE + 10, NO_FAULT, 0);
    expect_refused(mm, at + 2 * PAGE_SIZE, MMU_READ, FAULT_BEYOND_FILE);
    expect_refused(mm, at + 2 * PAGE_SIZE, MMU_WRITE, FAULT_BEYOND_FILE);
    mmput(mm);
    mapping_put(file);
}

static void shared_memory_is_one_page_for_all(void **state)
{
    (void)state;
    struct mm_struct *parent = test_mm();
    unsigned long at = do_mmap(parent, NULL, 0, 4 * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, 0);

    expect_write(parent, at, FAULT_SHARED_MAPPED, 5);
    struct mm_struct *child = fork_of(parent);
    assert_true(pte_none(entry_at(child, at)));
    expect_read(child, at, FAULT_SHARED_MAPPED, 5);
    /*
     * A page that was only read is writable at once: shared memory needs no notice of a first
     * write.
     */
    expect_write(child, at, NO_FAULT, 6);
    expect_read(parent, at, NO_FAULT, 6);
    assert_int_equal(child->rss[MM_SHMEMPAGES], 1);
    mmput(parent);
    expect_read(child, at, NO_FAULT, 6);
    mmput(child);
}

static void a_read_of_shared_memory_maps_what_is_ready_around_it(void **state)
{
    (void)state;
    struct mm_struct *parent = test_mm();
    unsigned long at = do_mmap(parent, NULL, 0, 64 * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, 0);
    for (unsigned i = 0; i < 64; i++)
        if (i % 2 == 0)
            expect_write(parent, at + i * PAGE_SIZE, FAULT_SHARED_MAPPED, (u8)i);

    struct mm_struct *child = fork_of(parent);
    unsigned long window = ALIGN_UP(at, 65536ul);
    unsigned first = (unsigned)((window - at) / PAGE_SIZE), even = first + first % 2;
    expect_read(child, at + (even + 4) * PAGE_SIZE, FAULT_SHARED_MAPPED, (u8)(even + 4));
    assert_int_equal(child->rss[MM_SHMEMPAGES], 8);
    for (unsigned i = first; i < first + 16; i++)
        assert_int_equal(pte_none(entry_at(child, at + i * PAGE_SIZE)), i % 2);
    assert_true(pte_none(entry_at(child, at + (even + 16) * PAGE_SIZE)));
    mmput(parent);
    mmput(child);
}

static void touching_past_the_end_of_shared_memory_is_a_bus_error(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *object = shmem_create(PAGE_SIZE);
    const struct mmap_source source = { .mapping = object, .ops = &shmem_vm_ops, .readable = true,
                                        .writable = true };
    unsigned long at = do_mmap(mm, &source, 0, 2 * PAGE_SIZE, RW, MAP_SHARED, 0);

    mapping_put(object);
    expect_write(mm, at, FAULT_SHARED_MAPPED, 1);
    expect_refused(mm, at + PAGE_SIZE, MMU_WRITE, FAULT_BEYOND_FILE);
    expect_refused(mm, at + PAGE_SIZE, MMU_READ, FAULT_BEYOND_FILE);
    mmput(mm);
}

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

static void a_stale_translation_is_flushed_and_not_counted_as_more(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 1, RW);

    expect_write(mm, at, FAULT_NEW_PAGE, 1);
    assert_int_equal(do_user_addr_fault(mm, at, PF_USER | PF_WRITE | PF_PRESENT, 0), FAULT_SPURIOUS);
    assert_true(mmu_was_flushed(at));
    mmput(mm);
}

static void served_faults_are_counted_and_refused_ones_not(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 8, RW);
    unsigned long counted = 0, *before = mm_fault_counter;

    mm_fault_counter = &counted;
    for (unsigned i = 0; i < 8; i++)
        touch_read(mm, at + i * PAGE_SIZE);
    for (unsigned i = 0; i < 8; i++)
        touch_write(mm, at + i * PAGE_SIZE, 1);
    touch_read(mm, at - 1);
    struct address_space *file = test_file(PAGE_SIZE);
    touch_read(mm, map_file(mm, file, 2, PROT_READ, MAP_PRIVATE) + PAGE_SIZE);
    mapping_put(file);
    mm_fault_counter = before;
    assert_int_equal(counted, 16);
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
        mm_test(reading_untouched_memory_maps_the_zero_frame_read_only),
        mm_test(writing_untouched_memory_gives_a_zeroed_frame_of_ones_own),
        mm_test(writing_over_the_zero_frame_replaces_it),
        mm_test(write_only_and_execute_only_memory_can_be_read),
        mm_test(executing_untouched_memory_maps_it_and_then_refuses),
        mm_test(writing_a_shared_frame_copies_it),
        mm_test(the_last_user_takes_the_frame_over),
        mm_test(reading_a_file_mapping_maps_the_cached_page),
        mm_test(writing_a_private_file_mapping_copies),
        mm_test(touching_past_the_end_of_a_file_is_a_bus_error),
        mm_test(shared_memory_is_one_page_for_all),
        mm_test(a_read_of_shared_memory_maps_what_is_ready_around_it),
        mm_test(touching_past_the_end_of_shared_memory_is_a_bus_error),
        mm_test(no_mapping_is_refused),
        mm_test(what_the_protection_forbids_is_refused),
        mm_test(kernel_addresses_are_refused),
        mm_test(the_stack_grows_to_its_limit_and_no_further),
        mm_test(the_stack_keeps_a_gap_above_what_lies_below),
        mm_test(out_of_memory_changes_nothing),
        mm_test(a_stale_translation_is_flushed_and_not_counted_as_more),
        mm_test(served_faults_are_counted_and_refused_ones_not),
        mm_test(a_refusal_is_explained_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
