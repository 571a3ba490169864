/*
 * The one table of what each kind of journal record holds, from which JSON, debugger output and documentation
 * are made.
 */
#include "kernel/trace/journal.h"

#define RANGE_ARGS "start", "end", "flags"
#define RANGE_FORMATS JOURNAL_HEX, JOURNAL_HEX, JOURNAL_VM_FLAGS

const struct journal_schema journal_schema[JOURNAL_KINDS] = {
    [JOURNAL_FAULT] = {
        "fault",
        { "address", "error", "ip", "vma_start", "vma_end", "outcome", "pte_before", "pte_after" },
        { JOURNAL_HEX, JOURNAL_ERROR_CODE, JOURNAL_HEX, JOURNAL_HEX, JOURNAL_HEX, JOURNAL_OUTCOME,
          JOURNAL_PTE_BITS, JOURNAL_PTE_BITS },
    },
    [JOURNAL_SYSCALL] = {
        "syscall",
        { "number", "a0", "a1", "a2", "a3", "a4", "a5", "result" },
        { JOURNAL_DECIMAL, JOURNAL_HEX, JOURNAL_HEX, JOURNAL_HEX, JOURNAL_HEX, JOURNAL_HEX, JOURNAL_HEX,
          JOURNAL_SIGNED },
    },
    [JOURNAL_VMA_ADD] = { "vma_add", { RANGE_ARGS, "pgoff" }, { RANGE_FORMATS, JOURNAL_HEX } },
    [JOURNAL_VMA_DELETE] = { "vma_delete", { RANGE_ARGS, "pgoff" }, { RANGE_FORMATS, JOURNAL_HEX } },
    [JOURNAL_VMA_CHANGE] = {
        "vma_change",
        { RANGE_ARGS, "new_start", "new_end", "new_flags" },
        { RANGE_FORMATS, RANGE_FORMATS },
    },
    [JOURNAL_VMA_SPLIT] = { "vma_split", { RANGE_ARGS, "at" }, { RANGE_FORMATS, JOURNAL_HEX } },
    [JOURNAL_VMA_MERGE] = { "vma_merge", { RANGE_ARGS }, { RANGE_FORMATS } },
    [JOURNAL_TABLE_ALLOC] = {
        "table_alloc", { "frame", "level", "address" }, { JOURNAL_DECIMAL, JOURNAL_DECIMAL, JOURNAL_HEX },
    },
    [JOURNAL_TABLE_FREE] = {
        "table_free", { "frame", "level", "address" }, { JOURNAL_DECIMAL, JOURNAL_DECIMAL, JOURNAL_HEX },
    },
    [JOURNAL_PTE] = {
        "pte", { "address", "before", "after" }, { JOURNAL_HEX, JOURNAL_PTE_BITS, JOURNAL_PTE_BITS },
    },
    [JOURNAL_FRAME_ALLOC] = {
        "frame_alloc", { "frame", "order", "type" }, { JOURNAL_DECIMAL, JOURNAL_DECIMAL, JOURNAL_PAGE_TYPE },
    },
    [JOURNAL_FRAME_FREE] = {
        "frame_free", { "frame", "order", "type" }, { JOURNAL_DECIMAL, JOURNAL_DECIMAL, JOURNAL_PAGE_TYPE },
    },
    [JOURNAL_PROCESS] = {
        "process", { "what", "process", "detail" }, { JOURNAL_PROCESS_STEP, JOURNAL_DECIMAL, JOURNAL_SIGNED },
    },
    [JOURNAL_SIGNAL] = {
        "signal", { "signal", "code", "address" }, { JOURNAL_DECIMAL, JOURNAL_SIGNED, JOURNAL_HEX },
    },
};
