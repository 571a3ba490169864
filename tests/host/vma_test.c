/*
 * The list of VMAs: finding, merging, splitting, taking away; each merge rule was seen on
 * Linux 6.1.
 */
#include "mm/filemap.h"
#include "mm/vma.h"
#include "tests/host/calls.h"

#define AT 0x10000000ul

/* ---- finding ---- */

static void find_vma_gives_the_first_one_that_ends_above(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct vm_area_struct *prev;

    assert_null(find_vma(mm, 0));
    assert_null(find_vma_prev(mm, 0, &prev));
    assert_null(prev);
    map_at(mm, AT, 2, RW);
    map_at(mm, AT + 4 * P, 2, RW);
    struct vm_area_struct *low = mm->mmap, *high = low->vm_next;
    /* In every order, so that the remembered VMA is a wrong guess, too. */
    static const struct { unsigned long address; int which; } cases[] = {
        { 0, 0 }, { AT - 1, 0 }, { AT, 0 }, { AT + 2 * P - 1, 0 }, { AT + 2 * P, 1 },
        { AT + 4 * P - 1, 1 }, { AT + 4 * P, 1 }, { AT + 6 * P - 1, 1 }, { AT + 6 * P, 2 },
    };
    struct vm_area_struct *const answers[] = { low, high, NULL };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        for (unsigned j = 0; j < ARRAY_SIZE(cases); j++) {
            find_vma(mm, cases[i].address);
            assert_ptr_equal(find_vma(mm, cases[j].address), answers[cases[j].which]);
        }
    }
    assert_ptr_equal(find_vma_prev(mm, AT + 6 * P, &prev), NULL);
    assert_ptr_equal(prev, high);
    assert_ptr_equal(find_vma_prev(mm, AT + 4 * P, &prev), high);
    assert_ptr_equal(prev, low);
    assert_null(find_vma_intersection(mm, AT + 2 * P, AT + 4 * P));
    assert_ptr_equal(find_vma_intersection(mm, AT + 2 * P, AT + 4 * P + 1), high);
    mmput(mm);
}

/* ---- merging ---- */

static void equal_neighbours_merge_and_different_ones_do_not(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    map_at(mm, AT + P, 1, RW);
    map_at(mm, AT - P, 1, RW);
    expect_maps(mm, "ffff000-10002000 rw-p");
    map_at(mm, AT + 2 * P, 1, PROT_READ);
    anon(mm, AT + 3 * P, P, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE);
    anon(mm, AT + 4 * P, P, RW, MAP_SHARED | MAP_FIXED);
    anon(mm, AT + 5 * P, P, RW, MAP_SHARED | MAP_FIXED);
    expect_maps(mm, "ffff000-10002000 rw-p, 10002000-10003000 r--p, 10003000-10004000 r--p, "
                    "10004000-10005000 rw-s, 10005000-10006000 rw-s");
    mmput(mm);
}

static void a_filled_hole_joins_both_sides(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    map_at(mm, AT + 2 * P, 1, RW);
    map_at(mm, AT + P, 1, RW);
    expect_maps(mm, "10000000-10003000 rw-p");
    assert_int_equal(mm->map_count, 1);
    mmput(mm);
}

static void families_of_pages_that_began_apart_stay_apart(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    write_byte(mm, AT, 1);
    map_at(mm, AT + 2 * P, 1, RW);
    write_byte(mm, AT + 2 * P, 1);
    map_at(mm, AT + P, 1, RW);
    /* Joining both is impossible; mmap prefers the one above. */
    expect_maps(mm, "10000000-10001000 rw-p, 10001000-10003000 rw-p");
    mmput(mm);
}

