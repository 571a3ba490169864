/* What exec thinks of ELF headers: good ones, each kind of broken one, and random bytes. */
#include "tests/host/harness.h"

#include "kernel/proc/elf.h"

static struct elf_header good_header(void)
{
    return (struct elf_header){ .ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 }, .type = ET_EXEC, .machine = EM_X86_64,
                                .version = 1, .entry = 0x401000, .phoff = 64, .ehsize = 64,
                                .phentsize = sizeof(struct elf_segment), .phnum = 2 };
}

static const struct elf_segment text_and_data[2] = {
    { .type = PT_LOAD, .flags = PF_R | PF_X, .offset = 0, .vaddr = 0x400000, .filesz = 0x1234, .memsz = 0x1234 },
    { .type = PT_LOAD, .flags = PF_R | PF_W, .offset = 0x2000, .vaddr = 0x403010, .filesz = 0x10, .memsz = 0x5000 },
};

static void a_good_header_is_accepted(void **state)
{
    struct elf_header header = good_header();

    (void)state;
    assert_true(elf_header_is_valid(&header));
    header.type = ET_DYN;
    assert_true(elf_header_is_valid(&header));
}

static void each_broken_header_is_refused(void **state)
{
    struct elf_header header;

    (void)state;
    for (int byte = 0; byte < 4; byte++) {
        header = good_header();
        header.ident[byte] ^= 1;
        assert_false(elf_header_is_valid(&header));
    }
    for (unsigned type = 0; type < 6; type++) {
        header = good_header();
        header.type = (u16)type;
        assert_int_equal(elf_header_is_valid(&header), type == ET_EXEC || type == ET_DYN);
    }
    header = good_header();
    header.machine = 3;         /* i386 */
    assert_false(elf_header_is_valid(&header));
    header = good_header();
    header.phentsize = 32;      /* ELF32's */
    assert_false(elf_header_is_valid(&header));
    header = good_header();
    header.phnum = 0;
    assert_false(elf_header_is_valid(&header));
    header.phnum = ELF_MAX_SEGMENTS;
    assert_true(elf_header_is_valid(&header));
    header.phnum = ELF_MAX_SEGMENTS + 1;    /* as on Linux, they must fit into a page */
    assert_false(elf_header_is_valid(&header));
}

static void a_program_that_names_an_interpreter_is_not_static(void **state)
{
    struct elf_segment segments[2] = { text_and_data[0], { .type = PT_INTERP } };
    bool executable;

    (void)state;
    assert_true(elf_segments_are_static(text_and_data, 2, &executable));
    assert_false(elf_segments_are_static(segments, 2, &executable));
    assert_true(elf_segments_are_static(segments, 1, &executable));
}

static void gnu_stack_decides_whether_the_stack_is_executable(void **state)
{
    struct elf_segment segment = { .type = PT_GNU_STACK, .flags = PF_R | PF_W };
    bool executable = true;

    (void)state;
    assert_true(elf_segments_are_static(&segment, 1, &executable));
    assert_false(executable);
    segment.flags |= PF_X;
    assert_true(elf_segments_are_static(&segment, 1, &executable));
    assert_true(executable);
    assert_true(elf_segments_are_static(text_and_data, 2, &executable));
    assert_false(executable);
}

static bool fits(u64 vaddr, u64 filesz, u64 memsz, unsigned long bias)
{
    struct elf_segment segment = { .type = PT_LOAD, .vaddr = vaddr, .filesz = filesz, .memsz = memsz };
    return elf_segment_fits(&segment, bias);
}

static void a_segment_must_lie_in_the_user_half(void **state)
{
    (void)state;
    assert_true(fits(0x400000, 0x1000, 0x2000, 0));
    assert_false(fits(0x400000, 0x2000, 0x1000, 0));            /* more in the file than in memory */
    assert_true(fits(TASK_SIZE - 0x1000, 0, 0x1000, 0));
    assert_false(fits(TASK_SIZE - 0x1000, 0, 0x1001, 0));
    assert_false(fits(TASK_SIZE, 0, 0, 0));
    assert_false(fits(0x400000, 0, ~0ull, 0));
    assert_false(fits(~0ull - 0xfff, 0, 0x2000, 0));            /* the end wraps around */
    assert_false(fits(0xffffffff80100000, 0x1000, 0x1000, 0));
    assert_true(fits(0, 0x1000, 0x1000, 0x7ffff7ff0000));
    assert_false(fits(0x1000, 0x1000, 0x1000, TASK_SIZE - 0x1000));
}

static void the_mapping_runs_from_the_first_page_to_the_last_byte(void **state)
{
    const struct elf_segment nothing = { .type = PT_INTERP };

    (void)state;
    assert_int_equal(elf_mapping_size(text_and_data, 2), 0x403010 + 0x5000 - 0x400000);
    assert_int_equal(elf_mapping_size(text_and_data + 1, 1), 0x5010);
    assert_int_equal(elf_mapping_size(&nothing, 1), 0);
}

static void the_program_headers_are_found_in_the_segment_that_holds_them(void **state)
{
    struct elf_header header = good_header();

    (void)state;
    assert_int_equal(elf_headers_address(&header, text_and_data), 0x400040);
    header.phoff = 0x2008;
    assert_int_equal(elf_headers_address(&header, text_and_data), 0x403018);
    header.phoff = 0x2010;      /* behind the file part */
    assert_int_equal(elf_headers_address(&header, text_and_data), 0);
    header.phoff = ~0ull;
    assert_int_equal(elf_headers_address(&header, text_and_data), 0);
}

/* The sanitizers watch: no read outside, no undefined arithmetic, whatever the file says. */
static void random_headers_do_no_harm(void **state)
{
    u64 seed = 1;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        struct elf_header header = good_header();
        struct elf_segment segments[2] = { text_and_data[0], text_and_data[1] };
        u8 *bytes = round & 1 ? (u8 *)&header : (u8 *)segments;
        size_t size = round & 1 ? sizeof(header) : sizeof(segments);
        bool executable;

        for (u64 changes = next_random(&seed) % 8; changes > 0; changes--)
            bytes[next_random(&seed) % size] = (u8)next_random(&seed);
        if (!elf_header_is_valid(&header))
            continue;
        header.phnum = MIN(header.phnum, 2);
        elf_segments_are_static(segments, header.phnum, &executable);
        elf_mapping_size(segments, header.phnum);
        elf_headers_address(&header, segments);
        for (int i = 0; i < 2; i++)
            if (elf_segment_fits(&segments[i], 0))
                assert_true(segments[i].vaddr + segments[i].memsz <= TASK_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_header_is_accepted),
        cmocka_unit_test(each_broken_header_is_refused),
        cmocka_unit_test(a_program_that_names_an_interpreter_is_not_static),
        cmocka_unit_test(gnu_stack_decides_whether_the_stack_is_executable),
        cmocka_unit_test(a_segment_must_lie_in_the_user_half),
        cmocka_unit_test(the_mapping_runs_from_the_first_page_to_the_last_byte),
        cmocka_unit_test(the_program_headers_are_found_in_the_segment_that_holds_them),
        cmocka_unit_test(random_headers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
