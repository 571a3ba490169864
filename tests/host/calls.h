/* Short forms of the memory calls for host tests, and the list of VMAs as a text. */
#ifndef TESTS_HOST_CALLS_H
#define TESTS_HOST_CALLS_H

#include "kernel/lib/errno.h"
#include "tests/host/harness.h"

#define RW (PROT_READ | PROT_WRITE)
#define P PAGE_SIZE
#define ANON_FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

/* A result of do_mmap, do_mremap …: an address or a negative errno. */
#define assert_error(result, error) assert_int_equal((long)(result), -(long)(error))

/* do_mmap of anonymous memory, LENGTH in bytes. */
static inline unsigned long anon(struct mm_struct *mm, unsigned long address, unsigned long length,
                                 unsigned long prot, unsigned long flags)
{
    return do_mmap(mm, NULL, address, length, prot, flags | MAP_ANONYMOUS, 0);
}

/* PAGES of private anonymous memory exactly at ADDRESS; fails the test when that is refused. */
static inline unsigned long map_at(struct mm_struct *mm, unsigned long address, unsigned long pages,
                                   unsigned long prot)
{
    assert_int_equal(anon(mm, address, pages * P, prot, MAP_PRIVATE | MAP_FIXED), address);
    return address;
}

static inline void write_byte(struct mm_struct *mm, unsigned long address, u8 value)
{
    user_fill(mm, address, value, 1);
}

/*
 * The VMAs of MM as "START-END PERM, …": hexadecimal, r w x, s or p, then l when locked. Valid
 * until the next call.
 */
static inline const char *maps_of(struct mm_struct *mm)
{
    static char text[4096];
    size_t n = 0;

    text[0] = '\0';
    for (const struct vm_area_struct *vma = mm->mmap; vma; vma = vma->vm_next)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%lx-%lx %c%c%c%c%s", n ? ", " : "",
                              vma->vm_start, vma->vm_end, vma->vm_flags & VM_READ ? 'r' : '-',
                              vma->vm_flags & VM_WRITE ? 'w' : '-', vma->vm_flags & VM_EXEC ? 'x' : '-',
                              vma->vm_flags & VM_MAYSHARE ? 's' : 'p', vma->vm_flags & VM_LOCKED ? "l" : "");
    return text;
}

#define expect_maps(mm, text) assert_string_equal(maps_of(mm), text)

static inline pte_t entry_at(struct mm_struct *mm, unsigned long address)
{
    pte_t *ptep = pte_offset(mm->pgd, address);
    return ptep ? *ptep : (pte_t){ 0 };
}

/* A copy of MM as fork makes it; MM is loaded afterwards. */
static inline struct mm_struct *fork_of(struct mm_struct *mm)
{
    struct mm_struct *child = mm_alloc(&mm->limits);

    assert_non_null(child);
    mmu_load(mm);
    assert_int_equal(dup_mmap(child, mm), 0);
    return child;
}

#endif
