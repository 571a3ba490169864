/* How bytes become the fuzzer's steps, and steps become lines that a person can read. */
#include "mm/hugetlb.h"
#include "mm/user_copy.h"
#include "tests/fuzz/step.h"

#define NEAR_PAGES    64u /* of the window, where most of it happens */
#define PATTERN_PAGES 3u  /* at most so many are copied at once */

/* How often what comes, out of 64. */
static const struct {
    enum op op;
    unsigned weight;
} weights[] = {
    {OP_READ, 4},       {OP_WRITE, 8},  {OP_EXECUTE, 1},        {OP_MMAP, 10},       {OP_MUNMAP, 4},
    {OP_MPROTECT, 6},   {OP_MREMAP, 6}, {OP_MADVISE, 5},        {OP_MINCORE, 1},     {OP_MSYNC, 1},
    {OP_BRK, 2},        {OP_MLOCK, 1},  {OP_MLOCK_ON_FAULT, 1}, {OP_MUNLOCK, 1},     {OP_MLOCKALL, 1},
    {OP_MUNLOCKALL, 1}, {OP_FORK, 2},   {OP_EXIT, 1},           {OP_COPY_TO, 1},     {OP_COPY_FROM, 1},
    {OP_CLEAR, 1},      {OP_STRING, 1}, {OP_REMOTE_WRITE, 1},   {OP_REMOTE_READ, 1}, {OP_TRUNCATE, 1},
    {OP_FAIL, 1},
};
#define MAP_HUGE_SHIFT 26
/* What the rest of a byte is good for: a few values from the far end of 256. */
static const enum op rare_ops[] = {OP_FAIL_ALL, OP_PRESSURE, OP_FAIL, OP_FORK};

static const unsigned long odd_addresses[] = {
    0,    P,          WINDOW + 1,        TASK_SIZE,    TASK_SIZE + P, 1ul << 47, 0xffff888000000000ul,
    ~0ul, ~0ul << 12, TASK_SIZE - P + 1, BOUNDARY - 1,
};
static const unsigned long odd_lengths[] = {
    0, 1, P + 1, ~0ul, ~0ul << 12, 1ul << 47, TASK_SIZE, 1ul << 40, TASK_SIZE - WINDOW, 1ul << 63,
};

static enum op decode_op(u8 byte)
{
    unsigned dice = byte % 64u, what = 0;

    if (byte >= 256 - ARRAY_SIZE(rare_ops))
        return rare_ops[byte - (256 - ARRAY_SIZE(rare_ops))];
    while (dice >= weights[what].weight)
        dice -= weights[what++].weight;
    return weights[what].op;
}

/* Most pages lie near each other, around the boundary; some further away, some at the ends of the user half. */
static unsigned long decode_address(u8 byte)
{
    if (byte < 176)
        return address_of(BOTTOM_PAGES + WINDOW_PAGES - NEAR_PAGES + byte % NEAR_PAGES);
    if (byte < 208)
        return address_of(BOTTOM_PAGES + 8u * (byte - 176u));
    if (byte < 216)
        return address_of(byte - 208u);
    if (byte < 224)
        return address_of(PAGES - 1 - (byte - 216u));
    if (byte < 245)
        return address_of(BOTTOM_PAGES + HEAP_PAGE + byte - 224u);
    return odd_addresses[byte - 245u];
}

static unsigned long decode_length(u8 byte)
{
    if (byte < 246)
        return (1 + byte % (byte < 160 ? 6u : 16u) + (byte >= 160 && byte < 176 ? 16u : 0)) * P;
    return odd_lengths[byte - 246u];
}

static unsigned long decode_prot(u8 byte)
{
    static const unsigned long prots[] = {
        PROT_READ | PROT_WRITE,
        PROT_READ,
        PROT_NONE,
        PROT_READ | PROT_WRITE | PROT_EXEC,
        PROT_WRITE,
        PROT_EXEC,
        PROT_READ | PROT_EXEC,
        PROT_READ | PROT_WRITE,
        PROT_READ | PROT_WRITE | PROT_SEM,
        PROT_READ | PROT_GROWSDOWN,
        PROT_READ | PROT_WRITE | PROT_GROWSDOWN,
        PROT_READ | PROT_GROWSUP,
        PROT_GROWSUP | PROT_GROWSDOWN,
        0x10,
        ~0ul,
        PROT_READ | PROT_WRITE,
    };
    return prots[byte % 16];
}

