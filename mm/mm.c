/* The life of an address space: made, shared, emptied, freed. */
#include "kernel/lib/panic.h"
#include "mm/limits.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"
#include "mm/slab.h"

/*
 * The layout that Linux chooses without randomisation: the mmap area ends below the stack's gap,
 * which is at least 128 MiB.
 */
#define STACK_TOP TASK_SIZE
#define MMAP_GAP_MIN (128ul << 20)
#define MMAP_GAP_MAX (STACK_TOP / 6 * 5)

struct list_head all_mms = LIST_HEAD_INIT(all_mms);
static DEFINE_SLAB_CACHE(mm_cache, "mm_struct", sizeof(struct mm_struct), 8);

static unsigned long faults_of_nobody;
unsigned long *mm_fault_counter = &faults_of_nobody;

/*
 * Private pages are never writable by protection alone, shared ones are; NX unless executable;
 * nothing at all is PTE_PROTNONE.
 */
#define PROTECTION_NONE (PTE_PROTNONE | PTE_ACCESSED | PTE_NX)
#define PROTECTION_READ (PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_NX)
#define PROTECTION_EXEC (PTE_PRESENT | PTE_USER | PTE_ACCESSED)
const u64 protection_map[16] = {
    [0] = PROTECTION_NONE,
    [VM_READ] = PROTECTION_READ,
    [VM_WRITE] = PROTECTION_READ,
    [VM_READ | VM_WRITE] = PROTECTION_READ,
    [VM_EXEC] = PROTECTION_EXEC,
    [VM_EXEC | VM_READ] = PROTECTION_EXEC,
    [VM_EXEC | VM_WRITE] = PROTECTION_EXEC,
    [VM_EXEC | VM_READ | VM_WRITE] = PROTECTION_EXEC,
    [VM_SHARED] = PROTECTION_NONE,
    [VM_SHARED | VM_READ] = PROTECTION_READ,
    [VM_SHARED | VM_WRITE] = PROTECTION_READ | PTE_WRITE,
    [VM_SHARED | VM_READ | VM_WRITE] = PROTECTION_READ | PTE_WRITE,
    [VM_SHARED | VM_EXEC] = PROTECTION_EXEC,
    [VM_SHARED | VM_EXEC | VM_READ] = PROTECTION_EXEC,
    [VM_SHARED | VM_EXEC | VM_WRITE] = PROTECTION_EXEC | PTE_WRITE,
    [VM_SHARED | VM_EXEC | VM_READ | VM_WRITE] = PROTECTION_EXEC | PTE_WRITE,
};

#define OWN (PTE_DIRTY)
#define OWN_WRITABLE (PTE_DIRTY | PTE_WRITE)
const u64 own_protection_map[8] = {
    [0] = PROTECTION_NONE | OWN,
    [VM_READ] = PROTECTION_READ | OWN,
    [VM_WRITE] = PROTECTION_READ | OWN_WRITABLE,
    [VM_READ | VM_WRITE] = PROTECTION_READ | OWN_WRITABLE,
    [VM_EXEC] = PROTECTION_EXEC | OWN,
    [VM_EXEC | VM_READ] = PROTECTION_EXEC | OWN,
    [VM_EXEC | VM_WRITE] = PROTECTION_EXEC | OWN_WRITABLE,
    [VM_EXEC | VM_READ | VM_WRITE] = PROTECTION_EXEC | OWN_WRITABLE,
};

/*
 * Where the top-down search begins: the stack's limit and its guard gap below the stack's top,
 * within bounds.
 */
static unsigned long choose_mmap_base(unsigned long stack_limit)
{
    unsigned long gap = stack_limit;

    if (gap + STACK_GUARD_GAP > gap)
        gap += STACK_GUARD_GAP;
    if (gap < MMAP_GAP_MIN)
        gap = MMAP_GAP_MIN;
    else if (gap > MMAP_GAP_MAX)
        gap = MMAP_GAP_MAX;
    return PAGE_ALIGN(STACK_TOP - gap);
}

struct mm_struct *mm_alloc(const struct mm_limits *limits)
{
    struct mm_struct *mm = slab_zalloc(&mm_cache);
    if (!mm)
        return NULL;

    mm->pgd = pgd_alloc();
    if (!mm->pgd) {
        slab_free(&mm_cache, mm);
        return NULL;
    }
    mm->pgd_phys = virt_to_phys(mm->pgd);
    mm->mm_users = 1;
    mm->limits = *limits;
    mm->mmap_base = choose_mmap_base(limits->stack);
    list_add_tail(&mm->mm_list, &all_mms);
    return mm;
}

void mmput(struct mm_struct *mm)
{
    assert(mm->mm_users > 0);
    if (--mm->mm_users > 0)
        return;

    exit_mmap(mm);
    list_del(&mm->mm_list);
    pgd_free(mm->pgd);
    slab_free(&mm_cache, mm);
}
