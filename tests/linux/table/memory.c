/* Tries every flag, protection and advice of the memory calls on mappings of each kind, for docs/linux.md. */
#define _GNU_SOURCE
#include "row.h"

enum { PAGES = 4, HIGHEST_BIT = 31, LAST_ADVICE = 27 };

static int memory_file;

static const struct named map_flags[] = {
    NAMED(MAP_FIXED), {0x40, "MAP_32BIT"}, {0x100, "MAP_GROWSDOWN"}, {0x800, "MAP_DENYWRITE"},
    {0x1000, "MAP_EXECUTABLE"}, {0x2000, "MAP_LOCKED"}, {0x4000, "MAP_NORESERVE"}, {0x8000, "MAP_POPULATE"},
    {0x10000, "MAP_NONBLOCK"}, {0x20000, "MAP_STACK"}, {0x40000, "MAP_HUGETLB"}, {0x80000, "MAP_SYNC"},
    {0x100000, "MAP_FIXED_NOREPLACE"}, {0x4000000, "MAP_UNINITIALIZED"}, {0, NULL}};

static const struct named protections[] = {
    NAMED(PROT_READ), NAMED(PROT_WRITE), NAMED(PROT_EXEC), {8, "PROT_SEM"}, {0x01000000, "PROT_GROWSDOWN"},
    {0x02000000, "PROT_GROWSUP"}, {0, NULL}};

static const struct named advices[] = {
    {0, "MADV_NORMAL"}, {1, "MADV_RANDOM"}, {2, "MADV_SEQUENTIAL"}, {3, "MADV_WILLNEED"}, {4, "MADV_DONTNEED"},
    {8, "MADV_FREE"}, {9, "MADV_REMOVE"}, {10, "MADV_DONTFORK"}, {11, "MADV_DOFORK"}, {12, "MADV_MERGEABLE"},
    {13, "MADV_UNMERGEABLE"}, {14, "MADV_HUGEPAGE"}, {15, "MADV_NOHUGEPAGE"}, {16, "MADV_DONTDUMP"},
    {17, "MADV_DODUMP"}, {18, "MADV_WIPEONFORK"}, {19, "MADV_KEEPONFORK"}, {20, "MADV_COLD"},
    {21, "MADV_PAGEOUT"}, {22, "MADV_POPULATE_READ"}, {23, "MADV_POPULATE_WRITE"}, {24, "MADV_DONTNEED_LOCKED"},
    {25, "MADV_COLLAPSE"}, {100, "MADV_HWPOISON"}, {101, "MADV_SOFT_OFFLINE"}, {0, NULL}};

/* --- mmap --- */

static void add_mmap(const char *kind, unsigned long hint, int protection, int flags, int file)
{
    char *got = raw_mmap(hint, 2 * PAGE, protection, flags, file, 0);

    add(" %s %s", kind, outcome((long)got));
    if (got == MAP_FAILED)
        return;
    add_mapping_flags(got);
    if (protection & PROT_WRITE)
        add_death("write", write_byte, got + PAGE);
    raw_munmap(got, 2 * PAGE);
}

static void mmap_flag(long flag)
{
    unsigned long hint = 0x20000000;

    /* Huge pages of another size than 2 MiB, not a flag of its own. */
    if (flag == MAP_ANONYMOUS || (flag & 0xf) != 0)
        return;
    add_mmap("private", hint, READ_WRITE, PRIVATE_ANON | (int)flag, -1);
    add_mmap("shared", hint, READ_WRITE, SHARED_ANON | (int)flag, -1);
    add_mmap("file", hint, READ_WRITE, MAP_PRIVATE | (int)flag, memory_file);
    add_mmap("shared file", hint, READ_WRITE, MAP_SHARED | (int)flag, memory_file);
    add_mmap("validated", hint, READ_WRITE, MAP_SHARED_VALIDATE | (int)flag, memory_file);
    end_row("mmap flags", "%s", name_of(map_flags, flag));
}

/* Huge pages without a pool: a mapping that promises nothing is made on Linux, and every touch of it is SIGBUS. */
static void huge_without_reserve(void)
{
    char *got = raw_mmap(0, 1UL << 21, READ_WRITE, PRIVATE_ANON | MAP_HUGETLB | MAP_NORESERVE, -1, 0);

    add(" %s", got == MAP_FAILED ? outcome(-1) : "mapped");
    if (got != MAP_FAILED) {
        add_death("write", write_byte, got);
        raw_munmap(got, 1UL << 21);
    }
    end_row("mmap flags", "MAP_HUGETLB with MAP_NORESERVE");
}

