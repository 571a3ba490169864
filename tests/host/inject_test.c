/*
 * Every memory call and every kind of fault with its Nth allocation failing, for every N: it says
 * that there is no memory, nothing has changed, nothing is lost. The states before and after are
 * compared page by page.
 */
#include "kernel/lib/printf.h"
#include "mm/audit.h"
#include "mm/filemap.h"
#include "mm/limits.h"
#include "mm/user_copy.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"

#define AT 0x10000000ul
#define FAR 0x600000000000ul    /* tables of its own */
#define SHARED 0x18000000ul
#define FILE_AT 0x19000000ul
#define STACK_AT 0x30000000ul
#define WRITTEN 4u

static struct address_space *file;

/* The stage for every scenario: written, read, untouched and shared pages, a file, a stack. */
static struct mm_struct *stage(void)
{
    struct mm_struct *mm = test_mm();
    const struct mmap_source source = { .mapping = file, .ops = &generic_file_vm_ops,
                                        .readable = true, .writable = true };

    mm->start_brk = mm->brk = 0x500000;
    map_at(mm, AT, 8, RW);
    for (unsigned i = 0; i < WRITTEN; i++)
        write_byte(mm, AT + i * P, (u8)(i + 1));
    touch_read(mm, AT + WRITTEN * P);
    map_at(mm, AT + 16 * P, 4, PROT_READ);
    map_at(mm, FAR, 4, RW);
    anon(mm, SHARED, 4 * P, RW, MAP_SHARED | MAP_FIXED);
    write_byte(mm, SHARED, 9);
    do_mmap(mm, &source, FILE_AT, 2 * P, RW, MAP_PRIVATE | MAP_FIXED, 0);
    anon(mm, STACK_AT, 2 * P, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN);
    return mm;
}

/*
 * ---- the scenarios: each returns 0 when it was served and -ENOMEM (or what stands for it) when
 * not ----
 */

static long as_error(unsigned long result)
{
    return IS_ERR_VALUE(result) ? (long)result : 0;
}

static long as_fault(struct touch touch)
{
    return touch.done ? 0 : touch.outcome == FAULT_OUT_OF_MEMORY ? -ENOMEM : -EFAULT;
}

