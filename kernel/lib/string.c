/* The string and memory functions of the C library that the kernel needs; copies move 8 bytes at a time. */
#include "kernel/lib/string.h"

/*
 * String instructions: one counted instruction per word, and the compiler cannot turn them back into a call of
 * the same function.
 */
static inline void *copy_forward(void *dest, const void *src, size_t n)
{
    void *to = dest;
    size_t words = n / 8, bytes = n % 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(src), "+c"(words) : : "memory");
    if (bytes != 0)
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(bytes) : : "memory");
    return dest;
}

void *memcpy(void *dest, const void *src, size_t n)
{
    return copy_forward(dest, src, n);
}

void *memmove(void *dest, const void *src, size_t n)
{
    u8 *to = dest;
    const u8 *from = src;

    if (to <= from || to >= from + n)
        return copy_forward(dest, src, n);
    /*
     * The source's end would be overwritten: from the back. First the odd bytes, so that the words end where
     * the ranges begin.
     */
    for (; n % 8 != 0; n--)
        to[n - 1] = from[n - 1];
    while (n != 0) {
        u64 word;
        n -= 8;
        __builtin_memcpy(&word, from + n, 8);
        __builtin_memcpy(to + n, &word, 8);
    }
    return dest;
}

void *memset(void *dest, int byte, size_t n)
{
    void *to = dest;
    size_t words = n / 8, bytes = n % 8;
    u64 value = (u8)byte * 0x0101010101010101ull;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(value) : "memory");
    if (bytes != 0)
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
    return dest;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *left = a, *right = b;

    for (size_t i = 0; i < n; i++)
        if (left[i] != right[i])
            return left[i] - right[i];
    return 0;
}

size_t strlen(const char *s)
{
    size_t length = 0;

    while (s[length] != '\0')
        length++;
    return length;
}

size_t strnlen(const char *s, size_t max)
{
    size_t length = 0;

    while (length < max && s[length] != '\0')
        length++;
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n != 0; a++, b++, n--)
        if (*a != *b || *a == '\0')
            return (u8)*a - (u8)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (*s == '\0')
            return NULL;
    return (char *)s;
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;

    do {
        if (*s == (char)c)
            last = s;
    } while (*s++ != '\0');
    return (char *)last;
}

size_t strlcpy(char *dest, const char *src, size_t size)
{
    size_t length = strlen(src);

    if (size > 0) {
        size_t copied = MIN(length, size - 1);
        memcpy(dest, src, copied);
        dest[copied] = '\0';
    }
    return length;
}

/* The value of C as a digit, or a number that is too large for any base. */
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

unsigned long parse_number(const char *s, const char **end)
{
    unsigned base = 10;
    unsigned long value = 0;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16) {
        base = 16;
        s += 2;
    } else if (s[0] == '0') {
        base = 8;
    }
    for (; digit_value(*s) < base; s++)
        value = value * base + digit_value(*s);
    if (end)
        *end = s;
    return value;
}
