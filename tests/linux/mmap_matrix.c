/* Prints what mmap makes of each type, flag and length at each of several places. */
#include "tests/linux/transcript.h"

#define OCCUPIED 0x20000000UL /* two pages there are mapped while each call is made */

static const unsigned long places[] = {0,        0x800,         0x17000123,    0x17000000,
                                       OCCUPIED, OCCUPIED - PAGE, OCCUPIED + 2 * PAGE,
                                       USER_END, KERNEL_ADDRESS, -PAGE};
static const unsigned long lengths[] = {0, 1, PAGE, 3 * PAGE, 1UL << 47, -1UL};

static const struct {
    const char *name;
    int value;
} types[] = {{"none", 0}, {"shared", MAP_SHARED}, {"private", MAP_PRIVATE},
             {"validate", MAP_SHARED_VALIDATE}, {"type4", 4}},
  flags[] = {{"plain", 0}, {"fixed", MAP_FIXED}, {"noreplace", MAP_FIXED_NOREPLACE},
             {"fixed+noreplace", MAP_FIXED | MAP_FIXED_NOREPLACE}, {"32bit", MAP_32BIT},
             {"fixed+32bit", MAP_FIXED | MAP_32BIT}, {"growsdown", MAP_GROWSDOWN},
             {"fixed+growsdown", MAP_FIXED | MAP_GROWSDOWN}, {"noreserve", MAP_NORESERVE},
             {"populate", MAP_POPULATE}, {"locked", MAP_LOCKED}, {"stack", MAP_STACK},
             {"nonblock", MAP_NONBLOCK}, {"hugetlb", MAP_HUGETLB}};

/* The result at one place; everything is unmapped again afterwards. */
static const char *result_at(unsigned long place, unsigned long length, int flag)
{
    static const int read_write = PROT_READ | PROT_WRITE;
    const char *text;
    char *got;

    raw_mmap(OCCUPIED, 2 * PAGE, read_write, PRIVATE_ANON | MAP_FIXED, -1, 0);
    got = raw_mmap(place, length, read_write, MAP_ANONYMOUS | flag, -1, 0);
    text = outcome((long)got);
    if (got != MAP_FAILED)
        raw_munmap(got, length);
    raw_munmap((void *)OCCUPIED, 2 * PAGE);
    return text;
}

static void show_line(unsigned int type, unsigned int flag, unsigned long length)
{
    char line[512];
    int used = snprintf(line, sizeof(line), "%s %s %lx:", types[type].name, flags[flag].name, length);

    for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        used += snprintf(line + used, sizeof(line) - (size_t)used, " %s",
                         result_at(places[i], length, types[type].value | flags[flag].value));
    say("%s", line);
}

int main(void)
{
    for (unsigned int type = 0; type < sizeof(types) / sizeof(types[0]); type++)
        for (unsigned int flag = 0; flag < sizeof(flags) / sizeof(flags[0]); flag++)
            for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
                show_line(type, flag, lengths[i]);
    return 0;
}
