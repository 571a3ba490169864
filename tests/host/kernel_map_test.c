/* The kernel's half of the address space: who may do what where, and the kernel stacks in it. */
#include "kernel/lib/errno.h"
#include "mm/kstack.h"
#include "mm/memblock.h"
#include "tests/host/harness.h"

/* What the tables say about one address. */
struct rights {
    bool present, writable, executable, user;
    phys_addr_t physical;
    unsigned level;     /* of the leaf */
};

static struct rights rights_at(unsigned long address)
{
    struct rights rights = { .writable = true, .executable = true, .user = true };
    pte_t *table = kernel_pgd;

    for (rights.level = 4; rights.level >= 1; rights.level--) {
        pte_t entry = table[LEVEL_INDEX(address, rights.level)];
        unsigned long offset = address & (LEVEL_SIZE(rights.level) - 1);

        if (!pte_hw_present(entry))
            return (struct rights){ 0 };
        rights.writable &= pte_write(entry);
        rights.executable &= !(entry.value & PTE_NX);
        rights.user &= (entry.value & PTE_USER) != 0;
        if (rights.level == 1 || (entry.value & PTE_LARGE)) {
            rights.present = true;
            assert_int_equal(entry.value & PTE_FRAME_MASK & (LEVEL_SIZE(rights.level) - 1), 0);
            rights.physical = (entry.value & PTE_FRAME_MASK) + offset;
            return rights;
        }
        table = table_of(entry);
    }
    return rights;
}

/* RIGHTS is "rw", "r" or "rx". */
static void expect_rights(unsigned long address, phys_addr_t physical, const char *rights)
{
    struct rights found = rights_at(address);

    assert_true(found.present);
    assert_false(found.user);
    assert_int_equal(found.physical, physical);
    assert_int_equal(found.writable, strchr(rights, 'w') != NULL);
    assert_int_equal(found.executable, strchr(rights, 'x') != NULL);
}

static void the_image_has_the_rights_of_its_parts(void **state)
{
    (void)state;
    for (unsigned long at = (unsigned long)kernel_start; at < (unsigned long)kernel_end; at += PAGE_SIZE) {
        const char *rights = at < (unsigned long)text_end ? "rx" : at < (unsigned long)rodata_end ? "r" : "rw";
        expect_rights(at + 5, at + 5 - KERNEL_IMAGE_BASE, rights);
    }
    assert_false(rights_at((unsigned long)kernel_end).present);
    assert_false(rights_at((unsigned long)kernel_start - 1).present);
}

static void all_memory_is_in_the_direct_map_and_nothing_of_it_is_executable(void **state)
{
    (void)state;
    for (phys_addr_t at = 0; at < 64 * MIB; at += PAGE_SIZE) {
        bool constant = at >= image_to_phys(text_start) && at < image_to_phys(rodata_end);
        expect_rights(PAGE_OFFSET + at, at, constant ? "r" : "rw");
    }
    assert_false(rights_at(PAGE_OFFSET + 64 * MIB).present);
}

static void nothing_is_mapped_in_the_user_half_nor_open_to_the_user(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++)
        assert_true(pte_none(kernel_pgd[i]));
    for (unsigned i = 256; i < ENTRIES_PER_TABLE; i++)
        assert_int_equal(kernel_pgd[i].value & PTE_USER, 0);
}

static void large_pages_are_used_where_they_fit(void **state)
{
    (void)state;
    assert_int_equal(rights_at(PAGE_OFFSET + MIB).level, 1);       /* beside the image's read-only part */
    assert_int_equal(rights_at(PAGE_OFFSET + 4 * MIB).level, 2);
    memory_init(3 * GIB);
    assert_int_equal(rights_at(PAGE_OFFSET + 4 * MIB).level, 2);
    assert_int_equal(rights_at(PAGE_OFFSET + 2 * GIB).level, 3);
    memory_begin(3 * GIB);
    memblock_add(0, 3 * GIB);
    memblock_reserve(MIB, 2 * MIB, PAGE_KERNEL);
    kernel_map_init(false);
    assert_int_equal(rights_at(PAGE_OFFSET + 2 * GIB).level, 2);
    memory_init(64 * MIB);
}

