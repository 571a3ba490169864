/*
 * The index of VMAs at scale: a step count that grows with the logarithm, searches that agree with
 * a slow one, and what never needs to enter it.
 */
#include "mm/unmapped_area.h"
#include "mm/vma.h"
#include "mm/vma_index.h"
#include "tests/host/calls.h"

#define AT   0x10000000ul
#define MANY 65500u

/* A number that grows by one when N doubles. */
static unsigned long log2_of(unsigned long n)
{
    return 63 - (unsigned long)__builtin_clzl(n);
}

static void lookups_and_searches_among_many_vmas_take_a_few_steps(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    /* A red-black tree of N nodes is at most 2 log2(N + 1) high; the search goes down and up. */
    const unsigned long height = 2 * log2_of(MANY + 1) + 2;

    for (unsigned i = 0; i < MANY; i++)
        map_at(mm, AT + i * 2 * P, 1, RW);
    assert_int_equal(mm->map_count, MANY);
    unsigned long worst = 0, random = 1;
    for (unsigned i = 0; i < 10000; i++) {
        random = random * 6364136223846793005ul + 1;
        unsigned page = (unsigned)(random >> 33) % MANY;
        vma_steps = 0;
        assert_int_equal(find_vma(mm, AT + page * 2 * P)->vm_start, AT + page * 2 * P);
        worst = MAX(worst, vma_steps);
    }
    assert_true(worst <= height);

    /* Only one hole of two pages: in the middle of the holes of one page. */
    vma_steps = 0;
    assert_int_equal(do_munmap(mm, AT + MANY / 2 * 2 * P, P), 0);
    assert_int_equal(vm_unmapped_area_topdown(mm, 3 * P, AT, AT + MANY * 2 * P), AT + (MANY / 2 * 2 - 1) * P);
    assert_int_equal(vm_unmapped_area_bottomup(mm, 3 * P, AT, AT + MANY * 2 * P), AT + (MANY / 2 * 2 - 1) * P);
    assert_true(vma_steps <= 5 * height);
    vma_steps = 0;
    assert_error(vm_unmapped_area_topdown(mm, 4 * P, AT, AT + (MANY * 2 - 1) * P), ENOMEM);
    assert_error(vm_unmapped_area_bottomup(mm, 4 * P, AT, AT + (MANY * 2 - 1) * P), ENOMEM);
    assert_true(vma_steps <= 2 * height);
    /* Below and above a window there may be all the room in the world. */
    vma_steps = 0;
    assert_error(vm_unmapped_area_topdown(mm, 2 * P, AT + 100 * P, AT + 200 * P), ENOMEM);
    assert_error(vm_unmapped_area_bottomup(mm, 2 * P, AT + 100 * P, AT + 200 * P), ENOMEM);
    assert_true(vma_steps <= 4 * height);
    assert_null(vma_audit(mm));
    mmput(mm);
}

static void searches_agree_with_a_slow_search(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long random = 7;
    bool used[64];

    for (unsigned round = 0; round < 300; round++) {
        do_munmap(mm, AT, 64 * P);
        memset(used, 0, sizeof(used));
        for (unsigned turn = 0; turn < 64; turn++) {
            unsigned i = (turn * 37 + round) % 64;      /* above, below and between those that are there */
            random = random * 6364136223846793005ul + 1442695040888963407ul;
            used[i] = (random >> 40) % 4 == 0;
            /* Alternating protections, so that neighbours stay VMAs of their own. */
            if (used[i])
                map_at(mm, AT + i * P, 1, i % 2 ? RW : PROT_READ);
        }
        unsigned long low = (random >> 20) % 20, high = 40 + (random >> 30) % 24, n = 1 + (random >> 50) % 8;
        long lowest = -ENOMEM, highest = -ENOMEM;
        for (unsigned long first = low; first + n <= high; first++) {
            bool is_free = true;
            for (unsigned long i = first; i < first + n; i++)
                is_free &= !used[i];
            if (is_free && lowest == -ENOMEM)
                lowest = (long)(AT + first * P);
            if (is_free)
                highest = (long)(AT + first * P);
        }
        assert_int_equal(vm_unmapped_area_topdown(mm, n * P, AT + low * P, AT + high * P), highest);
        assert_int_equal(vm_unmapped_area_bottomup(mm, n * P, AT + low * P, AT + high * P), lowest);
        assert_null(vma_audit(mm));     /* a record that is too large only costs time: no search is wrong */
    }
    mmput(mm);
}

static void a_huge_promise_costs_nothing(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = anon(mm, 0, 64ul << 40, RW, MAP_PRIVATE | MAP_NORESERVE);

    /*
     * 100 pages in 64 TiB: mapping, forking and unmapping end within the test's time only if absent
     * tables are skipped.
     */
    for (unsigned long i = 0; i < 100; i++)
        write_byte(mm, at + i * (640ul << 30), (u8)i);
    struct mm_struct *child = fork_of(mm);
    for (unsigned long i = 0; i < 100; i++)
        expect_read(child, at + i * (640ul << 30), NO_FAULT, (u8)i);
    assert_int_equal(do_mprotect(mm, at, 64ul << 40, PROT_READ), 0);
    assert_int_equal(do_madvise(mm, at, 64ul << 40, MADV_DONTNEED), 0);
    assert_int_equal(do_munmap(mm, at, 64ul << 40), 0);
    assert_int_equal(mm->pgtables_bytes, 0);
    mmput(child);
    mmput(mm);
}

/* The rule of mm/vma_index.c: what is undone before anybody looks never reaches the tree. */
static void a_mapping_that_is_soon_gone_never_enters_the_index(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    struct vm_area_struct *prev;

    map_at(mm, AT, 1, RW);
    map_at(mm, AT + 8 * P, 1, RW);
    vma_index_settle(mm);
    const struct rb_node *root = mm->mm_rb.node;
    const struct rb_node before = *root;
    for (int i = 0; i < 3; i++) {
        map_at(mm, AT + 4 * P, 1, RW);
        assert_non_null(mm->unindexed);
        assert_int_equal(do_munmap(mm, AT + 4 * P, P), 0);
        assert_null(mm->unindexed);
        assert_ptr_equal(mm->mm_rb.node, root);
        assert_memory_equal(root, &before, sizeof(before));
    }
    /* Who looks finds it all the same, in the middle and at the very top. */
    map_at(mm, AT + 4 * P, 1, RW);
    mm->mmap_cache = NULL;
    assert_int_equal(find_vma(mm, AT + 4 * P)->vm_start, AT + 4 * P);
    assert_null(mm->unindexed);
    map_at(mm, AT + 12 * P, 1, RW);
    mm->mmap_cache = NULL;
    assert_null(find_vma_prev(mm, AT + 13 * P, &prev));
    assert_int_equal(prev->vm_start, AT + 12 * P);
    mmput(mm);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(lookups_and_searches_among_many_vmas_take_a_few_steps),
        mm_test(searches_agree_with_a_slow_search),
        mm_test(a_huge_promise_costs_nothing),
        mm_test(a_mapping_that_is_soon_gone_never_enters_the_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
