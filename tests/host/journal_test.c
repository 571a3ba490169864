/*
 * The event journal: filters, the ring, and the JSON lines, each against a golden line. The lines also go to
 * the file that the environment variable JOURNAL_LINES names, where tests/host/host.t parses them.
 */
#include <stdlib.h>
#include "kernel/trace/journal.h"
#include "mm/fault.h"
#include "tests/host/harness.h"

static char said[1 << 16];
static size_t said_length;

static void sink(const char *text, size_t length)
{
    static FILE *copy;
    const char *path = getenv("JOURNAL_LINES");

    assert_true(length > 0 && text[length - 1] == '\n');
    assert_null(memchr(text, '\n', length - 1));
    if (said_length + length < sizeof(said)) {
        memcpy(said + said_length, text, length);
        said_length += length;
        said[said_length] = '\0';
    }
    if (!copy && path)
        copy = fopen(path, "w");
    if (copy) {
        fwrite(text, 1, length, copy);
        fflush(copy);
    }
}

static const char *const outcome_names[] = { [FAULT_ZERO_PAGE] = "zero_page", [FAULT_NEW_PAGE] = "new_page" };

static int fresh_journal(void **state)
{
    static const struct journal_names names = { page_type_names, PAGE_TYPES, outcome_names,
                                                ARRAY_SIZE(outcome_names) };

    (void)state;
    journal_set_names(&names);
    journal_set_memory(65536, 64000);
    journal_mask = 0;
    journal_count = 0;
    journal_context_pid = 0;
    said_length = 0;
    said[0] = '\0';
    return 0;
}

static void expect_said(const char *expected)
{
    if (strcmp(said, expected) != 0)
        fail_msg("expected\n%sgot\n%s", expected, said);
    said_length = 0;
    said[0] = '\0';
}

static void the_first_line_names_the_version_and_the_memory(void **state)
{
    (void)state;
    assert_true(journal_start("on", sink));
    expect_said("{\"zeropage-journal\":1,\"frames\":65536,\"frames_free\":64000}\n");
}

static void off_nothing_is_written(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < JOURNAL_KINDS; kind++)
        assert_false(journal_wants(kind));
    journal(JOURNAL_PTE, 1, 2, 3);
    assert_int_equal(journal_count, 0);
}

/* The events that FILTER lets through, as the number of them. */
static void expect_kinds(const char *filter, unsigned first, unsigned last)
{
    assert_true(journal_start(filter, NULL));
    for (unsigned kind = 0; kind < JOURNAL_KINDS; kind++)
        assert_int_equal(journal_wants(kind), kind >= first && kind <= last);
}

static void a_filter_names_kinds(void **state)
{
    (void)state;
    expect_kinds("fault", JOURNAL_FAULT, JOURNAL_FAULT);
    expect_kinds("syscall", JOURNAL_SYSCALL, JOURNAL_SYSCALL);
    expect_kinds("vma", JOURNAL_VMA_ADD, JOURNAL_VMA_MERGE);
    expect_kinds("table", JOURNAL_TABLE_ALLOC, JOURNAL_TABLE_FREE);
    expect_kinds("pte", JOURNAL_PTE, JOURNAL_PTE);
    expect_kinds("frame", JOURNAL_FRAME_ALLOC, JOURNAL_FRAME_FREE);
    expect_kinds("process", JOURNAL_PROCESS, JOURNAL_PROCESS);
    expect_kinds("signal", JOURNAL_SIGNAL, JOURNAL_SIGNAL);
    expect_kinds("fault,syscall,vma", JOURNAL_FAULT, JOURNAL_VMA_MERGE);
    expect_kinds("on,pte", 0, JOURNAL_KINDS - 1);
    assert_true(journal_start("on", NULL));
    assert_false(journal_wants(JOURNAL_PTE));
    assert_true(journal_start("all", NULL));
    assert_false(journal_wants(JOURNAL_PTE));
    assert_true(journal_wants(JOURNAL_FAULT) && journal_wants(JOURNAL_SIGNAL) && journal_wants(JOURNAL_FRAME_FREE));
}

static void an_unknown_kind_starts_nothing(void **state)
{
    static const char *const filters[] = { "", "faults", "fault,", ",fault", "fault,nonsense", "vm", "FAULT" };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(filters); i++) {
        assert_false(journal_start(filters[i], sink));
        assert_int_equal(journal_mask, 0);
        expect_said("");
    }
}

