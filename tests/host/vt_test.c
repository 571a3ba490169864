/* kernel/dev/vt*.c: what bytes and escape sequences make of the grid of cells. */
#include "kernel/dev/vt.h"
#include "kernel/lib/string.h"
#include "tests/host/harness.h"

#define ROWS 6
#define COLUMNS 10
#define GUARD 0xdead

static u16 cells[ROWS * COLUMNS + 1];
static struct vt vt;

static int fresh(void **state)
{
    (void)state;
    cells[ROWS * COLUMNS] = GUARD;
    vt_init(&vt, cells, ROWS, COLUMNS);
    return 0;
}

static void feed(const char *text)
{
    vt_write(&vt, text, strlen(text));
}

/*
 * What is seen from BACK lines above the grid as text, lines separated by |, without the spaces at their ends and
 * empty lines at its end.
 */
static const char *seen_from(unsigned back)
{
    static char text[ROWS * (COLUMNS + 1) + 1];
    size_t length = 0, end = 0;

    for (unsigned row = 0; row < ROWS; row++) {
        for (unsigned column = 0; column < COLUMNS; column++) {
            text[length++] = (char)VT_GLYPH(vt_cell_seen(&vt, back, row, column));
            if (text[length - 1] != ' ')
                end = length;
        }
        while (length > 0 && text[length - 1] == ' ')
            length--;
        end = MIN(end, length);
        text[length++] = '|';
    }
    while (length > 0 && text[length - 1] == '|')
        length--;
    text[length] = '\0';
    return text;
}

static const char *shown(void)
{
    return seen_from(0);
}

static void expect_cursor(unsigned row, unsigned column)
{
    assert_int_equal(vt.at.row, row);
    assert_int_equal(vt.at.column, column);
}

static u16 cell(unsigned row, unsigned column)
{
    return cells[row * COLUMNS + column];
}

static void text_is_written_line_by_line(void **state)
{
    (void)state;
    feed("one\r\ntwo\b\bO\r\n\tx");
    assert_string_equal(shown(), "one|tOo|        x");
    expect_cursor(2, 9);
    feed("\x7f\a");
    assert_string_equal(shown(), "one|tOo|        x");
}

static void the_last_column_wraps_only_with_the_next_character(void **state)
{
    (void)state;
    feed("0123456789");
    expect_cursor(0, 9);
    feed("\r\nx");
    assert_string_equal(shown(), "0123456789|x");
    feed("\033[1;1H0123456789ab");
    assert_string_equal(shown(), "0123456789|ab");
    /* What programs do at the last column to clear the rest does not take that column's character. */
    feed("\033[3;1H0123456789\033[K");
    assert_string_equal(shown(), "0123456789|ab|0123456789");
}

static void the_end_of_the_grid_scrolls(void **state)
{
    (void)state;
    feed("a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng");
    assert_string_equal(shown(), "b|c|d|e|f|g");
    feed("\033[1;1H\033M0");
    assert_string_equal(shown(), "0|b|c|d|e|f");
}

static void a_region_scrolls_alone(void **state)
{
    (void)state;
    feed("a\r\nb\r\nc\r\nd\r\ne\r\nf\033[3;5r");
    expect_cursor(0, 0);
    feed("\033[5;1H\nX\033[6;1H\n\nY");
    assert_string_equal(shown(), "a|b|d|e|X|Y");
    feed("\033[4;1H\033[L");
    assert_string_equal(shown(), "a|b|d||e|Y");
    feed("\033[3;1H\033[2M");
    assert_string_equal(shown(), "a|b|e|||Y");
    feed("\033[1;1H\033[L\033[6;1H\033[M");    /* outside of the region: nothing */
    assert_string_equal(shown(), "a|b|e|||Y");
    feed("\033[r\033[2S");
    assert_string_equal(shown(), "e|||Y");
    feed("\033[T");
    assert_string_equal(shown(), "|e|||Y");
    feed("\033[5;2r");                      /* nonsense: no region */
    assert_int_equal(vt.bottom, ROWS);
}

/* What memview -w does (user/common/split.c): room at the top, and nothing of what was there is lost. */
static void a_picture_is_put_above_what_is_there(void **state)
{
    (void)state;
    feed("a\r\nb\r\nc");
    feed("\n\n\033[2A\0337\033[H\033[2L\0338\033[2B\0337\033[3;6r\0338!");
    assert_string_equal(shown(), "||a|b|c!");
    feed("\r\nd\r\ne");
    assert_string_equal(shown(), "||b|c!|d|e");
    feed("\0337\033[HPICTURE\0338*");
    assert_string_equal(shown(), "PICTURE||b|c!|d|e*");
}