static void decode_mmap(struct step *step, const u8 *bytes)
{
    static const unsigned long extras[] = {
        MAP_NORESERVE, MAP_LOCKED, MAP_POPULATE, MAP_GROWSDOWN, MAP_FIXED_NOREPLACE, MAP_POPULATE | MAP_NONBLOCK,
        MAP_32BIT,     MAP_STACK,
    };
    static const unsigned long odd_flags[] = {MAP_HUGETLB, MAP_SYNC | MAP_SHARED_VALIDATE, MAP_SHARED_VALIDATE, 0};
    u8 kind = bytes[5], more = bytes[6];
    unsigned long odd = odd_flags[kind >> 5 & 3];

    step->source = more % 8 == 1 ? ARCHIVE : more % 8 >= 6 ? MEMORY : ANONYMOUS;
    step->flags = kind & 0x80 ? odd : 0;
    if (!(step->flags & MAP_TYPE) && !(kind & 0x80 && !odd))
        step->flags |= (kind & 3) == 1 ? MAP_SHARED : MAP_PRIVATE;
    step->flags |= kind & 0x0c ? MAP_FIXED : 0;
    step->flags |= kind & 0x10 ? extras[more >> 5] : 0;
    if (step->source == ANONYMOUS)
        step->flags |= MAP_ANONYMOUS;
    if (step->source == ANONYMOUS && (step->flags & MAP_HUGETLB)) {
        /* Mostly where a huge page may begin, and of a size that there is. */
        step->address &= more & 8 ? HUGE_PAGE_MASK : ~0ul;
        step->flags |= bytes[7] < 128 ? 0 : (bytes[7] < 240 ? 21ul : 30ul) << MAP_HUGE_SHIFT;
    }
    step->offset = bytes[7] < 240 ? bytes[7] % 8u * P : bytes[7] < 248 ? 1 : ~0ul << 12;
}

static unsigned long decode_advice(u8 byte)
{
    static const u8 advices[] = {
        MADV_NORMAL,
        MADV_RANDOM,
        MADV_SEQUENTIAL,
        MADV_WILLNEED,
        MADV_DONTNEED,
        MADV_FREE,
        MADV_REMOVE,
        MADV_DONTFORK,
        MADV_DOFORK,
        MADV_MERGEABLE,
        MADV_UNMERGEABLE,
        MADV_HUGEPAGE,
        MADV_NOHUGEPAGE,
        MADV_DONTDUMP,
        MADV_DODUMP,
        MADV_WIPEONFORK,
        MADV_KEEPONFORK,
        MADV_COLD,
        MADV_PAGEOUT,
        MADV_POPULATE_READ,
        MADV_POPULATE_WRITE,
        MADV_DONTNEED_LOCKED,
        MADV_COLLAPSE,
        MADV_HWPOISON,
        MADV_DONTNEED,
        MADV_REMOVE,
        MADV_POPULATE_WRITE,
        5,
        26,
        MADV_SOFT_OFFLINE,
        MADV_WIPEONFORK,
        MADV_DONTFORK,
    };
    return advices[byte % ARRAY_SIZE(advices)];
}

struct step first_step(const u8 *bytes)
{
    struct step step = {
        .op = OP_MMAP,
        .address = address_of(BOTTOM_PAGES + WINDOW_PAGES - NEAR_PAGES),
        .length = NEAR_PAGES * P,
        .prot = PROT_READ | PROT_WRITE,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    };
    if (bytes[0] & 0x40)
        step.op = OP_MUNLOCKALL; /* nothing is mapped yet */
    return step;
}

struct step decode_step(const u8 *bytes)
{
    struct step step = {.op = decode_op(bytes[0]), .process = bytes[1] % PROCESSES, .value = bytes[6]};

