/* The page cache, truncation, holes, reclaim; and the kernel's copies to and from user memory. */
#include "mm/filemap.h"
#include "mm/user_copy.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

#define AT 0x10000000ul

static void truncation_takes_pages_away_and_zeroes_the_tail(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(3 * P);
    unsigned long shared = map_file(mm, file, 3, RW, MAP_SHARED);
    unsigned long priv = map_file(mm, file, 3, RW, MAP_PRIVATE);

    write_byte(mm, shared + P + 200, 77);
    touch_read(mm, shared + 2 * P);
    write_byte(mm, priv + 2 * P, 5);
    mapping_truncate(file, P + 100);
    expect_refused(mm, shared + 2 * P, MMU_READ, FAULT_BEYOND_FILE);
    expect_refused(mm, priv + 2 * P, MMU_READ, FAULT_BEYOND_FILE);     /* copies go, too */
    assert_int_equal(user_byte(mm, shared + P + 99), test_file_byte(P + 99));
    assert_int_equal(user_byte(mm, shared + P + 200), 0);
    mapping_truncate(file, 3 * P);
    assert_int_equal(user_byte(mm, shared + P + 200), 0);
    mmput(mm);
    mapping_put(file);
}

static void a_punched_hole_keeps_private_copies(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *object = shmem_create(3 * P);
    const struct mmap_source source = { .mapping = object, .ops = &shmem_vm_ops, .readable = true, .writable = true };
    unsigned long shared = do_mmap(mm, &source, 0, 3 * P, RW, MAP_SHARED, 0);
    unsigned long priv = do_mmap(mm, &source, 0, 3 * P, RW, MAP_PRIVATE, 0);

    user_fill(mm, shared, 5, 3 * P);
    touch_read(mm, priv);
    write_byte(mm, priv + P, 6);
    mapping_punch_hole(object, 0, 2);
    assert_int_equal(object->pages.count, 1);
    assert_int_equal(user_byte(mm, priv + P), 6);
    assert_int_equal(user_byte(mm, priv), 0);
    assert_int_equal(user_byte(mm, shared + P), 0);
    assert_int_equal(user_byte(mm, shared + 2 * P), 5);
    mmput(mm);
    mapping_put(object);
}

static void only_clean_pages_that_nobody_maps_are_reclaimed(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(20 * P);
    unsigned long at = map_file(mm, file, 20, RW, MAP_SHARED);

    write_byte(mm, at, 1);                                      /* dirty */
    touch_read(mm, at + P);                                     /* and its neighbours */
    unsigned long cached = file->pages.count;
    assert_int_equal(reclaim_file_pages(), 0);
    assert_int_equal(do_munmap(mm, at, 20 * P), 0);
    assert_int_equal(reclaim_file_pages(), cached - 1);
    assert_int_equal(file->pages.count, 1);
    at = map_file(mm, file, 20, RW, MAP_SHARED);
    assert_int_equal(user_byte(mm, at), 1);
    assert_int_equal(user_byte(mm, at + 5 * P), test_file_byte(5 * P));
    mmput(mm);
    mapping_put(file);
}

static void a_full_memory_gives_up_the_page_cache_first(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(64 * P);
    unsigned long at = map_file(mm, file, 64, PROT_READ, MAP_PRIVATE);

    for (unsigned i = 0; i < 64; i++)
        touch_read(mm, at + i * P);
    assert_int_equal(do_munmap(mm, at, 64 * P), 0);
    assert_int_equal(file->pages.count, 64);
    unsigned long big = anon(mm, 0, 256 * MIB, RW, MAP_PRIVATE | MAP_NORESERVE), used = 0;
    while (touch_write(mm, big + used * P, 1).done)
        used++;
    assert_int_equal(file->pages.count, 0);
    assert_int_equal(touch_write(mm, big + used * P, 1).outcome, FAULT_OUT_OF_MEMORY);
    assert_int_equal(mm->rss[MM_ANONPAGES], used);
    mmput(mm);
    mapping_put(file);
}

static void an_object_lives_as_long_as_it_is_mapped(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct address_space *file = test_file(2 * P);
    unsigned long at = map_file(mm, file, 2, PROT_READ, MAP_PRIVATE);

    mapping_put(file);
    assert_int_equal(user_byte(mm, at + P), test_file_byte(P));
    assert_int_equal(do_munmap(mm, at, P), 0);
    assert_int_equal(user_byte(mm, at + P), test_file_byte(P));
    mmput(mm);
}

/* ---- user copies ---- */

