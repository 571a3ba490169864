/* Finds the function that an address belongs to, in the table that tools/ksyms generates. */
#include "kernel/lib/ksyms.h"

/* Sorted by address. In the first of the two links it has no entry at all. */
extern const struct ksym ksyms_begin[];
extern const unsigned long ksyms_count;

const char *ksym_lookup(unsigned long address, unsigned long *offset)
{
    unsigned long low = 0, high = ksyms_count;

    /* All entries below low start at or below the address, all from high on start above it. */
    while (low < high) {
        unsigned long middle = low + (high - low) / 2;
        if (ksyms_begin[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || ksyms_begin[low - 1].name == NULL)
        return NULL;
    *offset = address - ksyms_begin[low - 1].address;
    return ksyms_begin[low - 1].name;
}
