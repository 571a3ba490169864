/* Executes ELF files that are broken in every way, by a list and at random, and prints what became of each. */
#include <fcntl.h>

#include "tests/linux/transcript.h"

#define VICTIM "/tmp/zeropage-elf"
#define FILE_SIZE (3 * PAGE)
#define BASE 0x400000UL
#define RANDOM_FILES 400
#define EXEC_FAILED 100 /* plus errno: the exit status of a child whose exec was refused */

struct header {
    unsigned char ident[16];
    unsigned short type, machine;
    unsigned int version;
    unsigned long entry, phoff, shoff;
    unsigned int flags;
    unsigned short ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct segment {
    unsigned int type, flags;
    unsigned long offset, vaddr, paddr, filesz, memsz, align;
};

enum { LOAD = 1, INTERP = 3, STACK = 0x6474e551, SEGMENTS = 4 };
enum { X = 1, W = 2, R = 4 };

/* A whole program: headers; code; a byte of data with junk behind it in the file, where its bss begins. */
static union {
    unsigned char bytes[FILE_SIZE];
    struct {
        struct header header;
        struct segment segments[SEGMENTS];
    };
} file;
static unsigned long file_size;

/* Adds up the data and two places in bss, and exits with the sum: 42. */
static const unsigned char code[] = {
    0x8a, 0x04, 0x25, 0x20, 0x20, 0x40, 0x00, /* mov 0x402020, %al: cleared, though the file has junk there */
    0x02, 0x04, 0x25, 0x00, 0x40, 0x40, 0x00, /* add 0x404000, %al: two pages further */
    0x02, 0x04, 0x25, 0x00, 0x20, 0x40, 0x00, /* add 0x402000, %al: 42 */
    0x0f, 0xb6, 0xf8,                         /* movzbl %al, %edi */
    0xb8, 0x3c, 0x00, 0x00, 0x00,             /* mov $60, %eax: exit */
    0x0f, 0x05,                               /* syscall */
};

static void make_file(void)
{
    memset(&file, 0, sizeof(file));
    file.header = (struct header){.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .type = 2, .machine = 62, .version = 1,
                                  .entry = BASE + PAGE, .phoff = sizeof(struct header), .ehsize = 64,
                                  .phentsize = sizeof(struct segment), .phnum = SEGMENTS, .shentsize = 64};
    file.segments[0] = (struct segment){LOAD, R, 0, BASE, BASE, 0x200, 0x200, PAGE};
    file.segments[1] = (struct segment){LOAD, R | X, PAGE, BASE + PAGE, 0, sizeof(code), sizeof(code), PAGE};
    file.segments[2] = (struct segment){LOAD, R | W, 2 * PAGE, BASE + 2 * PAGE, 0, 0x10, 0x3000, PAGE};
    file.segments[3] = (struct segment){STACK, R | W, 0, 0, 0, 0, 0, 16};
    memcpy(file.bytes + PAGE, code, sizeof(code));
    memset(file.bytes + 2 * PAGE, 0x11, PAGE);
    file.bytes[2 * PAGE] = 42;
    file_size = FILE_SIZE;
}

static void execute(void *nothing)
{
    char *argv[] = {"victim", NULL};

    (void)nothing;
    alarm(5);
    execve(VICTIM, argv, argv + 1);
    _exit(EXEC_FAILED + errno);
}

static void try_file(const char *name, unsigned long number)
{
    int status, fd = open(VICTIM, O_WRONLY | O_CREAT | O_TRUNC, 0755);

    if (fd < 0 || write(fd, file.bytes, file_size) != (ssize_t)file_size)
        bail_out("%s cannot be written: errno %d", VICTIM, errno);
    close(fd);
    status = status_of_child(execute, NULL);
    unlink(VICTIM);
    if (WIFSIGNALED(status))
        say("%s %lx: signal %d", name, number, WTERMSIG(status));
    else if (WEXITSTATUS(status) > EXEC_FAILED)
        say("%s %lx: errno %d", name, number, WEXITSTATUS(status) - EXEC_FAILED);
    else
        say("%s %lx: exits with %d", name, number, WEXITSTATUS(status));
}

/* ---- by the list: each field gets each of the values ---- */

#define FIELD(name, object) {name, (unsigned long)((char *)&(object) - (char *)&file), sizeof(object)}

static void each_field(void)
{
    static const unsigned long values[] = {0, 1, 2, 3, 4, 7, 0x38, 0x40, 0x1000, 0x1001, 0x2fff, 0x3000, 0x10000, BASE,
                                           BASE + 1, BASE + PAGE + 1, BASE + 2 * PAGE, BASE + 8 * PAGE, 0x7fffffffe000,
                                           0x7fffffffefff, 0x7ffffffff000, 0x800000000000, 0xffff800000000000,
                                           0xffffffff80000000, 0x7fffffffffffffff, 0xfffffffffffff000, ~0UL};
    const struct {
        const char *name;
        unsigned long offset, size;
    } fields[] = {
        FIELD("class", file.header.ident[4]),     FIELD("byte order", file.header.ident[5]),
        FIELD("type", file.header.type),          FIELD("machine", file.header.machine),
        FIELD("version", file.header.version),    FIELD("entry", file.header.entry),
        FIELD("phoff", file.header.phoff),        FIELD("flags", file.header.flags),
        FIELD("ehsize", file.header.ehsize),      FIELD("phentsize", file.header.phentsize),
        FIELD("phnum", file.header.phnum),        FIELD("text type", file.segments[1].type),
        FIELD("text flags", file.segments[1].flags), FIELD("text offset", file.segments[1].offset),
        FIELD("text vaddr", file.segments[1].vaddr), FIELD("text filesz", file.segments[1].filesz),
        FIELD("text memsz", file.segments[1].memsz), FIELD("text align", file.segments[1].align),
        FIELD("data type", file.segments[2].type), FIELD("data flags", file.segments[2].flags),
        FIELD("data offset", file.segments[2].offset), FIELD("data vaddr", file.segments[2].vaddr),
        FIELD("data filesz", file.segments[2].filesz), FIELD("data memsz", file.segments[2].memsz),
        FIELD("stack flags", file.segments[3].flags),
    };

    for (unsigned int i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        for (unsigned int k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
            make_file();
            memcpy(file.bytes + fields[i].offset, &values[k], fields[i].size);
            try_file(fields[i].name, values[k]);
        }
    }
}

static void each_size(void)
{
    static const unsigned long sizes[] = {0, 1, 4, 63, 64, 65, 200, 288, PAGE - 1, PAGE, PAGE + 1, PAGE + sizeof(code),
                                          2 * PAGE - 1, 2 * PAGE, 2 * PAGE + 1, 3 * PAGE - 1};

    for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make_file();
        file_size = sizes[i];
        try_file("cut at", sizes[i]);
    }
}