static void holes_stay_unmapped_but_for_their_edges(void **state)
{
    (void)state;
    memory_begin(64 * MIB);
    memblock_add(0x1000, 0x9fc00);
    memblock_add(MIB, 10 * MIB + 0x5000);
    memblock_add(10 * MIB + 0x8000, 11 * MIB);
    memblock_add(32 * MIB, 64 * MIB);
    memory_finish();
    expect_rights(PAGE_OFFSET + 0xb8000, 0xb8000, "rw");
    expect_rights(PAGE_OFFSET + 10 * MIB + 0x6000, 10 * MIB + 0x6000, "rw");
    assert_false(rights_at(PAGE_OFFSET + 12 * MIB).present);
    assert_false(rights_at(PAGE_OFFSET + 32 * MIB - 1).present);
    expect_rights(PAGE_OFFSET + 64 * MIB - 1, 64 * MIB - 1, "rw");
    memory_init(64 * MIB);
}

static void a_device_is_mapped_uncached_beside_all_memory(void **state)
{
    phys_addr_t screen = 0xfd000000, odd = 0xb8000;
    u64 size = 1280 * 1024 * 4;

    (void)state;
    memory_begin(64 * MIB);
    memblock_add(0, 64 * MIB);
    memblock_reserve(MIB, 2 * MIB, PAGE_KERNEL);
    kernel_map_init(true);
    unsigned long at = (unsigned long)kernel_map_device(screen, size);
    assert_true(at >= DEVICE_AREA);
    expect_rights(at, screen, "rw");
    expect_rights(at + size - 1, screen + size - 1, "rw");
    assert_int_equal(rights_at(at + size + LEVEL_SIZE(2)).present, false);
    assert_int_equal(rights_at(at).level, 2);
    assert_true(kernel_pgd[LEVEL_INDEX(at, 4)].value != 0);

    kernel_map_init(true);
    at = (unsigned long)kernel_map_device(screen + MIB, size);     /* large pages fit in its middle */
    expect_rights(at, screen + MIB, "rw");
    assert_int_equal(rights_at(at + 2 * MIB).level, 2);

    kernel_map_init(true);
    at = (unsigned long)kernel_map_device(odd + 4, 4000);
    expect_rights(at, odd + 4, "rw");
    expect_rights(at + 3999, odd + 4003, "rw");
    memory_init(64 * MIB);
}

static void a_single_page_can_be_mapped_and_unmapped(void **state)
{
    (void)state;
    unsigned long tables = frame_counts[PAGE_TABLE];
    unsigned long at = KERNEL_STACK_AREA + 0x200000;

    assert_int_equal(kernel_map_page(at, 77), 0);
    assert_int_equal(kernel_map_page(at + PAGE_SIZE, 78), 0);
    assert_int_equal(frame_counts[PAGE_TABLE], tables + 1);
    expect_rights(at, 77 * PAGE_SIZE, "rw");
    expect_panic(kernel_map_page(at, 79));
    assert_int_equal(kernel_unmap_page(at), 77);
    assert_true(mmu_was_flushed(at));
    assert_int_equal(kernel_unmap_page(at), 0);
    assert_false(rights_at(at).present);
    expect_rights(at + PAGE_SIZE, 78 * PAGE_SIZE, "rw");
    assert_int_equal(frame_counts[PAGE_TABLE], tables + 1);
    assert_int_equal(kernel_unmap_page(at + PAGE_SIZE), 78);
    /* The page table went with its last entry. */
    assert_int_equal(frame_counts[PAGE_TABLE], tables);
    assert_int_equal(kernel_unmap_page(at), 0);
    fail_allocation_countdown = 1;
    assert_int_equal(kernel_map_page(at, 77), -ENOMEM);
}

/* ---- kernel stacks ---- */

