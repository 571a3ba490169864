/* The page fault on files and shared memory. */
#include "mm/fault.h"
#include "mm/filemap.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(reading_a_file_mapping_maps_the_cached_page),
        mm_test(writing_a_private_file_mapping_copies),
        mm_test(touching_past_the_end_of_a_file_is_a_bus_error),
        mm_test(shared_memory_is_one_page_for_all),
        mm_test(a_read_of_shared_memory_maps_what_is_ready_around_it),
        mm_test(touching_past_the_end_of_shared_memory_is_a_bus_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