static void mmap_types(void)
{
    static const struct named types[] = {NAMED(MAP_SHARED), NAMED(MAP_PRIVATE), NAMED(MAP_SHARED_VALIDATE), {0, NULL}};

    for (int type = 0; type < 16; type++) {
        add_mmap("anonymous", 0, READ_WRITE, MAP_ANONYMOUS | type, -1);
        add_mmap("file", 0, READ_WRITE, type, memory_file);
        end_row("mmap types", "%s", name_of(types, type));
    }
}

static void protection_bit(long bit)
{
    char *memory = anon(2);

    add_mmap("mmap", 0, (int)bit, PRIVATE_ANON, -1);
    add_mmap("mmap of shared", 0, (int)bit, SHARED_ANON, -1);
    memory[0] = (char)0xc3;
    add(" mprotect %s", outcome(raw_mprotect(memory, PAGE, (unsigned long)bit)));
    add_mapping_flags(memory);
    add_death("read", read_byte, memory);
    add_death("write", write_byte, memory);
    add_death("execute", execute_at, memory);
    raw_munmap(memory, 2 * PAGE);
    memory = raw_mmap(0, 2 * PAGE, READ_WRITE, PRIVATE_ANON | MAP_GROWSDOWN, -1, 0);
    add(" growing: %s [%s]", outcome(raw_mprotect(memory + PAGE, PAGE, PROT_READ | (unsigned long)bit)),
        vmas(memory, 2));
    raw_munmap(memory, 2 * PAGE);
    end_row("protections", "%s", name_of(protections, bit));
}

/* --- mremap --- */

static void mremap_flags(long flags)
{
    char *memory = anon_at(free_range(3 * PAGES), PAGES, READ_WRITE), *target = memory + 2 * PAGES * PAGE;

    memory[0] = 'a';
    add(" keep %s", outcome(syscall(SYS_mremap, memory, PAGES * PAGE, PAGES * PAGE, flags, target)));
    add(" [%s]", vmas(memory, 3 * PAGES));
    raw_munmap(memory, 3 * PAGES * PAGE);
    anon_at(memory, PAGES, READ_WRITE);
    anon_at(memory + PAGES * PAGE, 1, PROT_READ);
    add(" grow %s", outcome(syscall(SYS_mremap, memory, PAGES * PAGE, (PAGES + 1) * PAGE, flags, target)));
    add(" [%s]", vmas(memory, 3 * PAGES));
    raw_munmap(memory, 3 * PAGES * PAGE);
    raw_mmap((unsigned long)memory, PAGES * PAGE, READ_WRITE, SHARED_ANON | MAP_FIXED, -1, 0);
    add(" alias %s", outcome(syscall(SYS_mremap, memory, 0, PAGE, flags, target)));
    raw_munmap(memory, 3 * PAGES * PAGE);
    end_row("mremap flags", "%ld", flags);
}

/* --- madvise --- */

/* As many letters as pages: '1' resident, '0' not. */
static void add_resident(const char *start)
{
    unsigned char vector[PAGES];

    syscall(SYS_mincore, start, PAGES * PAGE, vector);
    add(" ");
    for (int i = 0; i < PAGES; i++)
        add("%d", vector[i] & 1);
}

static void advise(const char *kind, char *memory, long advice)
{
    add(" %s %s", kind, outcome(syscall(SYS_madvise, memory, PAGES * PAGE, advice)));
    add_mapping_flags(memory);
    add_resident(memory);
    syscall(SYS_munlock, memory, PAGES * PAGE);
    raw_munmap(memory, PAGES * PAGE);
}

/* Three of four pages are there: read, written, absent, written. */
static char *touched(char *memory)
{
    read_pages(memory, 1);
    write_pages(memory + PAGE, 1);
    write_pages(memory + 3 * PAGE, 1);
    return memory;
}

static void madvise_row(long advice)
{
    char *memory;

    advise("private", touched(anon(PAGES)), advice);
    advise("shared", touched(raw_mmap(0, PAGES * PAGE, READ_WRITE, SHARED_ANON, -1, 0)), advice);
    advise("file", touched(raw_mmap(0, PAGES * PAGE, READ_WRITE, MAP_PRIVATE, memory_file, 0)), advice);
    advise("read-only file", raw_mmap(0, PAGES * PAGE, PROT_READ, MAP_SHARED, memory_file, 0), advice);
    memory = touched(anon(PAGES));
    raw_mprotect(memory, PAGES * PAGE, PROT_NONE);
    advise("none", memory, advice);
    advise("untouched", anon(PAGES), advice);
    memory = touched(anon(PAGES));
    syscall(SYS_mlock, memory, PAGES * PAGE);
    advise("locked", memory, advice);
    end_row("madvise", "%s", name_of(advices, advice));
}

