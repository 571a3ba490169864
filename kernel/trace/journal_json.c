/* Turns journal records into lines of JSON, argument by argument as journal_schema says. */
#include "kernel/trace/journal_json.h"
#include "kernel/lib/printf.h"

/* A line under construction. */
struct line {
    char *buffer;
    size_t size, length;
};

/*
 * The bits of numbers that are shown by name, lowest first; NULL: unnamed. Trace may not include mm, so the
 * manual's words stand here again.
 */
static const char *const error_bits[] = { "present", "write", "user", "reserved", "instruction" };
static const char *const pte_bits[64] = { [0] = "present", "write", "user", "write_through", "cache_disable",
                                          "accessed", "dirty", "large", "global", [63] = "no_execute" };
#define PTE_BIT_PRESENT 1ull
#define PTE_FRAME_BITS 0x000ffffffffff000ul
#define PTE_FRAME_SHIFT 12

/* Linux's VM_READ, VM_WRITE, VM_EXEC, VM_SHARED. */
#define RIGHTS_READ 1u
#define RIGHTS_WRITE 2u
#define RIGHTS_EXEC 4u
#define RIGHTS_SHARED 8u

static const char *const process_steps[] = { "start", "fork", "exec", "exit" };

static struct journal_names names;

void journal_set_names(const struct journal_names *given)
{
    names = *given;
}

static void add(struct line *line, const char *format, ...) __printf(2, 3);

static void add(struct line *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(line->buffer + line->length, line->size - line->length, format, arguments);
    va_end(arguments);
    line->length = MIN(line->length + (size_t)length, line->size - 1);
}

/* The names of the bits set in VALUE as a JSON list; a bit without a name is "bitN". */
static void add_bits(struct line *line, u64 value, const char *const *bit_names, unsigned count)
{
    const char *comma = "";

    add(line, "[");
    for (unsigned bit = 0; bit < 64; bit++) {
        if (!(value >> bit & 1))
            continue;
        if (bit < count && bit_names[bit])
            add(line, "%s\"%s\"", comma, bit_names[bit]);
        else
            add(line, "%s\"bit%u\"", comma, bit);
        comma = ",";
    }
    add(line, "]");
}

static void add_name(struct line *line, u64 value, const char *const *table, u64 count)
{
    if (value < count && table[value])
        add(line, "\"%s\"", table[value]);
    else
        add(line, "\"%lu\"", value);
}

static void add_pte(struct line *line, u64 pte)
{
    if (pte == 0) {
        add(line, "null");
        return;
    }
    add(line, "{\"value\":\"0x%lx\",\"frame\":%lu,\"bits\":", pte, (pte & PTE_FRAME_BITS) >> PTE_FRAME_SHIFT);
    if (!(pte & PTE_BIT_PRESENT) && pte >> 8 & 1) {
        /* Without P, bit 8 is ours: the frame of a page that nobody may touch. */
        add(line, "[\"protnone\"]}");
        return;
    }
    add_bits(line, pte & ~PTE_FRAME_BITS, pte_bits, ARRAY_SIZE(pte_bits));
    add(line, "}");
}

static void add_argument(struct line *line, enum journal_format format, u64 value)
{
    switch (format) {
    case JOURNAL_HEX:
        add(line, "\"0x%lx\"", value);
        break;
    case JOURNAL_DECIMAL:
        add(line, "%lu", value);
        break;
    case JOURNAL_SIGNED:
        add(line, "%ld", (long)value);
        break;
    case JOURNAL_PAGE_TYPE:
        add_name(line, value, names.page_types, names.page_type_count);
        break;
    case JOURNAL_OUTCOME:
        add_name(line, value, names.outcomes, names.outcome_count);
        break;
    case JOURNAL_PROCESS_STEP:
        add_name(line, value, process_steps, ARRAY_SIZE(process_steps));
        break;
    case JOURNAL_ERROR_CODE:
        add(line, "{\"code\":%lu,\"bits\":", value);
        add_bits(line, value, error_bits, ARRAY_SIZE(error_bits));
        add(line, "}");
        break;
    case JOURNAL_VM_FLAGS:
        add(line, "{\"value\":\"0x%lx\",\"rights\":\"%c%c%c%c\"}", value, value & RIGHTS_READ ? 'r' : '-',
            value & RIGHTS_WRITE ? 'w' : '-', value & RIGHTS_EXEC ? 'x' : '-',
            value & RIGHTS_SHARED ? 's' : 'p');
        break;
    case JOURNAL_PTE_BITS:
        add_pte(line, value);
        break;
    }
}

/* Ends the line; a line that is too long keeps its newline, so that the next one is readable. */
static size_t finish(struct line *line)
{
    if (line->length > line->size - 2)
        line->length = line->size - 2;
    add(line, "\n");
    return line->length;
}

size_t journal_version_line(u64 frames, u64 frames_free, char *buffer, size_t size)
{
    struct line line = { buffer, size, 0 };

    add(&line, "{\"zeropage-journal\":%d,\"frames\":%lu,\"frames_free\":%lu}", JOURNAL_VERSION, (unsigned long)frames,
        (unsigned long)frames_free);
    return finish(&line);
}

size_t journal_json_line(const struct journal_record *record, char *buffer, size_t size)
{
    const struct journal_schema *schema = &journal_schema[record->kind];
    struct line line = { buffer, size, 0 };

    add(&line, "{\"seq\":%lu,\"pid\":%u,\"event\":\"%s\"", record->sequence, record->pid, schema->name);
    for (unsigned i = 0; i < JOURNAL_ARGS && schema->args[i]; i++) {
        add(&line, ",\"%s\":", schema->args[i]);
        add_argument(&line, schema->formats[i], record->args[i]);
    }
    if (record->kind == JOURNAL_FAULT) {
        /* Derived for the reader's sake: the frame that the page maps now. */
        u64 after = record->args[JOURNAL_ARGS - 1];
        if (after == 0)
            add(&line, ",\"frame\":null");
        else
            add(&line, ",\"frame\":%lu", (after & PTE_FRAME_BITS) >> PTE_FRAME_SHIFT);
    }
    add(&line, "}");
    return finish(&line);
}
