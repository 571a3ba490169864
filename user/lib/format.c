/* The engine below the printf family: reads the format, turns each argument into text. */
#include "format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum size { SIZE_CHAR, SIZE_SHORT, SIZE_INT, SIZE_LONG };

/* One conversion, as it is written after its '%'. */
struct conversion {
    bool left, plus, space, alternate, zero; /* the flags - + ' ' # 0 */
    int width;
    int precision; /* -1: none */
    enum size size;
    char letter;
};

/* What is being produced. */
struct job {
    format_output output;
    void *destination;
    size_t length; /* of all text so far */
};

#define DIGITS_MAX 24 /* a 64-bit number in octal has 22 */

static void emit(struct job *job, const char *text, size_t length)
{
    if (length > 0)
        job->output(job->destination, text, length);
    job->length += length;
}

/* Emit COUNT times the character of which PADDING is a run; nothing if COUNT is negative. */
static void pad(struct job *job, const char padding[16], long count)
{
    for (; count > 0; count -= 16)
        emit(job, padding, count < 16 ? (size_t)count : 16);
}

static const char spaces[] = "                ";
static const char zeros[] = "0000000000000000";

/* Emit TEXT in a field of the conversion's width. */
static void emit_text(struct job *job, const struct conversion *c, const char *text, size_t length)
{
    long fill = c->width - (long)length;
    if (!c->left)
        pad(job, spaces, fill);
    emit(job, text, length);
    if (c->left)
        pad(job, spaces, fill);
}

/* Emit PREFIX, then DIGITS filled up with zeros to precision or width, in a field of that width. */
static void emit_number(struct job *job, const struct conversion *c, const char *prefix,
                        const char *digits, size_t count)
{
    long fill_zeros = c->precision - (long)count;
    if (fill_zeros < 0)
        fill_zeros = 0;
    long used = (long)(strlen(prefix) + count) + fill_zeros;
    if (c->zero && !c->left && c->precision < 0 && c->width > used) {
        fill_zeros += c->width - used;
        used = c->width;
    }
    if (!c->left)
        pad(job, spaces, c->width - used);
    emit(job, prefix, strlen(prefix));
    pad(job, zeros, fill_zeros);
    emit(job, digits, count);
    if (c->left)
        pad(job, spaces, c->width - used);
}

/* Write VALUE's digits so that they end at END; returns where they begin. Zero has no digits. */
static char *digits_before(char *end, uint64_t value, unsigned base, const char *alphabet)
{
    for (; value != 0; value /= base)
        *--end = alphabet[value % base];
    return end;
}

static void emit_unsigned(struct job *job, struct conversion *c, uint64_t value, const char *sign)
{
    char digits[DIGITS_MAX], *end = digits + sizeof digits;
    bool is_hexadecimal = c->letter == 'x' || c->letter == 'X';
    unsigned base = is_hexadecimal ? 16 : c->letter == 'o' ? 8 : 10;
    const char *alphabet = c->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    const char *prefix = sign;
    char *first = digits_before(end, value, base, alphabet);
    if (c->alternate && is_hexadecimal && value != 0)
        prefix = c->letter == 'X' ? "0X" : "0x";
    if (value == 0 && c->precision != 0)
        *--first = '0'; /* zero is shown as one digit, unless the precision allows none */
    if (c->alternate && base == 8 && (first == end || *first != '0'))
        *--first = '0';
    emit_number(job, c, prefix, first, (size_t)(end - first));
}

static void emit_signed(struct job *job, struct conversion *c, int64_t value)
{
    const char *sign = value < 0 ? "-" : c->plus ? "+" : c->space ? " " : "";
    emit_unsigned(job, c, value < 0 ? -(uint64_t)value : (uint64_t)value, sign);
}

static void emit_string(struct job *job, const struct conversion *c, const char *text)
{
    if (text == NULL)
        text = c->precision < 0 || c->precision >= (int)strlen("(null)") ? "(null)" : "";
    emit_text(job, c, text, strnlen(text, c->precision < 0 ? SIZE_MAX : (size_t)c->precision));
}

static void emit_pointer(struct job *job, struct conversion *c, const void *pointer)
{
    c->letter = 'x';
    c->alternate = true;
    if (pointer == NULL)
        emit_text(job, c, "(nil)", strlen("(nil)"));
    else
        emit_unsigned(job, c, (uintptr_t)pointer, c->plus ? "+" : c->space ? " " : "");
}