static void the_cursor_goes_where_it_is_sent(void **state)
{
    (void)state;
    feed("\033[3;4H");
    expect_cursor(2, 3);
    feed("\033[A\033[2C");
    expect_cursor(1, 5);
    feed("\033[B\033[3D");
    expect_cursor(2, 2);
    feed("\033[99;99H");
    expect_cursor(ROWS - 1, COLUMNS - 1);
    feed("\033[99A\033[99D");
    expect_cursor(0, 0);
    feed("\033[4d\033[6G");
    expect_cursor(3, 5);
    feed("\033[H");
    expect_cursor(0, 0);
    feed("\033[2;3f\0337\033[H\0338");
    expect_cursor(1, 2);
    feed("\033[E");
    expect_cursor(2, 0);
    feed("\033[s\033[H\033[u");
    expect_cursor(2, 0);
    feed("\033[?25l");
    assert_true(vt.cursor_hidden);
    feed("\033[?25h");
    assert_false(vt.cursor_hidden);
}

static void parts_are_erased(void **state)
{
    (void)state;
    feed("abcdef\033[3D\033[K");
    assert_string_equal(shown(), "abc");
    feed("def\033[3D\033[1K");
    assert_string_equal(shown(), "    ef");
    feed("\033[2K");
    assert_string_equal(shown(), "");
    feed("\033[Habcdef\033[H\033[2P");
    assert_string_equal(shown(), "cdef");
    feed("\033[@x");
    assert_string_equal(shown(), "xcdef");
    feed("\033[2X");
    assert_string_equal(shown(), "x  ef");
    feed("\r\nline\033[1;2H\033[J");
    assert_string_equal(shown(), "x");
    feed("\033[2J");
    assert_string_equal(shown(), "");
    feed("x\033[41m\033[K\033[m");
    assert_int_equal(VT_BACKGROUND(cell(0, 5)), 1);
    feed("\033c");
    assert_int_equal(cell(0, 5), VT_BLANK);
    expect_cursor(0, 0);
}

static void colours_are_those_asked_for(void **state)
{
    (void)state;
    feed("a\033[31mb\033[1mc\033[0md\033[30;42me\033[7mf\033[27;39;49mg\033[2mh\033[m\033[95;104mi\033[38;5;9;48;5;232mj");
    assert_int_equal(cell(0, 0), VT_CELL('a', 7, 0));
    assert_int_equal(cell(0, 1), VT_CELL('b', 1, 0));
    assert_int_equal(cell(0, 2), VT_CELL('c', 9, 0));
    assert_int_equal(cell(0, 3), VT_CELL('d', 7, 0));
    assert_int_equal(cell(0, 4), VT_CELL('e', 0, 2));
    assert_int_equal(cell(0, 5), VT_CELL('f', 2, 0));
    assert_int_equal(cell(0, 6), VT_CELL('g', 7, 0));
    assert_int_equal(cell(0, 7), VT_CELL('h', 8, 0));
    assert_int_equal(cell(0, 8), VT_CELL('i', 13, 12));
    assert_int_equal(cell(0, 9), VT_CELL('j', 9, 0));
    feed("\033[0m\r\n\033[38;2;1;2;3mk\033[1;22ml\033[2;31mm\0337\033[0mn\0338o");
    assert_int_equal(cell(1, 2), VT_CELL('m', 1, 0));
    assert_int_equal(cell(1, 3), VT_CELL('o', 1, 0));   /* the pen is kept with the place */
    assert_int_equal(cell(1, 0), VT_CELL('k', 7, 0));
    assert_int_equal(cell(1, 1), VT_CELL('l', 7, 0));
}

static void characters_of_unicode_have_glyphs(void **state)
{
    (void)state;
    feed("\xc3\xa4\xe2\x94\x80\xe2\x80\x99\xe6\xbc\xa2\xf0\x9f\x98\x80z\xff\x80y");
    assert_int_equal(VT_GLYPH(cell(0, 0)), 0x84);
    assert_int_equal(VT_GLYPH(cell(0, 1)), 0xc4);
    assert_int_equal(VT_GLYPH(cell(0, 2)), '\'');
    assert_int_equal(VT_GLYPH(cell(0, 3)), 0xfe);       /* a box for what the set lacks */
    assert_int_equal(VT_GLYPH(cell(0, 4)), 0xfe);
    assert_int_equal(VT_GLYPH(cell(0, 5)), 'z');
    assert_int_equal(VT_GLYPH(cell(0, 6)), 'y');        /* broken bytes are none */
}

