/* The escape sequences of ECMA-48 and DEC's VT100 that our programs and common ones use. */
#include "kernel/dev/vt_sequence.h"
#include "kernel/lib/string.h"

#define ERASE_HISTORY_TOO 3         /* CSI 3 J, which xterm has added */
#define ESCAPE 0x1b
#define BELL 0x07
#define PARAMETER_MAX 9999
#define CURSOR_MODE 25          /* CSI ? 25 h, CSI ? 25 l: DECTCEM */

/* The parameter with this INDEX; 0 and missing ones count as OTHERWISE. */
static unsigned parameter(const struct vt *vt, unsigned index, unsigned otherwise)
{
    return index < vt->parameter_count && vt->parameters[index] ? vt->parameters[index] : otherwise;
}

/* ---- colours: SGR ---- */

#define SGR_EXTENDED 8          /* 38 and 48: 5;N or 2;R;G;B follow */

/* Of 256 colours: the first 16 are ours, the cube and the greys become the nearest of them. */
static u8 nearest_colour(unsigned colour)
{
    static const u8 of_level[6] = { 0, 0, 1, 1, 1, 1 };

    if (colour < 16)
        return (u8)colour;
    if (colour >= 232)
        return colour < 238 ? VT_BLACK : colour < 246 ? VT_BRIGHT : colour < 252 ? VT_WHITE : VT_BRIGHT | VT_WHITE;
    colour -= 16;
    return (u8)(of_level[colour / 36 % 6] | of_level[colour / 6 % 6] << 1 | of_level[colour % 6] << 2);
}

/* Returns how many parameters behind INDEX it used up. */
static unsigned extended_colour(const struct vt *vt, unsigned index, u8 *colour)
{
    unsigned kind = parameter(vt, index + 1, 0);

    if (kind == 5) {
        *colour = nearest_colour(MIN(parameter(vt, index + 2, 0), 255u));
        return 2;
    }
    return kind == 2 ? 4 : 1;
}

/* A list of cases. */
static unsigned select_graphic(struct vt *vt, unsigned index)
{
    struct vt_pen *pen = &vt->at.pen;
    unsigned code = parameter(vt, index, 0);

    switch (code) {
    case 0:
        *pen = (struct vt_pen){ .foreground = VT_WHITE };
        break;
    case 1:
        pen->bold = true;
        break;
    case 2:
        pen->dim = true;
        break;
    case 7:
        pen->inverse = true;
        break;
    case 22:
        pen->bold = pen->dim = false;
        break;
    case 27:
        pen->inverse = false;
        break;
    case 30 ... 37:
        pen->foreground = (u8)(code - 30);
        break;
    case 30 + SGR_EXTENDED:
        return extended_colour(vt, index, &pen->foreground);
    case 39:
        pen->foreground = VT_WHITE;
        break;
    case 40 ... 47:
        pen->background = (u8)(code - 40);
        break;
    case 40 + SGR_EXTENDED:
        return extended_colour(vt, index, &pen->background);
    case 49:
        pen->background = VT_BLACK;
        break;
    case 90 ... 97:
        pen->foreground = (u8)(VT_BRIGHT | (code - 90));
        break;
    case 100 ... 107:
        pen->background = (u8)(VT_BRIGHT | (code - 100));
        break;
    default:
        break;
    }
    return 0;
}

/* ---- control sequences: CSI ---- */

static void erase_in_display(struct vt *vt)
{
    unsigned cursor = vt->at.row * vt->columns + vt->at.column, end = vt->rows * vt->columns;
    unsigned what = parameter(vt, 0, 0);

    vt_erase(vt, what == 0 ? cursor : 0, what == 1 ? cursor + 1 : end);
    if (what == ERASE_HISTORY_TOO)
        vt->history.used = 0;
}

static void erase_in_line(struct vt *vt)
{
    unsigned line = vt->at.row * vt->columns, cursor = line + vt->at.column;
    unsigned what = parameter(vt, 0, 0);

    if (what == 0 && vt->at.wraps)
        return;         /* the cursor stands behind the last column */
    vt_erase(vt, what == 0 ? cursor : line, what == 1 ? cursor + 1 : line + vt->columns);
}

/* Makes room for COUNT characters at the cursor, or (if negative) takes so many out. */
static void shift_line(struct vt *vt, int count)
{
    unsigned left = vt->columns - vt->at.column;
    unsigned shift = MIN((unsigned)(count < 0 ? -count : count), left);
    unsigned cursor = vt->at.row * vt->columns + vt->at.column;
    u16 *at = vt->cells + cursor;

    if (count > 0) {
        memmove(at + shift, at, (left - shift) * sizeof(*at));
        vt_erase(vt, cursor, cursor + shift);
    } else {
        memmove(at, at + shift, (left - shift) * sizeof(*at));
        vt_erase(vt, cursor + left - shift, cursor + left);
    }
}

static void set_region(struct vt *vt)
{
    unsigned top = parameter(vt, 0, 1) - 1, bottom = MIN(parameter(vt, 1, vt->rows), vt->rows);

    if (top + 1 >= bottom)
        return;
    vt->top = top;
    vt->bottom = bottom;
    vt_go(vt, 0, 0);
}

static void set_mode(struct vt *vt, bool on)
{
    for (unsigned i = 0; i < vt->parameter_count; i++) {
        if (vt->is_private && vt->parameters[i] == CURSOR_MODE) {
            vt->cursor_hidden = !on;
            vt_changed(vt, vt->at.row, vt->at.row + 1);
        }
    }
}

