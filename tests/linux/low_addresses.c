/*
 * Tries every way to have something at the lowest addresses, as root and as an ordinary user, and prints what became of each.
 *
 * On Linux root may. So it is here with the kernel option map-low=on; without it nobody may, and what root is told is what
 * Linux tells an ordinary user (tests/attacks/hardening.t).
 */
#include <fcntl.h>
#include <stddef.h>

#include "tests/linux/transcript.h"

#define SETTING "/proc/sys/vm/mmap_min_addr"
#define VICTIM "/tmp/zeropage-low"
#define MINIMUM 0x10000UL
#define HIGH 0x30000000UL
#define HUGE_PAGE 0x200000UL
#define ENDS_WELL 7         /* the status of what is executed */
#define EXEC_FAILED 100     /* plus errno */

static const unsigned long places[] = {0, PAGE, MINIMUM - PAGE, MINIMUM};
enum { PLACES = sizeof(places) / sizeof(places[0]) };

/* Prints how it went; what is mapped must also be usable. */
static void tell(const char *way, unsigned long wanted, void *got, bool use)
{
    if (got != MAP_FAILED && use) {
        volatile char *byte = got;
        __asm__ volatile("" : "+r"(byte));  /* the compiler knows too much about address 0 */
        *byte = 'z';
        say("  %s %lx: %s, holds %c", way, wanted, outcome((long)got), *byte);
    } else {
        say("  %s %lx: %s", way, wanted, outcome((long)got));
    }
    if (got != MAP_FAILED)
        raw_munmap(got, PAGE);
}

static void map(void)
{
    int file = (int)syscall(SYS_memfd_create, "low", 0);

    if (ftruncate(file, PAGE) != 0)
        bail_out("no memfd");
    for (int i = 0; i < PLACES; i++) {
        unsigned long at = places[i];
        tell("MAP_FIXED", at, raw_mmap(at, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1, 0), true);
        tell("MAP_FIXED_NOREPLACE", at, raw_mmap(at, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED_NOREPLACE, -1, 0), true);
        tell("MAP_FIXED, shared", at, raw_mmap(at, PAGE, READ_WRITE, SHARED_ANON | MAP_FIXED, -1, 0), true);
        tell("MAP_FIXED of a file", at, raw_mmap(at, PAGE, READ_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0), true);
        tell("MAP_FIXED, inaccessible", at, raw_mmap(at, PAGE, PROT_NONE, PRIVATE_ANON | MAP_FIXED, -1, 0), false);
        tell("MAP_FIXED, populated", at, raw_mmap(at, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED | MAP_POPULATE, -1, 0), true);
        tell("MAP_FIXED across the minimum", at, raw_mmap(at, 32 * PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1, 0), true);
        raw_munmap((void *)at, 32 * PAGE);
        tell("a hint", at, raw_mmap(at, PAGE, READ_WRITE, PRIVATE_ANON, -1, 0), true);
        tell("a hint in the page", at, raw_mmap(at + 8, PAGE, READ_WRITE, PRIVATE_ANON, -1, 0), true);
        tell("a hint with MAP_32BIT", at, raw_mmap(at, PAGE, READ_WRITE, PRIVATE_ANON | MAP_32BIT, -1, 0), true);
    }
    tell("a huge page at", 0, raw_mmap(0, HUGE_PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED | MAP_HUGETLB, -1, 0), true);
    close(file);
}

static void move(void)
{
    for (int i = 0; i < PLACES; i++) {
        char *from = raw_mmap(HIGH, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1, 0);

        if (from == MAP_FAILED)
            bail_out("no page to move");
        void *moved = (void *)syscall(SYS_mremap, from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, places[i]);
        tell("mremap to", places[i], moved, true);
        raw_munmap(from, PAGE);
    }
    char *from = raw_mmap(HIGH, 2 * PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1, 0);
    tell("mremap across the minimum, to", MINIMUM - PAGE,
         (void *)syscall(SYS_mremap, from, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, MINIMUM - PAGE), false);
    raw_munmap(from, 2 * PAGE);
    raw_munmap((void *)(MINIMUM - PAGE), 2 * PAGE);
}