static void a_fault_is_decoded(void **state)
{
    (void)state;
    journal_start("on", sink);
    expect_said("{\"zeropage-journal\":1,\"frames\":65536,\"frames_free\":64000}\n");
    journal_context_pid = 7;
    journal(JOURNAL_FAULT, 0x7ffff7ff0123, PF_WRITE | PF_USER, 0x401000, 0x7ffff7ff0000, 0x7ffff7ff4000, FAULT_NEW_PAGE,
            0, 0x8000000000123067);
    expect_said("{\"seq\":0,\"pid\":7,\"event\":\"fault\",\"address\":\"0x7ffff7ff0123\","
                "\"error\":{\"code\":6,\"bits\":[\"write\",\"user\"]},\"ip\":\"0x401000\","
                "\"vma_start\":\"0x7ffff7ff0000\",\"vma_end\":\"0x7ffff7ff4000\",\"outcome\":\"new_page\","
                "\"pte_before\":null,\"pte_after\":{\"value\":\"0x8000000000123067\",\"frame\":291,"
                "\"bits\":[\"present\",\"write\",\"user\",\"accessed\",\"dirty\",\"no_execute\"]},\"frame\":291}\n");
    journal(JOURNAL_FAULT, 0, 0x15, 0, 0, 0, 99, 0x100000100, 0);
    expect_said("{\"seq\":1,\"pid\":7,\"event\":\"fault\",\"address\":\"0x0\","
                "\"error\":{\"code\":21,\"bits\":[\"present\",\"user\",\"instruction\"]},\"ip\":\"0x0\","
                "\"vma_start\":\"0x0\",\"vma_end\":\"0x0\",\"outcome\":\"99\","
                "\"pte_before\":{\"value\":\"0x100000100\",\"frame\":1048576,\"bits\":[\"protnone\"]},"
                "\"pte_after\":null,\"frame\":null}\n");
}

static void every_other_kind_has_its_line(void **state)
{
    (void)state;
    journal_start("on,pte", sink);
    expect_said("{\"zeropage-journal\":1,\"frames\":65536,\"frames_free\":64000}\n");
    journal(JOURNAL_SYSCALL, 9, 0, 4096, 3, 34, ~0ul, 0, -12ul);
    journal(JOURNAL_VMA_ADD, 0x1000, 0x3000, 0x73, 0x1);
    journal(JOURNAL_VMA_DELETE, 0x1000, 0x3000, 0xfd, 0);
    journal(JOURNAL_VMA_CHANGE, 0x1000, 0x3000, 0x71, 0x1000, 0x4000, 0x75);
    journal(JOURNAL_VMA_SPLIT, 0x1000, 0x3000, 0, 0x2000);
    journal(JOURNAL_VMA_MERGE, 0x1000, 0x5000, 0x100073);
    journal(JOURNAL_TABLE_ALLOC, 300, 1, 0x200000);
    journal(JOURNAL_TABLE_FREE, 300, 3, 0);
    journal(JOURNAL_PTE, 0x5000, 0x12025, 0);
    journal(JOURNAL_FRAME_ALLOC, 77, 0, PAGE_ANON);
    journal(JOURNAL_FRAME_FREE, 78, 10, PAGE_TABLE);
    journal(JOURNAL_PROCESS, 3, 12, 256);
    journal(JOURNAL_SIGNAL, 11, -6ul, 0xdead);
    expect_said(
        "{\"seq\":0,\"pid\":0,\"event\":\"syscall\",\"number\":9,\"a0\":\"0x0\",\"a1\":\"0x1000\",\"a2\":\"0x3\","
        "\"a3\":\"0x22\",\"a4\":\"0xffffffffffffffff\",\"a5\":\"0x0\",\"result\":-12}\n"
        "{\"seq\":1,\"pid\":0,\"event\":\"vma_add\",\"start\":\"0x1000\",\"end\":\"0x3000\","
        "\"flags\":{\"value\":\"0x73\",\"rights\":\"rw-p\"},\"pgoff\":\"0x1\"}\n"
        "{\"seq\":2,\"pid\":0,\"event\":\"vma_delete\",\"start\":\"0x1000\",\"end\":\"0x3000\","
        "\"flags\":{\"value\":\"0xfd\",\"rights\":\"r-xs\"},\"pgoff\":\"0x0\"}\n"
        "{\"seq\":3,\"pid\":0,\"event\":\"vma_change\",\"start\":\"0x1000\",\"end\":\"0x3000\","
        "\"flags\":{\"value\":\"0x71\",\"rights\":\"r--p\"},\"new_start\":\"0x1000\",\"new_end\":\"0x4000\","
        "\"new_flags\":{\"value\":\"0x75\",\"rights\":\"r-xp\"}}\n"
        "{\"seq\":4,\"pid\":0,\"event\":\"vma_split\",\"start\":\"0x1000\",\"end\":\"0x3000\","
        "\"flags\":{\"value\":\"0x0\",\"rights\":\"---p\"},\"at\":\"0x2000\"}\n"
        "{\"seq\":5,\"pid\":0,\"event\":\"vma_merge\",\"start\":\"0x1000\",\"end\":\"0x5000\","
        "\"flags\":{\"value\":\"0x100073\",\"rights\":\"rw-p\"}}\n"
        "{\"seq\":6,\"pid\":0,\"event\":\"table_alloc\",\"frame\":300,\"level\":1,\"address\":\"0x200000\"}\n"
        "{\"seq\":7,\"pid\":0,\"event\":\"table_free\",\"frame\":300,\"level\":3,\"address\":\"0x0\"}\n"
        "{\"seq\":8,\"pid\":0,\"event\":\"pte\",\"address\":\"0x5000\",\"before\":{\"value\":\"0x12025\",\"frame\":18,"
        "\"bits\":[\"present\",\"user\",\"accessed\"]},\"after\":null}\n"
        "{\"seq\":9,\"pid\":0,\"event\":\"frame_alloc\",\"frame\":77,\"order\":0,\"type\":\"anon\"}\n"
        "{\"seq\":10,\"pid\":0,\"event\":\"frame_free\",\"frame\":78,\"order\":10,\"type\":\"table\"}\n"
        "{\"seq\":11,\"pid\":0,\"event\":\"process\",\"what\":\"exit\",\"process\":12,\"detail\":256}\n"
        "{\"seq\":12,\"pid\":0,\"event\":\"signal\",\"signal\":11,\"code\":-6,\"address\":\"0xdead\"}\n");
}

