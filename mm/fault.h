/* The page fault: who may touch what, and what they get. */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include "mm/mm.h"

/* The error code that the processor pushes (Intel SDM vol. 3A, 4.7). */
#define PF_PRESENT (1u << 0)
#define PF_WRITE (1u << 1)
#define PF_USER (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_INSTRUCTION (1u << 4)

#define FAULT_FLAG_WRITE (1u << 0)
#define FAULT_FLAG_USER (1u << 1)
#define FAULT_FLAG_INSTRUCTION (1u << 2)

/* Everything that a fault can end in. Each value has a test. */
enum fault_outcome {
    FAULT_ZERO_PAGE,        /* read of untouched anonymous memory: the zero frame, read-only */
    FAULT_NEW_PAGE,         /* write to untouched anonymous memory: a zeroed frame */
    FAULT_ZERO_REPLACED,    /* write to a page that maps the zero frame: a zeroed frame instead */
    FAULT_COW_COPIED,       /* write to a shared frame: a copy of one's own */
    FAULT_COW_REUSED,       /* write to a copy-on-write frame whose last user we are: taken over */
    FAULT_FILE_MAPPED,      /* a page of the file's cache */
    FAULT_FILE_COPIED,      /* write to a private file mapping: a copy of the cache's page */
    FAULT_SHARED_MAPPED,    /* a page of a shared-memory object */
    FAULT_SPURIOUS,         /* the entry already allowed it: the TLB was behind */
    /* refusals: SIGSEGV */
    FAULT_NO_MAPPING,       /* no VMA here */
    FAULT_BELOW_STACK,      /* below a stack, beyond its limit or too near another mapping */
    FAULT_NOT_READABLE,
    FAULT_NOT_WRITABLE,
    FAULT_NOT_EXECUTABLE,
    FAULT_KERNEL_ADDRESS,   /* above the user half */
    /* failures */
    FAULT_BEYOND_FILE,      /* SIGBUS: past the end of what is mapped */
    FAULT_OUT_OF_MEMORY,
    FAULT_OUTCOMES
};
extern const char *const fault_outcome_names[FAULT_OUTCOMES];

static inline bool fault_failed(enum fault_outcome outcome)
{
    return outcome >= FAULT_NO_MAPPING;
}

/*
 * Serves a fault at ADDRESS in MM with the processor's ERROR code: finds the VMA, grows the stack,
 * checks access, then handle_mm_fault. IP is only for the journal.
 */
enum fault_outcome do_user_addr_fault(struct mm_struct *mm, unsigned long address, unsigned error,
                                      unsigned long ip);

/* Makes the page at ADDRESS present in VMA, which contains it and allows the access. */
enum fault_outcome handle_mm_fault(struct vm_area_struct *vma, unsigned long address,
                                   unsigned flags);

/*
 * Grows a VM_GROWSDOWN VMA down to ADDRESS's page. 0, or -ENOMEM when limit, gap or map forbid it.
 */
int expand_stack(struct vm_area_struct *vma, unsigned long address);

/*
 * Writes a sentence for a person into BUFFER: why OUTCOME, with the VMA or the nearest ones below
 * and above.
 */
void fault_describe(struct mm_struct *mm, unsigned long address, unsigned error,
                    enum fault_outcome outcome, char *buffer, size_t size);

/* Totals since boot by outcome, for /proc and the benchmark. */
extern unsigned long fault_counts[FAULT_OUTCOMES];

#endif