static void insert_lines(struct vt *vt, int count)
{
    if (vt->at.row >= vt->top && vt->at.row < vt->bottom)
        vt_scroll(vt, vt->at.row, -count);
}

/* The last byte of a control sequence says what it does. A list of cases. */
static void control_sequence(struct vt *vt, u8 final)
{
    unsigned row = vt->at.row, column = vt->at.column;
    unsigned count = parameter(vt, 0, 1);

    switch (final) {
    case 'A':
        vt_go(vt, row > count ? row - count : 0, column);
        break;
    case 'B':
    case 'e':
        vt_go(vt, row + count, column);
        break;
    case 'C':
    case 'a':
        vt_go(vt, row, column + count);
        break;
    case 'D':
        vt_go(vt, row, column > count ? column - count : 0);
        break;
    case 'E':
        vt_go(vt, row + count, 0);
        break;
    case 'F':
        vt_go(vt, row > count ? row - count : 0, 0);
        break;
    case 'G':
    case '`':
        vt_go(vt, row, count - 1);
        break;
    case 'd':
        vt_go(vt, count - 1, column);
        break;
    case 'H':
    case 'f':
        vt_go(vt, count - 1, parameter(vt, 1, 1) - 1);
        break;
    case 'J':
        erase_in_display(vt);
        break;
    case 'K':
        erase_in_line(vt);
        break;
    case 'L':
        insert_lines(vt, (int)count);
        break;
    case 'M':
        insert_lines(vt, -(int)count);
        break;
    case '@':
        shift_line(vt, (int)count);
        break;
    case 'P':
        shift_line(vt, -(int)count);
        break;
    case 'X':
        vt_erase(vt, row * vt->columns + column, row * vt->columns + MIN(column + count, vt->columns));
        break;
    case 'S':
        vt_scroll(vt, vt->top, (int)count);
        break;
    case 'T':
        vt_scroll(vt, vt->top, -(int)count);
        break;
    case 'h':
    case 'l':
        set_mode(vt, final == 'h');
        break;
    case 'm':
        for (unsigned i = 0; i < MAX(vt->parameter_count, 1u); i++)
            i += select_graphic(vt, i);
        break;
    case 'r':
        set_region(vt);
        break;
    case 's':
        vt->saved = vt->at;
        break;
    case 'u':
        vt_go(vt, vt->saved.row, vt->saved.column);
        break;
    default:
        break;          /* what we don't know does nothing */
    }
}

/* ---- the parser ---- */

static void restore(struct vt *vt)
{
    vt_go(vt, vt->saved.row, vt->saved.column);
    vt->at.pen = vt->saved.pen;
    vt->at.wraps = vt->saved.wraps;
}

static void escape(struct vt *vt, u8 byte)
{
    vt->state = VT_TEXT;
    switch (byte) {
    case '[':
        vt->state = VT_CSI;
        vt->is_private = false;
        vt->parameter_count = 0;
        memset(vt->parameters, 0, sizeof(vt->parameters));
        break;
    case ']':
    case 'P':
        vt->state = VT_STRING;
        break;
    case '(':
    case ')':
    case '#':
        vt->state = VT_CHARSET;
        break;
    case '7':
        vt->saved = vt->at;
        break;
    case '8':
        restore(vt);
        break;
    case 'c':
        vt_reset(vt);
        break;
    case 'D':
        vt_line_feed(vt);
        break;
    case 'E':
        vt_line_feed(vt);
        vt_go(vt, vt->at.row, 0);
        break;
    case 'M':
        if (vt->at.row == vt->top)
            vt_scroll(vt, vt->top, -1);
        else
            vt_go(vt, vt->at.row - (vt->at.row > 0), vt->at.column);
        break;
    default:
        break;
    }
}

static void digit(struct vt *vt, u8 byte)
{
    unsigned last = vt->parameter_count > 0 ? vt->parameter_count - 1 : 0;
    unsigned *value = &vt->parameters[last];

    vt->parameter_count = last + 1;
    *value = MIN(*value * 10 + (byte - '0'), (unsigned)PARAMETER_MAX);
}

static void csi(struct vt *vt, u8 byte)
{
    if (byte >= '0' && byte <= '9') {
        digit(vt, byte);
    } else if (byte == ';' || byte == ':') {
        vt->parameter_count = MIN(MAX(vt->parameter_count, 1u) + 1, (unsigned)VT_PARAMETERS);
    } else if (byte == '?' || byte == '>' || byte == '=') {
        vt->is_private = true;
    } else if (byte >= '@') {
        vt->state = VT_TEXT;
        if (!vt->is_private || byte == 'h' || byte == 'l')
            control_sequence(vt, byte);
    }
}

void vt_sequence_byte(struct vt *vt, u8 byte)
{
    switch (vt->state) {
    case VT_ESCAPE:
        escape(vt, byte);
        break;
    case VT_CSI:
        csi(vt, byte);
        break;
    case VT_STRING:         /* a title or the like, up to BEL or ESC \ */
        if (byte == BELL)
            vt->state = VT_TEXT;
        else if (byte == ESCAPE)
            vt->state = VT_CHARSET;
        break;
    default:                /* one more byte, and it is over */
        vt->state = VT_TEXT;
        break;
    }
}