    step.address = decode_address(bytes[2]);
    step.length = decode_length(bytes[3]);
    switch (step.op) {
    case OP_MMAP:
        step.prot = decode_prot(bytes[4]);
        decode_mmap(&step, bytes);
        if (bytes[4] >= 224 && !(step.flags & MAP_FIXED))
            step.address = 0;
        break;
    case OP_MUNMAP:
        break;
    case OP_MPROTECT:
        step.prot = decode_prot(bytes[4]);
        break;
    case OP_MADVISE:
        step.prot = decode_advice(bytes[4]);
        break;
    case OP_MREMAP:
        step.flags = bytes[5] < 250 ? (bytes[4] & 3 ? MREMAP_MAYMOVE : 0) | (bytes[4] & 4 ? MREMAP_FIXED : 0) |
                                          (bytes[4] & 0x38 ? 0 : MREMAP_DONTUNMAP)
                                    : bytes[5];
        step.new_address = decode_address(bytes[6]);
        step.new_length = bytes[4] & 0x40 ? step.length : decode_length(bytes[7]);
        if (bytes[1] >= 240)
            step.length = 0;
        break;
    case OP_MSYNC:
    case OP_MLOCKALL:
        step.flags = bytes[4] % 9u;
        break;
    case OP_BRK:
        step.address = address_of(BOTTOM_PAGES + HEAP_PAGE) + bytes[3] % 64 * P + (bytes[4] & 1 ? bytes[5] : 0) -
                       (bytes[4] == 255 ? P : 0);
        if (bytes[4] == 254)
            step.address = decode_address(bytes[2]);
        break;
    case OP_MINCORE:
        step.new_address = decode_address(bytes[6]) + bytes[7] * 16u;
        break;
    case OP_MLOCK:
    case OP_MLOCK_ON_FAULT:
    case OP_MUNLOCK:
        if (bytes[4] >= 240)
            step.address += bytes[5];
        break;
    case OP_TRUNCATE:
        step.length = bytes[3] % 10u * P + (bytes[4] & 1 ? bytes[5] : 0);
        break;
    case OP_FAIL:
        step.each = bytes[4] >= 128;
        /* fallthrough */
    case OP_FAIL_ALL:
    case OP_PRESSURE:
        step.length = 1 + bytes[3] % 24u;
        break;
    default:
        /* Touches and copies: any byte of the page, up to three pages. */
        step.address += bytes[7] * 16u + (bytes[4] & 15);
        if (step.op >= OP_COPY_TO)
            step.length = bytes[3] < 246 ? bytes[3] * 40ul % (PATTERN_PAGES * P) : decode_length(bytes[3]);
        /* What would be copied has to fit into the buffer; what is refused at once need not. */
        if (step.length > BUFFER && access_ok(step.address, step.length))
            step.length = BUFFER;
    }
    return step;
}

/* ---- settings ---- */

void decode_settings(const u8 *bytes)
{
    u8 which = bytes[0];

    settings.limits = (struct mm_limits){.as = ~0ul, .data = ~0ul, .data_hard = ~0ul, .memlock = ~0ul, .stack = 48 * P};
    settings.may_lock_beyond_limit = (which & 0x80) != 0;
    settings.journal = (which & 0x20) != 0;
    settings.overcommit = bytes[1] % 4u == 3 ? 0 : bytes[1] % 4u;
    settings.overcommit_ratio = 5 + bytes[1] / 8;
    settings.max_map_count = bytes[2] < 224 ? SYSCTL_MAX_MAP_COUNT_DEFAULT : bytes[2] - 216;
    if (which & 1)
        settings.limits.as = (8 + bytes[3] % 64ul) * P;
    if (which & 2)
        settings.limits.data = bytes[4] & 0x80 ? 0 : (8 + bytes[4] % 64ul) * P;
    if (which & 4)
        settings.limits.memlock = bytes[5] % 40u * P;
    if (which & 8)
        settings.limits.stack = (2 + bytes[6] % 64ul) * P;
    if (which & 16)
        settings.limits.data_hard = (8 + bytes[7] % 64ul) * P;
}

static void print_limit(FILE *out, const char *name, unsigned long limit)
{
    if (limit != ~0ul)
        fprintf(out, ", %s %lu KiB", name, limit / 1024);
}

void print_settings(FILE *out)
{
    fprintf(out, "overcommit_memory %d (ratio %d), max_map_count %d%s", settings.overcommit, settings.overcommit_ratio,
            settings.max_map_count, settings.may_lock_beyond_limit ? ", CAP_IPC_LOCK" : "");
    if (settings.journal)
        fprintf(out, ", journal on");
    print_limit(out, "RLIMIT_AS", settings.limits.as);
    print_limit(out, "RLIMIT_DATA", settings.limits.data);
    print_limit(out, "its hard limit", settings.limits.data_hard);
    print_limit(out, "RLIMIT_MEMLOCK", settings.limits.memlock);
    print_limit(out, "RLIMIT_STACK", settings.limits.stack);
    fprintf(out, "; brk begins at 0x%lx, mmap_base is 0x%lx\n", address_of(BOTTOM_PAGES + HEAP_PAGE), WINDOW_END);
}