/* ---- at random (Marsaglia's xorshift64*) ---- */

static unsigned long state;

static unsigned long next_random(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dUL >> 16;
}

static void change_something(void)
{
    struct segment *segment = &file.segments[next_random() % SEGMENTS];
    unsigned long *fields = &segment->offset; /* six eight-byte fields from here */
    unsigned long field = next_random() % 6, value = next_random();

    switch (next_random() % 6) {
    case 0:
        file.bytes[next_random() % (sizeof(struct header) + sizeof(file.segments))] = (unsigned char)value;
        break;
    case 1:
        fields[field] = (value & 0xffff) << (next_random() % 40);
        break;
    case 2:
        fields[field] = -(value % 0x2000);
        break;
    case 3:
        fields[field] += (value % 3 - 1) * PAGE;
        break;
    case 4:
        segment->flags = (unsigned int)(value % 8);
        break;
    default:
        segment->type = value % 2 ? LOAD : INTERP;
        break;
    }
}

static void random_files(void)
{
    for (unsigned long seed = 1; seed <= RANDOM_FILES; seed++) {
        make_file();
        state = seed * 0x9e3779b97f4a7c15UL;
        for (unsigned long changes = 1 + next_random() % 3; changes > 0; changes--)
            change_something();
        try_file("random", seed);
    }
}

int main(void)
{
    make_file();
    try_file("unchanged", 0);
    each_field();
    each_size();
    random_files();
    return 0;
}
