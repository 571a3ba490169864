/* boot/pvh.c: what QEMU tells becomes boot_info, and whatever is malformed ends in a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/boot_info.h"
#include "tests/host/boot_host.h"

#define START_INFO_MAGIC 0x336ec578
struct start_info {
    u32 magic, version, flags, module_count;
    u64 modules, cmdline, rsdp, memory_map;
    u32 memory_map_count, reserved;
};

static const char *parse_pvh(const struct start_info *info)
{
    return sentence_of(boot_parse_pvh, put(info, sizeof(*info)));
}

/* Puts a memory map, a module and a command line; returns the information that names them. */
static struct start_info good_pvh(void)
{
    static const char options[16] = "quiet run";
    struct start_info info = { .magic = START_INFO_MAGIC, .version = 1, .module_count = 1, .memory_map_count = 2 };

    info.memory_map = put(NULL, 0);
    put64(0);
    put64(0x9fc00);
    put64(1);
    put64(0xa0000);
    put64(0x60000);
    put64(2);
    info.modules = put(NULL, 0);
    put64(0x200000);
    put64(0x1234);
    put64(0);
    put64(0);
    info.cmdline = put(options, sizeof(options));
    return info;
}

static void pvh_tells_memory_archive_and_command_line(void **state)
{
    struct start_info info = good_pvh();

    (void)state;
    assert_null(parse_pvh(&info));
    assert_string_equal(boot_info.loader, "PVH");
    assert_int_equal(boot_info.ram_count, 1);
    assert_int_equal(boot_info.ram[0].end, 0x9fc00);
    assert_int_equal(boot_info.archive.end, 0x201234);
    assert_string_equal(boot_info.cmdline, "quiet run");
}

static void pvh_without_a_memory_map_is_refused(void **state)
{
    struct start_info info = good_pvh();

    (void)state;
    info.version = 0;
    assert_non_null(strstr(parse_pvh(&info), "no memory map"));
    info.version = 1;
    info.memory_map_count = 0;
    assert_non_null(strstr(parse_pvh(&info), "no memory map"));
}

static void pvh_with_wild_counts_and_addresses_is_refused(void **state)
{
    struct start_info good = good_pvh(), info = good;

    (void)state;
    info.magic = 0;
    assert_non_null(strstr(parse_pvh(&info), "not where it should be"));
    info = good;
    info.memory_map_count = 0xffffffff;
    assert_non_null(strstr(parse_pvh(&info), "memory map is malformed"));
    info = good;
    info.memory_map = ~0ull - 7;
    assert_non_null(strstr(parse_pvh(&info), "memory map is malformed"));
    info = good;
    info.modules = 1ull << 40;
    assert_non_null(strstr(parse_pvh(&info), "module is malformed"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, boot_host_set_up, boot_host_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(pvh_tells_memory_archive_and_command_line),
        TEST(pvh_without_a_memory_map_is_refused),
        TEST(pvh_with_wild_counts_and_addresses_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
