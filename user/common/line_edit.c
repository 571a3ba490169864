/*
 * Reading a line from a terminal, with editing and history.
 *
 * The line is shown in one row; when it is too long, the part around the cursor is shown. What is
 * written for one key goes out in one write, so that a slow line does not flicker.
 */
#include "user/common/line_edit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "user/common/terminal.h"

#define CONTROL(letter) ((letter) & 0x1f)
#define ESCAPE          0x1b
#define DELETE          0x7f
#define HISTORY_LINES   64
#define OUTPUT_SIZE     (2 * LINE_SIZE)

/* Keys that arrive as several bytes. */
enum key {
    KEY_UP = 0x100,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_UNKNOWN,
    KEY_NONE, /* the terminal is gone */
};

static struct {
    char *text;
    size_t length, cursor;
    const char *prompt;
    int prompt_columns;
    int history_place; /* which remembered line is shown; history_count: none, the new one */
} edit;

static char *history[HISTORY_LINES];
static int history_count;
static char unfinished[LINE_SIZE]; /* the new line, while an old one is shown */

void line_remember(const char *line)
{
    if (*line == '\0' || (history_count > 0 && strcmp(history[history_count - 1], line) == 0))
        return;
    char *copy = strdup(line);
    if (copy == NULL)
        return;
    if (history_count == HISTORY_LINES) {
        free(history[0]);
        memmove(history, history + 1, sizeof history - sizeof history[0]);
        history_count--;
    }
    history[history_count++] = copy;
}

/* --- showing ------------------------------------------------------------------------------ */

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80; /* not a further byte of UTF-8 */
}

static int columns_of(const char *text, size_t length)
{
    int columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += begins_character(text[i]);
    return columns;
}

/* The room that a prompt takes: escape sequences, from ESC to a letter, take none. */
static int prompt_columns(const char *prompt)
{
    int columns = 0;
    for (; *prompt != '\0'; prompt++) {
        if (*prompt == ESCAPE)
            prompt += strcspn(prompt, "ABCDHJKm");
        else
            columns += begins_character(*prompt);
    }
    return columns;
}

/* Draw the row anew: prompt, the visible part of the line, and the cursor in its place. */
static void redraw(void)
{
    static char row[OUTPUT_SIZE];
    int room = terminal_columns() - edit.prompt_columns - 1;
    size_t first = 0, end = edit.length;
    while (columns_of(edit.text + first, edit.cursor - first) > room)
        first++;
    while (columns_of(edit.text + first, end - first) > room)
        end--;
    int cursor = edit.prompt_columns + columns_of(edit.text + first, edit.cursor - first);
    int length = snprintf(row, sizeof row, "\r%s%.*s\033[K\r", edit.prompt, (int)(end - first),
                          edit.text + first);
    if (cursor > 0)
        length += snprintf(row + length, sizeof row - (size_t)length, "\033[%dC", cursor);
    terminal_write(row, (size_t)length);
}

/* --- changing ----------------------------------------------------------------------------- */

static void insert(const char *text, size_t length)
{
    if (edit.length + length >= LINE_SIZE)
        return;
    memmove(edit.text + edit.cursor + length, edit.text + edit.cursor, edit.length - edit.cursor);
    memcpy(edit.text + edit.cursor, text, length);
    edit.length += length;
    edit.cursor += length;
}

/* Take out the text from FIRST to the cursor (or the other way round); the cursor ends up there. */
static void erase_to(size_t other)
{
    size_t first = other < edit.cursor ? other : edit.cursor;
    size_t end = other < edit.cursor ? edit.cursor : other;
    memmove(edit.text + first, edit.text + end, edit.length - end);
    edit.length -= end - first;
    edit.cursor = first;
}

static size_t left_of_cursor(void)
{
    size_t place = edit.cursor;
    while (place > 0 && !begins_character(edit.text[--place]))
        continue;
    return place;
}

static size_t right_of_cursor(void)
{
    size_t place = edit.cursor;
    while (place < edit.length && !begins_character(edit.text[++place]))
        continue;
    return place < edit.length ? place : edit.length;
}

static size_t word_before_cursor(void)
{
    size_t place = edit.cursor;
    while (place > 0 && edit.text[place - 1] == ' ')
        place--;
    while (place > 0 && edit.text[place - 1] != ' ')
        place--;
    return place;
}

static void show_history(int place)
{
    if (place < 0 || place > history_count || place == edit.history_place)
        return;
    edit.text[edit.length] = '\0';
    if (edit.history_place == history_count)
        snprintf(unfinished, sizeof unfinished, "%s", edit.text);
    edit.history_place = place;
    snprintf(edit.text, LINE_SIZE, "%s", place == history_count ? unfinished : history[place]);
    edit.length = edit.cursor = strlen(edit.text);
}

