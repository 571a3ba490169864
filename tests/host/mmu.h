/*
 * The processor as a host test sees it: 4-level walks with their access checks (Intel SDM vol. 3A, 4.6),
 * accessed and dirty bits, a TLB that forgets nothing by itself, and page faults that go to do_user_addr_fault.
 *
 * The TLB is as stale as a real one may be: a translation that was used stays until it is flushed. So a missing
 * flush shows: an access through a translation that the tables no longer allow is a "stale translation",
 * counted and described.
 */
#ifndef TESTS_HOST_MMU_H
#define TESTS_HOST_MMU_H

#include "mm/fault.h"
#include "mm/mm.h"

enum mmu_access { MMU_READ, MMU_WRITE, MMU_EXECUTE };

/* What one access came to. */
struct touch {
    bool done;                      /* the access happened */
    unsigned faults;                /* page faults on the way */
    enum fault_outcome outcome;     /* of the last fault; meaningless when there was none */
    unsigned error;                 /* the last fault's error code */
};

/*
 * One access to the byte at ADDRESS in MM, which becomes the loaded address space: as ring 3 would make it.
 * BYTE is read or written (may be NULL for an execute).
 */
struct touch mmu_access(struct mm_struct *mm, unsigned long address, enum mmu_access access, u8 *byte);

/*
 * Translates ADDRESS for ACCESS in the loaded address space as the processor would, by ring 3 (USER) or the
 * kernel. Returns the byte's place, or NULL with *ERROR: a page fault.
 */
u8 *mmu_translate(unsigned long address, enum mmu_access access, bool user, unsigned *error);

/*
 * Makes MM the loaded address space, as a switch of tasks does: loads CR3 if it is another one. NULL: the
 * kernel's own.
 */
void mmu_load(struct mm_struct *mm);
extern struct mm_struct *mmu_loaded_mm;

/*
 * Checks every translation that the TLB holds against the tables of the loaded address space. NULL, or a
 * sentence about the first one that allows what the tables do not (valid until the next call).
 */
const char *mmu_tlb_audit(void);

/* Translations used though the tables no longer allow them, since mmu_reset: 0, or a flush was forgotten. */
extern unsigned long mmu_stale_uses;

/* Instructions seen since mmu_reset. */
extern unsigned long mmu_page_flushes;
extern unsigned long mmu_cr3_loads;

/* host_frees at the last flush of a page: what was taken back earlier could still be reached by what the processor remembered. */
extern unsigned long mmu_frees_at_flush;

/* True when ADDRESS's page was flushed by itself since mmu_reset (of the last 1024 flushes). */
bool mmu_was_flushed(unsigned long address);

/* Empties the TLB and the records; no address space is loaded. */
void mmu_reset(void);

#endif