static const char *parse_flags(struct conversion *c, const char *format)
{
    for (;; format++) {
        switch (*format) {
        case '-':
            c->left = true;
            break;
        case '+':
            c->plus = true;
            break;
        case ' ':
            c->space = true;
            break;
        case '#':
            c->alternate = true;
            break;
        case '0':
            c->zero = true;
            break;
        default:
            return format;
        }
    }
}

static const char *parse_size(struct conversion *c, const char *format)
{
    c->size = SIZE_INT;
    switch (*format) {
    case 'h':
        c->size = format[1] == 'h' ? SIZE_CHAR : SIZE_SHORT;
        return format + (format[1] == 'h' ? 2 : 1);
    case 'l':
        c->size = SIZE_LONG;
        return format + (format[1] == 'l' ? 2 : 1);
    case 'z':
    case 'j':
    case 't':
        c->size = SIZE_LONG;
        return format + 1;
    default:
        return format;
    }
}

static const char *parse_digits(int *number, const char *format)
{
    for (*number = 0; *format >= '0' && *format <= '9'; format++)
        *number = *number * 10 + (*format - '0');
    return format;
}

static int64_t to_signed(const struct conversion *c, long value)
{
    switch (c->size) {
    case SIZE_CHAR:
        return (signed char)value;
    case SIZE_SHORT:
        return (short)value;
    case SIZE_INT:
        return (int)value;
    default:
        return value;
    }
}

static uint64_t to_unsigned(const struct conversion *c, unsigned long value)
{
    switch (c->size) {
    case SIZE_CHAR:
        return (unsigned char)value;
    case SIZE_SHORT:
        return (unsigned short)value;
    case SIZE_INT:
        return (unsigned)value;
    default:
        return value;
    }
}

/* A va_list that can be handed to a function by address, also where it is an array type. */
struct argument_list {
    va_list list;
};

/* An integer argument, taken with the width that the caller passed it with. */
static long next_integer(const struct conversion *c, struct argument_list *arguments)
{
    if (c->size == SIZE_LONG)
        return va_arg(arguments->list, long);
    return va_arg(arguments->list, int);
}

/* Everything between '%' and the letter, and the letter. Returns what follows. */
static const char *parse_conversion(struct conversion *c, const char *format,
                                    struct argument_list *arguments)
{
    *c = (struct conversion){.precision = -1};
    format = parse_flags(c, format);
    if (*format == '*') {
        c->width = va_arg(arguments->list, int);
        format++;
        if (c->width < 0) {
            c->left = true;
            c->width = -c->width;
        }
    } else {
        format = parse_digits(&c->width, format);
    }
    if (*format == '.') {
        if (*++format == '*') {
            c->precision = va_arg(arguments->list, int);
            format++;
        } else {
            format = parse_digits(&c->precision, format);
        }
    }
    format = parse_size(c, format);
    c->letter = *format;
    return *format != '\0' ? format + 1 : format;
}

static void convert(struct job *job, struct conversion *c, struct argument_list *arguments)
{
    char character;
    switch (c->letter) {
    case 'd':
    case 'i':
        emit_signed(job, c, to_signed(c, next_integer(c, arguments)));
        break;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        emit_unsigned(job, c, to_unsigned(c, (unsigned long)next_integer(c, arguments)), "");
        break;
    case 'c':
        character = (char)va_arg(arguments->list, int);
        emit_text(job, c, &character, 1);
        break;
    case 's':
        emit_string(job, c, va_arg(arguments->list, const char *));
        break;
    case 'p':
        emit_pointer(job, c, va_arg(arguments->list, void *));
        break;
    default: /* '%' itself, and what we do not know stands for itself */
        emit(job, &c->letter, c->letter != '\0');
    }
}

int __format(format_output output, void *destination, const char *format, va_list arguments)
{
    struct job job = {.output = output, .destination = destination};
    struct argument_list list;
    va_copy(list.list, arguments);
    while (*format != '\0') {
        struct conversion c;
        size_t plain = strcspn(format, "%");
        emit(&job, format, plain);
        format += plain;
        if (*format == '%') {
            format = parse_conversion(&c, format + 1, &list);
            convert(&job, &c, &list);
        }
    }
    va_end(list.list);
    return (int)job.length;
}
