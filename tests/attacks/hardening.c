/*
 * What a program looks for that wants to know the kernel or its neighbours: the processor's tables, addresses in /proc,
 * bytes that others have left. Runs with 16 MiB on a processor with UMIP.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>

#include "tests/guest/catch.h"

#define MARK 0xdeadbeefcafef00dul
#define FILE_PART 65536

/* ---- the processor's tables (UMIP) ---- */

static void store_gdt(void *to) { __asm__ volatile("sgdt (%0)" : : "r"(to) : "memory"); }
static void store_idt(void *to) { __asm__ volatile("sidt (%0)" : : "r"(to) : "memory"); }
static void store_ldt(void *to) { __asm__ volatile("sldt (%0)" : : "r"(to) : "memory"); }
static void store_task(void *to) { __asm__ volatile("str (%0)" : : "r"(to) : "memory"); }
static void store_status(void *to) { __asm__ volatile("smsw (%0)" : : "r"(to) : "memory"); }

static void tables(void)
{
    static char to[16];
    static const struct {
        const char *name;
        void (*body)(void *);
    } cases[] = {{"sgdt", store_gdt}, {"sidt", store_idt}, {"sldt", store_ldt}, {"str", store_task}, {"smsw", store_status}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_str(fault_of(cases[i].body, to), "SEGV code 128 error 0 trap 13", "%s tells a program nothing", cases[i].name);
}

/* ---- addresses of the kernel's ---- */

/* The half above ffff8..., of which programs know nothing but that it is there. */
static bool is_kernel_address(unsigned long value)
{
    return (value >= 0xffff888000000000 && value < 0xffffc88000000000) ||
           (value >= 0xffffc90000000000 && value < 0xffffe90000000000) ||
           (value >= 0xffffffff80000000 && value < 0xffffffffff000000);
}

/* Sixteen digits in a row that are such an address. */
static bool has_address_as_text(const char *text, size_t length)
{
    unsigned long value = 0;
    unsigned int digits = 0;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        unsigned int digit = c >= '0' && c <= '9' ? (unsigned int)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10) : 16;
        value = digit < 16 ? value << 4 | digit : 0;
        digits = digit < 16 ? digits + 1 : 0;
        if (digits >= 16 && is_kernel_address(value))
            return true;
    }
    return false;
}

static bool has_address_as_number(const char *bytes, size_t length)
{
    for (size_t i = 0; i + 8 <= length; i++) {
        unsigned long value;
        memcpy(&value, bytes + i, sizeof(value));
        if (is_kernel_address(value))
            return true;
    }
    return false;
}

/* Decimal numbers of twenty digits. */
static bool has_address_in_decimal(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == '1' && (i == 0 || text[i - 1] < '0' || text[i - 1] > '9') &&
            is_kernel_address(strtoul(text + i, NULL, 10)))
            return true;
    return false;
}

static unsigned int files_read, files_with_addresses;

static void read_file(const char *path)
{
    static char part[FILE_PART + 1];
    int file = open(path, O_RDONLY | O_NONBLOCK);
    ssize_t got = file < 0 ? -1 : read(file, part, FILE_PART);

    if (got > 0) {
        part[got] = '\0';
        files_read++;
        if (has_address_as_text(part, (size_t)got) || has_address_as_number(part, (size_t)got) ||
            has_address_in_decimal(part, (size_t)got)) {
            files_with_addresses++;
            note("%s tells an address of the kernel", path);
        }
    }
    if (file >= 0)
        close(file);
}

static void read_folder(const char *path, int depth)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char name[256];

    while (folder && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR && depth < 5)
            read_folder(name, depth + 1);
        else if (strcmp(entry->d_name, "mem") != 0 && entry->d_type == DT_REG) /* its own memory, with our constants */
            read_file(name);
    }
    if (folder)
        closedir(folder);
}

static void read_as_nobody(void *nothing)
{
    (void)nothing;
    files_read = files_with_addresses = 0;
    read_folder("/proc", 0);
    _exit(files_with_addresses != 0 || files_read < 20);
}

