/* Rarely walked ways through mm/: refusals late in a call, bounds, and what ends in a panic. */
#include "mm/fault.h"
#include "mm/filemap.h"
#include "mm/kstack.h"
#include "mm/limits.h"
#include "mm/memblock.h"
#include "mm/slab.h"
#include "mm/unmapped_area.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

#define AT                0x10000000ul
#define HUGE              0x200000ul
#define SYNC_WITHOUT_FILE (MAP_SHARED_VALIDATE | MAP_SYNC)

static void huge_pages_are_refused_in_linux_order(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    assert_error(anon(mm, AT + P, P, RW, MAP_PRIVATE | MAP_HUGETLB), ENOMEM);
    assert_error(anon(mm, AT, P, RW, MAP_PRIVATE | MAP_HUGETLB), ENOMEM);
    assert_error(anon(mm, 4 * HUGE, P, RW, MAP_PRIVATE | MAP_HUGETLB), ENOMEM);
    assert_error(anon(mm, 0, P, RW, SYNC_WITHOUT_FILE | MAP_HUGETLB), EOPNOTSUPP);
    assert_error(anon(mm, 0, P, RW, MAP_HUGETLB), EINVAL);
    assert_error(anon(mm, 0, P, RW, MAP_PRIVATE | MAP_GROWSDOWN | MAP_HUGETLB), EINVAL);
    expect_maps(mm, "10000000-10001000 rw-p");
    assert_error(anon(mm, AT, P, RW, MAP_PRIVATE | MAP_FIXED | MAP_HUGETLB), ENOMEM);
    expect_maps(mm, "");
    mmput(mm);
}

static void a_file_that_has_nothing_to_map_is_enodev(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(P);
    struct mmap_source source = {.mapping = file, .ops = &generic_file_vm_ops, .readable = true, .unmappable = true};

    assert_error(do_mmap(mm, &source, 0, P, PROT_READ, MAP_PRIVATE, 0), ENODEV);
    source.unmappable = false;
    assert_error(do_mmap(mm, &source, 0, 2 * P, PROT_READ, MAP_PRIVATE, ~0ul << 12), EOVERFLOW);
    unsigned long at = map_file(mm, file, 1, PROT_READ, MAP_SHARED);
    assert_error(do_madvise(mm, at, P, MADV_REMOVE), EOPNOTSUPP);
    touch_read(mm, at);
    mapping_unmap(file, 0);
    assert_true(pte_none(entry_at(mm, at)));
    file->keeps_pages = true;
    assert_int_equal(mapping_reclaim(file), 0);
    mmput(mm);
    mapping_put(file);
}

static void the_overcommit_rule_refuses_late_and_takes_nothing(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    anon(mm, AT + 2 * MIB, P, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN);
    unsigned long committed = vm_committed;
    sysctl_overcommit_memory = OVERCOMMIT_NEVER;
    sysctl_overcommit_ratio = 0;
    assert_error(anon(mm, AT, P, RW, MAP_PRIVATE | MAP_FIXED), ENOMEM);
    expect_maps(mm, "10001000-10004000 rw-p, 10200000-10201000 rw-p");
    assert_error(do_mremap(mm, AT + P, P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, AT + GIB), ENOMEM);
    expect_refused(mm, AT + 2 * MIB - P, MMU_WRITE, FAULT_BELOW_STACK);
    sysctl_overcommit_memory = OVERCOMMIT_GUESS;
    sysctl_overcommit_ratio = 50;
    assert_int_equal(vm_committed, committed - 1);
    mmput(mm);
}

static void at_the_limit_of_mappings_nothing_stays_charged(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, PROT_READ);
    map_at(mm, AT + MIB, 4, PROT_READ);
    unsigned long committed = vm_committed;
    sysctl_max_map_count = mm->map_count;
    assert_error(do_mprotect(mm, AT + P, P, RW), ENOMEM);
    assert_int_equal(vm_committed, committed);
    assert_error(do_mremap(mm, AT, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, AT + GIB), ENOMEM);
    sysctl_max_map_count = SYSCTL_MAX_MAP_COUNT_DEFAULT;
    mmput(mm);
}

static void a_copy_left_behind_counts_against_the_address_space(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    mm->limits.as = 6 * P;
    assert_error(do_mremap(mm, AT, 4 * P, 4 * P, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), ENOMEM);
    mmput(mm);
}

static unsigned long locked_pages(struct mm_struct *mm)
{
    unsigned long pages = 0;

    for (const struct vm_area_struct *vma = mm->mmap; vma; vma = vma->vm_next)
        pages += vma->vm_flags & VM_LOCKED ? vma_pages(vma) : 0;
    return pages;
}

