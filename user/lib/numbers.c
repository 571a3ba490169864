/* Numbers from text, and pseudo-random ones. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* The value of a digit in bases up to 36; 36 for what is none. */
static unsigned digit_value(char c)
{
    if (isdigit(c))
        return (unsigned)(c - '0');
    if (isalpha(c))
        return (unsigned)(tolower(c) - 'a') + 10;
    return 36;
}

/*
 * Read space, sign, prefix and digits. The magnitude goes to *MAGNITUDE: ULONG_MAX with *OVERFLOW
 * set when it does not fit. Returns whether there was a minus sign; *END is TEXT if there was none.
 */
static int parse(const char *text, char **end, int base, unsigned long *magnitude, int *overflow)
{
    const char *place = text;
    while (isspace(*place))
        place++;
    int negative = *place == '-';
    if (*place == '-' || *place == '+')
        place++;
    int has_prefix = place[0] == '0' && tolower(place[1]) == 'x' && digit_value(place[2]) < 16;
    if ((base == 0 || base == 16) && has_prefix) {
        place += 2;
        base = 16;
    } else if (base == 0) {
        base = *place == '0' ? 8 : 10;
    }
    const char *digits = place;
    *magnitude = 0;
    *overflow = 0;
    for (unsigned digit; (digit = digit_value(*place)) < (unsigned)base; place++) {
        if (__builtin_mul_overflow(*magnitude, (unsigned long)base, magnitude) ||
            __builtin_add_overflow(*magnitude, (unsigned long)digit, magnitude))
            *overflow = 1;
    }
    if (*overflow)
        *magnitude = ULONG_MAX;
    if (end != NULL)
        *end = (char *)(place == digits ? text : place);
    return negative;
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
    unsigned long magnitude;
    int overflow;
    int negative = parse(text, end, base, &magnitude, &overflow);
    if (overflow) {
        errno = ERANGE;
        return ULONG_MAX;
    }
    return negative ? -magnitude : magnitude;
}

long strtol(const char *restrict text, char **restrict end, int base)
{
    unsigned long magnitude;
    int overflow;
    int negative = parse(text, end, base, &magnitude, &overflow);
    if (magnitude > (unsigned long)LONG_MAX + (unsigned long)negative) {
        errno = ERANGE;
        return negative ? LONG_MIN : LONG_MAX;
    }
    return (long)(negative ? -magnitude : magnitude);
}

unsigned long long strtoull(const char *restrict text, char **restrict end, int base)
{
    return strtoul(text, end, base);
}

long long strtoll(const char *restrict text, char **restrict end, int base)
{
    return strtol(text, end, base);
}

long atol(const char *text)
{
    return strtol(text, NULL, 10);
}

int atoi(const char *text)
{
    return (int)atol(text);
}

/* Marsaglia's xorshift with 64 bits of state, of which the upper ones are given out. */
static unsigned long random_state = 0x9e3779b97f4a7c15UL;

void srand(unsigned seed)
{
    random_state = 0x9e3779b97f4a7c15UL ^ seed;
}

int rand(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int)(random_state >> 33);
}
