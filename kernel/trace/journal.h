/*
 * The event journal: each fault, system call, VMA change, page-table page and frame as one fixed-size record.
 *
 * Off (the normal state), an event costs one predictable branch. On (`journal=on` or `journal=fault,vma,…` on
 * the kernel's command line), each record goes into a ring of the last JOURNAL_RING records (for the debugger)
 * and, as one line of JSON, to the sink that the machine gave (QEMU's debug console). The first line names the
 * format and its version, and the machine's memory; records carry a sequence number and no time, so that two equal runs give two equal
 * journals.
 *
 * What a kind's arguments mean stands in one table, journal_schema, from which the JSON, the debugger's output
 * and the documentation are made.
 */
#ifndef KERNEL_TRACE_JOURNAL_H
#define KERNEL_TRACE_JOURNAL_H

#include "kernel/lib/types.h"

#define JOURNAL_VERSION 1
#define JOURNAL_ARGS 8
#define JOURNAL_RING 1024

enum journal_kind {
    /*                        arguments, in order                                                            */
    JOURNAL_FAULT,         /* address, error, ip, vma_start, vma_end, outcome, pte_before, pte_after (the frame is
                              derived from pte_after)                                                        */
    JOURNAL_SYSCALL,       /* number, a0 … a5, result                                                        */
    JOURNAL_VMA_ADD,       /* start, end, flags, pgoff                                                       */
    JOURNAL_VMA_DELETE,    /* start, end, flags, pgoff                                                       */
    JOURNAL_VMA_CHANGE,    /* start, end, flags, new_start, new_end, new_flags: bounds or flags changed      */
    JOURNAL_VMA_SPLIT,     /* start, end, flags, at                                                          */
    JOURNAL_VMA_MERGE,     /* start, end, flags: the VMA that came out of a merge                            */
    JOURNAL_TABLE_ALLOC,   /* pfn, level (1 = page table … 4 = PML4), address (first address that it covers) */
    JOURNAL_TABLE_FREE,    /* pfn, level, address                                                            */
    JOURNAL_PTE,           /* address, before, after: every change of a user PTE                             */
    JOURNAL_FRAME_ALLOC,   /* pfn, order, type (enum page_type)                                              */
    JOURNAL_FRAME_FREE,    /* pfn, order, type                                                               */
    JOURNAL_PROCESS,       /* what (0 start, 1 fork, 2 exec, 3 exit), pid, parent or exit status             */
    JOURNAL_SIGNAL,        /* signal, code, address                                                          */
    JOURNAL_KINDS
};

struct journal_record {
    u64 sequence;
    u32 kind;              /* enum journal_kind */
    u32 pid;               /* whose work it was: journal_context_pid at the time */
    u64 args[JOURNAL_ARGS];
};

/* Bit K is set when events of kind K are recorded. */
extern u32 journal_mask;

/* The process on whose behalf the kernel works now; 0 is the kernel itself. Set by the scheduler. */
extern u32 journal_context_pid;

static inline bool journal_wants(enum journal_kind kind)
{
    return unlikely(journal_mask & (1u << kind));
}

/* Records one event; missing arguments are 0. Use as journal(JOURNAL_FRAME_ALLOC, pfn, order, type). */
#define journal(kind, ...)                                                     \
    do {                                                                       \
        if (journal_wants(kind))                                               \
            journal_append(kind, (const u64[JOURNAL_ARGS]){ __VA_ARGS__ });     \
    } while (0)

void journal_append(enum journal_kind kind, const u64 args[JOURNAL_ARGS]);

/* Where the JSON lines go. TEXT is LENGTH bytes, a whole line with its newline. */
typedef void (*journal_sink_t)(const char *text, size_t length);

/* How many frames memory has, and how many of them are free where the journal begins: for its first line. */
void journal_set_memory(u64 frames, u64 frames_free);

/*
 * Starts recording the kinds named in FILTER ("on" or "all" = every kind but `pte`; or a comma-separated list
 * of kind names: fault, syscall, vma, table, pte, frame, process, signal) and writes the version line. SINK may
 * be NULL (ring only). Returns false, having started nothing, when FILTER names an unknown kind.
 */
bool journal_start(const char *filter, journal_sink_t sink);

/* How one argument is shown. */
enum journal_format { JOURNAL_HEX, JOURNAL_DECIMAL, JOURNAL_SIGNED, JOURNAL_PAGE_TYPE, JOURNAL_OUTCOME,
                      JOURNAL_ERROR_CODE, JOURNAL_VM_FLAGS, JOURNAL_PTE_BITS, JOURNAL_PROCESS_STEP };

/*
 * In JSON: HEX is a string "0x…"; DECIMAL and SIGNED are numbers; PAGE_TYPE, OUTCOME and PROCESS_STEP are
 * names; ERROR_CODE is {"code":6,"bits":["write","user"]}; VM_FLAGS is {"value":"0x…","rights":"rw-p"};
 * PTE_BITS is null for an empty entry, else {"value":"0x…","frame":N,"bits":["present",…]}. Every line begins
 * with "seq", "pid" and "event"; a fault ends with "frame", the frame that is mapped afterwards or null.
 */

struct journal_schema {
    const char *name;                        /* "fault" */
    const char *args[JOURNAL_ARGS];          /* "address", …; NULL ends the list */
    u8 formats[JOURNAL_ARGS];                /* enum journal_format */
};
extern const struct journal_schema journal_schema[JOURNAL_KINDS];

/* Names for the values of mm's enums, given by mm at start-up so that trace need not know mm. */
struct journal_names {
    const char *const *page_types;
    unsigned page_type_count;
    const char *const *outcomes;
    unsigned outcome_count;
};
void journal_set_names(const struct journal_names *names);

/* The ring and the number of records ever appended: record N is journal_ring[N % JOURNAL_RING]. */
extern struct journal_record journal_ring[JOURNAL_RING];
extern u64 journal_count;

#endif
