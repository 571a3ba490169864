/* Plays the processor's paging unit for host tests: walks, access checks, the TLB. */
#include "tests/host/mmu.h"
#include <stdio.h>
#include "kernel/lib/panic.h"
#include "mm/page_table.h"

#ifndef TLB_ENTRIES
#define TLB_ENTRIES 65536       /* direct-mapped by page number; a collision evicts, as on a real one */
#endif
#define FLUSHES_KEPT 1024

struct translation {
    unsigned long address;      /* of the page */
    pfn_t pfn;
    bool valid, writable, user, executable, dirty;
};

static struct translation tlb[TLB_ENTRIES];
struct mm_struct *mmu_loaded_mm;
static phys_addr_t cr3;
static unsigned long flushes[FLUSHES_KEPT];

unsigned long mmu_stale_uses;
unsigned long mmu_page_flushes;
unsigned long mmu_cr3_loads;
unsigned long mmu_frees_at_flush;

static struct translation *tlb_slot(unsigned long address)
{
    return &tlb[(address >> PAGE_SHIFT) % TLB_ENTRIES];
}

static void tlb_empty(void)
{
    memset(tlb, 0, sizeof(tlb));
}

static void tlb_drop(unsigned long address)
{
    struct translation *entry = tlb_slot(address);

    if (entry->address == (address & PAGE_MASK))
        entry->valid = false;
}

void arch_flush_page(unsigned long address)
{
    flushes[mmu_page_flushes++ % FLUSHES_KEPT] = address & PAGE_MASK;
    mmu_frees_at_flush = host_frees;
    tlb_drop(address);
}

void arch_load_cr3(phys_addr_t pgd)
{
    mmu_cr3_loads++;
    cr3 = pgd;
    tlb_empty();
}

phys_addr_t arch_read_cr3(void)
{
    return cr3;
}

void mmu_reset(void)
{
    tlb_empty();
    cr3 = 0;
    mmu_loaded_mm = NULL;
    mmu_stale_uses = mmu_page_flushes = mmu_cr3_loads = 0;
}

bool mmu_was_flushed(unsigned long address)
{
    for (unsigned long i = 0; i < MIN(mmu_page_flushes, (unsigned long)FLUSHES_KEPT); i++)
        if (flushes[i] == (address & PAGE_MASK))
            return true;
    return false;
}

void mmu_load(struct mm_struct *mm)
{
    phys_addr_t pgd = mm ? mm->pgd_phys : virt_to_phys(kernel_pgd);

    mmu_loaded_mm = mm;
    if (cr3 != pgd)
        arch_load_cr3(pgd);
}

/*
 * Walks the tables for ADDRESS. Fills RESULT and returns the slots in PATH (PATH[1] is the leaf), or returns
 * false: not present. Rights are those that every level gives.
 */
static bool walk(unsigned long address, struct translation *result, pte_t *path[5])
{
    pte_t *table = phys_to_virt(cr3);

    *result = (struct translation){ .address = address & PAGE_MASK, .valid = true, .writable = true,
                                    .user = true, .executable = true };
    for (unsigned level = 4; level >= 1; level--) {
        path[level] = table + LEVEL_INDEX(address, level);
        pte_t entry = *path[level];

        if (!(entry.value & PTE_PRESENT))
            return false;
        result->writable &= (entry.value & PTE_WRITE) != 0;
        result->user &= (entry.value & PTE_USER) != 0;
        result->executable &= (entry.value & PTE_NX) == 0;
        /* Reserved bits and large pages do not occur in the user half. */
        assert((entry.value & PTE_FRAME_MASK) < host_memory_size);
        assert(level == 1 || !(entry.value & PTE_LARGE));
        result->pfn = pte_pfn(entry);
        table = table_of(entry);
    }
    result->dirty = pte_dirty(*path[1]);
    return true;
}

static bool allows(const struct translation *entry, enum mmu_access access, bool user)
{
    return (entry->user || !user) && (access != MMU_WRITE || entry->writable) &&
           (access != MMU_EXECUTE || entry->executable);
}

/* What the tables say now about a translation that the TLB holds. NULL: they allow as much, or a sentence. */
static const char *compare_with_tables(const struct translation *held)
{
    struct translation now;
    pte_t *path[5];

    if (!walk(held->address, &now, path))
        return "is still cached, but no longer present in the tables";
    if (now.pfn != held->pfn)
        return "is still cached with another frame than the tables name";
    if (held->writable && !now.writable)
        return "is still cached as writable, but the tables say read-only";
    if (held->executable && !now.executable)
        return "is still cached as executable, but the tables say no-execute";
    if (held->user && !now.user)
        return "is still cached as a user page, but the tables say kernel only";
    return NULL;
}

const char *mmu_tlb_audit(void)
{
    static char finding[160];

    for (unsigned i = 0; i < TLB_ENTRIES; i++) {
        const char *what = tlb[i].valid ? compare_with_tables(&tlb[i]) : NULL;

        if (what) {
            snprintf(finding, sizeof(finding), "missing flush: page 0x%lx %s", tlb[i].address, what);
            return finding;
        }
    }
    return NULL;
}

u8 *mmu_translate(unsigned long address, enum mmu_access access, bool user, unsigned *error)
{
    struct translation *held = tlb_slot(address), fresh;
    pte_t *path[5];

    *error = (user ? PF_USER : 0) | (access == MMU_WRITE ? PF_WRITE : 0) |
             (access == MMU_EXECUTE ? PF_INSTRUCTION : 0);
    /* A held translation serves, except a first write, which walks again to set the dirty bit. */
    if (held->valid && held->address == (address & PAGE_MASK) && allows(held, access, user) &&
        (access != MMU_WRITE || held->dirty)) {
        const char *stale = compare_with_tables(held);
        if (stale) {
            fprintf(stderr, "# missing flush: page 0x%lx %s\n", held->address, stale);
            mmu_stale_uses++;
        }
        return (u8 *)phys_to_virt((phys_addr_t)held->pfn << PAGE_SHIFT) + (address & ~PAGE_MASK);
    }
    bool present = walk(address, &fresh, path);
    if (!present || !allows(&fresh, access, user)) {
        /* A page fault forgets the page's translation (SDM vol. 3A, 4.10.4.1). */
        tlb_drop(address);
        *error |= present ? PF_PRESENT : 0;
        return NULL;
    }
    for (unsigned level = 4; level >= 1; level--)
        path[level]->value |= PTE_ACCESSED;
    if (access == MMU_WRITE) {
        path[1]->value |= PTE_DIRTY;
        fresh.dirty = true;
    }
    *held = fresh;
    return (u8 *)phys_to_virt((phys_addr_t)fresh.pfn << PAGE_SHIFT) + (address & ~PAGE_MASK);
}
