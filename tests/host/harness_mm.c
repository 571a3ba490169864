/* Address spaces and accesses for host tests of the upper half of mm/. */
#include "mm/audit.h"
#include "tests/host/harness.h"

int mm_setup(void **state)
{
    list_init(&all_mms);
    return memory_setup(state);
}

static void fail_on_finding(const char *finding, void *context)
{
    (void)context;
    print_error("audit: %s\n", finding);
}

int mm_teardown(void **state)
{
    assert_int_equal(mm_audit(fail_on_finding, NULL), 0);
    assert_true(list_empty(&all_mms));
    assert_int_equal(mmu_stale_uses, 0);
    mmu_load(NULL);
    return memory_teardown(state);
}

struct mm_struct *test_mm(void)
{
    const struct mm_limits limits = { .as = ~0ul, .data = ~0ul, .stack = 8 * MIB, .memlock = ~0ul,
                                      .data_hard = ~0ul };
    struct mm_struct *mm = mm_alloc(&limits);

    assert_non_null(mm);
    mmu_load(mm);
    return mm;
}

struct touch touch_read(struct mm_struct *mm, unsigned long address)
{
    u8 byte;
    return mmu_access(mm, address, MMU_READ, &byte);
}

struct touch touch_write(struct mm_struct *mm, unsigned long address, u8 value)
{
    return mmu_access(mm, address, MMU_WRITE, &value);
}

struct touch touch_execute(struct mm_struct *mm, unsigned long address)
{
    return mmu_access(mm, address, MMU_EXECUTE, NULL);
}

u8 user_byte(struct mm_struct *mm, unsigned long address)
{
    u8 byte = 0;
    struct touch touch = mmu_access(mm, address, MMU_READ, &byte);

    if (!touch.done)
        fail_msg("reading 0x%lx was refused: %s", address, fault_outcome_names[touch.outcome]);
    return byte;
}

void user_fill(struct mm_struct *mm, unsigned long address, u8 value, unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) {
        struct touch touch = touch_write(mm, address + i, value);
        if (!touch.done)
            fail_msg("writing 0x%lx was refused: %s", address + i, fault_outcome_names[touch.outcome]);
    }
}

void user_expect(struct mm_struct *mm, unsigned long address, u8 value, unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) {
        u8 byte = user_byte(mm, address + i);
        if (byte != value)
            fail_msg("the byte at 0x%lx is %u, not %u", address + i, byte, value);
    }
}

static const char *outcome_name(enum fault_outcome outcome)
{
    return outcome == NO_FAULT ? "no fault" : fault_outcome_names[outcome];
}

void check_touch(struct mm_struct *mm, unsigned long address, enum mmu_access access, u8 value,
                 enum fault_outcome outcome, const char *file, int line)
{
    static const char *const names[] = { "read", "write", "execute" };
    u8 byte = value;
    struct touch touch = mmu_access(mm, address, access, &byte);
    bool should_succeed = outcome == NO_FAULT || !fault_failed(outcome);

    if (touch.outcome != outcome || touch.faults > 1 || touch.done != should_succeed) {
        print_error("%s of 0x%lx: expected %s, got %s after %u faults\n", names[access], address,
                    outcome_name(outcome), outcome_name(touch.outcome), touch.faults);
        _fail(file, line);
    }
    if (touch.done && byte != value) {
        print_error("read of 0x%lx: expected the byte %u, got %u\n", address, value, byte);
        _fail(file, line);
    }
}

unsigned long map_anonymous(struct mm_struct *mm, unsigned long pages, unsigned long prot)
{
    unsigned long address =
        do_mmap(mm, NULL, 0, pages * PAGE_SIZE, prot, MAP_PRIVATE | MAP_ANONYMOUS, 0);

    if (address & ~PAGE_MASK)
        fail_msg("mmap of %lu pages failed with %ld", pages, (long)address);
    return address;
}