static void a_locked_part_that_cannot_move_is_counted_as_before_or_after(void **state)
{
    (void)state;
    bool failed = true;

    for (unsigned long n = 1; failed; n++) {
        struct mm_struct *mm = test_mm();
        map_at(mm, AT, 4, RW);
        assert_int_equal(do_mlock(mm, AT, 4 * P, false), 0);
        fail_allocation_countdown = n;
        unsigned long result = do_mremap(mm, AT + P, P, P, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
        failed = fail_allocation_countdown == 0;
        fail_allocation_countdown = 0;
        assert_int_equal(mm->locked_vm, locked_pages(mm));
        if (IS_ERR_VALUE(result))
            expect_maps(mm, "10000000-10004000 rw-pl");
        mmput(mm);
    }
}

static void without_memory_for_a_vma_nothing_is_mapped_or_replaced(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    const unsigned long prots[] = {RW, PROT_READ, PROT_EXEC, PROT_READ, RW};

    map_at(mm, AT, 1, RW);
    map_at(mm, AT + GIB, 3, RW);
    fail_allocation_countdown = 1;
    assert_error(do_mremap(mm, AT, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, AT + GIB + P), ENOMEM);
    expect_maps(mm, "10000000-10001000 rw-p, 50000000-50003000 rw-p");
    for (unsigned i = 0; i < ARRAY_SIZE(prots); i++) {
        map_anonymous(mm, 1, prots[i]);
        unsigned long last = map_anonymous(mm, 1, PROT_NONE);
        int count = mm->map_count;
        fail_allocation_countdown = 1;
        assert_error(anon(mm, 0, P, PROT_EXEC | PROT_READ, MAP_PRIVATE), ENOMEM);
        assert_int_equal(mm->map_count, count);
        assert_int_equal(vm_unmapped_area_topdown(mm, P, P, mm->mmap_base), last - P);
    }
    mmput(mm);

    /* What was mapped last, above all else, is where the search from above begins, though the index has not seen it
     * yet. */
    mm = test_mm();
    unsigned long at = map_anonymous(mm, 1, RW);
    assert_int_equal(vm_unmapped_area_topdown(mm, P, P, TASK_SIZE), TASK_SIZE - P);
    assert_int_equal(vm_unmapped_area_topdown(mm, 4 * P, P, mm->mmap_base), at - 4 * P);
    mmput(mm);
}

static void stacks_keep_away_from_the_lowest_addresses(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    anon(mm, mmap_min_addr, P, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN);
    expect_refused(mm, mmap_min_addr - P, MMU_WRITE, FAULT_BELOW_STACK);
    anon(mm, AT + GIB, P, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN | MAP_LOCKED);
    expect_write(mm, AT + GIB - 2 * P, FAULT_NEW_PAGE, 1);
    assert_int_equal(mm->locked_vm, 3);
    /* Moved up with a page of its own it keeps its offset, and can't grow by more than that. */
    touch_write(mm, mmap_min_addr, 1);
    assert_int_equal(do_mremap(mm, mmap_min_addr, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, AT), AT);
    expect_refused(mm, AT - 17 * P, MMU_WRITE, FAULT_BELOW_STACK);
    mmput(mm);
}

static void the_heap_grows_where_it_was_last_found(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    mm->start_brk = mm->brk = AT;
    map_at(mm, AT + GIB, 1, RW);
    assert_int_equal(do_brk(mm, AT + P), AT + P);
    for (unsigned i = 2; i < 6; i++) {
        touch_write(mm, AT, 1);
        assert_int_equal(do_brk(mm, AT + i * P), AT + i * P);
    }
    expect_maps(mm, "10000000-10005000 rw-p, 50000000-50001000 rw-p");
    mm->limits.as = 6 * P;
    touch_write(mm, AT, 1);
    assert_int_equal(do_brk(mm, AT + 6 * P), AT + 5 * P);
    mmput(mm);
}

static void mmap_base_follows_the_stack_limit_within_bounds(void **state)
{
    (void)state;
    const unsigned long limits[] = {0, 8 * MIB, 1ul << 40, ~0ul};
    unsigned long last = TASK_SIZE;

    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        const struct mm_limits given = {.stack = limits[i]};
        struct mm_struct *mm = mm_alloc(&given);
        assert_true(mm->mmap_base <= last && mm->mmap_base >= TASK_SIZE / 6);
        last = mm->mmap_base;
        mmput(mm);
    }
}

static void a_full_address_space_has_no_room(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    assert_false(IS_ERR_VALUE(anon(mm, mmap_min_addr, TASK_SIZE - mmap_min_addr, PROT_NONE, MAP_PRIVATE | MAP_FIXED)));
    assert_error(anon(mm, 0, MIB, RW, MAP_PRIVATE), ENOMEM);
    mmput(mm);
}

static void each_end_of_a_fault_is_described(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    char text[200];

    for (unsigned outcome = 0; outcome <= FAULT_OUTCOMES; outcome++)
        for (unsigned write = 0; write <= PF_WRITE; write += PF_WRITE) {
            fault_describe(mm, AT, write, outcome, text, sizeof(text));
            assert_true(strlen(text) > 10);
        }
    mmput(mm);
}

