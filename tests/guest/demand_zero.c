/* Checks demand zero: a promise costs no frame, a read maps the one zero frame, a write a new one. */
#include "mem.h"

static void promise_costs_nothing(void)
{
    long before = minor_faults();
    char *memory = anon(64);

    check_eq(minor_faults() - before, 0, "mmap of 64 pages takes no fault");
    check_str(present(memory, 64),
              "0000000000000000000000000000000000000000000000000000000000000000",
              "after mmap no page is present");
    raw_munmap(memory, 64 * PAGE);
}

static void reads_see_zeros(void)
{
    char *memory = anon(8);

    check(all_bytes_are(memory, 8 * PAGE, 0), "every byte of fresh memory reads as zero");
    check_str(present(memory, 8), "11111111", "pages that were read are present");
    raw_munmap(memory, 8 * PAGE);
}

static void reads_share_a_frame(void)
{
    char *memory = anon(4);
    uint64_t first, last;

    read_pages(memory, 4);
    first = pagemap_entry(memory) & PAGEMAP_FRAME;
    last = pagemap_entry(memory + 3 * PAGE) & PAGEMAP_FRAME;
    check_eq(first == last, 1, "all pages that were only read map the same frame");
    memory[0] = 1;
    first = pagemap_entry(memory) & PAGEMAP_FRAME;
    check(first == 0 || first != last, "a write gives the page a frame of its own");
    check_eq(memory[3 * PAGE], 0, "a write to one page leaves the other pages zero");
    raw_munmap(memory, 4 * PAGE);
}

static void writes_are_private_to_a_page(void)
{
    char *memory = anon(3);

    memory[PAGE] = 'x';
    check_eq(memory[PAGE], 'x', "a written byte is read back");
    check(all_bytes_are(memory + PAGE + 1, PAGE - 1, 0), "the rest of a written page is zero");
    check_str(present(memory, 3), "010", "a write makes only its own page present");
    check_eq(memory[0], 0, "the page before a written page is zero");
    check_eq(memory[2 * PAGE], 0, "the page after a written page is zero");
    raw_munmap(memory, 3 * PAGE);
}

static void fault_counts(void)
{
    char *memory = anon(64);

    check_eq(read_faults(memory, 16), 16, "reading 16 fresh pages takes 16 faults");
    check_eq(read_faults(memory, 16), 0, "reading them again takes none");
    check_eq(write_faults(memory, 16), 16, "writing pages that map the zero frame takes one each");
    check_eq(write_faults(memory, 16), 0, "writing them again takes none");
    check_eq(write_faults(memory + 16 * PAGE, 16), 16, "writing 16 fresh pages takes 16 faults");
    check_eq(read_faults(memory + 16 * PAGE, 16), 0, "reading pages of one's own takes none");
    raw_munmap(memory, 64 * PAGE);
}

static void freed_memory_is_zero_again(void)
{
    char *memory = anon(4);
    char *again;

    memset(memory, 0xa5, 4 * PAGE);
    raw_munmap(memory, 4 * PAGE);
    again = anon(4);
    check_eq(again == memory, 1, "the same address is given out again");
    check(all_bytes_are(again, 4 * PAGE, 0), "memory mapped where old data was reads as zero");
    memset(again, 0x5a, 4 * PAGE);
    anon_at(again, 4, READ_WRITE);
    check(all_bytes_are(again, 4 * PAGE, 0), "MAP_FIXED over written memory reads as zero");
    raw_munmap(again, 4 * PAGE);
}

static void access_across_a_page_end(void)
{
    char *memory = anon(2);
    long before;

    before = minor_faults();
    *(volatile uint64_t *)(memory + PAGE - 4) = 0x1122334455667788UL;
    check_eq(minor_faults() - before, 2, "a store across a page end takes a fault for each page");
    check_eq(*(volatile uint32_t *)(memory + PAGE - 4), 0x55667788,
             "its low half lies in the first page");
    check_eq(*(volatile uint32_t *)(memory + PAGE), 0x11223344,
             "its high half lies in the second page");
    raw_munmap(memory, 2 * PAGE);
}

static void bss_and_data(void)
{
    static char zeros[4 * PAGE];
    static char data[PAGE] = {1, 2, 3};

    check(all_bytes_are(zeros, sizeof(zeros), 0), "uninitialised data is zero");
    check(data[0] == 1 && data[1] == 2 && data[2] == 3 && data[3] == 0,
          "initialised data has its values");
    zeros[PAGE] = 7;
    check_eq(zeros[PAGE], 7, "uninitialised data can be written");
}

int main(void)
{
    warm_up();
    promise_costs_nothing();
    reads_see_zeros();
    reads_share_a_frame();
    writes_are_private_to_a_page();
    fault_counts();
    freed_memory_is_zero_again();
    access_across_a_page_end();
    bss_and_data();
    return done();
}
