/*
 * boot/multiboot2.c: what GRUB tells becomes boot_info, and whatever is malformed ends in a
 * sentence, never in a wild read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/boot_info.h"
#include "tests/host/boot_host.h"

enum { TAG_END = 0, TAG_CMDLINE = 1, TAG_MODULE = 3, TAG_MEMORY_MAP = 6, TAG_FRAMEBUFFER = 8 };
#define MEMORY_MAP_HEADER 16
#define MEMORY_MAP_ENTRY 24

static void begin_information(void)
{
    put32(0);       /* the size: see end_information */
    put32(0);
}

static u32 begin_tag(u32 type, u32 size)
{
    put(NULL, (8 - loader_memory_size % 8) % 8);
    u32 address = (u32)(LOADER_BASE + loader_memory_size);
    put32(type);
    put32(size);
    return address;
}

static void end_information(void)
{
    begin_tag(TAG_END, 8);
    set32(LOADER_BASE, (u32)loader_memory_size);
}

static void put_memory_map(u64 base, u64 length)
{
    begin_tag(TAG_MEMORY_MAP, MEMORY_MAP_HEADER + MEMORY_MAP_ENTRY);
    put32(MEMORY_MAP_ENTRY);
    put32(0);
    put64(base);
    put64(length);
    put64(1);
}

static void put_cmdline(const char *text)
{
    begin_tag(TAG_CMDLINE, (u32)(8 + strlen(text) + 1));
    put(text, strlen(text) + 1);
}

static void put_module(u32 start, u32 end)
{
    begin_tag(TAG_MODULE, 24);
    put32(start);
    put32(end);
    put("archive", 8);
}

/* Parses what was put; returns the sentence it ended with, or NULL. */
static const char *parse_multiboot2(void)
{
    return sentence_of(boot_parse_multiboot2, LOADER_BASE);
}

static void multiboot2_tells_memory_archive_and_command_line(void **state)
{
    (void)state;
    begin_information();
    put_cmdline("init=/bin/sh -- x");
    put_module(0x200000, 0x234567);
    put_module(0x300000, 0x300001);
    put_memory_map(0x100000, 0xff00000);
    begin_tag(999, 12);
    put32(0xffffffff);
    end_information();
    assert_null(parse_multiboot2());
    assert_string_equal(boot_info.loader, "multiboot2");
    assert_string_equal(boot_info.cmdline, "init=/bin/sh -- x");
    assert_int_equal(boot_info.archive.start, 0x200000);
    assert_int_equal(boot_info.archive.end, 0x234567);
    assert_int_equal(boot_info.ram_count, 1);
    assert_int_equal(boot_info.ram[0].start, 0x100000);
    assert_int_equal(boot_info.ram[0].end, 0x10000000);
    assert_false(boot_info.has_framebuffer);
}

static void multiboot2_memory_that_touches_is_one_range_and_nonsense_is_skipped(void **state)
{
    (void)state;
    begin_information();
    put_memory_map(0x1000, 0x1000);
    put_memory_map(0x2000, 0x1000);
    put_memory_map(0x8000, 0);
    put_memory_map(0xfffffffffffff000, 0x2000);
    put_memory_map(0x9000, 0x1000);
    end_information();
    assert_null(parse_multiboot2());
    assert_int_equal(boot_info.ram_count, 2);
    assert_int_equal(boot_info.ram[0].end, 0x3000);
    assert_int_equal(boot_info.ram[1].start, 0x9000);
}

static void multiboot2_longer_memory_map_entries_are_understood(void **state)
{
    (void)state;
    begin_information();
    begin_tag(TAG_MEMORY_MAP, MEMORY_MAP_HEADER + 2 * 32);
    put32(32);
    put32(1);
    for (u64 base = 0x100000; base <= 0x900000; base += 0x800000) {
        put64(base);
        put64(0x1000);
        put64(1);
        put64(0xeeeeeeee);
    }
    end_information();
    assert_null(parse_multiboot2());
    assert_int_equal(boot_info.ram_count, 2);
    assert_int_equal(boot_info.ram[1].start, 0x900000);
}

static void multiboot2_more_ranges_than_fit_lose_memory_only(void **state)
{
    (void)state;
    begin_information();
    for (u64 i = 1; i <= BOOT_MAX_RANGES + 5; i++)
        put_memory_map(i * 0x10000, 0x1000);
    end_information();
    assert_null(parse_multiboot2());
    assert_int_equal(boot_info.ram_count, BOOT_MAX_RANGES);
}

static void a_command_line_that_is_too_long_is_cut_and_marked(void **state)
{
    (void)state;
    char text[BOOT_CMDLINE_SIZE + 100];

    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    begin_information();
    put_cmdline(text);
    put_memory_map(0x100000, 0x100000);
    end_information();
    assert_null(parse_multiboot2());
    assert_true(boot_info.cmdline_truncated);
    assert_int_equal(strlen(boot_info.cmdline), BOOT_CMDLINE_SIZE - 1);
}

static void a_command_line_without_its_nul_ends_with_its_tag(void **state)
{
    (void)state;
    begin_information();
    put_memory_map(0x100000, 0x100000);
    begin_tag(TAG_CMDLINE, 8 + 5);
    put("quietXXX", 8);
    end_information();
    assert_null(parse_multiboot2());
    assert_string_equal(boot_info.cmdline, "quiet");
}

