/* The event journal: keeps records in a ring and hands them as lines of JSON to the machine's sink. */
#include "kernel/trace/journal.h"
#include "kernel/lib/string.h"
#include "kernel/trace/journal_json.h"

u32 journal_mask;
u32 journal_context_pid;
struct journal_record journal_ring[JOURNAL_RING];
u64 journal_count;

static journal_sink_t journal_sink;
static u64 memory_frames, memory_frames_free;
/* Not on the stack, which is small: records are appended one at a time. */
static char line[JOURNAL_LINE_MAX];

#define ALL(first, last) ((2u << (last)) - (1u << (first)))

/* The words that a filter is made of. */
static const struct {
    const char *name;
    u32 mask;
} filter_words[] = {
    { "fault", ALL(JOURNAL_FAULT, JOURNAL_FAULT) },
    { "syscall", ALL(JOURNAL_SYSCALL, JOURNAL_SYSCALL) },
    { "vma", ALL(JOURNAL_VMA_ADD, JOURNAL_VMA_MERGE) },
    { "table", ALL(JOURNAL_TABLE_ALLOC, JOURNAL_TABLE_FREE) },
    { "pte", ALL(JOURNAL_PTE, JOURNAL_PTE) },
    { "frame", ALL(JOURNAL_FRAME_ALLOC, JOURNAL_FRAME_FREE) },
    { "process", ALL(JOURNAL_PROCESS, JOURNAL_PROCESS) },
    { "signal", ALL(JOURNAL_SIGNAL, JOURNAL_SIGNAL) },
    { "on", ALL(0, JOURNAL_KINDS - 1) & ~(1u << JOURNAL_PTE) },
    { "all", ALL(0, JOURNAL_KINDS - 1) & ~(1u << JOURNAL_PTE) },
};

/* The mask of the word of LENGTH bytes at NAME; 0: no such word. */
static u32 word_mask(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(filter_words); i++)
        if (strlen(filter_words[i].name) == length && memcmp(filter_words[i].name, name, length) == 0)
            return filter_words[i].mask;
    return 0;
}

void journal_set_memory(u64 frames, u64 frames_free)
{
    memory_frames = frames;
    memory_frames_free = frames_free;
}

bool journal_start(const char *filter, journal_sink_t sink)
{
    u32 mask = 0;

    for (;;) {
        const char *comma = strchr(filter, ',');
        size_t length = comma ? (size_t)(comma - filter) : strlen(filter);
        u32 more = word_mask(filter, length);

        if (more == 0)
            return false;
        mask |= more;
        if (!comma)
            break;
        filter = comma + 1;
    }
    journal_sink = sink;
    journal_mask = mask;
    if (sink)
        sink(line, journal_version_line(memory_frames, memory_frames_free, line, sizeof(line)));
    return true;
}

void journal_append(enum journal_kind kind, const u64 args[JOURNAL_ARGS])
{
    struct journal_record *record = &journal_ring[journal_count % JOURNAL_RING];

    record->sequence = journal_count++;
    record->kind = kind;
    record->pid = journal_context_pid;
    memcpy(record->args, args, sizeof(record->args));
    if (journal_sink)
        journal_sink(line, journal_json_line(record, line, sizeof(line)));
}