static void what_is_unknown_does_nothing(void **state)
{
    (void)state;
    feed("\033[5i\033[?2004h\033[>c\033]0;title\aA\033(BB\033[1;2;3;4;5;6;7;8;9;10;11mC\033[99999999999999999999CD");
    assert_string_equal(shown(), "ABC      D");
    feed("\033[1\rE");                      /* a control character in the middle of a sequence acts at once */
    expect_cursor(1, 0);
}

static void changed_lines_are_known(void **state)
{
    (void)state;
    vt.dirty_first = vt.dirty_end = 0;
    feed("\033[3;1H");
    vt.dirty_first = vt.dirty_end = 0;
    feed("x");
    assert_int_equal(vt.dirty_first, 2);
    assert_int_equal(vt.dirty_end, 3);
    feed("\033[5;1Hy");
    assert_int_equal(vt.dirty_first, 2);
    assert_int_equal(vt.dirty_end, 5);
}

/* Whatever comes: cursor and region stay inside, and nothing is written beside the grid. */
static void nonsense_does_no_harm(void **state)
{
    static const char favourites[] = "\033[\033[;;0123456789ABCDHJKLMPXSTdfhlmrsu@?78cDEM\n\r\b\txyz\xc3\xa4\xe2";
    u32 seed = 12345;

    (void)state;
    for (int i = 0; i < 300000; i++) {
        seed = seed * 1103515245 + 12345;
        char byte = seed >> 30 ? favourites[(seed >> 8) % (sizeof(favourites) - 1)] : (char)(seed >> 16);
        vt_write(&vt, &byte, 1);
        assert_true(vt.at.row < ROWS && vt.at.column < COLUMNS && vt.saved.row < ROWS && vt.saved.column < COLUMNS);
        assert_true(vt.top < vt.bottom && vt.bottom <= ROWS && vt.dirty_end <= ROWS);
        assert_int_equal(cells[ROWS * COLUMNS], GUARD);
    }
}

static void what_leaves_at_the_top_is_kept(void **state)
{
    static u16 kept[4 * COLUMNS + 1];

    (void)state;
    feed("-\r\n-\r\n-\r\n-\r\n-\r\n-\r\n-\033[2J\033[H");
    assert_int_equal(vt.history.used, 0);           /* nobody has lent it memory */
    kept[4 * COLUMNS] = GUARD;
    vt_keep(&vt, kept, 4 * COLUMNS + 1);
    feed("a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh");
    assert_int_equal(vt.history.used, 2);
    assert_string_equal(seen_from(2), "a|b|c|d|e|f");
    assert_string_equal(seen_from(1), "b|c|d|e|f|g");
    assert_string_equal(seen_from(0), "c|d|e|f|g|h");
    feed("\r\ni\r\nj\r\nk");
    assert_int_equal(vt.history.used, 4);           /* a is forgotten */
    assert_string_equal(seen_from(4), "b|c|d|e|f|g");
    feed("\033[H\033[M\033[1;3r\033[3;1H\n\n\033[r");    /* a line taken out, a region that scrolls */
    assert_string_equal(seen_from(4), "b|c|d|e|i");
    feed("\033c");
    assert_int_equal(vt.history.used, 4);
    feed("\033[3J");
    assert_int_equal(vt.history.used, 0);
    assert_int_equal(kept[4 * COLUMNS], GUARD);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(text_is_written_line_by_line, fresh),
        cmocka_unit_test_setup(the_last_column_wraps_only_with_the_next_character, fresh),
        cmocka_unit_test_setup(the_end_of_the_grid_scrolls, fresh),
        cmocka_unit_test_setup(a_region_scrolls_alone, fresh),
        cmocka_unit_test_setup(a_picture_is_put_above_what_is_there, fresh),
        cmocka_unit_test_setup(the_cursor_goes_where_it_is_sent, fresh),
        cmocka_unit_test_setup(parts_are_erased, fresh),
        cmocka_unit_test_setup(colours_are_those_asked_for, fresh),
        cmocka_unit_test_setup(characters_of_unicode_have_glyphs, fresh),
        cmocka_unit_test_setup(what_is_unknown_does_nothing, fresh),
        cmocka_unit_test_setup(changed_lines_are_known, fresh),
        cmocka_unit_test_setup(what_leaves_at_the_top_is_kept, fresh),
        cmocka_unit_test_setup(nonsense_does_no_harm, fresh),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
