/* The steps of the fuzzer: each picks its arguments, makes one call, and notes what came of it. */
#define _GNU_SOURCE
#include "tests/linux/fuzz/fuzz.h"

enum { REMEMBERED = 4, SET_DUMPABLE = 4, COLLAPSE = 25 /* MADV_COLLAPSE */ };

int ends[2], memfd, zero_device;
static int again;                                /* the file of memfd, opened once more */
static unsigned long heap;                       /* the break at the start */
/* Where mmap and mremap have put something; never the program, which must not lose what it counts with. */
static unsigned long remembered[REMEMBERED] = {ARENA, ARENA, ARENA, ARENA};
static unsigned int newest;

/* The program's own mappings, as they were at the start. */
static struct {
    char *start, *end;
    bool writable;
} own[16];
static unsigned int own_count;

static void find_own_mappings(void)
{
    const char *text = file_text("/proc/self/maps");
    struct vma_line line;

    while ((text = parse_vma_line(text, &line)) != NULL && line.start < ARENA_LOW && own_count < 16) {
        own[own_count].start = (char *)line.start;
        own[own_count].end = (char *)line.end;
        own[own_count++].writable = line.permissions[1] == 'w';
    }
}

/*
 * Touches every page of the program and the top of its stack, so that its own faults are not among
 * those that are counted: their number depends on how the program was compiled.
 */
void touch_own_pages(void)
{
    char volatile stack[8 * PAGE];

    for (unsigned int i = 0; i < own_count; i++)
        for (char *page = own[i].start; page < own[i].end; page += PAGE) {
            char byte = *(volatile char *)page;

            if (own[i].writable)
                *(volatile char *)page = byte;
        }
    for (unsigned long i = 0; i < sizeof(stack); i += PAGE)
        stack[i] = 0;
    minor_faults();
}

void prepare(void)
{
    char path[32];

    catch_faults();
    memfd = (int)syscall(SYS_memfd_create, "fuzz", 0);
    zero_device = open("/dev/zero", O_RDWR);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
    again = open(path, O_RDWR);
    if (memfd < 0 || zero_device < 0 || again < 0 || pipe(ends) != 0)
        bail_out("the fuzzer cannot prepare its files");
    for (unsigned long i = 0; i < FILE_PAGES; i++)
        pwrite(memfd, "fuzz", 4, (off_t)(i * PAGE + i));
    warm_up();
    heap = (raw_brk(0) + PAGE - 1) & -PAGE;
    raw_brk(heap);
    prepare_huge();
    find_own_mappings();
    /* Dumpable again, because its files in /proc would be root's. */
    if (pick(5) == 0 && (setuid(NOBODY) != 0 || syscall(SYS_prctl, SET_DUMPABLE, 1, 0, 0, 0) != 0))
        bail_out("the fuzzer cannot become another user");
    touch_own_pages();
}

/* --- Picking arguments --- */

unsigned long pick_page(void)
{
    unsigned long place = pick(20);

    if (aims_at_huge)
        return place < 17 ? pick_huge_page() : remembered[pick(REMEMBERED)];
    if (place < 16)
        return ARENA + pick(ARENA_PAGES) * PAGE;
    if (place < 19)
        return remembered[pick(REMEMBERED)] + pick(3) * PAGE;
    return pick(2) == 0 ? ARENA + pick(ARENA_PAGES * PAGE) : KERNEL_ADDRESS + pick(16) * PAGE;
}

unsigned long pick_length(void)
{
    unsigned long kind = pick(40);

    if (aims_at_huge && kind < 28)
        return pick_huge_length();
    if (kind < 34)
        return (1 + pick(8)) * PAGE;
    if (kind < 38)
        return pick(6 * PAGE);
    return kind == 38 ? 0 : -pick(3 * PAGE);
}

static int pick_protection(void)
{
    static const int likely[] = {PROT_NONE, PROT_READ, READ_WRITE, READ_WRITE, READ_WRITE, READ_WRITE};

    return pick(8) == 0 ? (int)pick(8) : likely[pick(6)];
}

void remember(unsigned long address)
{
    if (address != -1UL)
        remembered[newest++ % REMEMBERED] = address;
}

/* --- Noting what came of it --- */

static long faults_before;

void begin(void)
{
    faults_before = minor_faults();
    errno = 0;
}

/* The result of a call, and the faults that it took. */
void end(long result)
{
    int error = errno;
    long faults = minor_faults() - faults_before;

    errno = error;
    if (CONTRACT_ONLY)
        note_text(" -> %s", outcome(result));
    else
        note_text(" -> %s f%ld", outcome(result), faults);
}