static void the_longest_line_is_whole(void **state)
{
    (void)state;
    journal_start("on,pte", sink);
    said_length = 0;
    journal(JOURNAL_FAULT, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul);
    assert_string_equal(said + said_length - 3, "5}\n");     /* the frame, 2^40 - 1, and the end */
}

static void the_ring_keeps_the_last_records(void **state)
{
    (void)state;
    journal_start("frame", NULL);
    for (u64 i = 0; i < JOURNAL_RING + 10; i++)
        journal(JOURNAL_FRAME_ALLOC, i, 0, PAGE_ANON);
    assert_int_equal(journal_count, JOURNAL_RING + 10);
    for (u64 i = 10; i < JOURNAL_RING + 10; i++) {
        assert_int_equal(journal_ring[i % JOURNAL_RING].sequence, i);
        assert_int_equal(journal_ring[i % JOURNAL_RING].args[0], i);
    }
}

static void frames_are_written_down_as_they_come_and_go(void **state)
{
    memory_setup(state);
    put_page(alloc_page(PAGE_ANON));    /* so that the per-CPU list has a frame: the fast path */
    journal_start("frame", sink);
    said_length = 0;
    struct page *page = alloc_page(PAGE_ANON), *block = alloc_pages(2, PAGE_KERNEL);
    char expected[1000];
    unsigned long pfn = page_to_pfn(page), block_pfn = page_to_pfn(block);
    free_pages(block, 2);
    put_page(page);
    snprintf(expected, sizeof(expected),
             "{\"seq\":0,\"pid\":0,\"event\":\"frame_alloc\",\"frame\":%lu,\"order\":0,\"type\":\"anon\"}\n"
             "{\"seq\":1,\"pid\":0,\"event\":\"frame_alloc\",\"frame\":%lu,\"order\":2,\"type\":\"kernel\"}\n"
             "{\"seq\":2,\"pid\":0,\"event\":\"frame_free\",\"frame\":%lu,\"order\":2,\"type\":\"kernel\"}\n"
             "{\"seq\":3,\"pid\":0,\"event\":\"frame_free\",\"frame\":%lu,\"order\":0,\"type\":\"anon\"}\n",
             pfn, block_pfn, block_pfn, pfn);
    journal_mask = 0;
    expect_said(expected);
    memory_teardown(state);
}

#define journal_test(function) cmocka_unit_test_setup(function, fresh_journal)

int main(void)
{
    const struct CMUnitTest tests[] = {
        journal_test(the_first_line_names_the_version_and_the_memory),
        journal_test(off_nothing_is_written),
        journal_test(a_filter_names_kinds),
        journal_test(an_unknown_kind_starts_nothing),
        journal_test(a_fault_is_decoded),
        journal_test(every_other_kind_has_its_line),
        journal_test(the_longest_line_is_whole),
        journal_test(the_ring_keeps_the_last_records),
        journal_test(frames_are_written_down_as_they_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