static void an_untouched_neighbour_below_does_not_take_in_touched_pages(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    map_at(mm, AT + 2 * P, 1, RW);
    write_byte(mm, AT + 2 * P, 1);
    map_at(mm, AT + P, 1, RW);
    expect_maps(mm, "10000000-10001000 rw-p, 10001000-10003000 rw-p");

    map_at(mm, AT + MIB, 1, RW);
    write_byte(mm, AT + MIB, 1);
    map_at(mm, AT + MIB + 2 * P, 1, RW);
    map_at(mm, AT + MIB + P, 1, RW);
    expect_maps(mm, "10000000-10001000 rw-p, 10001000-10003000 rw-p, 10100000-10103000 rw-p");
    mmput(mm);
}

static void what_is_joined_takes_over_the_family_of_its_pages(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    map_at(mm, AT + P, 1, PROT_READ);
    map_at(mm, AT + 2 * P, 1, RW);
    write_byte(mm, AT + 2 * P, 1);
    assert_int_equal(do_mprotect(mm, AT + P, P, RW), 0);
    expect_maps(mm, "10000000-10003000 rw-p");
    assert_true(mm->mmap->vm_anon != 0);
    mmput(mm);
}

static void neighbours_that_may_merge_one_day_share_their_family(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 1, RW);
    map_at(mm, AT + P, 1, RW | PROT_EXEC);
    write_byte(mm, AT, 1);
    write_byte(mm, AT + P, 1);
    assert_int_equal(do_mprotect(mm, AT + P, P, RW), 0);
    expect_maps(mm, "10000000-10002000 rw-p");
    mmput(mm);
}

static void what_fork_made_merges_with_nothing_new(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 3, RW);
    write_byte(mm, AT, 1);
    assert_int_equal(do_mprotect(mm, AT + P, P, PROT_READ), 0);
    map_at(mm, AT + MIB, 1, RW);
    struct mm_struct *child = fork_of(mm);
    map_at(child, AT + 3 * P, 1, RW);
    assert_int_equal(do_mprotect(child, AT + P, P, RW), 0);
    map_at(child, AT + MIB + P, 1, RW);
    expect_maps(child, "10000000-10001000 rw-p, 10001000-10002000 rw-p, 10002000-10003000 rw-p, "
                       "10003000-10004000 rw-p, 10100000-10102000 rw-p");
    /* The parent is as it was. */
    map_at(mm, AT + 3 * P, 1, RW);
    assert_int_equal(do_mprotect(mm, AT + P, P, RW), 0);
    expect_maps(mm, "10000000-10004000 rw-p, 10100000-10101000 rw-p");
    mmput(child);
    mmput(mm);
}

/*
 * The eight ways in which mprotect can leave a range beside its neighbours: what lies at AT, what
 * is changed, what comes out.
 */
static void mprotect_merges_in_every_way(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;     /* a page each: r read-only, w writable, . none */
        unsigned first, pages;
    } cases[] = {
        { "rwr", "rrr", 1, 1 },         /* 6: the range goes, both neighbours become one */
        { "rww", "rrw", 1, 1 },         /* 5: the VMA below grows into the range's */
        { "wwr", "wrr", 1, 1 },         /* 4: the VMA above grows down into the range's */
        { "rw.", "rr.", 1, 1 },         /* 7: the VMA below takes all of it */
        { ".wr", ".rr", 1, 1 },         /* 8: the VMA above takes all of it */
        { "www", "wrw", 1, 1 },         /* none: a split in three */
        { "www", "rww", 0, 1 },
        { "www", "wwr", 2, 1 },
        { "rwwr", "rrrr", 1, 2 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mm_struct *mm = test_mm();
        size_t pages = strlen(cases[i].before);
        unsigned vmas = 0;
        for (unsigned j = 0; j < pages; j++)
            if (cases[i].before[j] != '.')
                map_at(mm, AT + j * P, 1, PROT_READ);
        for (unsigned j = 0; j < pages; j++)
            if (cases[i].before[j] == 'w')
                assert_int_equal(do_mprotect(mm, AT + j * P, P, PROT_EXEC), 0);
        assert_int_equal(do_mprotect(mm, AT + cases[i].first * P, cases[i].pages * P,
                                     cases[i].after[cases[i].first] == 'r' ? PROT_READ : PROT_EXEC), 0);
        for (unsigned j = 0; j < pages; j++) {
            const struct vm_area_struct *vma = find_vma_intersection(mm, AT + j * P, AT + j * P + 1);
            assert_int_equal(vma != NULL, cases[i].after[j] != '.');
            if (vma)
                assert_int_equal(vma->vm_flags & VM_ACCESS_FLAGS,
                                 cases[i].after[j] == 'r' ? VM_READ : VM_EXEC);
            vmas += cases[i].after[j] != '.' && (j == 0 || cases[i].after[j] != cases[i].after[j - 1]);
        }
        assert_int_equal(mm->map_count, vmas);
        assert_null(vma_audit(mm));
        mmput(mm);
    }
}