/* --- The steps --- */

static void map_private(void)
{
    static const int extra[] = {0, 0, 0, 0, 0, 0, 0, MAP_NORESERVE, MAP_POPULATE, MAP_GROWSDOWN, MAP_GROWSDOWN,
                                MAP_LOCKED, MAP_STACK, MAP_32BIT, MAP_NONBLOCK, MAP_DENYWRITE, MAP_HUGETLB};
    static const int where[] = {MAP_FIXED, MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE, 0};
    unsigned long address = pick(6) == 0 ? 0 : pick_page(), length = pick_length();
    int protection = pick_protection();
    int flags = PRIVATE_ANON | extra[pick(17)] | (address == 0 ? 0 : where[pick(5)]);
    unsigned long got;

    if (pick(6) == 0)
        flags |= extra[pick(16)];

    note_text("mmap(0x%lx, 0x%lx, %d, 0x%x, -1, 0);", address, length, protection, flags);
    begin();
    got = (unsigned long)raw_mmap(address, length, protection, flags, -1, 0);
    end((long)got);
    remember(got);
}

static void map_shared(void)
{
    unsigned long address = pick(6) == 0 ? 0 : pick_page(), length = pick_length(), got;
    int protection = pick_protection();
    static const int extra[] = {MAP_POPULATE, MAP_NORESERVE, MAP_LOCKED, MAP_GROWSDOWN, MAP_32BIT};
    int flags = SHARED_ANON | (address == 0 ? 0 : MAP_FIXED) | (pick(4) == 0 ? extra[pick(5)] : 0);

    note_text("mmap(0x%lx, 0x%lx, %d, 0x%x, -1, 0);", address, length, protection, flags);
    begin();
    got = (unsigned long)raw_mmap(address, length, protection, flags, -1, 0);
    end((long)got);
    remember(got);
}

static void map_file(void)
{
    unsigned long address = pick(6) == 0 ? 0 : pick_page(), length = pick_length(), got;
    unsigned long offset = pick(FILE_PAGES + 1) * PAGE;
    static const int types[] = {MAP_PRIVATE, MAP_PRIVATE, MAP_SHARED, MAP_SHARED, MAP_SHARED_VALIDATE};
    static const int extra[] = {MAP_POPULATE, MAP_POPULATE, MAP_NORESERVE, MAP_LOCKED, MAP_GROWSDOWN};
    static const char *const names[] = {"memfd", "again", "zero_device"};
    const int files[] = {memfd, again, zero_device};
    unsigned long file = pick(10) < 6 ? 0 : 1 + pick(2);
    int protection = pick_protection();
    int flags = types[pick(5)] | (address == 0 ? 0 : MAP_FIXED) | (pick(6) == 0 ? extra[pick(5)] : 0);

    note_text("mmap(0x%lx, 0x%lx, %d, 0x%x, %s, 0x%lx);", address, length, protection, flags, names[file],
              offset);
    begin();
    got = (unsigned long)raw_mmap(address, length, protection, flags, files[file], offset);
    end((long)got);
    remember(got);
}

static void unmap(void)
{
    unsigned long address = pick_page(), length = pick_length();

    note_text("munmap(0x%lx, 0x%lx);", address, length);
    MEASURE(raw_munmap((void *)address, length));
}

static void protect(void)
{
    unsigned long address = pick_page(), length = pick_length();
    unsigned long protection = (unsigned long)pick_protection();

    if (pick(12) == 0)
        protection |= pick(4) != 0 ? PROT_GROWSDOWN : pick(2) == 0 ? PROT_GROWSUP : 0x10;
    note_text("mprotect(0x%lx, 0x%lx, 0x%lx);", address, length, protection);
    MEASURE(raw_mprotect((void *)address, length, protection));
}

static void remap(void)
{
    static const int kinds[] = {0, 1, 1, 1, 3, 3, 3, 5, 5, 7, 2, 4, 6, 8};
    unsigned long old = pick_page(), old_length = pick_length(), new_length = pick_length(), got;
    unsigned long target = pick_page();
    int flags = kinds[pick(14)];

    if (pick(3) == 0)
        new_length = old_length;
    if (pick(12) == 0)
        old_length = 0;
    note_text("mremap(0x%lx, 0x%lx, 0x%lx, %d, 0x%lx);", old, old_length, new_length, flags, target);
    begin();
    got = (unsigned long)syscall(SYS_mremap, old, old_length, new_length, flags, target);
    end((long)got);
    remember(got);
}