static void access_ok_knows_the_user_half(void **state)
{
    (void)state;
    assert_true(access_ok(0, 0));
    assert_true(access_ok(0, TASK_SIZE));
    assert_true(access_ok(TASK_SIZE, 0));
    assert_true(access_ok(TASK_SIZE - 1, 1));
    assert_false(access_ok(TASK_SIZE - 1, 2));
    assert_false(access_ok(TASK_SIZE + 1, 0));
    assert_false(access_ok(0, TASK_SIZE + 1));
    assert_false(access_ok(P, -1ul));
    assert_false(access_ok(PAGE_OFFSET, 1));
    assert_false(access_ok(1ul << 47, 0));
}

static void copies_fault_pages_in_and_stop_where_they_must(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    u8 buffer[2 * P];

    map_at(mm, AT, 2, RW);
    map_at(mm, AT + 2 * P, 1, PROT_READ);
    memset(buffer, 9, sizeof(buffer));
    assert_int_equal(copy_to_user(AT + P, buffer, 2 * P), P);   /* the second page may not be written */
    assert_int_equal(user_byte(mm, AT + P), 9);
    assert_int_equal(copy_from_user(buffer, AT + 2 * P, 2 * P), P);
    assert_int_equal(buffer[0], 0);
    assert_int_equal(clear_user(AT + P, 10), 0);
    assert_int_equal(user_byte(mm, AT + P + 9), 0);
    assert_int_equal(user_byte(mm, AT + P + 10), 9);
    assert_int_equal(copy_to_user(PAGE_OFFSET, buffer, 8), 8);
    assert_int_equal(copy_from_user(buffer, TASK_SIZE - 4, 8), 8);
    assert_int_equal(copy_from_user(buffer, 0, 0), 0);
    u32 value = 0x12345678, back = 0;
    assert_int_equal(put_user(value, AT), 0);
    assert_int_equal(get_user(back, AT), 0);
    assert_int_equal(back, value);
    assert_error(put_user(value, AT + 2 * P), EFAULT);
    mmput(mm);
}

static void strings_end_at_their_nul_even_beside_nothing(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    char text[200];

    map_at(mm, AT, 2, RW);
    assert_int_equal(copy_to_user(AT + 2 * P - 6, "hello", 6), 0);
    assert_int_equal(strncpy_from_user(text, AT + 2 * P - 6, sizeof(text)), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(strncpy_from_user(text, AT + 2 * P - 6, 6), 5);
    assert_error(strncpy_from_user(text, AT + 2 * P - 6, 5), ENAMETOOLONG);
    assert_int_equal(copy_to_user(AT + 2 * P - 3, "abc", 3), 0);
    assert_error(strncpy_from_user(text, AT + 2 * P - 3, sizeof(text)), EFAULT);
    assert_int_equal(copy_to_user(AT + P - 100, "over the end of a page", 23), 0);
    user_fill(mm, AT + P - 100, 'x', 150);
    write_byte(mm, AT + P + 50, 0);
    assert_int_equal(strncpy_from_user(text, AT + P - 100, sizeof(text)), 150);
    assert_error(strncpy_from_user(text, PAGE_OFFSET, sizeof(text)), EFAULT);
    assert_error(strncpy_from_user(text, 0, sizeof(text)), EFAULT);
    mmput(mm);
}

static void another_address_space_is_reached_under_its_own_rules(void **state)
{
    (void)state;
    struct mm_struct *other = test_mm();
    map_at(other, AT, 2, RW);
    map_at(other, AT + 2 * P, 1, PROT_READ);
    write_byte(other, AT, 1);
    struct mm_struct *child = fork_of(other);
    struct mm_struct *mine = test_mm();
    char text[] = "across";

    assert_int_equal(access_remote_vm(other, AT + P - 3, text, 7, true), 7);
    memset(text, 0, sizeof(text));
    assert_int_equal(access_remote_vm(other, AT + P - 3, text, 7, false), 7);
    assert_string_equal(text, "across");
    assert_int_equal(access_remote_vm(child, AT + P - 3, text, 7, false), 7);
    assert_int_equal(text[0], 0);                               /* the write went into a copy */
    assert_int_equal(access_remote_vm(other, AT + 2 * P - 3, text, 7, true), 3);
    assert_int_equal(access_remote_vm(other, AT + 3 * P - 3, text, 7, false), 3);
    assert_int_equal(access_remote_vm(other, PAGE_OFFSET, text, 1, false), 0);
    mmput(mine);
    mmput(child);
    mmput(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(truncation_takes_pages_away_and_zeroes_the_tail),
        mm_test(a_punched_hole_keeps_private_copies),
        mm_test(only_clean_pages_that_nobody_maps_are_reclaimed),
        mm_test(a_full_memory_gives_up_the_page_cache_first),
        mm_test(an_object_lives_as_long_as_it_is_mapped),
        mm_test(access_ok_knows_the_user_half),
        mm_test(copies_fault_pages_in_and_stop_where_they_must),
        mm_test(strings_end_at_their_nul_even_beside_nothing),
        mm_test(another_address_space_is_reached_under_its_own_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