static long mmap_new(struct mm_struct *mm)
{
    return as_error(anon(mm, 0, 2 * P, PROT_EXEC, MAP_PRIVATE));
}
static long mmap_shared(struct mm_struct *mm)
{
    return as_error(anon(mm, 0, 2 * P, RW, MAP_SHARED));
}
static long mmap_over(struct mm_struct *mm)
{
    return as_error(anon(mm, AT + P, 2 * P, PROT_READ, MAP_PRIVATE | MAP_FIXED));
}
static long mmap_shared_over(struct mm_struct *mm)
{
    return as_error(anon(mm, AT + P, 2 * P, RW, MAP_SHARED | MAP_FIXED));
}
static long munmap_middle(struct mm_struct *mm) { return do_munmap(mm, AT + P, P); }
static long munmap_shared_middle(struct mm_struct *mm) { return do_munmap(mm, SHARED + P, P); }
static long munmap_across(struct mm_struct *mm) { return do_munmap(mm, AT + 6 * P, 12 * P); }
static long mprotect_middle(struct mm_struct *mm) { return do_mprotect(mm, AT + P, P, PROT_READ); }
static long mprotect_end(struct mm_struct *mm)
{
    return do_mprotect(mm, AT + 2 * P, 6 * P, PROT_READ);
}
static long brk_first(struct mm_struct *mm)
{
    return do_brk(mm, 0x502000) == 0x502000 ? 0 : -ENOMEM;
}
static long mremap_move(struct mm_struct *mm)
{
    return as_error(do_mremap(mm, AT, 8 * P, 20 * P, MREMAP_MAYMOVE, 0));
}
static long mremap_middle(struct mm_struct *mm)
{
    return as_error(do_mremap(mm, AT + P, 2 * P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, FAR + GIB * 700));
}
/* The second table that the new place needs may fail when half of the pages have moved. */
static long mremap_across(struct mm_struct *mm)
{
    return as_error(do_mremap(mm, AT, 4 * P, 4 * P, MREMAP_MAYMOVE | MREMAP_FIXED, FAR + 8 * MIB - 2 * P));
}
static long mremap_dontunmap(struct mm_struct *mm)
{
    return as_error(do_mremap(mm, AT, 8 * P, 8 * P, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
}
static long mremap_alias(struct mm_struct *mm)
{
    return as_error(do_mremap(mm, SHARED, 0, 4 * P, MREMAP_MAYMOVE, 0));
}
static long mremap_grow(struct mm_struct *mm)
{
    return as_error(do_mremap(mm, AT, 8 * P, 10 * P, 0, 0));
}
static long madvise_flag(struct mm_struct *mm)
{
    int result = do_madvise(mm, AT + P, P, MADV_DONTFORK);
    return result == -EAGAIN ? -ENOMEM : result;
}
static long mlock_one(struct mm_struct *mm)
{
    /*
     * The split fails with ENOMEM and leaves no trace; a fault behind it fails with EAGAIN and
     * leaves the lock, as on Linux.
     */
    int result = do_mlock(mm, AT + P, P, true);
    return result;
}
static long write_far(struct mm_struct *mm) { return as_fault(touch_write(mm, FAR, 1)); }
static long read_far(struct mm_struct *mm) { return as_fault(touch_read(mm, FAR)); }
static long write_over_zero(struct mm_struct *mm)
{
    return as_fault(touch_write(mm, AT + WRITTEN * P, 1));
}
static long write_file(struct mm_struct *mm) { return as_fault(touch_write(mm, FILE_AT, 1)); }
static long read_file(struct mm_struct *mm) { return as_fault(touch_read(mm, FILE_AT + P)); }
static long write_shared(struct mm_struct *mm)
{
    return as_fault(touch_write(mm, SHARED + 2 * P, 1));
}
static long grow_stack(struct mm_struct *mm)
{
    struct touch touch = touch_write(mm, STACK_AT - 2 * P, 1);
    /*
     * As on Linux the promise has grown even when the page is not to be had: take it back for the
     * comparison.
     */
    if (!touch.done)
        assert_int_equal(do_munmap(mm, STACK_AT - 2 * P, 2 * P), 0);
    return as_fault(touch);
}
static long fork_all(struct mm_struct *mm)
{
    struct mm_struct *child = mm_alloc(&mm->limits);
    if (!child)
        return -ENOMEM;
    int error = dup_mmap(child, mm);
    mmput(child);
    return error;
}
static long copy_in(struct mm_struct *mm)
{
    static const u8 bytes[P];
    (void)mm;
    return copy_to_user(FAR, bytes, P) ? -ENOMEM : 0;
}
static long remote(struct mm_struct *mm)
{
    u8 byte = 7;
    return access_remote_vm(mm, FAR, &byte, 1, true) == 1 ? 0 : -ENOMEM;
}
static long vma_for_exec(struct mm_struct *mm)
{
    return vm_brk_flags(mm, 0x40000000, P, VM_READ | VM_WRITE);
}

static const struct {
    const char *name;
    long (*run)(struct mm_struct *mm);
    unsigned allocations_at_least;      /* so that a scenario which allocates nothing is noticed */
} scenarios[] = {
    { "mmap", mmap_new, 1 },
    { "mmap of shared memory", mmap_shared, 2 },
    { "mmap over a middle", mmap_over, 2 },
    { "mmap of shared memory over a middle", mmap_shared_over, 3 },
    { "munmap of a middle", munmap_middle, 1 },
    { "munmap of a middle of shared memory", munmap_shared_middle, 1 },
    { "munmap across two mappings", munmap_across, 0 },
    { "mprotect of a middle", mprotect_middle, 2 },
    { "mprotect of an end", mprotect_end, 1 },
    { "brk", brk_first, 1 },
    { "mremap that moves", mremap_move, 1 },
    { "mremap of a middle", mremap_middle, 4 },
    { "mremap across two tables", mremap_across, 4 },
    { "mremap with DONTUNMAP", mremap_dontunmap, 1 },
    { "mremap that makes an alias", mremap_alias, 1 },
    { "mremap in place", mremap_grow, 0 },
    { "madvise that splits", madvise_flag, 2 },
    { "mlock that splits", mlock_one, 2 },
    { "a first write", write_far, 4 },
    { "a first read", read_far, 3 },
    { "a write over the zero frame", write_over_zero, 1 },
    { "a write to a private file page", write_file, 2 },
    { "a read of a file page", read_file, 2 },
    { "a write to shared memory", write_shared, 1 },
    { "a stack that grows", grow_stack, 1 },
    { "fork", fork_all, 8 },
    { "a copy to user memory", copy_in, 4 },
    { "a write into another address space", remote, 4 },
    { "a segment for exec", vma_for_exec, 1 },
};

/*
 * Everything about MM that a program can see, as a text. What a failed call may leave: tables, and
 * pages of a cache.
 */
static size_t describe(struct mm_struct *mm, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "%s; brk %lx; rss %ld %ld; vm %lu data %lu stack %lu locked %lu "
                                "committed %lu;", maps_of(mm), mm->brk, mm->rss[MM_ANONPAGES],
                                mm->rss[MM_SHMEMPAGES], mm->total_vm, mm->data_vm, mm->stack_vm,
                                mm->locked_vm, mm->committed);
    struct pte_iter it = pte_iter_over(mm->pgd, 0, TASK_SIZE);

    while (pte_iter_next(&it)) {
        const struct page *page = pte_page(*it.ptep);
        if (page->type == PAGE_FILE)
            continue;
        n += (size_t)snprintf(text + n, size - n, " %lx:%lx:%u", it.address, pte_pfn(*it.ptep),
                              page->type == PAGE_ANON ? *(u8 *)page_address(page) : 0);
    }
    return n;
}

static void print_finding(const char *finding, void *context)
{
    print_error("%s: audit: %s\n", (const char *)context, finding);
}

static void every_failing_allocation_changes_nothing(void **state)
{
    (void)state;
    static char before[8192], after[8192];

    for (unsigned i = 0; i < ARRAY_SIZE(scenarios); i++) {
        for (unsigned long n = 1;; n++) {
            file = test_file(2 * P);
            struct mm_struct *mm = stage();
            unsigned long committed = vm_committed;
            describe(mm, before, sizeof(before));
            fail_allocation_countdown = n;
            long result = scenarios[i].run(mm);
            bool failed = fail_allocation_countdown == 0;
            fail_allocation_countdown = 0;
            describe(mm, after, sizeof(after));

            if (mm_audit(print_finding, (void *)scenarios[i].name))
                fail_msg("%s: the audit found something after allocation %lu failed", scenarios[i].name, n);
            if (failed && result) {
                assert_int_equal(result, -ENOMEM);
                if (strcmp(before, after))
                    fail_msg("%s changed something though allocation %lu failed:\n%s\n%s",
                             scenarios[i].name, n, before, after);
                assert_int_equal(vm_committed, committed);
            }
            mmput(mm);
            mapping_put(file);
            if (!failed) {
                if (result)
                    fail_msg("%s failed with %ld without reason", scenarios[i].name, result);
                if (n - 1 < scenarios[i].allocations_at_least)
                    fail_msg("%s allocated only %lu times", scenarios[i].name, n - 1);
                break;
            }
        }
    }
}

/* As above, but from the Nth allocation on nothing succeeds any more: memory is really full. */
static void nothing_is_lost_when_memory_stays_full(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(scenarios); i++) {
        bool failed = true;
        for (unsigned long n = 1; failed; n++) {
            file = test_file(2 * P);
            struct mm_struct *mm = stage();
            fail_allocations_forever = true;
            fail_allocation_countdown = n;
            failed = scenarios[i].run(mm) != 0;
            fail_allocation_countdown = 0;
            fail_allocations_forever = false;
            assert_int_equal(mm_audit(print_finding, (void *)scenarios[i].name), 0);
            mmput(mm);
            mapping_put(file);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(every_failing_allocation_changes_nothing),
        mm_test(nothing_is_lost_when_memory_stays_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