static void addresses(void)
{
    unsigned long registers[15];
    int with_addresses = 0;

    read_folder("/proc", 0);
    check(files_read > 40, "the files of /proc can be read");
    check_eq(files_with_addresses, 0, "none tells root an address of the kernel");
    check_eq(status_as_nobody(read_as_nobody, NULL), 0, "none tells anybody else one");
    __asm__ volatile("mov $110, %%eax\n\tsyscall\n\tmov %%rax, 0(%0)\n\tmov %%rcx, 8(%0)\n\tmov %%rdx, 16(%0)\n\t"
                     "mov %%rsi, 24(%0)\n\tmov %%rdi, 32(%0)\n\tmov %%r8, 40(%0)\n\tmov %%r9, 48(%0)\n\t"
                     "mov %%r10, 56(%0)\n\tmov %%r11, 64(%0)\n\tmov %%r12, 72(%0)\n\tmov %%r13, 80(%0)\n\t"
                     "mov %%r14, 88(%0)\n\tmov %%r15, 96(%0)\n\tmov %%rbp, 104(%0)\n\tmov %%rsp, 112(%0)"
                     : : "b"(registers) : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
    for (int i = 0; i < 15; i++)
        with_addresses += is_kernel_address(registers[i]);
    check_eq(with_addresses, 0, "a system call leaves none in a register");
}

/* ---- what others have left ---- */

/* Writes marks everywhere: its memory, its stack, its pipes, its files, its page tables' frames; and ends. */
static void leave_marks(void *nothing)
{
    static unsigned long bytes[512];
    int ends[2], file;

    (void)nothing;
    for (int i = 0; i < 512; i++)
        bytes[i] = MARK;
    if (pipe(ends) == 0)
        for (int i = 0; i < 16; i++)
            write(ends[1], bytes, sizeof(bytes));
    file = (int)syscall(SYS_memfd_create, "marks", 0);
    for (int i = 0; i < 64; i++)
        write(file, bytes, sizeof(bytes));
    for (;;) {      /* until the kernel ends it */
        unsigned long *piece = raw_mmap(0, 16 * PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
        for (size_t i = 0; piece != MAP_FAILED && i < 16 * PAGE / sizeof(*piece); i++)
            piece[i] = MARK;
    }
}

static unsigned long words_not_zero(const unsigned long *words, size_t count)
{
    unsigned long found = 0;

    for (size_t i = 0; i < count; i++)
        found += words[i] != 0;
    return found;
}

/* Touches each page of PAGES by a write at its end, and counts what is in it besides. */
static unsigned long left_in(unsigned long *memory, unsigned long pages)
{
    unsigned long found = 0;

    for (unsigned long page = 0; page < pages; page++) {
        unsigned long *words = memory + page * PAGE / sizeof(*words);
        words[PAGE / sizeof(*words) - 1] = 1;
        found += words_not_zero(words, PAGE / sizeof(*words)) - 1;
    }
    return found;
}

static void fresh_memory(void)
{
    enum { PAGES = 1500 };  /* most of what there is */
    unsigned long *memory, start = raw_brk(0);
    int file;

    check_eq(signal_of_child(leave_marks, NULL), SIGKILL, "a process marks all memory, and dies of it");
    memory = raw_mmap(0, PAGES * PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
    check_eq(left_in(memory, PAGES), 0, "new memory holds nothing of it");
    raw_munmap(memory, PAGES * PAGE);
    signal_of_child(leave_marks, NULL);
    raw_brk(start + PAGES * PAGE);
    check_eq(left_in((unsigned long *)(start & -PAGE) + PAGE / 8, PAGES - 1), 0, "nor does a longer heap");
    raw_brk(start);
    signal_of_child(leave_marks, NULL);
    memory = raw_mmap(0, PAGES * PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    check_eq(left_in(memory, PAGES), 0, "nor does shared memory");
    raw_munmap(memory, PAGES * PAGE);
    signal_of_child(leave_marks, NULL);
    file = (int)syscall(SYS_memfd_create, "fresh", 0);
    ftruncate(file, PAGES * PAGE);
    memory = raw_mmap(0, PAGES * PAGE, READ_WRITE, MAP_SHARED, file, 0);
    check_eq(left_in(memory, PAGES), 0, "nor does a file that was made longer");
    raw_munmap(memory, PAGES * PAGE);
    close(file);
}

int main(void)
{
    catch_faults();
    tables();
    addresses();
    signal(SIGSEGV, SIG_DFL);
    fresh_memory();
    return done();
}