static unsigned long reclaim_by_asking_for_more(void)
{
    assert_null(alloc_page(PAGE_ANON));
    return 0;
}

static unsigned long reclaim_nothing_1(void)
{
    return 0;
}
static unsigned long reclaim_nothing_2(void)
{
    return 0;
}
static unsigned long reclaim_nothing_3(void)
{
    return 0;
}
static unsigned long reclaim_nothing_4(void)
{
    return 0;
}

/* Last of all: reclaimers stay. */
static void a_reclaimer_cannot_reclaim_and_there_are_at_most_four(void **state)
{
    (void)state;
    static struct page *all[64 * MIB / PAGE_SIZE];
    unsigned long count = 0;

    page_alloc_add_reclaimer(reclaim_by_asking_for_more);
    while ((all[count] = alloc_page(PAGE_ANON)) != NULL)
        count++;
    while (count)
        free_pages(all[--count], 0);
    expect_panic((page_alloc_add_reclaimer(reclaim_nothing_1), page_alloc_add_reclaimer(reclaim_nothing_2),
                  page_alloc_add_reclaimer(reclaim_nothing_3), page_alloc_add_reclaimer(reclaim_nothing_4)));
}

static void objects_of_an_awkward_size_take_the_slab_that_wastes_least(void **state)
{
    (void)state;
    static DEFINE_SLAB_CACHE(awkward, "awkward", 4688, 8);
    void *object = slab_alloc(&awkward);

    assert_int_equal(awkward.order, 2);
    slab_free(&awkward, object);
}

static unsigned caches_seen;

static void see_cache(const struct slab_cache *cache, void *context)
{
    assert_null(context);
    caches_seen += cache->object_size != 0;
}

static void every_cache_is_shown(void **state)
{
    (void)state;
    kfree(kmalloc(32));
    slab_for_each(see_cache, NULL);
    assert_true(caches_seen > 0);
}

static void there_are_so_many_kernel_stacks_and_no_more(void **state)
{
    (void)state;
    static unsigned long tops[10000];
    unsigned count = 0;

    while ((tops[count] = kstack_alloc()) != 0)
        count++;
    assert_true(count < ARRAY_SIZE(tops));
    while (count)
        kstack_free(tops[--count]);
}

/* ---- too little memory to start ---- */

static int forget_memory(void **state)
{
    (void)state;
    host_memory_destroy();
    return 0;
}

static void a_machine_without_memory_for_tables_says_so(void **state)
{
    (void)state;
    memory_begin(4 * MIB);
    memblock_add(0, P);
    expect_panic(memory_finish());
}

static void a_machine_whose_memory_map_does_not_fit_says_so(void **state)
{
    (void)state;
    memory_begin(4 * MIB);
    memblock_add(0, 4 * MIB);
    /* Ten frames stay: enough for the kernel's tables, but not for eight in one piece besides. */
    memblock_reserve(10 * P, MIB, PAGE_KERNEL);
    memblock_reserve(image_to_phys(kernel_end), 4 * MIB, PAGE_KERNEL);
    expect_panic(memory_finish());
}

static void a_kernel_outside_of_memory_says_so(void **state)
{
    (void)state;
    memory_begin(4 * MIB);
    memblock_add(0, MIB);
    expect_panic(memory_finish());
}

#define boot_test(function) cmocka_unit_test_setup_teardown(function, NULL, forget_memory)

static int big_setup(void **state)
{
    (void)state;
    memory_init(256 * MIB);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(huge_pages_are_refused_in_linux_order),
        mm_test(a_file_that_has_nothing_to_map_is_enodev),
        mm_test(the_overcommit_rule_refuses_late_and_takes_nothing),
        mm_test(at_the_limit_of_mappings_nothing_stays_charged),
        mm_test(a_copy_left_behind_counts_against_the_address_space),
        mm_test(a_locked_part_that_cannot_move_is_counted_as_before_or_after),
        mm_test(without_memory_for_a_vma_nothing_is_mapped_or_replaced),
        mm_test(stacks_keep_away_from_the_lowest_addresses),
        mm_test(the_heap_grows_where_it_was_last_found),
        mm_test(mmap_base_follows_the_stack_limit_within_bounds),
        mm_test(a_full_address_space_has_no_room),
        mm_test(each_end_of_a_fault_is_described),
        memory_test(objects_of_an_awkward_size_take_the_slab_that_wastes_least),
        memory_test(every_cache_is_shown),
        cmocka_unit_test_setup_teardown(there_are_so_many_kernel_stacks_and_no_more, big_setup, memory_teardown),
        memory_test(a_reclaimer_cannot_reclaim_and_there_are_at_most_four),
        boot_test(a_machine_without_memory_for_tables_says_so),
        boot_test(a_machine_whose_memory_map_does_not_fit_says_so),
        boot_test(a_kernel_outside_of_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
