/* Formatted output into a buffer: one pass over the format, one conversion at a time. */
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"

/* Where the text goes, and how long it would be in all. */
struct output {
    char *buffer;
    size_t size;
    size_t length;
};

/* One conversion: %[flags][width][.precision][length]letter. */
struct conversion {
    bool left, zero, plus, space, alternate;
    int width;
    int precision;      /* -1: none given */
    int bytes;          /* of the integer argument */
    char letter;
};

/* The digits of 2^64 in octal, and a little. */
#define DIGITS_MAX 24

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->buffer[out->length] = c;
    out->length++;
}

static void put_repeated(struct output *out, char c, long count)
{
    for (; count > 0; count--)
        put(out, c);
}

static void put_bytes(struct output *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
}

static void put_text(struct output *out, const struct conversion *c, const char *text, size_t length)
{
    long padding = c->width - (long)length;

    if (!c->left)
        put_repeated(out, ' ', padding);
    put_bytes(out, text, length);
    if (c->left)
        put_repeated(out, ' ', padding);
}

static unsigned base_of(char letter)
{
    switch (letter) {
    case 'o':
        return 8;
    case 'x':
    case 'X':
    case 'p':
        return 16;
    default:
        return 10;
    }
}

/* PREFIX is the sign or "0x"; zeroes go between it and the digits. */
static void put_number(struct output *out, const struct conversion *c, const char *prefix,
                       unsigned long value)
{
    const char *alphabet = c->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[DIGITS_MAX];
    int count = 0;
    unsigned base = base_of(c->letter);

    for (; value != 0; value /= base)
        digits[count++] = alphabet[value % base];
    if (count == 0 && c->precision != 0)
        digits[count++] = '0';
    if (c->letter == 'o' && c->alternate && (count == 0 || digits[count - 1] != '0'))
        digits[count++] = '0';

    long zeroes = MAX(c->precision - count, 0);
    long used = (long)strlen(prefix) + count + zeroes;
    if (c->zero && !c->left && c->precision < 0 && c->width > used) {
        zeroes += c->width - used;
        used = c->width;
    }
    if (!c->left)
        put_repeated(out, ' ', c->width - used);
    put_bytes(out, prefix, strlen(prefix));
    put_repeated(out, '0', zeroes);
    while (count > 0)
        put(out, digits[--count]);
    if (c->left)
        put_repeated(out, ' ', c->width - used);
}

static void put_signed(struct output *out, const struct conversion *c, long value)
{
    const char *sign = value < 0 ? "-" : c->plus ? "+" : c->space ? " " : "";

    put_number(out, c, sign, value < 0 ? -(unsigned long)value : (unsigned long)value);
}

static void put_unsigned(struct output *out, const struct conversion *c, unsigned long value)
{
    const char *prefix = "";

    if (c->letter == 'p')
        prefix = "0x";
    else if (c->alternate && value != 0 && base_of(c->letter) == 16)
        prefix = c->letter == 'X' ? "0X" : "0x";
    put_number(out, c, prefix, value);
}

/* Cuts VALUE to the size that the length modifier says. */
static long cut_signed(long value, int bytes)
{
    unsigned unused_bits = 64 - 8 * (unsigned)bytes;
    return (long)((unsigned long)value << unused_bits) >> unused_bits;
}

static unsigned long cut_unsigned(unsigned long value, int bytes)
{
    unsigned unused_bits = 64 - 8 * (unsigned)bytes;
    return value << unused_bits >> unused_bits;
}

static const char *parse_flags(const char *format, struct conversion *c)
{
    for (;; format++) {
        switch (*format) {
        case '-': c->left = true; break;
        case '0': c->zero = true; break;
        case '+': c->plus = true; break;
        case ' ': c->space = true; break;
        case '#': c->alternate = true; break;
        default: return format;
        }
    }
}

static const char *parse_int(const char *format, int *value)
{
    for (*value = 0; *format >= '0' && *format <= '9'; format++)
        *value = *value * 10 + (*format - '0');
    return format;
}

static const char *parse_length(const char *format, struct conversion *c)
{
    c->bytes = 4;
    if (*format == 'h') {
        format++;
        c->bytes = *format == 'h' ? 1 : 2;
        format += *format == 'h';
    } else if (*format == 'l') {
        c->bytes = 8;
        format++;
        format += *format == 'l';
    } else if (*format == 'z') {
        c->bytes = 8;
        format++;
    }
    return format;
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct output out = { buffer, size, 0 };

    while (*format != '\0') {
        struct conversion c = { .precision = -1 };

        if (*format != '%') {
            put(&out, *format++);
            continue;
        }
        format = parse_flags(format + 1, &c);
        if (*format == '*') {
            c.width = va_arg(arguments, int);
            c.left |= c.width < 0;
            c.width = c.width < 0 ? -c.width : c.width;
            format++;
        } else {
            format = parse_int(format, &c.width);
        }
        if (*format == '.' && format[1] == '*') {
            c.precision = va_arg(arguments, int);
            format += 2;
        } else if (*format == '.') {
            format = parse_int(format + 1, &c.precision);
        }
        format = parse_length(format, &c);
        c.letter = *format;
        switch (c.letter) {
        case 'd':
        case 'i':
            put_signed(&out, &c, cut_signed(c.bytes == 8 ? va_arg(arguments, long) : va_arg(arguments, int), c.bytes));
            break;
        case 'u':
        case 'x':
        case 'X':
        case 'o':
            put_unsigned(&out, &c, cut_unsigned(c.bytes == 8 ? va_arg(arguments, unsigned long)
                                                             : va_arg(arguments, unsigned), c.bytes));
            break;
        case 'p':
            put_unsigned(&out, &c, (unsigned long)va_arg(arguments, void *));
            break;
        case 'c': {
            char character = (char)va_arg(arguments, int);
            put_text(&out, &c, &character, 1);
            break;
        }
        case 's': {
            const char *text = va_arg(arguments, const char *);
            text = text ? text : "(null)";
            put_text(&out, &c, text, c.precision < 0 ? strlen(text) : strnlen(text, (size_t)c.precision));
            break;
        }
        case '%':
            put(&out, '%');
            break;
        default:
            /* Not one of ours: show it as it stands. */
            put(&out, '%');
            continue;
        }
        format++;
    }
    if (size > 0)
        buffer[MIN(out.length, size - 1)] = '\0';
    return (int)out.length;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

int scnprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    if (size == 0)
        return 0;
    return MIN(length, (int)size - 1);
}
