/* Prints where the break is after each of many requests, relative to its start, with and without obstacles. */
#include "tests/linux/transcript.h"

static unsigned long start;

static void show_requests(const char *heading)
{
    static const long requests[] = {0,     1,      4095,    4096,    4097,      8192,     1,
                                    0,     -1,     -4096,   65536,   40960,     45056,    49152,
                                    53248, 1 << 20, 2 << 20, 1L << 40, 1L << 46, 1L << 47,
                                    0};

    for (unsigned int i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        say("%s: brk(start + %ld) = start + %ld; [%s]", heading, requests[i],
            (long)(raw_brk(start + (unsigned long)requests[i]) - start),
            vmas((char *)start, 20));
}

int main(void)
{
    char *obstacle;

    start = (raw_brk(0) + PAGE - 1) & -PAGE;
    raw_brk(start);
    show_requests("free");
    obstacle = anon_at((char *)start + 12 * PAGE, 1, PROT_READ);
    show_requests("mapping at 12");
    raw_munmap(obstacle, PAGE);
    obstacle = raw_mmap(start + 300 * PAGE, PAGE, READ_WRITE,
                        PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    show_requests("growing mapping at 300");
    raw_munmap(obstacle, PAGE);
    obstacle = anon_at((char *)start, 2, READ_WRITE);
    show_requests("mapping at 0");
    raw_munmap(obstacle, 2 * PAGE);
    for (unsigned long i = 0; i <= 300; i += 20) {
        raw_brk(start + i);
        say("brk(start + %lu) leaves it at start + %lu", i, raw_brk(0) - start);
    }
    raw_brk(start);
    return 0;
}
