/* kernel/dev/framebuffer.c: a cell's pixels, in each format and size, inside the screen and nowhere else. */
#include <stdlib.h>

#include "kernel/dev/screen_device.h"
#include "kernel/lib/string.h"
#include "tests/host/harness.h"

#define GUARD 0xa5

/* The font that the build makes of font.txt; here one glyph: its first row has its leftmost and rightmost pixel. */
const u8 font_glyphs[256][16] = { ['x'] = { 0x81 }, ['y'] = { [15] = 0xff } };

const u32 screen_palette[SCREEN_COLOURS] = { [0] = 0x000000, [1] = 0xff0000, [2] = 0x123456, [7] = 0xffffff };

static u8 *memory;
static size_t size;
static struct screen_mode mode;
static unsigned rows, columns;

static void start(u32 width, u32 height, u8 bytes, u32 slack)
{
    free(memory);
    mode = (struct screen_mode){
        .width = width, .height = height, .bytes_per_pixel = bytes, .pitch = width * bytes + slack,
        .red = { 16, 8 }, .green = { 8, 8 }, .blue = { 0, 8 },
    };
    if (bytes == 2) {
        mode.red = (struct screen_channel){ 11, 5 };
        mode.green = (struct screen_channel){ 5, 6 };
        mode.blue = (struct screen_channel){ 0, 5 };
    }
    size = (size_t)mode.pitch * height;
    memory = malloc(size + 16);
    memset(memory, GUARD, size + 16);
    mode.memory = memory;
    framebuffer_device.init(&mode, &rows, &columns);
}

static u32 pixel(u32 x, u32 y)
{
    u32 value = 0;

    memcpy(&value, memory + y * mode.pitch + x * mode.bytes_per_pixel, mode.bytes_per_pixel);
    return value;
}

static void a_cell_is_drawn_in_its_place(void **state)
{
    (void)state;
    start(640, 400, 4, 0);
    assert_int_equal(rows, 25);
    assert_int_equal(columns, 80);
    framebuffer_device.draw(2, 3, VT_CELL('x', 1, 2));
    assert_int_equal(pixel(24, 32), 0xff0000);
    assert_int_equal(pixel(25, 32), 0x123456);
    assert_int_equal(pixel(31, 32), 0xff0000);
    assert_int_equal(pixel(24, 33), 0x123456);
    assert_int_equal(pixel(31, 47), 0x123456);
    assert_int_equal(pixel(23, 32), 0);
    assert_int_equal(pixel(32, 32), 0);
    assert_int_equal(pixel(24, 31), 0);
    assert_int_equal(pixel(24, 48), 0);
    framebuffer_device.draw(2, 3, VT_CELL('y', 7, 0));
    assert_int_equal(pixel(24, 32), 0);
    assert_int_equal(pixel(28, 47), 0xffffff);
}

static void pixels_have_the_formats_of_the_mode(void **state)
{
    (void)state;
    start(640, 400, 2, 6);
    framebuffer_device.draw(0, 0, VT_CELL('x', 1, 2));
    assert_int_equal(pixel(0, 0), 0xf800);
    assert_int_equal(pixel(1, 0), (0x12 >> 3) << 11 | (0x34 >> 2) << 5 | 0x56 >> 3);
    start(640, 400, 3, 0);
    framebuffer_device.draw(0, 1, VT_CELL('x', 1, 2));
    assert_int_equal(pixel(8, 0), 0xff0000);
    assert_int_equal(pixel(9, 0), 0x123456);
    assert_int_equal(pixel(7, 0), 0);
}

static void large_screens_have_large_letters(void **state)
{
    (void)state;
    start(2560, 1600, 4, 0);
    assert_int_equal(columns, 160);
    assert_int_equal(rows, 50);
    framebuffer_device.draw(1, 1, VT_CELL('x', 1, 2));
    assert_int_equal(pixel(16, 32), 0xff0000);
    assert_int_equal(pixel(17, 33), 0xff0000);
    assert_int_equal(pixel(18, 33), 0x123456);
    assert_int_equal(pixel(16, 34), 0x123456);
    assert_int_equal(pixel(31, 32), 0xff0000);
}

static void the_letters_stand_in_the_middle_and_nothing_outside_is_touched(void **state)
{
    static const struct {
        u32 width, height;
        u8 bytes;
    } modes[] = { { 800, 600, 4 }, { 1366, 768, 4 }, { 1366, 768, 3 }, { 320, 200, 2 }, { 8, 16, 4 }, { 5000, 3000, 4 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        start(modes[i].width, modes[i].height, modes[i].bytes, 32);
        assert_true(rows <= SCREEN_ROWS_MAX && columns <= SCREEN_COLUMNS_MAX);
        for (unsigned row = 0; row < rows; row++) {
            for (unsigned column = 0; column < columns; column++)
                framebuffer_device.draw(row, column, VT_CELL('x', 7, 2));
        }
        for (u32 y = 0; y < mode.height; y++) {
            for (u32 j = 0; j < 32; j++)
                assert_int_equal(memory[y * mode.pitch + mode.width * mode.bytes_per_pixel + j], GUARD);
        }
        for (size_t j = size; j < size + 16; j++)
            assert_int_equal(memory[j], GUARD);
    }
    start(1366, 768, 4, 0);         /* 170 columns take 1360 */
    framebuffer_device.draw(0, 0, VT_CELL('x', 1, 2));
    assert_int_equal(pixel(1, 0), 0);
    assert_int_equal(pixel(2, 0), 0xff0000);
    start(800, 600, 4, 0);          /* 37 lines take 592 */
    framebuffer_device.draw(0, 0, VT_CELL('x', 1, 2));
    assert_int_equal(pixel(0, 3), 0);
    assert_int_equal(pixel(0, 4), 0xff0000);
    free(memory);
    memory = NULL;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_is_drawn_in_its_place),
        cmocka_unit_test(pixels_have_the_formats_of_the_mode),
        cmocka_unit_test(large_screens_have_large_letters),
        cmocka_unit_test(the_letters_stand_in_the_middle_and_nothing_outside_is_touched),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
