/* The buddy blocks behind the frame allocator: they split and merge, no frame is given out twice, and the audit sees what is wrong. */
#include <sanitizer/asan_interface.h>
#include "mm/buddy.h"
#include "tests/host/harness.h"

/* Free blocks of each order with nothing in the per-CPU list. */
static void take_inventory(unsigned long blocks[MAX_ORDER + 1])
{
    drain_page_cache();
    for (unsigned order = 0; order <= MAX_ORDER; order++)
        blocks[order] = free_block_count(order);
}

static void splitting_and_merging_leave_the_blocks_as_they_were(void **state)
{
    unsigned long before[MAX_ORDER + 1], after[MAX_ORDER + 1];
    struct page *pages[1000];

    (void)state;
    take_inventory(before);
    for (unsigned i = 0; i < 1000; i++)
        pages[i] = alloc_pages(i % 4, PAGE_KERNEL);
    /* Not in the order of allocation, so that runs and single frames both occur. */
    for (unsigned i = 0; i < 1000; i++) {
        unsigned index = i * 7 % 1000;
        free_pages(pages[index], index % 4);
    }
    take_inventory(after);
    assert_memory_equal(before, after, sizeof(before));
}

/* Frees N single frames in an order given by STEP and expects all blocks to be whole again. */
static void check_bulk_free(long step)
{
    enum { FRAMES = 3000 };
    unsigned long before[MAX_ORDER + 1], after[MAX_ORDER + 1];
    static struct page *pages[FRAMES];

    take_inventory(before);
    for (long i = 0; i < FRAMES; i++)
        pages[i] = alloc_page(PAGE_ANON);
    for (long i = 0; i < FRAMES; i++)
        free_pages(pages[(i * step % FRAMES + FRAMES) % FRAMES], 0);
    assert_null(page_alloc_audit());
    take_inventory(after);
    assert_memory_equal(before, after, sizeof(before));
}

static void frames_freed_in_any_order_become_blocks_again(void **state)
{
    (void)state;
    check_bulk_free(1);
    check_bulk_free(-1);
    check_bulk_free(7);
    check_bulk_free(1009);
}

static void a_run_of_frames_goes_back_as_blocks(void **state)
{
    enum { FRAMES = 1500 };
    static const long steps[] = { 1, -1, 7, 749 };
    unsigned long before[MAX_ORDER + 1], after[MAX_ORDER + 1];
    static struct page *pages[FRAMES];

    (void)state;
    take_inventory(before);
    for (unsigned s = 0; s < ARRAY_SIZE(steps); s++) {
        struct frame_run run = { NULL, NULL };

        for (long i = 0; i < FRAMES; i++)
            pages[i] = alloc_page(PAGE_ANON);
        for (long i = 0; i < FRAMES; i++)
            free_in_run(&run, pages[(i * steps[s] % FRAMES + FRAMES) % FRAMES]);
        free_run(&run);
        assert_null(run.end);
        free_run(&run);     /* an empty run is nothing */
        assert_int_equal(frame_counts[PAGE_ANON], 0);
        assert_int_equal(frame_counts[PAGE_FREE], total_frames);
        assert_null(page_alloc_audit());
        take_inventory(after);
        assert_memory_equal(before, after, sizeof(before));
    }
    struct frame_run run = { NULL, NULL };
    struct page *page = alloc_page(PAGE_ANON);
    free_in_run(&run, page);
    assert_true(__asan_address_is_poisoned(page_address(page)));
    free_run(&run);
    expect_panic(free_in_run(&run, page));
}

/* The model: who holds which frames. */
struct holding {
    struct page *page;
    unsigned order;
};

static void stamp(const struct holding *holding, u64 value)
{
    for (unsigned long i = 0; i < 1ul << holding->order; i++)
        *(u64 *)page_address(holding->page + i) = value + i;
}

static void check_stamp(const struct holding *holding, u64 value)
{
    for (unsigned long i = 0; i < 1ul << holding->order; i++)
        assert_int_equal(*(u64 *)page_address(holding->page + i), value + i);
}

static void random_work_never_gives_out_a_frame_twice(void **state)
{
    enum { HOLDINGS = 2000, STEPS = 60000 };
    static struct holding holdings[HOLDINGS];
    u64 random = 4711;
    unsigned long held = 0;

    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        u64 choice = next_random(&random);
        struct holding *holding = &holdings[choice % HOLDINGS];

        if (holding->page) {
            check_stamp(holding, (u64)holding->page);
            free_pages(holding->page, holding->order);
            held -= 1ul << holding->order;
            holding->page = NULL;
        } else {
            /* Mostly single frames, some blocks, seldom large ones. */
            unsigned roll = (unsigned)(choice >> 16) % 100;
            holding->order = roll < 70 ? 0 : roll < 97 ? roll % 5 : roll % (MAX_ORDER + 1);
            holding->page = alloc_pages(holding->order, PAGE_KERNEL);
            if (holding->page) {
                stamp(holding, (u64)holding->page);
                held += 1ul << holding->order;
            }
        }
        assert_int_equal(frame_counts[PAGE_FREE], total_frames - held);
        if (step % 5000 == 0)
            assert_null(page_alloc_audit());
    }
    for (unsigned i = 0; i < HOLDINGS; i++)
        if (holdings[i].page) {
            check_stamp(&holdings[i], (u64)holdings[i].page);
            free_pages(holdings[i].page, holdings[i].order);
            holdings[i].page = NULL;
        }
}

static void expect_finding(const char *part)
{
    const char *finding = page_alloc_audit();

    assert_non_null(finding);
    if (!strstr(finding, part))
        fail_msg("expected a finding about \"%s\", got \"%s\"", part, finding);
}

static void the_audit_sees_what_is_wrong(void **state)
{
    (void)state;
    drain_page_cache();
    struct page *block = alloc_pages(MAX_ORDER, PAGE_KERNEL);
    free_pages(block, MAX_ORDER);
    u64 tail = page_state(block + 7);

    page_set_state(block + 7, PAGE_STATE(PAGE_ANON, 0, 1));
    expect_finding("inside a free block");
    page_set_state(block + 7, tail);

    u64 head = page_state(block);
    page_set_state(block, PAGE_STATE(PAGE_FREE, 3, 0));
    expect_finding("order of its list");
    page_set_state(block, head);

    frame_counts[PAGE_ANON]++;
    expect_finding("frame_counts");
    frame_counts[PAGE_ANON]--;

    struct page *page = alloc_page(PAGE_ANON);
    page_set_state(page, PAGE_STATE_CACHED);
    expect_finding("per-CPU list");
    page_set_state(page, PAGE_STATE_FREE_TAIL);
    expect_finding("in no free block");
    page_set_state(page, PAGE_STATE(PAGE_ANON, 0, 1));
    block->lru.next->prev = &page->lru;
    expect_finding("links");
    block->lru.next->prev = &block->lru;
    free_pages(page, 0);
    assert_null(page_alloc_audit());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(splitting_and_merging_leave_the_blocks_as_they_were),
        memory_test(frames_freed_in_any_order_become_blocks_again),
        memory_test(a_run_of_frames_goes_back_as_blocks),
        memory_test(random_work_never_gives_out_a_frame_twice),
        memory_test(the_audit_sees_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