static void complete_word(line_completer complete, bool is_second_try)
{
    char addition[LINE_SIZE];
    if (complete == NULL)
        return;
    edit.text[edit.length] = '\0';
    complete(edit.text, edit.cursor, addition, sizeof addition, is_second_try);
    insert(addition, strlen(addition));
}

/* --- keys --------------------------------------------------------------------------------- */

static int next_byte(void)
{
    unsigned char byte;
    return read(STDIN_FILENO, &byte, 1) == 1 ? byte : KEY_NONE;
}

/* What follows an ESC: `[` or `O`, perhaps numbers, and a letter or `~`. Linux's F1 to F5 have a second `[`. */
static int read_escape(void)
{
    int introducer = next_byte();
    if (introducer != '[' && introducer != 'O')
        return KEY_UNKNOWN;
    int number = 0, byte;
    while ((byte = next_byte()) == ';' || (byte >= '0' && byte <= '9'))
        number = byte == ';' ? 0 : number * 10 + byte - '0';
    switch (byte) {
    case '[':
        next_byte();
        return KEY_UNKNOWN;
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case '~':
        return number == 1 || number == 7   ? KEY_HOME
               : number == 4 || number == 8 ? KEY_END
               : number == 3                ? KEY_DELETE
                                            : KEY_UNKNOWN;
    default:
        return KEY_UNKNOWN;
    }
}

/* Do what a key stands for, apart from those that end the line. */
static void handle_key(int key)
{
    char byte = (char)key;
    switch (key) {
    case CONTROL('A'):
    case KEY_HOME:
        edit.cursor = 0;
        break;
    case CONTROL('E'):
    case KEY_END:
        edit.cursor = edit.length;
        break;
    case CONTROL('B'):
    case KEY_LEFT:
        edit.cursor = left_of_cursor();
        break;
    case CONTROL('F'):
    case KEY_RIGHT:
        edit.cursor = right_of_cursor();
        break;
    case CONTROL('P'):
    case KEY_UP:
        show_history(edit.history_place - 1);
        break;
    case CONTROL('N'):
    case KEY_DOWN:
        show_history(edit.history_place + 1);
        break;
    case CONTROL('H'):
    case DELETE:
        erase_to(left_of_cursor());
        break;
    case CONTROL('D'):
    case KEY_DELETE:
        erase_to(right_of_cursor());
        break;
    case CONTROL('U'):
        erase_to(0);
        break;
    case CONTROL('K'):
        erase_to(edit.length);
        break;
    case CONTROL('W'):
        erase_to(word_before_cursor());
        break;
    case CONTROL('L'):
        terminal_write("\033[H\033[2J", strlen("\033[H\033[2J"));
        break;
    default:
        if (key < KEY_UP && key >= ' ')
            insert(&byte, 1);
    }
}

/*
 * Handle a key and show its effect. Nearly all keys are plain ones at the end of the line: for
 * those it is enough to print the character.
 */
static void handle_and_show(int key)
{
    bool is_plain = key >= ' ' && key < DELETE && edit.cursor == edit.length;
    int columns = edit.prompt_columns + columns_of(edit.text, edit.length);
    size_t length = edit.length;
    handle_key(key);
    if (is_plain && columns + 2 < terminal_columns() && edit.length == length + 1)
        terminal_write(&edit.text[length], 1);
    else
        redraw();
}

static enum line_result edit_until_end(line_completer complete)
{
    redraw();
    for (int key = 0, previous;;) {
        previous = key;
        key = next_byte();
        if (key == ESCAPE)
            key = read_escape();
        if (key == '\r' || key == '\n') {
            edit.cursor = edit.length;
            redraw();
            return LINE_READY;
        }
        if (key == CONTROL('C')) {
            terminal_write("^C", 2);
            return LINE_CANCELLED;
        }
        if (key == KEY_NONE || (key == CONTROL('D') && edit.length == 0))
            return LINE_AT_END;
        if (key == '\t') {
            complete_word(complete, previous == '\t');
            redraw();
        } else {
            handle_and_show(key);
        }
    }
}

enum line_result line_edit(const char *prompt, char *line, line_completer complete)
{
    struct termios normal, raw;
    edit.text = line;
    edit.length = edit.cursor = 0;
    edit.prompt = prompt;
    edit.prompt_columns = prompt_columns(prompt);
    edit.history_place = history_count;

    if (tcgetattr(STDIN_FILENO, &normal) < 0)
        return LINE_AT_END;
    raw = normal;
    raw.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    enum line_result result = edit_until_end(complete);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &normal);
    terminal_write("\n", 1);
    line[edit.length] = '\0';
    return result;
}