/* The newest VMA is not in the tree: when a neighbour takes its place, the gap above has no other witness. */
static void a_place_taken_over_before_the_tree_knew_it_leaves_the_gaps_right(void **state)
{
    (void)state;
    for (unsigned above = 0; above < 2; above++) {
        struct mm_struct *mm = test_mm();

        map_at(mm, AT + (above ? 2 : 0) * P, 1, RW);
        map_at(mm, AT + 10 * P, 1, PROT_READ);
        map_at(mm, AT + P, 1, PROT_READ);
        assert_non_null(mm->unindexed);
        assert_int_equal(do_mprotect(mm, AT + P, P, RW), 0);
        assert_int_equal(mm->map_count, 2);
        assert_null(vma_audit(mm));
        mmput(mm);
    }
}

/* ---- splitting ---- */

static void splitting_keeps_what_every_page_shows(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = anon(mm, AT, 6 * P, RW, MAP_SHARED | MAP_FIXED);

    for (unsigned i = 0; i < 6; i++)
        write_byte(mm, at + i * P, (u8)(i + 1));
    struct address_space *object = mm->mmap->vm_mapping;
    assert_int_equal(split_vma(mm, mm->mmap, at + 2 * P, false), 0);
    assert_int_equal(split_vma(mm, mm->mmap->vm_next, at + 4 * P, true), 0);
    assert_int_equal(object->refcount, 3);
    assert_int_equal(mm->map_count, 3);
    assert_int_equal(find_vma(mm, at + 4 * P)->vm_pgoff, 4);
    assert_null(vma_audit(mm));
    zap_range(mm->mmap->vm_next, at + 2 * P, at + 4 * P);
    flush_range(mm, at, at + 6 * P);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(user_byte(mm, at + i * P), i + 1);
    mmput(mm);
}

/* ---- taking away ---- */

static void the_high_water_marks_know_what_munmap_has_taken(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();

    map_at(mm, AT, 4, RW);
    for (unsigned i = 0; i < 4; i++)
        write_byte(mm, AT + i * P, 1);
    assert_int_equal(do_munmap(mm, AT, 3 * P), 0);
    assert_int_equal(mm->hiwater_rss, 4);
    assert_int_equal(mm->hiwater_vm, 4);
    assert_int_equal(mm->rss[MM_ANONPAGES], 1);
    mmput(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(find_vma_gives_the_first_one_that_ends_above),
        mm_test(equal_neighbours_merge_and_different_ones_do_not),
        mm_test(a_filled_hole_joins_both_sides),
        mm_test(families_of_pages_that_began_apart_stay_apart),
        mm_test(an_untouched_neighbour_below_does_not_take_in_touched_pages),
        mm_test(what_is_joined_takes_over_the_family_of_its_pages),
        mm_test(neighbours_that_may_merge_one_day_share_their_family),
        mm_test(what_fork_made_merges_with_nothing_new),
        mm_test(mprotect_merges_in_every_way),
        mm_test(a_place_taken_over_before_the_tree_knew_it_leaves_the_gaps_right),
        mm_test(splitting_keeps_what_every_page_shows),
        mm_test(the_high_water_marks_know_what_munmap_has_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
