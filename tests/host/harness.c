/* Fresh memory for every host test, and the check that nothing of it is lost. */
#include "tests/host/harness.h"
#include "mm/kstack.h"
#include "mm/memblock.h"
#include "mm/slab.h"

#define TEST_MEMORY (64 * MIB)

static unsigned long free_at_start;

static void panic_fails_the_test(const char *message)
{
    mock_assert(0, message, "panic", 0);
}

void memory_begin(u64 size)
{
    host_panic_handler = panic_fails_the_test;
    host_memory_create(size);
    mmu_reset();
    slab_forget_all();
    kstack_forget_all();
    fail_allocation_countdown = 0;
    fail_allocations_forever = false;
    memblock_memory_count = memblock_reserved_count = 0;
}

void memory_finish(void)
{
    memblock_reserve(image_to_phys(kernel_start), image_to_phys(kernel_end), PAGE_KERNEL);
    kernel_map_init(true);
    page_alloc_init();
    free_at_start = free_frames();
}

void memory_init(u64 size)
{
    memory_begin(size);
    memblock_add(0, size);
    memory_finish();
}

unsigned long free_frames(void)
{
    kstack_shrink();
    slab_shrink_all();
    return frame_counts[PAGE_FREE];
}

static void assert_no_finding(const char *finding)
{
    if (finding)
        fail_msg("%s", finding);
}

void assert_memory_is_sound(void)
{
    assert_no_finding(slab_audit());
    assert_no_finding(page_alloc_audit());
}

int memory_setup(void **state)
{
    (void)state;
    memory_init(TEST_MEMORY);
    return 0;
}

int memory_teardown(void **state)
{
    (void)state;
    fail_allocation_countdown = 0;
    assert_memory_is_sound();
    unsigned long left = free_frames();
    if (left != free_at_start)
        fail_msg("%ld frames were not given back", (long)(free_at_start - left));
    assert_memory_is_sound();
    host_memory_destroy();
    return 0;
}
