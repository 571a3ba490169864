/*
 * Coverage of the guest: in the build of `make coverage` mm/ is compiled with -fprofile-arcs, and when the machine is switched off
 * the counters leave it on a port of their own, as the contents of GCC's .gcda files. tests/coverage/coverage reads them.
 */
#include <gcov.h>

#include "kernel/cpu/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/types.h"

#define COVERAGE_PORT 0x4f0

/* The stream is records of a kind, a length of four bytes, and as many bytes: a file's name, then pieces of its contents. */
#define RECORD_NAME 'N'
#define RECORD_BYTES 'B'

/* Where the compiler (-fprofile-info-section) says what it counts, and the linker where that begins and ends. */
extern const struct gcov_info *const __start_gcov_info[], *const __stop_gcov_info[];

/* libgcov's copy of GCC's counters is walked by its own code; what that needs of a C library is here. */
void abort(void);
void *mmap(void);
void __gcov_merge_add(void);

void abort(void)
{
    panic("libgcov gave up");
}

/* For the values of expressions, which are not counted here: MAP_FAILED. */
void *mmap(void)
{
    return (void *)-1;
}

/* Only its address counts: it says that there are counters of arcs. */
void __gcov_merge_add(void)
{
}

static void put_record(char kind, const void *data, unsigned length)
{
    const u8 *bytes = data;

    outb(COVERAGE_PORT, (u8)kind);
    for (unsigned shift = 0; shift < 32; shift += 8)
        outb(COVERAGE_PORT, (u8)(length >> shift));
    for (unsigned i = 0; i < length; i++)
        outb(COVERAGE_PORT, bytes[i]);
}

static void put_name(const char *name, void *unused)
{
    unsigned length = 0;

    (void)unused;
    while (name[length])
        length++;
    put_record(RECORD_NAME, name, length);
}

static void put_bytes(const void *data, unsigned length, void *unused)
{
    (void)unused;
    put_record(RECORD_BYTES, data, length);
}

/* Values of expressions, which would need memory, are not profiled. */
static void *allocate_nothing(unsigned length, void *unused)
{
    (void)length;
    (void)unused;
    return NULL;
}

void coverage_dump(void);

void coverage_dump(void)
{
    for (const struct gcov_info *const *info = __start_gcov_info; info < __stop_gcov_info; info++)
        __gcov_info_to_gcda(*info, put_name, put_bytes, allocate_nothing, NULL);
}