/* These two damage a page on purpose; they are asked without privileges. */
static void as_nobody(void (*row)(long), long value)
{
    pid_t child = fork();

    if (child == 0) {
        if (setuid(NOBODY) != 0)
            _exit(1);
        syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0);
        row(value);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* --- mlock2, mlockall, msync, memfd_create --- */

static void mlock2_row(long flags)
{
    static const struct named none[] = {{0, NULL}};
    char *memory = anon(PAGES);

    add(" %s", outcome(syscall(SYS_mlock2, memory, 2 * PAGE, flags)));
    add_mapping_flags(memory);
    add_resident(memory);
    syscall(SYS_munlock, memory, PAGES * PAGE);
    raw_munmap(memory, PAGES * PAGE);
    end_row("mlock2 flags", "%s", flags == 0 ? "0" : flags == 1 ? "MLOCK_ONFAULT" : name_of(none, flags));
}

static void mlockall_row(long flags)
{
    char *before = anon_at(free_range(PAGES), 2, READ_WRITE), *after;

    add(" %s", outcome(syscall(SYS_mlockall, flags)));
    after = anon_at(free_range(PAGES), 2, READ_WRITE);
    add_mapping_flags(before);
    add_resident(before);
    add(" later:");
    add_mapping_flags(after);
    add(" munlockall %s", outcome(syscall(SYS_munlockall)));
    raw_munmap(before, 2 * PAGE);
    raw_munmap(after, 2 * PAGE);
    end_row("mlockall flags", "%ld", flags);
}

static void msync_row(long flags)
{
    char *memory = raw_mmap(0, PAGES * PAGE, READ_WRITE, MAP_SHARED, memory_file, 0);

    add(" %s", outcome(syscall(SYS_msync, memory, PAGES * PAGE, flags)));
    syscall(SYS_mlock, memory, PAGE);
    add(" locked %s", outcome(syscall(SYS_msync, memory, PAGES * PAGE, flags)));
    raw_munmap(memory, PAGES * PAGE);
    end_row("msync flags", "%ld", flags);
}

static void memfd_row(long flags)
{
    static const struct named names[] = {{0, "0"}, {1, "MFD_CLOEXEC"}, {2, "MFD_ALLOW_SEALING"}, {4, "MFD_HUGETLB"},
                                         {0, NULL}};
    int file = (int)syscall(SYS_memfd_create, "table", flags);

    add(" %s", file < 0 ? outcome(file) : "made");
    if (file >= 0)
        add(" FD %d seals %ld", fcntl(file, F_GETFD), (long)fcntl(file, 1034 /* F_GET_SEALS */));
    close(file);
    end_row("memfd_create flags", "%s", name_of(names, flags));
}

/* --- Overcommit --- */

static void set_overcommit(int mode)
{
    char digit = (char)('0' + mode);
    int file = open("/proc/sys/vm/overcommit_memory", O_WRONLY);
    long got = write(file, &digit, 1);

    add(" set %s", got == 1 ? "0" : outcome(got));
    close(file);
}

static void overcommit_row(long mode)
{
    set_overcommit((int)mode);
    add_mmap("small", 0, READ_WRITE, PRIVATE_ANON, -1);
    add_mmap("small noreserve", 0, READ_WRITE, PRIVATE_ANON | MAP_NORESERVE, -1);
    for (int shift = 34; shift <= 46; shift += 12) {
        char *got = raw_mmap(0, 1UL << shift, READ_WRITE, PRIVATE_ANON, -1, 0);

        add(" 2^%d %s", shift, outcome((long)got));
        if (got != MAP_FAILED)
            raw_munmap(got, 1UL << shift);
    }
    set_overcommit(0);
    end_row("overcommit modes", "%ld", mode);
}

static void each_bit(void (*row)(long))
{
    for (int bit = 0; bit <= HIGHEST_BIT; bit++)
        row((long)(1UL << bit));
}

int main(void)
{
    memory_file = (int)syscall(SYS_memfd_create, "table", 0);
    if (memory_file < 0 || ftruncate(memory_file, PAGES * PAGE) != 0)
        bail_out("memfd_create failed with errno %d", errno);
    mmap_types();
    each_bit(mmap_flag);
    huge_without_reserve();
    protection_bit(0);
    each_bit(protection_bit);
    for (long flags = 0; flags <= 16; flags++)
        mremap_flags(flags);
    for (long advice = -1; advice <= LAST_ADVICE; advice++)
        madvise_row(advice);
    as_nobody(madvise_row, 100);
    as_nobody(madvise_row, 101);
    madvise_row(102);
    mlock2_row(0);
    each_bit(mlock2_row);
    for (long flags = 0; flags <= 8; flags++)
        mlockall_row(flags);
    for (long flags = 0; flags <= 8; flags++)
        msync_row(flags);
    memfd_row(0);
    each_bit(memfd_row);
    for (long mode = 0; mode <= 3; mode++)
        overcommit_row(mode);
    return 0;
}
