/* Memory areas, by the processor's string instructions: short, and eight bytes at a time. */
#include <stdint.h>
#include <string.h>

#define WORD      sizeof(uint64_t)
#define EACH_BYTE 0x0101010101010101UL

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *target = to;
    size_t words = size / WORD, bytes = size % WORD;
    __asm__ volatile("rep movsq\n\t"
                     "mov %[bytes], %%rcx\n\t"
                     "rep movsb"
                     : "+D"(target), "+S"(from), "+c"(words)
                     : [bytes] "r"(bytes)
                     : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size)
        return memcpy(to, from, size); /* TO does not begin inside FROM: upwards is safe */
    unsigned char *target = to;
    const unsigned char *source = from;
    while (size-- > 0)
        target[size] = source[size];
    return to;
}

void *memset(void *area, int byte, size_t size)
{
    void *target = area;
    size_t words = size / WORD, bytes = size % WORD;
    __asm__ volatile("rep stosq\n\t"
                     "mov %[bytes], %%rcx\n\t"
                     "rep stosb"
                     : "+D"(target), "+c"(words)
                     : "a"((unsigned char)byte * EACH_BYTE), [bytes] "r"(bytes)
                     : "memory");
    return area;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *l = left, *r = right;
    for (; size > 0; size--, l++, r++)
        if (*l != *r)
            return *l - *r;
    return 0;
}

void *memchr(const void *area, int byte, size_t size)
{
    const unsigned char *place = area;
    for (; size > 0; size--, place++)
        if (*place == (unsigned char)byte)
            return (void *)place;
    return NULL;
}
