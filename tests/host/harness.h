/*
 * What a host test of mm/ needs: fresh memory for every test, an address space, accesses as ring 3 makes them,
 * and a check at the end that nothing is lost or broken.
 *
 *     static void first_read_maps_the_zero_frame(void **state)
 *     {
 *         struct mm_struct *mm = test_mm();
 *         unsigned long at = map_anonymous(mm, 16, PROT_READ | PROT_WRITE);
 *
 *         expect_read(mm, at, FAULT_ZERO_PAGE, 0);
 *         expect_write(mm, at, FAULT_ZERO_REPLACED, 42);
 *         mmput(mm);
 *     }
 *
 *     int main(void)
 *     {
 *         const struct CMUnitTest tests[] = { mm_test(first_read_maps_the_zero_frame) };
 *         return cmocka_run_group_tests(tests, NULL, NULL);
 *     }
 */
#ifndef TESTS_HOST_HARNESS_H
#define TESTS_HOST_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "mm/mm.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"
#include "tests/host/host_memory.h"
#include "tests/host/mmu.h"

/* Pseudo-random numbers that are the same in every run (Marsaglia's xorshift64*). STATE is not 0. */
static inline u64 next_random(u64 *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull >> 16;
}

#define MIB (1ul << 20)
#define GIB (1ul << 30)

/*
 * Fresh memory of SIZE bytes (at least 3 MiB, a multiple of the page size), with a kernel image in the second
 * MiB, kernel tables, and the frame allocator. Whatever was there before is forgotten.
 */
void memory_init(u64 size);

/*
 * The same in two steps, for memory with holes: between them the test calls memblock_add, and memblock_reserve
 * if it likes.
 */
void memory_begin(u64 size);
void memory_finish(void);

/* Free frames now, when all caches have given back theirs. */
unsigned long free_frames(void);

/*
 * Setup and teardown of a test: 64 MiB; afterwards all frames must have come back and every audit must find
 * nothing.
 */
int memory_setup(void **state);
int memory_teardown(void **state);
/* The same as assertions, for the middle of a test. */
void assert_memory_is_sound(void);

#define memory_test(function) cmocka_unit_test_setup_teardown(function, memory_setup, memory_teardown)

/* A panic where this is not in force fails the test. Use: expect_panic(free_pages(page, 0)). */
#define expect_panic(statement) expect_assert_failure(statement)

/* An empty address space, loaded, with an 8 MiB stack limit and no other limits. mmput() it. */
struct mm_struct *test_mm(void);

/*
 * As memory_setup and memory_teardown; also fails when an access used a stale translation, or when address
 * spaces remain.
 */
int mm_setup(void **state);
int mm_teardown(void **state);
#define mm_test(function) cmocka_unit_test_setup_teardown(function, mm_setup, mm_teardown)

/* One access, whatever comes of it. */
struct touch touch_read(struct mm_struct *mm, unsigned long address);
struct touch touch_write(struct mm_struct *mm, unsigned long address, u8 value);
struct touch touch_execute(struct mm_struct *mm, unsigned long address);

/* The byte at ADDRESS; fails the test when the access is refused. */
u8 user_byte(struct mm_struct *mm, unsigned long address);

/* Writes N bytes / checks that N bytes are VALUE; fails the test when an access is refused. */
void user_fill(struct mm_struct *mm, unsigned long address, u8 value, unsigned long n);
void user_expect(struct mm_struct *mm, unsigned long address, u8 value, unsigned long n);

/* NO_FAULT as OUTCOME: the access must succeed without a fault. */
#define NO_FAULT FAULT_OUTCOMES

/* The access takes exactly one fault with OUTCOME (or none), and then reads VALUE / succeeds. */
#define expect_read(mm, address, outcome, value) \
    check_touch(mm, address, MMU_READ, value, outcome, __FILE__, __LINE__)
#define expect_write(mm, address, outcome, value) \
    check_touch(mm, address, MMU_WRITE, value, outcome, __FILE__, __LINE__)
/* ACCESS (MMU_…) is refused with OUTCOME. */
#define expect_refused(mm, address, access, outcome) \
    check_touch(mm, address, access, 0, outcome, __FILE__, __LINE__)
void check_touch(struct mm_struct *mm, unsigned long address, enum mmu_access access, u8 value,
                 enum fault_outcome outcome, const char *file, int line);

/* mmap of private anonymous memory anywhere; fails the test when it does not succeed. */
unsigned long map_anonymous(struct mm_struct *mm, unsigned long pages, unsigned long prot);

#endif
