/* Prints the texts of /proc about a process: smaps to the byte, the fields of status, statm, stat, meminfo. */
#include "tests/linux/transcript.h"

/* The entry of /proc/self/smaps for the mapping that begins at START, without its first line. */
static void show_smaps(const char *what, const char *start)
{
    char head[32];
    const char *text = file_text("/proc/self/smaps");

    say("smaps of %s:", what);
    snprintf(head, sizeof(head), "%08lx-", (unsigned long)start);
    text = strstr(text, head);
    if (text == NULL) {
        say("  there is none");
        return;
    }
    text = strchr(text, '\n') + 1;
    while (*text >= 'A' && *text <= 'Z') {
        size_t length = strcspn(text, "\n");

        say("  %.*s", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

/* The first word of each line; what tells about the processor's flaws depends on the processor. */
static void show_names(const char *path)
{
    const char *text = file_text(path);

    say("names in %s:", path);
    while (*text != '\0') {
        size_t length = strcspn(text, ":\n");

        if (strncmp(text, "Speculation", 11) != 0)
            say("  %.*s", (int)length, text);
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
}

/* One line of a file, that which begins with NAME. */
static void show_line(const char *path, const char *name)
{
    const char *text = file_text(path);

    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        if (strncmp(text, name, strlen(name)) == 0)
            say("  %.*s", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void writes_one(void *memory)
{
    ((char *)memory)[0] = 'c';
    show_smaps("a page shared by copy-on-write, in a child that wrote one of two", memory);
}

static void several_smaps(void)
{
    char *memory = anon_at(free_range(8), 8, READ_WRITE), *shared;

    show_smaps("eight untouched pages", memory);
    read_pages(memory, 3);
    show_smaps("three of them read", memory);
    write_pages(memory + 2 * PAGE, 4);
    show_smaps("four of them written", memory);
    syscall(SYS_mlock, memory, 8 * PAGE);
    show_smaps("all of them locked", memory);
    raw_munmap(memory, 8 * PAGE);

    memory = anon_at(free_range(2), 2, READ_WRITE);
    write_pages(memory, 2);
    status_of_child(writes_one, memory);
    show_smaps("the same in the parent", memory);
    raw_mprotect(memory, 2 * PAGE, PROT_NONE);
    show_smaps("without access", memory);
    raw_munmap(memory, 2 * PAGE);

    shared = raw_mmap(0, 4 * PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    write_pages(shared, 2);
    read_pages(shared + 2 * PAGE, 1);
    show_smaps("shared memory, two pages written, one read", shared);
    raw_munmap(shared, 4 * PAGE);

    memory = raw_mmap((unsigned long)free_range(2), 2 * PAGE, PROT_READ | PROT_EXEC,
                      PRIVATE_ANON | MAP_NORESERVE | MAP_FIXED, -1, 0);
    show_smaps("executable memory without reserve", memory);
    raw_munmap(memory, 2 * PAGE);
    memory = raw_mmap((unsigned long)free_range(600) + 599 * PAGE, PAGE, READ_WRITE,
                      PRIVATE_ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    show_smaps("a growing mapping", memory);
    raw_munmap(memory, PAGE);
}

static long statm_field(int number)
{
    const char *text = file_text("/proc/self/statm");
    char *rest = (char *)text;
    long value = 0;

    for (int i = 0; i <= number; i++)
        value = (long)strtoul(rest, &rest, 10);
    return value;
}

static void counts(void)
{
    long size = statm_field(0), data = statm_field(5);
    const char *text = file_text("/proc/self/stat");
    int fields = 1;
    char *memory;

    for (const char *c = text; *c != '\0'; c++)
        fields += *c == ' ';
    say("stat has %d fields", fields);
    text = file_text("/proc/self/statm");
    fields = 1;
    for (const char *c = text; *c != '\0'; c++)
        fields += *c == ' ';
    say("statm has %d fields", fields);
    memory = anon(10);
    say("ten pages mapped: size grows by %ld, data by %ld", statm_field(0) - size, statm_field(5) - data);
    raw_mprotect(memory, 4 * PAGE, PROT_READ);
    say("four made read-only: size %ld, data %ld", statm_field(0) - size, statm_field(5) - data);
    raw_munmap(memory, 10 * PAGE);
    say("unmapped: size %ld, data %ld", statm_field(0) - size, statm_field(5) - data);
}

int main(void)
{
    static const char *const memory_fields[] = {
        "MemTotal:  ", "\nMemFree:  ", "\nMemAvailable:  ", "\nBuffers:  ", "\nCached:  ", "\nSwapTotal:  ",
        "\nAnonPages:  ", "\nMapped:  ", "\nShmem:  ", "\nSlab:  ", "\nKernelStack:  ", "\nPageTables:  ",
        "\nCommitLimit:  ", "\nCommitted_AS:  ", "\nHugePages_Total:  ", "\nHugepagesize:  "};
    char *memory = anon_at(free_range(3), 3, READ_WRITE);

    several_smaps();
    counts();
    show_names("/proc/self/status");
    syscall(SYS_mlock, memory, 3 * PAGE);
    show_line("/proc/self/status", "VmLck");
    show_line("/proc/self/status", "VmSwap");
    show_line("/proc/self/status", "Threads");
    show_line("/proc/self/status", "SigBlk");
    show_line("/proc/self/status", "Uid");
    show_line("/proc/self/status", "State");
    for (unsigned int i = 0; i < sizeof(memory_fields) / sizeof(memory_fields[0]); i++)
        say("meminfo %s %s", strstr(file_text("/proc/meminfo"), memory_fields[i]) != NULL ? "has" : "lacks",
            memory_fields[i] + strspn(memory_fields[i], "\n"));
    show_line("/proc/self/limits", "Max stack size");
    show_line("/proc/self/limits", "Max address space");
    say("overcommit_memory %s", strtok(file_text("/proc/sys/vm/overcommit_memory"), "\n"));
    say("max_map_count %s", strtok(file_text("/proc/sys/vm/max_map_count"), "\n"));
    say("mmap_min_addr %s", strtok(file_text("/proc/sys/vm/mmap_min_addr"), "\n"));
    return 0;
}
