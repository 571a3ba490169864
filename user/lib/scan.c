/* sscanf: reading numbers and words out of a string. */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 80, WIDTH_NONE = -1 };

/* One conversion, as it is written after its '%'. */
struct conversion {
    bool discard; /* '*' */
    int width;    /* or WIDTH_NONE */
    size_t size;  /* of the integer that receives the result, in bytes */
    char letter;
    const char *set; /* of %[set]: the first character behind '[' */
};

static const char *parse_size(struct conversion *c, const char *format)
{
    c->size = sizeof(int);
    if (*format == 'h') {
        c->size = format[1] == 'h' ? sizeof(char) : sizeof(short);
        return format + (format[1] == 'h' ? 2 : 1);
    }
    if (*format == 'l' || *format == 'z' || *format == 'j' || *format == 't') {
        c->size = sizeof(long);
        return format + (format[0] == 'l' && format[1] == 'l' ? 2 : 1);
    }
    return format;
}

static const char *parse_conversion(struct conversion *c, const char *format)
{
    *c = (struct conversion){.width = WIDTH_NONE};
    if (*format == '*') {
        c->discard = true;
        format++;
    }
    if (isdigit(*format)) {
        for (c->width = 0; isdigit(*format); format++)
            c->width = c->width * 10 + (*format - '0');
    }
    format = parse_size(c, format);
    c->letter = *format;
    if (*format != '\0')
        format++;
    if (c->letter == 'p')
        c->size = sizeof(void *);
    if (c->letter == '[') {
        c->set = format;
        format += *format == '^';
        format += *format == ']'; /* a ']' in first place belongs to the set */
        while (*format != '\0' && *format != ']')
            format++;
        format += *format == ']';
    }
    return format;
}

/* Is C in the set that begins at SET and ends at ']'? Ranges a-z and a leading '^' are known. */
static bool in_set(const char *set, char c)
{
    bool negated = *set == '^';
    set += negated;
    bool found = false;
    for (const char *first = set; *set != '\0' && (*set != ']' || set == first); set++) {
        if (set[1] == '-' && set[2] != ']' && set[2] != '\0') {
            found |= c >= set[0] && c <= set[2];
            set += 2;
        } else {
            found |= c == *set;
        }
    }
    return found != negated;
}

static void store(const struct conversion *c, void *where, unsigned long value)
{
    memcpy(where, &value, c->size); /* little-endian: the low bytes come first */
}

static int base_of(char letter)
{
    switch (letter) {
    case 'i':
        return 0; /* as the prefix says */
    case 'o':
        return 8;
    case 'd':
    case 'u':
        return 10;
    default:
        return 16;
    }
}

/* Read an integer; returns what follows it, or NULL if there is none. */
static const char *scan_number(const struct conversion *c, const char *text, void *where)
{
    char copy[NUMBER_TEXT_MAX], *end;
    size_t limit = c->width == WIDTH_NONE ? sizeof copy - 1 : (size_t)c->width;
    if (limit > sizeof copy - 1)
        limit = sizeof copy - 1;
    size_t length = strnlen(text, limit);
    memcpy(copy, text, length);
    copy[length] = '\0';
    bool is_signed = c->letter == 'd' || c->letter == 'i';
    int base = base_of(c->letter);
    unsigned long value =
        is_signed ? (unsigned long)strtol(copy, &end, base) : strtoul(copy, &end, base);
    if (end == copy)
        return NULL;
    if (!c->discard)
        store(c, where, value);
    return text + (end - copy);
}

/* Does a conversion to text go on over this character? */
static bool takes(const struct conversion *c, char character)
{
    if (c->letter == 'c')
        return true;
    return c->letter == 's' ? !isspace(character) : in_set(c->set, character);
}

/* Read characters: a word (%s), any (%c), or those of a set; NULL if there is none. */
static const char *scan_text(const struct conversion *c, const char *text, char *where)
{
    size_t limit = c->width != WIDTH_NONE ? (size_t)c->width : c->letter == 'c' ? 1 : SIZE_MAX;
    size_t length = 0;
    while (length < limit && text[length] != '\0' && takes(c, text[length]))
        length++;
    if (length == 0 || (c->letter == 'c' && length < limit))
        return NULL;
    if (!c->discard) {
        memcpy(where, text, length);
        if (c->letter != 'c')
            where[length] = '\0';
    }
    return text + length;
}

static const char *skip_space(const char *text)
{
    while (isspace(*text))
        text++;
    return text;
}

/*
 * Do one conversion on *TEXT and move it on. Returns how many results it stored, or EOF when the
 * text does not match.
 */
static int convert(const struct conversion *c, const char *restrict *text, const char *start,
                   void *where)
{
    const char *end;
    switch (c->letter) {
    case 'n':
        if (where != NULL)
            store(c, where, (unsigned long)(*text - start));
        return 0;
    case '%':
        end = **text == '%' ? *text + 1 : NULL;
        break;
    case 's':
    case 'c':
    case '[':
        end = scan_text(c, *text, where);
        break;
    default:
        end = scan_number(c, *text, where);
    }
    if (end == NULL)
        return EOF;
    *text = end;
    return c->letter != '%' && !c->discard;
}

int vsscanf(const char *restrict text, const char *restrict format, va_list arguments)
{
    const char *start = text;
    int stored = 0;
    while (*format != '\0') {
        if (isspace(*format)) {
            format = skip_space(format);
            text = skip_space(text);
        } else if (*format != '%') {
            if (*text != *format)
                return *text == '\0' && stored == 0 ? EOF : stored;
            text++, format++;
        } else {
            struct conversion c;
            format = parse_conversion(&c, format + 1);
            if (c.letter != 'c' && c.letter != '[' && c.letter != 'n')
                text = skip_space(text);
            if (*text == '\0' && c.letter != 'n')
                return stored == 0 ? EOF : stored;
            bool has_result = !c.discard && c.letter != '%';
            int more = convert(&c, &text, start, has_result ? va_arg(arguments, void *) : NULL);
            if (more == EOF)
                return stored;
            stored += more;
        }
    }
    return stored;
}

int sscanf(const char *restrict text, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int stored = vsscanf(text, format, arguments);
    va_end(arguments);
    return stored;
}
