/*
 * The scenarios of the failing allocations: every memory call and every kind of fault. Each returns 0
 * when it was served and -ENOMEM (or what stands for it) when not.
 */
#include "mm/fault.h"
#include "mm/filemap.h"
#include "mm/limits.h"
#include "mm/user_copy.h"
#include "mm/vma.h"
#include "tests/host/calls.h"
#include "tests/host/file_host.h"
#include "tests/host/inject.h"

#define AT 0x10000000ul
#define FAR 0x600000000000ul    /* tables of its own */
#define SHARED 0x18000000ul
#define FILE_AT 0x19000000ul
#define STACK_AT 0x30000000ul
#define WRITTEN 4u

struct address_space *staged_file;

/* The stage for every scenario: written, read, untouched and shared pages, a file, a stack. */
struct mm_struct *stage(void)
{
    struct mm_struct *mm = test_mm();
    const struct mmap_source source = { .mapping = staged_file, .ops = &generic_file_vm_ops,
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
/* What may be written for the first time is promised memory. */
static long mprotect_promise(struct mm_struct *mm) { return do_mprotect(mm, AT + 17 * P, P, RW); }
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

/* ---- what populates: pages that were had stay, as on Linux ---- */

static long mmap_populate(struct mm_struct *mm)
{
    return as_error(anon(mm, FAR + GIB, 3 * P, RW, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE));
}
static long mmap_locked(struct mm_struct *mm)
{
    return as_error(anon(mm, FAR + GIB, 3 * P, RW, MAP_PRIVATE | MAP_FIXED | MAP_LOCKED));
}
static long populate_write(struct mm_struct *mm)
{
    return do_madvise(mm, FAR, 4 * P, MADV_POPULATE_WRITE);
}
static long populate_read(struct mm_struct *mm) { return do_madvise(mm, FAR, 4 * P, MADV_POPULATE_READ); }
static long mlock_far(struct mm_struct *mm)
{
    int result = do_mlock(mm, FAR, 4 * P, false);
    return result == -EAGAIN ? -ENOMEM : result;
}
static long mlock_all(struct mm_struct *mm) { return do_mlockall(mm, MCL_CURRENT | MCL_FUTURE); }
static void lock_future(struct mm_struct *mm) { mm->def_flags = VM_LOCKED; }
static void lock_written(struct mm_struct *mm) { assert_int_equal(do_mlock(mm, AT, 8 * P, true), 0); }

/* ---- the rest of the calls ---- */

static long mmap_file_over(struct mm_struct *mm)
{
    const struct mmap_source source = { .mapping = staged_file, .ops = &generic_file_vm_ops, .readable = true };
    return as_error(do_mmap(mm, &source, AT + P, P, PROT_READ, MAP_PRIVATE | MAP_FIXED, 0));
}
/* So that shrinking splits a mapping. */
static void move_brk_into_mapping(struct mm_struct *mm)
{
    mm->start_brk = AT;
    mm->brk = AT + 6 * P;
}
static long brk_shrink(struct mm_struct *mm)
{
    return do_brk(mm, AT + 2 * P) == AT + 2 * P ? 0 : -ENOMEM;
}
static long munlock_middle(struct mm_struct *mm) { return do_munlock(mm, AT + 2 * P, P); }
static long madvise_remove(struct mm_struct *mm) { return do_madvise(mm, SHARED, 2 * P, MADV_REMOVE); }
static long madvise_dontneed(struct mm_struct *mm) { return do_madvise(mm, AT, 6 * P, MADV_DONTNEED); }
static long mincore_far(struct mm_struct *mm)
{
    return do_mincore(mm, AT, 8 * P, FAR + P - 4) == 0 ? 0 : -ENOMEM;
}
static void make_executable(struct mm_struct *mm)
{
    assert_int_equal(do_mprotect(mm, FAR, P, PROT_READ | PROT_EXEC), 0);
}
static long execute(struct mm_struct *mm) { return as_fault(touch_execute(mm, FAR)); }
static long write_after_fork(struct mm_struct *mm)
{
    struct mm_struct *child = mm_alloc(&mm->limits);
    if (!child)
        return -ENOMEM;
    long error = dup_mmap(child, mm);
    if (!error)
        error = as_fault(touch_write(child, AT, 99));
    mmu_load(mm);
    mmput(child);
    return error;
}
static long clear_far(struct mm_struct *mm)
{
    (void)mm;
    return clear_user(FAR + 100, P) ? -ENOMEM : 0;
}
static long copy_out(struct mm_struct *mm)
{
    static u8 bytes[P];
    (void)mm;
    return copy_from_user(bytes, FAR, P) ? -ENOMEM : 0;
}
static long string_out(struct mm_struct *mm)
{
    char text[16];
    (void)mm;
    return strncpy_from_user(text, FAR, sizeof(text)) == 0 ? 0 : -ENOMEM;
}

/* All that execve does to memory: a new address space with a stack, its strings, a segment and a .bss. */
static long exec_memory(struct mm_struct *mm)
{
    const struct mmap_source source = { .mapping = staged_file, .ops = &generic_file_vm_ops, .readable = true };
    const unsigned long stack = 0x7ffffffff000;
    struct mm_struct *new = mm_alloc(&mm->limits);
    char strings[2 * P] = "argv[0]";
    long error = -ENOMEM;

    if (!new)
        return error;
    if (vm_brk_flags(new, stack - P, P, VM_READ | VM_WRITE | VM_GROWSDOWN) ||
        expand_stack(find_vma(new, stack - P), stack - 3 * P) ||
        access_remote_vm(new, stack - 2 * P, strings, sizeof(strings), true) != sizeof(strings))
        goto out;
    error = as_error(do_mmap(new, &source, 0x400000, 2 * P, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, 0));
    if (!error)
        error = vm_brk_flags(new, 0x402000, 3 * P, VM_READ | VM_WRITE);
out:
    mmput(new);
    return error;
}

const struct scenario scenarios[] = {
    { .name = "mmap", .run = mmap_new, .allocations_at_least = 1 },
    { .name = "mmap of shared memory", .run = mmap_shared, .allocations_at_least = 2 },
    { .name = "mmap over a middle", .run = mmap_over, .allocations_at_least = 2 },
    { .name = "mmap of shared memory over a middle", .run = mmap_shared_over,
      .allocations_at_least = 3 },
    { .name = "munmap of a middle", .run = munmap_middle, .allocations_at_least = 1 },
    { .name = "munmap of a middle of shared memory", .run = munmap_shared_middle,
      .allocations_at_least = 1 },
    { .name = "munmap across two mappings", .run = munmap_across, .allocations_at_least = 0 },
    { .name = "mprotect of a middle", .run = mprotect_middle, .allocations_at_least = 2 },
    { .name = "mprotect that promises", .run = mprotect_promise, .allocations_at_least = 2 },
    { .name = "mprotect of an end", .run = mprotect_end, .allocations_at_least = 1 },
    { .name = "brk", .run = brk_first, .allocations_at_least = 1 },
    { .name = "mremap that moves", .run = mremap_move, .allocations_at_least = 1 },
    { .name = "mremap of a middle", .run = mremap_middle, .allocations_at_least = 4 },
    { .name = "mremap across two tables", .run = mremap_across, .allocations_at_least = 4 },
    { .name = "mremap with DONTUNMAP", .run = mremap_dontunmap, .allocations_at_least = 1 },
    { .name = "mremap that makes an alias", .run = mremap_alias, .allocations_at_least = 1 },
    { .name = "mremap in place", .run = mremap_grow, .allocations_at_least = 0 },
    { .name = "madvise that splits", .run = madvise_flag, .allocations_at_least = 2 },
    { .name = "mlock that splits", .run = mlock_one, .allocations_at_least = 2 },
    { .name = "a first write", .run = write_far, .allocations_at_least = 4 },
    { .name = "a first read", .run = read_far, .allocations_at_least = 3 },
    { .name = "a write over the zero frame", .run = write_over_zero, .allocations_at_least = 1 },
    { .name = "a write to a private file page", .run = write_file, .allocations_at_least = 2 },
    { .name = "a read of a file page", .run = read_file, .allocations_at_least = 2, .may_succeed = true },
    { .name = "a write to shared memory", .run = write_shared, .allocations_at_least = 1 },
    { .name = "a stack that grows", .run = grow_stack, .allocations_at_least = 1 },
    { .name = "fork", .run = fork_all, .allocations_at_least = 8 },
    { .name = "a copy to user memory", .run = copy_in, .allocations_at_least = 4 },
    { .name = "a write into another address space", .run = remote, .allocations_at_least = 4 },
    { .name = "a segment for exec", .run = vma_for_exec, .allocations_at_least = 1 },
    { .name = "mmap of a file over a middle", .run = mmap_file_over, .allocations_at_least = 2 },
    { .name = "brk that splits", .run = brk_shrink, .allocations_at_least = 1,
      .prepare = move_brk_into_mapping },
    { .name = "munlock of a middle", .run = munlock_middle, .allocations_at_least = 2,
      .prepare = lock_written },
    { .name = "madvise REMOVE", .run = madvise_remove, .allocations_at_least = 0 },
    { .name = "madvise DONTNEED", .run = madvise_dontneed, .allocations_at_least = 0 },
    { .name = "mincore into untouched memory", .run = mincore_far, .allocations_at_least = 4,
      .leaves = LEAVES_PAGES },
    { .name = "the execution of an untouched page", .run = execute, .allocations_at_least = 3,
      .prepare = make_executable },
    { .name = "a child's write after fork", .run = write_after_fork, .allocations_at_least = 9 },
    { .name = "clearing of user memory", .run = clear_far, .allocations_at_least = 5,
      .leaves = LEAVES_PAGES },
    { .name = "a copy out of user memory", .run = copy_out, .allocations_at_least = 3 },
    { .name = "a string out of user memory", .run = string_out, .allocations_at_least = 3 },
    { .name = "execve", .run = exec_memory, .allocations_at_least = 8 },
    { .name = "mmap with POPULATE", .run = mmap_populate, .allocations_at_least = 6,
      .leaves = LEAVES_PAGES, .may_succeed = true },
    { .name = "mmap with LOCKED", .run = mmap_locked, .allocations_at_least = 6,
      .leaves = LEAVES_PAGES, .may_succeed = true },
    { .name = "madvise POPULATE_WRITE", .run = populate_write, .allocations_at_least = 7,
      .leaves = LEAVES_PAGES },
    { .name = "madvise POPULATE_READ", .run = populate_read, .allocations_at_least = 3,
      .leaves = LEAVES_PAGES },
    { .name = "mlock that populates", .run = mlock_far, .allocations_at_least = 7,
      .leaves = LEAVES_LOCKS },
    { .name = "mlockall", .run = mlock_all, .allocations_at_least = 10, .leaves = LEAVES_LOCKS, .may_succeed = true },
    { .name = "brk while all is locked", .run = brk_first, .allocations_at_least = 4,
      .leaves = LEAVES_PAGES, .prepare = lock_future, .may_succeed = true },
    { .name = "mremap of locked memory", .run = mremap_move, .allocations_at_least = 3,
      .prepare = lock_written },
};
const unsigned scenario_count = ARRAY_SIZE(scenarios);