static void check_stack(unsigned long top)
{
    assert_int_equal(top % 16, 0);
    for (unsigned long at = top - KSTACK_SIZE; at < top; at += PAGE_SIZE) {
        struct rights rights = rights_at(at);

        assert_true(rights.present && rights.writable && !rights.executable && !rights.user);
        assert_int_equal(pfn_to_page(rights.physical >> PAGE_SHIFT)->type, PAGE_KERNEL);
        assert_false(kstack_is_guard(at));
    }
    assert_false(rights_at(top - KSTACK_SIZE - 1).present);
    assert_true(kstack_is_guard(top - KSTACK_SIZE - 1));
    assert_true(kstack_is_guard(top - KSTACK_SIZE - PAGE_SIZE));
    assert_false(rights_at(top).present);
}

static void a_kernel_stack_is_mapped_above_an_unmapped_guard(void **state)
{
    (void)state;
    unsigned long first = kstack_alloc(), second = kstack_alloc();

    check_stack(first);
    check_stack(second);
    assert_int_not_equal(first, second);
    assert_false(kstack_is_guard(KERNEL_STACK_AREA - 1));
    assert_false(kstack_is_guard(PAGE_OFFSET));
    assert_false(kstack_is_guard(0x1000));
    kstack_free(first);
    kstack_free(second);
}

static void a_freed_stack_is_used_again_without_allocating(void **state)
{
    (void)state;
    unsigned long top = kstack_alloc();
    unsigned long free_before = frame_counts[PAGE_FREE];

    kstack_free(top);
    fail_allocation_countdown = 1;      /* would fail an allocation */
    assert_int_equal(kstack_alloc(), top);
    assert_int_equal(fail_allocation_countdown, 1);
    fail_allocation_countdown = 0;
    check_stack(top);
    assert_int_equal(frame_counts[PAGE_FREE], free_before);
    kstack_free(top);
    kstack_shrink();
    assert_false(rights_at(top - 1).present);
    assert_int_equal(frame_counts[PAGE_FREE], free_before + KSTACK_SIZE / PAGE_SIZE + 1);
}

static void there_are_stacks_for_thousands_of_tasks(void **state)
{
    enum { STACKS = 5000 };
    static unsigned long tops[STACKS];

    (void)state;
    for (unsigned i = 0; i < STACKS; i++) {
        tops[i] = kstack_alloc();
        assert_int_not_equal(tops[i], 0);
        assert_true(i == 0 || tops[i] > tops[i - 1]);
    }
    check_stack(tops[STACKS - 1]);
    for (unsigned i = 0; i < STACKS; i += 2)
        kstack_free(tops[i]);
    /* The lowest free slots are used again. */
    for (unsigned i = 0; i < STACKS; i += 2) {
        tops[i] = kstack_alloc();
        check_stack(tops[i]);
        assert_true(tops[i] <= tops[STACKS - 1]);
    }
    for (unsigned i = 0; i < STACKS; i++)
        for (unsigned j = i + 1; j < i + 20 && j < STACKS; j++)
            assert_int_not_equal(tops[i], tops[j]);
    for (unsigned i = 0; i < STACKS; i++)
        kstack_free(tops[i]);
}

static void without_memory_there_is_no_stack_and_nothing_is_lost(void **state)
{
    (void)state;
    unsigned long free_before = free_frames();

    for (unsigned long fail = 1; fail <= 3; fail++) {
        fail_allocation_countdown = fail;
        assert_int_equal(kstack_alloc(), 0);
        assert_int_equal(free_frames(), free_before);
    }
    unsigned long top = kstack_alloc();
    assert_int_equal(top, KERNEL_STACK_AREA + 2 * KSTACK_SIZE);     /* the first slot was given back each time */
    kstack_free(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(the_image_has_the_rights_of_its_parts),
        memory_test(all_memory_is_in_the_direct_map_and_nothing_of_it_is_executable),
        memory_test(nothing_is_mapped_in_the_user_half_nor_open_to_the_user),
        memory_test(large_pages_are_used_where_they_fit),
        memory_test(holes_stay_unmapped_but_for_their_edges),
        memory_test(a_device_is_mapped_uncached_beside_all_memory),
        memory_test(a_single_page_can_be_mapped_and_unmapped),
        memory_test(a_kernel_stack_is_mapped_above_an_unmapped_guard),
        memory_test(a_freed_stack_is_used_again_without_allocating),
        memory_test(there_are_stacks_for_thousands_of_tasks),
        memory_test(without_memory_there_is_no_stack_and_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