/* ---- a mapping that grows down ---- */

static void grow_to(void *address)
{
    char *start = raw_mmap(MINIMUM + PAGE, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);

    if (start == MAP_FAILED)
        _exit(1);
    *(volatile char *)address = 'g';
    _exit(0);
}

static void grow(void)
{
    static const unsigned long to[] = {MINIMUM, MINIMUM - 1, MINIMUM - PAGE, 0};

    for (unsigned int i = 0; i < sizeof(to) / sizeof(to[0]); i++)
        say("  a growth to %lx: wait status %x", to[i], (unsigned int)status_of_child(grow_to, (void *)to[i]));
}

/* ---- a program that is linked to lie there ---- */

struct program {
    struct {
        unsigned char ident[16];
        unsigned short type, machine;
        unsigned int version;
        unsigned long entry, phoff, shoff;
        unsigned int flags;
        unsigned short ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    } header;
    struct {
        unsigned int type, flags;
        unsigned long offset, vaddr, paddr, filesz, memsz, align;
    } segments[2];
    unsigned char code[16];
};

static void execute(void *nothing)
{
    char *argv[] = {"victim", NULL};

    (void)nothing;
    alarm(5);
    execve(VICTIM, argv, argv + 1);
    _exit(EXEC_FAILED + errno);
}

/* A program of one or two segments: the one with the code at CODE; one of zeroes only at BSS, unless that is 0. */
static void run_program(const char *what, unsigned long code, unsigned long bss, unsigned long memory_size)
{
    static struct program program;
    int fd, status;

    program = (struct program){
        .header = {.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .type = 2, .machine = 62, .version = 1,
                   .entry = code + offsetof(struct program, code), .phoff = sizeof(program.header), .ehsize = 64,
                   .phentsize = sizeof(program.segments[0]), .phnum = bss ? 2 : 1, .shentsize = 64},
        .code = {0xbf, ENDS_WELL, 0, 0, 0, 0xb8, SYS_exit, 0, 0, 0, 0x0f, 0x05},
    };
    program.segments[0].type = program.segments[1].type = 1;
    program.segments[0].flags = program.segments[1].flags = 7;
    program.segments[0].align = program.segments[1].align = PAGE;
    program.segments[0].vaddr = code;
    program.segments[0].filesz = sizeof(program);
    program.segments[0].memsz = memory_size ? memory_size : sizeof(program);
    program.segments[1].vaddr = bss;
    program.segments[1].memsz = PAGE;
    unlink(VICTIM);
    fd = open(VICTIM, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (fd < 0 || write(fd, &program, sizeof(program)) != (ssize_t)sizeof(program))
        bail_out("%s cannot be written: errno %d", VICTIM, errno);
    close(fd);
    status = status_of_child(execute, NULL);
    unlink(VICTIM);
    if (WIFSIGNALED(status))
        say("  %s %lx: signal %d", what, bss ? bss : code, WTERMSIG(status));
    else
        say("  %s %lx: exits with %d", what, bss ? bss : code, WEXITSTATUS(status));
}

static void load(void)
{
    for (int i = 0; i < PLACES; i++) {
        run_program("a program at", places[i], 0, 0);
        run_program("one with zeroes behind it at", places[i], 0, 8 * PAGE);
    }
    run_program("a program with zeroes alone at", 0x400000, PAGE, 0);
    run_program("a program with zeroes alone at", 0x400000, MINIMUM, 0);
}

static void every_way(void *nothing)
{
    (void)nothing;
    map();
    move();
    grow();
    load();
    _exit(0);
}

static void everybody(const char *when)
{
    say("root%s:", when);
    status_of_child(every_way, NULL);
    say("an ordinary user%s:", when);
    status_as_nobody(every_way, NULL);
}

static void set_minimum(const char *text)
{
    int fd = open(SETTING, O_WRONLY);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        bail_out("%s cannot be written: errno %d", SETTING, errno);
    close(fd);
}

int main(void)
{
    everybody("");
    set_minimum("0\n");
    everybody(", with 0 in mmap_min_addr");
    set_minimum("131072\n");
    everybody(", with 131072 in mmap_min_addr");
    set_minimum("65536\n");
    return 0;
}