static void advise(void)
{
    static const int kinds[] = {0, 1, 2, 3, 4, 4, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                                21, 21, 22, 23, 24, 25, 5, -1};
    unsigned long address = pick_page(), length = pick_length();
    int advice = kinds[pick(sizeof(kinds) / sizeof(kinds[0]))];

    /* Of 2 MiB of memory Linux makes a huge page; this kernel has none (docs/linux.md). */
    if (is_about_huge && advice == COLLAPSE)
        advice = MADV_NORMAL;
    note_text("madvise(0x%lx, 0x%lx, %d);", address, length, advice);
    MEASURE(syscall(SYS_madvise, address, length, advice));
}

static void core(void)
{
    static unsigned char vector[16];
    unsigned long address = pick_page(), length = pick_length() % (12 * PAGE);
    long result;

    memset(vector, 0x77, sizeof(vector));
    note_text("mincore(0x%lx, 0x%lx, vector);", address, length);
    begin();
    result = syscall(SYS_mincore, address, length, vector);
    end(result);
    if (CONTRACT_ONLY)
        return;
    note_text(" ");
    for (unsigned int i = 0; i < 12; i++)
        note_text("%s", vector[i] == 0 ? "0" : vector[i] == 1 ? "1" : "-");
}

static void lock_pages(void)
{
    unsigned long address = pick_page(), length = pick_length();

    switch (pick(10)) {
    case 0:
        note_text("munlockall();");
        MEASURE(syscall(SYS_munlockall));
        break;
    case 1: {
        int flags = (int)pick(9);

        note_text("mlockall(%d);", flags);
        MEASURE(syscall(SYS_mlockall, flags));
        break;
    }
    case 2:
    case 3:
        note_text("munlock(0x%lx, 0x%lx);", address, length);
        MEASURE(syscall(SYS_munlock, address, length));
        break;
    case 4:
    case 5:
        note_text("mlock2(0x%lx, 0x%lx, 1);", address, length);
        MEASURE(syscall(SYS_mlock2, address, length, 1));
        break;
    default:
        note_text("mlock(0x%lx, 0x%lx);", address, length);
        MEASURE(syscall(SYS_mlock, address, length));
    }
}

static void synchronise(void)
{
    unsigned long address = pick_page(), length = pick_length();
    int flags = (int)pick(9);

    note_text("msync(0x%lx, 0x%lx, %d);", address, length, flags);
    MEASURE(syscall(SYS_msync, address, length, flags));
}

static void move_break(void)
{
    unsigned long offset = pick(4) == 0 ? pick(20 * PAGE) : pick(20) * PAGE, got;

    if (pick(12) == 0)
        offset = pick(2) == 0 ? -offset : offset << 30;
    note_text("brk(heap + 0x%lx);", offset);
    begin();
    got = raw_brk(heap + offset);
    end((long)(got - heap));
    if (got > heap && got < heap + 20 * PAGE && pick(2) == 0) {
        note_text(" heap byte %d", *(volatile char *)(got - 1));
        *(volatile char *)(got - 1) = (char)pick(256);
    }
}

/* One of the steps above, at mappings of huge pages. */
static void change_huge(void)
{
    static void (*const kinds[])(void) = {unmap, unmap, protect, protect, remap, remap, remap, advise, advise, core,
                                          lock_pages, synchronise, touch, touch_several, through_the_kernel,
                                          touch_and_mend, map_private, map_shared, resize_huge_file};

    aims_at_huge = true;
    kinds[pick(sizeof(kinds) / sizeof(kinds[0]))]();
    aims_at_huge = false;
}

void one_step(void)
{
    static const struct {
        void (*operation)(void);
        unsigned int weight;
    } operations[] = {{map_private, 16}, {map_shared, 4}, {map_file, 7},    {unmap, 8},
                      {protect, 14},     {remap, 10},     {advise, 10},     {core, 3},
                      {lock_pages, 5},   {synchronise, 2}, {move_break, 3}, {change_file, 5},
                      {touch, 18},       {touch_several, 8}, {through_the_kernel, 5}, {touch_and_mend, 4},
                      {fork_child, 4},   {change_limits, 2}, {touch_stack, 1}};
    enum { COUNT = sizeof(operations) / sizeof(operations[0]) };
    unsigned int sum = 0, chosen;

    if (is_about_huge && pick(2) == 0) {
        (newest == 0 || pick(3) == 0 ? map_huge : change_huge)();
        return;
    }

    for (unsigned int i = 0; i < COUNT; i++)
        sum += operations[i].weight;
    chosen = (unsigned int)pick(sum);
    for (unsigned int i = 0; i < COUNT; i++) {
        if (chosen < operations[i].weight) {
            operations[i].operation();
            return;
        }
        chosen -= operations[i].weight;
    }
}