static void multiboot2_framebuffer_is_told_with_its_colours(void **state)
{
    static const unsigned char rest[] = { 32, 1, 0, 0, 16, 8, 8, 8, 0, 8 };

    (void)state;
    begin_information();
    put_memory_map(0x100000, 0x100000);
    begin_tag(TAG_FRAMEBUFFER, 38);
    put64(0xfd000000);
    put32(4096);
    put32(1024);
    put32(768);
    put(rest, sizeof(rest));
    end_information();
    assert_null(parse_multiboot2());
    assert_true(boot_info.has_framebuffer);
    assert_int_equal(boot_info.framebuffer.address, 0xfd000000);
    assert_int_equal(boot_info.framebuffer.width, 1024);
    assert_int_equal(boot_info.framebuffer.red_position, 16);
    assert_int_equal(boot_info.framebuffer.blue_size, 8);
}

static void multiboot2_framebuffer_tag_that_ends_early_tells_no_colours(void **state)
{
    static const unsigned char rest[] = { 32, 1, 0, 0 };

    (void)state;
    begin_information();
    begin_tag(TAG_FRAMEBUFFER, 32);
    put64(0xfd000000);
    put32(4096);
    put32(1024);
    put32(768);
    put(rest, sizeof(rest));
    put_memory_map(0x100000, 0x100000);
    end_information();
    assert_null(parse_multiboot2());
    assert_true(boot_info.has_framebuffer);
    assert_int_equal(boot_info.framebuffer.red_position, 0);
    assert_int_equal(boot_info.framebuffer.green_position, 0);
}

static void multiboot2_memory_map_with_unaligned_entries_is_refused(void **state)
{
    (void)state;
    begin_information();
    begin_tag(TAG_MEMORY_MAP, MEMORY_MAP_HEADER + 2 * 28);
    put32(28);
    put32(0);
    put(NULL, 2 * 28);
    end_information();
    assert_non_null(strstr(parse_multiboot2(), "memory map is malformed"));
}

static void multiboot2_without_a_memory_map_is_refused(void **state)
{
    (void)state;
    begin_information();
    put_cmdline("");
    end_information();
    assert_non_null(strstr(parse_multiboot2(), "no memory map"));
}

static void multiboot2_tag_shorter_than_its_header_is_refused(void **state)
{
    (void)state;
    begin_information();
    put_memory_map(0x100000, 0x100000);
    begin_tag(77, 4);
    end_information();
    assert_non_null(strstr(parse_multiboot2(), "middle of a tag"));
}

static void multiboot2_memory_map_with_short_entries_is_refused(void **state)
{
    (void)state;
    begin_information();
    begin_tag(TAG_MEMORY_MAP, MEMORY_MAP_HEADER + 16);
    put32(0);
    put32(0);
    put(NULL, 16);
    end_information();
    assert_non_null(strstr(parse_multiboot2(), "memory map is malformed"));
}

static void multiboot2_module_that_ends_before_it_starts_is_refused(void **state)
{
    (void)state;
    begin_information();
    put_module(0x200000, 0x1fffff);
    end_information();
    assert_non_null(strstr(parse_multiboot2(), "module is malformed"));
}

/*
 * Every way to cut the information short, and every byte of it spoilt in turn: a sentence or a
 * result, no read outside.
 */
static void multiboot2_survives_every_cut_and_every_spoilt_byte(void **state)
{
    (void)state;
    begin_information();
    put_cmdline("init=/bin/sh");
    put_module(0x200000, 0x234567);
    put_memory_map(0x100000, 0x100000);
    end_information();
    size_t whole = loader_memory_size;

    for (size_t size = 0; size < whole; size++) {
        unsigned char *all = loader_memory;
        loader_memory = malloc(size ? size : 1);
        memcpy(loader_memory, all, size);
        loader_memory_size = size;
        if (size >= 4)
            set32(LOADER_BASE, (u32)size);
        memset(&boot_info, 0, sizeof(boot_info));
        assert_non_null(parse_multiboot2());
        free(loader_memory);
        loader_memory = all;
    }
    loader_memory_size = whole;
    set32(LOADER_BASE, (u32)whole);
    for (size_t at = 0; at < whole; at++) {
        for (unsigned spoilt = 0; spoilt < 256; spoilt++) {
            unsigned char right = loader_memory[at];
            loader_memory[at] = (unsigned char)spoilt;
            memset(&boot_info, 0, sizeof(boot_info));
            parse_multiboot2();
            loader_memory[at] = right;
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, boot_host_set_up, boot_host_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(multiboot2_tells_memory_archive_and_command_line),
        TEST(multiboot2_memory_that_touches_is_one_range_and_nonsense_is_skipped),
        TEST(multiboot2_longer_memory_map_entries_are_understood),
        TEST(multiboot2_more_ranges_than_fit_lose_memory_only),
        TEST(a_command_line_that_is_too_long_is_cut_and_marked),
        TEST(a_command_line_without_its_nul_ends_with_its_tag),
        TEST(multiboot2_framebuffer_is_told_with_its_colours),
        TEST(multiboot2_framebuffer_tag_that_ends_early_tells_no_colours),
        TEST(multiboot2_memory_map_with_unaligned_entries_is_refused),
        TEST(multiboot2_without_a_memory_map_is_refused),
        TEST(multiboot2_tag_shorter_than_its_header_is_refused),
        TEST(multiboot2_memory_map_with_short_entries_is_refused),
        TEST(multiboot2_module_that_ends_before_it_starts_is_refused),
        TEST(multiboot2_survives_every_cut_and_every_spoilt_byte),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
